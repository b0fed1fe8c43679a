"""Reading the calendar: one query for a range of days, whatever it holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Min, Q, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Coalesce, Left, NullIf

from regie.measure.elsewhere import not_ours
from regie.people.scope import Scope
from regie.planner.models import Occurrence, Recurrence
from regie.publishing.models import Delivery
from regie.publishing.queries import SHOWN
from regie.publishing.states import LIMITED, MOVABLE, NEEDS_A_PERSON, OPEN, State
from regie.studio.models import Variant

LONGEST_RANGE = timedelta(days=62)

GROUPS: dict[str, frozenset[str]] = {
    "open": frozenset(OPEN),
    "needs_me": frozenset(NEEDS_A_PERSON),
    "published": frozenset((State.PUBLISHED,)),
    "limited": frozenset((LIMITED,)),
    "cancelled": frozenset((State.CANCELLED,)),
}
"""What the calendar can be narrowed to. Without a filter all but the cancelled ones are shown."""

ELSEWHERE = "elsewhere"
"""The state of a post that the account's network lists and that we did not publish."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One delivery on the calendar, or a post made elsewhere. ``at`` is on the clocks of the person who looks.

    url: where a post made elsewhere stands on its network; deliveries have a page of ours
    """

    pk: int
    post: int
    at: datetime
    state: str
    network: str
    account: str
    text: str
    workspace: str
    workspace_id: int
    gone: bool
    repeats: bool
    url: str = ""

    @property
    def movable(self) -> bool:
        return self.state in MOVABLE


class RangeTooLong(ValueError):
    """More than LONGEST_RANGE was asked for."""


def entries(
    scope: Scope,
    *,
    since: date,
    until: date,
    zone: str,
    account: int | None = None,
    state: str = "",
    campaign: int | None = None,
) -> list[Entry]:
    """The deliveries due from the first to the last day, both included, as days are counted in ``zone``; and what their
    accounts published elsewhere, unless it is narrowed to a state or a campaign of ours.

    Shape:  oldest first.
    Text:   the post's name for the team, else the first line of what the account shows, at most 140 characters.
    Raises: RangeTooLong past 62 days.
    """
    if until - since > LONGEST_RANGE:
        raise RangeTooLong
    clock = ZoneInfo(zone)
    begin = datetime.combine(since, datetime.min.time(), clock)
    end = datetime.combine(until + timedelta(days=1), datetime.min.time(), clock)
    with_others = campaign is None and state in ("", ELSEWHERE)
    others = _elsewhere(scope, begin, end, account) if with_others else []
    if state == ELSEWHERE:
        return others
    rows = Delivery.objects.filter(workspace__in=scope.workspace_ids(), due_at__gte=begin, due_at__lt=end)
    if account is not None:
        rows = rows.filter(account=account)
    if campaign is not None:
        rows = rows.filter(variant__post__campaign=campaign)
    rows = rows.annotate(seen_as=SHOWN)
    rows = rows.filter(seen_as__in=GROUPS[state]) if state in GROUPS else rows.exclude(state=State.CANCELLED)
    found = rows.order_by("due_at", "pk").values_list(
        "pk",
        "variant__post_id",
        "due_at",
        "seen_as",
        "account__network",
        "account__name",
        _text(),
        "workspace__name",
        "workspace_id",
        "gone_at",
        "occurrence__recurrence",
    )
    ours = [
        Entry(
            pk,
            post,
            at.astimezone(clock),
            state_,
            network,
            name,
            text.split("\n")[0],
            place,
            place_id,
            gone is not None,
            rule is not None,
        )
        for pk, post, at, state_, network, name, text, place, place_id, gone, rule in found
    ]
    return sorted([*ours, *others], key=lambda entry: entry.at) if others else ours


def _elsewhere(scope: Scope, begin: datetime, end: datetime, account: int | None) -> list[Entry]:
    rows = not_ours().filter(workspace__in=scope.workspace_ids(), published_at__gte=begin, published_at__lt=end)
    if account is not None:
        rows = rows.filter(account=account)
    names = ("pk", "published_at", "account__network", "account__name", "workspace__name", "workspace_id", "gone_at")
    found = rows.order_by("published_at", "pk").values_list(*names, "url", Left("text", 140))
    return [
        Entry(
            pk=pk,
            post=0,
            at=at.astimezone(begin.tzinfo),
            state=ELSEWHERE,
            network=network,
            account=name,
            text=text.split("\n")[0],
            workspace=place,
            workspace_id=place_id,
            gone=gone is not None,
            repeats=False,
            url=url,
        )
        for pk, at, network, name, place, place_id, gone, url, text in found
    ]


def _text() -> Left:
    own, shared = (
        KeyTextTransform("text", KeyTransform(0, KeyTransform("parts", field)))
        for field in ("variant__content", "variant__post__content")
    )
    title = NullIf("variant__post__title", Value(""))
    return Left(Coalesce(title, own, shared, Value(""), output_field=TextField()), 140)


def by_day(found: Sequence[Entry]) -> dict[date, list[Entry]]:
    days: dict[date, list[Entry]] = {}
    for entry in found:
        days.setdefault(entry.at.date(), []).append(entry)
    return days


# Posts that come again

SHOWN_DATES = 30


def recurrences_seen(scope: Scope) -> QuerySet[Recurrence]:
    """The rules of all the person's workspaces."""
    return Recurrence.objects.filter(workspace__in=[seat.workspace_id for seat in scope.members]).select_related(
        "post", "workspace", "created_by"
    )


