"""What all of Meta's answers are made of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BeforeValidator

from regie.networks.meta.wire import Entity

T = TypeVar("T")


def _moment(value: Any) -> Any:
    """``2030-03-01T09:00:00+0000``, which is no ISO 8601 for pydantic; webhooks tell seconds."""
    if isinstance(value, str) and len(value) > 5 and value[-5] in "+-" and value[-3] != ":":
        return f"{value[:-2]}:{value[-2:]}"
    return value


Moment = Annotated[datetime, BeforeValidator(_moment)]


class Cursors(Entity):
    before: str = ""
    after: str = ""


class Paging(Entity):
    cursors: Cursors | None = None
    next: str | None = None


class Edge(Entity, Generic[T]):
    """One page of what belongs to a node."""

    data: tuple[T, ...] = ()
    paging: Paging | None = None

    @property
    def after(self) -> str:
        """Where the next page begins; "" when this is the last."""
        return self.paging.cursors.after if self.paging and self.paging.next and self.paging.cursors else ""


class From(Entity):
    id: str = ""
    username: str = ""
    name: str = ""


class Value(Entity):
    value: int | dict[str, Any] | None = None


class Metric(Entity):
    name: str
    values: tuple[Value, ...] = ()
    total_value: Value | None = None

    @property
    def number(self) -> int | None:
        """The newest number it tells; None when it tells none."""
        found = self.total_value or (self.values[-1] if self.values else None)
        return found.value if found is not None and isinstance(found.value, int) else None
