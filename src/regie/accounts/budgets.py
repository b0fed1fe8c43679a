"""What a network lets us do in a window of time, shared by everything that calls it, on all machines.

Publishing comes first, finding out what became of a doubtful post second, reading and measuring last: these stop while
a reserve is left for publishing. The count lives in the database (``Budget``); a process takes a portion of it in one
visit (``accounts_take``, migration 0004, many wishes at once) and spends it by itself, so that no row is visited for
each call. A portion not used within its lease is given back; one that a dead process held counts as spent until the
window has passed. What the network says of itself is believed over our count.

A ``Purse`` is one process's portions (the publishers'); who calls rarely asks ``take`` or ``wait_until`` each time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from regie.accounts.models import Account, Budget
from regie.accounts.signals import asked_to_wait
from regie.core import clock
from regie.core.threads import in_thread
from regie.networks import registry
from regie.networks.capabilities import Quota
from regie.networks.errors import NetworkError, TryLater
from regie.networks.protocols import SharesQuota

SLICES = 48  # per window, as in migration 0004
LEASE = 30.0  # seconds at most, and at most one slice
SMALL = 100  # quotas below this are taken one by one, so that none of it lies about
PORTION = 0.1  # of the others, unless more is known to be needed
KEPT = gettext_noop("The rest of what the network allows is kept for publishing.")
USED_UP = gettext_noop("What the network allows is used up. We go on as soon as it lets us.")
NO_FILES = gettext_noop("The network takes no more files for now. We upload as soon as it does.")
LOW = 0.1  # of a window: what the network says is left is then told to all
TOLD = timedelta(hours=7)  # for how long a count that was asked for holds; accounts are asked again after six


class Priority(Enum):
    """Who asks. The value is the part of a window that it leaves to those before it."""

    PUBLISH = 0.0
    RECONCILE = 0.05
    READ = 0.2


# Which quotas a call draws from


@dataclass(frozen=True, slots=True)
class Need:
    """One quota, and how many points one call costs there."""

    quota: Quota
    points: int

    @property
    def seconds(self) -> float:
        return self.quota.per.total_seconds()

    @property
    def lease(self) -> float:
        """For how long a portion may be used, in seconds."""
        return min(self.seconds / SLICES, LEASE)

    def want(self, calls: int, known: int = 0) -> int:
        """Points to ask for when ``calls`` are to be made now, and ``known`` in a moment."""
        limit = self.quota.limit
        portion = 1 if limit < SMALL else int(limit * PORTION) // self.points
        return self.points * max(calls, min(max(known, 1), portion))


@lru_cache(maxsize=1000)
def needs(quotas: tuple[Quota, ...], call: str) -> tuple[Need, ...]:
    """What one call (publish, read, upload, delete, like) costs on a network."""
    return tuple(Need(quota, points) for quota in quotas if (points := dict(quota.cost).get(call, 0)))


def key_of(account_id: int, quota: Quota, connector: object) -> str:
    """Under which key a quota is counted."""
    if quota.shared and isinstance(connector, SharesQuota):
        return f"shared:{connector.quota_key()}"[:200]
    return f"account:{account_id}"


# Visits to the database

TAKE = "SELECT number, granted, slice, remaining, free_at FROM accounts_take(%(asks)s::jsonb, MOMENT)"
GIVE = """
WITH given AS (
    SELECT r.*, b.id FROM jsonb_to_recordset(%(gifts)s::jsonb) AS r(key text, name text, slice text, points int)
    JOIN accounts_budget b ON b.key = r.key AND b.name = r.name ORDER BY r.key, r.name FOR UPDATE OF b
), summed AS (SELECT id, slice, sum(points)::int AS points FROM given GROUP BY id, slice)
UPDATE accounts_budget b SET
    spent = jsonb_set(b.spent, ARRAY[s.slice], to_jsonb(greatest((b.spent ->> s.slice)::int - s.points, 0))),
    "left" = b."left" + s.points
FROM summed s WHERE b.id = s.id AND b.spent ->> s.slice IS NOT NULL
"""
HEARD = """
INSERT INTO accounts_budget (key, name, account_id, most, seconds, spent, "left", resets_at)
SELECT DISTINCT ON (r.key, r.name) r.key, r.name, r.account_id, r.most, r.seconds, '{}'::jsonb, r."left", r.resets_at
FROM jsonb_to_recordset(%(words)s::jsonb)
    AS r(key text, name text, account_id bigint, most int, seconds float8, "left" int, resets_at timestamptz)
