"""What a check says of a post: that it cannot go out like this, or what would make it better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from regie.media.models import File

Files = Mapping[int, File]


class Level(StrEnum):
    STOP = "stop"  # it cannot go out like this
    ADVICE = "advice"  # it can, and this would make it better or is good to know


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a variant. ``part`` is the part of the thread it is about, None for the whole."""

    level: Level
    said: str
    part: int | None = None


def stop(said: str, part: int | None = None) -> Finding:
    return Finding(Level.STOP, said, part)


def advice(said: str, part: int | None = None) -> Finding:
    return Finding(Level.ADVICE, said, part)
