"""Pinterest from its app's keys, and VK from a community's, to a published post, in a real browser, on the sandbox."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from regie.media import services
from regie.people.models import Member
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.browser.conftest import Walk
    from tests.conftest import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
Show = Callable[[Page, str], None]


def test_from_the_keys_to_a_pin(
    walk: Walk,
    pinterest: Sandbox,
    alice: Member,
    page: Page,
    picture: Callable[..., BytesIO],
    assert_accessible: Callable[[Page], None],
    screenshot: Show,
) -> None:
    walk.on(pinterest)
    ready = pinterest.network.ready_account()
    walk.keeps_keys("pinterest", ready)

    walk.begins_to_connect("pinterest")
    expect(page.get_by_label("With an app that has Standard access")).to_be_checked()
    assert_accessible(page)
    screenshot(page, "pinterest-connect")
    page.get_by_role("button", name="Continue on Pinterest").click()
    page.get_by_role("button", name="Give access").click()
    walk.is_connected()

    file = services.upload(workspace=alice.workspace, name="a.jpg", source=picture(400, 600), by=alice)
    content = {"parts": [{"text": "Linen, cut by hand", "media": [{"file": file.pk, "alt": "A coat"}]}]}
    post = Post.objects.create(workspace=alice.workspace, content=content, author=alice.user)
    page.goto(f"posts/{post.pk}/edit/")
    page.get_by_role("checkbox", name=re.compile("regie")).check()
    page.get_by_label("Board", exact=True).select_option(label="Ideas")
    page.get_by_label(re.compile(r"^Title\s+optional")).fill("The coat")
    page.get_by_label(re.compile(r"^Link\s+optional")).fill("https://shop.example/coat")
    expect(page.get_by_role("heading", name="Ready for 1 account")).to_be_visible()
    expect(page.locator(".look-pinterest").get_by_text("The coat", exact=True)).to_be_visible()
    assert_accessible(page)
    screenshot(page, "pinterest-desk")
    delivery = walk.publishes()
    screenshot(page, "pinterest-receipt")
    there = pinterest.itself.state.pins[delivery.remote_id]
    assert (there.description, there.title, there.link, there.alt) == (
        "Linen, cut by hand", "The coat", "https://shop.example/coat", "A coat",
    )  # fmt: skip


def test_from_a_communitys_key_to_a_post_on_its_wall(
    walk: Walk,
    vk: Sandbox,
    page: Page,
    assert_accessible: Callable[[Page], None],
    screenshot: Show,
) -> None:
    walk.on(vk)
    keys = vk.network.ready_account()["credentials"]
    walk.begins_to_connect("vk")
    assert_accessible(page)
    screenshot(page, "vk-connect")
    page.get_by_label("Key of the community").fill(keys["community_key"])
    page.get_by_label("Key of an administrator").fill(keys["admin_key"])
    page.get_by_role("main").get_by_role("button", name="Connect", exact=True).click()
    walk.is_connected()

    page.goto("posts/new/")
    page.get_by_label("Text", exact=True).fill("Open until seven")
    page.get_by_role("checkbox", name=re.compile("regie")).check()
    page.get_by_text("On VK", exact=True).click()
    page.get_by_label("Nobody may comment").check()
    expect(page.get_by_role("heading", name="Ready for 1 account")).to_be_visible()
    assert_accessible(page)
    screenshot(page, "vk-desk")
    delivery = walk.publishes()
    there = vk.itself.state.posts[delivery.remote_id]
    assert (there.text, there.closed) == ("Open until seven", True)
