"""What any publisher puts right: leases that ran out, holds that ended, publishers that fell silent.

Two publishers may sweep at once without harm: each row is locked by the first to find it, and passed by the other.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from regie.accounts.models import Account
from regie.core import clock
from regie.core.threads import in_thread
from regie.publishing import room, services, telling
from regie.publishing.engine.database import Database, sql
from regie.publishing.holds import PAUSED, RECONNECT
from regie.publishing.models import Delivery
from regie.publishing.states import State

log = logging.getLogger(__name__)
GENTLY = 0.1  # seconds between a thousand wall times: a million must not keep what is due waiting
FORGOTTEN = timedelta(days=1)

# Nothing was said for a claimed one: it waits again. A sending one may have been said: never again without looking.
EXPIRED = sql(
    """
WITH old AS (
    SELECT id, state FROM publishing_delivery
    WHERE leased_until < MOMENT AND state IN ('claimed', 'preparing', 'sending') ORDER BY id FOR UPDATE SKIP LOCKED
), doubted AS (
    UPDATE publishing_step s SET state = 'unclear' FROM old
    WHERE s.delivery_id = old.id AND old.state = 'sending' AND s.state = 'sending'
)
UPDATE publishing_delivery d SET
    state = CASE WHEN old.state = 'sending' THEN 'unclear' ELSE 'scheduled' END,
    problem = CASE WHEN old.state = 'sending' THEN %(problem)s ELSE d.problem END, problem_facts = '{}',
    look_at = CASE WHEN old.state = 'sending' THEN MOMENT END, looks = 0,
    lease = NULL, leased_until = NULL
FROM old WHERE d.id = old.id
RETURNING d.id, d.state
"""
)
INTERRUPTED = "We were interrupted while sending it; we are finding out on the network whether it is out."

# A network that asks us to wait keeps no person waiting: what is to be done by hand comes up at its hour all the same.
BY_HAND_DUE = sql(
    """
WITH due AS (
    SELECT d.id FROM publishing_lane l
    JOIN publishing_delivery d ON d.account_id = l.account_id AND d.state = 'scheduled' AND d.next_at <= MOMENT
    JOIN studio_variant v ON v.id = d.variant_id
    WHERE l.not_before > MOMENT AND l.next_at <= MOMENT AND v.by_hand ORDER BY d.id FOR UPDATE OF d SKIP LOCKED
)
UPDATE publishing_delivery d SET state = 'by_hand', to_tell = TRUE FROM due WHERE d.id = due.id
"""
)

BY_HAND_LATE = sql(
    """
UPDATE publishing_delivery SET state = 'missed', to_tell = TRUE
WHERE state = 'by_hand' AND due_at + make_interval(mins => late_minutes) < MOMENT
"""
)

# Nobody can look at these: the account is not connected. People hear of it once; when it is back we look again.
OUT_OF_REACH = sql(
    """
WITH lost AS (
    SELECT d.id FROM publishing_delivery d JOIN accounts_account a ON a.id = d.account_id
    WHERE d.look_at <= MOMENT AND a.state <> 'connected' AND d.problem <> %(problem)s
        AND (d.state = 'unclear' OR (d.state = 'processing' AND a.state = 'removed'))
    ORDER BY d.id FOR UPDATE OF d SKIP LOCKED
), doubted AS (
    UPDATE publishing_step s SET state = 'unclear' FROM lost WHERE s.delivery_id = lost.id AND s.state = 'processing'
)
UPDATE publishing_delivery d SET state = 'unclear', problem = %(problem)s, problem_facts = '{}', to_tell = TRUE
FROM lost WHERE d.id = lost.id
"""
)
NOT_CONNECTED = (
    "While its account is paused or not connected, we cannot look whether it is out. Look there, and settle it here."
)

SILENCED = sql("DELETE FROM publishing_publisher WHERE seen_at < MOMENT - %(forgotten)s")

SEEN = sql(
    """
INSERT INTO publishing_publisher (name, started_at, seen_at, skew_ms, sending, given_to)
VALUES (%(name)s, MOMENT, MOMENT, %(skew)s, %(sending)s, %(only)s)
ON CONFLICT (name) DO UPDATE SET seen_at = MOMENT, skew_ms = excluded.skew_ms, sending = excluded.sending
"""
)


async def report(database: Database, *, name: str, skew: float, sending: int, only: str = "") -> None:
    """This publisher is alive; its clock is ``skew`` milliseconds ahead of the database's."""
    await database.rows(SEEN, name=name, skew=skew, sending=sending, only=only)


async def sweep(database: Database) -> int:
    """One round. Returns how many rows it moved."""
    expired = await database.rows(EXPIRED, problem=INTERRUPTED)
    for row in expired:
        log.warning("The lease of delivery %s ran out; it is %s now.", row["id"], row["state"])
    await database.rows(BY_HAND_DUE)
    await database.rows(BY_HAND_LATE)
    await database.rows(OUT_OF_REACH, problem=NOT_CONNECTED)
    await database.rows(SILENCED, forgotten=FORGOTTEN)
    moved = await in_thread(_holds)
    moved += await in_thread(room.spread_what_waits)
    told = await in_thread(telling.tell_people)
    return len(expired) + moved + told


@transaction.atomic
def _holds() -> int:
    """Holds what an account that does not work cannot send, and lets go what one that works again can."""
    held = services.hold_what_is_frozen()
    held += _hold(Account.State.BROKEN, RECONNECT) + _hold(Account.State.PAUSED, PAUSED)
    working = Q(account__state=Account.State.CONNECTED)
    for hold in (RECONNECT, PAUSED):
        if Delivery.objects.filter(working, state=State.HELD, holds__contains=[hold]).exists():
            held += len(services.release(working, hold, passed_is_missed=False))
    return held


def _hold(state: str, hold: str) -> int:
    """Only what is due soon: the rest is looked at when its time comes near, as the account may be mended by then."""
    soon = clock.now() + timedelta(hours=1)
    broken = Delivery.objects.filter(
        account__state=state, state=State.SCHEDULED, next_at__lte=soon, variant__by_hand=False
    )
    ids = list(broken.order_by("pk").select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True))
    return Delivery.objects.filter(pk__in=ids).update(state=State.HELD, holds=[hold]) if ids else 0


async def recompute_due_times() -> int:
    """The daily look at the rules of time zones."""
    moved = 0
    last: int | None = 0
    while last is not None:
        some, last = await in_thread(services.recompute_some, after=last)
        moved += some
        await asyncio.sleep(GENTLY)
    return moved
