"""Record keys: a post's name on its server, made from our own key so that a repeat is the same post."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import blake2b

ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def encoded(microseconds: int, clock: int) -> str:
    """A timestamp identifier: 53 bits of microseconds since 1970, 10 bits of clock id, in 13 sortable characters.

    Source: atproto.com/specs/tid.
    """
    value = (microseconds << 10) | clock
    return "".join(ALPHABET[(value >> shift) & 31] for shift in range(60, -1, -5))


def moment_of(tid: str) -> datetime | None:
    """The moment a record key stands for; None when it is not a timestamp identifier."""
    if len(tid) != 13 or any(char not in ALPHABET for char in tid):
        return None
    value = 0
    for char in tid:
        value = (value << 5) | ALPHABET.index(char)
    return EPOCH + (value >> 10) * MICROSECOND


def tid_for(key: str, planned_at: datetime) -> str:
    """The same record key at each attempt of the same step.

    The second is the planned one; the microsecond and the clock id come from ``key``: one chance in 10^9 that two
    steps of one account planned for the same second meet, and then the second one is refused, not lost.
    """
    digest = int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")
    second = (planned_at.astimezone(UTC).replace(microsecond=0) - EPOCH) // MICROSECOND
    return encoded(second + (digest >> 10) % 1_000_000, digest & 1023)
