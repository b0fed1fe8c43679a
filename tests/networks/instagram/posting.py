"""What the tests of Instagram say and do alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import aiohttp

from regie.networks.data import AppKeys, Login, Outgoing, Ready
from regie.networks.instagram.connector import Instagram as Connector
from regie_sandbox.instagram.app import Instagram

NOW = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)
MOVIE = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(range(256)) * 4000  # a megabyte


async def signed_in(http: aiohttp.ClientSession, instagram: Instagram, way: str) -> Connector:
    ready = instagram.ready_account()
    app = AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"])
    given = {**ready, **ready["facebook"]} if way == "facebook" else ready
    login = Login(
        server=given["server"],
        remote_id=given["remote_id"],
        credentials=given["credentials"],
        app=app,
        limits=given.get("limits", {}),
    )
    profile = await Connector(http, login).whoami()
    return Connector(http, Login(
        server=login.server, remote_id=login.remote_id, credentials=login.credentials, app=app, limits=profile.limits
    ))  # fmt: skip


def saying(text: str = "Good morning", **more: Any) -> Outgoing:
    return Outgoing(**{"key": "k1", "text": text, "planned_at": NOW, **more})


async def prepared(connector: Connector, what: Outgoing, progress: Any = None) -> dict[str, Any]:
    """Until it is ready, with as many looks as it takes."""
    achieved: dict[str, Any] = dict(progress or {})
    for _ in range(10):
        outcome = await connector.prepare(what, achieved)
        achieved = dict(outcome.progress)
        if isinstance(outcome, Ready):
            return achieved
    raise AssertionError("It is never ready.")
