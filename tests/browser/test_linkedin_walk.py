"""LinkedIn from the keys of both apps to a published post, in a real browser, on the sandbox."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections
from playwright.sync_api import Page, expect

from regie.accounts.models import Account
from regie.people.models import Member
from regie.publishing.models import Delivery

if TYPE_CHECKING:
    from tests.conftest import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
Show = Callable[[Page, str], None]


@pytest.fixture
def vendor(linkedin: Sandbox, alice: Member, settings: Any, live_server: Any) -> Sandbox:
    settings.NETWORKS = {**settings.NETWORKS, "linkedin": linkedin.base}
    settings.PUBLIC_URL = live_server.url
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "127.0.0.1"]  # where vendors send people back to on one machine
    alice.user.is_operator = True
    alice.user.save()
    return linkedin


def test_from_the_keys_to_a_published_post(
    vendor: Sandbox,
    page: Page,
    publish_due: Callable[[], None],
    assert_accessible: Callable[[Page], None],
    screenshot: Show,
) -> None:
    page.context.add_cookies([{**one, "domain": "127.0.0.1"} for one in page.context.cookies()])  # type: ignore[typeddict-item]
    ready = vendor.network.ready_account()
    for place, app in enumerate((ready, ready["profile"])):
        page.goto("/accounts/networks/")
        form = page.locator("form[action$='/networks/linkedin/keys/']").nth(place)
        form.get_by_label("App ID").fill(app["client_id"])
        form.get_by_label("App secret").fill(app["client_secret"])
        form.get_by_role("button", name="Keep the keys").click()
        expect(page.get_by_text("The keys are kept.")).to_be_visible()
    screenshot(page, "linkedin-keys")

    page.goto("accounts/connect/linkedin/")
    assert_accessible(page)
    expect(page.get_by_label("Pages, and your own profile")).to_be_checked()
    screenshot(page, "linkedin-connect")
    page.get_by_role("button", name="Continue on LinkedIn").click()
    page.get_by_role("button", name="Allow").click()
    screenshot(page, "linkedin-choice")
    page.get_by_label("regie @regie").check()
    page.get_by_role("main").get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_text("regie is connected")).to_be_visible()
    assert Account.objects.get().remote_id == ready["remote_id"]

    page.goto("posts/new/")
    page.get_by_label("Text", exact=True).fill("La carte de la semaine #menu")
    page.get_by_role("checkbox", name=re.compile("regie")).check()
    page.get_by_text("On LinkedIn", exact=True).click()
    page.get_by_label("Link shown as a card").fill("https://a.example/carte")
    page.get_by_label("Title of the link or the video").fill("La carte")
    page.get_by_label("Nobody may repost it").check()
    expect(page.get_by_role("heading", name="Ready for 1 account")).to_be_visible()
    assert_accessible(page)
    screenshot(page, "linkedin-desk")
    page.get_by_role("button", name="Publish now").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish now").click()
    expect(page).to_have_url(re.compile("/deliveries/|/posts/"))
    with ThreadPoolExecutor(1) as elsewhere:  # the browser's event loop runs in this thread
        elsewhere.submit(publish_due).result()
        elsewhere.submit(connections.close_all).result()
    delivery = Delivery.objects.get()
    assert delivery.state == "published"
    page.goto(f"deliveries/{delivery.pk}/")
    screenshot(page, "linkedin-receipt")
    there = vendor.itself.state.posts[delivery.remote_id]
    assert there.text == "La carte de la semaine #menu"
    assert there.body["content"] == {"article": {"source": "https://a.example/carte", "title": "La carte"}}
    assert there.body["isReshareDisabledByAuthor"] is True
