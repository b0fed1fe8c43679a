"""Pinterest through either access of an app, and tokens that are traded for fresh ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from regie.accounts.models import Account
from regie.accounts.opening import open_credentials
from regie.accounts.services import refresh_token
from regie.people.models import Member

from .walking import HERE, click_through, path_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

ALLOW = {"decision": "allow", "username": "regie"}


@pytest.fixture
def operator(
    alice: Member, signed_in: Callable[[Member], Client], pinterest: Sandbox, settings: Any, clock: Clock
) -> Client:
    """Alice runs the installation, and entered the keys of its app for both accesses."""
    alice.user.is_operator = True
    alice.user.save()
    settings.NETWORKS = {**settings.NETWORKS, "pinterest": pinterest.base}
    client, ready = signed_in(alice), pinterest.network.ready_account()
    for server in (pinterest.base, f"{pinterest.base}/trial"):
        sent = {"client_id": ready["client_id"], "client_secret": ready["client_secret"], "server": server}
        assert client.post(f"{HERE}/networks/pinterest/keys/", sent).status_code == 302
    return client


def walk(client: Client, server: str) -> Any:
    answer = client.post(f"{HERE}/connect/pinterest/", {"server": server})
    assert answer.status_code == 302, answer.context["said"]
    return client.get(path_of(click_through(answer.headers["Location"], ALLOW)), follow=True)


@pytest.mark.parametrize("below", ["", "/trial"])
def test_an_account_is_connected_through_either_access(operator: Client, pinterest: Sandbox, below: str) -> None:
    page = operator.get(f"{HERE}/connect/pinterest/").text
    assert "Standard access" in page
    assert "only you see what you publish" in page
    assert "@regie" in walk(operator, f"{pinterest.base}{below}").text
    account = Account.objects.get()
    assert (account.server, account.limits["trial"]) == (f"{pinterest.base}{below}", bool(below))
    assert account.refresh_at is not None
    assert account.reconnect_by is not None
    assert account.reconnect_by - datetime.now(UTC) > timedelta(days=59)


@pytest.mark.django_db(transaction=True)
def test_a_token_is_traded_for_a_fresh_pair_and_an_outage_costs_nothing(operator: Client, pinterest: Sandbox) -> None:
    walk(operator, pinterest.base)
    account = Account.objects.get()
    old = open_credentials(account)
    pinterest.network.faults.will_answer(503, path="/oauth/token")
    assert not asyncio.run(refresh_token(account.pk))
    account.refresh_from_db()
    assert account.state == Account.State.CONNECTED
    Account.objects.update(refreshing_until=None)
    assert asyncio.run(refresh_token(account.pk))
    account.refresh_from_db()
    fresh = open_credentials(account)
    assert {fresh[name] != old[name] for name in ("access_token", "refresh_token")} == {True}
