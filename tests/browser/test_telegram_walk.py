"""Telegram from a bot's token to a post in its channel, in a real browser, on the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.browser.conftest import Walk
    from tests.conftest import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
Show = Callable[[Page, str], None]


def test_from_a_bots_token_to_a_post_in_its_channel(
    walk: Walk, telegram: Sandbox, page: Page, assert_accessible: Callable[[Page], None], screenshot: Show
) -> None:
    walk.on(telegram)
    ready = telegram.network.ready_account()
    walk.begins_to_connect("telegram")
    assert_accessible(page)
    screenshot(page, "telegram-connect")
    connect = page.get_by_role("main").get_by_role("button", name="Connect", exact=True)
    page.get_by_label("Bot token").fill(ready["credentials"]["token"])
    page.get_by_label("Channel or group").fill("@nobody_here")
    connect.click()
    expect(page.get_by_text("Not connected", exact=True)).to_be_visible()
    assert_accessible(page)
    screenshot(page, "telegram-refused")
    page.get_by_label("Bot token").fill(ready["credentials"]["token"])  # a secret is not written into a page
    page.get_by_label("Channel or group").fill(f"https://t.me/{ready['handle'].lstrip('@')}")
    connect.click()
    assert walk.is_connected().remote_id == ready["remote_id"]

    page.goto("posts/new/")
    page.get_by_label("Text", exact=True).fill("Ouvert jusqu’à sept heures")
    page.get_by_role("checkbox", name="regie").check()
    expect(page.get_by_role("heading", name="Ready for 1 account")).to_be_visible()
    assert_accessible(page)
    screenshot(page, "telegram-desk")
    delivery = walk.publishes()
    screenshot(page, "telegram-receipt")
    assert telegram.itself.posts() == [delivery.remote_id]
    assert telegram.texts() == ["Ouvert jusqu’à sept heures"]
