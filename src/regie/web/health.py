"""How the installation is: publishers, what is due, leases, quotas, tokens, webhooks, jobs.

All of it from the database, so that every web process says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Max, Min, Q, QuerySet

from regie.accounts.budgets import standing
from regie.accounts.models import Account
from regie.accounts.queries import ending_soon
from regie.community.models import Intake
from regie.core import clock
from regie.people.scope import Scope
from regie.publishing.models import Delivery, Lane, Publisher
from regie.publishing.queries import SILENT, Histogram, histogram
from regie.publishing.states import State

WAITED_LONG = timedelta(seconds=30)  # a due delivery older than this is shown as trouble
QUEUE_LONG = timedelta(minutes=10)
SKEW_MOST = 1000.0  # milliseconds
LOW = 0.1  # of a quota
DAY = timedelta(days=1)
DAYS = 30  # of punctuality


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherSeen:
    """``seen``: seconds since it last reported; ``skew_ms``: its clock minus the database's."""

    name: str
    alive: bool
    seen: float
    skew_ms: float
    sending: int
    started_at: datetime
    only: str = ""

    @property
    def sends(self) -> bool:
        """Whether posts go out while it is the only one."""
        return self.only != "video"

    @property
    def is_off(self) -> bool:
        return abs(self.skew_ms) > SKEW_MOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What an account has left of a network's allowance, in calls."""

    account: Account
    name: str
    words: str
    left: int
    most: int
    resets_at: datetime | None

    @property
    def is_low(self) -> bool:
        return self.left <= self.most * LOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Jobs of a queue. ``oldest``: seconds that the first of those that may run now has waited."""

    name: str
    waiting: int
    running: int
    failed: int
    oldest: float

    @property
    def is_long(self) -> bool:
        return self.oldest > QUEUE_LONG.total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Leases:
    held: int
    expired: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """What networks brought to us in the last 24 hours. ``unknown``: kept, but nobody understood it."""

    day: int
    unknown: int
    waiting: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """``due_age``: seconds that the oldest due delivery has waited; None: nothing waits."""

    publishers: Sequence[PublisherSeen]
    due_age: float | None
    due: int
    states: dict[str, int]
    leases: Leases
    quotas: Sequence[Quota]
    ending: Sequence[Account]
    broken: Sequence[Account]
    webhooks: Webhooks
    queues: Sequence[Queue]
    punctuality: Histogram

    @property
    def alive(self) -> int:
        return sum(one.alive and one.sends for one in self.publishers)

    @property
    def is_late(self) -> bool:
        return self.due_age is not None and self.due_age > WAITED_LONG.total_seconds()


def health(scope: Scope | None = None) -> Health:
    """Of the workspaces in view, or (None) of all. Publishers, leases, jobs are the installation's in both cases."""
    now, accounts, deliveries = clock.now(), _accounts(scope), _deliveries(scope)
    waiting = deliveries.filter(state=State.SCHEDULED, next_at__lte=now).aggregate(n=Count("pk"), first=Min("next_at"))
    connected = list(accounts.filter(state=Account.State.CONNECTED).prefetch_related("budgets"))
    return Health(
        publishers=publishers(),
        due_age=(now - waiting["first"]).total_seconds() if waiting["first"] else None,
        due=waiting["n"],
        states=_states(deliveries),
        leases=_leases(now),
        quotas=[one for account in connected for one in _quotas(account)],
        ending=ending_soon(accounts),
        broken=list(accounts.filter(state=Account.State.BROKEN)),
        webhooks=_webhooks(scope, now),
        queues=queues(),
        punctuality=histogram(deliveries, days=DAYS),
    )


def _accounts(scope: Scope | None) -> QuerySet[Account]:
    rows = Account.objects.exclude(state=Account.State.REMOVED).select_related("workspace").order_by("name", "pk")
    return rows if scope is None else rows.filter(workspace__in=scope.workspace_ids())


