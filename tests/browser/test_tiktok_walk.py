"""TikTok from its keys to a published video, in a real browser, on the sandbox."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections
from playwright.sync_api import Page, expect

from regie.accounts.models import Account
from regie.media import making, services
from regie.media.models import Rendition
from regie.people.models import Member
from regie.publishing.models import Delivery
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
Show = Callable[[Page, str], None]


@pytest.fixture
def vendor(tiktok: Sandbox, alice: Member, settings: Any, live_server: Any) -> Sandbox:
    settings.NETWORKS = {**settings.NETWORKS, "tiktok": tiktok.base}
    settings.PUBLIC_URL = live_server.url
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "127.0.0.1"]  # where vendors send people back to on one machine
    alice.user.is_operator = True
    alice.user.save()
    return tiktok


def published(publish_due: Callable[[], None]) -> None:
    """The engine, until the video is out: it is made to fit, and sent."""
    for _ in range(6):
        for rendition in Rendition.objects.exclude(state=Rendition.State.READY):
            asyncio.run(making.make(rendition.pk))
        publish_due()
        if Delivery.objects.get().state == "published":
            break
        Delivery.objects.update(next_at=Delivery.objects.get().due_at)
    connections.close_all()


def test_from_the_keys_to_a_published_video(
    vendor: Sandbox,
    alice: Member,
    page: Page,
    video: Callable[..., BytesIO],
    publish_due: Callable[[], None],
    assert_accessible: Callable[[Page], None],
    screenshot: Show,
) -> None:
    page.context.add_cookies([{**one, "domain": "127.0.0.1"} for one in page.context.cookies()])  # type: ignore[typeddict-item]
    ready = vendor.network.ready_account()
    page.goto("/accounts/networks/")
    form = page.locator("form[action$='/networks/tiktok/keys/']").first
    form.get_by_label("App ID").fill(ready["client_id"])
    form.get_by_label("App secret").fill(ready["client_secret"])
    form.get_by_role("button", name="Keep the keys").click()
    expect(page.get_by_text("The keys are kept.")).to_be_visible()

    page.goto("accounts/connect/tiktok/")
    expect(page.get_by_label("On TikTok's page: videos and photos")).to_be_checked()
    assert_accessible(page)
    screenshot(page, "tiktok-connect")
    page.get_by_role("button", name="Continue on TikTok").click()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("regie is connected")).to_be_visible()
    assert Account.objects.get().network == "tiktok"

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
    page.get_by_role("button", name="Publish now").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish now").click()
    expect(page).to_have_url(re.compile("/deliveries/|/posts/"))
    with ThreadPoolExecutor(1) as elsewhere:  # the browser's event loop runs in this thread
        elsewhere.submit(published, publish_due).result()
    delivery = Delivery.objects.get()
    assert delivery.state == "published"
    page.goto(f"deliveries/{delivery.pk}/")
    screenshot(page, "tiktok-receipt")
    there = vendor.itself.state.posts[delivery.remote_id]
    assert (there.text, there.privacy) == ("Walk with us", "PUBLIC_TO_EVERYONE")
    assert (there.info["disable_comment"], there.info["disable_duet"]) == (False, True)