ORDER BY r.key, r.name, r.resets_at DESC, r."left"
ON CONFLICT (key, name) DO UPDATE SET most = excluded.most, "left" = excluded."left", resets_at = excluded.resets_at
"""
"""In these MOMENT stands for now: whoever runs them says which clock that is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A wish for points. ``least``: what one call needs; ``reserve``: what must stay for others."""

    key: str
    name: str
    account_id: int | None
    most: int
    seconds: float
    want: int
    least: int
    reserve: int

    def row(self, number: int) -> dict[str, Any]:
        return {"number": number, **{name: getattr(self, name) for name in self.__dataclass_fields__}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What came of it. ``free_at``: when to ask again, if nothing was granted."""

    granted: int
    slice: int
    remaining: int
    free_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a network said of a quota: ``left`` of ``most`` until ``resets_at``."""

    key: str
    name: str
    account_id: int | None
    most: int
    seconds: float
    left: int
    resets_at: datetime

    def row(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {
            "resets_at": self.resets_at.isoformat()
        }


def ask_for(
    account_id: int, need: Need, connector: object, *, want: int, least: int = 0, priority: Priority = Priority.PUBLISH
) -> Ask:
    quota = need.quota
    return Ask(
        key=key_of(account_id, quota, connector),
        name=quota.name,
        account_id=None if quota.shared else account_id,
        most=quota.limit,
        seconds=need.seconds,
        want=want,
        least=least or need.points,
        reserve=int(quota.limit * priority.value),
    )


def take(asks: Sequence[Ask]) -> list[Granted]:
    """Visits the database for many wishes at once; the answers in their order."""
    if not asks:
        return []
    with connection.cursor() as cursor:
        rows = json.dumps([ask.row(number) for number, ask in enumerate(asks)])
        cursor.execute(TAKE.replace("MOMENT", "%(now)s"), {"asks": rows, "now": clock.now()})
        found = {row[0]: row[1:] for row in cursor.fetchall()}
    return [
        Granted(granted=found[n][0], slice=found[n][1], remaining=found[n][2], free_at=found[n][3])
        for n in range(len(asks))
    ]


def give(gifts: Iterable[Mapping[str, Any]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(GIVE, {"gifts": json.dumps(list(gifts))})


def heard(words: Iterable[Word]) -> None:
    """Keeps what networks said of their quotas: it counts instead of our own count until it resets."""
    with connection.cursor() as cursor:
        cursor.execute(HEARD, {"words": json.dumps([word.row() for word in words])})


def believe(account: Account) -> None:
    """Counts what was posted elsewhere, too: of its posts a day the network told how many are used (``posts_today``).

    Our own count knows when each post grows old, so it stands unless the network counts more.
    """
    used = account.limits.get("posts_today")
    quotas = registry.connector(account.network).can_on(account.limits).quotas
    quota = next((one for one in quotas if one.name == "posts" and not one.shared and one.per >= DAILY), None)
    if quota is None or not isinstance(used, int):
        return
    now = clock.now()
    row = Budget.objects.filter(key=key_of(account.pk, quota, None), name=quota.name).first()
    told_before = row is not None and row.resets_at is not None and row.resets_at > now
    ours = sum(points for _end, points in spent_in(row, now)) if row is not None else 0
    if used <= ours and not told_before:
        return
    word = Word(
        key=key_of(account.pk, quota, None),
        name=quota.name,
        account_id=account.pk,
        most=quota.limit,
        seconds=quota.per.total_seconds(),
        left=max(quota.limit - used, 0),
        resets_at=now + TOLD,
    )
    heard([word])


def gift(key: str, name: str, granted: Granted, points: int) -> dict[str, Any]:
    """Points of a portion that were not needed, as ``give`` wants them."""
    return {"key": key, "name": name, "slice": str(granted.slice), "points": points}


# For those who call rarely


def wait_until(
    account: Account, connector: object, call: str, *, times: int = 1, priority: Priority = Priority.READ
) -> datetime | None:
    """Counts ``times`` calls and gives None: go ahead; or until when to leave the network alone.

    Either all quotas that the call draws from grant it, or nothing is counted.
    """
    until = Account.objects.filter(pk=account.pk).values_list("not_before", flat=True).first()
    if until is not None and until > clock.now():
        return until
    wanted = needs(registry.connector(account.network).can_on(account.limits).quotas, call)
    asks = [
        ask_for(
            account.pk,
            need,
            connector,
            want=(n := min(need.points * times, need.quota.limit)),
            least=n,
            priority=priority,
        )
        for need in wanted
    ]
    granted = take(asks)
    free = [answer.free_at for answer in granted if answer.free_at is not None]
    if not free:
        return None
    give(gift(ask.key, ask.name, answer, answer.granted) for ask, answer in zip(asks, granted, strict=True))
    return max(free)


async def must_have_room(
    account: Account, connector: object, call: str, *, times: int = 1, priority: Priority = Priority.READ
) -> None:
    """As ``wait_until``, for those who know what to do when a network asks for patience: raises SavedForLater."""
    until = await in_thread(wait_until, account, connector, call, times=times, priority=priority)
    if until is not None:
        raise SavedForLater(KEPT, not_before=until)


class SavedForLater(TryLater):
    """We did not ask the network at all: its allowance is used up, or kept for those who come first."""


def asked_for_patience(problem: NetworkError) -> bool:
    """Whether it was the network that asked (429), and not we who kept quiet."""
    return problem.answer is not None and problem.answer.status == 429


def ask_to_wait(account_id: int, until: datetime) -> None:
    """The network told us to leave it alone (429, Retry-After): all who speak for the account obey, on all machines."""
    rows = Account.objects.filter(pk=account_id)
    if rows.filter(Q(not_before=None) | Q(not_before__lt=until)).update(
        not_before=Greatest(Coalesce("not_before", until), until)
    ):
        asked_to_wait.send(Account, account_id=account_id, until=until)


# What people see


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a quota stands now. ``calls``: how many posts are left; ``most_calls``: of how many; ``per`` its window."""

    name: str
    left: int
    most: int
    per: timedelta
    points: int
    resets_at: datetime | None

    @property
    def calls(self) -> int:
        return self.left // self.points

    @property
    def most_calls(self) -> int:
        return self.most // self.points

    @property
    def words(self) -> str:
        """What people read: the quota's own name is ours alone, and all are told in posts."""
        return _("Posts in %(time)s") % {"time": _span(self.per)}

    @property
    def is_daily(self) -> bool:
        return self.per >= DAILY


