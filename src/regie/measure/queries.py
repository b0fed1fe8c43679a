"""Reading numbers: only what the scope's person may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, F, QuerySet, Sum

from regie.accounts.models import Account
from regie.accounts.opening import capabilities_of
from regie.core import clock
from regie.measure.elsewhere import not_ours
from regie.measure.models import Collection, MadeElsewhere, Round, Sample
from regie.measure.services import measured_networks
from regie.networks.metrics import METRICS
from regie.people.scope import Scope
from regie.publishing.models import Delivery

LONGEST = timedelta(days=400)


class RangeTooLong(ValueError):
    """More days than the samples are read for at once."""


@dataclass(frozen=True, slots=True)
class Number:
    """What a network said, and when. ``value`` None: it never said."""

    metric: str
    value: int | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    value: int | None


@dataclass(frozen=True, slots=True)
class Period:
    """Calendar days, both ends included, in ``zone``."""

    since: date
    until: date
    zone: str = "UTC"

    @property
    def days(self) -> int:
        return (self.until - self.since).days + 1

    @property
    def begins_at(self) -> datetime:
        return datetime.combine(self.since, time(), ZoneInfo(self.zone))

    @property
    def ends_at(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.until + timedelta(days=1), time(), ZoneInfo(self.zone))


def accounts_measured(scope: Scope) -> QuerySet[Account]:
    """Accounts in view whose numbers the person may see; removed ones are left out."""
    return (
        Account.objects.filter(workspace__in=scope.workspace_ids("measure"), network__in=measured_networks())
        .exclude(state=Account.State.REMOVED)
        .select_related("workspace", "measuring")
        .order_by("workspace__name", "name", "pk")
    )


def series_of(delivery: Delivery) -> dict[str, list[tuple[datetime, int | None]]]:
    """Every number that was read of a delivery's post, by metric.

    Shape:  metric -> (moment, value), oldest first; metrics that the network does not declare are left out.
    Units:  counts, as they stood at the moment.
    Gaps:   value is None where the network did not say. Zero means the network said zero.
    Source: Sample, as ``Measures.post_samples`` or ``Messages.samples`` brought them.
    """
    found: dict[str, list[tuple[datetime, int | None]]] = {}
    rows = Sample.objects.filter(delivery=delivery).order_by("at", "pk")
    for metric, at, value in rows.values_list("metric", "at", "value"):
        found.setdefault(metric, []).append((at, value))
    return {name: points for name, points in found.items() if name in _post_metrics(delivery)}


def _post_metrics(delivery: Delivery) -> tuple[str, ...]:
    return capabilities_of(delivery.account).post_metrics


def last_numbers(latest: Mapping[str, Sequence[Any]], metrics: Sequence[str]) -> list[Number]:
    """The last value that was said for each metric, in the order asked for; its age is that of ``at``.

    Source: ``latest`` of a Collection (a post) or of a Round (an account).
    """
    return [
        Number(name, int(known[0]), datetime.fromisoformat(str(known[1])))
        if (known := latest.get(name))
        else Number(name, None, None)
        for name in metrics
        if name in METRICS
    ]


def numbers_of(delivery: Delivery) -> list[Number]:
    """What the network last said of a delivery's post, for each metric that it declares; empty before it is out."""
    row = Collection.objects.filter(delivery=delivery).first()
    return last_numbers(row.latest, _post_metrics(delivery)) if row is not None else []


DAILY = """
SELECT DISTINCT ON (account_id, day) account_id, (at AT TIME ZONE %(zone)s)::date AS day, value
FROM measure_sample
WHERE account_id = ANY(%(accounts)s) AND delivery_id IS NULL AND metric = %(metric)s
  AND at >= %(begins_at)s AND at < %(ends_at)s AND value IS NOT NULL
ORDER BY account_id, day, at DESC
"""


