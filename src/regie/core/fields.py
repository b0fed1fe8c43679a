"""Model fields that Django lacks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models


class WallClockField(models.DateTimeField):  # type: ignore[type-arg]
    """A naive date and time, as a clock on a wall shows it: ``timestamp without time zone``, never converted."""

    def db_type(self, connection: Any) -> str:
        return "timestamp"

    def get_prep_value(self, value: Any) -> datetime | None:
        found: datetime | None = models.Field.get_prep_value(self, value)
        if found is not None and found.tzinfo is not None:
            raise ValueError("A wall-clock time has no zone.")
        return found

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> datetime | None:
        return value if prepared else self.get_prep_value(value)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        return getattr(model_instance, self.attname)

    def to_python(self, value: Any) -> Any:
        return datetime.fromisoformat(value) if isinstance(value, str) else value
