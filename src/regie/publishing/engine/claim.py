"""Claiming lanes, not deliveries: workspaces in turn, in each the least recently served first, nobody in the way.

A plain ``ORDER BY due LIMIT n`` over deliveries would let one workspace with 50,000 due posts starve all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from regie.publishing.engine.database import Database, Row, sql
from regie.publishing.engine.work import ACCOUNT_COLUMNS, LEASE, STEPS, Delivery, delivery_of

EACH = 10  # deliveries of one account in one claim: then the lane goes to the end of the line

LANES = sql(
    f"""
WITH due AS (
    SELECT l.account_id, l.workspace_id, l.served_at,
        row_number() OVER (PARTITION BY l.workspace_id ORDER BY l.served_at) AS turn
    FROM publishing_lane l
    WHERE l.next_at <= MOMENT AND (l.not_before IS NULL OR l.not_before <= MOMENT)
        AND (l.leased_until IS NULL OR l.leased_until < MOMENT)
), share AS (  -- what a workspace has in hand counts as turns it took; then the one that waited longest
    SELECT w.workspace_id, count(*) FILTER (WHERE l.leased_until >= MOMENT) AS held, max(l.served_at) AS last
    FROM (SELECT DISTINCT workspace_id FROM due) w JOIN publishing_lane l USING (workspace_id) GROUP BY 1
), picked AS (
    SELECT l.account_id FROM publishing_lane l JOIN due USING (account_id)
    JOIN share ON share.workspace_id = due.workspace_id
    WHERE l.leased_until IS NULL OR l.leased_until < MOMENT
    ORDER BY due.turn + share.held, share.last, due.served_at LIMIT %(most)s FOR UPDATE OF l SKIP LOCKED
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
        WHERE d.account_id = lane.account_id AND d.state = 'scheduled' AND d.due_at <= MOMENT AND d.next_at <= MOMENT
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


async def claim(database: Database, *, most: int, publisher: str) -> list[Lane]:
    """Up to ``most`` lanes with their next due deliveries; a lane may turn out to have none."""
    lease = uuid4()
    accounts = await database.rows(LANES, most=most, lease=lease, lease_time=LEASE)
    if not accounts:
        return []
    lanes = {row["account_id"]: Lane(account=row, lease=lease) for row in accounts}
    claimed = await database.rows(
        DELIVERIES, accounts=list(lanes), each=EACH, lease=lease, lease_time=LEASE, publisher=publisher
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
