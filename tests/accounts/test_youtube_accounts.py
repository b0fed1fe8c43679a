"""A channel from Google's page to the product and back: connected, short of a permission, renewed, let go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
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

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator(
    alice: Member, signed_in: Callable[[Member], Client], youtube: Sandbox, settings: Any, clock: Clock
) -> Client:
    """Alice runs the installation, and entered the keys of her project at Google."""
    alice.user.is_operator = True
    alice.user.save()
    settings.NETWORKS = {**settings.NETWORKS, "youtube": youtube.base}
    client, ready = signed_in(alice), youtube.network.ready_account()
    sent = {"client_id": ready["client_id"], "client_secret": ready["client_secret"], "server": youtube.base}
    assert client.post(f"{HERE}/networks/youtube/keys/", sent).status_code == 302
    return client


def walk(client: Client, **typed: str) -> Any:
    answer = client.post(f"{HERE}/connect/youtube/")
    assert answer.status_code == 302, answer.context["said"]
    allow = {"decision": "allow", "username": "regie", **typed}
    return client.get(path_of(click_through(answer.headers["Location"], allow)), follow=True)


def test_a_channel_is_connected_and_its_token_renewed(operator: Client, youtube: Sandbox) -> None:
    assert "regie is connected" in walk(operator).text
    account = Account.objects.get()
    assert (account.network, account.handle, account.remote_id) == (
        "youtube", "@regie", youtube.itself.channel("regie").id,
    )  # fmt: skip
    before = open_credentials(account)
    assert account.refresh_at is not None
    assert account.reconnect_by is None
    youtube.itself.expire_tokens()
    assert asyncio.run(refresh_token(account.pk))
    account.refresh_from_db()
    after = open_credentials(account)
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] == before["refresh_token"]


def test_a_consent_that_was_taken_back_asks_a_person(operator: Client, youtube: Sandbox) -> None:
    walk(operator)
    account = Account.objects.get()
    youtube.itself.state.tokens.clear()
    assert not asyncio.run(refresh_token(account.pk))
    account.refresh_from_db()
    assert account.state == Account.State.BROKEN


def test_what_was_left_unticked_is_said_on_the_accounts_page(operator: Client, youtube: Sandbox) -> None:
    page = walk(operator, declined="youtube.force-ssl").text
    assert "leave the management of videos and comments ticked" in page


def test_another_channel_is_another_account(operator: Client, youtube: Sandbox) -> None:
    walk(operator)
    walk(operator, username="Vélo Club")
    assert {account.name for account in Account.objects.all()} == {"regie", "Vélo Club"}


def test_the_guide_says_what_to_copy(operator: Client, settings: Any) -> None:
    settings.PUBLIC_URL = "https://regie.example"
    page = operator.get(f"{HERE}/networks/").text
    assert "https://regie.example/accounts/callback/youtube/" in page
    assert "https://regie.example/webhooks/youtube/" in page
    assert "console.cloud.google.com" in page
