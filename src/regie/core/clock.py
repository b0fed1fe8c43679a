"""The one clock that all code asks. Tests move it; nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

_source: Callable[[], datetime] | None = None


def now() -> datetime:
    """This moment, in UTC, with its zone."""
    return _source() if _source is not None else datetime.now(UTC)


def given() -> datetime | None:
    """The moment that a test has set; None when the clock is real, and another one (the database's) may be asked."""
    return _source() if _source is not None else None


def ask_instead(source: Callable[[], datetime] | None) -> None:
    """For tests: every ``now`` comes from ``source``; None gives the real clock back."""
    global _source
    _source = source
