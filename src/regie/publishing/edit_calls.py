"""Telling a network what a post is to say: written down before each call, looked at when nobody answered.

The same edit again changes nothing (``networks.protocols.Edits``). So after a lost answer, or a worker that died in the
call, we wait until the call can no longer be under way, look whether the post is still there, and say it again.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import aiohttp
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_noop

from regie.accounts.budgets import Priority, must_have_room
from regie.accounts.models import Account
from regie.accounts.opening import session
from regie.accounts.services import disconnect, refresh_token
from regie.core import clock
from regie.core.sealed import CannotOpen
from regie.core.threads import in_thread
from regie.networks import registry
from regie.networks.data import Published, Ref
from regie.networks.errors import Gone, NetworkError, Refused, SignInAgain, TokenExpired, TryLater, Unclear
from regie.networks.protocols import Edits, Finds
from regie.people import notices
from regie.publishing.contents import COMMENT
from regie.publishing.engine.outgoing import outgoing_for
from regie.publishing.engine.work import Apps, Speaker, speaker_of
from regie.publishing.engine.work import Delivery as Claimed
from regie.publishing.engine.work import Step as ClaimedStep
from regie.publishing.models import Attempt, Delivery, Edit, Step
from regie.publishing.services.freezing import everything_is_frozen
from regie.publishing.services.settling import mark_gone

CALL = timedelta(seconds=60)  # files of the post may have to travel again
DEADLINE = timedelta(seconds=90)
PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=30)
GIVE_UP = timedelta(hours=6)  # of "later": then a person hears of it
MOST_TRIES = 5  # of what nobody answered; then a person looks
AT_ONCE = 100
SILENCE = gettext_noop("{network} did not answer, and may have taken it.")
NO_KEY = gettext_noop("This installation cannot open the stored sign-in of the account. Connect it again.")
TOO_LONG = gettext_noop("It waited for hours and was not said: ask for it again if it is still meant.")
NO_EDITS = gettext_noop("{network} lets nobody change what is published.")


def waiting_edits() -> list[int]:
    """Those to say, to look at, or that a dead worker left in the middle of a call."""
    due = Edit.objects.filter(next_at__lte=clock.now()).order_by("next_at")
    return list(due.values_list("pk", flat=True)[:AT_ONCE])


async def work_on(edit_id: int) -> None:
    """The next thing to do for an edit: say it, or look at the post first."""
    await in_thread(mark_interrupted, edit_id)
    if (edit := await in_thread(claim_look, edit_id)) is not None:
        await _look(edit)
    if (edit := await in_thread(claim, edit_id)) is not None:
        await _say(edit)


# Saying it


def claim(edit_id: int) -> Edit | None:
    """Writes down that a call begins, before it does; None when another has begun it, or it is not its time.

    A copy of the installation that was just restored says nothing before somebody let it speak.
    """
    now = clock.now()
    if everything_is_frozen():
        return None
    won = Edit.objects.filter(
        pk=edit_id,
        state=Edit.State.WAITING,
        next_at__lte=now,
        step__delivery__account__state=Account.State.CONNECTED,
    ).update(
        state=Edit.State.ASKING, began_at=now, deadline=now + DEADLINE, next_at=now + DEADLINE, tries=F("tries") + 1
    )
    return _edit(edit_id) if won else None


def mark_interrupted(edit_id: int) -> None:
    """A call that nobody waits for any more; and what could not be said for hours, and may no longer be meant."""
    now = clock.now()
    begun = Edit.objects.filter(pk=edit_id, state=Edit.State.ASKING, deadline__lt=now)
    begun.update(state=Edit.State.UNCLEAR, next_at=now)
    if Edit.objects.filter(pk=edit_id, state=Edit.State.WAITING, asked_at__lt=now - GIVE_UP).exists():
        edit = _edit(edit_id)
        refused(edit, TryLater(edit.problem or TOO_LONG, **edit.problem_facts))
    unseen = Edit.objects.filter(pk=edit_id, state=Edit.State.UNCLEAR, next_at__lt=now, asked_at__lt=now - GIVE_UP)
    if unseen.exclude(step__delivery__account__state=Account.State.CONNECTED).exists():
        _ask_a_person(_edit(edit_id))


def _edit(edit_id: int) -> Edit:
    return Edit.objects.select_related("step__delivery__account", "by").get(pk=edit_id)


async def _say(edit: Edit) -> None:
    account = edit.step.delivery.account
    try:
        published = await _spoken(edit)
    except TokenExpired as exc:
        fresh = await refresh_token(account.pk)
        await in_thread(later, edit, exc, soon=fresh and edit.tries < MOST_TRIES)
    except TryLater as exc:
        await in_thread(later, edit, exc)
    except SignInAgain as exc:
        await in_thread(disconnect, account, exc)
        await in_thread(refused, edit, exc)
    except Gone as exc:
        await in_thread(gone, edit, exc)
    except Refused as exc:
        await in_thread(refused, edit, exc)
    except Unclear as exc:
        await in_thread(unclear, edit, exc)
    except CannotOpen:
        await in_thread(refused, edit, SignInAgain(NO_KEY))
    else:
        await in_thread(done, edit, published)


async def _spoken(edit: Edit) -> Published:
    step, account = edit.step, edit.step.delivery.account
    name = registry.connector(account.network).name
    async with session(connections=1) as http:
        speaker = await _speaker(account, http)
        connector = speaker.connector
        if not isinstance(connector, Edits):
            raise Refused(NO_EDITS, network=name)
        claimed = await in_thread(_claimed, edit)
        what = await outgoing_for(speaker, claimed, claimed.steps[step.position], clock.now())
        await must_have_room(account, connector, "edit", priority=Priority.PUBLISH)
        try:
            async with asyncio.timeout(CALL.total_seconds()):
                return await connector.edit(Ref(remote_id=step.remote_id, extra=step.extra), what, step.progress)
        except TimeoutError as exc:
            raise Unclear(SILENCE, network=name) from exc


async def _speaker(account: Account, http: aiohttp.ClientSession) -> Speaker:
    names = ("workspace_id", "network", "server", "limits", "sealed_credentials", "prepare_seconds")
    row = {name: getattr(account, name) for name in names}
    row |= {"account_id": account.pk, "account_remote_id": account.remote_id, "account_state": account.state}
    return await speaker_of(row, http, Apps())


def _claimed(edit: Edit) -> Claimed:
    """The delivery as the engine holds it, with the part as it is to be."""
    delivery = edit.step.delivery
    steps = [
        _claimed_step(step, edit.content if step.pk == edit.step_id else step.content)
        for step in delivery.steps.order_by("position")
    ]
    names = ("state", "due_at", "next_at", "late_minutes", "tries")
    return Claimed(id=delivery.pk, lease=None, steps=steps, **{name: getattr(delivery, name) for name in names})


def _claimed_step(step: Step, content: dict[str, object]) -> ClaimedStep:
    first = step.attempts.filter(kind=Attempt.Kind.COMMIT).order_by("number").first()
    return ClaimedStep(
        id=step.pk,
        position=step.position,
        key=str(step.key),
        content=content,
        state=step.state,
        progress=step.progress,
        prepared=True,
        remote_id=step.remote_id,
        extra=step.extra,
        attempts=0,
        first_at=first.began_at if first is not None else None,
    )


# What became of it


@transaction.atomic
def done(edit: Edit, published: Published | None) -> None:
    """It says so now: ``published`` the network's answer, None when a person saw it."""
    delivery = Delivery.objects.select_for_update().get(pk=edit.step.delivery_id)
    answer = published.answer.kept() if published is not None and published.answer else edit.answer
    won = Edit.objects.filter(pk=edit.pk).exclude(state__in=(Edit.State.DONE, Edit.State.REFUSED))
    if not won.update(
        state=Edit.State.DONE, next_at=None, ended_at=clock.now(), problem="", problem_facts={}, answer=answer
    ):
        return
    step = Step.objects.get(pk=edit.step_id)
    step.content = edit.content
    if published is not None:  # some networks give it a new id, and so a new address
        step.remote_id, step.url = published.remote_id, published.url or step.url
        step.extra = {**step.extra, **published.extra}
    step.save(update_fields=["content", "remote_id", "url", "extra"])
    if step.position == 0 and published is not None:
        delivery.remote_id, delivery.url = step.remote_id, step.url
        delivery.limited = published.limited or delivery.limited
        delivery.save(update_fields=["remote_id", "url", "limited"])


