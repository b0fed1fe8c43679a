"""Wall-clock time in a zone, and the written rule for the hours that clock changes skip or repeat.

A missing hour (clocks go forward): the wall time is moved forward by the gap, so 02:30 becomes 03:30.
A doubled hour (clocks go back): the first of the two is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones


class UnknownZone(ValueError):
    """Not a name of the IANA time zone database."""


@dataclass(frozen=True, slots=True)
class WallTime:
    """A time as a person chose it: what the clock on the wall shows (naive), and in which zone (IANA name)."""

    local: datetime
    zone: str

    def __post_init__(self) -> None:
        if self.local.tzinfo is not None:
            raise ValueError("A wall-clock time has no zone of its own.")
        if self.zone not in zones():
            raise UnknownZone(self.zone)

    @property
    def utc(self) -> datetime:
        """The moment meant, in UTC, by the rule of this module."""
        # fold=0 takes the first of a doubled hour, and the offset from before the gap for a missing one: moved forward.
        return self.local.replace(tzinfo=ZoneInfo(self.zone), fold=0).astimezone(UTC)

    @property
    def is_missing(self) -> bool:
        """Whether no clock in the zone ever shows this time: it is skipped by a clock change."""
        return self.utc.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None) != self.local

    @property
    def is_doubled(self) -> bool:
        """Whether clocks in the zone show this time twice."""
        zone = ZoneInfo(self.zone)
        first, second = (self.local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        return not self.is_missing and first.utcoffset() != second.utcoffset()

    @classmethod
    def at(cls, moment: datetime, zone: str) -> WallTime:
        """What the clock in ``zone`` shows at ``moment`` (which has a zone)."""
        if zone not in zones():
            raise UnknownZone(zone)
        return cls(moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None), zone)

    @classmethod
    def exactly(cls, moment: datetime, zone: str) -> WallTime:
        """The same, for a promise of that very moment: on UTC's clock while those in ``zone`` show a doubled hour for
        the second time, as such a time means the first."""
        at = cls.at(moment, zone)
        return at if at.utc == moment else cls.at(moment, "UTC")


@cache
def zones() -> frozenset[str]:
    """Every zone a person may choose."""
    return frozenset(available_timezones())
