"""The engine's own way to PostgreSQL: a small pool of direct connections, and one clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from psycopg import AsyncConnection, errors
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_loads
from psycopg_pool import AsyncConnectionPool

from regie.core import clock

log = logging.getLogger(__name__)
Row = Mapping[str, Any]
CHANNEL = "regie_publishing"


def sql(text: str) -> bytes:
    """A statement in which MOMENT is "now": the database's clock, or the one a test has set.

    Leases and due times of all publishers are compared on one clock, so a publisher whose own clock is wrong does no
    harm. ``statement_timestamp()`` is stable, so an index can be used with it.
    """
    return text.replace("MOMENT", "coalesce(%(now)s::timestamptz, statement_timestamp())").encode()


def address() -> str:
    """The database Django uses, for connections of our own. LISTEN and the sweep's lock need it direct, unpooled."""
    given = settings.DATABASES["default"]
    place = {
        "dbname": given["NAME"],
        "user": given["USER"] or None,
        "password": given["PASSWORD"] or None,
        "host": given["HOST"] or None,
        "port": given["PORT"] or None,
    }
    return make_conninfo("", **{"application_name": "regie publisher", **given.get("OPTIONS", {}), **place})


class Database:
    """``most`` connections; each statement is a transaction of its own, durable when it returns."""

    def __init__(self, most: int) -> None:
        self._pool: AsyncConnectionPool[AsyncConnection[DictRow]] = AsyncConnectionPool(
            address(),
            min_size=1,
            max_size=most,
            open=False,
            kwargs={"autocommit": True, "row_factory": dict_row, "prepare_threshold": 1},
            configure=_configure,
            reconnect_timeout=float("inf"),
            timeout=30,
        )
        self._ahead = timedelta(0)  # the database's clock minus ours

    async def __aenter__(self) -> Database:
        await self._pool.open()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._pool.close()

    async def rows(self, statement: bytes, **params: Any) -> list[DictRow]:
        """Runs one statement, and again when it met another one the wrong way round."""
        for attempt in range(4):
            try:
                async with self._pool.connection() as connection:
                    cursor = await connection.execute(statement, {"now": clock.given(), **params})
                    return await cursor.fetchall() if cursor.description else []
            except (errors.DeadlockDetected, errors.SerializationFailure):
                if attempt == 3:
                    raise
                await asyncio.sleep(0.01 * (attempt + 1))
        raise AssertionError

    async def in_turn(self, *statements: bytes, **params: Any) -> list[DictRow]:
        """Several statements in one transaction, each seeing what others committed meanwhile; the last one's rows."""
        async with self._pool.connection() as connection, connection.transaction():
            for statement in statements:
                cursor = await connection.execute(statement, {"now": clock.given(), **params})
            return await cursor.fetchall() if cursor.description else []

    async def synchronise(self) -> float:
        """Learns by how much the database's clock is ahead. Returns our skew in milliseconds."""
        asked = datetime.now(UTC)
        (row,) = await self.rows(b"SELECT clock_timestamp() AS now")
        answered = datetime.now(UTC)
        self._ahead = row["now"] - (asked + (answered - asked) / 2)
        return -self._ahead.total_seconds() * 1000

    def moment(self) -> datetime:
        """Now, by the database's clock as we know it, or by the test's."""
        return clock.given() or datetime.now(UTC) + self._ahead


async def _configure(connection: AsyncConnection[DictRow]) -> None:
    set_json_loads(orjson.loads, connection)
    await connection.execute("SET synchronous_commit = on")


def as_json(rows: Sequence[Row]) -> str:
    """Rows as a parameter for ``jsonb_to_recordset``, without what PostgreSQL cannot store."""
    try:
        text = orjson.dumps(rows, default=str)
    except TypeError:
        text = b""
    if not text or b"\\u0000" in text:  # networks say strange things: a NUL, half a surrogate pair, huge numbers
        text = orjson.dumps(_storable(rows), default=str)
    return text.decode()


def _storable(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\0", "").encode("utf-8", "replace").decode()
        case int() if value.bit_length() > 63:
            return str(value)
        case Mapping():
            return {_storable(str(name)): _storable(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_storable(inner) for inner in value]
    return value
