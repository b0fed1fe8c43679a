"""News that LinkedIn brings, signed, after asking whether the address is ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from regie.networks.data import AppKeys, Login
from regie.networks.errors import Refused
from regie.networks.linkedin.connector import LinkedIn as Connector

from .linkedin_contract import Recorded
from .posting import publish, saying

SEEN = {  # as somebody kept one of 2023, with other names
    "type": "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS",
    "notifications": [
        {
            "notificationId": 5603453321,
            "organizationalEntity": "urn:li:organization:96072893",
            "action": "COMMENT",
            "sourcePost": "urn:li:activity:7094637247890620418",
            "decoratedSourcePost": {"entity": "urn:li:share:7094637247487995904", "text": "Ours", "owner": "x"},
            "generatedActivity": "urn:li:comment:(activity:7094637247890620418,7094977717598625792)",
            "decoratedGeneratedActivity": {
                "comment": {
                    "owner": "urn:li:person:zLqTygBP8S",
                    "text": "Until when?",
                    "entity": "urn:li:comment:(urn:li:activity:7094637247890620418,7094977717598625792)",
                }
            },
            "lastModifiedAt": 1691574506310,
            "subscriber": "urn:li:person:zLqTygBP8S",
        }
    ],
}
OURS = Login(server="https://api.linkedin.com", remote_id="urn:li:organization:96072893")


@dataclass
class Door:
    """Our address, as far as LinkedIn sees it."""

    app: AppKeys
    url: str = ""
    brought: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)

    async def look(self, request: web.Request) -> web.Response:
        answer = Connector.challenge(self.app, query=dict(request.query))
        return web.Response(text=answer or "", content_type="application/json", status=200 if answer else 403)

    async def take(self, request: web.Request) -> web.Response:
        self.brought.append((await request.read(), dict(request.headers)))
        return web.Response()


@pytest.fixture
async def door(linkedin: Recorded, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    ready = linkedin.ready_account()
    door = Door(AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"]))
    app = web.Application()
    app.add_routes([web.get("/hook", door.look), web.post("/hook", door.take)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    door.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    monkeypatch.setattr(Connector, "webhook", door.url)
    monkeypatch.setattr(Connector, "application", ready["application"])
    yield door
    await runner.cleanup()


async def first(door: Door) -> tuple[bytes, dict[str, str]]:
    for _ in range(200):
        if door.brought:
            return door.brought.pop(0)
        await asyncio.sleep(0.01)
    raise AssertionError("Nothing was brought.")


@pytest.mark.shows("webhooks")
async def test_a_comment_is_brought_signed_and_says_what_reading_says(
    linkedin: Recorded, page: Connector, door: Door
) -> None:
    await page.subscribe()
    await page.subscribe()
    post = await publish(page, saying("Open today"))
    comment = linkedin.say(by="Ana", text="Until when?", to=post.remote_id)
    body, headers = await first(door)
    Connector.verify(door.app, body=body, headers=headers)
    ready = linkedin.ready_account()
    assert Connector.concerns(body) == {ready["remote_id"]}
    login = Login(server=ready["server"], remote_id=ready["remote_id"])
    (told,) = Connector.news(login, body=body).messages
    (read,) = (await page.messages(cursor="")).messages
    assert told.remote_id == read.remote_id == comment
    assert (told.text, told.post_id, told.said_at) == (read.text, read.post_id, read.said_at)
    await page.unsubscribe()
    linkedin.say(by="Bea", text="More", to=post.remote_id)
    assert linkedin.state.subscriptions == {}
    with pytest.raises(Refused):
        Connector.verify(door.app, body=body + b" ", headers=headers)
    with pytest.raises(Refused):
        Connector.verify(AppKeys(client_id="x", client_secret="other"), body=body, headers=headers)
    with pytest.raises(Refused):
        Connector.verify(AppKeys(client_id="x"), body=body, headers={})


async def test_an_address_that_is_not_ours_is_not_taken(linkedin: Recorded, page: Connector, door: Door) -> None:
    door.app = AppKeys(client_id="x", client_secret="another secret")
    await page.subscribe()
    assert linkedin.state.subscriptions == {}


async def test_nothing_is_asked_where_nothing_can_come(
    linkedin: Recorded, page: Connector, member: Connector, monkeypatch: pytest.MonkeyPatch, door: Door
) -> None:
    asked = len(linkedin.seen)
    await member.subscribe()
    monkeypatch.setattr(Connector, "application", "")
    await page.subscribe()
    await page.unsubscribe()
    assert len(linkedin.seen) == asked


def test_the_challenge_is_answered_as_the_vendor_computes_it() -> None:
    """The wanted words were made with ``openssl dgst -sha256 -hmac hush``."""
    app = AppKeys(client_id="x", client_secret="hush")
    answer = json.loads(Connector.challenge(app, query={"challengeCode": "890e4665"}) or "")
    assert answer["challengeCode"] == "890e4665"
    assert answer["challengeResponse"] == "a7f4224043ecc22209afdca2ea0e839064ac85e9884f50b18cd8f156d59e1869"
    assert Connector.challenge(app, query={}) is None
    assert Connector.challenge(AppKeys(client_id="x"), query={"challengeCode": "1"}) is None


def test_a_delivery_as_it_was_seen_is_understood() -> None:
    body = json.dumps(SEEN).encode()
    (told,) = Connector.news(OURS, body=body).messages
    assert told.remote_id == "urn:li:comment:(urn:li:activity:7094637247890620418,7094977717598625792)"
    assert (told.post_id, told.text) == ("urn:li:share:7094637247487995904", "Until when?")
    assert told.by.remote_id == "urn:li:person:zLqTygBP8S"
    bare: Any = json.loads(body)
    del bare["notifications"][0]["decoratedGeneratedActivity"], bare["notifications"][0]["decoratedSourcePost"]
    (told,) = Connector.news(OURS, body=json.dumps(bare).encode()).messages
    assert told.remote_id == "urn:li:comment:(urn:li:activity:7094637247890620418,7094977717598625792)"


def test_what_was_taken_back_what_is_new_to_us_and_what_is_anothers() -> None:
    body: Any = json.loads(json.dumps(SEEN))
    (row,) = body["notifications"]
    body["notifications"] = [
        {**row, "action": "COMMENT_DELETE"},
        {**row, "action": "APPLAUSE"},
        {**row, "organizationalEntity": "urn:li:organization:1"},
        {"organizationalEntity": OURS.remote_id},
        {**row, "decoratedGeneratedActivity": {"comment": {"owner": OURS.remote_id, "text": "Ours"}}},
    ]
    told = Connector.news(OURS, body=json.dumps(body).encode())
    assert told.messages == ()
    assert told.gone == ("urn:li:comment:(urn:li:activity:7094637247890620418,7094977717598625792)",)


@pytest.mark.parametrize("body", [b"", b"[]", b"not json", b'{"notifications": []}'])
def test_what_is_no_news_is_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        Connector.concerns(body)


def test_events_of_other_kinds_concern_nobody() -> None:
    assert Connector.concerns(b'{"type": "LEAD_ACTION", "owner": {}}') == frozenset()
