"""News of all accounts of our app at one address: the vendor's look, the signature, whom it concerns, once each."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from regie.accounts.hooks import verify_token
from regie.accounts.models import Account
from regie.accounts.opening import seal_app_keys
from regie.community import reading, webhooks
from regie.community.models import Inbox, Intake, Message
from regie.networks.data import AppKeys
from regie.web import health as healths

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
HERE = "/webhooks/instagram/"


@pytest.fixture
def keys(clock: Clock, instagram: Sandbox, instagram_account: Account) -> AppKeys:
    """Our app's keys, as the operator entered them."""
    ready = instagram.network.ready_account()
    keys = AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"])
    seal_app_keys("instagram", instagram.base, keys)
    return keys


def news(account: Account, comment: str = "17", text: str = "Until when?") -> bytes:
    value = {"id": comment, "text": text, "from": {"id": "9", "username": "ana"}, "media": {"id": "5"}}
    entry = {"id": account.remote_id, "time": 1_898_586_000, "changes": [{"field": "comments", "value": value}]}
    return json.dumps({"object": "instagram", "entry": [entry]}).encode()


def bring(client: Client, body: bytes, secret: str, where: str = HERE) -> int:
    sign = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": sign}
    return client.post(where, body, content_type="application/json", headers=headers).status_code


def work() -> None:
    for pk in webhooks.waiting_intakes():
        webhooks.work_on(pk)


def test_the_vendors_look_is_answered_only_with_the_right_word(client: Client) -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": verify_token("instagram")}
    answer = client.get(HERE, asked)
    assert (answer.status_code, answer.content) == (200, b"1158201444")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert client.get(HERE, {**asked, "hub.verify_token": "guessed"}).status_code == 403
    assert client.get(HERE, {**asked, "hub.verify_token": verify_token("facebook")}).status_code == 403
    assert client.get("/webhooks/mastodon/", asked).status_code == 404


def test_news_arrive_once_however_often_they_come(client: Client, instagram_account: Account, keys: AppKeys) -> None:
    body = news(instagram_account)
    assert [bring(client, body, keys.client_secret) for _ in range(3)] == [200, 200, 200]
    work()
    message = Message.objects.get()
    assert (message.text, message.author_handle, message.account) == ("Until when?", "@ana", instagram_account)
    assert webhooks.waiting_intakes() == []


def test_what_is_not_signed_with_our_secret_is_not_kept(
    client: Client, instagram_account: Account, keys: AppKeys
) -> None:
    body = news(instagram_account)
    assert bring(client, body, "guessed") == 403
    assert client.post(HERE, body, content_type="application/json").status_code == 403
    assert bring(client, b"no news", keys.client_secret) == 403
    assert bring(client, b"x" * (webhooks.LARGEST + 1), keys.client_secret) == 413
    assert not Intake.objects.exists()


def test_news_of_nobody_and_of_kinds_we_do_not_know_do_no_harm(
    client: Client, instagram_account: Account, keys: AppKeys
) -> None:
    nobody = json.dumps({"object": "instagram", "entry": [{"id": "404", "time": 1}]}).encode()
    assert bring(client, nobody, keys.client_secret) == 200
    assert not Intake.objects.exists()
    change = {"field": "gift_of_tomorrow", "value": {"x": 1}}
    entry = {"id": instagram_account.remote_id, "time": 1, "changes": [change]}
    body = json.dumps({"object": "instagram", "entry": [entry]}).encode()
    assert bring(client, body, keys.client_secret) == 200
    work()
    assert (Intake.objects.count(), Message.objects.count()) == (1, 0)


