"""What the tests of YouTube say and do alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import aiohttp

from regie.networks.data import AppKeys, Login, Outgoing, Published, Ready
from regie.networks.youtube.connector import YouTube as Connector
from regie_sandbox.youtube.app import YouTube

NOW = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)
MOVIE = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(range(256)) * 4000  # a megabyte
SAID = {"title": "A walk", "made_for_kids": "no"}


async def signed_in(http: aiohttp.ClientSession, youtube: YouTube, name: str = "regie") -> Connector:
    ready = youtube.ready_account(name)
    app = AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"])
    login = Login(server=ready["server"], remote_id=ready["remote_id"], credentials=ready["credentials"], app=app)
    profile = await Connector(http, login).whoami()
    return Connector(http, Login(
        server=login.server, remote_id=login.remote_id, credentials=login.credentials, app=app, limits=profile.limits
    ))  # fmt: skip


def saying(text: str = "Good morning", **more: Any) -> Outgoing:
    options = {**({} if more.get("reply_to") else SAID), **more.pop("options", {})}
    return Outgoing(**{"key": "k1", "text": text, "planned_at": NOW, "options": options, **more})


async def prepared(connector: Connector, what: Outgoing, progress: Any = None) -> dict[str, Any]:
    """Until it is ready, with as many looks as it takes."""
    achieved: dict[str, Any] = dict(progress or {})
    for _ in range(10):
        outcome = await connector.prepare(what, achieved)
        achieved = dict(outcome.progress)
        if isinstance(outcome, Ready):
            return achieved
    raise AssertionError("It is never ready.")


async def publish(connector: Connector, what: Outgoing) -> Published:
    published = await connector.commit(what, await prepared(connector, what))
    assert isinstance(published, Published)
    return published
