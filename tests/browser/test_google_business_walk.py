"""Google Business Profile from its keys to a published event, in a real browser, on the sandbox."""

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


def test_from_the_keys_to_a_published_event(
    walk: Walk,
    google_business: Sandbox,
    page: Page,
    assert_accessible: Callable[[Page], None],
    screenshot: Show,
) -> None:
    walk.on(google_business)
    ready = google_business.network.ready_account()
    walk.keeps_keys("google_business", ready)

    walk.begins_to_connect("google_business")
    assert_accessible(page)
    screenshot(page, "google-business-connect")
    page.get_by_role("button", name="Continue on Google Business Profile").click()
    page.get_by_role("button", name="Allow").click()
    assert walk.is_connected().remote_id == ready["remote_id"]

    page.goto("posts/new/")
    page.get_by_label("Text", exact=True).fill("Come in and look around")
    page.get_by_role("checkbox", name=re.compile("regie")).check()
    page.get_by_text("On Google Business Profile", exact=True).click()
    page.get_by_label("Kind of post").select_option("event")
    page.get_by_label(re.compile("^Title of the event or offer")).fill("Open day")
    page.get_by_label(re.compile("^It begins")).fill("2031-03-09T10:00")
    page.get_by_label(re.compile("^It ends")).fill("2031-03-09T18:30")
    expect(page.get_by_role("heading", name="Ready for 1 account")).to_be_visible()
    expect(page.locator(".look-google_business").get_by_text("Open day", exact=True)).to_be_visible()
    assert_accessible(page)
    screenshot(page, "google-business-desk")
    delivery = walk.publishes()
    screenshot(page, "google-business-receipt")
    there = google_business.itself.state.posts[delivery.remote_id.rpartition("/")[2]].said
    assert (there["topicType"], there["summary"]) == ("EVENT", "Come in and look around")
    assert there["event"]["schedule"]["endTime"] == {"hours": 18, "minutes": 30}
