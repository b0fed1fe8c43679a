"""News that Telegram brings by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from regie.networks.capabilities import MessageKind
from regie.networks.data import Outgoing
from regie.networks.errors import Refused
from regie.networks.telegram.connector import Telegram as Connector
from regie_sandbox.telegram.app import Telegram

SECRET = "s3cret-of_ours"
Make = Callable[..., Outgoing]


@dataclass
class Inbox:
    """An address of ours. ``answers``: the statuses of the next deliveries, then 200."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    came: asyncio.Queue[tuple[bytes, dict[str, str]]] = field(default_factory=asyncio.Queue)

    async def take(self, request: web.Request) -> web.Response:
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            await self.came.put((await request.read(), dict(request.headers)))
        return web.Response(status=status)

    async def next(self) -> tuple[bytes, dict[str, str]]:
        return await asyncio.wait_for(self.came.get(), 10)


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    inbox, app = Inbox(), web.Application()
    app.add_routes([web.post("/hook", inbox.take)])
    server = TestServer(app)
    await server.start_server()
    inbox.url = str(server.make_url("/hook"))
    yield inbox
    await server.close()


@pytest.mark.shows("webhooks")
async def test_a_comment_is_brought_to_us_signed(
    channel: Connector, telegram: Telegram, inbox: Inbox, post: Make
) -> None:
    await channel.set_webhook(url=inbox.url, secret=SECRET)
    published = await channel.commit(post("Bonjour"), {})
    await inbox.next()  # the automatic forward: nothing to tell
    telegram.say(by="Bob", text="Bravo", to=published.remote_id)
    body, headers = await inbox.next()
    (comment,) = Connector.received(channel.login, body=body, headers=headers, secret=SECRET).messages
    assert (comment.kind, comment.text, comment.post_id) == (MessageKind.COMMENT, "Bravo", published.remote_id)


async def test_a_delivery_that_we_refuse_comes_again(
    channel: Connector, telegram: Telegram, inbox: Inbox, post: Make
) -> None:
    published = await channel.commit(post("Bonjour"), {})
    await channel.messages(cursor=(await channel.messages(cursor="")).cursor)  # the queue is empty
    inbox.answers = [500, 503]
    await channel.set_webhook(url=inbox.url, secret=SECRET)
    telegram.say(by="Bob", text="one", to=published.remote_id)
    telegram.say(by="Bob", text="two", to=published.remote_id)
    texts = [json.loads((await inbox.next())[0])["message"]["text"] for _ in range(2)]
    assert texts == ["one", "two"]


async def test_reactions_are_brought_too_and_a_second_delivery_says_the_same(
    channel: Connector, telegram: Telegram, inbox: Inbox, post: Make
) -> None:
    published = await channel.commit(post("Bonjour"), {})
    await channel.messages(cursor=(await channel.messages(cursor="")).cursor)
    telegram.news.deliver_twice = True
    await channel.set_webhook(url=inbox.url, secret=SECRET)
    telegram.like(by="Bob", post_id=published.remote_id)
    for _ in range(2):
        body, headers = await inbox.next()
        received = Connector.received(channel.login, body=body, headers=headers, secret=SECRET)
        assert received.samples == {published.remote_id: {"likes": 1}}


async def test_while_a_webhook_is_set_we_cannot_poll_and_afterwards_we_can(
    channel: Connector, telegram: Telegram, inbox: Inbox
) -> None:
    await channel.set_webhook(url=inbox.url, secret=SECRET)
    with pytest.raises(Refused, match="another program's address"):
        await channel.messages(cursor="")
    await channel.delete_webhook()
    assert (await channel.messages(cursor="")).messages == ()


@pytest.mark.parametrize("url", ["http://example.org/hook"])
async def test_an_address_without_https_is_refused(channel: Connector, url: str) -> None:
    with pytest.raises(Refused, match="HTTPS"):
        await channel.set_webhook(url=url, secret=SECRET)


async def test_a_secret_with_other_characters_is_refused(channel: Connector, inbox: Inbox) -> None:
    with pytest.raises(Refused, match="unallowed characters"):
        await channel.set_webhook(url=inbox.url, secret="not allowed!")


@pytest.mark.parametrize(
    ("headers", "secret"),
    [
        ({}, SECRET),
        ({"X-Telegram-Bot-Api-Secret-Token": "wrong"}, SECRET),
        ({"X-Telegram-Bot-Api-Secret-Token": f"{SECRET}é"}, SECRET),
        ({"X-Telegram-Bot-Api-Secret-Token": ""}, ""),
    ],
)
def test_a_delivery_without_the_right_secret_is_refused(
    headers: dict[str, str], secret: str, channel: Connector
) -> None:
    with pytest.raises(Refused, match="secret"):
        Connector.received(channel.login, body=b'{"update_id": 1}', headers=headers, secret=secret)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b"<html>"])
def test_a_delivery_that_is_no_update_is_refused(body: bytes, channel: Connector) -> None:
    with pytest.raises(Refused, match="not an update"):
        Connector.received(channel.login, body=body, headers={"x-telegram-bot-api-secret-token": SECRET}, secret=SECRET)
