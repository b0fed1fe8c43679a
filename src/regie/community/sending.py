"""Sending answers with the care of a delivery: written before the call, never twice, and the doubt shown.

An answer is claimed by one conditional UPDATE, committed before a word leaves. What the network then says decides:
sent, later, refused, or unclear. An unclear one is looked for on the account before anything is sent again; where the
network cannot be asked, a person decides.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext_noop

from regie.accounts.budgets import Priority, must_have_room
from regie.accounts.models import Account
from regie.accounts.opening import capabilities_of, connector_for, session
from regie.accounts.services import disconnect, refresh_token
from regie.community.models import Answer, Message
from regie.community.words import vector
from regie.core import clock
from regie.core.sealed import CannotOpen
from regie.core.threads import in_thread
from regie.networks import registry
from regie.networks.capabilities import Capabilities, Repeatable, Search
from regie.networks.data import Listing, Outgoing, Pending, Published, Ref, Seen
from regie.networks.errors import NetworkError, Refused, SignInAgain, TokenExpired, TryLater, Unclear
from regie.networks.protocols import ListsOwn, Publishes
from regie.people import notices
from regie.publishing.services import everything_is_frozen

DEADLINE = timedelta(seconds=90)  # after this a call can no longer be under way: the session gives up at 60
FOR_EVER = timedelta(days=3650)
PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=30)
GIVE_UP = timedelta(days=1)  # of "later": then a person hears of it
SKEW = timedelta(minutes=2)  # between the network's clock and ours, at worst
MOST_LOOKS = 8
AT_ONCE = 100


def waiting_answers() -> list[int]:
    """Those to send, to look for, or that a dead worker left in the middle of a call."""
    due = Answer.objects.filter(next_at__lte=clock.now()).order_by("next_at")
    return list(due.values_list("pk", flat=True)[:AT_ONCE])


async def work_on(answer_id: int) -> None:
    """The next thing to do for an answer: send it, or look whether it is there."""
    await in_thread(mark_interrupted, answer_id)
    if (answer := await in_thread(claim, answer_id)) is not None:
        await _send(answer)
    elif (answer := await in_thread(claim_look, answer_id)) is not None:
        await _look(answer)


# Sending


def claim(answer_id: int) -> Answer | None:
    """Writes down that a call begins, before it does; None when another has begun it, or it is settled.

    A copy of the installation that was just restored answers nobody before somebody let it speak.
    """
    now = clock.now()
    if everything_is_frozen():
        return None
    won = Answer.objects.filter(
        pk=answer_id,
        state=Answer.State.SENDING,
        began_at=None,
        next_at__lte=now,
        message__account__state=Account.State.CONNECTED,
    ).update(began_at=now, deadline=now + DEADLINE, next_at=now + DEADLINE, tries=F("tries") + 1)
    if not won:
        return None
    Answer.objects.filter(pk=answer_id, first_at=None).update(first_at=now)
    return Answer.objects.select_related("message__account").get(pk=answer_id)


def mark_interrupted(answer_id: int) -> None:
    """A call that nobody waits for any more: safe to repeat where the network knows our key, else unclear.

    So is one that was put off to be repeated, once the network has forgotten the key of a first call that it may have
    taken.
    """
    now = clock.now()
    sending = Answer.objects.filter(pk=answer_id, state=Answer.State.SENDING, first_at__isnull=False)
    put_off, given_up = Q(began_at=None, next_at__lte=now), Q(deadline__lt=now)
    answer = sending.filter(put_off | given_up).select_related("message__account").first()
    if answer is None:
        return
    can, was_put_off = capabilities_of(answer.message.account), answer.began_at is None
    if was_put_off and not isinstance(can.repeat, Repeatable):
        return  # only what is safe to repeat is put off after an answer that did not come
    same_call = sending.filter(began_at=answer.began_at)
    if repeat_until(can, answer):
        same_call.update(began_at=None, next_at=now)
        return
    network = registry.connector(answer.message.account.network).name
    problem, facts = (FORGOTTEN, {"network": network}) if was_put_off else (INTERRUPTED, {})
    if same_call.update(state=Answer.State.UNCLEAR, next_at=now, problem=problem, problem_facts=facts):
        _tell(answer, "answer.unclear")


def doubt_after_restore() -> None:
    """What waited in a backup may have been answered since: it is looked for, or a person is asked. Where the network
    knows our key for ever, it is simply said again."""
    now = clock.now()
    for answer in Answer.objects.filter(state=Answer.State.SENDING).select_related("message__account"):
        can = capabilities_of(answer.message.account)
        if isinstance(can.repeat, Repeatable) and can.repeat.for_ is None:
            continue
        Answer.objects.filter(pk=answer.pk).update(
            state=Answer.State.UNCLEAR,
            began_at=None,
            deadline=now,  # it may have gone out until this moment
            next_at=now,
            looks=0,
            problem=MAYBE_SINCE_BACKUP,
            problem_facts={},
        )


INTERRUPTED = gettext_noop("It was interrupted while it was being sent, and may be out.")
FORGOTTEN = gettext_noop("It may be out: {network} gave no answer, and no longer knows whether it took it.")
MAYBE_SINCE_BACKUP = gettext_noop("It may have gone out after the backup that was restored.")
NO_ANSWERS = gettext_noop("{network} takes no answers.")
NO_KEY = gettext_noop("This installation cannot open the stored sign-in of the account. Connect it again.")


def repeat_until(can: Capabilities, answer: Answer) -> datetime | None:
    """Until when the network takes a repeat for the same answer; None when never, or no longer."""
    if not isinstance(can.repeat, Repeatable):
        return None
    until = (answer.first_at or clock.now()) + (FOR_EVER if can.repeat.for_ is None else can.repeat.for_ - DEADLINE)
    return until if until > clock.now() else None


def outgoing(answer: Answer) -> Outgoing:
    message = answer.message
    return Outgoing(
        key=str(answer.key),
        text=answer.text,
        planned_at=answer.created_at,
        visibility=str(message.extra.get("visibility", "")),  # a private word is answered in private
        reply_to=Ref(remote_id=message.remote_id, root_id=message.conversation.remote_id, extra=message.extra),
        repeat_until=repeat_until(capabilities_of(message.account), answer),
    )


async def _send(answer: Answer) -> None:
    try:
        outcome = await _spoken(answer)
    except TokenExpired as exc:
        fresh = await refresh_token(answer.message.account_id)
        await in_thread(partial(later, answer, exc, at=clock.now() if fresh and answer.tries < 3 else None))
    except TryLater as exc:
        await in_thread(later, answer, exc)
    except SignInAgain as exc:
        await in_thread(disconnect, answer.message.account, exc)
        await in_thread(refused, answer, exc)
    except Refused as exc:
        await in_thread(refused, answer, exc)
    except Unclear as exc:
        await in_thread(unclear, answer, exc)
    except CannotOpen:
        await in_thread(refused, answer, SignInAgain(NO_KEY))
    else:
        await in_thread(_took, answer, outcome)


async def _spoken(answer: Answer) -> Published | Pending:
    what = await in_thread(outgoing, answer)
    async with session(connections=1) as http:
        connector = await in_thread(connector_for, answer.message.account, http)
        if not isinstance(connector, Publishes):
            raise Refused(NO_ANSWERS, network=type(connector).name)
        await must_have_room(answer.message.account, connector, "publish", priority=Priority.PUBLISH)
        try:
            async with asyncio.timeout(DEADLINE.total_seconds() - 10):
                ready = await connector.prepare(what, answer.progress)
                return ready if isinstance(ready, Pending) else await connector.commit(what, ready.progress)
        except TimeoutError as exc:
            raise Unclear("{network} did not answer, and may have taken it.", network=type(connector).name) from exc


def _took(answer: Answer, outcome: Published | Pending) -> None:
    if isinstance(outcome, Published):
        sent(answer, outcome)
        return
    at = outcome.not_before or clock.now() + timedelta(seconds=5)
    Answer.objects.filter(pk=answer.pk, state=Answer.State.SENDING).update(
        progress=dict(outcome.progress), began_at=None, next_at=at
    )


@transaction.atomic
def sent(answer: Answer, published: Published) -> None:
    """It is out: the receipt on the answer, our words in the conversation, the message done."""
    now = clock.now()
    at = published.at or now
    Answer.objects.filter(pk=answer.pk).exclude(state=Answer.State.SENT).update(
        state=Answer.State.SENT,
        remote_id=published.remote_id,
        url=published.url[:500],
        sent_at=at,
        problem="",
        problem_facts={},
        next_at=None,
    )
    message = answer.message
    Message.objects.bulk_create([_our_word(answer, published, at)], ignore_conflicts=True)
    type(message.conversation).objects.filter(pk=message.conversation_id, last_at__lt=at).update(last_at=at)
    Message.objects.filter(pk=message.pk, state=Message.State.OPEN).update(
        state=Message.State.DONE, done_by=answer.by_id, done_at=now
    )


def _our_word(answer: Answer, published: Published, at: datetime) -> Message:
    message, account = answer.message, answer.message.account
    return Message(
        workspace_id=answer.workspace_id,
        account=account,
        conversation_id=message.conversation_id,
        remote_id=published.remote_id,
        kind=message.kind,
        ours=True,
        author_id=account.remote_id,
        author_name=account.name,
        author_handle=account.handle,
        text=answer.text,
        url=published.url[:500],
        reply_to_id=message.remote_id,
        extra=dict(published.extra),
        said_at=at,
        state=Message.State.DONE,
        words=vector(account.name, answer.text),
    )


def later(answer: Answer, problem: NetworkError, *, at: datetime | None = None) -> None:
    """Nothing happened there: again when the network says, or after a pause that grows; for a day at most."""
    now = clock.now()
    if now - answer.created_at > GIVE_UP:
        refused(answer, problem)
        return
    pause = min(PAUSE * 2 ** min(answer.tries, 6), LONGEST_PAUSE)
    Answer.objects.filter(pk=answer.pk, state=Answer.State.SENDING).update(
        began_at=None,
        next_at=at or problem.not_before or now + pause,
        problem=problem.sentence,
        problem_facts=problem.facts,
    )


@transaction.atomic
def refused(answer: Answer, problem: NetworkError) -> None:
    Answer.objects.filter(pk=answer.pk, state=Answer.State.SENDING).update(
        state=Answer.State.REFUSED,
        problem=problem.sentence,
        problem_facts=problem.facts,
        began_at=None,
        next_at=None,
    )
    _tell(answer, "answer.refused")


def unclear(answer: Answer, problem: NetworkError) -> None:
    """It may have happened. We look not before the call can no longer be under way."""
    looks = isinstance(search_of(capabilities_of(answer.message.account)), Search)
    Answer.objects.filter(pk=answer.pk, state=Answer.State.SENDING).update(
        state=Answer.State.UNCLEAR,
        problem=problem.sentence,
        problem_facts=problem.facts,
        next_at=answer.deadline if looks else None,
    )
    if not looks:
        _tell(answer, "answer.unclear")


def _tell(answer: Answer, kind: str) -> None:
    if answer.by is None:
        return
    message = answer.message
    notices.tell(
        [answer.by],
        workspace=answer.workspace_id,
        kind=kind,
        key=f"{kind}:{answer.pk}:{answer.tries}",
        facts={"author": message.author_name or message.author_handle, "account": message.account.in_full},
        path=f"inbox/?message={message.pk}",
    )


# Looking whether it is there


def search_of(can: Capabilities) -> Search | None:
    """How an answer can be found again on this network; None: only a person can."""
    if isinstance(can.repeat, Repeatable):
        return can.repeat.then
    return can.repeat if isinstance(can.repeat, Search) else None


def claim_look(answer_id: int) -> Answer | None:
    now = clock.now()
    won = Answer.objects.filter(pk=answer_id, state=Answer.State.UNCLEAR, next_at__lte=now).update(
        next_at=now + DEADLINE, looks=F("looks") + 1
    )
    return Answer.objects.select_related("message__account").get(pk=answer_id) if won else None


async def _look(answer: Answer) -> None:
    account, since = answer.message.account, (answer.first_at or answer.created_at) - SKEW
    try:
        async with session(connections=1) as http:
            connector = await in_thread(connector_for, account, http)
            if not isinstance(connector, ListsOwn) or search_of(capabilities_of(account)) is None:
                await in_thread(_ask_a_person, answer)
                return
            await must_have_room(account, connector, "read", priority=Priority.RECONCILE)
            listing = await connector.own_posts(since=since)
    except TokenExpired:
        await refresh_token(account.pk)
    except (NetworkError, CannotOpen):
        await in_thread(_look_later, answer)
    else:
        await in_thread(settle, answer, listing)


def settle(answer: Answer, listing: Listing) -> None:
    """What the listing says. One candidate: it is there. None, and nothing could be hidden: absent, so it may be sent
    again. Anything else: a person decides."""
    found = candidates(answer, listing.seen)
    search = search_of(capabilities_of(answer.message.account))
    began, ended = answer.first_at or answer.created_at, answer.deadline or clock.now()
    if len(found) == 1:
        sent(
            answer,
            Published(remote_id=found[0].remote_id, url=found[0].url, at=found[0].created_at, extra=found[0].extra),
        )
    elif found or search is None:
        _ask_a_person(answer)
    elif clock.now() < ended + search.visible_within:
        Answer.objects.filter(pk=answer.pk).update(next_at=ended + search.visible_within)
    elif listing.reaches_back_to <= began:
        Answer.objects.filter(pk=answer.pk, state=Answer.State.UNCLEAR).update(
            state=Answer.State.SENDING, began_at=None, first_at=None, next_at=clock.now()
        )
    else:
        _ask_a_person(answer)


def candidates(answer: Answer, seen: Sequence[Seen]) -> list[Seen]:
    """Posts that can be this answer: the same words to the same message, since the call, and no other answer's."""
    taken = set(
        Answer.objects.filter(message__account=answer.message.account_id, remote_id__in=[one.remote_id for one in seen])
        .exclude(pk=answer.pk)
        .values_list("remote_id", flat=True)
    )
    since = (answer.first_at or answer.created_at) - SKEW
    found = {
        one.remote_id: one
        for one in seen
        if one.remote_id not in taken
        and one.created_at >= since
        and one.reply_to_id == answer.message.remote_id
        and normal(one.text) == normal(answer.text)
    }
    return list(found.values())


def normal(text: str) -> str:
    """A text as it survives a network: composed characters, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _look_later(answer: Answer) -> None:
    if answer.looks >= MOST_LOOKS:
        _ask_a_person(answer)
        return
    Answer.objects.filter(pk=answer.pk).update(next_at=clock.now() + PAUSE * 2**answer.looks)


def _ask_a_person(answer: Answer) -> None:
    if Answer.objects.filter(pk=answer.pk, state=Answer.State.UNCLEAR).update(next_at=None):
        _tell(answer, "answer.unclear")