def account_days(accounts: Sequence[int], metric: str, period: Period) -> dict[int, list[Day]]:
    """An account's own number at the end of each day.

    Shape:  account -> one Day per calendar day of the period, oldest first, both ends included.
    Units:  the last count said on that day; days begin at midnight in the period's zone.
    Gaps:   value is None where we hold no sample of that day. Zero means the network said zero.
    Raises: RangeTooLong past 400 days.
    Source: Sample of the account (``Measures.account_samples``), asked every six hours.
    """
    if period.days > LONGEST.days:
        raise RangeTooLong(f"{period.days} days are more than {LONGEST.days}.")
    given: dict[str, Any] = {
        "zone": period.zone,
        "accounts": list(accounts),
        "metric": metric,
        "begins_at": period.begins_at,
        "ends_at": period.ends_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(DAILY, given)
        known = {(account, day): value for account, day, value in cursor.fetchall()}
    days = [period.since + timedelta(days=number) for number in range(period.days)]
    return {account: [Day(day, known.get((account, day))) for day in days] for account in accounts}


def change_over(days: Sequence[Day]) -> int | None:
    """The last value minus the first; None without two days that have one."""
    told = [one.value for one in days if one.value is not None]
    return told[-1] - told[0] if len(told) > 1 else None


@dataclass(frozen=True, slots=True)
class AccountNumbers:
    account: Account
    followers: Number
    change: int | None
    published: int
    reactions: int | None
    days: list[Day]


def overview(accounts: Sequence[Account], period: Period) -> list[AccountNumbers]:
    """One line per account: followers now and their change in the period, posts published in it and their reactions.

    Gaps:   followers.value, change and reactions are None where the network told nothing.
    Source: Round.latest, account_days, and Collection.reactions (as last read, whenever that was).
    """
    days = account_days([account.pk for account in accounts], "followers", period)
    posts: dict[int, dict[str, Any]] = {
        row["account"]: dict(row)
        for row in _published_in(period)
        .filter(account__in=accounts)
        .order_by()
        .values("account")
        .annotate(published=Count("pk"), together=Sum("reactions"))
    }
    return [
        AccountNumbers(
            account=account,
            followers=last_numbers(latest_of(account), ["followers"])[0],
            change=change_over(days[account.pk]),
            published=posts.get(account.pk, {}).get("published", 0),
            reactions=posts.get(account.pk, {}).get("together"),
            days=days[account.pk],
        )
        for account in accounts
    ]


def latest_of(account: Account) -> Mapping[str, Sequence[Any]]:
    try:
        latest: Mapping[str, Sequence[Any]] = account.measuring.latest
    except Round.DoesNotExist:
        return {}
    return latest


def _published_in(period: Period) -> QuerySet[Collection]:
    """Those that the public sees."""
    inside = Collection.objects.filter(published_at__gte=period.begins_at, published_at__lt=period.ends_at)
    return inside.filter(delivery__limited="")


def posts_of(accounts: Sequence[Account], period: Period) -> QuerySet[Collection]:
    """Posts published in the period, those with the most reactions first; those without a number last."""
    return (
        _published_in(period)
        .filter(account__in=accounts)
        .select_related("delivery__account", "delivery__workspace", "delivery__variant__post")
        .order_by(F("reactions").desc(nulls_last=True), "-published_at")
    )


def elsewhere_of(account: Account, period: Period) -> QuerySet[MadeElsewhere]:
    """Posts of the period that the account's network lists and that we did not publish, newest first."""
    rows = not_ours().filter(account=account, published_at__gte=period.begins_at, published_at__lt=period.ends_at)
    return rows.order_by("-published_at", "-pk")


def period_of(since: str, until: str, *, zone: str, days: int = 30) -> Period:
    """What the URL asks for, made sensible: never the future, never more than 400 days, never backwards."""
    today = clock.now().astimezone(ZoneInfo(zone)).date()
    last = min(_day(until) or today, today)
    first = _day(since) or last - timedelta(days=days - 1)
    first = min(max(first, last - LONGEST + timedelta(days=1)), last)
    return Period(first, last, zone)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
