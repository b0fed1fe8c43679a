"""What the tests of Google Business Profile say and do alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from regie.networks.data import AppKeys, Login, Outgoing, Published, Ref
from regie.networks.google_business.connector import GoogleBusiness as Connector
from regie_sandbox.google_business.app import GoogleBusiness

NOW = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)
EVENT = {"topic": "event", "title": "Open day", "starts": "2030-03-09T10:00", "ends": "2030-03-09T18:30"}


def let_pass(google: GoogleBusiness, time: timedelta) -> None:
    """Later, with tokens that were renewed meanwhile."""
    google.world.clock.advance(time)
    for token in google.state.tokens.values():
        token.until = google.later(3600) if token.until is not None else None


async def signed_in(http: aiohttp.ClientSession, google: GoogleBusiness, name: str = "regie") -> Connector:
    ready = google.ready_account(name)
    app = AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"])
    login = Login(server=ready["server"], remote_id=ready["remote_id"], credentials=ready["credentials"], app=app)
    return Connector(http, replace(login, limits=(await Connector(http, login).whoami()).limits))


def saying(text: str = "Good morning", **more: Any) -> Outgoing:
    return Outgoing(**{"key": "k1", "text": text, "planned_at": NOW, **more})


async def publish(connector: Connector, what: Outgoing) -> Published:
    ready = await connector.prepare(what, {})
    published = await connector.commit(what, ready.progress)
    assert isinstance(published, Published)
    return published


def ref_to(published: Published) -> Ref:
    return Ref(remote_id=published.remote_id, extra=published.extra)
