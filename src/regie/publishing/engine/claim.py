"""Claiming lanes, not deliveries: workspaces in turn, in each the least recently served first, nobody in the way.

A plain ``ORDER BY due LIMIT n`` over deliveries would let one workspace with 50,000 due posts starve all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from regie.publishing.engine.database import Database, Row, sql
from regie.publishing.engine.work import ACCOUNT_COLUMNS, LEASE, STEPS, Delivery, delivery_of

EACH = 10  # deliveries of one account in one claim: then the lane goes to the end of the line
EACH_AHEAD = 2  # of those that are not due yet: others want lanes too when the hour has come

LANES = sql(
    f"""
WITH due AS (
    SELECT account_id, workspace_id, served_at FROM publishing_lane
    WHERE next_at <= MOMENT + %(ahead)s AND (not_before IS NULL OR not_before <= MOMENT)
        AND (leased_until IS NULL OR leased_until < MOMENT)
), line AS (
    SELECT account_id, workspace_id, served_at, 'held' AS place FROM publishing_lane WHERE leased_until >= MOMENT
    UNION ALL SELECT account_id, workspace_id, served_at, 'later' FROM due
    UNION ALL SELECT NULL, w.workspace_id, s.served_at, 'past' FROM (SELECT DISTINCT workspace_id FROM due) w
        CROSS JOIN LATERAL (SELECT max(l.served_at) AS served_at FROM publishing_lane l
                            WHERE l.workspace_id = w.workspace_id) s
), turns AS (  -- what a workspace has in hand are turns it took; then the workspace that waited longest
    SELECT account_id, place, served_at, max(served_at) OVER (PARTITION BY workspace_id) AS last,
        row_number() OVER (PARTITION BY workspace_id ORDER BY place, served_at) AS turn
    FROM line
), first AS MATERIALIZED (  -- some more than wanted: others may be quicker
    SELECT account_id FROM turns WHERE place = 'later' ORDER BY turn, last, served_at LIMIT 2 * %(most)s
), picked AS (  -- by key: a join would be planned for the few lanes due on most days, and meet a thousand at nine
    SELECT l.account_id FROM unnest(ARRAY(SELECT account_id FROM first)) AS f(account_id)
    CROSS JOIN LATERAL (
        SELECT l.account_id FROM publishing_lane l
        WHERE l.account_id = f.account_id AND (l.leased_until IS NULL OR l.leased_until < MOMENT)
        FOR UPDATE SKIP LOCKED) l
    LIMIT %(most)s
)
UPDATE publishing_lane l
SET lease = %(lease)s, leased_until = MOMENT + %(lease_time)s, served_at = clock_timestamp(), not_before = NULL
FROM picked JOIN accounts_account a ON a.id = picked.account_id
WHERE l.account_id = picked.account_id
RETURNING {ACCOUNT_COLUMNS}
"""  # noqa: S608 - constants of ours
)

DELIVERIES = sql(
    f"""
WITH first AS (
    SELECT d.id FROM unnest(%(accounts)s::bigint[]) AS lane(account_id)
    CROSS JOIN LATERAL (
        SELECT d.id FROM publishing_delivery d
        WHERE d.account_id = lane.account_id AND d.state = 'scheduled'
            AND d.due_at <= MOMENT + %(ahead)s AND d.next_at <= MOMENT + %(ahead)s
            AND NOT EXISTS (  -- an earlier one is still being prepared: the order of an account is kept
                SELECT 1 FROM publishing_delivery e WHERE e.account_id = d.account_id AND e.state = 'preparing'
                    AND (e.due_at, e.id) < (d.due_at, d.id))
        ORDER BY d.due_at, d.id LIMIT %(each)s FOR UPDATE SKIP LOCKED
    ) d
), claimed AS (
    UPDATE publishing_delivery d
    SET state = 'claimed', lease = %(lease)s, leased_until = MOMENT + %(lease_time)s, publisher = %(publisher)s,
        claimed_at = MOMENT
    FROM first WHERE d.id = first.id RETURNING d.*
)
SELECT c.id, c.account_id, c.lease, c.state, c.due_at, c.next_at, c.late_minutes, c.tries,
    v.by_hand, p.version AS post_version,
    CASE WHEN c.post_version <> p.version THEN coalesce(v.content, p.content) END AS content,
    MOMENT > c.due_at + make_interval(mins => c.late_minutes) AS late, s.steps
