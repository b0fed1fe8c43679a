"""Every screen, in two very different clothes: no axe violation, no console error, nothing wider than the window."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from playwright.sync_api import Page

from regie.accounts.models import Account
from regie.core.clock import now
from regie.core.times import WallTime
from regie.media import services as media
from regie.people.models import Member
from regie.publishing import services
from regie.studio import campaigns
from regie.studio.models import Post

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("screens")]

SCREENS = (
    "",
    "calendar/",
    "calendar/?view=week",
    "calendar/?view=list",
    "calendar/recurring/",
    "calendar/recurring/?ended=1",
    "deliveries/missed/",
    "posts/",
    "posts/new/",
    "campaigns/",
    "freezes/",
    "settings/health/",
    "media/",
    "inbox/",
    "numbers/",
    "accounts/",
    "settings/",
    "settings/audit/",
    "api/tokens/",
    "notices/",
    "search/?q=morning",
)
SAME = (  # whether or not there is anything yet
    "accounts/connect/",
    "accounts/connect/mastodon/",
    "accounts/connect/bluesky/",
    "accounts/connect/telegram/",
    "accounts/networks/",
    "settings/new-client/",
    "me/",
    "api/v1/docs",
)


def look(
    page: Page, addresses: tuple[str, ...], assert_accessible: Callable[[Page], None], *, language: str = "en"
) -> None:
    for address in addresses:
        answer = page.goto(address)
        assert answer is not None, address
        assert answer.status == 200, (address, answer.status)
        assert page.locator("html").get_attribute("lang") == language, address
        assert_accessible(page)
        wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 0, (address, wider)


@pytest.mark.parametrize("clothes", [{"phone": True, "dark": True, "language": "fr"}], ids=["phone"])
def test_an_empty_workspace_teaches_without_a_flaw(
    open_page: Callable[..., Page], alice: Member, assert_accessible: Callable[[Page], None], clothes: dict[str, Any]
) -> None:
    language = alice.user.language = clothes.get("language", "en")
    alice.user.save()
    look(open_page(alice, **clothes), SCREENS, assert_accessible, language=language)


@pytest.mark.parametrize("clothes", [{}, {"phone": True, "dark": True, "language": "fr"}], ids=["desk", "phone"])
def test_a_workspace_at_work_has_no_flaw(
    open_page: Callable[..., Page],
    alice: Member,
    make_account: Callable[..., Account],
    write_post: Callable[..., Post],
    picture: Callable[..., BytesIO],
    assert_accessible: Callable[[Page], None],
    clothes: dict[str, Any],
) -> None:
    accounts = [make_account(network, f"Atelier {network}") for network in ("mastodon", "bluesky", "telegram")]
    planned = [
        services.schedule(post=write_post(text, on=accounts), at=WallTime.at(now() + later, "Europe/Paris"), by=alice)
        for text, later in (("Good morning", timedelta(minutes=5)), ("Good evening", timedelta(days=1)))
    ]
    services.cancel(planned[1][0], by=alice)
    campaign = campaigns.save(campaign=None, plan=campaigns.Plan(name="Spring"), by=alice)
    freeze = services.freeze(accounts[2], why="The product is recalled", by=alice)
    file = media.upload(workspace=alice.workspace, name="coat.jpg", source=picture(), by=alice)
    language = alice.user.language = clothes.get("language", "en")
    alice.user.save()
    own = (
        f"campaigns/{campaign.pk}/",
        f"freezes/{freeze.pk}/",
        f"accounts/{accounts[0].pk}/",
        f"posts/{planned[0][0].variant.post_id}/",
        f"deliveries/{planned[0][0].pk}/",
        f"posts/{planned[0][0].variant.post_id}/edit/",
        f"deliveries/{planned[1][0].pk}/",
        f"deliveries/{planned[0][0].pk}/by-hand/",
        f"media/{file.pk}/",
    )
    look(open_page(alice, **clothes), (*SCREENS, *SAME, *own), assert_accessible, language=language)
