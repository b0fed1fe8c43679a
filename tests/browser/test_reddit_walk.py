"""Reddit from the app's keys over its own page to a post with a flair, in a real browser, on the sandbox."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache
from django.db import connections
from playwright.sync_api import Page, expect

from regie.accounts.models import Account
from regie.people.models import Member
from regie.publishing.models import Delivery
from regie_sandbox.reddit.state import Flair

if TYPE_CHECKING:
    from tests.conftest import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
Show = Callable[[Page, str], None]


@pytest.fixture
def vendor(reddit: Sandbox, alice: Member, settings: Any, live_server: Any) -> Sandbox:
    cache.clear()
    settings.NETWORKS = {**settings.NETWORKS, "reddit": reddit.base}
    settings.PUBLIC_URL = live_server.url
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "127.0.0.1"]  # where vendors send people back to on one machine
    alice.user.is_operator = True
    alice.user.save()
    return reddit


def test_from_the_keys_to_a_published_post(
    vendor: Sandbox,
    page: Page,
    publish_due: Callable[[], None],
    assert_accessible: Callable[[Page], None],
    screenshot: Show,
) -> None:
    page.context.add_cookies([{**one, "domain": "127.0.0.1"} for one in page.context.cookies()])  # type: ignore[typeddict-item]
    ready = vendor.network.ready_account()
    vendor.itself.community("regie_hq").flairs = [Flair("f1", "News"), Flair("f2", "Help")]
    vendor.itself.community("regie_hq").wants.is_flair_required = True
    page.goto("/accounts/networks/")
    form = page.locator("form[action$='/networks/reddit/keys/']")
    form.get_by_label("App ID").fill(ready["client_id"])
    form.get_by_label("App secret").fill(ready["client_secret"])
    form.get_by_role("button", name="Keep the keys").click()
    expect(page.get_by_text("The keys are kept.")).to_be_visible()

    page.goto("accounts/connect/reddit/")
    assert_accessible(page)
    page.get_by_role("button", name="Continue on Reddit").click()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("regie is connected")).to_be_visible()
    assert Account.objects.get().remote_id == ready["remote_id"]

    page.goto("posts/new/")
    page.get_by_label("Text", exact=True).fill("Open until **six** today")
    page.get_by_role("checkbox", name=re.compile("regie")).check()
    expect(page.get_by_text("Choose “Community” first.")).to_be_visible()
    page.get_by_label("Title", exact=True).fill("Our shop is open")
    page.get_by_label("Community", exact=True).fill("r/regie_hq")
    page.get_by_label("Community", exact=True).blur()
    flair = page.get_by_label("Flair")
    expect(flair.locator("option", has_text="News")).to_have_count(1)
    flair.select_option(label="News")
    expect(page.get_by_role("heading", name="Ready for 1 account")).to_be_visible()
    expect(page.locator(".look-reddit").get_by_text("Our shop is open")).to_be_visible()
    assert_accessible(page)
    screenshot(page, "reddit-desk")
    page.get_by_role("button", name="Publish now").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish now").click()
    expect(page).to_have_url(re.compile("/deliveries/|/posts/"))
    with ThreadPoolExecutor(1) as elsewhere:  # the browser's event loop runs in this thread
        elsewhere.submit(publish_due).result()
        elsewhere.submit(connections.close_all).result()
    assert Delivery.objects.get().state == "published"
    (post,) = vendor.itself.state.posts.values()
    assert (post.title, post.text, post.flair_id, post.send_replies) == (
        "Our shop is open",
        "Open until **six** today",
        "f1",
        True,
    )
