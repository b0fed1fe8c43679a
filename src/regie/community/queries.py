"""Reading the inbox: only what the scope's person may see. Cheap with a million messages: lists have an end."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from regie.accounts.models import Account
from regie.community.models import Answer, Avatar, Message
from regie.community.words import query
from regie.people.models import Member, User
from regie.people.permissions import MAY
from regie.people.scope import Scope
from regie.publishing.models import Delivery

OPEN = Message.State.OPEN
MOST_OF_A_CONVERSATION = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the list is narrowed to. ``assignee``: "me", "nobody", or a user's number; empty strings: no limit."""

    text: str = ""
    state: str = ""
    account: str = ""
    kind: str = ""
    assignee: str = ""


def messages_for(scope: Scope, verb: str = "read_inbox") -> QuerySet[Message]:
    """What others said to or about the accounts of the workspaces in view."""
    return said_for(scope, verb).filter(ours=False)


def said_for(scope: Scope, verb: str = "read_inbox") -> QuerySet[Message]:
    """What others said there, and what we answered."""
    return Message.objects.filter(workspace__in=scope.workspace_ids(verb)).select_related(
        "account", "workspace", "conversation", "author_avatar", "assignee", "done_by"
    )


def inbox(scope: Scope, wanted: Wanted) -> QuerySet[Message]:
    """The list, newest first. Words are found in texts and names, with or without accents, from their beginning.

    Each row also has ``is_answered``, and ``needs_help``: the state of an answer that waits for a person, or None.
    """
    found = messages_for(scope)
    if wanted.state:
        found = found.filter(state=wanted.state)
    if wanted.account.isdigit():
        found = found.filter(account_id=int(wanted.account))
    if wanted.kind:
        found = found.filter(kind=wanted.kind)
    if wanted.assignee:
        found = found.filter(_assigned(scope, wanted.assignee))
    if (words := query(wanted.text)) is not None:
        found = found.filter(words=words)
    is_answered = Answer.objects.filter(message=OuterRef("pk"), state=Answer.State.SENT)
    needs_help = Answer.objects.filter(
        message=OuterRef("pk"), state__in=[Answer.State.REFUSED, Answer.State.UNCLEAR], next_at=None
    )
    annotated: QuerySet[Message] = found.annotate(
        is_answered=Exists(is_answered), needs_help=Subquery(needs_help.values("state")[:1])
    )
    return annotated.order_by("-said_at", "-pk")


def _assigned(scope: Scope, assignee: str) -> Q:
    if assignee == "me":
        return Q(assignee=scope.user)
    if assignee.isdigit():
        return Q(assignee_id=int(assignee))
    return Q(assignee=None)


def open_count(scope: Scope) -> int:
    """How many messages wait for somebody; for the navigation, on every page: one count over a partial index."""
    return Message.objects.filter(workspace__in=scope.workspace_ids("read_inbox"), state=OPEN, ours=False).count()


def conversation_of(message: Message) -> list[Message]:
    """What belongs together with a message, ours too, oldest first; the newest hundred of a long one."""
    rows = (
        Message.objects.filter(conversation_id=message.conversation_id)
        .select_related("account", "author_avatar", "hidden_by", "gone_by")
        .order_by("-said_at", "-pk")[:MOST_OF_A_CONVERSATION]
    )
    return list(reversed(rows))


def waiting_answers(message: Message) -> dict[int, list[Answer]]:
    """Of its whole conversation: message number -> answers that are not simply sent (those are messages of ours),
    oldest first."""
    found: dict[int, list[Answer]] = {}
    rows = Answer.objects.filter(message__conversation=message.conversation_id).exclude(state=Answer.State.SENT)
    for answer in rows.select_related("by", "message").order_by("created_at", "pk"):
        found.setdefault(answer.message_id, []).append(answer)
    return found


def answers_behind(messages: list[Message]) -> dict[str, Answer]:
    """Remote id of a message of ours -> the answer that it is, with the member who wrote it."""
    ours = [message.remote_id for message in messages if message.ours]
    if not ours:
        return {}
    rows = Answer.objects.filter(message__account=messages[0].account_id, remote_id__in=ours).select_related("by")
    return {answer.remote_id: answer for answer in rows}


def said_under(delivery: Delivery, scope: Scope, *, most: int = 20) -> list[Message]:
    """What people said under a delivery, and what we answered there: the newest ``most``, oldest first.

    Nothing for somebody who may not read the inbox of its workspace.
    """
    if not scope.member_in(delivery.workspace_id).may("read_inbox"):
        return []
    rows = (
        Message.objects.filter(conversation__delivery=delivery, gone_at=None)
        .select_related("account", "author_avatar", "done_by", "assignee", "hidden_by")
        .order_by("-said_at", "-pk")[:most]
    )
    return list(reversed(rows))


def answers_for(scope: Scope) -> QuerySet[Answer]:
    """Answers whose message the person may answer."""
    return Answer.objects.filter(workspace__in=scope.workspace_ids("answer")).select_related(
        "message__account", "message__conversation", "message__workspace", "by"
    )


def avatars_for(scope: Scope) -> QuerySet[Avatar]:
    """Pictures of people who spoke to the workspaces of the person."""
    ids = [seat.workspace_id for seat in scope.members if seat.may("read_inbox")]
    said = Message.objects.filter(author_avatar=OuterRef("pk"), workspace__in=ids)
    return Avatar.objects.filter(Exists(said)).exclude(picture="")


def who_can_answer(workspace_ids: list[int]) -> list[User]:
    """Members whose role lets them answer, by name."""
    seats = Member.objects.filter(workspace__in=workspace_ids, role__in=MAY["answer"], user__is_active=True)
    return list(User.objects.filter(pk__in=seats.values("user")).order_by("name", "email"))


def accounts_with_inbox(scope: Scope) -> QuerySet[Account]:
    """Accounts in view that can be chosen as a filter."""
    from regie.community.reading import conversing

    return (
        Account.objects.filter(workspace__in=scope.workspace_ids("read_inbox"), network__in=conversing())
        .exclude(state=Account.State.REMOVED)
        .select_related("workspace")
        .order_by("workspace__name", "name", "pk")
    )


def shown_state(message: Message) -> str:
    """A key of the web's table of message states."""
    if message.gone_at is not None:
        return "gone"
    if message.hidden_at is not None:
        return "hidden"
    if message.state == Message.State.DONE:
        return "answered" if getattr(message, "is_answered", False) else "done"
    return "assigned" if message.assignee_id else "open"
