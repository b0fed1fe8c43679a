"""What was missed, decided for many at once: send now, plan again from a time on, or let go."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from regie.core.errors import Problem
from regie.core.times import WallTime
from regie.people.errors import NotAllowed
from regie.people.models import Member
from regie.people.scope import Scope
from regie.publishing import services
from regie.publishing.models import Delivery, Step
from regie.publishing.states import State

AT_ONCE = 200


def missed_for(scope: Scope) -> QuerySet[Delivery]:
    """The missed deliveries in view, the oldest first; ``in_doubt``: since a restore, some of it may be out."""
    doubted = Step.objects.filter(delivery=OuterRef("pk"), state=Step.State.UNCLEAR)
    return (
        Delivery.objects.filter(workspace__in=scope.workspace_ids(), state=State.MISSED)
        .annotate(in_doubt=Exists(doubted))
        .select_related("account", "variant__post", "workspace")
        .order_by("due_at", "pk")
    )


@dataclass(slots=True)
class Done:
    """How many a decision reached, and why it did not reach the others: sentences, each once.

    looked_for: those that may have gone out after the backup that we come from: first it is found out
    """

    many: int = 0
    looked_for: int = 0
    problems: dict[str, None] = field(default_factory=dict)


def send_now(rows: Iterable[Delivery], scope: Scope) -> Done:
    return _each(rows, scope, lambda row, by: services.send_again(row, by=by))


def let_go(rows: Iterable[Delivery], scope: Scope) -> Done:
    return _each(rows, scope, lambda row, by: services.cancel(row, by=by))


def plan_again(rows: Iterable[Delivery], scope: Scope, *, at: WallTime, apart: timedelta) -> Done:
    """From ``at`` on, in the order they were due, ``apart`` from each other on the same clocks."""
    moments = iter(WallTime(at.local + apart * number, at.zone) for number in range(AT_ONCE))
    return _each(rows, scope, lambda row, by: services.move(row, at=next(moments), by=by))


def _each(rows: Iterable[Delivery], scope: Scope, do: Callable[[Delivery, Member], Delivery]) -> Done:
    """One after the other, each in a transaction of its own: what somebody settled meanwhile does not stop the rest."""
    done = Done()
    for row in rows:
        try:
            with transaction.atomic():
                row = do(row, scope.member_in(row.workspace_id))
        except NotAllowed:  # of one workspace in view: nothing is half allowed
            raise
        except Problem as problem:
            done.problems[problem.said] = None
        else:
            done.many += row.state != State.UNCLEAR
            done.looked_for += row.state == State.UNCLEAR
    return done
