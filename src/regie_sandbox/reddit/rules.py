"""The vendor's limits, and how it says no. Sources: NOTES.md of the connector."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

LONGEST_TITLE = 300
LONGEST_TEXT = 40_000
LONGEST_COMMENT = 10_000
MOST_IMAGES = 20
CAPTION = 180
LARGEST_IMAGE = 20_000_000
LARGEST_VIDEO = 1_000_000_000
LARGEST_REQUEST = 1_100_000_000
OPTIONS = (2, 6)
LONGEST_OPTION = 120
DAYS = (1, 7)
IMAGE_TYPES = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif"}
VIDEO_TYPES = {"video/mp4": "mp4", "video/quicktime": "mov"}
WINDOW = timedelta(minutes=10)
SAID = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests", 400: "Bad Request"}


class Problem(Exception):
    """A status other than 200, in the vendor's words."""

    def __init__(self, status: int, *, headers: Mapping[str, str] | None = None, **body: Any) -> None:
        super().__init__(f"status {status}")
        self.status, self.headers = status, dict(headers or {})
        self.body: dict[str, Any] = {"message": SAID.get(status, "Error"), "error": status, **body}


class No(Exception):
    """An error in the body of a 200: code, words, the field it is about."""

    def __init__(self, code: str, words: str, about: str = "", *, ratelimit: float | None = None) -> None:
        super().__init__(code)
        self.body: dict[str, Any] = {"json": {"errors": [[code, words, about]]}}
        if ratelimit is not None:
            self.body["json"]["ratelimit"] = ratelimit


def invalid(reason: str, explanation: str, *fields: str) -> Problem:
    """What ``validate_on_submit`` answers to a post that a community does not want."""
    problem = Problem(400)
    problem.body = {
        "fields": list(fields),
        "explanation": explanation,
        "error_type": "SUBMIT_VALIDATION_ERROR",
        "message": "Bad Request",
        "reason": reason,
    }
    return problem


class Missing(Problem, LookupError):
    def __init__(self) -> None:
        super().__init__(404)


@dataclass(slots=True)
class Meter:
    """So many requests of one app in ten minutes. ``most``: None for no limit."""

    most: int = 1000
    on: bool = True
    asked: dict[str, deque[datetime]] = field(default_factory=lambda: defaultdict(deque))

    def count(self, app: str, now: datetime) -> dict[str, str]:
        """The rate headers. Raises Problem 429."""
        recent = self.asked[app]
        while recent and recent[0] <= now - WINDOW:
            recent.popleft()
        recent.append(now)
        resets = int((recent[0] + WINDOW - now).total_seconds())
        headers = {
            "x-ratelimit-used": str(len(recent)),
            "x-ratelimit-remaining": f"{max(self.most - len(recent), 0):.1f}",
            "x-ratelimit-reset": str(max(resets, 1)),
        }
        if self.on and len(recent) > self.most:
            raise Problem(429, headers=headers)
        return headers
