"""YouTube from its keys to a published video, in a real browser, on the sandbox."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections
from playwright.sync_api import Page, expect

from regie.accounts.models import Account
from regie.media import services
from regie.people.models import Member
from regie.publishing.models import Delivery
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
Show = Callable[[Page, str], None]


@pytest.fixture
def vendor(youtube: Sandbox, alice: Member, settings: Any, live_server: Any) -> Sandbox:
    settings.NETWORKS = {**settings.NETWORKS, "youtube": youtube.base}
    settings.PUBLIC_URL = live_server.url
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "127.0.0.1"]  # where vendors send people back to on one machine
    alice.user.is_operator = True
    alice.user.save()
    return youtube


def published(publish_due: Callable[[], None]) -> None:
    """The engine, until the video is out: uploaded piece by piece, worked through, shown."""
    for _ in range(8):
        publish_due()
        if Delivery.objects.get().state == "published":
            break
        time.sleep(1.1)
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
    form = page.locator("form[action$='/networks/youtube/keys/']")
    form.get_by_label("App ID").fill(ready["client_id"])
    form.get_by_label("App secret").fill(ready["client_secret"])
    form.get_by_role("button", name="Keep the keys").click()
    expect(page.get_by_text("The keys are kept.")).to_be_visible()

    page.goto("accounts/connect/youtube/")
    assert_accessible(page)
    screenshot(page, "youtube-connect")
    page.get_by_role("button", name="Continue on YouTube").click()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("regie is connected")).to_be_visible()
    assert Account.objects.get().network == "youtube"

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
    page.get_by_role("button", name="Publish now").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish now").click()
    expect(page).to_have_url(re.compile(r"/(deliveries|posts)/\d+/$"))
    with ThreadPoolExecutor(1) as elsewhere:  # the browser's event loop runs in this thread
        elsewhere.submit(published, publish_due).result()
    delivery = Delivery.objects.get()
    assert delivery.state == "published"
    page.goto(f"deliveries/{delivery.pk}/")
    screenshot(page, "youtube-receipt")
    film = vendor.itself.state.videos[delivery.remote_id]
    assert (film.title, film.description, film.privacy, film.kids) == ("A walk", "Walk with us", "unlisted", False)
