"""The hub asks whether it was us, signs what it brings, and what it brings is read with care."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from regie.networks.data import AppKeys, Login, Published, Ref
from regie.networks.errors import Refused, TryLater
from regie.networks.youtube import push
from regie.networks.youtube.connector import YouTube as Connector
from regie_sandbox.youtube.app import YouTube

from .posting import publish, saying

APP = AppKeys(client_id="one", client_secret="a secret of ours")
CHANNEL = "UCabcdefghijklmnopqrstuv"
MEANT = {
    "channel": CHANNEL,
    "word": push.word_for(APP, CHANNEL),
    "hub.mode": "subscribe",
    "hub.topic": push.topic_of(CHANNEL),
    "hub.challenge": "1158201444",
}
Make = Callable[..., Any]


@dataclass
class Door:
    """An address of ours that does as the product does."""

    app: AppKeys
    url: str = ""
    brought: list[bytes] = field(default_factory=list)
    asked: int = 0

    async def ask(self, request: web.Request) -> web.Response:
        self.asked += 1
        answer = Connector.challenge(self.app, query=dict(request.query))
        return web.Response(text=answer) if answer is not None else web.Response(status=403)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        Connector.verify(self.app, body=body, headers=dict(request.headers))
        self.brought.append(body)
        return web.Response()


@pytest.fixture
async def door(connector: Connector) -> AsyncIterator[Door]:
    keys = connector._wire.login.app
    assert keys is not None
    door = Door(keys)
    served = web.Application()
    served.add_routes([web.get("/webhooks/youtube/", door.ask), web.post("/webhooks/youtube/", door.take)])
    runner = web.AppRunner(served, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    door.url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks/youtube/"
    yield door
    await runner.cleanup()


async def until(done: Callable[[], bool]) -> None:
    for _ in range(200):
        if done():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("It never came.")


@pytest.fixture
async def subscribed(youtube: YouTube, connector: Connector, door: Door) -> Connector:
    await connector.enter_webhook(url=door.url)
    await connector.subscribe()
    await until(lambda: bool(youtube.state.subscriptions))
    return connector


def test_a_wish_of_ours_is_known_again_and_no_other() -> None:
    assert push.challenge(APP, query=MEANT) == "1158201444"
    other = "https://www.youtube.com/xml/feeds/videos.xml?channel_id=UCother"
    for change in (
        {"word": "guessed"},
        {"word": ""},
        {"channel": "UCother"},
        {"channel": ""},
        {"hub.topic": other},
        {"hub.topic": f"https://example.org/feeds/videos.xml?channel_id={CHANNEL}"},
        {"hub.mode": "denied"},
    ):
        assert push.challenge(APP, query={**MEANT, **change}) is None
    assert push.challenge(AppKeys(client_id="two", client_secret="theirs"), query=MEANT) is None


@pytest.mark.shows("webhooks")
async def test_a_video_is_told_from_its_first_moment_to_its_end(
    youtube: YouTube, subscribed: Connector, door: Door, video: Make
) -> None:
    post: Published = await publish(subscribed, saying("Open today", videos=(video(),)))
    ref = Ref(remote_id=post.remote_id, extra=post.extra)
    await subscribed.edit(ref, saying("Open tomorrow"), {})
    await until(lambda: len(door.brought) == 2)
    await subscribed.delete(ref)
    await until(lambda: len(door.brought) == 3)
    login, (new, changed, gone) = subscribed._wire.login, door.brought
    assert [push.told(body) for body in (new, changed)] == [[(login.remote_id, post.remote_id, False)]] * 2
    assert {push.concerns(body) for body in door.brought} == {frozenset({login.remote_id})}
    assert Connector.news(login, body=new).gone == ()
    assert Connector.news(login, body=gone).gone == (post.remote_id,)
    assert Connector.news(Login(server="", remote_id="UCother"), body=gone).gone == ()
    assert [status for _, status in youtube.hub.hooks.brought] == [200, 200, 200]


async def test_a_video_that_is_made_private_is_gone_for_others(
    youtube: YouTube, subscribed: Connector, door: Door, video: Make
) -> None:
    post: Published = await publish(subscribed, saying(videos=(video(),)))
    ref = Ref(remote_id=post.remote_id, extra=post.extra)
    await subscribed.edit(ref, saying(options={"privacy": "private"}), {})
    await until(lambda: len(door.brought) == 2)
    assert Connector.news(subscribed._wire.login, body=door.brought[1]).gone == (post.remote_id,)


async def test_a_subscription_ends_is_renewed_and_taken_back(
    youtube: YouTube, subscribed: Connector, door: Door
) -> None:
    ((key, first),) = youtube.state.subscriptions.items()
    youtube.world.clock.advance(push.LASTS - timedelta(hours=1))
    await subscribed.subscribe()
    await until(lambda: youtube.state.subscriptions[key].until > first.until)
    assert list(youtube.state.subscriptions) == [key]
    await subscribed.unsubscribe()
    await until(lambda: not youtube.state.subscriptions)
    assert door.asked == 3


async def test_a_hub_in_trouble_is_asked_again_later(youtube: YouTube, connector: Connector) -> None:
    await connector.enter_webhook(url="https://regie.example/webhooks/youtube/")
    youtube.faults.will_answer(503, path="/subscribe", headers={"Retry-After": "120"}, body="Transient error")
    with pytest.raises(TryLater):
        await connector.subscribe()


async def test_the_hub_learns_no_secret_of_our_app(youtube: YouTube, subscribed: Connector) -> None:
    (known,) = youtube.state.subscriptions.values()
    keys = subscribed._wire.login.app
    assert keys is not None
    assert keys.client_secret not in known.secret + known.callback


def signed(body: bytes, secret: str) -> dict[str, str]:
    return {"X-Hub-Signature": "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()}


FEED = b'<feed xmlns="http://www.w3.org/2005/Atom"></feed>'


def test_what_is_not_signed_is_refused() -> None:
    push.verify(APP, body=FEED, headers=signed(FEED, push.secret_for(APP)))
    push.verify(APP, body=FEED, headers={k.lower(): v for k, v in signed(FEED, push.secret_for(APP)).items()})
    for headers in ({}, signed(FEED, "guessed"), signed(FEED, APP.client_secret), signed(FEED + b" ", "x")):
        with pytest.raises(Refused, match="not signed"):
            push.verify(APP, body=FEED, headers=headers)
    nobody = AppKeys(client_id="none")
    with pytest.raises(Refused):
        push.verify(nobody, body=FEED, headers=signed(FEED, push.secret_for(nobody)))


BOMB = b'<!DOCTYPE feed [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><feed xmlns="http://www.w3.org/2005/Atom">&b;</feed>'
FILE = (
    b'<!DOCTYPE feed [<!ENTITY a SYSTEM "file:///etc/hostname">]><feed xmlns="http://www.w3.org/2005/Atom">&a;</feed>'
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no news",
        b"{}",
        b"<html><body>Welcome</body></html>",
        b'<feed xmlns="http://www.w3.org/2005/Atom"><entry>',
        BOMB,
        BOMB.decode().encode("utf-16"),
        FILE,
        b"<a>" * 5000,
        b'<feed xmlns="http://www.w3.org/2005/Atom">' + b"<entry>" * 5000,
        "\x00\ufffe".encode("utf-16"),
    ],
)
def test_what_is_no_feed_is_refused(body: bytes) -> None:
    with pytest.raises(Refused, match="no news"):
        Connector.concerns(body)


def test_a_feed_that_says_nothing_we_know_does_no_harm() -> None:
    odd = b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>x</id><new xmlns="urn:new">1</new></entry></feed>'
    assert (Connector.concerns(FEED), Connector.concerns(odd)) == (frozenset(), frozenset())
