"""The vendor's limits and the sentences it says when they are passed. Source: docs.joinmastodon.org, API 4.7."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

MOST_CHARACTERS = 500
MOST_MEDIA = 4
LARGEST_IMAGE = 16 * 1024 * 1024
MOST_PIXELS = 33_177_600
LONGEST_ALT = 1500
LARGEST_VIDEO = 99 * 1024 * 1024
MOST_VIDEO_PIXELS = 8_294_400
VIDEO_TYPES = ("video/mp4", "video/quicktime", "video/webm")
IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
AUDIO_TYPES = ("audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav")
MOST_OPTIONS = 4
LONGEST_OPTION = 50
SHORTEST_POLL = 300
LONGEST_POLL = 2_629_746
KEY_HOLDS = timedelta(hours=1)
VISIBILITIES = ("public", "unlisted", "private", "direct")
LARGEST_REQUEST = 110 * 1024 * 1024


class Problem(Exception):
    """An answer other than yes, in the vendor's words."""

    def __init__(self, status: int, error: str, *, headers: dict[str, str] | None = None, **more: str) -> None:
        super().__init__(error)
        self.status, self.headers = status, headers or {}
        self.body: dict[str, Any] = {"error": error, **more}


def invalid(reason: str) -> Problem:
    return Problem(422, f"Validation failed: {reason}")


class Missing(Problem, LookupError):
    """What was asked for is not there, or not for this asker."""


def not_found() -> Missing:
    return Missing(404, "Record not found")


@dataclass(slots=True)
class Meter:
    """Fixed windows, as Mastodon's rack-attack counts. ``spent`` maps (who, what) to (window's end, count)."""

    on: bool = True
    spent: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)

    def spend(self, who: str, what: str, *, limit: int, per: timedelta, now: datetime) -> dict[str, str]:
        """Count one request; the rate-limit headers. Raises Problem 429 when there is nothing left."""
        seconds, moment = per.total_seconds(), now.timestamp()
        end, count = self.spent.get((who, what), (0.0, 0))
        if moment >= end:
            end, count = (moment // seconds + 1) * seconds, 0
        count += 1
        self.spent[who, what] = end, count
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(limit - count, 0)),
            "X-RateLimit-Reset": iso(datetime.fromtimestamp(end, now.tzinfo)),
        }
        if self.on and count > limit:
            raise Problem(429, "Too many requests", headers=headers)
        return headers


def iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