@pytest.mark.parametrize("slug", ["facebook", "instagram"])
def test_a_message_arrives_though_its_delivery_tells_milliseconds(
    client: Client, request: pytest.FixtureRequest, connect: Callable[..., Account], clock: Clock, slug: str
) -> None:
    """As Meta tells the time beside messages; beside changes it is seconds."""
    sandbox: Sandbox = request.getfixturevalue(slug)
    account, ready = connect(sandbox), sandbox.network.ready_account()
    keys = AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"])
    seal_app_keys(slug, sandbox.base, keys)
    spoken = {"sender": {"id": "9"}, "timestamp": 1_898_586_000_349, "message": {"mid": "m_1", "text": "Hello"}}
    entry = {"id": account.remote_id, "time": 1_898_586_001_134, "messaging": [spoken]}
    body = json.dumps({"object": slug, "entry": [entry]}).encode()
    assert bring(client, body, keys.client_secret, f"/webhooks/{slug}/") == 200
    work()
    message = Message.objects.get()
    assert (message.text, message.account, int(message.said_at.timestamp())) == ("Hello", account, 1_898_586_000)
    assert webhooks.waiting_intakes() == []


def test_a_delivery_that_cannot_be_read_is_kept_and_counted_and_not_taken_again(
    client: Client, instagram_account: Account, keys: AppKeys, caplog: pytest.LogCaptureFixture
) -> None:
    entry = {"id": instagram_account.remote_id, "time": "soon, said Ana", "changes": []}
    body = json.dumps({"object": "instagram", "entry": [entry]}).encode()
    assert bring(client, body, keys.client_secret) == 200
    work()
    assert webhooks.waiting_intakes() == []
    assert Intake.objects.get().problem == "This delivery has a shape that we do not know (ValueError)."
    assert healths.health().webhooks.unknown == 1
    assert [(one.levelname, "ValueError" in one.message) for one in caplog.records] == [("WARNING", True)]
    assert "Ana" not in caplog.text


def test_the_network_asks_and_brings_by_itself(
    live_server: Any, settings: Any, instagram: Sandbox, instagram_account: Account, keys: AppKeys, clock: Clock
) -> None:
    """From the handshake to the message: the sandbox is entered our address as a person would at Meta's."""

    async def enter() -> int:
        async with aiohttp.ClientSession() as http:
            fields = {
                "object": "instagram",
                "callback_url": f"{live_server.url}{HERE}",
                "fields": "comments,messages",
                "verify_token": verify_token("instagram"),
                "access_token": f"{keys.client_id}|{keys.client_secret}",
            }
            async with http.post(f"{instagram.base}/v25.0/{keys.client_id}/subscriptions", data=fields) as reply:
                return reply.status

    assert asyncio.run(enter()) == 200
    settings.PUBLIC_URL = "https://regie.example"
    (inbox,) = Inbox.objects.values_list("pk", flat=True)
    assert webhooks.to_arrange() == [inbox]
    asyncio.run(webhooks.arrange(inbox))
    assert webhooks.to_arrange() == []
    assert reading.due_inboxes() == [inbox]  # it is read besides: before Meta's review it brings nothing
    media = instagram.itself.post_by(instagram.itself.known_as(None), "Open today")
    instagram.say(by="ana", text="Until when?", to=media.id)
    instagram.say(by="bea", text="Hello", to="regie", kind="direct")
    for _ in range(100):
        if len(instagram.itself.hooks.brought) == 2:
            break
        asyncio.run(asyncio.sleep(0.05))
    assert [status for _, status in instagram.itself.hooks.brought] == [200, 200]
    work()
    assert {message.text for message in Message.objects.all()} == {"Until when?", "Hello"}
    asyncio.run(reading.read(inbox))
    assert Message.objects.count() == 2  # what was brought and what was read are the same


def test_a_challenge_is_answered_with_what_our_secret_makes_of_it(client: Client, db: None) -> None:
    here, asked = "/webhooks/linkedin/", {"challengeCode": "890e4665-4dfe-4ab1-b689-ed553bceeed0"}
    assert client.get(here, asked).status_code == 403  # without an app of ours
    seal_app_keys("linkedin", "https://api.linkedin.com/v2", AppKeys(client_id="86y", client_secret="of the other app"))
    seal_app_keys("linkedin", "https://api.linkedin.com", AppKeys(client_id="86x", client_secret="hush"))
    answer = client.get(here, asked)
    wanted = hmac.new(b"hush", asked["challengeCode"].encode(), hashlib.sha256).hexdigest()
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json() == {**asked, "challengeResponse": wanted}
    assert client.get("/webhooks/instagram/", asked).status_code == 403
