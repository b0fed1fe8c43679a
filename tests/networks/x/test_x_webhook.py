"""News that X brings: the look at our address, what is subscribed to, signatures over the bytes as they came."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from regie.networks.capabilities import MessageKind
from regie.networks.data import AppKeys, Incoming, Login
from regie.networks.errors import Refused
from regie.networks.x.connector import X as Connector
from regie.networks.x.webhook import WANTED, sign
from regie_sandbox.x.app import X

from .posting import outgoing, publish


@dataclass
class Receiver:
    """Where X brings things: answers the riddle as the product does, and keeps what came."""

    app: AppKeys
    url: str = ""
    known: bool = True
    looks: int = 0
    came: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)

    async def look(self, request: web.Request) -> web.Response:
        self.looks += 1
        answer = Connector.challenge(self.app, query=dict(request.query)) if self.known else None
        return web.Response(text=answer or "{}", content_type="application/json", status=200 if answer else 403)

    async def take(self, request: web.Request) -> web.Response:
        self.came.append((await request.read(), dict(request.headers)))
        return web.Response()

    async def next(self) -> tuple[bytes, dict[str, str]]:
        for _ in range(200):
            if self.came:
                return self.came.pop(0)
            await asyncio.sleep(0.01)
        raise AssertionError("nothing came")


@pytest.fixture
async def receiver(app: AppKeys) -> AsyncIterator[Receiver]:
    made = Receiver(app)
    server = web.Application()
    server.add_routes([web.get("/webhooks/x/", made.look), web.post("/webhooks/x/", made.take)])
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks/x/"
    yield made
    await runner.cleanup()


async def heard(receiver: Receiver, login: Login) -> Incoming:
    body, _ = await receiver.next()
    assert Connector.concerns(body) == {login.remote_id}
    (message,) = Connector.news(login, body=body).messages
    return message


async def test_the_address_is_told_once_and_looked_at(connector: Connector, x: X, receiver: Receiver) -> None:
    for _ in range(2):
        await connector.enter_webhook(url=receiver.url)
    assert [(hook.url, hook.valid) for hook in x.state.webhooks.values()] == [(receiver.url, True)]
    assert receiver.looks == 1
    next(iter(x.state.webhooks.values())).valid = False  # as after a look that failed
    await connector.enter_webhook(url=receiver.url)
    assert (receiver.looks, next(iter(x.state.webhooks.values())).valid) == (2, True)


async def test_an_address_that_is_not_ours_is_not_taken(connector: Connector, x: X, receiver: Receiver) -> None:
    receiver.known = False
    with pytest.raises(Refused, match="CrcValidationFailed"):
        await connector.enter_webhook(url=receiver.url)
    assert x.state.webhooks == {}


async def test_subscribing_twice_changes_nothing_and_unsubscribing_ends_it(
    connector: Connector, x: X, receiver: Receiver, login: Login
) -> None:
    await connector.enter_webhook(url=receiver.url)
    for _ in range(2):
        await connector.subscribe()
    held = list(x.state.subscriptions.values())
    assert sorted(one.event for one in held) == sorted(WANTED)
    assert {one.user for one in held} == {login.remote_id}
    await connector.unsubscribe()
    assert x.state.subscriptions == {}
    await connector.unsubscribe()


@pytest.mark.shows("webhooks")
async def test_what_people_say_is_brought(connector: Connector, x: X, receiver: Receiver, login: Login) -> None:
    await connector.enter_webhook(url=receiver.url)
    await connector.subscribe()
    post = await publish(connector, outgoing("Open today"))
    reply = x.say(by="Ana Roux", text="Until when? <3", to=post.remote_id)
    said = await heard(receiver, login)
    assert (said.kind, said.remote_id, said.post_id) == (MessageKind.REPLY, reply, post.remote_id)
    assert (said.text, said.by.name) == ("@regie Until when? <3", "Ana Roux")
    x.say(by="ben", text="look", to="regie", kind="mention")
    assert (await heard(receiver, login)).kind is MessageKind.MENTION
    quote = x.say(by="ben", text="Worth a visit", to=post.remote_id, kind="quote")
    said = await heard(receiver, login)
    assert (said.kind, said.remote_id, said.text) == (MessageKind.MENTION, quote, "Worth a visit")
    direct = x.say(by="chloe", text="Salut", to="regie", kind="direct")
    said = await heard(receiver, login)
    assert (said.kind, said.remote_id, said.text, said.by.handle) == (MessageKind.DIRECT, direct, "Salut", "@chloe")
    await publish(connector, outgoing("our own words"))
    await asyncio.sleep(0.05)
    assert receiver.came == []


async def test_what_is_brought_is_what_is_read(connector: Connector, x: X, receiver: Receiver, login: Login) -> None:
    await connector.enter_webhook(url=receiver.url)
    await connector.subscribe()
    post = await publish(connector, outgoing("Open today"))
    x.say(by="ana", text="Until when?", to=post.remote_id)
    x.say(by="ana", text="Please", to="regie", kind="direct")
    brought = [await heard(receiver, login), await heard(receiver, login)]
    read = list((await connector.messages(cursor="")).messages)
    assert [replace(one, said_at=read[nth].said_at) for nth, one in enumerate(brought)] == read


async def test_only_x_s_own_signature_is_believed(connector: Connector, x: X, receiver: Receiver, app: AppKeys) -> None:
    await connector.enter_webhook(url=receiver.url)
    await connector.subscribe()
    x.say(by="ana", text="hello", to="regie", kind="mention")
    body, headers = await receiver.next()
    Connector.verify(app, body=body, headers=headers)
    bad = [
        (app, body + b" ", headers),
        (app, body, {}),
        (app, body, {"x-twitter-webhooks-signature": sign(app, b"other")}),
        (replace(app, extra={**app.extra, "api_secret": "not it"}), body, headers),
        (replace(app, extra={}), body, {"x-twitter-webhooks-signature": sign(replace(app, extra={}), body)}),
    ]
    for keys, said, signed in bad:
        with pytest.raises(Refused):
            Connector.verify(keys, body=said, headers=signed)


def test_the_riddle_is_answered_with_the_api_secret_and_nothing_else(app: AppKeys) -> None:
    answer = Connector.challenge(app, query={"crc_token": "abc"})
    assert answer is not None
    assert json.loads(answer) == {"response_token": sign(app, b"abc")}
    assert app.extra["api_secret"] not in answer
    assert Connector.challenge(app, query={}) is None
    assert Connector.challenge(replace(app, extra={}), query={"crc_token": "abc"}) is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"data": null}', b'{"data": [{"event_type": "dm.received"}, 3]}', b"\xff"]
)
def test_what_is_no_news_of_x_s_is_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        Connector.concerns(body)


def test_news_of_a_kind_we_do_not_know_does_no_harm(login: Login) -> None:
    about = {"event_type": "spaces.start", "filter": {"user_id": login.remote_id}, "payload": {"new": 1}}
    assert Connector.news(login, body=json.dumps({"data": about}).encode()).messages == ()
    payloads: tuple[dict[str, Any], ...] = ({"id": []}, {"id": "1", "created_at": "never"})
    for payload in payloads:
        broken = {**about, "event_type": "post.mention.create", "payload": payload}
        with pytest.raises(Refused):
            Connector.news(login, body=json.dumps({"data": broken}).encode())


async def test_without_the_keys_of_the_app_itself_nothing_is_arranged(
    http: aiohttp.ClientSession, x: X, login: Login, app: AppKeys
) -> None:
    poor = Connector(http, replace(login, app=replace(app, extra={})))
    with pytest.raises(Refused, match="API key"):
        await poor.subscribe()
    wrong = Connector(http, replace(login, app=replace(app, extra={**app.extra, "api_secret": "not it"})))
    with pytest.raises(Refused, match="keys of your app"):
        await wrong.enter_webhook(url="https://regie.example/webhooks/x/")
