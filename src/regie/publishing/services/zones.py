"""Due times, derived again when the rules of a zone have changed."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from regie.core import clock
from regie.core.times import WallTime
from regie.people import audit
from regie.publishing.models import Delivery
from regie.publishing.services.rows import label, prepare_at
from regie.publishing.states import State

RECOMPUTED_AT_ONCE = 1000


def recompute_due_times() -> int:
    """Derives ``due_at`` again from the wall time, as zone rules may have changed. Returns how many moved."""
    moved = 0
    last: int | None = 0
    while last is not None:
        some, last = recompute_some(after=last)
        moved += some
    return moved


def recompute_some(*, after: int) -> tuple[int, int | None]:
    """The same for the next few beyond a number. Returns how many moved, and where to go on: None when all are done."""
    rows = Delivery.objects.filter(pk__gt=after, state__in=[State.HELD, State.SCHEDULED], due_at__gt=clock.now())
    some = list(rows.order_by("pk").values_list("pk", "local_at", "zone", "due_at")[:RECOMPUTED_AT_ONCE])
    moved = 0
    for pk, local_at, zone, due_at in some:
        meant = WallTime(local_at, zone).utc
        if meant != due_at:
            moved += _move_due(pk, due_at, meant)
    return moved, some[-1][0] if len(some) == RECOMPUTED_AT_ONCE else None


@transaction.atomic
def _move_due(pk: int, was: datetime, meant: datetime) -> int:
    row = Delivery.objects.select_for_update(of=("self",)).select_related("account", "variant__post").get(pk=pk)
    if row.due_at != was or row.state not in (State.HELD, State.SCHEDULED):
        return 0
    row.due_at = row.next_at = meant
    row.prepare_at = prepare_at(row)
    row.save(update_fields=["due_at", "next_at", "prepare_at"])
    audit.record(
        by=None, did="delivery.zone_changed", to=row, label=label(row), before=was.isoformat(), after=meant.isoformat()
    )
    return 1
