"""The sandbox's clock: real by default, or standing still where a test or a replay puts it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """UTC. ``set`` and ``advance`` make it stand still; ``run`` lets it walk on; ``real`` gives the machine's time."""

    def __init__(self) -> None:
        self._still: datetime | None = None
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        return self._still if self._still is not None else datetime.now(UTC) + self._ahead

    @property
    def is_real(self) -> bool:
        return self._still is None and not self._ahead

    @property
    def is_standing(self) -> bool:
        return self._still is not None

    def set(self, moment: datetime) -> None:
        """Stand still at ``moment`` (aware)."""
        self._still = moment.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        """Go forward; a standing clock stands at the new moment, a walking one walks on from there."""
        if self._still is not None:
            self._still += by
        else:
            self._ahead += by

    def run(self) -> None:
        """Walk on, at the speed of real time, from the moment it shows."""
        if self._still is not None:
            self._ahead, self._still = self._still - datetime.now(UTC), None

    def real(self) -> None:
        """Show the machine's own time again."""
        self._still, self._ahead = None, timedelta(0)
