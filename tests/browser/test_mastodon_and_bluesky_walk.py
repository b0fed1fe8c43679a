"""Mastodon and Bluesky on their own pages to a published post, in a real browser, on the sandbox. Servers that others
wrote are walked in tests/real_servers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from regie.networks.bluesky.connector import Bluesky

if TYPE_CHECKING:
    from tests.browser.conftest import Walk
    from tests.conftest import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]


def write(page: Page, text: str, assert_accessible: Callable[[Page], None]) -> None:
    page.goto("posts/new/")
    page.get_by_label("Text", exact=True).fill(text)
    page.get_by_role("checkbox", name="regie").check()
    expect(page.get_by_role("heading", name="Ready for 1 account")).to_be_visible()
    assert_accessible(page)


def test_from_a_servers_own_page_to_a_post_on_mastodon(
    walk: Walk, mastodon: Sandbox, page: Page, assert_accessible: Callable[[Page], None]
) -> None:
    walk.begins_to_connect("mastodon")
    page.get_by_label("Server").fill(mastodon.base)
    assert_accessible(page)
    page.get_by_role("button", name="Continue on Mastodon").click()
    page.get_by_role("button", name="Authorize").click()
    account = walk.is_connected()
    assert (account.server, account.remote_id) == (mastodon.base, mastodon.network.ready_account()["remote_id"])
    write(page, "Ouvert jusqu’à sept heures", assert_accessible)
    delivery = walk.publishes()
    assert mastodon.itself.posts() == [delivery.remote_id]
    assert mastodon.texts() == ["Ouvert jusqu’à sept heures"]


def test_from_blueskys_own_page_to_a_post_there(
    walk: Walk,
    bluesky: Sandbox,
    page: Page,
    monkeypatch: pytest.MonkeyPatch,
    assert_accessible: Callable[[Page], None],
) -> None:
    monkeypatch.setattr(Bluesky, "addresses", replace(Bluesky.addresses, plc=bluesky.base))  # who has which DID
    walk.on(bluesky)
    ready = bluesky.network.ready_account()
    walk.begins_to_connect("bluesky")
    page.get_by_label("Handle").fill(ready["handle"])
    assert_accessible(page)
    page.get_by_role("button", name="Continue on Bluesky").click()
    page.get_by_label("Password").fill(ready["password"])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Authorize").click()
    assert walk.is_connected().remote_id == ready["remote_id"]
    write(page, "Ouvert jusqu’à sept heures", assert_accessible)
    delivery = walk.publishes()
    assert bluesky.itself.posts() == [delivery.remote_id]
    assert bluesky.texts() == ["Ouvert jusqu’à sept heures"]
