"""Numbers of videos and channels. Sources: videos.list, channels.list (statistics); reports.query of Analytics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from regie.networks.data import Ref, Samples
from regie.networks.errors import Refused
from regie.networks.youtube.entities import Channel, Report, Statistics, Video
from regie.networks.youtube.wire import Wire, listed, parsed

AT_ONCE = 50  # videos in one question
FIRST_DAY = "2005-02-14"  # of YouTube: a report of a video's whole life begins there
LAST_DAYS = 7  # how far back the newest full day is looked for; YouTube tells it two or three days late
OF_VIDEO = {  # Analytics' name -> ours
    "shares": "shares",
    "estimatedMinutesWatched": "watch_minutes",
    "averageViewDuration": "average_view_seconds",
    "subscribersGained": "followers_gained",
}
OF_CHANNEL = {
    "views": "views_day",
    "estimatedMinutesWatched": "watch_minutes_day",
    "subscribersGained": "followers_gained_day",
}
POST_METRICS = ("likes", "replies", "views", *OF_VIDEO.values())
ACCOUNT_METRICS = ("followers", "posts", *OF_CHANNEL.values())


async def post_samples(wire: Wire, refs: Sequence[Ref]) -> Mapping[str, Samples]:
    """Likes, comments and views as they are now; the rest as YouTube Analytics has it, two or three days old."""
    found: dict[str, Samples] = {}
    ids = [ref.remote_id for ref in refs if ref.extra.get("kind") != "comment"]
    for begin in range(0, len(ids), AT_ONCE):
        some = ids[begin : begin + AT_ONCE]
        videos, _ = listed(await wire.get("videos", {"part": "id,statistics", "id": ",".join(some)}), Video)
        reported = await _reported(wire, [video.id for video in videos]) if videos else {}
        for video in videos:
            found[video.id] = {**_counted(video.statistics), **_named(reported.get(video.id, {}), OF_VIDEO)}
    return found


def _counted(statistics: Statistics) -> dict[str, int | None]:
    return {"likes": statistics.likes, "replies": statistics.comments, "views": statistics.views}


async def _reported(wire: Wire, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """A row of the report for each video that has one. None of them when reports are not allowed."""
    asked = {
        "ids": "channel==MINE",
        "startDate": FIRST_DAY,
        "endDate": wire.now.date().isoformat(),
        "metrics": ",".join(OF_VIDEO),
        "dimensions": "video",
        "filters": f"video=={','.join(ids)}",
    }
    try:
        rows = parsed(await wire.report(asked), Report).named()
    except Refused:  # a missing permission, a channel that has no reports yet
        return {}
    return {str(row.get("video")): row for row in rows}


def _named(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, int | None]:
    return {ours: _whole(row.get(theirs)) for theirs, ours in names.items()}


def _whole(value: Any) -> int | None:
    return round(value) if isinstance(value, int | float) else None


async def account_samples(wire: Wire, channel: Channel) -> Samples:
    """Counts now, and the newest full day that YouTube Analytics knows. YouTube rounds the number of subscribers."""
    counts = channel.statistics
    return {
        "followers": None if counts.hidden else counts.subscribers,
        "posts": counts.videos,
        **_named(await _newest_day(wire), OF_CHANNEL),
    }


async def _newest_day(wire: Wire) -> Mapping[str, Any]:
    today = wire.now.date()
    asked = {
        "ids": "channel==MINE",
        "startDate": (today - timedelta(days=LAST_DAYS)).isoformat(),
        "endDate": today.isoformat(),
        "metrics": ",".join(OF_CHANNEL),
        "dimensions": "day",
        "sort": "day",
    }
    try:
        rows = parsed(await wire.report(asked), Report).named()
    except Refused:
        return {}
    return rows[-1] if rows else {}
