"""What members do with messages: answer, like, mark as done, assign, and settle an unclear answer."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from regie.accounts.models import Account
from regie.accounts.opening import capabilities_of
from regie.community import moderating, sending
from regie.community.errors import AnsweredMeanwhile, CannotAnswer, CannotReach
from regie.community.models import Answer, Conversation, Message
from regie.core import clock
from regie.networks import registry
from regie.networks.capabilities import Answering, MessageKind, TextLimit
from regie.networks.data import Json, Published, Ref
from regie.networks.protocols import Connector, Likes, ReadsLinks
from regie.networks.text import too_long_by
from regie.people import audit, notices
from regie.people.models import Member, User

STATES = Message.State
Asking = Callable[[Likes, Ref], Awaitable[Json | None]]


# Answering


@transaction.atomic
def answer(*, message: Message, text: str, by: Member, seen: int) -> Answer:
    """Promises an answer; a job sends it within seconds.

    seen: the newest answer that the person had before their eyes (its number, 0 for none)
    Raises NotAllowed; CannotAnswer with a sentence; AnsweredMeanwhile when there is a newer answer.
    """
    by.must("answer", message)
    Conversation.objects.select_for_update().get(pk=message.conversation_id)  # two people answering take turns
    text = text.strip()
    if (said := why_not(message, text)) is not None:
        raise CannotAnswer(said)
    if newest_answer(message) > seen:
        raise AnsweredMeanwhile(_("Somebody answered meanwhile. Read it above, then send yours if it is still needed."))
    made = Answer.objects.create(
        workspace_id=message.workspace_id, message=message, key=uuid.uuid4(), text=text, by=by.user
    )
    audit.record(by=by, did="message.answered", to=message)
    _send_soon(made)
    return made


def newest_answer(message: Message) -> int:
    """The number of the newest answer to this message, also one under way; 0 for none."""
    newest = message.answers.exclude(state=Answer.State.REFUSED).order_by("-pk").values_list("pk", flat=True).first()
    return newest or 0


def why_not(message: Message, text: str | None = None) -> str | None:
    """A sentence that says why this cannot be answered (with this text); None when it can."""
    account = message.account
    can = capabilities_of(account)
    if message.ours or Answering.REPLY not in can.answers or message.kind in can.unanswered:
        return _("This cannot be answered from here.")
    if message.gone_at is not None:
        return _("The message was deleted on the network.")
    if message.answer_until is not None and message.answer_until < clock.now():
        return _("The network no longer takes answers to this message: its time is over.")
    if account.state != Account.State.CONNECTED:
        return _("The account is not connected at the moment. Reconnect or resume it first.")
    return None if text is None else _why_not_this(text, longest_answer(message))


def longest_answer(message: Message) -> TextLimit:
    """How long an answer may be: as a comment, to a review or in private, where the network has another limit."""
    can = capabilities_of(message.account)
    limits: dict[str, TextLimit | None] = {
        MessageKind.COMMENT: can.comment,
        MessageKind.REVIEW: can.comment,
        MessageKind.DIRECT: can.direct,
    }
    return limits.get(message.kind) or can.text


def _why_not_this(text: str, limit: TextLimit) -> str | None:
    if not text:
        return _("Write something first.")
    if over := too_long_by(text, limit):
        return _("Too long by %(n)s. Shorten it: nothing was sent.") % {"n": over}
    return None


def _send_soon(made: Answer) -> None:
    from regie.community.tasks import work_on_answer

    work_on_answer.defer(answer_id=made.pk)  # no lock: one that is taken would break the transaction


@transaction.atomic
def send_again(*, answer: Answer, by: Member) -> Answer:
    """For a refused one, or an unclear one of which a person knows that it is not there."""
    by.must("answer", answer)
    again = Answer.objects.filter(pk=answer.pk, state__in=[Answer.State.REFUSED, Answer.State.UNCLEAR]).exclude(
        deadline__gt=clock.now(), state=Answer.State.UNCLEAR
    )
    if not again.update(
        state=Answer.State.SENDING, began_at=None, next_at=clock.now(), created_at=clock.now(), looks=0, problem=""
    ):
        raise CannotAnswer(_("It is not yet clear whether it went out. Wait a minute, then look again."))
    audit.record(by=by, did="answer.sent_again", to=answer.message)
    answer.refresh_from_db()
    _send_soon(answer)
    return answer


@transaction.atomic
def settle_there(*, answer: Answer, link: str, by: Member) -> Answer:
    """A person saw it on the network: ``link`` when they copied it. It counts as sent."""
    by.must("answer", answer)
    row = Answer.objects.select_for_update(of=("self",)).select_related("message__account").get(pk=answer.pk)
    if row.state != Answer.State.UNCLEAR:
        raise CannotAnswer(_("This answer is settled already."))
    connector = registry.connector(row.message.account.network)
    known = connector.id_of(link) if link and issubclass(connector, ReadsLinks) else None
    url = link if link.startswith(("https://", "http://")) else ""
    sending.sent(row, Published(remote_id=known or url or f"seen-by-a-person:{row.pk}", url=url))
    audit.record(by=by, did="answer.settled", to=row.message, link=url[:300])
    return row


@transaction.atomic
def drop(*, answer: Answer, by: Member) -> None:
    """Gives up an answer that was refused: it goes out of the way, and stays in the audit trail."""
    by.must("answer", answer)
    row = Answer.objects.filter(pk=answer.pk, state=Answer.State.REFUSED)
    if row.delete()[0]:
        audit.record(by=by, did="answer.dropped", to=answer.message, text=answer.text[:500])


# Done, assigned


@transaction.atomic
def mark_done(*, messages: Iterable[Message], by: Member) -> list[Message]:
    """Returns those that were open."""
    return _set_state(messages, STATES.OPEN, STATES.DONE, by=by, did="message.done")


@transaction.atomic
def reopen(*, messages: Iterable[Message], by: Member) -> list[Message]:
    return _set_state(messages, STATES.DONE, STATES.OPEN, by=by, did="message.reopened")


def _set_state(messages: Iterable[Message], was: str, to: str, *, by: Member, did: str) -> list[Message]:
    changed = []
    done = to == STATES.DONE
    for message in messages:
        by.must("answer", message)
        row = Message.objects.filter(pk=message.pk, state=was, ours=False)
        if row.update(state=to, done_by=by.user if done else None, done_at=clock.now() if done else None):
            message.state = to
            audit.record(by=by, did=did, to=message)
            changed.append(message)
    return changed


@transaction.atomic
def assign(*, message: Message, to: User | None, by: Member) -> None:
    """Asks a member of the workspace to take care of it; None: nobody in particular. The person is told."""
    by.must("answer", message)
    if to is not None and to not in notices.members_who_may(message.workspace_id, "answer"):
        raise CannotAnswer(_("This person cannot answer messages in this workspace."))
    if message.assignee_id == (to.pk if to else None):
        return
    message.assignee = to
    message.save(update_fields=["assignee"])
    audit.record(by=by, did="message.assigned", to=message, assignee=str(to) if to else "")
    if to is not None and to != by.user:
        notices.tell(
            [to],
            workspace=message.workspace_id,
            kind="message.assigned",
            key=f"message.assigned:{message.pk}:{clock.now():%Y-%m-%dT%H:%M:%S}",
            facts={
                "by": str(by),
                "author": message.author_name or message.author_handle,
                "account": message.account.in_full,
                "text": message.text[:120],
            },
            path=f"inbox/?message={message.pk}",
        )


# Liking: the network is asked at once, as a like can be repeated without harm


def like(*, message: Message, by: Member) -> None:
    """Raises NotAllowed, or CannotReach with what the network said."""
    by.must("answer", message)
    _must_like(message)
    liked = _ask(message, lambda connector, ref: connector.like(ref))
    with transaction.atomic():
        row = Message.objects.filter(pk=message.pk)
        if row.filter(liked_at=None).update(liked_at=clock.now()):
            audit.record(by=by, did="message.liked", to=message)
        row.update(liked=dict(liked or {}))
    message.refresh_from_db()


def unlike(*, message: Message, by: Member) -> None:
    by.must("answer", message)
    _must_like(message)
    _ask(message, lambda connector, ref: connector.unlike(ref, message.liked or {}))
    with transaction.atomic():
        if Message.objects.filter(pk=message.pk, liked_at__isnull=False).update(liked_at=None, liked=None):
            audit.record(by=by, did="message.unliked", to=message)
    message.refresh_from_db()


def _must_like(message: Message) -> None:
    if (said := moderating.why_not("like", message)) is not None:
        raise CannotReach(said)


def _ask(message: Message, what: Asking) -> Json | None:
    async def ask(connector: Connector, ref: Ref) -> Json | None:
        return await what(connector, ref) if isinstance(connector, Likes) else None

    return moderating.ask(message, ask)