def later(edit: Edit, problem: NetworkError, *, soon: bool = False) -> None:
    """Nothing happened there: again when the network says, or after a pause that grows; for some hours at most."""
    now = clock.now()
    if now - edit.asked_at > GIVE_UP:
        refused(edit, problem)
        return
    at = now if soon else problem.not_before or now + min(PAUSE * 2 ** min(edit.tries, 6), LONGEST_PAUSE)
    _note(edit, problem, state=Edit.State.WAITING, next_at=at)


def unclear(edit: Edit, problem: NetworkError) -> None:
    """It may be done: we look not before the call can no longer be under way."""
    _note(edit, problem, state=Edit.State.UNCLEAR, next_at=edit.deadline)


@transaction.atomic
def refused(edit: Edit, problem: NetworkError) -> None:
    """It says what it said before."""
    if _note(edit, problem, state=Edit.State.REFUSED, next_at=None, ended_at=clock.now()):
        _tell(edit, "edit.refused")


@transaction.atomic
def gone(edit: Edit, problem: NetworkError) -> None:
    """The post itself is no longer there; or its first comment, which leaves the post where it is."""
    if COMMENT not in edit.step.content:
        mark_gone(edit.step.delivery)
    refused(edit, problem)


def _note(edit: Edit, problem: NetworkError, **fields: object) -> bool:
    answer = problem.answer.kept() if problem.answer else None
    row = Edit.objects.filter(pk=edit.pk, state__in=(Edit.State.WAITING, Edit.State.ASKING, Edit.State.UNCLEAR))
    said = {"problem": problem.sentence, "problem_facts": problem.facts, "answer": answer}
    return bool(row.update(**said, **fields))


