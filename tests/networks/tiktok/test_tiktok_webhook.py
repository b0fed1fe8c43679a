"""News that TikTok brings: signed, young, of comments and of permissions withdrawn; unknown kinds do no harm."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from regie.networks.data import AppKeys, Login, Ref
from regie.networks.errors import Refused, SignInAgain
from regie.networks.tiktok.connector import TikTok as Connector
from regie.networks.tiktok.webhook import STALE
from regie_sandbox.tiktok.app import TikTok

from .posting import saying, signed_in

OURS = "word-of-ours"


@dataclass
class Ear:
    """An address of ours that keeps what is brought to it."""

    url: str = ""
    heard: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)

    def events(self) -> list[str]:
        return [json.loads(body)["event"] for body, _ in self.heard]


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    found = Ear()

    async def listen(request: web.Request) -> web.Response:
        found.heard.append((await request.read(), dict(request.headers)))
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/webhooks/tiktok/", listen)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks/tiktok/"
    yield found
    await runner.cleanup()


async def told(tiktok: TikTok, ear: Ear, number: int) -> None:
    """Until so many deliveries have been answered."""
    for _ in range(200):
        if len(tiktok.hooks.brought) >= number:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{ear.events()} after two seconds")


def keys(tiktok: TikTok) -> AppKeys:
    app = tiktok.make_app()
    return AppKeys(client_id=app.key, client_secret=app.secret)


def business_login(tiktok: TikTok, **limits: Any) -> Login:
    ready = tiktok.ready_account()
    return Login(
        server=ready["business"]["server"],
        remote_id=ready["remote_id"],
        credentials=ready["business"]["credentials"],
        app=keys(tiktok),
        limits={"login": "business", **limits},
    )


def delivery(event: str, content: Any) -> bytes:
    body = {"client_key": "k", "event": event, "create_time": 1, "user_openid": "u1", "content": json.dumps(content)}
    return json.dumps(body).encode()


@pytest.mark.shows("webhooks")
async def test_deliveries_are_signed_over_the_bytes_as_they_came(
    http: aiohttp.ClientSession, tiktok: TikTok, ear: Ear
) -> None:
    app = tiktok.make_app()
    app.callback_url = ear.url
    tiktok.world.clock.real()
    user = tiktok.known_as(None)
    tiktok.withdraw(user.id, app)
    await told(tiktok, ear, 1)
    ((body, headers),) = ear.heard
    Connector.verify(keys(tiktok), body=body, headers=headers)
    assert Connector.concerns(body) == {user.id}
    for wrong_body, wrong_headers, wrong_keys in (
        (body + b" ", headers, keys(tiktok)),
        (body, {}, keys(tiktok)),
        (body, {"Tiktok-Signature": "t=1,s="}, keys(tiktok)),
        (body, {"TikTok-Signature": "nonsense"}, keys(tiktok)),
        (body, headers, AppKeys(client_id="k", client_secret="other")),
        (body, headers, AppKeys(client_id="k")),
    ):
        with pytest.raises(Refused, match="not signed"):
            Connector.verify(wrong_keys, body=wrong_body, headers=wrong_headers)


@pytest.mark.parametrize("age", [STALE + timedelta(seconds=2), -STALE - timedelta(seconds=2)])
def test_an_old_delivery_is_a_replay(plain: TikTok, age: timedelta) -> None:
    app, body = plain.make_app(), delivery("comment.update", {})
    headers = {"TikTok-Signature": plain.signed(app, body, at=datetime.now(UTC) - age)}
    with pytest.raises(Refused, match="too old"):
        Connector.verify(keys(plain), body=body, headers=headers)
    young = {"TikTok-Signature": plain.signed(app, body, at=datetime.now(UTC) - timedelta(minutes=4))}
    Connector.verify(keys(plain), body=body, headers=young)


async def test_comments_of_others_arrive_and_our_own_do_not(
    http: aiohttp.ClientSession, tiktok: TikTok, ear: Ear
) -> None:
    user = tiktok.known_as(None)
    post = tiktok.post_by(user, "Open today")
    tiktok.comment(post, user, "From the app")
    profile = await Connector(http, business_login(tiktok)).whoami()
    login = business_login(tiktok, **profile.limits)
    shop = Connector(http, login)
    await shop.enter_webhook(url=ear.url)
    top = tiktok.say(by="ana", text="Until when?", to=post.id)
    under = tiktok.say(by="bo", text="Yes, when?", to=top)
    await shop.commit(saying("Until six", reply_to=_ref(top, post.id)), {})
    await told(tiktok, ear, 3)
    said = {one.remote_id: one for body, _ in ear.heard for one in Connector.news(login, body=body).messages}
    assert set(said) == {top, under}
    assert (said[top].text, said[top].post_id, said[top].reply_to_id) == ("Until when?", post.id, post.id)
    assert said[under].reply_to_id == top
    read = {one.remote_id: one for one in (await shop.messages(cursor="")).messages}
    assert {one.by.remote_id for one in read.values()} == {one.by.remote_id for one in said.values()}


def _ref(comment: str, post: str) -> Ref:
    return Ref(remote_id=comment, extra={"kind": "comment", "video": post, "parent": ""})


async def test_what_nobody_can_tell_from_our_own_is_left_to_reading(tiktok: TikTok) -> None:
    body = delivery(
        "comment.update",
        {"comment_id": 2**53 + 1, "video_id": 2**53 + 3, "comment_action": "insert", "unique_identifier": "x"},
    )
    assert Connector.news(business_login(tiktok), body=body).messages == ()
    (one,) = Connector.news(business_login(tiktok, unique_identifier=OURS), body=body).messages
    assert (one.remote_id, one.post_id) == (str(2**53 + 1), str(2**53 + 3))


async def test_a_comment_that_was_taken_back_is_gone(http: aiohttp.ClientSession, tiktok: TikTok, ear: Ear) -> None:
    login = business_login(tiktok)
    await Connector(http, login).enter_webhook(url=ear.url)
    post = tiktok.post_by(tiktok.known_as(None), "Open today")
    comment = tiktok.say(by="ana", text="Oops", to=post.id)
    tiktok.take_back(tiktok.state.comments[comment])
    await told(tiktok, ear, 2)
    assert Connector.news(login, body=ear.heard[-1][0]).gone == (comment,)


async def test_a_permission_withdrawn_asks_a_person(tiktok: TikTok) -> None:
    with pytest.raises(SignInAgain):
        Connector.news(business_login(tiktok), body=delivery("authorization.removed", {"reason": 1}))


@pytest.mark.parametrize(
    ("event", "content"),
    [
        ("post.publish.complete", {"publish_id": "v_pub_file~v2-1.1", "publish_type": "DIRECT_PUBLISH"}),
        ("post.publish.failed", {"publish_id": "v_pub_file~v2-1.1", "reason": "internal"}),
        ("post.publish.publicly_available", {}),
        ("comment.update", {}),
        ("comment.update", {"comment_id": 1, "video_id": 2, "comment_action": "set_to_hidden"}),
        ("something.new", {"a": [1]}),
        ("something.new", "no object"),
    ],
)
def test_other_news_say_nothing_and_do_no_harm(plain: TikTok, event: str, content: Any) -> None:
    found = Connector.news(business_login(plain, unique_identifier=OURS), body=delivery(event, content))
    assert (found.messages, found.gone) == ((), ())
    broken = delivery(event, content).replace(b'"content": "', b'"content": "{not json')
    assert Connector.news(business_login(plain, unique_identifier=OURS), body=broken).messages == ()


@pytest.mark.parametrize("spelt", ["no_longer_publicaly_available", "no_longer_publicly_available"])
def test_whether_the_public_sees_a_post_is_told_by_either_receipt(plain: TikTok, spelt: str) -> None:
    told = {"publish_id": "p_pub_url~v2.1", "post_id": 2**53 + 1, "publish_type": "DIRECT_PUBLISH"}
    receipts = (str(2**53 + 1), "p_pub_url~v2.1")
    found = Connector.news(business_login(plain), body=delivery("post.publish.publicly_available", told))
    assert (found.shown, found.gone) == (receipts, ())
    found = Connector.news(business_login(plain), body=delivery(f"post.publish.{spelt}", told))
    assert (found.shown, found.gone) == ((), receipts)


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"event": 3}', b"\xff"])
def test_what_is_no_news_is_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        Connector.concerns(body)
    assert Connector.concerns(b'{"event": "portability.download.ready"}') == frozenset()


async def test_the_open_apis_address_is_entered_in_the_portal_and_told_of_posts(
    http: aiohttp.ClientSession, tiktok: TikTok, ear: Ear, video: Any
) -> None:
    ours = await signed_in(http, tiktok)
    assert Connector.has_webhook_keys(keys(tiktok))
    await ours.enter_webhook(url=ear.url)
    await ours.subscribe()
    await ours.unsubscribe()
    assert tiktok.make_app().callbacks == {}
    tiktok.make_app().callback_url = ear.url
    what = saying(videos=(video(),))
    begun = await ours.prepare(what, {})
    ready = await ours.prepare(what, begun.progress)
    await ours.commit(what, ready.progress)
    await told(tiktok, ear, 2)
    assert ear.events() == ["post.publish.complete", "post.publish.publicly_available"]