def recurrences(scope: Scope, *, ended: bool = False) -> QuerySet[Recurrence]:
    """Those in view; of those that go on, the one whose next delivery comes first."""
    rows = Recurrence.objects.filter(workspace__in=scope.workspace_ids()).select_related("post", "workspace")
    if ended:
        return rows.filter(stopped_at__isnull=False).order_by("-stopped_at", "-pk")
    waiting = Q(occurrences__delivery__state__in=OPEN)
    return (
        rows.filter(stopped_at=None)
        .annotate(next_at=Min("occurrences__delivery__due_at", filter=waiting))
        .order_by("next_at", "-pk")
    )


@dataclass(frozen=True, slots=True)
class Line:
    """One rule in the list. ``accounts``: (network, name)."""

    row: Recurrence
    accounts: tuple[tuple[str, str], ...]


def lines(rows: Iterable[Recurrence]) -> list[Line]:
    """With the accounts of their posts, in one query."""
    found = list(rows)
    there: dict[int, list[tuple[str, str]]] = {}
    variants = Variant.objects.filter(post__in={row.post_id for row in found}, dropped_at=None).order_by("pk")
    for post, network, name in variants.values_list("post", "account__network", "account__name"):
        there.setdefault(post, []).append((network, name))
    return [Line(row, tuple(there.get(row.post_id, ()))) for row in found]


@dataclass(frozen=True, slots=True)
class DateToCome:
    """A date of a rule with its deliveries: ``movable`` when none of them has begun."""

    day: date
    deliveries: tuple[Delivery, ...]

    @property
    def movable(self) -> bool:
        return any(delivery.state in MOVABLE for delivery in self.deliveries)


def dates_to_come(row: Recurrence) -> list[DateToCome]:
    """The next dates whose deliveries are made, earliest first. One query."""
    found: dict[date, list[Delivery]] = {}
    made = Occurrence.objects.filter(recurrence=row, delivery__state__in=OPEN | {State.MISSED}).order_by("date", "pk")
    for one in made.select_related("delivery__account")[: SHOWN_DATES * 20]:
        found.setdefault(one.date, []).append(one.delivery)
    return [DateToCome(day, tuple(deliveries)) for day, deliveries in list(found.items())[:SHOWN_DATES]]
