"""Reading deliveries: only what the scope's person may see, in a constant number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import (
    Aggregate,
    Case,
    Count,
    Exists,
    F,
    FloatField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Extract
from django.utils.translation import pgettext as _in

from regie.accounts.models import Account
from regie.core import clock
from regie.core.sentences import in_words
from regie.people.scope import Scope
from regie.publishing.models import Attempt, Delivery, Freeze, Step
from regie.publishing.states import LIMITED, State
from regie.studio.queries import saying

SILENT = timedelta(seconds=15)
NOT_PUBLIC = Q(state=State.PUBLISHED) & ~Q(limited="")
SHOWN = Case(When(NOT_PUBLIC, then=Value(LIMITED)), default=F("state"))
"""``Delivery.shown``, for rows that are not made into deliveries."""


def deliveries_for(scope: Scope, verb: str = "view") -> QuerySet[Delivery]:
    """The deliveries of the workspaces in view where the person may do ``verb``, with what a row shows of them."""
    return Delivery.objects.filter(workspace__in=scope.workspace_ids(verb)).select_related(
        "account", "variant__post", "workspace"
    )


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What a calendar or a list is narrowed to; empty: everything. ``states``: as people see them, LIMITED too."""

    accounts: Sequence[int] = ()
    networks: Sequence[str] = ()
    states: Sequence[str] = ()
    text: str = ""

    def applied(self, rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
        if self.accounts:
            rows = rows.filter(account__in=self.accounts)
        if self.networks:
            rows = rows.filter(account__network__in=self.networks)
        if self.states:
            rows = rows.annotate(shown_as=SHOWN).filter(shown_as__in=self.states)
        if self.text:
            named = Q(variant__post__title__icontains=self.text)
            rows = rows.filter(named | saying(self.text, "variant__post__content"))
        return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarRow:
    """One delivery on the calendar. ``local_at`` is the wall clock in ``zone``; ``gone``: no longer on its network;
    ``limited``: the public does not see it."""

    id: int
    post_id: int
    workspace_id: int
    account_id: int
    account: str
    network: str
    state: str
    due_at: datetime
    local_at: datetime
    zone: str
    title: str
    by_hand: bool
    gone: bool
    limited: bool
    problem: str
    problem_facts: dict[str, Any] = field(repr=False)

    @property
    def state_label(self) -> str:
        return str(_in("delivery", "Not public") if self.limited else State(self.state).label)

    @property
    def why(self) -> str:
        return in_words(self.problem, self.problem_facts)


def calendar(scope: Scope, since: datetime, until: datetime, filters: Filters | None = None) -> list[CalendarRow]:
    """Deliveries due from ``since`` up to ``until`` (not included), oldest first; cancelled ones are left out.

    One query, plain rows: a month with 2,000 deliveries is drawn from it.
    """
    rows = Delivery.objects.filter(workspace__in=scope.workspace_ids(), due_at__gte=since, due_at__lt=until)
    rows = (filters or Filters()).applied(rows.exclude(state=State.CANCELLED))
    found = rows.order_by("due_at", "pk").values_list(
        "pk",
        "variant__post_id",
        "workspace_id",
        "account_id",
        "account__name",
        "account__network",
        "state",
        "due_at",
        "local_at",
        "zone",
        "variant__post__title",
        "variant__post__content__parts__0__text",
        "variant__content__parts__0__text",
        "variant__by_hand",
        "gone_at",
        "limited",
        "problem",
        "problem_facts",
    )
    return [_calendar_row(*row) for row in found]


def _calendar_row(*row: Any) -> CalendarRow:
    pk, post, workspace, account, name, network, state, due_at, local_at, zone, title = row[:11]
    text, own, by_hand, gone, limited, problem, problem_facts = row[11:]
    return CalendarRow(
        id=pk,
        post_id=post,
        workspace_id=workspace,
        account_id=account,
        account=name,
        network=network,
        state=state,
        due_at=due_at,
        local_at=local_at,
        zone=zone,
        title=title or (own or text or "").strip().split("\n")[0][:80],
        by_hand=by_hand,
        gone=gone is not None,
        limited=bool(limited) and state == State.PUBLISHED,
        problem=problem,
        problem_facts=problem_facts,
    )


def counts(scope: Scope) -> dict[str, int]:
    """State -> how many deliveries; every state is there."""
    found = Delivery.objects.filter(workspace__in=scope.workspace_ids()).values_list("state").annotate(Count("pk"))
    return dict.fromkeys(State.values, 0) | dict(found.order_by())


# Proof


@dataclass(frozen=True, kw_only=True)
class StepReceipt:
    """One part: its own id and address, and every attempt with what the network said."""

    step: Step
    attempts: Sequence[Attempt]


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What happened to a delivery, moment by moment. None: it has not happened.

    late:    seconds between the promised moment and the beginning of the visible call
    latency: seconds from there to the network's yes
    """

    delivery: Delivery
    due_at: datetime
    claimed_at: datetime | None
    sent_at: datetime | None
    accepted_at: datetime | None
    visible_at: datetime | None
    gone_at: datetime | None
    late: float | None
    latency: float | None
    url: str
    remote_id: str
    publisher: str
    why: str
    steps: Sequence[StepReceipt]


def receipt(delivery: Delivery) -> Receipt:
    """The proof of a delivery: two queries."""
    attempts = Prefetch("attempts", queryset=Attempt.objects.order_by("number"))
    steps = list(delivery.steps.order_by("position").prefetch_related(attempts))
    return Receipt(
        delivery=delivery,
        due_at=delivery.due_at,
        claimed_at=delivery.claimed_at,
        sent_at=delivery.sent_at,
        accepted_at=delivery.accepted_at,
        visible_at=delivery.visible_at,
        gone_at=delivery.gone_at,
        late=_seconds(delivery.due_at, delivery.sent_at),
        latency=_seconds(delivery.sent_at, delivery.accepted_at),
        url=delivery.url,
        remote_id=delivery.remote_id,
        publisher=delivery.publisher,
        why=in_words(delivery.problem, delivery.problem_facts),
        steps=[StepReceipt(step=step, attempts=list(step.attempts.all())) for step in steps],
    )


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start is not None and end is not None else None


EDGES = (0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600)  # seconds


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """How long after the promised moment the visible calls began. Work by hand, and what people sent late, are apart.

    counts: one per edge of EDGES (up to and including it), and one for whatever was later still
    total:  the sum of all delays, in seconds; p50, p95, p99 None where nothing was sent
    latency: median of the seconds from there to the network's yes
    """

    days: int
    counts: Sequence[int]
    total: float
    p50: float | None
    p95: float | None
    p99: float | None
    latency: float | None
    missed: int

    @property
    def sent(self) -> int:
        return sum(self.counts)

    @property
    def cumulative(self) -> list[tuple[float, int]]:
        """(edge, how many were no later than it), as Prometheus counts."""
        return [(edge, sum(self.counts[: number + 1])) for number, edge in enumerate(EDGES)]

    @property
    def within_a_minute(self) -> float | None:
        """Part of all, from 0 to 1."""
        return dict(self.cumulative)[60] / self.sent if self.sent else None


def histogram(deliveries: QuerySet[Delivery], *, days: int = 30) -> Histogram:
    """Punctuality over the promises of the last ``days`` days among ``deliveries``: one query."""
    now = clock.now()
    rows = deliveries.filter(due_at__gte=now - timedelta(days=days), due_at__lte=now)
    late = Extract(F("sent_at") - F("due_at"), "epoch", output_field=FloatField())
    took = Extract(F("accepted_at") - F("sent_at"), "epoch", output_field=FloatField())
    sent = Q(state=State.PUBLISHED, variant__by_hand=False, sent_at__isnull=False)
    found = rows.order_by().aggregate(
        **{f"upto_{number}": Count("pk", filter=sent & _late_by(edge)) for number, edge in enumerate(EDGES)},
        sent=Count("pk", filter=sent),
        total=Sum(late, filter=sent),
        missed=Count("pk", filter=Q(state=State.MISSED)),
        **{f"p{part}": _Percentile(late, part / 100, filter=sent) for part in (50, 95, 99)},
        latency=_Percentile(took, 0.5, filter=sent & Q(accepted_at__isnull=False)),
    )
    upto = [found[f"upto_{number}"] for number in range(len(EDGES))]
    counts = [many - before for before, many in pairwise([0, *upto, found["sent"]])]
    shown = {name: None if found[name] is None else max(0.0, found[name]) for name in ("p50", "p95", "p99", "latency")}
    return Histogram(days=days, counts=counts, total=max(found["total"] or 0.0, 0.0), missed=found["missed"], **shown)


def _late_by(edge: float) -> Q:
    return Q(sent_at__lte=F("due_at") + timedelta(seconds=edge))


class _Percentile(Aggregate):
    """PostgreSQL's percentile_cont(part) WITHIN GROUP (ORDER BY what)."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(part)s) WITHIN GROUP (ORDER BY %(expressions)s)"

    def __init__(self, what: Any, part: float, **more: Any) -> None:
        super().__init__(what, part=part, output_field=FloatField(), **more)


def shows_after(account: Account) -> timedelta | None:
    """How long after its call a post with files was accepted there: the middle of the last 20. None: no sample."""
    with_files = Step.objects.filter(delivery=OuterRef("pk"), content__media__0__isnull=False)
    done = Delivery.objects.filter(Exists(with_files), account=account, sent_at__lte=F("accepted_at"))
    moments = done.order_by("-pk").values_list("sent_at", "accepted_at")[:20]
    took = sorted(accepted - sent for sent, accepted in moments if sent is not None and accepted is not None)
    return took[len(took) // 2] if took else None


# Freezes


def freezes_for(scope: Scope) -> QuerySet[Freeze]:
    """The freezes in force that touch the workspaces in view, the installation's included."""
    return every_freeze_for(scope).filter(lifted_at=None).order_by("at")


def every_freeze_for(scope: Scope) -> QuerySet[Freeze]:
    """Lifted ones too."""
    where = Q(workspace__in=scope.workspace_ids()) | Q(workspace=None)
    return Freeze.objects.filter(where).select_related("workspace", "account", "campaign", "by", "lifted_by")
