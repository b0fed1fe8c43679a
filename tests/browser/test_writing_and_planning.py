"""Writing a post, planning it and moving it, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from regie.accounts.models import Account
from regie.core import clock
from regie.core.times import WallTime
from regie.media import services as media
from regie.people.models import Member
from regie.publishing import services
from regie.publishing.models import Delivery
from regie.studio.models import Post

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("screens")]


@pytest.fixture
def accounts(make_account: Callable[..., Account]) -> list[Account]:
    return [make_account("mastodon", "Atelier"), make_account("bluesky", "Nord"), make_account("telegram", "Canal")]


def tomorrow(hour: int) -> WallTime:
    day = WallTime.at(clock.now() + timedelta(days=1), "Europe/Paris").local
    return WallTime(day.replace(hour=hour, minute=15, second=0, microsecond=0), "Europe/Paris")


@pytest.fixture
def planned(alice: Member, accounts: list[Account], write_post: Callable[..., Post]) -> Delivery:
    post = write_post("Good morning", on=accounts[:1], by=alice)
    return services.schedule(post=post, at=tomorrow(10), by=alice)[0]


def test_a_post_is_written_checked_kept_and_scheduled(
    page: Page,
    accounts: list[Account],
    tmp_path: Path,
    picture: Callable[..., BytesIO],
    assert_accessible: Callable[[Page], None],
) -> None:
    files = [tmp_path / "coat.jpg", tmp_path / "hat.jpg"]
    for number, file in enumerate(files):
        file.write_bytes(picture(width=320 + number).getvalue())
    page.goto("posts/new/")
    page.get_by_label("Atelier").check()
    page.get_by_label("Nord @").check()
    page.get_by_label("Text", exact=True).fill("A" * 301)
    expect(page.get_by_text("The text is 1 character too long.")).to_be_visible()
    page.get_by_label("Text", exact=True).fill("The coat is here #slow")
    expect(page.get_by_role("heading", name="Ready for 2 accounts")).to_be_visible()
    expect(page.get_by_text("Draft kept at")).to_be_visible()
    expect(page.locator(".look-bluesky .look-link")).to_have_text("#slow")
    slow: list[Route] = []
    page.route("**/media/upload/**", lambda route: route.continue_() if slow else slow.append(route))
    page.locator("input[type=file]").set_input_files(files)
    expect(page.get_by_label("What “hat.jpg” shows")).to_be_visible()
    slow[0].continue_()
    expect(page.locator("label[for^='s-0-alt']")).to_have_text(["What “coat.jpg” shows", "What “hat.jpg” shows"])
    alt = page.get_by_label("What “coat.jpg” shows")
    alt.fill("A coat on a chair")
    expect(page.locator(".look-pictures img").first).to_have_attribute("alt", "A coat on a chair")
    assert_accessible(page)
    page.locator("#when-date").fill(f"{tomorrow(10).local:%Y-%m-%d}")
    page.get_by_label("Time", exact=True).fill("10:15")
    page.get_by_role("button", name="Schedule").click()
    expect(page.get_by_text("2 deliveries are planned.")).to_be_visible()
    assert Post.objects.count() == 1
    assert {d.due_at for d in Delivery.objects.all()} == {tomorrow(10).utc}
    assert_accessible(page)


def test_an_account_gets_its_own_text_and_goes_back_to_the_shared_one(page: Page, accounts: list[Account]) -> None:
    page.goto("posts/new/")
    page.get_by_label("Atelier").check()
    page.get_by_label("Nord @").check()
    page.get_by_label("Text", exact=True).fill("For everybody")
    page.get_by_role("button", name="Customise for Nord").click()
    expect(page.get_by_text("Only Nord shows this text.")).to_be_visible()
    page.locator("textarea.part-text:visible").fill("For Nord")
    expect(page.locator(".look-bluesky .look-text")).to_have_text("For Nord")
    page.get_by_role("button", name="Back to the shared text").click()
    expect(page.locator("textarea.part-text:visible")).to_have_value("For everybody")


def test_parts_a_poll_and_the_focus_follow_the_hand(page: Page, accounts: list[Account]) -> None:
    page.goto("posts/new/")
    page.get_by_label("Atelier").check()
    page.get_by_label("Text", exact=True).fill("One")
    page.get_by_role("button", name="Part of a thread").click()
    expect(page.get_by_label("Text of part 2")).to_be_focused()
    page.keyboard.type("Two")
    expect(page.locator(".look-mastodon .look-post")).to_have_count(2)
    page.get_by_role("button", name="Poll", exact=True).click()
    expect(page.get_by_role("textbox", name="Answer 1")).to_be_focused()
    expect(page.get_by_text("An answer of the poll is empty")).to_be_visible()


def test_two_tabs_do_not_overwrite_each_other(
    open_page: Callable[..., Page], bob: Member, alice: Member, write_post: Callable[..., Post], accounts: list[Account]
) -> None:
    post = write_post("Before", on=accounts[:1], by=alice)
    mine, theirs = open_page(alice), open_page(bob)
    for tab in (mine, theirs):
        tab.goto(f"posts/{post.pk}/edit/")
    theirs.get_by_label("Text", exact=True).fill("By Bob")
    expect(theirs.get_by_text("Draft kept at")).to_be_visible()
    mine.get_by_label("Text", exact=True).fill("By Alice")
    mine.get_by_role("button", name="Show both").click()
    expect(mine.get_by_text("By Bob")).to_be_visible()
    mine.get_by_role("button", name="Keep yours").click()
    expect(mine.get_by_text("Saved.")).to_be_visible()
    post.refresh_from_db()
    assert post.document.text == "By Alice"


def test_a_delivery_is_dragged_to_another_day_and_back(page: Page, planned: Delivery) -> None:
    page.goto(f"calendar/?view=week&on={planned.local_at:%Y-%m-%d}")
    entry = page.locator(f'[data-entry="{planned.pk}"]')
    cell = page.locator(f'[data-day="{planned.local_at:%Y-%m-%d}"][data-hour="12"]')
    entry.drag_to(cell)
    expect(page.locator(f'[data-entry="{planned.pk}"] time')).to_have_text("12:15")
    planned.refresh_from_db()
    assert (planned.local_at.hour, planned.local_at.minute) == (12, 15)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(f'[data-entry="{planned.pk}"] time')).to_have_text("10:15")


def test_a_delivery_is_moved_with_the_keyboard(page: Page, planned: Delivery) -> None:
    page.goto(f"calendar/?view=list&on={planned.local_at:%Y-%m-%d}")
    page.locator(".entry-link").first.focus()
    page.keyboard.press("m")
    page.get_by_label("Time", exact=True).fill("18:30")
    page.get_by_role("dialog").get_by_role("button", name="Move").click()
    expect(page.locator(".entry time")).to_have_text("18:30")
    expect(page.locator(".entry-link")).to_be_focused()


def test_moving_into_the_past_says_why_not(page: Page, planned: Delivery) -> None:
    page.goto(f"calendar/?view=list&on={planned.local_at:%Y-%m-%d}")
    page.locator(".entry-link").first.focus()
    page.keyboard.press("m")
    page.locator("#move-date").fill("2020-01-01")
    page.get_by_role("dialog").get_by_role("button", name="Move").click()
    expect(page.get_by_text("This time has passed")).to_be_visible()


@pytest.mark.parametrize("how", [{"dark": True}], ids=str)  # in other clothes: test_every_screen.py
def test_every_screen_is_accessible_and_fits(
    how: dict[str, Any],
    open_page: Callable[..., Page],
    alice: Member,
    planned: Delivery,
    accounts: list[Account],
    picture: Callable[..., BytesIO],
    assert_accessible: Callable[[Page], None],
    screenshot: Callable[[Page, str], None],
) -> None:
    file = media.upload(workspace=alice.workspace, name="coat.jpg", source=picture(), by=alice)
    page = open_page(**how)
    post = planned.variant.post_id
    on = f"{planned.local_at:%Y-%m-%d}"
    for name, path in {
        "posts": "posts/",
        "new": "posts/new/",
        "edit": f"posts/{post}/edit/",
        "post": f"posts/{post}/",
        "receipt": f"deliveries/{planned.pk}/",
        "by-hand": f"deliveries/{planned.pk}/by-hand/",
        "month": f"calendar/?on={on}",
        "week": f"calendar/?view=week&on={on}",
        "list": f"calendar/?view=list&on={on}",
        "media": "media/",
        "file": f"media/{file.pk}/",
    }.items():
        page.goto(path)
        screenshot(page, "-".join([name, *map(str, how)]))
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
