"""A place in what people say, where times are whole seconds and something may be told late."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from regie.networks.data import Incoming
from regie.networks.meta.entities import Moment
from regie.networks.meta.wire import Entity

AGAIN = timedelta(minutes=5)  # what is told late is still new within these


class Cursor(Entity):
    """The newest message of one kind that we gave out, and the ids of those near it."""

    at: Moment | None = None
    ids: tuple[str, ...] = ()

    def is_new(self, one: Incoming) -> bool:
        return self.at is None or (one.said_at > self.at - AGAIN and one.remote_id not in self.ids)

    def after(self, all_: Sequence[Incoming]) -> dict[str, Any]:
        moments = [one.said_at for one in all_] + ([self.at] if self.at else [])
        if not moments:
            return {}
        newest = max(moments)
        near = {one.remote_id for one in all_ if one.said_at > newest - AGAIN}
        return {"at": newest.isoformat(), "ids": sorted(near | (set(self.ids) if self.at == newest else set()))}


def read_cursor(cursor: str) -> Mapping[str, Any]:
    try:
        found = json.loads(cursor or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
