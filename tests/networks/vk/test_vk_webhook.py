"""News that VK brings by itself: only to an address that knew the word, and only with the secret."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from regie.networks.capabilities import MessageKind
from regie.networks.data import Login, Messages, Outgoing, Published, Ref
from regie.networks.errors import Refused, TryLater
from regie.networks.vk import webhook
from regie.networks.vk.connector import Vk as Connector
from regie.networks.vk.entities import Callback, CallbackServer
from regie_sandbox.vk.app import Vk

SECRET = "s3cret-of_ours"


@dataclass
class Inbox:
    """An address of ours. ``refuses``: so many deliveries are answered with an error first."""

    url: str = ""
    refuses: int = 0
    knows: bool = True
    came: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if (word := Connector.confirmation(body=body, query=dict(request.query))) is not None:
            return web.Response(text=word if self.knows else "who is there?")
        if self.refuses:
            self.refuses -= 1
            return web.Response(status=503)
        await self.came.put(body)
        return web.Response(text=Connector.thanks)

    async def next(self) -> bytes:
        return await asyncio.wait_for(self.came.get(), 10)


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    inbox, app = Inbox(), web.Application()
    app.add_routes([web.post("/hook/", inbox.take)])
    server = TestServer(app)
    await server.start_server()
    inbox.url = str(server.make_url("/hook/"))
    yield inbox
    await server.close()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "PAUSE", 0.1)


async def posted(connector: Connector, text: str = "Open today", key: str = "k1", **more: Any) -> Published:
    out = await connector.commit(Outgoing(key=key, text=text, planned_at=datetime.now(UTC), **more), {})
    assert isinstance(out, Published)
    return out


def login_of(vk: Vk) -> Login:
    ready = vk.ready_account()
    return Login(server=ready["server"], remote_id=ready["remote_id"], credentials=ready["credentials"])


@pytest.fixture
def connector(signed_in: Callable[..., Connector]) -> Connector:
    return signed_in(admin=False)  # the community's own key is enough


def read(vk: Vk, body: bytes, secret: str = SECRET) -> Messages:
    return Connector.received(login_of(vk), body=body, headers={}, secret=secret)


@pytest.mark.shows("webhooks")
async def test_a_comment_and_a_message_are_brought_with_our_secret(connector: Connector, vk: Vk, inbox: Inbox) -> None:
    post = await posted(connector)
    await connector.set_webhook(url=inbox.url, secret=SECRET)
    said = vk.say(by="Ana Belle", text="Until when?", to=post.remote_id)
    vk.say(by="Ben Colin", text="Do you deliver?", to="regie", kind="direct")
    (comment,) = (await connector.completed(read(vk, await inbox.next()))).messages
    assert (comment.remote_id, comment.kind, comment.post_id) == (said, MessageKind.COMMENT, post.remote_id)
    assert (comment.by.name, comment.by.handle, comment.text) == ("Ana Belle", "@ana_belle", "Until when?")
    (message,) = (await connector.completed(read(vk, await inbox.next()))).messages
    assert (message.kind, message.by.name, message.text) == (MessageKind.DIRECT, "Ben Colin", "Do you deliver?")


async def test_what_is_brought_has_the_ids_of_what_is_read(
    signed_in: Callable[..., Connector], vk: Vk, inbox: Inbox
) -> None:
    connector = signed_in()
    post = await posted(connector)
    await connector.set_webhook(url=inbox.url, secret=SECRET)
    vk.say(by="Ana", text="Until when?", to=post.remote_id)
    vk.say(by="Ana", text="Hello", to="regie", kind="direct")
    brought = [(await connector.completed(read(vk, await inbox.next()))).messages[0] for _ in range(2)]
    found = (await connector.messages(cursor="")).messages
    assert sorted(found, key=lambda one: one.remote_id) == sorted(brought, key=lambda one: one.remote_id)


async def test_a_comment_taken_back_is_told_and_our_own_are_not_news(
    signed_in: Callable[..., Connector], vk: Vk, inbox: Inbox
) -> None:
    connector = signed_in()
    post = await posted(connector)
    await connector.set_webhook(url=inbox.url, secret=SECRET)
    ours = await posted(connector, "First", "k2", reply_to=Ref(remote_id=post.remote_id, extra=post.extra))
    await connector.delete(Ref(remote_id=ours.remote_id, extra=ours.extra))
    assert read(vk, await inbox.next()).messages == ()
    assert read(vk, await inbox.next()).gone == (ours.remote_id,)


async def test_an_edited_comment_comes_again_under_its_id(connector: Connector, vk: Vk, inbox: Inbox) -> None:
    post = await posted(connector)
    await connector.set_webhook(url=inbox.url, secret=SECRET)
    said = vk.say(by="Ana", text="Untl when?", to=post.remote_id)
    event = json.loads(await inbox.next())
    event |= {"type": "wall_reply_edit", "object": event["object"] | {"text": "Until when?"}}
    (again,) = read(vk, json.dumps(event).encode()).messages
    assert (again.remote_id, again.text) == (said, "Until when?")


async def test_a_delivery_that_we_could_not_take_comes_again(connector: Connector, vk: Vk, inbox: Inbox) -> None:
    await connector.set_webhook(url=inbox.url, secret=SECRET)
    inbox.refuses = 1
    vk.say(by="Ana", text="Hello", to="regie", kind="direct")
    assert read(vk, await inbox.next()).messages[0].text == "Hello"


async def test_what_the_sandbox_brings_is_what_vk_describes(
    signed_in: Callable[..., Connector], vk: Vk, inbox: Inbox, schema: Any
) -> None:
    connector = signed_in()
    post = await posted(connector)
    await connector.set_webhook(url=inbox.url, secret=SECRET)
    vk.say(by="Ana", text="Until when?", to=post.remote_id)
    vk.say(by="Ana", text="Hello", to="regie", kind="direct")
    ours = await posted(connector, "First", "k2", reply_to=Ref(remote_id=post.remote_id, extra=post.extra))
    await connector.delete(Ref(remote_id=ours.remote_id, extra=ours.extra))
    events = [json.loads(await inbox.next()) for _ in range(4)]
    assert [event["type"] for event in events] == [
        "wall_reply_new",
        "message_new",
        "wall_reply_new",
        "wall_reply_delete",
    ]
    assert [problem for event in events for problem in schema.of_event(event)] == []


# The address


async def test_setting_it_twice_makes_one_address_and_taking_it_away_none(
    connector: Connector, vk: Vk, inbox: Inbox
) -> None:
    group = vk.known_as(None)
    for _ in range(2):
        await connector.set_webhook(url=inbox.url, secret=SECRET)
    (server,) = group.servers
    assert (server["status"], server["wants"]) == (
        "ok",
        ["wall_reply_new", "wall_reply_edit", "wall_reply_delete", "message_new"],
    )
    for _ in range(2):
        await connector.delete_webhook()
    assert group.servers == []


async def test_a_new_secret_is_told_to_the_same_address(connector: Connector, vk: Vk, inbox: Inbox) -> None:
    await connector.set_webhook(url=inbox.url, secret="an old one")
    await connector.set_webhook(url=inbox.url, secret=SECRET)
    assert [one["secret_key"] for one in vk.known_as(None).servers] == [SECRET]
    vk.say(by="Ana", text="Hello", to="regie", kind="direct")
    assert read(vk, await inbox.next()).messages


async def test_addresses_of_others_are_left_alone(connector: Connector, vk: Vk, inbox: Inbox) -> None:
    theirs = {"id": 5, "title": "Shop", "creator_id": 1, "url": "https://shop.example/", "secret_key": ""}
    vk.known_as(None).servers.append(theirs | {"status": "ok", "wants": []})
    await connector.set_webhook(url=inbox.url, secret=SECRET)
    await connector.delete_webhook()
    assert [one["title"] for one in vk.known_as(None).servers] == ["Shop"]


async def test_an_address_that_does_not_know_the_word_is_not_used(connector: Connector, vk: Vk, inbox: Inbox) -> None:
    inbox.knows = False
    with pytest.raises(TryLater, match="not yet confirmed"):
        await connector.set_webhook(url=inbox.url, secret=SECRET)
    inbox.knows = True
    await asyncio.sleep(1.5)  # VK has given the first attempt up
    await connector.set_webhook(url=inbox.url, secret=SECRET)
    assert [one["status"] for one in vk.known_as(None).servers] == ["ok"]


async def test_a_key_that_may_not_manage_is_met_with_a_refusal(connector: Connector, vk: Vk, inbox: Inbox) -> None:
    vk.state.keys[vk.ready_account()["credentials"]["community_key"]].rights.remove("manage")
    with pytest.raises(Refused, match="permission"):
        await connector.set_webhook(url=inbox.url, secret=SECRET)


# What is none of it


@pytest.mark.parametrize(
    ("body", "query"),
    [
        (b'{"type": "message_new", "group_id": 1}', {"confirm": "abc123"}),
        (b'{"type": "confirmation", "group_id": 1}', {}),
        (b'{"type": "confirmation", "group_id": 1}', {"confirm": "<script>"}),
        (b"[]", {"confirm": "abc123"}),
        (b"\xff", {"confirm": "abc123"}),
    ],
)
def test_no_other_word_is_ever_said(body: bytes, query: dict[str, str]) -> None:
    assert Connector.confirmation(body=body, query=query) is None


async def test_a_delivery_without_the_right_secret_is_refused(connector: Connector, vk: Vk, inbox: Inbox) -> None:
    await connector.set_webhook(url=inbox.url, secret=SECRET)
    vk.say(by="Ana", text="Hello", to="regie", kind="direct")
    event = json.loads(await inbox.next())
    for secret in ("wrong", "é", ""):
        with pytest.raises(Refused, match="secret"):
            read(vk, json.dumps(event | {"secret": secret}).encode())
    with pytest.raises(Refused, match="secret"):
        read(vk, json.dumps(event | {"secret": ""}).encode(), secret="")
    with pytest.raises(Refused, match="another community"):
        read(vk, json.dumps(event | {"group_id": 7}).encode())


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b"<html>"])
async def test_a_delivery_that_is_no_news_is_refused(vk: Vk, body: bytes) -> None:
    with pytest.raises(Refused):
        read(vk, body)


def test_the_secret_is_in_no_repr() -> None:
    told = Callback(type="message_new", group_id=1, secret=SECRET)
    assert SECRET not in repr((told, CallbackServer(id=1, secret_key=SECRET)))
