"""Writing down: the intent before the call, the outcome after it. Each a single statement for many deliveries."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation

from regie.networks.capabilities import NobodyKnows, Repeatable
from regie.networks.data import Pending, Published
from regie.networks.errors import NetworkError, Refused, SignInAgain, TryLater
from regie.networks.line import LostOnTheWay
from regie.publishing.engine.database import Database, as_json, sql
from regie.publishing.engine.work import DEADLINE, Delivery, Speaker, Step
from regie.publishing.states import LIMITED

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 900.0  # seconds between tries of what the network answered with "later"
SEE_AFTER = timedelta(seconds=2)  # when to look whether an accepted post can be seen

UNFROZEN = """NOT EXISTS (
        SELECT 1 FROM publishing_freeze f WHERE f.lifted_at IS NULL AND (
            f.account_id = d.account_id
            OR (f.campaign_id IS NOT NULL AND f.campaign_id = (
                SELECT fp.campaign_id FROM studio_variant fv JOIN studio_post fp ON fp.id = fv.post_id
                WHERE fv.id = d.variant_id))
            OR (f.account_id IS NULL AND f.campaign_id IS NULL
                AND (f.workspace_id = d.workspace_id OR f.workspace_id IS NULL))))"""

BEGIN = sql(
    f"""
WITH asked AS (
    SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
        delivery_id bigint, lease uuid, state text, step_id bigint, number int, fingerprint text, progress jsonb,
        content jsonb, post_version int, was text)
), mine AS (
    SELECT d.id FROM publishing_delivery d
    JOIN asked r ON r.delivery_id = d.id
    JOIN accounts_account a ON a.id = d.account_id
    JOIN studio_variant v ON v.id = d.variant_id
    JOIN studio_post p ON p.id = v.post_id
    WHERE d.lease = r.lease AND d.leased_until > MOMENT AND d.state = r.state
        AND (d.state = 'sending' AND r.was = 'processing'  -- the network has it; or else it may go, and says what was
            OR a.state = 'connected' AND {UNFROZEN} AND (d.state = 'sending' OR p.version = r.post_version))  -- saved
    ORDER BY d.id FOR UPDATE OF d
), going AS (
    UPDATE publishing_delivery d
    SET state = 'sending', sent_at = coalesce(d.sent_at, greatest(MOMENT, d.due_at)), prepare_at = NULL, look_at = NULL
    FROM mine WHERE d.id = mine.id RETURNING d.id, d.publisher
), stepped AS (
    UPDATE publishing_step s
    SET state = 'sending', progress = r.progress, content = r.content, prepared_at = coalesce(s.prepared_at, MOMENT)
    FROM asked r JOIN going g ON g.id = r.delivery_id WHERE s.id = r.step_id
)
INSERT INTO publishing_attempt (step_id, number, kind, fingerprint, publisher, began_at, deadline, outcome, said)
SELECT r.step_id, r.number, 'commit', r.fingerprint, g.publisher, MOMENT, MOMENT + %(deadline)s, '', ''
FROM asked r JOIN going g ON g.id = r.delivery_id
RETURNING id, step_id, began_at
"""  # noqa: S608 - constants of ours
)

# The outcome of an attempt is written whatever became of the lease: it is what happened. The delivery follows if it is
# still ours, or if it became unclear meanwhile and we now know better (and the next part of a thread waits again): it
# is out; or the network said no, and no other attempt at this part is in doubt. What was called off while it was in
# doubt is not sent, held or missed by it: the look that follows says what it is now.
RECORD = sql(
    """
