"""Bob changes what is published, and sees both versions on the receipt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from django.db import connections
from playwright.sync_api import Page, expect

from regie.accounts.opening import seal_credentials
from regie.core.clock import now
from regie.publishing import edit_calls, services
from regie.publishing.models import Delivery, Edit

if TYPE_CHECKING:
    from regie.accounts.models import Account
    from regie.people.models import Member
    from regie.studio.models import Post
    from tests.conftest import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]


def elsewhere(what: Callable[[], object]) -> None:
    """The browser's event loop runs in this thread; that of the engine and of the worker needs another."""

    def run() -> None:
        try:
            what()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(run).result()


@pytest.fixture
def delivery(
    mastodon: Sandbox,
    make_account: Callable[..., Account],
    write_post: Callable[..., Post],
    publish_due: Callable[[], None],
    bob: Member,
) -> Delivery:
    """ "Open until six", which is out."""
    ready = mastodon.itself.ready_account()
    account = make_account("mastodon", "Atelier Nord", server=ready["server"], remote_id=ready["remote_id"])
    seal_credentials(account, ready["credentials"])
    account.save()
    made = services.publish_now(post=write_post("Open until six", on=[account]), by=bob)[0]
    elsewhere(publish_due)
    Delivery.objects.filter(pk=made.pk).update(visible_at=now())  # its receipt has nothing more to wait for
    made.refresh_from_db()
    assert made.state == "published", made.problem
    return made


@pytest.mark.parametrize(("phone", "dark", "language"), [(False, False, "en"), (True, True, "fr")])
def test_what_is_published_is_changed_from_the_receipt_and_both_versions_stay(
    phone: bool,
    dark: bool,
    language: str,
    mastodon: Sandbox,
    delivery: Delivery,
    bob: Member,
    open_page: Callable[..., Page],
    assert_accessible: Callable[[Page], None],
    screenshot: Callable[[Page, str], None],
) -> None:
    page = open_page(bob, phone=phone, dark=dark, language=language)
    where = "phone" if phone else "desk"
    page.goto(f"deliveries/{delivery.pk}/")
    page.locator(f"a[href$='/deliveries/{delivery.pk}/edit/']").click()
    field = page.locator("#edit-text")
    expect(field).to_have_value("Open until six")
    field.fill("é" * 501)
    page.locator(".edit-form .btn-primary").click()
    expect(page.locator("#edit-problem")).to_be_visible()
    expect(field).to_have_value("é" * 501)
    assert_accessible(page)
    field.fill("Open until seven")
    screenshot(page, f"edit-form-{where}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".edit-form .btn-primary").click()
    expect(page.locator(".edit-state .step-text")).to_have_text("Open until seven")
    screenshot(page, f"edit-waiting-{where}")
    edit = Edit.objects.get()
    elsewhere(lambda: asyncio.run(edit_calls.work_on(edit.pk)))
    versions = page.locator(".edit-versions")
    expect(versions).to_be_visible()  # the receipt asks by itself
    expect(page.locator(".edit-state")).to_have_count(0)
    versions.locator("summary").click()
    expect(versions.locator(".step-text")).to_have_text(["Open until seven", "Open until six"])
    assert_accessible(page)
    screenshot(page, f"edit-versions-{where}")
    assert mastodon.texts() == ["Open until seven"]
