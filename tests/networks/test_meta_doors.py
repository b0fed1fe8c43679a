"""Signing in at Facebook and Instagram, and the news that both bring to one address of ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
from aiohttp import web

from regie.networks import registry
from regie.networks.capabilities import MessageKind
from regie.networks.data import AppKeys, Incoming, Login, Outgoing, SigningIn
from regie.networks.errors import Refused
from regie_sandbox.frame import Network, World
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import serve

BACK = "https://regie.example/oauth/back"
PAGES = {"facebook": "/v25.0/dialog/oauth", "instagram": "/oauth/authorize"}
FIELDS = {"facebook": ("page", "feed,messages"), "instagram": ("instagram", "comments,messages")}


@pytest.fixture(params=["facebook", "instagram"])
async def net(request: pytest.FixtureRequest, world: World) -> AsyncIterator[Any]:
    network = sandbox_network(request.param, world)
    running = await serve(world)
    yield network
    await running.close()


def keys_of(net: Network) -> AppKeys:
    ready = net.ready_account()
    return AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"])


async def came_back(http: aiohttp.ClientSession, signing_in: SigningIn, **chosen: str) -> dict[str, str]:
    """What the vendor's page sends back once a person allowed it there."""
    page = urlsplit(signing_in.url)
    fields = {**dict(parse_qsl(page.query)), "username": "regie", "decision": "allow", **chosen}
    async with http.post(signing_in.url.partition("?")[0], data=fields, allow_redirects=False) as back:
        return dict(parse_qsl(urlsplit(back.headers["Location"]).query))


@pytest.mark.shows("sign_in")
async def test_a_person_signs_in_and_the_account_is_theirs(net: Any, http: aiohttp.ClientSession) -> None:
    kind: Any = registry.connector(net.slug)
    keys, ready = keys_of(net), net.ready_account()
    signing_in = await kind.start(http, server=net.base, app=keys, redirect_uri=BACK)
    assert urlsplit(signing_in.url).path == PAGES[net.slug]
    query = await came_back(http, signing_in)
    assert query["state"] == signing_in.state
    found = await kind.finish(http, server=net.base, app=keys, redirect_uri=BACK, query=query, secrets={})
    (profile,) = found.profiles
    assert profile.remote_id == ready["remote_id"]
    assert profile.limits["missing"] == []
    credentials = {**found.credentials, **profile.credentials}
    login = Login(server=profile.server, remote_id=profile.remote_id, credentials=credentials, app=keys)
    assert (await kind(http, login).whoami()).remote_id == ready["remote_id"]
    with pytest.raises(Refused):  # a code serves once
        await kind.finish(http, server=net.base, app=keys, redirect_uri=BACK, query=query, secrets={})


UNTICKED = {
    "facebook": ("pages_manage_engagement", "Comments can be neither written, liked, hidden nor deleted"),
    "instagram": ("instagram_manage_contents", "Posts cannot be deleted from here"),
}


async def test_what_was_left_unticked_at_facebooks_is_said_and_not_offered(
    net: Any, http: aiohttp.ClientSession
) -> None:
    kind: Any = registry.connector(net.slug)
    keys, (declined, said) = keys_of(net), UNTICKED[net.slug]
    server = net.base if net.slug == "facebook" else f"{net.base}/facebook"
    signing_in = await kind.start(http, server=server, app=keys, redirect_uri=BACK)
    query = await came_back(http, signing_in, declined=declined)
    found = await kind.finish(http, server=server, app=keys, redirect_uri=BACK, query=query, secrets={})
    limits = found.profiles[0].limits
    assert [one.partition(":")[0] for one in limits["missing"]] == [said]
    can, whole = kind.can_on(limits), kind.can_on({**limits, "missing": []})
    assert (whole.delete, whole.first_comment) == (True, True)
    assert (can.delete, can.first_comment) == ((True, False) if net.slug == "facebook" else (False, True))


async def a_post(net: Any, connector: Any) -> str:
    """Of our own, to be commented."""
    if net.slug == "instagram":
        return str(net.post_by(net.known_as(None), "Open today").id)
    what = Outgoing(key="k1", text="Open today", planned_at=datetime.now(UTC))
    return str((await connector.commit(what, (await connector.prepare(what, {})).progress)).remote_id)


@pytest.mark.shows("webhooks")
async def test_news_are_signed_and_say_what_reading_says(net: Any, http: aiohttp.ClientSession) -> None:
    kind: Any = registry.connector(net.slug)
    keys, ready = keys_of(net), net.ready_account()
    told: list[Incoming] = []
    came = asyncio.Event()
    login = Login(server=ready["server"], remote_id=ready["remote_id"], credentials=ready["credentials"], app=keys)

    async def shake(request: web.Request) -> web.Response:
        return web.Response(text=request.query["hub.challenge"])

    async def hear(request: web.Request) -> web.Response:
        body = await request.read()
        kind.verify(keys, body=body, headers=dict(request.headers))
        with pytest.raises(Refused):
            kind.verify(keys, body=body + b" ", headers=dict(request.headers))
        assert login.remote_id in kind.concerns(body)
        told.extend(kind.news(login, body=body).messages)
        if len(told) == 2:
            came.set()
        return web.Response()

    ours = web.Application()
    ours.add_routes([web.get("/", shake), web.post("/", hear)])
    runner = web.AppRunner(ours, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    what, fields = FIELDS[net.slug]
    asked = {
        "object": what,
        "fields": fields,
        "callback_url": f"http://127.0.0.1:{runner.addresses[0][1]}/",
        "verify_token": "word",
        "access_token": f"{keys.client_id}|{keys.client_secret}",
    }
    async with http.post(f"{net.base}/v25.0/{keys.client_id}/subscriptions", data=asked) as answer:
        assert answer.status == 200
    connector = kind(http, login)
    await connector.subscribe()
    await connector.subscribe()  # again changes nothing
    post = await a_post(net, connector)
    net.say(by="ana", text="Until when?", to=post)
    net.say(by="bea", text="Hello", to="regie", kind="direct")
    await asyncio.wait_for(came.wait(), 5)
    assert {(one.kind, one.text) for one in told} == {
        (MessageKind.COMMENT, "Until when?"),
        (MessageKind.DIRECT, "Hello"),
    }
    read = {one.remote_id for one in (await connector.messages(cursor="")).messages}
    assert {one.remote_id for one in told} <= read
    await runner.cleanup()