WITH told AS (
    SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
        delivery_id bigint, lease uuid, state text, holds text[], next_at timestamptz, look_at timestamptz,
        remote_id text, url text, limited text, problem text, problem_facts jsonb, tried int, accepted_at timestamptz,
        to_tell boolean, keep_lease boolean, step_id bigint, step_state text, step_remote_id text, step_url text,
        extra jsonb, progress jsonb, prepared boolean, attempt_id bigint, outcome text, said text,
        said_facts jsonb, answer jsonb)
), mine AS (
    SELECT d.id, d.state = 'unclear' AND d.called_off
        AND r.state IN ('sending', 'scheduled', 'held', 'missed', 'refused') AS off
    FROM publishing_delivery d JOIN told r ON r.delivery_id = d.id
    WHERE d.lease = r.lease OR (d.state = 'unclear' AND r.state <> 'unclear'
        AND EXISTS (SELECT 1 FROM publishing_attempt t WHERE t.id = r.attempt_id AND t.ended_at IS NULL)
        AND (r.step_state IN ('published', 'processing') OR NOT EXISTS (
            SELECT 1 FROM publishing_attempt t WHERE t.step_id = r.step_id AND t.id <> r.attempt_id
                AND t.kind = 'commit' AND t.outcome IN ('', 'unclear'))))
    ORDER BY d.id FOR UPDATE OF d
), changed AS (
    UPDATE publishing_delivery d SET
        state = CASE WHEN mine.off THEN 'unclear' WHEN d.state = 'unclear' AND r.state = 'sending' THEN 'scheduled'
            ELSE r.state END,
        holds = CASE WHEN mine.off THEN '{}' ELSE r.holds END,
        next_at = greatest(coalesce(r.next_at, d.next_at), d.due_at),
        look_at = CASE WHEN mine.off THEN MOMENT ELSE r.look_at END,
        looks = CASE WHEN d.state = 'unclear' AND r.state = 'unclear' THEN d.looks ELSE 0 END,
        remote_id = coalesce(nullif(r.remote_id, ''), d.remote_id), url = coalesce(nullif(r.url, ''), d.url),
        limited = coalesce(nullif(r.limited, ''), d.limited),
        problem = r.problem, problem_facts = r.problem_facts, tries = d.tries + r.tried,
        accepted_at = CASE WHEN r.accepted_at IS NULL THEN d.accepted_at
            ELSE greatest(least(r.accepted_at, MOMENT), d.sent_at) END,
        prepare_at = CASE WHEN r.prepared OR r.next_at IS NOT NULL THEN NULL ELSE d.prepare_at END,
        to_tell = r.to_tell AND NOT mine.off OR d.to_tell
            OR (r.state = 'published' AND coalesce(nullif(r.limited, ''), d.limited) <> ''),
        lease = CASE WHEN r.keep_lease AND d.lease = r.lease THEN d.lease END,
        leased_until = CASE WHEN r.keep_lease AND d.lease = r.lease THEN d.leased_until END
    FROM told r, mine WHERE d.id = r.delivery_id AND mine.id = d.id RETURNING d.id
), stepped AS (
    UPDATE publishing_step s SET
        state = r.step_state, progress = coalesce(r.progress, s.progress),
        remote_id = coalesce(nullif(r.step_remote_id, ''), s.remote_id),
        url = coalesce(nullif(r.step_url, ''), s.url), extra = coalesce(r.extra, s.extra),
        published_at = CASE WHEN r.step_state = 'published' THEN MOMENT ELSE s.published_at END,
        prepared_at = CASE WHEN r.prepared THEN coalesce(s.prepared_at, MOMENT) ELSE s.prepared_at END
    FROM told r JOIN changed c ON c.id = r.delivery_id WHERE s.id = r.step_id AND r.step_state IS NOT NULL
), ended AS (
    UPDATE publishing_attempt t SET ended_at = MOMENT, outcome = r.outcome, said = r.said,
        said_facts = r.said_facts, answer = r.answer
    FROM told r WHERE t.id = r.attempt_id AND t.ended_at IS NULL
)
SELECT id FROM changed
"""
)


# An intent of which we do not know whether it was written down, and after which not a byte was said.
UNSAID = sql(
    """
