"""What the tests of X share: something to publish, and publishing it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from regie.networks.data import Outgoing, Pending, Published, Ready, Ref
from regie.networks.x.connector import X as Connector


def outgoing(text: str = "Good morning", **more: Any) -> Outgoing:
    return Outgoing(**{"key": "key-1", "text": text, "planned_at": datetime.now(UTC), **more})


async def publish(connector: Connector, what: Outgoing) -> Published:
    ready = await connector.prepare(what, {})
    while isinstance(ready, Pending):
        ready = await connector.prepare(what, ready.progress)
    assert isinstance(ready, Ready)
    published = await connector.commit(what, ready.progress)
    assert isinstance(published, Published)
    return published


def ref_to(published: Published) -> Ref:
    return Ref(remote_id=published.remote_id, root_id=published.remote_id)
