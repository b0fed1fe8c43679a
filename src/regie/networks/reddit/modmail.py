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
from regie.networks.errors import Unclear
from regie.networks.reddit.entities import Entity
from regie.networks.reddit.limits import NETWORK
from regie.networks.reddit.wire import PAGES, Wire, parsed

NEWEST = "25"  # conversations
PATH = "/api/mod/conversations"


class Author(Entity):
    name: str | None = None
    is_mod: bool = Field(False, alias="isMod")


class Message(Entity):
    id: str
    text: str = Field("", alias="bodyMarkdown")
    author: Author = Author()
    date: datetime
    is_internal: bool = Field(False, alias="isInternal")


class Owner(Entity):
    name: str = Field("", alias="displayName")


class Conversation(Entity):
    id: str
    subject: str = ""
    owner: Owner = Owner()
    last_updated: datetime | None = Field(None, alias="lastUpdated")


class Whole(Entity):
    """One conversation with its messages."""

    conversation: Conversation
    messages: dict[str, Any]

    @property
    def in_order(self) -> list[Message]:
        """What moderators tell only each other is left out. Raises ValidationError."""
        told = [Message.model_validate(one) for one in self.messages.values() if "bodyMarkdown" in one]
        return sorted((one for one in told if not one.is_internal), key=lambda one: one.date)


class Conversations(Entity):
    ids: tuple[str, ...] = Field((), alias="conversationIds")
    conversations: dict[str, Any] = {}


def may_read(wire: Wire) -> bool:
    """Where the account moderates anything, and was allowed to."""
    scopes = wire.login.limits.get("scopes")
    return bool(wire.login.limits.get("moderates")) and (not scopes or "modmail" in scopes)


async def _changed(wire: Wire, since: datetime | None) -> AsyncIterator[Whole]:
    """The newest conversations in which something was said since then. Reading here leaves them unread there."""
    params = {"sort": "recent", "state": "all", "limit": NEWEST}
    listing = parsed(await wire.get(PATH, params), Conversations)
    for name in listing.ids:
        about = Conversation.model_validate(listing.conversations[name])
        if since is not None and about.last_updated is not None and about.last_updated < since:
            continue
        yield parsed(await wire.get(f"{PATH}/{name}", addressed=True), Whole)


async def said_to_us(wire: Wire, *, since: datetime | None) -> list[Incoming]:
    if not may_read(wire):
        return []
    found = [
        _incoming(whole.conversation, one)
        async for whole in _changed(wire, since)
        for one in whole.in_order
        if not one.author.is_mod
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
            "community": about.owner.name,
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
            remote_id=_id(whole.conversation.id, one.id),
            url="",
            text=one.text,
            media=0,
            created_at=one.date,
            reply_to_id=_id(whole.conversation.id, asked.id),
        )
        async for whole in _changed(wire, since)
        for one in whole.in_order
        if _is_ours(one, us) and one.date >= since
        for asked in whole.in_order
        if not asked.author.is_mod and asked.date <= one.date
    ]


def _is_ours(one: Message, us: str) -> bool:
    return one.author.is_mod and (one.author.name or "").lower() == us.lower()


async def answer(wire: Wire, to: Mapping[str, Any], text: str) -> Published:
    """Under the account's own name, to the person and the other moderators."""
    fields = {"body": text, "isAuthorHidden": "false", "isInternal": "false"}
    said = await wire.write(f"{PATH}/{to['conversation']}", fields)
    try:
        whole, us = Whole.model_validate_json(said.body), str(wire.login.limits.get("username", ""))
        newest = [one for one in whole.in_order if _is_ours(one, us)][-1]
    except (ValidationError, IndexError):
        raise Unclear(
            "{network} answered something we cannot read, and may have taken it.", network=NETWORK, answer=said
        ) from None
    return Published(remote_id=_id(whole.conversation.id, newest.id), at=newest.date, extra=dict(to), answer=said)