WITH asked AS (
    SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
        delivery_id bigint, lease uuid, step_id bigint, number int, was text)
), mine AS (
    SELECT d.id, r.step_id, r.number, r.was FROM publishing_delivery d JOIN asked r ON r.delivery_id = d.id
    WHERE (d.lease = r.lease AND d.state IN ('claimed', 'sending')) OR (d.state = 'unclear' AND EXISTS (
        SELECT 1 FROM publishing_attempt t WHERE t.step_id = r.step_id AND t.number = r.number AND t.ended_at IS NULL))
    ORDER BY d.id FOR UPDATE OF d
), back AS (
    UPDATE publishing_delivery d SET
        state = CASE WHEN m.was = 'processing' THEN 'processing'
            WHEN d.state = 'unclear' AND d.called_off THEN 'unclear' ELSE 'scheduled' END,
        look_at = CASE WHEN m.was = 'processing' OR d.called_off THEN MOMENT END, lease = NULL, leased_until = NULL
    FROM mine m WHERE d.id = m.id
), stepped AS (
    UPDATE publishing_step s SET state = m.was FROM mine m
    WHERE s.id = m.step_id AND s.state IN ('sending', 'unclear')
)
UPDATE publishing_attempt t SET ended_at = MOMENT, outcome = 'later', said = %(said)s
FROM mine m WHERE t.step_id = m.step_id AND t.number = m.number AND t.kind = 'commit' AND t.ended_at IS NULL
"""
)
INTERRUPTED = "The database was away before anything was sent."
SOMEBODY_ELSES = "The network's answer names a post that belongs to another delivery. Look there, and settle it here."


@dataclass(kw_only=True, slots=True)
class Intent:
    """One attempt that is about to be made. ``state``: what the delivery must be in for it."""

    delivery_id: int
    lease: UUID
    state: str
    step_id: int
    number: int
    fingerprint: str
    progress: Mapping[str, Any]
    content: Mapping[str, Any]
    post_version: int  # which save of the post it says
    was: str = "waiting"  # the step's state before


@dataclass(kw_only=True, slots=True)
class Told:
    """What becomes of a delivery, one of its steps and one attempt. None leaves a thing as it is."""

    delivery_id: int
    lease: UUID | None
    state: str
    holds: list[str] = field(default_factory=list)
    next_at: datetime | None = None
    look_at: datetime | None = None
    remote_id: str = ""
    url: str = ""
    limited: str = ""  # why the public does not see it
    problem: str = ""
    problem_facts: dict[str, Any] = field(default_factory=dict)
    tried: int = 0
    accepted_at: datetime | None = None  # when the network's answer came
    to_tell: bool = False
    keep_lease: bool = False
    step_id: int | None = None
    step_state: str | None = None
    step_remote_id: str = ""
    step_url: str = ""
    extra: Mapping[str, Any] | None = None
    progress: Mapping[str, Any] | None = None
    prepared: bool = False
    attempt_id: int | None = None
    outcome: str = ""
    said: str = ""
    said_facts: dict[str, Any] | None = None
    answer: Mapping[str, Any] | None = None


def _row(one: Intent | Told) -> dict[str, Any]:
    """Flat, without copying what is inside: ``asdict`` was a fifth of the engine's work."""
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


async def begin(database: Database, intents: Sequence[Intent]) -> Sequence[tuple[int, datetime] | None]:
    """Writes the intents down, durably. For each: the attempt's id and its beginning, or None when it may not go."""
    rows = await database.rows(BEGIN, rows=as_json([_row(intent) for intent in intents]), deadline=DEADLINE)
    began = {row["step_id"]: (row["id"], row["began_at"]) for row in rows}
    return [began.get(intent.step_id) for intent in intents]


async def unsaid(database: Database, intents: Sequence[Intent]) -> Sequence[None]:
    """Takes intents back, whether or not they were written down: nothing was said."""
    await database.rows(UNSAID, rows=as_json([_row(intent) for intent in intents]), said=INTERRUPTED)
    return [None] * len(intents)


async def record(database: Database, told: Sequence[Told]) -> Sequence[bool]:
    """Writes outcomes down. For each: whether the delivery was still ours to change."""
    try:
        rows = await database.rows(RECORD, rows=as_json([_row(one) for one in told]))
    except UniqueViolation:
        if len(told) > 1:
            return [done for one in told for done in await record(database, [one])]
        return await record(database, [_somebody_elses(told[0], database.moment())])
    changed = {row["id"] for row in rows}
    return [one.delivery_id in changed for one in told]


def _somebody_elses(told: Told, now: datetime) -> Told:
    """Another delivery of the account holds that receipt already.

    When we found the post, a twin took it while we looked, and the next look leaves it out. When it is what the network
    answered, a person is asked.
    """
    answered = told.answer is not None
    return Told(
        delivery_id=told.delivery_id,
        lease=told.lease,
        state="unclear",
        to_tell=answered,
        look_at=None if answered else now + SEE_AFTER,
        problem=SOMEBODY_ELSES if answered else "",
        step_id=told.step_id,
        step_state="unclear",
        attempt_id=told.attempt_id,
        outcome="unclear",
        said=told.said,
        said_facts=told.said_facts,
        answer=told.answer,
    )


# What follows from an outcome

Outcome = Published | Pending | NetworkError


