"""YouTube from its keys to a published video, in a real browser, on the sandbox."""

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


def test_from_the_keys_to_a_published_video(
    walk: Walk,
    youtube: Sandbox,
    alice: Member,
    page: Page,
    video: Callable[..., BytesIO],
    assert_accessible: Callable[[Page], None],
    screenshot: Show,
) -> None:
    walk.on(youtube)
    ready = youtube.network.ready_account()
    walk.keeps_keys("youtube", ready)

    walk.begins_to_connect("youtube")
    assert_accessible(page)
    screenshot(page, "youtube-connect")
    page.get_by_role("button", name="Continue on YouTube").click()
    page.get_by_role("button", name="Allow").click()
    assert walk.is_connected().remote_id == ready["remote_id"]

    file = services.upload(workspace=alice.workspace, name="walk.mp4", source=video(320, 180, seconds=4), by=alice)
    post = Post.objects.create(
        workspace=alice.workspace,
        content={"parts": [{"text": "Walk with us", "media": [{"file": file.pk, "alt": ""}]}]},
        author=alice.user,
    )
    page.goto(f"posts/{post.pk}/edit/")
    page.get_by_role("checkbox", name=re.compile("regie")).check()
    page.get_by_label("Title").fill("A walk")
    page.get_by_label("Is it made for children?").select_option("no")
    page.get_by_label("Who can see it").select_option("unlisted")
    expect(page.get_by_role("heading", name="Ready for 1 account")).to_be_visible()
    assert_accessible(page)
    screenshot(page, "youtube-desk")
    delivery = walk.publishes()
    screenshot(page, "youtube-receipt")
    film = youtube.itself.state.videos[delivery.remote_id]
    assert (film.title, film.description, film.privacy, film.kids) == ("A walk", "Walk with us", "unlisted", False)
