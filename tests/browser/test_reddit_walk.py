"""Reddit from the app's keys over its own page to a post with a flair, in a real browser, on the sandbox."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from regie_sandbox.reddit.state import Flair

if TYPE_CHECKING:
    from tests.browser.conftest import Walk
    from tests.conftest import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
Show = Callable[[Page, str], None]


def test_from_the_keys_to_a_published_post(
    walk: Walk,
    reddit: Sandbox,
    page: Page,
    assert_accessible: Callable[[Page], None],
    screenshot: Show,
) -> None:
    walk.on(reddit)
    ready = reddit.network.ready_account()
    reddit.itself.community("regie_hq").flairs = [Flair("f1", "News"), Flair("f2", "Help")]
    reddit.itself.community("regie_hq").wants.is_flair_required = True
    walk.keeps_keys("reddit", ready)

    walk.begins_to_connect("reddit")
    assert_accessible(page)
    page.get_by_role("button", name="Continue on Reddit").click()
    page.get_by_role("button", name="Allow").click()
    assert walk.is_connected().remote_id == ready["remote_id"]

    page.goto("posts/new/")
    page.get_by_label("Text", exact=True).fill("Open until **six** today")
    page.get_by_role("checkbox", name=re.compile("regie")).check()
    expect(page.get_by_text("Choose “Community” first.")).to_be_visible()
    page.get_by_label("Title", exact=True).fill("Our shop is open")
    page.get_by_label("Community", exact=True).fill("r/regie_hq")
    page.get_by_label("Community", exact=True).blur()
    flair = page.get_by_label("Flair")
    expect(flair.locator("option", has_text="News")).to_have_count(1)
    flair.select_option(label="News")
    expect(page.get_by_role("heading", name="Ready for 1 account")).to_be_visible()
    expect(page.locator(".look-reddit").get_by_text("Our shop is open")).to_be_visible()
    assert_accessible(page)
    screenshot(page, "reddit-desk")
    walk.publishes()
    (post,) = reddit.itself.state.posts.values()
    assert (post.title, post.text, post.flair_id, post.send_replies) == (
        "Our shop is open",
        "Open until **six** today",
        "f1",
        True,
    )
