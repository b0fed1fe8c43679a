"""The options of networks and the first comment in the composer, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from regie.accounts.models import Account
from regie.accounts.opening import seal_credentials
from regie.core import clock
from regie.core.times import WallTime
from regie.publishing.models import Delivery
from regie.studio.models import Post
from regie_sandbox.threads.app import SCOPES as THREADS

if TYPE_CHECKING:
    from tests.conftest import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("screens")]
Show = Callable[[Page, str], None]


@pytest.fixture
def accounts(make_account: Callable[..., Account]) -> list[Account]:
    return [make_account("pinterest", "Atelier"), make_account("facebook", "Nord"), make_account("instagram", "Studio")]


def test_a_post_with_options_and_a_first_comment_is_written_kept_and_scheduled(
    page: Page, accounts: list[Account], assert_accessible: Callable[[Page], None], screenshot: Show
) -> None:
    page.goto("posts/new/")
    page.get_by_label("Text", exact=True).fill("The coat is here")
    expect(page.get_by_text("On Facebook", exact=True)).to_have_count(0)
    page.get_by_label("Nord @").check()
    page.get_by_text("On Facebook", exact=True).click()
    page.get_by_label("Link", exact=False).fill("example.org/coat")
    expect(page.get_by_text("“Link” for Facebook is no address: it begins with https://.")).to_be_visible()
    page.get_by_label("Link", exact=False).fill("https://example.org/coat")
    expect(page.get_by_role("heading", name="Ready for 1 account")).to_be_visible()
    page.get_by_label("Only in these countries").fill("FR, BE")
    page.get_by_text("First comment", exact=True).first.click()
    page.get_by_role("textbox", name="First comment").fill("#linen")
    expect(page.get_by_text("Draft kept at")).to_be_visible()
    page.evaluate("window.scrollTo(0, 0)")
    assert_accessible(page)
    screenshot(page, "options-desk")

    page.get_by_label("Atelier").check()  # it has no first comment
    expect(page.get_by_text("Pinterest takes no first comment here")).to_be_visible()
    expect(page.locator("#s-opt-facebook-link")).to_have_value("https://example.org/coat")
    page.get_by_label("Atelier @").uncheck()
    page.get_by_role("checkbox", name="Nord @").uncheck()
    expect(page.get_by_text("On Facebook", exact=True)).to_have_count(0)
    page.get_by_role("checkbox", name="Nord @").check()
    expect(page.get_by_label("Only in these countries")).to_have_value("FR, BE")  # it was not forgotten

    tomorrow = WallTime.at(clock.now() + timedelta(days=1), "Europe/Paris").local
    page.locator("#when-date").fill(f"{tomorrow:%Y-%m-%d}")
    page.get_by_label("Time", exact=True).fill("10:15")
    page.get_by_role("button", name="Schedule").click()
    expect(page.get_by_text("1 delivery is planned.")).to_be_visible()
    assert Post.objects.get().content["options"] == {
        "facebook": {"link": "https://example.org/coat", "countries": ["FR", "BE"]}
    }
    steps = list(Delivery.objects.get().steps.values_list("content", flat=True))
    assert [step["text"] for step in steps] == ["The coat is here", "#linen"]
    assert_accessible(page)
    screenshot(page, "options-planned")


def test_on_a_phone_in_the_dark(open_page: Any, accounts: list[Account], screenshot: Show) -> None:
    page = open_page(phone=True, dark=True)
    page.goto("posts/new/")
    page.get_by_label("Nord @").check()
    page.get_by_label("Studio @").check()
    page.get_by_text("On Facebook", exact=True).click()
    page.get_by_text("On Instagram", exact=True).click()
    page.get_by_label("Collaborators").fill("@a, @b, @c, @d")
    expect(page.get_by_text("Instagram takes at most 3 in “Collaborators”; there are 4.")).to_be_visible()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 375
    screenshot(page, "options-phone")


@pytest.fixture
def pins(pinterest: Sandbox, make_account: Callable[..., Account]) -> Account:
    """An account of Pinterest's sandbox; while the browser is open, this thread cannot run a sign-in of its own."""
    ready = pinterest.itself.ready_account()
    account = make_account("pinterest", "Nord", server=ready["server"], remote_id=ready["remote_id"])
    seal_credentials(account, ready["credentials"])
    account.save()
    return account


def test_boards_are_asked_of_the_network_and_a_board_brings_its_sections(
    page: Page, pins: Account, assert_accessible: Callable[[Page], None], screenshot: Show
) -> None:
    page.goto("posts/new/")
    page.get_by_label("Nord @").check()
    board = page.get_by_label("Board", exact=True)
    expect(board.locator("option", has_text="Ideas")).to_have_count(1)
    expect(page.get_by_text("Pinterest needs “Board”: choose one.")).to_be_visible()
    expect(page.get_by_text("Choose “Board” first.")).to_be_visible()
    board.select_option(label="Ideas")
    section = page.get_by_label("Section of the board")
    expect(section.locator("option", has_text="Kitchen")).to_have_count(1)
    section.select_option(label="Kitchen")
    expect(page.get_by_text("Pinterest needs “Board”: choose one.")).to_have_count(0)
    expect(page.get_by_text("Draft kept at")).to_be_visible()
    assert_accessible(page)
    screenshot(page, "options-pinterest")
    page.reload()
    expect(page.get_by_label("Section of the board").locator("option:checked")).to_have_text("Kitchen")


@pytest.fixture
def place(threads: Sandbox, make_account: Callable[..., Account]) -> str:
    """The number of a place, and an account of Threads' sandbox that may say it."""
    net, ready = threads.itself, threads.itself.ready_account()
    scopes = [*THREADS, "threads_location_tagging"]
    account = make_account(
        "threads", "Nord", server=ready["server"], remote_id=ready["remote_id"], limits={"scopes": scopes}
    )
    token = net.make_token(ready["remote_id"], net.make_app(), "threads", scopes)
    seal_credentials(account, {"access_token": token})
    account.save()
    return str(net.make_place("Atelier Nord", city="Lyon").id)


def test_a_place_is_looked_for_by_its_name_also_with_the_enter_key(
    page: Page, place: str, assert_accessible: Callable[[Page], None], screenshot: Show
) -> None:
    page.goto("posts/new/")
    page.get_by_label("Nord @").check()
    page.get_by_label("Text", exact=True).fill("We are open")
    page.get_by_text("On Threads", exact=True).click()
    find, choice = page.get_by_role("searchbox", name="Find: Place"), page.get_by_role("combobox", name="Place")
    find.fill("nowhere")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("The network knows nothing of that name.")).to_be_visible()
    find.fill("atelier")
    find.press("Enter")
    expect(choice.locator("option", has_text="Atelier Nord · Lyon")).to_have_count(1)
    choice.select_option(label="Atelier Nord · Lyon")
    expect(page.locator("#side").get_by_text("Atelier Nord · Lyon")).to_be_visible()  # as readers will see it
    expect(page.get_by_text("Draft kept at")).to_be_visible()
    assert_accessible(page)
    screenshot(page, "options-found")
    assert Post.objects.get().content["options"][str(Account.objects.get().pk)] == {"place": place}
