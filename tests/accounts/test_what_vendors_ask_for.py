"""What the Networks page and the page of one network say before anybody signs in there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from django.test import Client

from regie.accounts.guides import guide_for
from regie.accounts.models import NetworkApp
from regie.accounts.services import logins_of
from regie.networks import registry
from regie.networks.data import AppKeys
from regie.networks.protocols import SignsInWithOAuth
from regie.people.models import Member

from .walking import HERE

LOGINS = [(slug, word) for slug in registry.slugs() for word in logins_of(slug)]
PUBLIC = "https://regie.example.org"


@pytest.mark.parametrize(("slug", "word"), LOGINS)
async def test_the_permissions_shown_are_those_that_the_sign_in_asks_for(slug: str, word: str) -> None:
    kind = cast(Any, registry.connector(slug))
    async with aiohttp.ClientSession() as http:
        started = await cast(type[SignsInWithOAuth], kind).start(
            http, server=kind.logins[word], app=AppKeys(client_id="1", client_secret="2"), redirect_uri=f"{PUBLIC}/"
        )
    (asked,) = parse_qs(urlsplit(started.url).query)["scope"]
    assert asked.replace(",", " ").split() == list(kind.permissions[word])


@pytest.mark.parametrize("slug", sorted({slug for slug, _word in LOGINS}))
def test_a_network_that_wants_an_app_says_which_permissions_it_has_to_have(slug: str) -> None:
    found = guide_for(slug).permissions
    logins, permits = logins_of(slug), getattr(registry.connector(slug), "permits", ())
    assert len(found) == len(logins) + len(permits)
    assert all(names for _label, names in found)
    assert len([label for label, _names in found if label]) == (len(logins) if len(logins) > 1 else 0) + len(permits)


@pytest.mark.parametrize(
    ("slug", "fields"),
    [
        ("facebook", "feed, mention, messages"),
        ("instagram", "comments, mentions, messages"),
        ("threads", "replies, mentions"),
    ],
)
def test_meta_is_to_bring_what_we_read(slug: str, fields: str, settings: Any) -> None:
    settings.PUBLIC_URL = PUBLIC
    addresses = {str(label): value for label, value in guide_for(slug).addresses}
    assert addresses["Webhook address, to enter at the vendor"] == f"{PUBLIC}/webhooks/{slug}/"
    assert addresses["Webhook fields to subscribe to there"] == fields
    assert guide_for(slug).beware == ""


@pytest.mark.parametrize("slug", ["facebook", "instagram", "threads", "tiktok", "linkedin", "x", "telegram", "vk"])
def test_without_a_public_address_it_is_said_that_news_are_asked_for(slug: str, settings: Any) -> None:
    settings.PUBLIC_URL = "http://localhost:8000"
    assert "no public https address" in str(guide_for(slug).beware)


def test_that_an_app_is_needed_is_said_before_anybody_signs_in(
    alice: Member, signed_in: Callable[[Member], Client]
) -> None:
    alice.user.is_operator = True
    alice.user.save()
    client = signed_in(alice)
    page = client.get(f"{HERE}/connect/facebook/").text
    assert "Facebook needs an app of your own first" in page
    assert f'href="{HERE}/networks/#network-facebook"' in page
    assert all(f'data-copy="{address}"' in page for _label, address in guide_for("facebook").addresses)
    server = logins_of("facebook")["facebook"]
    client.post(f"{HERE}/networks/facebook/keys/", {"client_id": "1", "client_secret": "2", "server": server})
    assert "needs an app of your own first" not in client.get(f"{HERE}/connect/facebook/").text
    for none_needed in ("mastodon", "bluesky", "telegram", "vk"):
        assert "needs an app of your own first" not in client.get(f"{HERE}/connect/{none_needed}/").text


def test_the_networks_page_lists_the_permissions(alice: Member, signed_in: Callable[[Member], Client]) -> None:
    page = signed_in(alice).get(f"{HERE}/networks/").text
    for name in ("pages_manage_posts", "https://www.googleapis.com/auth/youtube.force-ssl", "w_organization_social"):
        assert f"<code>{name}</code>" in page


@pytest.mark.parametrize(("slug", "said"), [("facebook", False), ("instagram", True), ("threads", False)])
def test_comments_under_advertisements_are_said_to_need_a_public_address(slug: str, said: bool, settings: Any) -> None:
    settings.PUBLIC_URL = "http://localhost:8000"
    assert ("comments under advertisements do not come" in str(guide_for(slug).beware)) is said


def test_the_keys_of_an_app_are_listed_by_the_way_to_sign_in_and_not_by_the_vendors_address(
    alice: Member, signed_in: Callable[[Member], Client]
) -> None:
    alice.user.is_operator = True
    alice.user.save()
    client = signed_in(alice)
    server = logins_of("instagram")["facebook"]
    client.post(f"{HERE}/networks/instagram/keys/", {"client_id": "1", "client_secret": "2", "server": server})
    page = client.get(f"{HERE}/networks/").text
    assert "<strong>Through Facebook, with a Page linked to it</strong>" in page
    assert "Nobody can sign in there until keys are entered again" in page
    app = NetworkApp.objects.get()
    said = client.post(f"{HERE}/networks/registrations/{app.pk}/forget/", follow=True).text
    assert "until keys are entered again" in said
    assert not NetworkApp.objects.exists()
