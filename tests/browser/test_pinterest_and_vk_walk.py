"""Pinterest from its app's keys, and VK from a community's, to a published post, in a real browser, on the sandbox."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections
from playwright.sync_api import Page, expect

from regie.media import services
from regie.people.models import Member
from regie.publishing.models import Delivery
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
Show = Callable[[Page, str], None]


@pytest.fixture
def pins(pinterest: Sandbox, alice: Member, settings: Any, live_server: Any) -> Sandbox:
    settings.NETWORKS = {**settings.NETWORKS, "pinterest": pinterest.base}
    settings.PUBLIC_URL = live_server.url
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "127.0.0.1"]  # where vendors send people back to on one machine
    alice.user.is_operator = True
    alice.user.save()
    return pinterest


@pytest.fixture
def walls(vk: Sandbox, alice: Member, settings: Any) -> Sandbox:
    settings.NETWORKS = {**settings.NETWORKS, "vk": vk.base}
    return vk


def sent(page: Page, publish_due: Callable[[], None]) -> Delivery:
    """Presses what publishes now, and lets the engine run."""
    page.get_by_role("button", name="Publish now").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish now").click()
    expect(page).not_to_have_url(re.compile("/edit/|/new/"))
    with ThreadPoolExecutor(1) as elsewhere:  # the browser's event loop runs in this thread
        elsewhere.submit(publish_due).result()
        elsewhere.submit(connections.close_all).result()
    delivery = Delivery.objects.get()
    assert delivery.state == "published"
    page.goto(f"deliveries/{delivery.pk}/")
    return delivery


def test_from_the_keys_to_a_pin(
    pins: Sandbox,
    alice: Member,
    page: Page,
    picture: Callable[..., BytesIO],
    publish_due: Callable[[], None],
    assert_accessible: Callable[[Page], None],
    screenshot: Show,
) -> None:
    page.context.add_cookies([{**one, "domain": "127.0.0.1"} for one in page.context.cookies()])  # type: ignore[typeddict-item]
    ready = pins.network.ready_account()
    page.goto("/accounts/networks/")
    form = page.locator("form[action$='/networks/pinterest/keys/']").first
    form.get_by_label("App ID").fill(ready["client_id"])
    form.get_by_label("App secret").fill(ready["client_secret"])
    form.get_by_role("button", name="Keep the keys").click()
    expect(page.get_by_text("The keys are kept.")).to_be_visible()

    page.goto("accounts/connect/pinterest/")
    expect(page.get_by_label("With an app that has Standard access")).to_be_checked()
    assert_accessible(page)
    screenshot(page, "pinterest-connect")
    page.get_by_role("button", name="Continue on Pinterest").click()
    page.get_by_role("button", name="Give access").click()
    expect(page.get_by_text("regie is connected")).to_be_visible()

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
    delivery = sent(page, publish_due)
    screenshot(page, "pinterest-receipt")
    there = pins.itself.state.pins[delivery.remote_id]
    assert (there.description, there.title, there.link, there.alt) == (
        "Linen, cut by hand", "The coat", "https://shop.example/coat", "A coat",
    )  # fmt: skip


def test_from_a_communitys_key_to_a_post_on_its_wall(
    walls: Sandbox,
    page: Page,
    publish_due: Callable[[], None],
    assert_accessible: Callable[[Page], None],
    screenshot: Show,
) -> None:
    keys = walls.network.ready_account()["credentials"]
    page.goto("accounts/connect/vk/")
    assert_accessible(page)
    screenshot(page, "vk-connect")
    page.get_by_label("Key of the community").fill(keys["community_key"])
    page.get_by_label("Key of an administrator").fill(keys["admin_key"])
    page.get_by_role("main").get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_text("regie is connected")).to_be_visible()

    page.goto("posts/new/")
    page.get_by_label("Text", exact=True).fill("Open until seven")
    page.get_by_role("checkbox", name=re.compile("regie")).check()
    page.get_by_text("On VK", exact=True).click()
    page.get_by_label("Nobody may comment").check()
    expect(page.get_by_role("heading", name="Ready for 1 account")).to_be_visible()
    assert_accessible(page)
    screenshot(page, "vk-desk")
    delivery = sent(page, publish_due)
    there = walls.itself.state.posts[delivery.remote_id]
    assert (there.text, there.closed) == ("Open until seven", True)
