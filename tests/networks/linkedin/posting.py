"""What the tests of LinkedIn say and do alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from regie.networks.data import Incoming, Outgoing, Published, Ready, Ref
from regie.networks.linkedin.connector import LinkedIn as Connector

NOW = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)
MOVIE = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(range(256)) * 6000  # a megabyte and a half


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


async def publish(connector: Connector, what: Outgoing) -> Published:
    outcome = await connector.commit(what, await prepared(connector, what))
    assert isinstance(outcome, Published)
    return outcome


def ref_to(published: Published) -> Ref:
    return Ref(remote_id=published.remote_id, extra=published.extra)


def to(message: Incoming) -> Ref:
    return Ref(remote_id=message.remote_id, root_id=message.conversation_id, extra=message.extra)
