"""Finding out what became of an unclear delivery before anything is ever sent again: design section 6.5.

Repeatable   inside its time the same request again is the same post; afterwards we look for it
AskStatus    the id that was saved is asked
Search       found: made after the attempt began, same text and media, nobody else's; of twins of ours that are in doubt
             together each takes its own. Absent: not there although the listing reaches back past the attempt and the
             network has had its time. Anything between asks a person
NobodyKnows  a person settles it

A first comment is in no listing of posts: the connector is asked for it where it ``FindsComment``, else a person.

What may have gone out after the backup that we come from (``doubt_from``) left no id here that could be asked: it is
searched for, from the moment of the backup on, or a person is asked.

What people called off meanwhile is looked for and never sent: in the end it is cancelled, or shown as what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from regie.accounts.budgets import USED_UP, Priority, SavedForLater
from regie.accounts.services import refresh_token
from regie.core.sealed import CannotOpen
from regie.networks import registry
from regie.networks.capabilities import AskStatus, Format, NobodyKnows, Repeat, Repeatable, Search
from regie.networks.data import Listing, Pending, Published, Seen
from regie.networks.errors import NetworkError, SignInAgain, TokenExpired, TryLater, Unclear
from regie.networks.likeness import alike, normal, same
from regie.networks.protocols import FindsComment, KnowsStatus, ListsOwn
from regie.publishing.engine.database import Database, as_json, sql
from regie.publishing.engine.outgoing import outgoing_for
from regie.publishing.engine.record import UNFROZEN, Told, after_commit, pause
from regie.publishing.engine.work import (
    ACCOUNT_COLUMNS,
    CANNOT_OPEN,
    DEADLINE,
    LEASE,
    STEPS,
    Delivery,
    Speaker,
    Step,
    delivery_of,
    may_repeat,
    say_disconnected,
    speaker_of,
)
from regie.publishing.holds import FROZEN

if TYPE_CHECKING:
    from regie.publishing.engine.send import Sender

MOST = 16
ROUNDING = timedelta(seconds=2)  # networks tell whole seconds, in Date headers and sometimes in posts
DEFAULT_VISIBLE = timedelta(seconds=60)
TWIN_PAUSE = timedelta(seconds=3)
PATIENCE = timedelta(minutes=30)  # a network that cannot be asked for so long: people are told

ASK_ABOUT_COMMENT = "We cannot tell whether its first comment was published. Look under the post, then settle it here."
ASK_A_PERSON = "We cannot tell whether it was published. Look on the network, then settle it here."
TWO_ALIKE = "There are two posts like it on the network. Look there, and settle which one it is."
ASK_ABOUT_BACKUP = (
    "We cannot tell whether it went out after the backup that was restored. Look there, and settle it here."
)
MAYBE_REWRITTEN = "There is a post on the network that may be this one, rewritten. Look there, and settle it here."
NOT_FAR_ENOUGH = "The network does not list its posts far enough back. Look there, and settle it here."
WAS_AWAY = "It was not sent before the freeze, and its time has passed."

CLAIM = sql(
    f"""
WITH first AS (
    SELECT d.id FROM publishing_delivery d JOIN accounts_account a ON a.id = d.account_id
    WHERE d.look_at <= MOMENT AND d.state = 'unclear' AND (d.leased_until IS NULL OR d.leased_until < MOMENT)
        AND a.state = 'connected'
    ORDER BY d.look_at LIMIT %(most)s FOR UPDATE OF d SKIP LOCKED
), claimed AS (
    UPDATE publishing_delivery d SET lease = %(lease)s, leased_until = MOMENT + %(lease_time)s,
        looks = least(d.looks + 1, 30000), publisher = %(publisher)s
    FROM first WHERE d.id = first.id RETURNING d.*
)
SELECT d.id, d.lease, d.state, d.due_at, d.next_at, d.late_minutes, d.tries, d.looks, d.sent_at,
    d.doubt_from, d.called_off, s.steps, NOT {UNFROZEN} AS frozen, {ACCOUNT_COLUMNS}
FROM claimed d JOIN accounts_account a ON a.id = d.account_id CROSS JOIN LATERAL ({STEPS} d.id) s
"""  # noqa: S608 - constants of ours
)

OPEN_ATTEMPTS = sql(
    """
SELECT min(began_at) AS began_at, max(CASE WHEN ended_at IS NULL THEN deadline ELSE ended_at END) AS over_at,
    max(deadline) AS deadline, (SELECT restored_at FROM publishing_installation) AS restored_at
