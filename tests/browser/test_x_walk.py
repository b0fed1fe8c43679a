"""X from its keys to a published post, in a real browser, on the sandbox."""

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
def vendor(x: Sandbox, alice: Member, live_server: Any, settings: Any) -> Sandbox:
    settings.NETWORKS = {**settings.NETWORKS, "x": x.base}
    settings.PUBLIC_URL = live_server.url.replace("localhost", "127.0.0.1")  # where X's page sends people back to
    settings.ALLOWED_HOSTS = ["*"]
    alice.user.is_operator = True
    alice.user.save()
    return x


def test_from_the_keys_to_a_published_post(
    vendor: Sandbox,
    page: Page,
    settings: Any,
    publish_due: Callable[[], None],
    assert_accessible: Callable[[Page], None],
    screenshot: Show,
) -> None:
    ready = vendor.network.ready_account()
    page.goto("accounts/networks/")
    form = page.locator("form[action$='/networks/x/keys/']")
    form.get_by_label("App ID").fill(ready["client_id"])
    form.get_by_label("App secret").fill(ready["client_secret"])
    form.get_by_label(re.compile(r"^API key\s+optional$")).fill(ready["api_key"])
    form.get_by_label("API key secret").fill(ready["api_secret"])
    screenshot(page, "x-keys")
    form.get_by_role("button", name="Keep the keys").click()
    expect(page.get_by_text("The keys are kept.")).to_be_visible()

    (cookie,) = [one for one in page.context.cookies() if one["name"] == "sessionid"]
    page.context.add_cookies([{"name": "sessionid", "value": cookie["value"], "url": settings.PUBLIC_URL}])
    page.goto("accounts/connect/x/")
    assert_accessible(page)
    page.get_by_role("button", name="Continue on X").click()
    page.get_by_role("button", name="Authorize app").click()
    expect(page.get_by_text("regie is connected")).to_be_visible()
    assert Account.objects.get().network == "x"

    page.goto("posts/new/")
    page.get_by_label("Text", exact=True).fill("Ouvert aujourd’hui https://a.example/x")
    page.get_by_label("regie @").check()
    page.get_by_text("On X", exact=True).click()
    page.get_by_label("Who can reply").select_option("mentionedUsers")
    page.get_by_label("Paid partnership").check()
    expect(page.get_by_text("Draft kept at")).to_be_visible()
    screenshot(page, "x-desk")
    page.get_by_role("button", name="Publish now").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish now").click()
    expect(page).to_have_url(re.compile("/deliveries/|/posts/"))
    with ThreadPoolExecutor(1) as elsewhere:  # the browser's event loop runs in this thread
        elsewhere.submit(publish_due).result()
        elsewhere.submit(connections.close_all).result()
    delivery = Delivery.objects.get()
    assert delivery.state == "published"
    page.goto(f"deliveries/{delivery.pk}/")
    screenshot(page, "x-receipt")
    there = vendor.itself.post(delivery.remote_id)
    assert (there.text, there.reply_settings, there.paid_partnership) == (
        "Ouvert aujourd’hui https://a.example/x",
        "mentionedUsers",
        True,
    )