def _tell(edit: Edit, kind: str) -> None:
    if edit.by is None:
        return
    delivery = edit.step.delivery
    notices.tell(
        [edit.by],
        workspace=delivery.workspace_id,
        kind=kind,
        key=f"{kind}:{edit.pk}:{edit.tries}",
        facts={"post": str(delivery.variant.post), "account": delivery.account.in_full},
        path=f"deliveries/{delivery.pk}/",
    )


# Looking at the post


def claim_look(edit_id: int) -> Edit | None:
    now = clock.now()
    won = Edit.objects.filter(
        pk=edit_id,
        state=Edit.State.UNCLEAR,
        next_at__lte=now,
        step__delivery__account__state=Account.State.CONNECTED,
    ).update(next_at=now + DEADLINE)
    return _edit(edit_id) if won else None


async def _look(edit: Edit) -> None:
    """Gone: there is nothing left to change. There: it is said again, which changes nothing that was done already.

    A comment is not looked at, as few networks show one by itself: that it is gone, the call will say.
    """
    account = edit.step.delivery.account
    if COMMENT in edit.step.content:
        await in_thread(_again, edit)
        return
    try:
        async with session(connections=1) as http:
            connector = (await _speaker(account, http)).connector
            if isinstance(connector, Finds):
                await must_have_room(account, connector, "read", priority=Priority.RECONCILE)
                await connector.fetch(edit.step.remote_id)
    except Gone as exc:
        await in_thread(gone, edit, exc)
    except TokenExpired:
        await refresh_token(account.pk)
    except (NetworkError, CannotOpen):
        await in_thread(_look_later, edit)
    else:
        await in_thread(_again, edit)


def _again(edit: Edit) -> None:
    if edit.tries >= MOST_TRIES:
        _ask_a_person(edit)
        return
    Edit.objects.filter(pk=edit.pk, state=Edit.State.UNCLEAR).update(state=Edit.State.WAITING, next_at=clock.now())


def _look_later(edit: Edit) -> None:
    now = clock.now()
    if now - edit.asked_at > GIVE_UP:
        _ask_a_person(edit)
        return
    Edit.objects.filter(pk=edit.pk, state=Edit.State.UNCLEAR).update(next_at=now + PAUSE * 2)


@transaction.atomic
def _ask_a_person(edit: Edit) -> None:
    if Edit.objects.filter(pk=edit.pk, state=Edit.State.UNCLEAR).update(next_at=None):
        _tell(edit, "edit.unclear")
