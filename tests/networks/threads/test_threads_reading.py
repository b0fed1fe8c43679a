"""Answers and mentions on Threads, hiding, numbers, and the news that it brings."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web

from regie.networks.capabilities import MessageKind
from regie.networks.data import AppKeys, Incoming, Login, Ref
from regie.networks.errors import Refused
from regie.networks.threads.connector import Threads as Connector
from regie_sandbox.threads.app import Threads

from .posting import NOW, publish, ref_to, saying


async def test_answers_and_mentions_come_in_order_and_once(account: Connector, threads: Threads) -> None:
    post = await publish(account, saying())
    threads.world.clock.set(NOW + timedelta(minutes=1))
    answer = threads.say(by="ana", text="Until when?", to=post.remote_id)
    threads.world.clock.set(NOW + timedelta(minutes=2))
    ours = await publish(account, saying("Until six", reply_to=Ref(remote_id=answer)))
    deeper = threads.say(by="ana", text="Thanks", to=ours.remote_id)
    threads.world.clock.set(NOW + timedelta(minutes=3))
    named = threads.say(by="ben", text="have a look", to="regie", kind="mention")
    page = await account.messages(cursor="")
    assert [(one.remote_id, one.kind, one.post_id, one.reply_to_id) for one in page.messages] == [
        (answer, MessageKind.REPLY, post.remote_id, post.remote_id),
        (deeper, MessageKind.REPLY, post.remote_id, ours.remote_id),
        (named, MessageKind.MENTION, "", ""),
    ]
    assert [one.by.handle for one in page.messages] == ["@ana", "@ana", "@ben"]
    assert (await account.messages(cursor=page.cursor)).messages == ()
    threads.say(by="ana", text="One more", to=post.remote_id)
    assert [one.text for one in (await account.messages(cursor=page.cursor)).messages] == ["One more"]


async def test_more_answers_than_a_page_holds_are_read_whole(account: Connector, threads: Threads) -> None:
    post = await publish(account, saying())
    threads.say(by="ana", text="First", to=post.remote_id)
    cursor = (await account.messages(cursor="")).cursor
    for number in range(120):
        threads.world.clock.set(NOW + timedelta(minutes=10, seconds=number))
        threads.say(by="ben", text=str(number), to=post.remote_id)
    page = await account.messages(cursor=cursor)
    assert [one.text for one in page.messages] == [str(number) for number in range(120)]


async def test_an_answer_that_names_us_is_one_message(account: Connector, threads: Threads) -> None:
    post = await publish(account, saying())
    threads.say(by="ana", text="@regie until when?", to=post.remote_id)
    (message,) = (await account.messages(cursor="")).messages
    assert (message.kind, message.post_id) == (MessageKind.REPLY, post.remote_id)


async def test_hiding_an_answer_hides_those_below_it(account: Connector, threads: Threads) -> None:
    post = await publish(account, saying())
    top = threads.say(by="ana", text="Spam", to=post.remote_id)
    below = threads.say(by="ben", text="More spam", to=top)
    await account.hide(Ref(remote_id=top))
    assert [threads.state.media[one].hidden for one in (top, below)] == [True, True]
    await account.unhide(Ref(remote_id=top))
    assert [threads.state.media[one].hidden for one in (top, below)] == [False, False]
    with pytest.raises(Refused, match="top-level"):
        await account.hide(Ref(remote_id=below))


async def test_numbers_are_those_threads_tells(account: Connector, threads: Threads) -> None:
    post = await publish(account, saying())
    for name in ("ana", "ben"):
        threads.like(by=name, post_id=post.remote_id)
        threads.follow(by=name, account="regie")
    threads.share(by="ana", post_id=post.remote_id)
    threads.say(by="ana", text="Lovely", to=post.remote_id)
    assert await account.post_samples([ref_to(post), Ref(remote_id="1")]) == {
        post.remote_id: {"likes": 2, "replies": 1, "shares": 1, "quotes": 0, "views": 20}
    }
    threads.world.clock.set(NOW + timedelta(days=1))
    assert await account.account_samples() == {"followers": 2, "views_day": 20}


async def test_without_the_permission_there_are_no_numbers(account: Connector, threads: Threads) -> None:
    post = await publish(account, saying())
    next(iter(threads.state.tokens.values())).scopes.remove("threads_manage_insights")
    assert set((await account.post_samples([ref_to(post)]))[post.remote_id].values()) == {None}
    assert set((await account.account_samples()).values()) == {None}


# News


@dataclass
class Bell:
    """An address of ours that Threads brings news to."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def get(self, request: web.Request) -> web.Response:
        return web.Response(text=request.query["hub.challenge"])

    async def post(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.headers.append(dict(request.headers))
        return web.Response()

    async def rang(self, times: int) -> None:
        for _ in range(200):
            if len(self.bodies) >= times:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("It does not ring.")


@pytest.fixture
async def bell(threads: Threads, http: aiohttp.ClientSession) -> AsyncIterator[Bell]:
    """Entered at Meta for answers and mentions, with the handshake."""
    bell = Bell()
    app = web.Application()
    app.add_routes([web.get("/", bell.get), web.post("/", bell.post)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    bell.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    ready = threads.ready_account()
    keys = f"{ready['client_id']}|{ready['client_secret']}"
    for topic, name in (("moderate", "replies"), ("interaction", "mentions")):
        asked = {
            "object": topic,
            "fields": name,
            "callback_url": bell.url,
            "verify_token": "word",
            "access_token": keys,
        }
        async with http.post(f"{threads.base}/v1.0/{ready['client_id']}/subscriptions", data=asked) as answer:
            assert (await answer.json()) == {"success": True}
    yield bell
    await runner.cleanup()


def login_of(threads: Threads) -> Login:
    ready = threads.ready_account()
    return Login(server=threads.base, remote_id=ready["remote_id"], limits={"username": "regie"})


@pytest.mark.shows("webhooks")
async def test_news_are_signed_and_say_what_reading_says(account: Connector, threads: Threads, bell: Bell) -> None:
    post = await publish(account, saying())
    answer = threads.say(by="ana", text="Until when?", to=post.remote_id)
    await bell.rang(1)
    named = threads.say(by="ben", text="have a look", to="regie", kind="mention")
    await bell.rang(2)
    login, ready = login_of(threads), threads.ready_account()
    app = AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"])
    told: list[Incoming] = []
    for body, headers in zip(bell.bodies, bell.headers, strict=True):
        Connector.verify(app, body=body, headers=headers)
        assert login.remote_id in Connector.concerns(body)
        told += Connector.news(login, body=body).messages
    read = (await account.messages(cursor="")).messages
    assert [(one.remote_id, one.kind, one.post_id) for one in told] == [
        (answer, MessageKind.REPLY, post.remote_id),
        (named, MessageKind.MENTION, ""),
    ]
    assert [(one.remote_id, one.text, one.said_at, one.url) for one in told] == [
        (one.remote_id, one.text, one.said_at, one.url) for one in read
    ]


async def test_news_that_nobody_signed_are_refused(threads: Threads) -> None:
    app = AppKeys(client_id="1", client_secret="s3cret")
    body = b'{"values": {}}'
    sign = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    Connector.verify(app, body=body, headers={"X-Hub-Signature-256": f"sha256={sign}"})
    for headers in ({}, {"X-Hub-Signature-256": "sha256=0"}, {"X-Hub-Signature-256": sign}):
        with pytest.raises(Refused):
            Connector.verify(app, body=body, headers=headers)
    for bad in (b"", b"[]", body, b'{"values": 1}'):
        with pytest.raises(Refused):
            Connector.concerns(bad)


async def test_news_of_others_and_of_our_own_say_nothing(threads: Threads) -> None:
    value = {"id": "9", "username": "ana", "text": "Hi", "timestamp": "2030-03-01T09:00:00+0000"}

    def news(field: str, target: str, **more: object) -> int:
        body = {"target_id": target, "values": {"field": field, "value": {**value, **more}}}
        return len(Connector.news(login_of(threads), body=json.dumps(body).encode()).messages)

    ours = login_of(threads).remote_id
    assert news("replies", "1", root_post={"id": "2", "owner_id": ours}) == 1
    assert news("replies", "1", root_post={"id": "2", "owner_id": "3"}) == 0
    assert news("replies", "1", root_post={"id": "2", "owner_id": ours}, username="regie") == 0
    assert news("mentions", ours) == 1
    assert news("mentions", "1") == 0
    assert news("delete", ours, timestamp=None) == 0
