"""Lifting a freeze with a decision for each delivery that it held: nothing goes out that nobody chose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from django.db import transaction
from django.db.models import F, Func, QuerySet, Value

from regie.core import clock
from regie.core.errors import Problem
from regie.core.times import WallTime
from regie.people import audit
from regie.people.models import Member, User
from regie.publishing import services
from regie.publishing.holds import FROZEN, KEPT
from regie.publishing.models import Delivery, Freeze
from regie.publishing.states import State

Do = Literal["keep", "now", "move", "cancel", "hold"]
"""keep: its own time; when that has passed, it is missed and a person is asked. hold: held until somebody decides."""

CHOICES: tuple[Do, ...] = ("keep", "now", "move", "cancel", "hold")
SeatIn = Callable[[int], Member | None]
"""The seat in a workspace of the person who decides, or None."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one delivery. ``at``: only for "move"."""

    do: Do
    at: WallTime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """``on``: delivery number -> its decision; the others by whether their time is still to come.

    What was promised after ``seen_at``, the moment the person looked, stays held whatever is chosen for the others.
    """

    on: Mapping[int, Decision] = field(default_factory=dict)
    still_to_come: Do = "hold"
    passed: Do = "keep"
    seen_at: datetime | None = None

    def about(self, row: Delivery, now: datetime) -> Decision:
        if row.pk in self.on:
            return self.on[row.pk]
        if self.seen_at is not None and row.created_at > self.seen_at:
            return Decision("hold")
        return Decision(self.passed if row.due_at < now else self.still_to_come)


@dataclass(slots=True)
class Resumed:
    """What a lifting did. ``problems``: delivery -> why its decision could not be followed; it stays held."""

    done: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHOICES, 0))
    missed: list[Delivery] = field(default_factory=list)
    problems: dict[int, str] = field(default_factory=dict)


def held_by(freeze: Freeze) -> QuerySet[Delivery]:
    """The deliveries that a freeze holds, the earliest first."""
    rows = Delivery.objects.filter(services.covered(freeze), state=State.HELD, holds__contains=[FROZEN])
    return rows.select_related("account", "variant__post", "workspace").order_by("due_at", "pk")


@transaction.atomic
def resume(freeze: Freeze, decisions: Decisions, *, by: Member | User, seat_in: SeatIn) -> Resumed:
    """Ends a freeze as ``decisions`` say. Raises NotAllowed, NotNow, StillLooking, and then nothing has changed.

    A delivery of a workspace where the person has no seat can only be kept or held.
    """
    made, later = Resumed(), []
    services.hold_what_is_frozen()
    services.must_lift(freeze, by)
    now = clock.now()
    for row in held_by(freeze).select_for_update(of=("self",)):
        decision, member = decisions.about(row, now), seat_in(row.workspace_id)
        if member is None and decision.do not in ("keep", "hold"):
            decision = Decision("hold")
        if decision.do == "now" and member is not None:
            later.append((row, member))
        elif not _done(row, decision, member, made):
            decision = Decision("hold")
        if decision.do == "hold":
            _keep(row, by)
        made.done[decision.do] += 1
    made.missed = services.lift(freeze, by=by)
    _send(later, made, by)
    return made


def _done(row: Delivery, decision: Decision, member: Member | None, made: Resumed) -> bool:
    """Moves or cancels it while it is held. False when it could not be."""
    try:
        with transaction.atomic():
            if decision.do == "move" and member is not None and decision.at is not None:
                services.move(row, at=decision.at, by=member)
            elif decision.do == "cancel" and member is not None:
                services.cancel(row, by=member)
    except Problem as problem:
        made.problems[row.pk] = problem.said
        return False
    return True


def _send(rows: Iterable[tuple[Delivery, Member]], made: Resumed, by: Member | User) -> None:
    """What is chosen to go out now; one that cannot is missed, or is left at its time held."""
    missed = {row.pk for row in made.missed}
    partly = {row.pk for row in made.missed if row.state == State.PARTLY}
    for row, member in rows:
        try:
            with transaction.atomic():
                again = services.finish_partly if row.pk in partly else services.send_now
                again(row, by=member)
        except Problem as problem:
            made.problems[row.pk] = problem.said
            if row.pk not in missed:
                _keep(row, by)
        else:
            made.missed = [one for one in made.missed if one.pk != row.pk]


def _keep(row: Delivery, by: Member | User) -> None:
    holds = Func(F("holds"), Value(KEPT), function="array_append")
    Delivery.objects.filter(pk=row.pk, state__in=(State.HELD, State.SCHEDULED)).exclude(holds__contains=[KEPT]).update(
        state=State.HELD, holds=holds
    )
    audit.record(by=by, did="delivery.kept", to=row, workspace=row.workspace_id)
