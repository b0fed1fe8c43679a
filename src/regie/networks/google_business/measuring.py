"""Numbers of a location. Sources: ``locations.fetchMultiDailyMetricsTimeSeries`` and ``reviews.list``.

Google tells numbers of the whole profile, some days late. There are none of a single post any more: see NOTES.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from regie.networks.data import Samples
from regie.networks.errors import Refused
from regie.networks.google_business.entities import Daily, Performance, Reviews
from regie.networks.google_business.wire import Wire, parsed

LAST_DAYS = 14  # how far back the newest full day is looked for
OF_PLACE: Mapping[str, tuple[str, ...]] = {  # ours -> Google's, added up
    "views_day": (
        "BUSINESS_IMPRESSIONS_DESKTOP_MAPS",
        "BUSINESS_IMPRESSIONS_DESKTOP_SEARCH",
        "BUSINESS_IMPRESSIONS_MOBILE_MAPS",
        "BUSINESS_IMPRESSIONS_MOBILE_SEARCH",
    ),
    "website_clicks_day": ("WEBSITE_CLICKS",),
    "calls_day": ("CALL_CLICKS",),
    "directions_day": ("BUSINESS_DIRECTION_REQUESTS",),
}
ACCOUNT_METRICS = ("reviews", *OF_PLACE)
Told = Mapping[str, Mapping[date, int]]
"""Google's metric -> day -> number."""


async def account_samples(wire: Wire) -> Samples:
    """The reviews now, and the newest day of which Google tells anything. What it does not tell is None."""
    return {"reviews": await _reviews(wire), **_newest_day(await _told(wire))}


async def _reviews(wire: Wire) -> int | None:
    try:
        return parsed(await wire.get(f"{wire.place}/reviews", {"pageSize": "1"}), Reviews).total
    except Refused:  # a location that is not verified
        return None


async def _told(wire: Wire) -> Told:
    today = wire.now.date()
    metrics = [("dailyMetrics", one) for several in OF_PLACE.values() for one in several]
    days = [*_as_query("startDate", today - timedelta(days=LAST_DAYS)), *_as_query("endDate", today)]
    path = f"{wire.location}:fetchMultiDailyMetricsTimeSeries"
    try:
        found = parsed(await wire.get(path, [*metrics, *days], role="performance"), Performance)
    except Refused:
        return {}
    return {one.metric: _by_day(one) for several in found.several for one in several.daily}


def _as_query(which: str, day: date) -> list[tuple[str, str]]:
    parts = (("year", day.year), ("month", day.month), ("day", day.day))
    return [(f"dailyRange.{which}.{name}", str(value)) for name, value in parts]


def _by_day(told: Daily) -> dict[date, int]:
    """A day that is there without a number is one of zero: Google leaves zeros out."""
    return {day: one.value or 0 for one in told.series.values if (day := one.day.date) is not None}


def _newest_day(told: Told) -> Samples:
    """A day that is all zeros may be one that Google has not counted yet, so it is passed over."""
    counted = {day for days in told.values() for day, value in days.items() if value}
    if not counted:
        return dict.fromkeys(OF_PLACE)
    newest = max(counted)
    return {ours: _sum([told.get(one, {}).get(newest) for one in theirs]) for ours, theirs in OF_PLACE.items()}


def _sum(values: Sequence[int | None]) -> int | None:
    """Of all of them, or None: a part would be taken for the whole."""
    return None if any(one is None for one in values) else sum(one or 0 for one in values)
