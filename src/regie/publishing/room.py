"""Room in a network's day: how many posts still fit on an account, and when the next moment is that has room.

Only quotas whose window is half a day or more are planned by; shorter ones are waited out at the hour. A window rolls:
a post needs room in every window that it falls into, also in those of posts planned after it. What went out counts as
the budget counts it (``accounts/budgets.py``), what is planned counts at its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Count, Q

from regie.accounts import budgets
from regie.accounts.budgets import DAILY, Standing
from regie.accounts.models import Account, Budget
from regie.accounts.opening import capabilities_of
from regie.core import clock
from regie.core.times import WallTime
from regie.people import audit, notices
from regie.publishing.contents import COMMENT
from regie.publishing.models import Delivery, Lane, Step
from regie.publishing.states import State

TO_COME = (State.HELD, State.SCHEDULED, State.PREPARING, State.CLAIMED)
WAITS = ~Q(steps__state__in=(Step.State.PUBLISHED, Step.State.DROPPED)) & ~Q(steps__content__has_key=COMMENT)
MINUTE = timedelta(minutes=1)
FAR = timedelta(minutes=5)  # a lane that has to wait longer than this: its deliveries get new times
LANES_AT_ONCE = 20
MOST = 500  # deliveries of an account that get new times at once


@dataclass(frozen=True, slots=True)
class Load:
    """Posts that count from ``at`` on, for the length of the window."""

    at: datetime
    posts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """An account's day at a moment: ``left`` of ``most`` posts in the window that ends there; ``free_at`` the first
    moment from there on that takes one more (the moment itself, when there is room)."""

    account: Account
    at: datetime
    left: int
    most: int
    free_at: datetime

    @property
    def fits(self) -> bool:
        return self.free_at == self.at

    @property
    def is_short(self) -> bool:
        """Worth a word: small quotas always, large ones when little is left."""
        return self.most <= 250 or self.left * 5 < self.most


def daily(account: Account) -> Standing | None:
    """The quota by which the account is planned; None for one without. No query for networks that declare none."""
    if not _is_planned_by_day(account):
        return None
    return next((one for one in budgets.standing(account) if one.is_daily), None)


def room_at(account: Account, at: datetime, *, posts: int = 1, but: Iterable[int] = ()) -> Room | None:
    """How it stands at a moment; None where nothing is counted by the day. ``but``: deliveries to leave out."""
    quota = daily(account)
    if quota is None:
        return None
    loads = _loads(account, quota, at, but)
    left = max(quota.most_calls - sum(one.posts for one in loads if at - quota.per < one.at <= at), 0)
    free_at = _first_free(loads, quota, at, min(posts, quota.most_calls))
    return Room(account=account, at=at, left=left, most=quota.most_calls, free_at=free_at)


def left_today(accounts: Iterable[Account], *, until: datetime) -> list[Room]:
    """How each account's day stands, of those that are planned by the day: what went out in the last window and what
    is planned until ``until`` (the day's end). Two queries, whatever their number."""
    planned_by = [account for account in accounts if _is_planned_by_day(account)]
    if not planned_by:
        return []
    now, rows = clock.now(), dict[int, list[Budget]]()
    for row in Budget.objects.filter(account__in=planned_by):
        rows.setdefault(row.account_id or 0, []).append(row)
    planned = dict(
        Delivery.objects.filter(account__in=planned_by, state__in=TO_COME, due_at__lt=until, variant__by_hand=False)
        .order_by()
        .values_list("account")
        .annotate(posts=Count("steps", filter=WAITS))
    )
    found = []
    for account in planned_by:
        quota = next(one for one in budgets.standing(account, rows=rows.get(account.pk, ())) if one.is_daily)
        left = max(quota.calls - planned.get(account.pk, 0), 0)
        found.append(Room(account=account, at=now, left=left, most=quota.most_calls, free_at=now if left else until))
    return found


def _is_planned_by_day(account: Account) -> bool:
    quotas = budgets.needs(capabilities_of(account).quotas, "publish")
    return any(need.quota.per >= DAILY and not need.quota.shared for need in quotas)


def _loads(account: Account, quota: Standing, at: datetime, but: Iterable[int]) -> list[Load]:
    """What counts around a moment and after it, earliest first. One query; what is past counts in the budget's row."""
    since = max(at - quota.per, clock.now() - quota.per)
    rows = (
        Delivery.objects.filter(account=account, state__in=TO_COME, due_at__gt=since, variant__by_hand=False)
        .exclude(pk__in=list(but))
        .annotate(posts=Count("steps", filter=WAITS))
        .order_by("due_at")
        .values_list("due_at", "posts")
    )
    planned = [Load(max(due_at, clock.now()), max(posts, 1)) for due_at, posts in rows[: 20 * quota.most_calls + 1000]]
    return sorted([*_spent(account, quota), *planned], key=lambda one: one.at)


def _spent(account: Account, quota: Standing) -> list[Load]:
    now = clock.now()
    if quota.resets_at is not None:  # the network's own word: all of it comes back at once
        used = quota.most_calls - quota.calls
        return [Load(quota.resets_at - quota.per, used)] if used else []
    row = account.budgets.filter(name=quota.name).first()
    if row is None:
        return []
    return [Load(end - quota.per, -(-points // quota.points)) for end, points in budgets.spent_in(row, now)]


def _first_free(loads: Sequence[Load], quota: Standing, at: datetime, posts: int) -> datetime:
    if sum(one.posts for one in loads if at - quota.per < one.at < at + quota.per) + posts <= quota.most_calls:
        return at
    for moment in (at, *(_on_the_minute(one.at + quota.per) for one in loads if one.at + quota.per > at)):
        if _fits(loads, quota, moment, posts):
            return moment
    return _on_the_minute(max(one.at for one in loads) + quota.per)


def _fits(loads: Sequence[Load], quota: Standing, at: datetime, posts: int) -> bool:
    near = [one for one in loads if at - quota.per < one.at < at + quota.per]
    ends = [at, *(one.at for one in near if one.at > at)]
    return all(
        sum(one.posts for one in near if end - quota.per < one.at <= end) + posts <= quota.most_calls for end in ends
    )


def _on_the_minute(moment: datetime) -> datetime:
    """The next whole minute: people plan by them."""
    whole = moment.replace(second=0, microsecond=0)
    return whole if whole == moment else whole + MINUTE


def fitting(account: Account, at: WallTime, *, posts: int = 1, but: Iterable[int] = ()) -> WallTime:
    """The time itself, or the next that has room on that account, on the same clocks."""
    room = room_at(account, at.utc, posts=posts, but=but)
    return at if room is None or room.fits else WallTime.exactly(room.free_at, at.zone)


# At the hour: what the network does not take today


def spread_what_waits() -> int:
    """Gives new times to what cannot go out for long because its network's window is used up. Returns how many."""
    now = clock.now()
    lanes = Lane.objects.filter(
        Q(leased_until=None) | Q(leased_until__lt=now), not_before__gt=now + FAR, next_at__lte=now
    ).order_by("not_before")[:LANES_AT_ONCE]
    return sum(_spread(lane) for lane in lanes)


@transaction.atomic
def _spread(lane: Lane) -> int:
    account, until = lane.account, lane.not_before
    assert until is not None
    rows = list(
        Delivery.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(account=account, state=State.SCHEDULED, due_at__lt=until, variant__by_hand=False)
        .select_related("variant__post", "scheduled_by", "workspace")
        .order_by("due_at", "pk")[:MOST]
    )
    late = [row for row in rows if _is_too_late(row)]
    moved = [row for row in rows if row not in late and _to_the_next_room(row, account, until)]
    _tell(account, moved)
    return len(moved) + len(late)


def _is_too_late(row: Delivery) -> bool:
    """Nobody was there when its time came, and its patience is over: that is not moved, but a person's to decide."""
    patience = max(timedelta(minutes=row.late_minutes), FAR)
    if row.next_at > row.due_at or row.due_at + patience >= clock.now():
        return False
    if row.steps.filter(state=Step.State.UNCLEAR).exists():
        return False
    row.state = State.PARTLY if row.steps.filter(state=Step.State.PUBLISHED).exists() else State.MISSED
    row.to_tell = True
    row.save(update_fields=["state", "to_tell"])
    return True


def _to_the_next_room(row: Delivery, account: Account, until: datetime) -> bool:
    """A later promise instead of a missed one. What waits to be tried again keeps its own time."""
    if row.next_at > row.due_at:
        return False
    steps = row.steps.exclude(state=Step.State.DROPPED).exclude(content__has_key=COMMENT)
    before, posts = row.due_at, steps.count()
    room = room_at(account, _on_the_minute(until), posts=posts, but=[row.pk])
    at = WallTime.exactly(room.free_at if room is not None else _on_the_minute(until), row.zone)
    for _ in range(10):
        row.spread_from = row.spread_from or before
        row.local_at, row.zone, row.due_at, row.next_at = at.local, at.zone, at.utc, at.utc
        try:
            with transaction.atomic():
                row.save(update_fields=["local_at", "zone", "due_at", "next_at", "spread_from"])
        except IntegrityError:  # the same post is planned for that very minute
            at = WallTime.exactly(at.utc + MINUTE, row.zone)
            continue
        audit.record(
            by=None,
            did="delivery.spread",
            to=row,
            label=f"{row.variant.post} · {account}"[:200],
            before=before.isoformat(),
            after=row.due_at.isoformat(),
        )
        return True
    return False


def _tell(account: Account, moved: Sequence[Delivery]) -> None:
    """Each person who planned some of them, once for all of theirs."""
    theirs: dict[int, list[Delivery]] = {}
    for row in moved:
        if row.scheduled_by is not None:
            theirs.setdefault(row.scheduled_by.pk, []).append(row)
    for rows in theirs.values():
        user = rows[0].scheduled_by
        assert user is not None
        notices.tell(
            [user],
            workspace=account.workspace_id,
            kind="delivery.spread",
            key=f"delivery.spread:{account.pk}:{rows[0].pk}:{rows[-1].due_at:%Y%m%dT%H%M}",
            facts={"account": account.in_full, "count": len(rows)},
            path=f"calendar/?account={account.pk}&view=list&on={rows[0].due_at:%Y-%m-%d}",
        )
