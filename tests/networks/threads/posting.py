"""What the tests of Threads say and do alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from regie.networks.data import Outgoing, Published, Ready, Ref
from regie.networks.threads.connector import Threads as Connector

NOW = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)


def saying(text: str = "Good morning", **more: Any) -> Outgoing:
    return Outgoing(**{"key": "k1", "text": text, "planned_at": NOW, **more})


async def prepared(connector: Connector, what: Outgoing) -> dict[str, Any]:
    ready = await connector.prepare(what, {})
    assert isinstance(ready, Ready)
    return dict(ready.progress)


async def publish(connector: Connector, what: Outgoing) -> Published:
    published = await connector.commit(what, await prepared(connector, what))
    assert isinstance(published, Published)
    return published


def ref_to(published: Published) -> Ref:
    return Ref(remote_id=published.remote_id, root_id=published.remote_id)
