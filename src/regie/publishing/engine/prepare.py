"""Everything invisible, ahead of the hour: uploads, containers, processing. It may be done twice without harm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from regie.accounts.budgets import NO_FILES, SavedForLater
from regie.accounts.services import refresh_token
from regie.networks.data import Outgoing, Pending, Progress, Ready
from regie.networks.errors import NetworkError, Refused, SignInAgain, TokenExpired, TryLater
from regie.publishing.engine import rewrite
from regie.publishing.engine.database import Database, as_json, sql
from regie.publishing.engine.outgoing import fingerprint, outgoing_for
from regie.publishing.engine.record import Told, pause
from regie.publishing.engine.work import ACCOUNT_COLUMNS, LEASE, STEPS, Delivery, Speaker, Step, delivery_of, speaker_of

if TYPE_CHECKING:
    from regie.publishing.engine.send import Sender

MOST = 8  # preparations at once in a publisher
WEIGHT = 0.3  # of the newest measurement in the moving average
LONGEST = timedelta(hours=1)  # what took longer waited for something else
VIDEO, REST = "video", "rest"  # what a publisher may be given to: videos' uploads alone, or all but those
SINCE = "preparing_since"  # in a step's progress while it is pending, beside what the connector keeps there

HAS_VIDEO = """EXISTS (
        SELECT 1 FROM publishing_step vs CROSS JOIN LATERAL jsonb_array_elements(vs.content->'media') used
        JOIN media_file vf ON vf.id = (used->>'file')::bigint
        WHERE vs.delivery_id = d.id AND vf.kind IN ('video', 'sound'))"""

CLAIM = sql(
    f"""
WITH first AS (
    SELECT d.id FROM publishing_delivery d JOIN accounts_account a ON a.id = d.account_id
    WHERE d.state = 'scheduled' AND d.prepare_at IS NOT NULL AND d.prepare_at <= MOMENT
        AND d.next_at > MOMENT AND a.state = 'connected'
        AND (%(videos)s::boolean IS NULL OR %(videos)s::boolean = {HAS_VIDEO})
    ORDER BY d.prepare_at LIMIT %(most)s FOR UPDATE OF d SKIP LOCKED
), claimed AS (
    UPDATE publishing_delivery d SET state = 'preparing', lease = %(lease)s, leased_until = MOMENT + %(lease_time)s,
        publisher = %(publisher)s
    FROM first WHERE d.id = first.id RETURNING d.*
)
SELECT c.id, c.lease, c.state, c.due_at, c.next_at, c.late_minutes, c.tries, s.steps,
    p.version AS post_version,
    CASE WHEN c.post_version <> p.version THEN coalesce(v.content, p.content) END AS content, {ACCOUNT_COLUMNS}
FROM claimed c JOIN accounts_account a ON a.id = c.account_id
JOIN studio_variant v ON v.id = c.variant_id JOIN studio_post p ON p.id = v.post_id
CROSS JOIN LATERAL ({STEPS} c.id) s
"""  # noqa: S608 - constants of ours
)

MEASURED = sql(
    """
UPDATE accounts_account SET
    prepare_seconds = CASE WHEN %(video)s THEN prepare_seconds
                      ELSE prepare_seconds * (1 - %(weight)s) + %(seconds)s * %(weight)s END,
    video_seconds = CASE WHEN %(video)s THEN video_seconds * (1 - %(weight)s) + %(seconds)s * %(weight)s
                    ELSE video_seconds END
WHERE id = %(account)s
"""
)

# Attempts at preparing are written when they are over: nobody could see them, and they may be repeated.
NOTE = sql(
    """
INSERT INTO publishing_attempt (step_id, number, kind, fingerprint, publisher, began_at, deadline, ended_at, outcome,
    said, said_facts, answer)
SELECT r.step_id, r.number, 'prepare', r.fingerprint, r.publisher, r.began_at, r.began_at, r.ended_at, r.outcome,
    r.said, r.said_facts, r.answer
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(step_id bigint, number int, fingerprint text, publisher text,
    began_at timestamptz, ended_at timestamptz, outcome text, said text, said_facts jsonb,
    answer jsonb)
