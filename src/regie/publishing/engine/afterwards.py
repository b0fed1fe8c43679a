"""What comes after: work of the network's that takes time, seeing whether a post is there, taking it away again."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from regie.accounts.budgets import USED_UP, Priority, SavedForLater
from regie.accounts.services import refresh_token
from regie.networks.data import NOT_PUBLIC, Published, Ref
from regie.networks.errors import Gone, NetworkError, Refused, TokenExpired, TryLater
from regie.networks.protocols import Deletes, Finds
from regie.publishing.engine.database import Database, sql
from regie.publishing.engine.record import pause
from regie.publishing.engine.work import ACCOUNT_COLUMNS, DEADLINE, LEASE, STEPS, Delivery, delivery_of, speaker_of

if TYPE_CHECKING:
    from regie.publishing.engine.send import Sender

log = logging.getLogger(__name__)
MOST = 16
LOOKS = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=10),
)  # a listing may lag: look again after these
LIMITED_LOOKS = (
    timedelta(minutes=5),
    timedelta(hours=1),
    timedelta(days=1),
    timedelta(days=7),
)  # since it was sent: what the network took without showing it, the public may see by then

# The network has it already: no freeze and no lateness can stop it, so it goes on from processing to sending.
CLAIM_PROCESSING = sql(
    f"""
WITH first AS (
    SELECT d.id FROM publishing_delivery d JOIN accounts_account a ON a.id = d.account_id
    WHERE d.state = 'processing' AND d.look_at <= MOMENT AND a.state = 'connected'
    ORDER BY d.look_at LIMIT %(most)s FOR UPDATE OF d SKIP LOCKED
), claimed AS (
    UPDATE publishing_delivery d SET state = 'sending', lease = %(lease)s, leased_until = MOMENT + %(lease_time)s,
        publisher = %(publisher)s
    FROM first WHERE d.id = first.id RETURNING d.*
)
SELECT d.id, d.lease, d.state, d.due_at, d.next_at, d.late_minutes, d.tries, d.sent_at, d.called_off, s.steps,
    {ACCOUNT_COLUMNS}
FROM claimed d JOIN accounts_account a ON a.id = d.account_id CROSS JOIN LATERAL ({STEPS} d.id) s
"""  # noqa: S608 - constants of ours
)

CLAIM_TO_SEE = sql(
    f"""
WITH first AS (
    SELECT d.id FROM publishing_delivery d JOIN accounts_account a ON a.id = d.account_id
    WHERE d.state = 'published' AND d.look_at <= MOMENT AND a.state = 'connected'
    ORDER BY d.look_at LIMIT %(most)s FOR UPDATE OF d SKIP LOCKED
), claimed AS (
    UPDATE publishing_delivery d SET look_at = MOMENT + %(lease_time)s, looks = d.looks + 1
    FROM first WHERE d.id = first.id RETURNING d.*
)
SELECT d.id, d.lease, d.state, d.due_at, d.next_at, d.late_minutes, d.tries, d.looks, d.sent_at, s.steps, d.remote_id,
    d.limited, d.visible_at, {ACCOUNT_COLUMNS}
FROM claimed d JOIN accounts_account a ON a.id = d.account_id CROSS JOIN LATERAL ({STEPS} d.id) s
"""  # noqa: S608
)
SEEN = sql(
    """
UPDATE publishing_delivery SET visible_at = CASE WHEN %(seen)s THEN coalesce(visible_at, MOMENT) ELSE visible_at END,
    look_at = %(again)s, gone_at = CASE WHEN %(gone)s THEN MOMENT END,
    url = CASE WHEN url = '' THEN %(url)s ELSE url END,
    to_tell = to_tell OR limited <> %(limited)s OR (%(gone)s AND limited <> ''), limited = %(limited)s
WHERE id = %(id)s AND state = 'published' AND gone_at IS NULL AND (visible_at IS NULL OR limited <> '')
"""
)

CLAIM_TO_REMOVE = sql(
    f"""
WITH first AS (
    SELECT d.id FROM publishing_delivery d JOIN accounts_account a ON a.id = d.account_id
    WHERE d.remove_at <= MOMENT AND d.state IN ('published', 'partly') AND a.state = 'connected'
    ORDER BY d.remove_at LIMIT %(most)s FOR UPDATE OF d SKIP LOCKED
), claimed AS (
    UPDATE publishing_delivery d SET remove_at = MOMENT + %(lease_time)s FROM first WHERE d.id = first.id RETURNING d.*
)
SELECT d.id, d.lease, d.state, d.due_at, d.next_at, d.late_minutes, d.tries, d.looks, d.sent_at, s.steps,
    {ACCOUNT_COLUMNS}
FROM claimed d JOIN accounts_account a ON a.id = d.account_id CROSS JOIN LATERAL ({STEPS} d.id) s
"""  # noqa: S608
)
REMOVED = sql(
    """