def after_commit(
    speaker: Speaker, delivery: Delivery, step: Step, outcome: Outcome, *, now: datetime, attempt_id: int | None
) -> Told:
    """The verdict over one visible call: the table of design section 5, in code."""
    told = Told(
        delivery_id=delivery.id,
        lease=delivery.lease,
        state="unclear",
        step_id=step.id,
        step_state="unclear",
        attempt_id=attempt_id,
    )
    match outcome:
        case Published():
            _published(told, delivery, step, outcome, now)
        case Pending():
            told.state = told.step_state = told.outcome = "processing"
            told.progress, told.look_at = outcome.progress, outcome.not_before or now + SEE_AFTER
        case TryLater() if may_be_done(speaker, outcome):
            _unclear(told, outcome, look_at=now + pause(delivery.tries), tried=1)
        case TryLater():
            _later(told, delivery, step, outcome, now)
        case SignInAgain() if step.state == "processing":
            _goes_on(told, outcome, "sign_in", now + pause(delivery.tries))  # once the account is connected again
        case SignInAgain():
            _problem(told, outcome)
            told.state, told.holds, told.outcome = "held", ["reconnect"], "sign_in"
            told.step_state = "unclear" if step.in_doubt else "waiting"
        case Refused():
            _problem(told, outcome)
            told.state = "partly" if delivery.has_parts_out else "refused"
            told.step_state, told.outcome, told.to_tell = "refused", "refused", True
        case _:
            knows = not isinstance(speaker.can.repeat, NobodyKnows)
            _unclear(told, outcome, look_at=now + SEE_AFTER if knows else None)
    _keep_answer(told, outcome)
    return told


def may_be_done(speaker: Speaker, exc: TryLater) -> bool:
    """Asking again is safe here, and yet it may have happened already: until we know, it is unclear and says so."""
    if not isinstance(speaker.can.repeat, Repeatable):
        return False
    lost = isinstance(exc.__cause__, LostOnTheWay)
    return lost or (exc.answer is not None and (exc.answer.status >= 500 or exc.answer.status == 408))


def _published(told: Told, delivery: Delivery, step: Step, outcome: Published, now: datetime) -> None:
    told.step_state = told.outcome = "published"
    if outcome.limited:
        told.limited, told.outcome = outcome.limited, LIMITED
    told.step_remote_id, told.step_url = outcome.remote_id[:300], outcome.url[:500]
    told.extra = dict(outcome.extra)
    if step.position == 0:
        told.remote_id, told.url = told.step_remote_id, told.step_url
    if step.position == len(delivery.steps) - 1:
        told.state, told.look_at = "published", now + SEE_AFTER
        since = time.monotonic() - outcome.answer.ended if outcome.answer is not None else 0.0
        told.accepted_at = now - timedelta(seconds=since)
    elif delivery.called_off:
        told.state, told.to_tell = "partly", True
    else:
        told.state, told.keep_lease = "sending", True


def _later(told: Told, delivery: Delivery, step: Step, exc: TryLater, now: datetime) -> None:
    """An earlier attempt of which nothing is known stays in doubt, whatever is said of this one."""
    if step.state == "processing":
        _goes_on(told, exc, "later", max(exc.not_before or now, now + pause(delivery.tries)))
        return
    _problem(told, exc)
    told.outcome, told.step_state, told.tried = "later", "unclear" if step.in_doubt else "waiting", 1
    next_at = max(exc.not_before or now + pause(delivery.tries), now)
    if next_at > delivery.latest and step.in_doubt:
        told.state, told.look_at = "unclear", now
    elif next_at > delivery.latest:
        told.state, told.to_tell = delivery.missed, True
    else:
        told.state, told.next_at = "scheduled", next_at


def _goes_on(told: Told, exc: NetworkError, outcome: str, look_at: datetime) -> None:
    """The network has it and works on it, whatever became of our question: nothing holds, cancels or misses it."""
    _problem(told, exc)
    told.state = told.step_state = "processing"
    told.outcome, told.tried, told.look_at = outcome, 1, look_at


def _unclear(told: Told, exc: NetworkError, *, look_at: datetime | None, tried: int = 0) -> None:
    """``look_at`` None: nobody knows, so people are told at once."""
    _problem(told, exc)
    told.state = told.step_state = told.outcome = "unclear"
    told.look_at, told.tried, told.to_tell = look_at, tried, look_at is None


def _problem(told: Told, exc: NetworkError) -> None:
    told.problem, told.problem_facts = exc.sentence, dict(exc.facts)


def _keep_answer(told: Told, outcome: Outcome) -> None:
    if isinstance(outcome, NetworkError):
        told.said, told.said_facts = outcome.sentence, dict(outcome.facts)
        if outcome.answer is None and outcome.__cause__ is not None:
            told.answer = {"cause": str(outcome.__cause__)[:500]}
    answer = None if isinstance(outcome, Pending) else outcome.answer
    if answer is not None:
        told.answer = answer.kept()


def pause(tries: int) -> timedelta:
    """Longer after each try, and never the same for all: a network that comes back is not met by a wall of requests."""
    seconds = min(FIRST_PAUSE * 2 ** min(tries, 10), LONGEST_PAUSE)
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311
