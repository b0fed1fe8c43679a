"""What comes after: work of the network's that takes time, seeing whether a post is there, taking it away again."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from regie.accounts.budgets import USED_UP, Priority, SavedForLater
from regie.networks.data import Ref
from regie.networks.errors import Gone, NetworkError, Refused, TryLater
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
SELECT d.id, d.lease, d.state, d.due_at, d.next_at, d.late_minutes, d.tries, d.sent_at, s.steps, {ACCOUNT_COLUMNS}
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
    {ACCOUNT_COLUMNS}
FROM claimed d JOIN accounts_account a ON a.id = d.account_id CROSS JOIN LATERAL ({STEPS} d.id) s
"""  # noqa: S608
)
SEEN = sql(
    """
UPDATE publishing_delivery SET visible_at = CASE WHEN %(seen)s THEN MOMENT END, look_at = %(again)s,
    gone_at = CASE WHEN %(gone)s THEN MOMENT END,
    to_tell = to_tell OR (limited = '' AND %(limited)s <> ''), limited = coalesce(nullif(%(limited)s, ''), limited)
WHERE id = %(id)s AND state = 'published' AND visible_at IS NULL
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


async def see(sender: Sender, account: Mapping[str, Any], delivery: Delivery) -> None:
    """Fetches a published post once: there, not yet, or gone. What cannot be fetched is left as it is."""
    database = sender.database
    now = database.moment()
    speaker = await speaker_of(account, sender.http, sender.apps)
    again = now + LOOKS[delivery.looks - 1] if delivery.looks <= len(LOOKS) else None
    seen = gone = False
    limited = ""
    if (until := await sender.budgets.wait_until(speaker, "read", priority=Priority.READ)) is not None:
        again = until
    elif isinstance(speaker.connector, Finds):
        try:
            found = await speaker.connector.fetch(account["remote_id"])
            seen, again, limited = True, None, found.limited
        except Gone:
            gone = again is None
        except NetworkError as exc:
            log.info("Could not look at delivery %s: %s", delivery.id, exc)
    else:
        again = None
    await database.rows(SEEN, id=delivery.id, seen=seen, again=again, gone=gone, limited=limited)


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
        await database.rows(NOT_REMOVED, id=delivery.id, again=again, problem=exc.sentence, facts=_json(exc.facts))
    else:
        await database.rows(REMOVED, id=delivery.id)


def _json(facts: Mapping[str, Any]) -> str:
    return json.dumps(dict(facts))