FROM publishing_attempt WHERE step_id = %(step)s AND kind = 'commit' AND outcome IN ('', 'unclear')
"""
)
OWNED = sql(
    """
SELECT s.remote_id FROM publishing_step s JOIN publishing_delivery d ON d.id = s.delivery_id
WHERE d.account_id = %(account)s AND s.remote_id = ANY(%(ids)s) AND s.id <> %(step)s
UNION SELECT remote_id FROM publishing_delivery
WHERE account_id = %(account)s AND remote_id = ANY(%(ids)s) AND id <> %(id)s
"""
)
# Others of the account that wait for a post of their own, after the listing was fetched: an intent is written before a
# word is said, so whatever post of ours is in the listing is either owned by now or waited for by one of these.
RIVALS = sql(
    """
SELECT s.id, s.content, min(t.began_at) AS began_at, bool_or(t.ended_at IS NULL AND t.deadline > MOMENT) AS under_way,
    bool_or(d.state <> 'unclear' OR d.look_at IS NOT NULL) AS looks  -- otherwise a person is asked
FROM publishing_delivery d JOIN publishing_step s ON s.delivery_id = d.id
JOIN publishing_attempt t ON t.step_id = s.id AND t.kind = 'commit' AND t.outcome IN ('', 'unclear')
WHERE d.account_id = %(account)s AND d.state IN ('sending', 'processing', 'unclear') AND d.id <> %(id)s
    AND s.state IN ('sending', 'processing', 'unclear')
GROUP BY s.id ORDER BY 3, 1
"""
)
# A look that could tell no more than the one before it takes its place: a network may be away for weeks.
LOOKED = sql(
    """
WITH last AS (
    SELECT id, kind, outcome, said FROM publishing_attempt WHERE step_id = %(step)s ORDER BY number DESC LIMIT 1
), same AS (
    UPDATE publishing_attempt t SET began_at = %(began)s, deadline = %(began)s, ended_at = MOMENT,
        said_facts = %(facts)s::jsonb -> 0
    FROM last l WHERE t.id = l.id AND l.kind = 'look' AND l.outcome = 'later' AND %(outcome)s = 'later'
        AND l.said = %(said)s RETURNING t.id
)
INSERT INTO publishing_attempt (step_id, number, kind, fingerprint, publisher, began_at, deadline, ended_at, outcome,
    said, said_facts)
SELECT %(step)s, coalesce(max(number), 0) + 1, 'look', '', '', %(began)s, %(began)s, MOMENT, %(outcome)s, %(said)s,
    %(facts)s::jsonb -> 0