def _deliveries(scope: Scope | None) -> QuerySet[Delivery]:
    rows = Delivery.objects.all()
    return rows if scope is None else rows.filter(workspace__in=scope.workspace_ids())


def _states(deliveries: QuerySet[Delivery]) -> dict[str, int]:
    found = deliveries.order_by().values_list("state").annotate(Count("pk"))
    return dict.fromkeys(State.values, 0) | dict(found)


def publishers() -> list[PublisherSeen]:
    """Those that reported within a day, the living first."""
    now = clock.now()
    rows = [
        PublisherSeen(
            name=row.name,
            alive=row.seen_at >= now - SILENT,
            seen=(now - row.seen_at).total_seconds(),
            skew_ms=row.skew_ms,
            sending=row.sending,
            started_at=row.started_at,
            only=row.given_to,
        )
        for row in Publisher.objects.order_by("name")
    ]
    return sorted(rows, key=lambda one: not one.alive)


def _leases(now: datetime) -> Leases:
    """Of deliveries and lanes. One that ran out a moment ago is taken back by the next sweep."""
    held = expired = 0
    for rows in (Delivery.objects.all(), Lane.objects.all()):
        found = rows.filter(leased_until__isnull=False).aggregate(
            held=Count("pk", filter=Q(leased_until__gte=now)), expired=Count("pk", filter=Q(leased_until__lt=now))
        )
        held, expired = held + found["held"], expired + found["expired"]
    return Leases(held=held, expired=expired)


def _quotas(account: Account) -> list[Quota]:
    return [
        Quota(
            account=account,
            name=one.name,
            words=one.words,
            left=one.calls,
            most=one.most_calls,
            resets_at=one.resets_at,
        )
        for one in standing(account, rows=account.budgets.all())
    ]


def _webhooks(scope: Scope | None, now: datetime) -> Webhooks:
    rows = Intake.objects.all()
    if scope is not None:
        rows = rows.filter(inbox__accounts__account__workspace__in=scope.workspace_ids()).distinct()
    young = Q(received_at__gt=now - DAY)
    found = rows.aggregate(
        day=Count("pk", filter=young, distinct=True),
        unknown=Count("pk", filter=young & ~Q(problem=""), distinct=True),
        waiting=Count("pk", filter=Q(done_at=None), distinct=True),
        last_at=Max("received_at"),
    )
    return Webhooks(**found)


def queues() -> list[Queue]:
    """Procrastinate's, by name. Jobs tell no time of their own: the moment they were deferred is among their events."""
    with connection.cursor() as cursor:
        cursor.execute(QUEUES)
        return [
            Queue(name=name, waiting=waiting, running=running, failed=failed, oldest=float(oldest or 0))
            for name, waiting, running, failed, oldest in cursor.fetchall()
        ]


QUEUES = """
SELECT j.queue_name,
    count(*) FILTER (WHERE j.status = 'todo'),
    count(*) FILTER (WHERE j.status = 'doing'),
    count(*) FILTER (WHERE j.status = 'failed'),
    extract(epoch FROM now() - min(coalesce(j.scheduled_at, e.at))
        FILTER (WHERE j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= now())))
FROM procrastinate_jobs j
LEFT JOIN LATERAL (
    SELECT min(at) AS at FROM procrastinate_events WHERE job_id = j.id AND j.status = 'todo'
) e ON true
WHERE j.status IN ('todo', 'doing', 'failed')
GROUP BY 1 ORDER BY 1
"""


# Readiness

_tables_are_there = False  # once seen, they stay: looking costs a walk over every migration


def not_ready() -> list[str]:
    """Why this installation cannot do its work: "migrations", "publisher". Raises OperationalError without database."""
    why = []
    if not _has_tables():
        return ["migrations"]
    if not Publisher.who_send(since=clock.now() - SILENT).exists():
        why.append("publisher")
    return why


def _has_tables() -> bool:
    global _tables_are_there
    if not _tables_are_there:
        from django.db.migrations.executor import MigrationExecutor

        executor = MigrationExecutor(connection)
        _tables_are_there = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _tables_are_there
