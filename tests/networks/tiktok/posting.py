"""What the tests of TikTok say and do alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import aiohttp

from regie.networks.data import AppKeys, Login, Outgoing, Pending, Published, Ready
from regie.networks.tiktok.connector import TikTok as Connector
from regie_sandbox.tiktok.app import TikTok

NOW = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)
PUBLIC, PRIVATE, FRIENDS = "PUBLIC_TO_EVERYONE", "SELF_ONLY", "MUTUAL_FOLLOW_FRIENDS"
CHOSEN = {"privacy": PUBLIC, "consent": True}
PART = 5 * 1024 * 1024
MOVIE = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(range(256)) * 4000  # a megabyte
LONG = MOVIE + bytes(3 * PART - len(MOVIE) + 123)  # three parts, the last one a little longer


async def signed_in(http: aiohttp.ClientSession, tiktok: TikTok, name: str = "regie") -> Connector:
    ready = tiktok.ready_account(name)
    app = AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"])
    login = Login(server=ready["server"], remote_id=ready["remote_id"], credentials=ready["credentials"], app=app)
    profile = await Connector(http, login).whoami()
    return Connector(http, Login(
        server=login.server, remote_id=login.remote_id, credentials=login.credentials, app=app, limits=profile.limits
    ))  # fmt: skip


def saying(text: str = "Good morning", **more: Any) -> Outgoing:
    options = {**CHOSEN, **more.pop("options", {})}
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


async def committed(connector: Connector, what: Outgoing, progress: Any) -> Published:
    """As the engine goes on with what a network is working on."""
    for _ in range(20):
        outcome = await connector.commit(what, progress)
        if isinstance(outcome, Published):
            return outcome
        assert isinstance(outcome, Pending)
        progress = outcome.progress
    raise AssertionError("It never comes out.")


async def publish(connector: Connector, what: Outgoing) -> Published:
    return await committed(connector, what, await prepared(connector, what))