ON CONFLICT (step_id, number) DO NOTHING
"""
)


async def prepared(
    sender: Sender, speaker: Speaker, delivery: Delivery, step: Step, outgoing: Outgoing
) -> Ready | Pending:
    """Prepares a step if it is not, and remembers how long it took. Raises NetworkError."""
    if step.prepared:
        return Ready(progress=step.progress)
    database = sender.database
    files = len(outgoing.pictures) + len(outgoing.videos) + len(outgoing.documents) + len(outgoing.sounds)
    if files and SINCE not in step.progress:  # what goes on was counted when it began
        until = await sender.budgets.wait_until(speaker, "upload", calls=files)
        if until is not None:
            raise SavedForLater(NO_FILES, not_before=until)
    began = database.moment()
    since = str(step.progress.get(SINCE) or began.isoformat())
    outcome: Ready | Pending | NetworkError
    try:
        outcome = await speaker.connector.prepare(outgoing, step.progress)
    except NetworkError as exc:
        outcome = exc
    if files or isinstance(outcome, NetworkError):
        await _note(database, step, outgoing, outcome, began)
    if isinstance(outcome, NetworkError):
        raise outcome
    if files and speaker.can.ahead and isinstance(outcome, Ready):
        await _measure(database, speaker, outgoing, database.moment() - datetime.fromisoformat(since))
    step.progress = {**outcome.progress, SINCE: since} if isinstance(outcome, Pending) else dict(outcome.progress)
    step.prepared = isinstance(outcome, Ready)
    return replace(outcome, progress=step.progress)


async def _measure(database: Database, speaker: Speaker, outgoing: Outgoing, took: timedelta) -> None:
    """From the first call until the network was done with all files."""
    seconds = min(took, LONGEST).total_seconds()
    await database.rows(
        MEASURED, account=speaker.account_id, seconds=seconds, weight=WEIGHT, video=bool(outgoing.videos)
    )


async def _note(
    database: Database,
    step: Step,
    outgoing: Outgoing,
    outcome: Ready | Pending | NetworkError,
    began: datetime,
) -> None:
    ended = database.moment()
    step.attempts += 1
    failed = outcome if isinstance(outcome, NetworkError) else None
    row: Mapping[str, Any] = {
        "step_id": step.id,
        "number": step.attempts,
        "fingerprint": fingerprint(outgoing),
        "publisher": "",
        "began_at": began,
        "ended_at": ended,
        "outcome": _word(outcome),
        "said": failed.sentence if failed else "",
        "said_facts": dict(failed.facts) if failed else None,
        "answer": failed.answer.kept() if failed and failed.answer else None,
    }
    await database.rows(NOTE, rows=as_json([row]))


def _word(outcome: Ready | Pending | NetworkError) -> str:
    match outcome:
        case Ready():
            return "ready"
        case Pending():
            return "processing"
        case SignInAgain():
            return "sign_in"
        case Refused():
            return "refused"
    return "later"


async def claim(
    database: Database, *, publisher: str, most: int = MOST, only: str = ""
) -> list[tuple[Mapping[str, Any], Delivery]]:
    """Deliveries whose uploads should begin, each with the row of its account. ``only``: VIDEO, REST or all."""
    videos = {VIDEO: True, REST: False}.get(only)
    rows = await database.rows(CLAIM, most=most, lease=uuid4(), lease_time=LEASE, publisher=publisher, videos=videos)
    return [(row, delivery_of(row)) for row in rows]


async def ahead(sender: Sender, account: Mapping[str, Any], delivery: Delivery) -> None:
    """Prepares a delivery before its hour. What fails now is tried again, and once more at the hour itself."""
    database = sender.database
    speaker = await speaker_of(account, sender.http, sender.apps)
    told = Told(delivery_id=delivery.id, lease=delivery.lease, state="scheduled")
    if delivery.content is not None and not await rewrite.follow(database, speaker, delivery):
        return
    step = next((step for step in delivery.steps if not step.is_out), None)
    if step is None or step.in_doubt:  # it may be out: at its hour it is looked for, or repeated as it was said
        told.prepared = True
    else:  # a further part answers this one, which is not there yet: its turn comes after it
        told = await _one(sender, speaker, delivery, step)
    await sender.records.put(told)


async def _one(sender: Sender, speaker: Speaker, delivery: Delivery, step: Step) -> Told:
    database = sender.database
    told = Told(delivery_id=delivery.id, lease=delivery.lease, state="scheduled", step_id=step.id, step_state="waiting")
    try:
        outgoing = await outgoing_for(speaker, delivery, step, database.moment())
        ready = await prepared(sender, speaker, delivery, step, outgoing)
    except Refused as exc:
        told.state = "partly" if delivery.has_parts_out else "refused"
        told.step_state, told.to_tell = "refused", True
        told.problem, told.problem_facts = exc.sentence, dict(exc.facts)
        return told
    except NetworkError as exc:
        told.problem, told.problem_facts = exc.sentence, dict(exc.facts)
        when = exc.not_before if isinstance(exc, TryLater) else None
        if isinstance(exc, TokenExpired) and await refresh_token(speaker.account_id):
            told.problem, told.problem_facts, when = "", {}, database.moment()  # nothing was wrong with the post
        await _again(database, delivery, when or database.moment() + pause(delivery.tries))
        return told
    told.progress = ready.progress
    if isinstance(ready, Pending):
        await _again(
            database, delivery, max(ready.not_before or database.moment(), database.moment()) + timedelta(seconds=1)
        )
    else:
        told.prepared = True
    return told


AGAIN = sql("UPDATE publishing_delivery SET prepare_at = %(when)s WHERE id = %(id)s AND lease = %(lease)s")


async def _again(database: Database, delivery: Delivery, when: datetime) -> None:
    await database.rows(AGAIN, id=delivery.id, lease=delivery.lease, when=when)


__all__ = ["Progress", "ahead", "claim", "prepared"]
