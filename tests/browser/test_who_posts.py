"""The head and the foot of what a network asks: who posts, what is disclosed, what is agreed to. In a real browser."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, expect

from regie.accounts.models import Account
from regie.accounts.opening import seal_credentials
from regie.media import services
from regie.people.models import Member
from regie.studio.models import Post, Variant

if TYPE_CHECKING:
    from tests.conftest import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("screens")]
Show = Callable[[Page, str], None]
MUSIC = "https://www.tiktok.com/legal/page/global/music-usage-confirmation/en"


@pytest.fixture
def walker(tiktok: Sandbox, make_account: Callable[..., Account]) -> Account:
    """An account of TikTok's sandbox whose owner wants no Duet; of that we have not heard yet."""
    cache.clear()
    ready = tiktok.itself.ready_account()
    tiktok.itself.known_as(None).switched_off = ["duet"]
    limits = {**ready.get("limits", {}), "privacy": ["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"]}
    account = make_account("tiktok", "Walk", server=ready["server"], remote_id=ready["remote_id"], limits=limits)
    seal_credentials(account, ready["credentials"])
    account.save()
    return account


@pytest.fixture
def clip(alice: Member, video: Callable[..., BytesIO], walker: Account) -> Post:
    file = services.upload(workspace=alice.workspace, name="walk.mp4", source=video(360, 640, seconds=4), by=alice)
    content = {"parts": [{"text": "Walk with us", "media": [{"file": file.pk, "alt": ""}]}]}
    post = Post.objects.create(workspace=alice.workspace, content=content, author=alice.user)
    Variant.objects.create(post=post, account=walker)
    return post


def test_what_is_disclosed_changes_what_is_agreed_to_and_who_may_see_it(
    clip: Post, tiktok: Sandbox, page: Page, assert_accessible: Callable[[Page], None], screenshot: Show
) -> None:
    """TikTok's Content Sharing Guidelines, 1 to 4."""
    page.goto(f"posts/{clip.pk}/edit/")
    expect(page.locator(".poster")).to_contain_text(tiktok.itself.known_as(None).name)
    expect(page.get_by_label("Allow Duet")).to_be_disabled()  # as TikTok says now
    expect(page.get_by_label("Allow Stitch")).to_be_enabled()
    brand, branded = page.get_by_label("Your brand"), page.get_by_label("Branded content", exact=True)
    expect(brand).to_be_hidden()
    disclose, schedule = page.get_by_label("Disclose commercial content"), page.get_by_role("button", name="Schedule")
    disclose.check()
    expect(brand).to_be_visible()
    missing = "You need to indicate if your content promotes yourself, a third party, or both."
    expect(schedule).to_be_disabled()
    expect(schedule).to_have_attribute("title", missing)
    brand.check()
    expect(schedule).to_be_enabled()
    expect(page.get_by_text("Your photo/video will be labeled as “Promotional content”.")).to_be_visible()
    branded.check()
    expect(page.get_by_text("Your photo/video will be labeled as “Paid partnership”.")).to_have_count(2)
    agreed = "By posting, you agree to TikTok's Branded Content Policy and Music Usage Confirmation."
    expect(page.get_by_role("checkbox", name=agreed)).to_be_visible()
    privacy = page.get_by_label("Who can see it")
    expect(privacy.locator("option[value=SELF_ONLY]")).to_be_disabled()
    expect(page.locator(".field-help", has_text="Branded content visibility cannot be set to private.")).to_be_visible()
    assert_accessible(page)
    screenshot(page, "tiktok-branded")
    branded.uncheck()
    expect(privacy.locator("option[value=SELF_ONLY]")).to_be_enabled()
    privacy.select_option("SELF_ONLY")
    expect(branded).to_be_disabled()
    disclose.uncheck()
    expect(brand).to_be_hidden()
    consent = page.locator("#declarations").get_by_role("checkbox")
    expect(consent).to_have_accessible_name("By posting, you agree to TikTok's Music Usage Confirmation.")
    expect(page.locator("#declarations a")).to_have_attribute("href", MUSIC)
    expect(page.locator("#declarations")).to_contain_text("TikTok may need a few minutes")
    consent.check()
    expect(page.get_by_role("heading", name="Ready for 1 account")).to_be_visible()
    screenshot(page, "tiktok-ready")
    page.reload()
    expect(privacy).to_have_value("SELF_ONLY")
    expect(consent).to_be_checked()
    expect(disclose).not_to_be_checked()


def test_on_a_phone_in_the_dark_in_french(clip: Post, open_page: Callable[..., Page], screenshot: Show) -> None:
    page = open_page(phone=True, dark=True, language="fr")
    page.goto(f"posts/{clip.pk}/edit/")
    expect(page.locator(".poster strong")).to_be_visible()
    expect(page.locator("#declarations a")).to_have_attribute("href", MUSIC)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    screenshot(page, "tiktok-phone")