FROM publishing_attempt WHERE step_id = %(step)s HAVING NOT EXISTS (SELECT 1 FROM same)
"""
)


@dataclass(frozen=True, kw_only=True)
class Window:
    """When the attempts in doubt were under way. ``over_at``: none of them can be by now; ``deadline`` of the last.

    since_backup: whoever may have sent it did so after the backup that we come from, and we know nothing of it
    """

    began_at: datetime
    over_at: datetime
    deadline: datetime
    since_backup: bool = False


async def claim(database: Database, *, publisher: str) -> list[tuple[Mapping[str, Any], Delivery]]:
    rows = await database.rows(CLAIM, most=MOST, lease=uuid4(), lease_time=LEASE, publisher=publisher)
    return [(row, delivery_of(row)) for row in rows]


async def settle(sender: Sender, account: Mapping[str, Any], delivery: Delivery) -> None:
    """Looks once at one unclear delivery, and writes down what follows."""
    database = sender.database
    now = database.moment()
    step = next((step for step in delivery.steps if not step.is_out), delivery.steps[-1])
    window = await _window(database, delivery, step)
    told = _told(delivery, step)
    try:
        speaker = await speaker_of(account, sender.http, sender.apps)
        await _must_have_room(sender, speaker)
        await _find_out(sender, speaker, delivery, step, window, told)
    except CannotOpen:
        sign_in = SignInAgain(CANNOT_OPEN)
        _try_again(told, delivery, sign_in, now)
        await say_disconnected(account["account_id"], sign_in)
    except NetworkError as exc:
        _try_again(told, delivery, exc, now)
        if isinstance(exc, TokenExpired):
            await refresh_token(account["account_id"])
        elif isinstance(exc, SignInAgain):
            await say_disconnected(account["account_id"], exc)
    facts, outcome = as_json([told.said_facts or {}]), told.outcome or told.state
    await database.rows(LOOKED, step=step.id, began=now, outcome=outcome, said=told.said, facts=facts)
    told.attempt_id = None
    await sender.records.put(told)


async def _must_have_room(sender: Sender, speaker: Speaker) -> None:
    """Looking comes after publishing, and before reading."""
    until = await sender.budgets.wait_until(speaker, "read", priority=Priority.RECONCILE)
    if until is not None:
        raise SavedForLater(USED_UP, not_before=until)


def _told(delivery: Delivery, step: Step) -> Told:
    return Told(delivery_id=delivery.id, lease=delivery.lease, state="unclear", step_id=step.id, step_state="unclear")


async def _window(database: Database, delivery: Delivery, step: Step) -> Window:
    """From the attempts; what comes from a backup may have gone out at any time between that and the restore."""
    (row,) = await database.rows(OPEN_ATTEMPTS, step=step.id)
    since = delivery.doubt_from
    if since is not None and (row["began_at"] is None or row["began_at"] < since):
        over_at = max(filter(None, (row["restored_at"], row["over_at"], since)))
        deadline = max(row["deadline"] or over_at, over_at)
        return Window(began_at=row["began_at"] or since, over_at=over_at, deadline=deadline, since_backup=True)
    if row["began_at"] is None:
        began = min(delivery.sent_at or delivery.due_at, delivery.due_at)
        return Window(began_at=began, over_at=delivery.next_at, deadline=delivery.next_at)
    deadline = max(row["deadline"], delivery.next_at)
    return Window(began_at=row["began_at"], over_at=max(row["over_at"], delivery.next_at), deadline=deadline)


async def _find_out(
    sender: Sender, speaker: Speaker, delivery: Delivery, step: Step, window: Window, told: Told
) -> None:
    now, repeat = sender.database.moment(), speaker.can.repeat
    if now < window.over_at:  # it may still be under way
        told.look_at, told.outcome = window.over_at, "early"
        return
    if delivery.called_off and not step.in_doubt:  # a late answer settled what was
        _send_again(told, delivery, now, "absent")
        return
    match repeat:
        case NobodyKnows():
            _ask(told, ASK_ABOUT_BACKUP if window.since_backup else ASK_A_PERSON)
        case Repeatable() if _may_repeat(speaker, delivery, step, now):
            _send_again(told, delivery, now, "repeat")
        case _ if step.is_comment:
            await _find_comment(sender, speaker, delivery, step, window, told)
        case AskStatus(then=then) if window.since_backup and step.first_at is None:  # no id was ever saved
            await _search_since_backup(sender, speaker, delivery, step, window, told, then)
        case AskStatus():
            await _ask_status(sender, speaker, delivery, step, window, told)
        case Repeatable(then=then):
            await _search(sender, speaker, delivery, step, window, told, then)
        case Search():
            await _search(sender, speaker, delivery, step, window, told, repeat)


def _may_repeat(speaker: Speaker, delivery: Delivery, step: Step, now: datetime) -> bool:
    """Safe, in time, and neither called off nor while everything is frozen: otherwise we only look."""
    wanted = not (delivery.called_off or delivery.frozen)
    return wanted and may_repeat(speaker.can, step, now) and now <= delivery.latest


def _send_again(told: Told, delivery: Delivery, now: datetime, outcome: str) -> None:
    told.outcome, told.step_state = outcome, "unclear" if outcome == "repeat" else "waiting"
    if delivery.called_off:
        told.state = "partly" if delivery.has_parts_out else "cancelled"
        told.to_tell = delivery.has_parts_out
    elif now > delivery.latest or (delivery.frozen and delivery.due_at <= now):
        told.state, told.to_tell = delivery.missed, True
    elif delivery.frozen:  # moved meanwhile to a time that is still to come
        told.state, told.holds = "held", [FROZEN]
    else:
        told.state, told.next_at = "scheduled", now


def _ask(told: Told, said: str) -> None:
    """Only a person can settle it."""
    told.problem, told.look_at, told.to_tell, told.outcome = said, None, True, "unclear"


def _try_again(told: Told, delivery: Delivery, exc: NetworkError, now: datetime) -> None:
    """The network could not be asked. People hear of it when that lasts."""
    told.problem, told.problem_facts, told.outcome = exc.sentence, dict(exc.facts), "later"
    told.said, told.said_facts = exc.sentence, dict(exc.facts)
    told.look_at = max(exc.not_before or now, now + pause(delivery.looks))
    told.tried = 0
    told.to_tell = isinstance(exc, SignInAgain) or now > (delivery.sent_at or delivery.due_at) + PATIENCE


async def _ask_status(
    sender: Sender, speaker: Speaker, delivery: Delivery, step: Step, window: Window, told: Told
) -> None:
    now = sender.database.moment()
    outgoing = replace(await outgoing_for(speaker, delivery, step, now), tried_until=window.deadline)
    became = await cast(KnowsStatus, speaker.connector).what_became_of(outgoing, step.progress)
    if became is None and window.since_backup:  # another attempt may have been made with an id of its own
        how = cast(AskStatus, speaker.can.repeat).then
        await _search_since_backup(sender, speaker, delivery, step, window, told, how)
    elif became is None:
        _send_again(told, delivery, now, "absent")
    elif isinstance(became, Pending) and delivery.called_off:  # to go on with it could be to send it
        network = registry.connector(speaker.network).name
        raise TryLater("{network} is still working on it.", network=network, not_before=became.not_before)
    elif isinstance(became, Pending):
        told.state = told.step_state = told.outcome = "processing"
        told.progress, told.look_at = became.progress, became.not_before or now + timedelta(seconds=2)
    else:
        _found(told, speaker, delivery, step, became, now)


async def _search_since_backup(
    sender: Sender,
    speaker: Speaker,
    delivery: Delivery,
    step: Step,
    window: Window,
    told: Told,
    how: Search | None,
) -> None:
    if how is None:
        _ask(told, ASK_ABOUT_BACKUP)
    else:
        await _search(sender, speaker, delivery, step, window, told, how)


async def _find_comment(
    sender: Sender, speaker: Speaker, delivery: Delivery, step: Step, window: Window, told: Told
) -> None:
    by_key = isinstance(speaker.can.repeat, Repeatable)  # and perhaps by the moment of the attempt: Bluesky
    if not isinstance(speaker.connector, FindsComment) or (by_key and step.first_at is None):
        _ask(told, ASK_ABOUT_COMMENT)
        return
    now = sender.database.moment()
    outgoing = replace(await outgoing_for(speaker, delivery, step, now), tried_until=window.deadline)
    if window.since_backup:  # from then on it may be there
        outgoing = replace(outgoing, planned_at=window.began_at)
    try:
        found = await speaker.connector.comment_found(outgoing)
    except Unclear as exc:  # it was looked for, and nobody can tell
        _ask(told, ASK_ABOUT_COMMENT)
        told.said, told.said_facts = exc.sentence, dict(exc.facts)
        return
    if found is not None:
        _found(told, speaker, delivery, step, found, now)
    elif now < (ready_at := window.deadline + _shows_within(speaker.can.repeat)):
        # The connector knows when it was first tried, and not when it was tried last.
        told.look_at, told.outcome = min(ready_at, now + pause(delivery.looks)), "not yet"
    else:
        _send_again(told, delivery, now, "absent")


def _shows_within(repeat: Repeat) -> timedelta:
    how = repeat.then if isinstance(repeat, Repeatable) else repeat
    return how.visible_within if isinstance(how, Search) else timedelta(0)


def _found(told: Told, speaker: Speaker, delivery: Delivery, step: Step, found: Published, now: datetime) -> None:
    verdict = after_commit(speaker, delivery, step, found, now=now, attempt_id=None)
    for name in (
        "state",
        "step_state",
        "step_remote_id",
        "step_url",
        "remote_id",
        "url",
        "extra",
        "limited",
        "accepted_at",
        "look_at",
        "to_tell",
    ):
        setattr(told, name, getattr(verdict, name))
    told.outcome, told.keep_lease = "found", False
    if told.state == "sending":  # more parts are to follow: the lane goes on from here
        told.state, told.next_at = "scheduled", now
        if delivery.frozen or now > delivery.latest:
            told.state, told.to_tell, told.next_at = "partly", True, None


async def _search(
    sender: Sender,
    speaker: Speaker,
    delivery: Delivery,
    step: Step,
    window: Window,
    told: Told,
    how: Search | None,
) -> None:
    if not isinstance(speaker.connector, ListsOwn):
        _ask(told, ASK_A_PERSON)
        return
    if window.since_backup and step.content.get("format") == Format.STORY:  # no listing of posts has it
        _ask(told, ASK_ABOUT_BACKUP)
        return
    database = sender.database
    asked_at = database.moment()
    listing = await speaker.connector.own_posts(since=window.began_at - timedelta(minutes=5))
    ahead = listing.network_now - asked_at if listing.network_now else timedelta(0)
    since = window.began_at + ahead - ROUNDING
    rivals = await database.rows(RIVALS, account=speaker.account_id, id=delivery.id)
    twins = [rival for rival in rivals if _says(rival["content"]) == _says(step.content)]
    theirs = await _not_others(database, speaker, delivery, step, listing, since)
    candidates = sorted(
        (seen for seen in theirs if _says_it(step, seen, same) and _fits(delivery, step, seen)),
        key=lambda seen: (seen.created_at, seen.remote_id),
    )
    before = sum(twin["looks"] and (twin["began_at"], twin["id"]) < (window.began_at, step.id) for twin in twins)
    later = database.moment() + TWIN_PAUSE * delivery.looks
    if candidates and any(twin["under_way"] for twin in twins):
        told.look_at, told.outcome = later, "not yet"  # one of them may be its
    elif candidates and len(candidates) <= before:
        told.look_at, told.outcome = later, "not yet"  # those before it choose first
    elif candidates and len(candidates) <= len(twins) + 1:
        seen = candidates[before]
        found = Published(remote_id=seen.remote_id, url=seen.url, at=seen.created_at, extra=seen.extra)
        _found(told, speaker, delivery, step, found, database.moment())
    elif candidates:
        _ask(told, TWO_ALIKE)
    else:
        visible = how.visible_within if how is not None else DEFAULT_VISIBLE
        waited_for = [rival["content"].get("text", "") for rival in rivals]
        theirs = [seen for seen in theirs if not any(same(text, seen.text) for text in waited_for)]
        _not_found(told, delivery, step, window, listing, theirs, since, visible, database.moment())


def _says(content: Mapping[str, Any]) -> tuple[str, int]:
    return normal(content.get("text", "")), len(content.get("media") or ())


def _not_found(
    told: Told,
    delivery: Delivery,
    step: Step,
    window: Window,
    listing: Listing,
    theirs: Sequence[Seen],
    since: datetime,
    visible: timedelta,
    now: datetime,
) -> None:
    """Absent, and only absent, allows another send."""
    ready_at = window.deadline + visible
    if now < ready_at:
        told.look_at, told.outcome = min(ready_at, now + pause(delivery.looks)), "not yet"
    elif listing.reaches_back_to > since:
        _ask(told, NOT_FAR_ENOUGH)
    elif any(_fits(delivery, step, seen) and _says_it(step, seen, alike) for seen in theirs):
        _ask(told, MAYBE_REWRITTEN)
    else:
        _send_again(told, delivery, now, "absent")


def _says_it(step: Step, seen: Seen, compare: Callable[[str, str], bool]) -> bool:
    """Our text, and of what goes beside it what the network tells: a title."""
    return compare(step.content.get("text", ""), seen.text) and all(
        compare(ours, theirs) for ours, theirs in _said_beside(step, seen)
    )


def _said_beside(step: Step, seen: Seen) -> Iterator[tuple[str, str]]:
    chosen = step.content.get("options") or {}
    return ((str(chosen[name]), str(value)) for name, value in seen.options.items() if name in chosen)


def _fits(delivery: Delivery, step: Step, seen: Seen) -> bool:
    """The same number of pictures, in the same place of the thread when the network says where it is."""
    answers = delivery.answers(step)
    in_place = not seen.reply_to_id or (answers is not None and seen.reply_to_id == answers.remote_id)
    return in_place and seen.media == len(step.content.get("media") or ())


async def _not_others(
    database: Database, speaker: Speaker, delivery: Delivery, step: Step, listing: Listing, since: datetime
) -> list[Seen]:
    """Posts made since the attempt began that are nobody's yet."""
    recent = [seen for seen in listing.seen if seen.created_at >= since]
    rows = await database.rows(
        OWNED, account=speaker.account_id, ids=[seen.remote_id for seen in recent], step=step.id, id=delivery.id
    )
    owned = {row["remote_id"] for row in rows}
    return [seen for seen in recent if seen.remote_id not in owned]


__all__ = ["DEADLINE", "claim", "settle"]
