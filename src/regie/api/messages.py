"""The inbox: what people said, and what is said back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_noop as _
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from regie.api.errors import COMMON
from regie.api.once import Key, once
from regie.api.shapes import LARGEST, Given, Number, Page, Pages, page_of
from regie.api.tokens import ApiRequest
from regie.community import moderating, queries, services
from regie.community.models import Answer, Message
from regie.core.sentences import in_words

router = Router(tags=["messages"])


class MessageOut(BaseModel):
    id: int
    account: int
    delivery: int | None = Field(description="The delivery it is about, when it is under a post of ours.")
    kind: str = Field(description="reply, comment, mention, direct or review")
    stars: int | None = Field(description="Of a review, 1 to 5.")
    ours: bool
    author: str
    author_handle: str
    author_link: str
    text: str
    link: str
    said_at: datetime
    received_at: datetime
    gone_at: datetime | None
    hidden_at: datetime | None = Field(description="Hidden on its network since: only its author still sees it.")
    state: str = Field(description="open or done")
    assignee: int | None
    liked: bool


class AnswerOut(BaseModel):
    id: int
    message: int
    text: str
    state: str = Field(description="sending, sent, unclear or refused")
    problem: str
    remote_id: str
    link: str
    created_at: datetime
    sent_at: datetime | None


class MessageWhole(MessageOut):
    why_not: str = Field(description="Why it cannot be answered; empty when it can.")
    moderation: dict[str, str] = Field(
        description="What its network has for it (like, hide, delete), each with why it cannot be done now, or empty."
    )
    newest_answer: int = Field(description="To be sent back as ``seen`` with the next answer.")
    answers: list[AnswerOut]
    conversation: list[MessageOut] = Field(description="What belongs together with it, ours too, oldest first.")


class AnswerIn(Given):
    text: str = Field(min_length=1, max_length=20_000)
    seen: int = Field(0, ge=0, le=LARGEST, description="The newest answer known to the program; a newer one is a 409.")


def message_out(row: Message) -> MessageOut:
    names = ("kind", "ours", "author_handle", "text", "said_at", "received_at", "gone_at", "hidden_at", "state")
    return MessageOut(
        id=row.pk,
        account=row.account_id,
        delivery=row.conversation.delivery_id,
        author=row.author_name,
        author_link=row.author_url,
        link=row.url,
        assignee=row.assignee_id,
        liked=row.liked_at is not None,
        stars=row.extra.get("stars"),
        **{name: getattr(row, name) for name in names},
    )


def answer_out(row: Answer) -> AnswerOut:
    names = ("text", "state", "remote_id", "created_at", "sent_at")
    return AnswerOut(
        id=row.pk,
        message=row.message_id,
        problem=in_words(row.problem, row.problem_facts),
        link=row.url,
        **{name: getattr(row, name) for name in names},
    )


def _message(request: ApiRequest, pk: int, *, ours: bool = False) -> Message:
    """Raises NotAllowed for a role that does not read the inbox, Http404 for a message of another workspace, or of
    ours unless ``ours``."""
    request.auth.member.must("read_inbox")
    found = queries.said_for(request.auth.scope) if ours else queries.messages_for(request.auth.scope)
    return get_object_or_404(found, pk=pk)


class MessageFilter(BaseModel):
    text: str = Field("", max_length=200)
    state: str = Field("", max_length=10, description="open or done")
    account: Number | None = None
    kind: str = Field("", max_length=20)
    assignee: str = Field("", pattern=r"^(me|nobody|\d{1,18})?$", description="me, nobody, or a user's number")


@router.get("/messages", response={200: Page[MessageOut], **COMMON}, summary=_("List the messages"))
def messages(request: ApiRequest, paging: Pages, wanted: Annotated[MessageFilter, Query()]) -> Page[MessageOut]:
    """The newest first. Words are found from their beginning, with or without accents."""
    request.auth.member.must("read_inbox")
    account = str(wanted.account or "")
    narrowed = queries.Wanted(**{**wanted.model_dump(), "account": account})
    rows, more = page_of(queries.inbox(request.auth.scope, narrowed), paging)
    return Page(items=[message_out(row) for row in rows], page=paging.page, more=more)


@router.get("/messages/{pk}", response={200: MessageWhole, **COMMON}, summary=_("One message and its conversation"))
def message(request: ApiRequest, pk: Number) -> MessageWhole:
    """With what was said around it, and what we answered."""
    row = _message(request, pk)
    around = queries.conversation_of(row)
    for one in around:
        one.conversation = row.conversation  # the same for all of them
    return MessageWhole(
        **message_out(row).model_dump(),
        why_not=services.why_not(row) or "",
        moderation=moderating.offered(row),
        newest_answer=services.newest_answer(row),
        answers=[answer_out(one) for one in row.answers.order_by("created_at", "pk")],
        conversation=[message_out(one) for one in around],
    )


@router.post("/messages/{pk}/answer", response={200: AnswerOut, **COMMON}, summary=_("Answer a message"))
def answer(request: ApiRequest, pk: Number, given: AnswerIn, key: Key = "") -> Status[AnswerOut]:
    """A worker sends it within seconds; ask the message what became of it."""

    def do() -> AnswerOut:
        row = _message(request, pk)
        return answer_out(services.answer(message=row, text=given.text, by=request.auth.member, seen=given.seen))

    return once(request, key, AnswerOut, do)


@router.post("/messages/{pk}/like", response={200: MessageOut, **COMMON}, summary=_("Like a message"))
def like(request: ApiRequest, pk: Number) -> MessageOut:
    """The network is asked at once; the same again does no harm."""
    row = _message(request, pk)
    services.like(message=row, by=request.auth.member)
    return message_out(row)


@router.post("/messages/{pk}/unlike", response={200: MessageOut, **COMMON}, summary=_("Take a like back"))
def unlike(request: ApiRequest, pk: Number) -> MessageOut:
    """The network is asked at once; the same again does no harm."""
    row = _message(request, pk)
    services.unlike(message=row, by=request.auth.member)
    return message_out(row)


@router.post("/messages/{pk}/hide", response={200: MessageOut, **COMMON}, summary=_("Hide a comment"))
def hide(request: ApiRequest, pk: Number) -> MessageOut:
    """From everybody but its author. The network is asked at once; the same again does no harm."""
    row = _message(request, pk)
    moderating.hide(message=row, by=request.auth.member)
    return message_out(row)


@router.post("/messages/{pk}/unhide", response={200: MessageOut, **COMMON}, summary=_("Show a hidden comment again"))
def unhide(request: ApiRequest, pk: Number) -> MessageOut:
    """The network is asked at once; the same again does no harm."""
    row = _message(request, pk)
    moderating.unhide(message=row, by=request.auth.member)
    return message_out(row)


@router.post("/messages/{pk}/delete", response={200: MessageOut, **COMMON}, summary=_("Delete a comment"))
def delete(request: ApiRequest, pk: Number) -> MessageOut:
    """For good, on its network; of somebody, or an answer of ours. The same again does no harm."""
    row = _message(request, pk, ours=True)
    moderating.delete(message=row, by=request.auth.member)
    return message_out(row)


@router.post("/messages/{pk}/done", response={200: MessageOut, **COMMON}, summary=_("Mark a message as done"))
def done(request: ApiRequest, pk: Number) -> MessageOut:
    """Nobody needs to look at it any more."""
    row = _message(request, pk)
    services.mark_done(messages=[row], by=request.auth.member)
    return message_out(_message(request, pk))


@router.post("/messages/{pk}/reopen", response={200: MessageOut, **COMMON}, summary=_("Open a message again"))
def reopen(request: ApiRequest, pk: Number) -> MessageOut:
    """It waits for somebody again."""
    row = _message(request, pk)
    services.reopen(messages=[row], by=request.auth.member)
    return message_out(_message(request, pk))
