"""LinkedIn from the keys of both apps to a published post, in a real browser, on the sandbox."""

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
    linkedin: Sandbox,
    page: Page,
    assert_accessible: Callable[[Page], None],
    screenshot: Show,
) -> None:
    walk.on(linkedin)
    ready = linkedin.network.ready_account()
    for login, app in enumerate((ready, ready["profile"])):
        walk.keeps_keys("linkedin", app, login=login)
    screenshot(page, "linkedin-keys")

    walk.begins_to_connect("linkedin")
    assert_accessible(page)
    expect(page.get_by_label("Pages, and your own profile")).to_be_checked()
    screenshot(page, "linkedin-connect")
    page.get_by_role("button", name="Continue on LinkedIn").click()
    page.get_by_role("button", name="Allow").click()
    screenshot(page, "linkedin-choice")
    page.get_by_label("regie @regie").check()
    page.get_by_role("main").get_by_role("button", name="Connect", exact=True).click()
    assert walk.is_connected().remote_id == ready["remote_id"]

    page.goto("posts/new/")
    page.get_by_label("Text", exact=True).fill("La carte de la semaine #menu")
    page.get_by_role("checkbox", name=re.compile("regie")).check()
    page.get_by_text("On LinkedIn", exact=True).click()
    page.get_by_label("Link shown as a card").fill("https://a.example/carte")
    page.get_by_label("Title of the link or the video").fill("La carte")
    page.get_by_label("Nobody may repost it").check()
    expect(page.get_by_role("heading", name="Ready for 1 account")).to_be_visible()
    assert_accessible(page)
    screenshot(page, "linkedin-desk")
    delivery = walk.publishes()
    screenshot(page, "linkedin-receipt")
    there = linkedin.itself.state.posts[delivery.remote_id]
    assert there.text == "La carte de la semaine #menu"
    assert there.body["content"] == {"article": {"source": "https://a.example/carte", "title": "La carte"}}
    assert there.body["isReshareDisabledByAuthor"] is True
