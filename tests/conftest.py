"""The people, the clock, and the database of every test.

Alice owns the workspace, Bob is her colleague (an editor), Charlie is a stranger with a workspace of his own.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
_shared = None


def _test_environment() -> None:
    """Before Django reads its settings: data of our own, and the embedded server unless DATABASE_URL names one."""
    global _shared
    for name in [name for name in os.environ if name.startswith("REGIE_") and not name.startswith("REGIE_REAL")]:
        if name not in ("REGIE_SPECS", "REGIE_REQUIRE_REAL"):
            del os.environ[name]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    data = Path(tempfile.gettempdir()) / f"regie-tests-{os.getuid()}" / worker
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.environ |= {
        "REGIE_DATA": str(data),
        "REGIE_URL": "http://testserver",
        "REGIE_SECRET_KEY": "tests only",
        "REGIE_SEALING_KEY": "dGVzdHMgb25seSB0ZXN0cyBvbmx5IHRlc3RzIG9ubHk=",
    }
    if not os.environ.get("DATABASE_URL"):
        from regie.config import database
        from regie.core import embedded

        _shared = embedded.ensure(data.parent / "server")
        database.use(_shared.url)


def pytest_configure(config: pytest.Config) -> None:
    _test_environment()


_test_environment()


class Clock:
    """The one clock of the product, in our hands. Stands still at 2030-03-01 09:00 UTC until moved."""

    def __init__(self) -> None:
        self.moment = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def at(self, wall: str) -> datetime:
        """A moment of the clock's day: ``clock.at("09:15")``."""
        hour, minute = wall.split(":")
        return self.moment.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)

    def set(self, moment: str | datetime) -> None:
        self.moment = self.at(moment) if isinstance(moment, str) else moment

    def advance(self, **by: float) -> None:
        self.moment += timedelta(**by)


@pytest.fixture
def clock() -> Iterator[Clock]:
    from regie.core import clock as product_clock

    ours = Clock()
    product_clock.ask_instead(ours)
    yield ours
    product_clock.ask_instead(None)
