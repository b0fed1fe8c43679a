"""What publishing services refuse, each with a sentence for the person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from regie.core.errors import Changed, Problem
from regie.studio.models import Variant


class NotReady(Problem):
    """A variant cannot go out as it is. ``reasons``: variant -> sentences."""

    def __init__(self, said: str, reasons: Mapping[Variant, Sequence[str]]) -> None:
        super().__init__(said)
        self.reasons = reasons


class TooLate(Problem):
    """A time in the past, or something that can no longer be stopped."""


class AlreadyPlanned(Problem):
    """The variant is promised to its account at this very time already."""


class NotNow(Changed):
    """The delivery is no longer in a state from which this can be done: somebody, or the engine, was quicker."""


class EditedMeanwhile(Changed):
    """Somebody else changed it since the person opened it: show theirs before it is changed again."""


class StillLooking(Problem):
    """A freeze after a restore is not lifted while we still find out what went out meanwhile."""
