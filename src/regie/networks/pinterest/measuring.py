"""Numbers of Pins and accounts. Source: ``GET /pins/{id}`` and the two ``analytics`` calls of the description.

A Pin tells its numbers since it was made; what it leaves out is asked of its analytics, which reach back ninety days:
older Pins have no number there rather than a part of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, timedelta

from regie.networks.data import Ref, Samples
from regie.networks.errors import Gone, Refused
from regie.networks.line import Answer
from regie.networks.pinterest.entities import Analytics, Me, Metrics, Numbers, Pin
from regie.networks.pinterest.wire import Wire, parsed

POST_METRICS = ("views", "likes", "replies", "saves", "clicks", "link_clicks", "video_views")
ACCOUNT_METRICS_ON_TRIAL = ("followers", "following", "posts")
ACCOUNT_METRICS = (*ACCOUNT_METRICS_ON_TRIAL, "views_day", "interactions_day")
REACH = timedelta(days=89)
LATE = timedelta(days=7)  # so far back the last day whose numbers are whole is looked for


async def post_samples(wire: Wire, refs: Sequence[Ref]) -> Mapping[str, Samples]:
    """Two questions a Pin: there is one for many at once, but it is not open to all apps.

    On trial access there are no numbers, which does not mean that the Pins are gone.
    """
    if wire.trial:
        return {ref.remote_id: {} for ref in refs}
    found: dict[str, Samples] = {}
    for ref in refs:
        try:
            found[ref.remote_id] = await _samples(wire, ref.remote_id)
        except Gone:
            continue
    return found


async def _samples(wire: Wire, pin_id: str) -> Samples:
    answer = await wire.get(f"/pins/{pin_id}", {"pin_metrics": "true"}, addressed=True)
    pin = parsed(answer, Pin)
    told = pin.pin_metrics.lifetime_metrics if pin.pin_metrics else None
    is_video = pin.media is not None and pin.media.media_type == "video"
    kinds = ("SAVE", "VIDEO_MRC_VIEW") if is_video else ("SAVE",)
    since = pin.created_at.date() if pin.created_at else None
    more = await _analytics(wire, f"/pins/{pin_id}/analytics", kinds, since=since, today=_today(answer))
    saves = told.save if told else None
    return {
        "views": told.impression if told else None,
        "likes": told.reaction if told else None,
        "replies": told.comment if told else None,
        "saves": saves if saves is not None else _whole(more.summary_metrics.saved),
        "clicks": told.pin_click if told else None,
        "link_clicks": told.clickthrough if told else None,
        "video_views": _whole(more.summary_metrics.watched),
    }


async def account_samples(wire: Wire) -> Samples:
    answer = await wire.get("/user_account", vital=True)
    me, today = parsed(answer, Me), _today(answer)
    numbers: Samples = {"followers": me.follower_count, "following": me.following_count, "posts": me.pin_count}
    if wire.trial:
        return numbers
    kinds = ("IMPRESSION", "ENGAGEMENT")
    told = await _analytics(wire, "/user_account/analytics", kinds, since=today - LATE, today=today)
    whole = [day for day in told.daily_metrics if day.data_status == "READY" and day.date < today.isoformat()]
    last = max(whole, key=lambda day: day.date).metrics if whole else Numbers()
    return {
        **numbers,
        "views_day": _whole(last.shown),
        "interactions_day": _whole(last.engaged),
    }


async def _analytics(wire: Wire, path: str, kinds: Sequence[str], *, since: date | None, today: date) -> Metrics:
    """Nothing where Pinterest keeps the numbers from this account, and for what it no longer has whole."""
    if since is None or since < today - REACH:
        return Metrics()
    days = {"start_date": min(since, today).isoformat(), "end_date": today.isoformat()}
    try:
        answer = await wire.get(path, {**days, "metric_types": ",".join(kinds)})
    except Refused:
        return Metrics()
    return parsed(answer, Analytics).all


def _today(answer: Answer) -> date:
    """By Pinterest's clock; the days of its analytics are those of UTC."""
    return answer.now.astimezone(UTC).date()


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