UPDATE publishing_delivery SET gone_at = MOMENT, remove_at = NULL, look_at = NULL,
    state = CASE WHEN state = 'partly' THEN 'cancelled' ELSE state END
WHERE id = %(id)s AND state IN ('published', 'partly')
"""
)
NOT_REMOVED = sql(
    """
UPDATE publishing_delivery SET remove_at = %(again)s, problem = %(problem)s, problem_facts = %(facts)s::jsonb,
    to_tell = %(again)s::timestamptz IS NULL
WHERE id = %(id)s AND remove_at IS NOT NULL
"""
)

Claimed = list[tuple[Mapping[str, Any], Delivery]]


async def _claim(database: Database, statement: bytes, publisher: str, *, lasts: timedelta) -> Claimed:
    rows = await database.rows(statement, most=MOST, lease=uuid4(), lease_time=lasts, publisher=publisher)
    return [(row, delivery_of(row)) for row in rows]


async def claim_processing(database: Database, *, publisher: str) -> Claimed:
    return await _claim(database, CLAIM_PROCESSING, publisher, lasts=LEASE)


async def claim_to_see(database: Database, *, publisher: str) -> Claimed:
    return await _claim(database, CLAIM_TO_SEE, publisher, lasts=DEADLINE)  # nobody renews it


async def claim_to_remove(database: Database, *, publisher: str) -> Claimed:
    return await _claim(database, CLAIM_TO_REMOVE, publisher, lasts=DEADLINE)


@dataclass(kw_only=True)
class Sight:
    """What one look at a published post tells. ``limited``: why the public does not see it; "": it does, as far as we
    know."""

    limited: str
    again: datetime | None
    seen: bool = False
    gone: bool = False
    url: str = ""


async def see(sender: Sender, account: Mapping[str, Any], delivery: Delivery) -> None:
    """Fetches a published post once: there, not yet, gone, or kept from the public.

    What cannot be fetched is left as it is. What is kept from the public is looked at a few times more, and on request.
    """
    database = sender.database
    now = database.moment()
    speaker = await speaker_of(account, sender.http, sender.apps)
    sight = Sight(limited=account["limited"], again=_next_look(account, delivery, now))
    if (until := await sender.budgets.wait_until(speaker, "read", priority=Priority.READ)) is not None:
        sight.again = until
    elif isinstance(speaker.connector, Finds):
        try:
            _take_in(sight, await speaker.connector.fetch(account["remote_id"]), delivery, now)
        except Gone:
            sight.gone = sight.again is None or account["visible_at"] is not None
            sight.again = None if sight.gone else sight.again
        except TokenExpired:
            if sight.again is not None and await refresh_token(speaker.account_id):
                sight.again = min(sight.again, now + LOOKS[0])
        except NetworkError as exc:
            log.info("Could not look at delivery %s: %s", delivery.id, exc)
    else:
        sight.again = None
    await database.rows(SEEN, id=delivery.id, **vars(sight))


def _next_look(account: Mapping[str, Any], delivery: Delivery, now: datetime) -> datetime | None:
    if account["visible_at"] is not None:
        return _next_of_limited(delivery, now)
    return now + LOOKS[delivery.looks - 1] if delivery.looks <= len(LOOKS) else None


def _next_of_limited(delivery: Delivery, now: datetime) -> datetime | None:
    sent = delivery.sent_at or delivery.due_at
    return next((sent + after for after in LIMITED_LOOKS if sent + after > now), None)


def _take_in(sight: Sight, found: Published, delivery: Delivery, now: datetime) -> None:
    sight.seen, sight.url = True, found.url[:500]
    if found.limited != NOT_PUBLIC or not sight.limited:
        sight.limited = found.limited
    sight.again = _next_of_limited(delivery, now) if sight.limited else None


async def remove(sender: Sender, account: Mapping[str, Any], delivery: Delivery) -> None:
    """Deletes the parts that are out, the last one first. Already gone counts as done."""
    database = sender.database
    speaker = await speaker_of(account, sender.http, sender.apps)
    try:
        for step in reversed([step for step in delivery.steps if step.is_out and step.remote_id]):
            assert isinstance(speaker.connector, Deletes)
            if (until := await sender.budgets.wait_until(speaker, "delete")) is not None:
                raise SavedForLater(USED_UP, not_before=until)
            try:
                await speaker.connector.delete(Ref(remote_id=step.remote_id, extra=step.extra))
            except Refused:
                if not step.is_comment:  # most networks take a post's comments away with it
                    raise
    except NetworkError as exc:
        later = isinstance(exc, TryLater)
        again = (exc.not_before or database.moment() + pause(delivery.tries)) if later else None
        if isinstance(exc, TokenExpired) and await refresh_token(speaker.account_id):
            again = database.moment()
        await database.rows(NOT_REMOVED, id=delivery.id, again=again, problem=exc.sentence, facts=_json(exc.facts))
    else:
        await database.rows(REMOVED, id=delivery.id)


def _json(facts: Mapping[str, Any]) -> str:
    return json.dumps(dict(facts))
