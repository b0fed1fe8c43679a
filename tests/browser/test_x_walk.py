"""X from its keys to a published post, in a real browser, on the sandbox."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.browser.conftest import Walk
    from tests.conftest import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
Show = Callable[[Page, str], None]


def test_from_the_keys_to_a_published_post(
    walk: Walk,
    x: Sandbox,
    page: Page,
    assert_accessible: Callable[[Page], None],
    screenshot: Show,
) -> None:
    walk.on(x)
    ready = x.network.ready_account()
    walk.keeps_keys("x", ready, api_key=re.compile(r"^API key\s+optional$"), api_secret="API key secret")
    screenshot(page, "x-keys")

    walk.begins_to_connect("x")
    assert_accessible(page)
    page.get_by_role("button", name="Continue on X").click()
    page.get_by_role("button", name="Authorize app").click()
    assert walk.is_connected().remote_id == ready["remote_id"]

    page.goto("posts/new/")
    page.get_by_label("Text", exact=True).fill("Ouvert aujourd’hui https://a.example/x")
    page.get_by_label("regie @").check()
    page.get_by_text("On X", exact=True).click()
    page.get_by_label("Who can reply").select_option("mentionedUsers")
    page.get_by_label("Paid partnership").check()
    expect(page.get_by_text("Draft kept at")).to_be_visible()
    screenshot(page, "x-desk")
    delivery = walk.publishes()
    screenshot(page, "x-receipt")
    there = x.itself.post(delivery.remote_id)
    assert (there.text, there.reply_settings, there.paid_partnership) == (
        "Ouvert aujourd’hui https://a.example/x",
        "mentionedUsers",
        True,
    )
