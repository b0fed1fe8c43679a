"""The vendor's limits, and what it says when they are passed. Source: docs.x.com, openapi 2.167."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

PROBLEMS = "https://api.x.com/2/problems/"
SHORT, LONG = 280, 25_000
MOST_MEDIA = 4
LARGEST = {  # bytes by category
    "tweet_image": 5 * 1024 * 1024,
    "tweet_gif": 15 * 1024 * 1024,
    "tweet_video": 512 * 1024 * 1024,
    "amplify_video": 512 * 1024 * 1024,
    "subtitles": 512 * 1024,
}
TYPES = {
    "tweet_image": ("image/jpeg", "image/png", "image/gif", "image/webp"),
    "tweet_gif": ("image/gif",),
    "tweet_video": ("video/mp4", "video/quicktime", "video/webm"),
    "amplify_video": ("video/mp4", "video/quicktime", "video/webm"),
    "subtitles": ("text/srt", "text/vtt"),
}
LARGEST_SEGMENT = 5 * 1024 * 1024
LARGEST_REQUEST = 8 * 1024 * 1024
LONGEST_ALT = 1000
MEDIA_KEPT = timedelta(days=1)
CODE_HOLDS = timedelta(seconds=30)
EDIT_WITHIN, MOST_EDITS = timedelta(minutes=30), 5  # the page says so; X's own announcements speak of an hour
TOKEN_LASTS = timedelta(hours=2)
SAME_TEXT = timedelta(days=1)  # for how long a second post of the same text is refused; X does not say how long
OWN_NUMBERS = timedelta(days=30)  # for how long clicks are told
QUARTER, DAY = timedelta(minutes=15), timedelta(hours=24)
REPLY_SETTINGS = ("following", "mentionedUsers", "subscribers", "verified")
WARNINGS = ("adult_content", "graphic_violence", "other")  # 2.159; 2.167 says "object"
EVENTS = (
    *(f"post.{what}.create" for what in ("mention", "reply", "quote")),
    *("dm.received", "dm.sent", "post.create", "like.create"),
)


class Problem(Exception):
    """An answer other than yes, in the vendor's words. ``kind``: the end of its type; "" is about:blank."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        kind: str = "",
        *,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.headers = status, headers or {}
        type_ = f"{PROBLEMS}{kind}" if kind else "about:blank"
        self.body: dict[str, Any] = {"title": title, "type": type_, "detail": detail, "status": status, **more}


class Missing(Problem, LookupError):
    """What was asked for is not there."""


def invalid(detail: str, **more: Any) -> Problem:
    return Problem(400, "Invalid Request", detail, "invalid-request", **more)


def forbidden(detail: str) -> Problem:
    return Problem(403, "Forbidden", detail)


def not_in_plan(detail: str) -> Problem:
    return Problem(
        403,
        "Client Forbidden",
        detail,
        "client-forbidden",
        reason="client-not-enrolled",
        required_enrollment="Appropriate Level of API Access",
    )


def unauthorized() -> Problem:
    return Problem(401, "Unauthorized", "Unauthorized")


def not_found(what: str, which: str) -> Missing:
    detail = f"Could not find {what} with id: [{which}]."
    more: dict[str, Any] = {"resource_type": what, "resource_id": which, "parameter": "id", "value": which}
    return Missing(404, "Not Found Error", detail, "resource-not-found", headers=None, **more)


@dataclass(slots=True)
class Meter:
    """Fixed windows, as X counts. ``spent`` maps (who, what) to (window's end, count)."""

    on: bool = True
    spent: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)

    def spend(self, who: str, what: str, *, limit: int, per: timedelta, now: datetime) -> dict[str, str]:
        """Count one request; the headers that tell. Raises Problem 429 when there is nothing left."""
        seconds, moment = per.total_seconds(), now.timestamp()
        end, count = self.spent.get((who, what), (0.0, 0))
        if moment >= end:
            end, count = moment + seconds, 0
        count += 1
        self.spent[who, what] = end, count
        headers = limit_headers(limit, max(limit - count, 0), end)
        if self.on and count > limit:
            raise Problem(429, "Too Many Requests", "Too Many Requests", headers=headers)
        return headers


def limit_headers(limit: int, remaining: int, reset: float) -> dict[str, str]:
    return {
        "x-rate-limit-limit": str(limit),
        "x-rate-limit-remaining": str(remaining),
        "x-rate-limit-reset": str(int(reset) + 1),
    }


def iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
