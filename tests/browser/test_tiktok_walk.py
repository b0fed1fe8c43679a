"""TikTok from its keys to a published video, in a real browser, on the sandbox."""

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
    tiktok: Sandbox,
    alice: Member,
    page: Page,
    video: Callable[..., BytesIO],
    assert_accessible: Callable[[Page], None],
    screenshot: Show,
) -> None:
    walk.on(tiktok)
    ready = tiktok.network.ready_account()
    walk.keeps_keys("tiktok", ready)

    walk.begins_to_connect("tiktok")
    expect(page.get_by_label("On TikTok's page: videos and photos")).to_be_checked()
    assert_accessible(page)
    screenshot(page, "tiktok-connect")
    page.get_by_role("button", name="Continue on TikTok").click()
    page.get_by_role("button", name="Continue").click()
    assert walk.is_connected().remote_id == ready["remote_id"]

    file = services.upload(workspace=alice.workspace, name="walk.mp4", source=video(360, 640, seconds=4), by=alice)
    post = Post.objects.create(
        workspace=alice.workspace,
        content={"parts": [{"text": "Walk with us", "media": [{"file": file.pk, "alt": ""}]}]},
        author=alice.user,
    )
    page.goto(f"posts/{post.pk}/edit/")
    page.get_by_role("checkbox", name=re.compile("regie")).check()
    privacy = page.get_by_label("Who can see it")
    expect(privacy).to_have_value("")  # TikTok wants nothing chosen beforehand
    expect(page.get_by_label("Allow comments")).not_to_be_checked()
    privacy.select_option("PUBLIC_TO_EVERYONE")
    page.get_by_label("Allow comments").check()
    page.get_by_label("By posting, you agree to TikTok's Music Usage Confirmation").check()
    expect(page.get_by_role("heading", name="Ready for 1 account")).to_be_visible()
    assert_accessible(page)
    screenshot(page, "tiktok-desk")
    delivery = walk.publishes()
    screenshot(page, "tiktok-receipt")
    there = tiktok.itself.state.posts[delivery.remote_id]
    assert (there.text, there.privacy) == ("Walk with us", "PUBLIC_TO_EVERYONE")
    assert (there.info["disable_comment"], there.info["disable_duet"]) == (False, True)