DAILY = timedelta(hours=12)  # quotas with at least this window are planned by


def _span(per: timedelta) -> str:
    seconds = int(per.total_seconds())
    if seconds >= 3600:
        return ngettext("{n} hour", "{n} hours", seconds // 3600).format(n=seconds // 3600)
    if seconds >= 60:
        return ngettext("{n} minute", "{n} minutes", seconds // 60).format(n=seconds // 60)
    return ngettext("{n} second", "{n} seconds", seconds).format(n=seconds)


def spent_in(row: Budget, now: datetime) -> list[tuple[datetime, int]]:
    """(when it no longer counts, points) of what was taken, oldest first."""
    width = row.seconds / SLICES
    lease = min(width, LEASE)
    ends = (
        (datetime.fromtimestamp((int(at) + 1) * width + row.seconds + lease, UTC), int(points))
        for at, points in row.spent.items()
    )
    return sorted((end, points) for end, points in ends if end > now and points)


def standing(account: Account, call: str = "publish", rows: Iterable[Budget] | None = None) -> list[Standing]:
    """How the account's own quotas for a call stand, those with the longest window first."""
    now = clock.now()
    kept = {row.name: row for row in (account.budgets.all() if rows is None else rows)}
    found = []
    for need in needs(registry.connector(account.network).can_on(account.limits).quotas, call):
        if need.quota.shared:
            continue
        row, most, resets_at = kept.get(need.quota.name), need.quota.limit, None
        left = most
        if row is not None and row.left is not None and row.resets_at is not None and row.resets_at > now:
            left, most, resets_at = row.left, row.most, row.resets_at
        elif row is not None:
            left = most - sum(points for _end, points in spent_in(row, now))
        found.append(
            Standing(
                name=need.quota.name,
                left=max(left, 0),
                most=most,
                per=need.quota.per,
                points=need.points,
                resets_at=resets_at,
            )
        )
    return sorted(found, key=lambda one: -one.per)
