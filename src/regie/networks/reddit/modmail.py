"""What people write to communities that the account moderates, and its answers. Source: recordings of modmail, PRAW.

A conversation has no single message that an answer answers; the answer goes to the conversation.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import Field, ValidationError

from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Person, Published, Seen
from regie.networks.errors import Refused, Unclear
from regie.networks.line import Answer
from regie.networks.reddit.entities import Entity
from regie.networks.reddit.limits import NETWORK
from regie.networks.reddit.wire import PAGES, Wire, not_reddit, parsed

NEWEST = "25"  # conversations
PATH = "/api/mod/conversations"


class Author(Entity):
    name: str | None = None
    is_mod: bool = Field(False, alias="isMod")


class Message(Entity):
    id: str
    text: str = Field("", alias="bodyMarkdown")
    author: Author
    date: datetime
    is_internal: bool = Field(False, alias="isInternal")


class Owner(Entity):
    name: str = Field("", alias="displayName")


class Conversation(Entity):
    id: str
    subject: str = ""
    owner: Owner | None = None
    last_updated: datetime | None = Field(None, alias="lastUpdated")


class Whole(Entity):
    """One conversation with its messages, by their ids."""

    conversation: Conversation
    messages: dict[str, Any]


class Conversations(Entity):
    ids: tuple[str, ...] = Field((), alias="conversationIds")
    conversations: dict[str, Any] = {}


Spoken = tuple[Conversation, list[Message]]


def _read(answer: Answer) -> Spoken:
    """The conversation, and its messages oldest first; what moderators tell only each other is left out."""
    whole = parsed(answer, Whole)
    try:
        told = [Message.model_validate(one) for one in whole.messages.values() if "bodyMarkdown" in one]
    except (ValidationError, TypeError):
        raise not_reddit(answer) from None
    return whole.conversation, sorted((one for one in told if not one.is_internal), key=lambda one: one.date)


def may_read(wire: Wire) -> bool:
    """Where the account moderates anything, and was allowed to."""
    scopes = wire.login.limits.get("scopes")
    return bool(wire.login.limits.get("moderates")) and (not scopes or "modmail" in scopes)


async def _changed(wire: Wire, since: datetime | None) -> AsyncIterator[Spoken]:
    """The newest conversations in which something was said since then. Reading here leaves them unread there."""
    listed = await wire.get(PATH, {"sort": "recent", "state": "all", "limit": NEWEST})
    listing = parsed(listed, Conversations)
    for name in listing.ids:
        try:
            about = Conversation.model_validate(listing.conversations.get(name))
        except ValidationError:
            raise not_reddit(listed) from None
        if since is None or about.last_updated is None or about.last_updated >= since:
            yield _read(await wire.get(f"{PATH}/{name}", addressed=True))


async def said_to_us(wire: Wire, *, since: datetime | None) -> list[Incoming]:
    if not may_read(wire):
        return []
    found = [
        _incoming(about, one) async for about, said in _changed(wire, since) for one in said if not one.author.is_mod
    ]
    return sorted(found, key=lambda one: (one.said_at, one.remote_id))


def _incoming(about: Conversation, one: Message) -> Incoming:
    name = one.author.name or "[deleted]"
    return Incoming(
        remote_id=_id(about.id, one.id),
        kind=MessageKind.DIRECT,
        by=Person(
            remote_id=name,
            name=name,
            handle=f"u/{name}",
            url=f"{PAGES}/user/{name}" if one.author.name else "",
        ),
        text=one.text,
        said_at=one.date,
        url=f"https://mod.reddit.com/mail/all/{about.id}",
        conversation_id=f"modmail_{about.id}",
        extra={
            "kind": "modmail",
            "conversation": about.id,
            "subject": about.subject,
            "community": about.owner.name if about.owner is not None else "",
        },
    )


def _id(conversation: str, message: str) -> str:
    return f"modmail_{conversation}_{message}"


async def our_answers(wire: Wire, us: str, *, since: datetime) -> list[Seen]:
    """Once for each message that they may answer: which of them, Reddit does not say."""
    if not may_read(wire):
        return []
    return [
        Seen(
            remote_id=_id(about.id, one.id),
            url="",
            text=one.text,
            media=0,
            created_at=one.date,
            reply_to_id=_id(about.id, asked.id),
        )
        async for about, said in _changed(wire, since)
        for one in said
        if _is_ours(one, us) and one.date >= since
        for asked in said
        if not asked.author.is_mod and asked.date <= one.date
    ]


def _is_ours(one: Message, us: str) -> bool:
    return one.author.is_mod and (one.author.name or "").lower() == us.lower()


async def answer(wire: Wire, to: Mapping[str, Any], text: str) -> Published:
    """Under the account's own name, to the person and the other moderators."""
    fields = {"body": text, "isAuthorHidden": "false", "isInternal": "false"}
    said = await wire.write(f"{PATH}/{to['conversation']}", fields)
    try:
        about, told = _read(said)
        newest = [one for one in told if _is_ours(one, str(wire.login.limits.get("username", "")))][-1]
    except (Refused, IndexError):
        raise Unclear(
            "{network} answered something we cannot read, and may have taken it.", network=NETWORK, answer=said
        ) from None
    return Published(remote_id=_id(about.id, newest.id), at=newest.date, extra=dict(to), answer=said)
