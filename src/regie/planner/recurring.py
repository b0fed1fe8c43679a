"""Writing recurrences: begin, change one date or the rest or all, leave out, stop; and making what comes next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from regie.core import clock
from regie.core.errors import Problem
from regie.core.times import WallTime
from regie.people import audit, notices
from regie.people.models import Member, User
from regie.planner import rules
from regie.planner.errors import NoDates
from regie.planner.models import Occurrence, Recurrence
from regie.publishing import services as publishing
from regie.publishing.errors import AlreadyPlanned
from regie.publishing.models import Delivery
from regie.publishing.states import MOVABLE, State
from regie.studio import services as studio
from regie.studio.models import Post

HORIZON = timedelta(days=62)  # deliveries are made so far ahead: what the calendar can show at once
MOST_AT_ONCE = 400  # deliveries made for one rule in one go; the next goes on from there
RULES_AT_ONCE = 100
TRY_AGAIN = timedelta(hours=1)  # after trouble, such as a post that is not ready
YEARS = timedelta(days=5 * 366)
MOST_COUNT = 1000
NOT_BEGUN = tuple(MOVABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """When a post comes again. ``rule`` as ``rules.checked`` gives it; at most one of ``until`` and ``count``."""

    rule: str
    first_on: date
    local_time: time
    zone: str
    until: date | None = None
    count: int | None = None
    late_minutes: int = 60

    def at(self, day: date) -> WallTime:
        return WallTime(datetime.combine(day, self.local_time), self.zone)


def pattern_of(row: Recurrence) -> Pattern:
    names = Pattern.__dataclass_fields__
    return Pattern(**{name: getattr(row, name) for name in names})


def today_in(zone: str) -> date:
    return clock.now().astimezone(ZoneInfo(zone)).date()


# Beginning


@transaction.atomic
def begin(*, post: Post, pattern: Pattern, by: Member) -> Recurrence:
    """Promises a post again and again. The dates of the next two months are promised at once, the others as they come.

    Raises NotAllowed; NoDates; what ``publishing.schedule`` raises for the first of them.
    """
    by.must("schedule", post)
    _must_make_sense(pattern)
    row = Recurrence.objects.create(workspace=post.workspace, post=post, created_by=by.user, **_fields(pattern))
    _make(row, by=by)
    _must_have_a_future(row)
    audit.record(by=by, did="recurrence.begun", to=row, label=str(post)[:200], rule=row.rule)
    return row


def _fields(pattern: Pattern) -> dict[str, object]:
    return {name: getattr(pattern, name) for name in Pattern.__dataclass_fields__}


def next_date(row: Recurrence) -> date | None:
    """The first date of the rule that is still to come; None when there is none within five years."""
    return next(iter(day for day in _to_come(row, today_in(row.zone) + YEARS) if day not in row.exceptions), None)


def _must_have_a_future(row: Recurrence) -> None:
    if next_date(row) is None:
        raise NoDates(_("This rule has no date that is still to come."))


def _must_make_sense(pattern: Pattern) -> None:
    rules.checked(pattern.rule)
    if pattern.count is not None and not 1 <= pattern.count <= MOST_COUNT:
        raise Problem(_("A post comes again between 1 and {most} times.").format(most=MOST_COUNT))
    if pattern.until is not None and pattern.until < pattern.first_on:
        raise Problem(_("The end is before the beginning."))
    if not 2000 <= pattern.first_on.year <= 2200 or not rules.has_dates(pattern.rule, pattern.first_on):
        raise NoDates(_("This rule has no date that is still to come."))


# Making what comes next


def extend() -> int:
    """Makes the deliveries that have come within the horizon. Safe to run at the same time: each rule is one's at a
    time, and a date can be made once. Returns how many it made."""
    made = 0
    for pk in _due():
        made += _extend(pk)
    return made


def _due() -> list[int]:
    soon, calm = clock.now().date() + HORIZON, Q(tried_at=None) | Q(tried_at__lt=clock.now() - TRY_AGAIN)
    running = Recurrence.objects.filter(calm, stopped_at=None).filter(Q(made_until=None) | Q(made_until__lt=soon))
    return list(running.order_by("made_until", "pk").values_list("pk", flat=True)[:RULES_AT_ONCE])


@transaction.atomic
def _extend(pk: int) -> int:
    row = (
        Recurrence.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("post__workspace", "created_by")
        .filter(pk=pk, stopped_at=None)
        .first()
    )
    if row is None:
        return 0
    by = _speaker(row)
    if by is None:
        _say_trouble(row, _("Nobody who may schedule is left in this workspace."), [])
        return 0
    try:
        with transaction.atomic():
            made = _make(row, by=by)
    except Problem as problem:
        _say_trouble(row, problem.said, _concerned(row))
        return 0
    _end_when_over(row)
    return made


def _speaker(row: Recurrence) -> Member | None:
    """In whose name it goes on: who began it, else somebody who may schedule here."""
    seats = [seat for seat in row.workspace.members.select_related("user") if seat.may("schedule")]
    return next((seat for seat in seats if seat.user_id == row.created_by_id), next(iter(seats), None))


def _make(row: Recurrence, *, by: Member) -> int:
    """Promises the dates up to the horizon that have no delivery yet. Returns how many deliveries it made."""
    pattern, horizon = pattern_of(row), today_in(row.zone) + HORIZON
    days = [day for day in _to_come(row, horizon) if day not in row.exceptions]
    variants = list(row.post.variants.filter(dropped_at=None).values_list("pk", flat=True))
    there = set(Occurrence.objects.filter(recurrence=row, date__in=days).values_list("date", "variant"))
    made = 0
    for day in days:
        wanted = [variant for variant in variants if (day, variant) not in there]
        if not wanted:
            continue
        if made + len(wanted) > MOST_AT_ONCE:
            horizon = day - timedelta(days=1)
            break
        made += _make_one(row, pattern, day, wanted, by=by)
    row.made_until, row.problem, row.tried_at = max(horizon, row.first_on - timedelta(days=1)), "", None
    row.save(update_fields=["made_until", "problem", "tried_at"])
    return made


def _to_come(row: Recurrence, horizon: date) -> list[date]:
    pattern, now = pattern_of(row), clock.now()
    days = rules.dates(
        row.rule,
        row.first_on,
        since=today_in(row.zone) - timedelta(days=1),
        to=max(horizon, row.first_on),
        until=row.until,
        count=row.count,
    )
    return [day for day in days if pattern.at(day).utc > now]


def _make_one(row: Recurrence, pattern: Pattern, day: date, variants: list[int], *, by: Member) -> int:
    try:
        deliveries = publishing.schedule_again(
            post=row.post, at=pattern.at(day), by=by, late_minutes=row.late_minutes, only=variants
        )
    except AlreadyPlanned:  # by hand, for the very same minute: that one counts
        at = pattern.at(day)
        deliveries = list(
            Delivery.objects.filter(variant__in=variants, local_at=at.local, zone=at.zone, occurrence=None).exclude(
                state=State.CANCELLED
            )
        )
    Occurrence.objects.bulk_create(
        Occurrence(recurrence=row, date=day, variant_id=delivery.variant_id, delivery=delivery)
        for delivery in deliveries
    )
    return len(deliveries)


def _end_when_over(row: Recurrence) -> None:
    """A rule whose last date has passed rests."""
    last = today_in(row.zone) + HORIZON
    over = (row.until is not None and row.until < last) or row.count is not None
    if over and not _to_come(row, date(2200, 12, 31) if row.count is not None else last):
        row.stopped_at = clock.now()
        row.save(update_fields=["stopped_at"])


def _say_trouble(row: Recurrence, said: str, users: Iterable[User]) -> None:
    """Kept on the rule, and told once for each reason; the next round tries again."""
    known = row.problem == said
    row.problem, row.tried_at = said, clock.now()
    row.save(update_fields=["problem", "tried_at"])
    if known:
        return
    notices.tell(
        users,
        workspace=row.workspace_id,
        kind="recurrence.stuck",
        key=f"recurrence.stuck:{row.pk}:{clock.now():%Y%m%dT%H%M%S}",
        facts={"post": str(row.post), "why": said},
        path=f"calendar/recurring/{row.pk}/",
        urgent=True,
    )


def _concerned(row: Recurrence) -> list[User]:
    people = {user.pk: user for user in notices.members_who_may(row.workspace_id, "schedule")}
    mine = people.get(row.created_by_id or 0)
    return [mine] if mine is not None else list(people.values())


# Changing


def _locked(row: Recurrence, by: Member) -> Recurrence:
    by.must("schedule", row)
    found = Recurrence.objects.select_for_update(of=("self",)).select_related("post__workspace").get(pk=row.pk)
    if found.stopped_at is not None:
        raise Problem(_("It has ended already."))
    return found


@transaction.atomic
def change_all(row: Recurrence, *, pattern: Pattern, by: Member) -> Recurrence:
    """Another rule, time or end for every date that has not begun. What is out, or on its way, stays as it was."""
    row = _locked(row, by)
    _must_make_sense(pattern)
    for name, value in _fields(pattern).items():
        setattr(row, name, value)
    row.made_until = None
    row.save()
    _follow(row, by=by)
    _make(row, by=by)
    _must_have_a_future(row)
    audit.record(by=by, did="recurrence.changed", to=row, label=str(row.post)[:200], rule=row.rule)
    return row


def _open(row: Recurrence, since: date | None = None) -> QuerySet[Occurrence]:
    """Its dates whose delivery has not begun."""
    found = Occurrence.objects.filter(recurrence=row, delivery__state__in=NOT_BEGUN).select_related(
        "delivery__account", "variant"
    )
    return found.filter(date__gte=since) if since is not None else found


def _follow(row: Recurrence, *, by: Member) -> None:
    """Deliveries of dates that the rule still has move to its time; those of the others are cancelled."""
    pattern = pattern_of(row)
    days = set(_to_come(row, today_in(row.zone) + HORIZON)) - {*row.exceptions}
    for one in _open(row):
        at = pattern.at(one.date)
        if one.date not in days:
            publishing.cancel(one.delivery, by=by)
            one.delete()  # the date may come back with another rule
        elif WallTime(one.delivery.local_at, one.delivery.zone) != at:
            publishing.move(one.delivery, at=at, by=by)
    Delivery.objects.filter(occurrence__recurrence=row, state__in=NOT_BEGUN).update(late_minutes=row.late_minutes)


@transaction.atomic
def change_rest(row: Recurrence, *, since: date, pattern: Pattern, by: Member, copy: bool = False) -> Recurrence:
    """From a date on, another rule or time, or (``copy``) a text of its own: the old one ends before that date.

    Returns the recurrence of the rest, with a copy of the post when ``copy``.
    """
    row = _locked(row, by)
    if since <= row.first_on and not copy:
        return change_all(row, pattern=pattern, by=by)
    count = _count_of_the_rest(row, since, pattern.count)
    _end_before(row, since, by=by)
    post = studio.duplicate(post=row.post, by=by) if copy else row.post
    first_on = max(since, pattern.first_on)
    kept = [day for day in row.exceptions if day >= since]
    made = begin(post=post, pattern=replace(pattern, first_on=first_on, count=count), by=by)
    if kept:
        for day in kept:
            made = skip(made, day, by=by)
    return made


def _count_of_the_rest(row: Recurrence, since: date, count: int | None) -> int | None:
    """A number of times that was not changed goes on counting from the first date of all."""
    if count is None or count != row.count:
        return count
    before = rules.dates(row.rule, row.first_on, since=row.first_on, to=since - timedelta(days=1), count=count)
    return max(count - len(before), 1)


def _end_before(row: Recurrence, since: date, *, by: Member) -> None:
    for one in _open(row, since):
        publishing.cancel(one.delivery, by=by)
    row.until, row.count = since - timedelta(days=1), None
    if row.until < row.first_on:
        row.until, row.stopped_at = row.first_on, clock.now()
    row.save(update_fields=["until", "count", "stopped_at"])
    if row.stopped_at is None:
        _end_when_over(row)


@transaction.atomic
def detach(row: Recurrence, day: date, *, by: Member) -> Post:
    """One date with a text of its own: a copy of the post is promised for that time, and the rule leaves it out."""
    row = _locked(row, by)
    times = {(one.delivery.local_at, one.delivery.zone) for one in _open(row).filter(date=day)}
    if not times:
        raise Problem(_("That date is over, or is left out already."))
    skip(row, day, by=by)
    local, zone = min(times)
    post = studio.duplicate(post=row.post, by=by)
    publishing.schedule(post=post, at=WallTime(local, zone), by=by, late_minutes=row.late_minutes)
    return post


@transaction.atomic
def skip(row: Recurrence, day: date, *, by: Member) -> Recurrence:
    """Leaves one date out: an exception of the rule."""
    row = _locked(row, by)
    for one in _open(row).filter(date=day):
        publishing.cancel(one.delivery, by=by)
    if day not in row.exceptions:
        row.exceptions = sorted({*row.exceptions, day})
        row.save(update_fields=["exceptions"])
        audit.record(by=by, did="recurrence.skipped", to=row, label=str(row.post)[:200], date=day.isoformat())
    return row


@transaction.atomic
def take_in(row: Recurrence, day: date, *, by: Member) -> Recurrence:
    """The undo of ``skip``: the date is promised again."""
    row = _locked(row, by)
    row.exceptions = [one for one in row.exceptions if one != day]
    row.save(update_fields=["exceptions"])
    for one in Occurrence.objects.filter(recurrence=row, date=day, delivery__state=State.CANCELLED).select_related(
        "delivery"
    ):
        publishing.undo_cancel(one.delivery, by=by)
    _make(row, by=by)
    audit.record(by=by, did="recurrence.taken_in", to=row, label=str(row.post)[:200], date=day.isoformat())
    return row


@transaction.atomic
def stop(row: Recurrence, *, by: Member) -> int:
    """No more of it: what has not begun is cancelled. Returns how many deliveries that were."""
    row = _locked(row, by)
    cancelled = 0
    for one in _open(row):
        publishing.cancel(one.delivery, by=by)
        cancelled += 1
    row.stopped_at = clock.now()
    row.save(update_fields=["stopped_at"])
    audit.record(by=by, did="recurrence.stopped", to=row, label=str(row.post)[:200], cancelled=cancelled)
    return cancelled
