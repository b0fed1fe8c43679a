"""X's look at our address, and what it brings there, through the product's own page."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from regie.accounts.opening import seal_app_keys
from regie.community import webhooks
from regie.community.models import Inbox, Intake, Message
from regie.networks.data import AppKeys
from regie.networks.x.webhook import sign

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from django.test import Client

    from regie.accounts.models import Account
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
HERE = "/webhooks/x/"


@pytest.fixture
def account(clock: Clock, x: Sandbox, connect: Callable[..., Account]) -> Account:
    return connect(x)


@pytest.fixture
def keys(x: Sandbox, account: Account) -> AppKeys:
    """Our app's, as the operator entered them."""
    ready = x.network.ready_account()
    extra = {"api_key": ready["api_key"], "api_secret": ready["api_secret"]}
    keys = AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"], extra=extra)
    seal_app_keys("x", x.base, keys)
    return keys


def test_the_riddle_is_answered_with_our_app_s_secret(client: Client, keys: AppKeys) -> None:
    answer = client.get(HERE, {"crc_token": "abc"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json() == {"response_token": sign(keys, b"abc")}
    assert client.get(HERE, {"crc_token": ""}).status_code == 403


def test_a_mention_that_x_brings_is_in_the_inbox_once(client: Client, account: Account, keys: AppKeys) -> None:
    payload = {
        "id": "2080765813578191303",
        "text": "hey @regie",
        "author_id": "2",
        "created_at": "2030-03-01T08:59:00.000Z",
    }
    event = {
        "event_uuid": "1",
        "event_type": "post.mention.create",
        "filter": {"user_id": account.remote_id},
        "payload": payload,
        "includes": {"users": [{"id": "2", "name": "Ana", "username": "ana"}]},
    }
    body = json.dumps({"data": event}).encode()

    def bring(signature: str) -> int:
        signed = {"x-twitter-webhooks-signature": signature}
        return client.post(HERE, body, content_type="application/json", headers=signed).status_code

    assert bring("sha256=guessed") == 403
    assert not Intake.objects.exists()
    assert [bring(sign(keys, body)) for _ in range(2)] == [200, 200]
    for pk in webhooks.waiting_intakes():
        webhooks.work_on(pk)
    message = Message.objects.get()
    assert (message.text, message.author_handle, message.account) == ("hey @regie", "@ana", account)


def test_the_address_is_told_to_x_and_the_account_subscribed(
    x: Sandbox, account: Account, keys: AppKeys, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answers(*_: Any) -> bool:
        return True  # nobody outside can reach the address of a test

    monkeypatch.setattr(type(x.itself), "answers_challenge", answers)
    settings.PUBLIC_URL = "https://regie.example"
    inbox = Inbox.objects.get(network="x")
    asyncio.run(webhooks.arrange(inbox.pk))
    (hook,) = x.itself.state.webhooks.values()
    assert hook.url == "https://regie.example/webhooks/x/"
    assert {one.user for one in x.itself.state.subscriptions.values()} == {account.remote_id}
    inbox.refresh_from_db()
    assert inbox.webhook == webhooks.mark_of(inbox)
    assert webhooks.to_arrange() == []


def test_without_the_keys_of_the_app_itself_nothing_is_arranged_and_nobody_is_troubled(
    x: Sandbox, account: Account, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://regie.example"
    assert webhooks.to_arrange() == []
    seal_app_keys("x", x.base, AppKeys(client_id="1", client_secret="2"))
    assert webhooks.to_arrange() == []
    keys = AppKeys(client_id="1", client_secret="2", extra={"api_key": "3", "api_secret": "4"})
    seal_app_keys("x", x.base, keys)
    assert webhooks.to_arrange() == [Inbox.objects.get(network="x").pk]
