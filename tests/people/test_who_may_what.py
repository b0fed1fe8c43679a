"""One table: who gets what from every page of people, accounts and web."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import URLPattern

from regie.accounts.models import Account, NetworkApp
from regie.people.models import Invitation, Member, Notice, PushBrowser
from regie.people.permissions import Role
from regie.people.services import invite

ROLES = [str(role) for role in Role]
ALL = (200,) * 6
#        method, page below the workspace                owner manager editor community analyst guest
TABLE: dict[tuple[str, str], tuple[int, ...]] = {
    ("GET", "web:today"): ALL,
    ("GET", "web:search"): ALL,
    ("GET", "web:health"): ALL,
    ("GET", "web:notices"): ALL,
    ("POST", "web:read_all_notices"): (302,) * 6,
    ("POST", "web:open_notice"): (404,) * 6,  # the notice is Alice's alone
    ("GET", "people:me"): ALL,
    ("POST", "people:me"): (422,) * 6,
    ("POST", "people:subscribe"): (400,) * 6,  # no browser gives an empty address
    ("POST", "people:try_push"): (302,) * 6,
    ("POST", "people:unsubscribe"): (404,) * 6,  # the device is Alice's alone
    ("GET", "people:settings"): ALL,
    ("POST", "people:change_workspace"): (302, 403, 403, 403, 403, 403),
    ("GET", "people:new_workspace"): (200, 404, 404, 404, 404, 404),
    ("POST", "people:invite"): (302, 302, 403, 403, 403, 403),
    ("POST", "people:withdraw"): (302, 302, 404, 404, 404, 404),
    ("POST", "people:change_role"): (302, 302, 403, 403, 403, 403),
    ("POST", "people:remove_member"): (302, 302, 403, 403, 403, 403),
    ("GET", "people:audit"): (200, 200, 404, 404, 404, 404),
    ("GET", "accounts:accounts"): ALL,
    ("GET", "accounts:networks"): ALL,
    ("GET", "accounts:connect"): (200, 200, 403, 403, 403, 403),
    ("POST", "accounts:connect"): (422, 422, 403, 403, 403, 403),
    ("GET", "accounts:network_apps"): (200, 200, 404, 404, 404, 404),
    ("POST", "accounts:try_network"): (404,) * 6,  # an invented registration; those who may not connect get the same
    ("POST", "accounts:forget_app"): (404,) * 6,  # operators only
    ("POST", "accounts:permit_app"): (404,) * 6,
    ("POST", "accounts:enter_app"): (404,) * 6,  # operators only
    ("GET", "accounts:choose"): (422,) * 6,  # a choice that nobody was given
    ("GET", "accounts:callback"): (422,) * 6,  # a state that nobody began
    ("GET", "accounts:account"): ALL,
    ("GET", "accounts:avatar"): (404,) * 6,  # it has no picture
    ("POST", "accounts:act"): (302, 302, 403, 403, 403, 403),
}
OPEN_TO_STRANGERS = {"web:service_worker", "web:manifest", "people:welcome", "people:join", "accounts:bluesky_client"}
SENT = {"accounts:try_network": {"app": "0"}, "people:change_role": {"role": "guest"}}


@pytest.fixture
def places(alice: Member, bob: Member, make_account: Callable[..., Account], mailoutbox: object) -> dict[str, str]:
    """The address of every page, below the workspace, with things of that workspace in it."""
    account = make_account()
    registration = NetworkApp.objects.create(network="mastodon", server="x", client_id="x", sealed_keys=b"x")
    notice = Notice.objects.create(user=alice.user, workspace=alice.workspace, key="k", kind="x")
    device = PushBrowser.objects.create(user=alice.user, endpoint="https://push.example/1", p256dh="x", auth="x")
    invitation: Invitation = invite(email="dora@example.org", role=Role.GUEST, by=alice)
    return {
        "web:today": "",
        "web:search": "search/",
        "web:health": "settings/health/",
        "web:notices": "notices/",
        "web:read_all_notices": "notices/read/",
        "web:open_notice": f"notices/{notice.pk}/",
        "people:me": "me/",
        "people:subscribe": "me/devices/",
        "people:try_push": "me/devices/try/",
        "people:unsubscribe": f"me/devices/{device.pk}/remove/",
        "people:settings": "settings/",
        "people:change_workspace": "settings/workspace/",
        "people:new_workspace": "settings/new-client/",
        "people:invite": "settings/invite/",
        "people:withdraw": f"settings/invitations/{invitation.pk}/withdraw/",
        "people:change_role": f"settings/members/{bob.pk}/role/",
        "people:remove_member": f"settings/members/{bob.pk}/remove/",
        "people:audit": "settings/audit/",
        "accounts:accounts": "accounts/",
        "accounts:networks": "accounts/connect/",
        "accounts:connect": "accounts/connect/mastodon/",
        "accounts:network_apps": "accounts/networks/",
        "accounts:try_network": "accounts/networks/mastodon/test/",
        "accounts:forget_app": f"accounts/networks/registrations/{registration.pk}/forget/",
        "accounts:permit_app": f"accounts/networks/registrations/{registration.pk}/permits/",
        "accounts:enter_app": "accounts/networks/instagram/keys/",
        "accounts:choose": "accounts/choose/nothing/",
        "accounts:callback": "accounts/callback/mastodon/",
        "accounts:account": f"accounts/{account.pk}/",
        "accounts:avatar": f"accounts/{account.pk}/picture/",
        "accounts:act": f"accounts/{account.pk}/pause/",
    }


def _names() -> Iterator[str]:
    resolver = get_resolver()
    for namespace in ("web", "people", "accounts"):
        for pattern in resolver.namespace_dict[namespace][1].url_patterns:
            if isinstance(pattern, URLPattern):
                yield f"{namespace}:{pattern.name}"


def test_the_table_knows_every_page() -> None:
    assert {name for _, name in TABLE} | OPEN_TO_STRANGERS == set(_names())


@pytest.mark.parametrize("role", ROLES)
def test_every_role_gets_what_the_table_says(
    role: str,
    alice: Member,
    places: dict[str, str],
    seat: Callable[..., Member],
    signed_in: Callable[[Member], Client],
) -> None:
    client, got = signed_in(seat("Zoé", role)), {}
    for method, name in TABLE:
        with transaction.atomic():  # each page meets the same things
            answer = client.generic(method, f"/w/atelier-nord/{places[name]}", **_body(method, name))
            got[method, name] = answer.status_code
            transaction.set_rollback(True)
    assert got == {page: statuses[ROLES.index(role)] for page, statuses in TABLE.items()}


def _body(method: str, name: str) -> dict[str, Any]:
    fields = "&".join(f"{key}={value}" for key, value in {"sent": "1", **SENT.get(name, {})}.items())
    return {"data": fields, "content_type": "application/x-www-form-urlencoded"} if method == "POST" else {}


@pytest.mark.parametrize(("method", "name"), TABLE)
def test_a_stranger_finds_nothing(
    method: str, name: str, places: dict[str, str], charlie: Member, signed_in: Callable[[Member], Client]
) -> None:
    client = signed_in(charlie)
    assert client.generic(method, f"/w/atelier-nord/{places[name]}").status_code == 404


@pytest.mark.parametrize("name", ["people:withdraw", "people:change_role", "people:remove_member", "accounts:account",
                                  "accounts:avatar", "accounts:act", "web:open_notice",
                                  "people:unsubscribe"])  # fmt: skip
@pytest.mark.parametrize("where", ["/", "/w/all/", "/w/velo-club/"])
def test_things_of_others_are_not_reached_from_ones_own_workspace(
    name: str, where: str, places: dict[str, str], charlie: Member, signed_in: Callable[[Member], Client]
) -> None:
    client = signed_in(charlie)
    method = next(method for method, page in TABLE if page == name)
    answer = client.generic(method, where + places[name], **_body(method, name))
    assert answer.status_code == 404


@pytest.mark.parametrize(("method", "name"), TABLE)
def test_who_is_signed_out_is_led_to_the_sign_in_page_and_back(
    method: str, name: str, places: dict[str, str], browser: Client
) -> None:
    there = f"/w/atelier-nord/{places[name]}"
    answer = browser.generic(method, there)
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/account/login/?next={there}"
    assert browser.generic(method, f"/{places[name]}").headers["Location"].startswith("/account/login/?next=/")


def test_only_an_operator_forgets_a_registration(
    alice: Member, places: dict[str, str], signed_in: Callable[[Member], Client]
) -> None:
    alice.user.is_operator = True
    alice.user.save()
    assert signed_in(alice).post(f"/w/atelier-nord/{places['accounts:forget_app']}").status_code == 302
    assert not NetworkApp.objects.exists()