FROM claimed c
JOIN studio_variant v ON v.id = c.variant_id
JOIN studio_post p ON p.id = v.post_id
CROSS JOIN LATERAL ({STEPS} c.id) s
ORDER BY c.account_id, c.due_at, c.id
"""  # noqa: S608
)

# First the lock, then a look with fresh eyes: a delivery that was committed before we had the lock is seen, and one
# that commits after it lowers the lane by itself (migration 0002).
LOCK_LANES = sql(
    "SELECT account_id FROM publishing_lane WHERE account_id = ANY(%(accounts)s) ORDER BY account_id FOR UPDATE"
)
RELEASE_LANES = sql(
    """
UPDATE publishing_lane l
SET lease = NULL, leased_until = NULL, not_before = r.not_before,
    next_at = (SELECT min(d.next_at) FROM publishing_delivery d
               WHERE d.account_id = l.account_id AND d.state = 'scheduled')
FROM unnest(%(accounts)s::bigint[], %(not_before)s::timestamptz[]) AS r(account_id, not_before)
WHERE l.account_id = r.account_id AND l.lease = ANY(%(leases)s::uuid[])
"""
)

GIVE_BACK = sql(
    """
UPDATE publishing_delivery SET state = 'scheduled', lease = NULL, leased_until = NULL
WHERE id = ANY(%(ids)s) AND lease = ANY(%(leases)s::uuid[]) AND state = 'claimed'
"""
)

RENEW = sql(
    """
WITH lanes AS (
    UPDATE publishing_lane SET leased_until = MOMENT + %(lease_time)s
    WHERE lease = ANY(%(leases)s::uuid[]) AND leased_until > MOMENT
)
UPDATE publishing_delivery SET leased_until = MOMENT + %(lease_time)s
WHERE lease = ANY(%(leases)s::uuid[]) AND leased_until > MOMENT AND leased_until < MOMENT + 0.7 * %(lease_time)s
"""  # most are out before theirs is old enough to be worth a new row
)


@dataclass(kw_only=True)
class Lane:
    """An account's line, ours for the time of the lease."""

    account: Row
    lease: UUID
    deliveries: list[Delivery] = field(default_factory=list)
    not_before: datetime | None = None


async def claim(database: Database, *, most: int, publisher: str, ahead: timedelta = timedelta(0)) -> list[Lane]:
    """Up to ``most`` lanes with their next deliveries, those due now or within ``ahead``; a lane may have none."""
    lease = uuid4()
    accounts = await database.rows(LANES, most=most, lease=lease, lease_time=LEASE, ahead=ahead)
    if not accounts:
        return []
    lanes = {row["account_id"]: Lane(account=row, lease=lease) for row in accounts}
    claimed = await database.rows(
        DELIVERIES,
        accounts=list(lanes),
        each=EACH_AHEAD if ahead else EACH,
        lease=lease,
        lease_time=LEASE,
        publisher=publisher,
        ahead=ahead,
    )
    for row in claimed:
        lanes[row["account_id"]].deliveries.append(delivery_of(row))
    return list(lanes.values())


async def release(database: Database, lanes: Sequence[Lane]) -> Sequence[None]:
    """Gives lanes back, with the moment at which each has work again."""
    await database.in_turn(
        LOCK_LANES,
        RELEASE_LANES,
        accounts=[lane.account["account_id"] for lane in lanes],
        not_before=[lane.not_before for lane in lanes],
        leases=list({lane.lease for lane in lanes}),
    )
    return [None] * len(lanes)


async def give_back(database: Database, deliveries: Sequence[Delivery]) -> None:
    """Claimed ones that we shall not send: they wait again."""
    if deliveries:
        await database.rows(
            GIVE_BACK, ids=[one.id for one in deliveries], leases=list({one.lease for one in deliveries})
        )


async def renew(database: Database, leases: Sequence[UUID]) -> None:
    """A lease that has run out is not brought back to life: somebody else may have acted on it."""
    if leases:
        await database.rows(RENEW, leases=list(leases), lease_time=LEASE)
