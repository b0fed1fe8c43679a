"""Meta's networks from their keys to a published post, in a real browser, on the sandbox: a choice among Pages on
Facebook, both logins of Instagram, Threads."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.browser.conftest import Walk
    from tests.conftest import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
Show = Callable[[Page, str], None]


def test_from_the_keys_over_a_choice_of_pages_to_a_post_on_facebook(
    walk: Walk, facebook: Sandbox, page: Page, assert_accessible: Callable[[Page], None], screenshot: Show
) -> None:
    walk.on(facebook)
    ready, net = facebook.network.ready_account(), facebook.itself
    shop = net.page_named("Boutique Nord")
    net.person_of(net.page_named("regie")).pages.append(shop.id)
    walk.keeps_keys("facebook", ready)
    assert_accessible(page)
    walk.begins_to_connect("facebook")
    assert_accessible(page)
    screenshot(page, "facebook-connect")
    page.get_by_role("button", name="Continue on Facebook").click()
    page.get_by_role("button", name="Allow").click()

    expect(page.get_by_role("heading", name="Which ones?")).to_be_visible()
    expect(page.get_by_role("checkbox", name="regie")).not_to_be_checked()
    assert_accessible(page)
    screenshot(page, "facebook-choice")
    page.get_by_role("checkbox", name="Boutique Nord").check()
    page.get_by_role("main").get_by_role("button", name="Connect", exact=True).click()
    assert walk.is_connected("Boutique Nord").remote_id == shop.id

    page.goto("posts/new/")
    page.get_by_label("Text", exact=True).fill("La nouvelle collection est là")
    page.get_by_role("checkbox", name="Boutique Nord").check()
    page.get_by_text("On Facebook", exact=True).click()
    page.get_by_label("Link", exact=False).fill("https://a.example/collection")
    expect(page.get_by_role("heading", name="Ready for 1 account")).to_be_visible()
    assert_accessible(page)
    screenshot(page, "facebook-desk")
    delivery = walk.publishes()
    screenshot(page, "facebook-receipt")
    there = net.state.posts[delivery.remote_id]
    assert (there.by, there.message, there.link) == (
        shop.id, "La nouvelle collection est là", "https://a.example/collection",
    )  # fmt: skip
    assert facebook.texts("regie") == []  # the Page that was not ticked


@pytest.mark.parametrize(
    ("login", "label"),
    [(0, "On Instagram's own page"), (1, "Through Facebook, with a Page linked to it")],
    ids=["instagram", "facebook"],
)
def test_from_the_keys_of_either_login_to_a_picture_on_instagram(
    login: int,
    label: str,
    walk: Walk,
    instagram: Sandbox,
    page: Page,
    tmp_path: Path,
    picture: Callable[..., BytesIO],
    assert_accessible: Callable[[Page], None],
    screenshot: Show,
) -> None:
    walk.on(instagram)
    ready = instagram.network.ready_account()
    walk.keeps_keys("instagram", ready, login=login)
    walk.begins_to_connect("instagram")
    expect(page.get_by_label(label)).to_be_checked()  # the one that there are keys for
    assert_accessible(page)
    screenshot(page, f"instagram-connect-{login}")
    page.get_by_role("button", name="Continue on Instagram").click()
    page.get_by_role("button", name="Allow").click()
    account = walk.is_connected()
    assert (account.remote_id, account.server) == (ready["remote_id"], instagram.base + ("/facebook" if login else ""))

    (tmp_path / "coat.jpg").write_bytes(picture(800, 800).getvalue())
    page.goto("posts/new/")
    page.get_by_label("Text", exact=True).fill("Le manteau est là #lin")
    page.get_by_role("checkbox", name="regie").check()
    page.locator("input[type=file]").first.set_input_files(tmp_path / "coat.jpg")
    page.get_by_label("What “coat.jpg” shows").fill("Un manteau sur une chaise")
    expect(page.get_by_role("heading", name="Ready for 1 account")).to_be_visible()
    assert_accessible(page)
    screenshot(page, f"instagram-desk-{login}")
    delivery = walk.publishes()
    screenshot(page, f"instagram-receipt-{login}")
    there = instagram.itself.state.media[delivery.remote_id]
    assert (there.user, there.type, there.caption, there.alt) == (
        ready["remote_id"], "IMAGE", "Le manteau est là #lin", "Un manteau sur une chaise",
    )  # fmt: skip


def test_from_the_keys_to_a_post_on_threads(
    walk: Walk, threads: Sandbox, page: Page, assert_accessible: Callable[[Page], None], screenshot: Show
) -> None:
    walk.on(threads)
    ready = threads.network.ready_account()
    walk.keeps_keys("threads", ready)
    walk.begins_to_connect("threads")
    assert_accessible(page)
    screenshot(page, "threads-connect")
    page.get_by_role("button", name="Continue on Threads").click()
    page.get_by_role("button", name="Allow").click()
    assert walk.is_connected().remote_id == ready["remote_id"]

    page.goto("posts/new/")
    page.get_by_label("Text", exact=True).fill("Ouvert jusqu’à sept heures")
    page.get_by_role("checkbox", name="regie").check()
    page.get_by_text("On Threads", exact=True).click()
    page.get_by_label("Topic").fill("Paris")
    page.get_by_label("Who can reply").select_option("followers_only")
    expect(page.get_by_role("heading", name="Ready for 1 account")).to_be_visible()
    assert_accessible(page)
    screenshot(page, "threads-desk")
    delivery = walk.publishes()
    screenshot(page, "threads-receipt")
    there = threads.itself.state.media[delivery.remote_id]
    assert (there.user, there.text, there.topic, there.reply_control) == (
        ready["remote_id"], "Ouvert jusqu’à sept heures", "Paris", "followers_only",
    )  # fmt: skip
