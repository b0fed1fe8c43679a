"""YouTube Analytics: tables of views, watch times, subscribers, two days late. Source: its channel reports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

from regie_sandbox.google.wire import Json, Trouble
from regie_sandbox.youtube.shown import views
from regie_sandbox.youtube.state import Channel, Video
from regie_sandbox.youtube.wire import REPORTS, Call, missing

if TYPE_CHECKING:
    from regie_sandbox.youtube.app import YouTube

LATE = timedelta(days=2)
SECONDS = 9  # that each view lasts
METRICS = (
    "views", "estimatedMinutesWatched", "averageViewDuration", "likes", "comments", "shares", "subscribersGained",
)  # fmt: skip


def report(net: YouTube, call: Call) -> Json:
    """A row for each day of a channel, or for each video that is named."""
    call.must(REPORTS)
    if "youtube.readonly" not in call.token.scopes and "youtube" not in call.token.scopes:
        said = "Request had insufficient authentication scopes."
        raise Trouble(403, "insufficientPermissions", said, domain="global", info="ACCESS_TOKEN_SCOPE_INSUFFICIENT")
    for name in ("ids", "startDate", "endDate", "metrics"):
        if not call.params.get(name):
            raise missing(name)
    if call.params["ids"] not in ("channel==MINE", f"channel=={call.channel}"):
        raise Trouble(403, "forbidden", "Forbidden", domain="global")
    wanted = call.params["metrics"].split(",")
    if unknown := [one for one in wanted if one not in METRICS]:
        raise Trouble(
            400, "invalid", f"Unknown identifier ({unknown[0]}) given in field parameters.metrics.", domain="global"
        )
    dimension = call.params.get("dimensions", "")
    if dimension not in ("", "day", "video"):
        raise Trouble(400, "badRequest", "The query is not supported.", domain="global")
    begin, end = _day(call, "startDate"), _day(call, "endDate")
    channel = net.state.channels[call.channel]
    rows = _by_video(net, call, channel) if dimension == "video" else _by_day(net, channel, begin, end)
    if not dimension and rows:
        rows = [("", {name: sum(row[name] for _, row in rows) for name in METRICS})]
    return _table(rows, wanted, dimension)


def _day(call: Call, name: str) -> date:
    try:
        return date.fromisoformat(call.params[name])
    except ValueError:
        raise Trouble(400, "invalid", f"Invalid value '{call.params[name]}'.", domain="global") from None


def _by_video(net: YouTube, call: Call, channel: Channel) -> list[tuple[str, Mapping[str, int]]]:
    name, _, ids = call.params.get("filters", "").partition("==")
    if name != "video":
        raise Trouble(400, "badRequest", "The query is not supported.", domain="global")
    known = [net.state.videos[one] for one in ids.split(",") if one in net.state.videos]
    old = [one for one in known if one.public_at is not None and one.public_at <= net.now() - LATE]
    return [(video.id, _of_video(video)) for video in old if video.channel == channel.id]


def _of_video(video: Video) -> dict[str, int]:
    seen = views(video)
    return {
        "views": seen,
        "estimatedMinutesWatched": seen * SECONDS // 60,
        "averageViewDuration": SECONDS if seen else 0,
        "likes": len(video.likes),
        "comments": len(video.comments),
        "shares": video.shares,
        "subscribersGained": video.shares // 3,
    }


def _by_day(net: YouTube, channel: Channel, begin: date, end: date) -> list[tuple[str, Mapping[str, int]]]:
    newest = (net.now() - LATE).date()
    rows: list[tuple[str, Mapping[str, int]]] = []
    day = begin
    while day <= min(end, newest):
        seen, gained = channel.seen.get(day.isoformat(), 0), channel.gained.get(day.isoformat(), 0)
        zero = dict.fromkeys(METRICS, 0)
        minutes, lasts = seen * SECONDS // 60, SECONDS if seen else 0
        row = {"views": seen, "estimatedMinutesWatched": minutes, "averageViewDuration": lasts}
        rows.append((day.isoformat(), {**zero, **row, "subscribersGained": gained}))
        day += timedelta(days=1)
    return rows


def _table(rows: list[tuple[str, Mapping[str, int]]], wanted: list[str], dimension: str) -> Json:
    headers = [{"name": dimension, "columnType": "DIMENSION", "dataType": "STRING"}] if dimension else []
    headers += [{"name": name, "columnType": "METRIC", "dataType": "INTEGER"} for name in wanted]
    body: Json = {"kind": "youtubeAnalytics#resultTable", "columnHeaders": headers}
    lines = [[*([name] if dimension else []), *(row[one] for one in wanted)] for name, row in rows]
    return {**body, **({"rows": lines} if lines else {})}
