"""A backup of what publishing keeps, and its restore: the tables as they were, whatever became of the networks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from regie.core import clock
from regie.publishing import services
from regie.publishing.models import Freeze

TABLES = ("studio_post", "studio_variant", "publishing_delivery", "publishing_step", "publishing_attempt")


@dataclass(frozen=True)
class Backup:
    at: datetime
    rows: dict[str, list[tuple[Any, ...]]]

    def restore(self) -> Freeze:
        """As ``regie restore`` does: what was there is gone, and all is frozen."""
        put_back(self.rows)
        return services.start_frozen_after_restore(backed_up_at=self.at)


def back_up() -> Backup:
    return Backup(clock.now(), {table: _rows_of(table) for table in TABLES})


def _rows_of(table: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY id")
        return list(cursor.fetchall())


def put_back(kept: dict[str, list[tuple[Any, ...]]]) -> None:
    """The tables as they were at the backup, whatever our own rules say."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for table in reversed(TABLES):
            cursor.execute(f"DELETE FROM {table}")
        for table, rows in kept.items():
            cursor.executemany(
                f"INSERT INTO {table} SELECT r.* FROM jsonb_populate_record(NULL::{table}, %s::jsonb) r", rows
            )
        cursor.execute("DELETE FROM publishing_lane")
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("UPDATE publishing_delivery SET next_at = next_at WHERE state = 'scheduled'")  # makes the lanes
