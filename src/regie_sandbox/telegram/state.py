"""What the sandbox remembers, and how it looks on the wire. Messages are kept as the vendor's JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

KEPT_UPDATES = 10_000  # the vendor keeps a day's worth
NOT_BY_DEFAULT = frozenset(("chat_member", "message_reaction", "message_reaction_count"))
SERVICE = {"id": 777000, "is_bot": False, "first_name": "Telegram"}  # brings channel posts into discussion groups
ALL_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)
CHANNEL_RIGHTS = ("can_post_messages", "can_edit_messages", "can_manage_direct_messages")
GROUP_RIGHTS = ("can_pin_messages", "can_manage_topics")


@dataclass
class BotRow:
    id: int
    token: str
    username: str
    name: str
    reads_all: bool = False  # privacy mode off
    next_update: int = 100_001
    queue: list[Json] = field(default_factory=list)
    allowed: list[str] | None = None
    webhook: str = ""
    secret: str = ""
    max_connections: int = 40
    error: str = ""
    error_at: int = 0

    def user(self) -> Json:
        return {"id": self.id, "is_bot": True, "first_name": self.name, "username": self.username}

    def wants(self, kind: str) -> bool:
        return kind in self.allowed if self.allowed else kind not in NOT_BY_DEFAULT


@dataclass
class PersonRow:
    id: int
    name: str
    username: str

    def user(self) -> Json:
        user: Json = {"id": self.id, "is_bot": False, "first_name": self.name, "language_code": "en"}
        return user | ({"username": self.username} if self.username else {})


@dataclass
class ChatRow:
    """``members``: user id -> status; ``lacking``: user id -> administrator's rights that are missing.

    ``direct``: of a channel, its chat for private messages, whose ``parent`` is the channel.
    """

    id: int
    type: str
    title: str
    username: str = ""
    linked: int | None = None
    direct: int | None = None
    parent: int | None = None
    members: dict[int, str] = field(default_factory=dict)
    lacking: dict[int, list[str]] = field(default_factory=dict)
    crowd: int = 0  # members who have no row of their own
    messages: dict[int, Json] = field(default_factory=dict)
    next_message: int = 1
    forwards: dict[int, int] = field(default_factory=dict)  # of a channel: post -> its forward in the group
    reactions: dict[int, dict[int, str]] = field(default_factory=dict)  # message -> user -> emoji
    allowed_reactions: list[str] | None = None
    pinned: int | None = None
    migrated_to: int | None = None
    may_send: bool = True  # ordinary members of a group
    topics: dict[int, Json] = field(default_factory=dict)  # of private messages: user id -> DirectMessagesTopic

    def chat(self) -> Json:
        chat: Json = {"id": self.id, "type": self.type} | ({"is_direct_messages": True} if self.parent else {})
        chat["first_name" if self.type == "private" else "title"] = self.title
        return chat | ({"username": self.username} if self.username else {})

    def may(self, user: int, right: str) -> bool:
        status = self.members.get(user)
        return status == "creator" or (status == "administrator" and right not in self.lacking.get(user, ()))

    def counts(self, message: int) -> list[Json]:
        """The reactions of a message, as ReactionCount."""
        totals: dict[str, int] = {}
        for emoji in self.reactions.get(message, {}).values():
            totals[emoji] = totals.get(emoji, 0) + 1
        return [{"type": {"type": "emoji", "emoji": e}, "total_count": n} for e, n in totals.items()]


@dataclass
class State:
    bots: dict[str, BotRow] = field(default_factory=dict)  # by token
    chats: dict[int, ChatRow] = field(default_factory=dict)
    people: dict[str, PersonRow] = field(default_factory=dict)  # by the name others call them
    names: dict[str, int] = field(default_factory=dict)  # public chat name, lower case -> chat id
    ready: dict[str, str] = field(default_factory=dict)  # account name -> token
    channels: dict[str, int] = field(default_factory=dict)  # account name -> channel id
    polls: dict[str, str] = field(default_factory=dict)  # poll id -> chat:message
    votes: dict[str, dict[int, list[int]]] = field(default_factory=dict)  # poll id -> user -> options
    published: list[str] = field(default_factory=list)  # chat:message of what bots sent, oldest first
    next_id: int = 1_000


def member(row: ChatRow, user: Json) -> Json:
    """A ChatMember: which of its shapes, the status says."""
    status = row.members.get(user["id"], "left")
    shape: Json = {"status": status, "user": user}
    if status == "creator":
        return shape | {"is_anonymous": False}
    if status == "kicked":
        return shape | {"until_date": 0}
    if status == "administrator":
        names = ALL_RIGHTS + (CHANNEL_RIGHTS if row.type == "channel" else GROUP_RIGHTS)
        rights = {name: name not in row.lacking.get(user["id"], ()) for name in names}
        return shape | {"can_be_edited": False, "is_anonymous": False} | rights
    return shape


def full_info(row: ChatRow, parent: ChatRow | None) -> Json:
    """A ChatFullInfo. ``parent``: of a chat of private messages, the channel; no channel names that chat."""
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
    info: Json = row.chat() | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(gifts, False),
    }
    if row.username:
        info["active_usernames"] = [row.username]
    if row.linked is not None:
        info["linked_chat_id"] = row.linked
    if row.allowed_reactions is not None:
        info["available_reactions"] = [{"type": "emoji", "emoji": emoji} for emoji in row.allowed_reactions]
    if parent is not None:
        info["parent_chat"] = parent.chat()
    if row.pinned in row.messages:
        info["pinned_message"] = without_reply(row.messages[row.pinned])
    return info


def without_reply(message: Json) -> Json:
    """A message inside another one: it never holds a third."""
    return {name: value for name, value in message.items() if name != "reply_to_message"}


_FOUND = re.compile(r"(?P<url>https?://[^\s<>\"]+)|(?<![\w@])(?P<mention>@[A-Za-z]\w{3,31})|(?<!\w)(?P<hashtag>#\w+)")


def entities(text: str) -> list[Json]:
    """Links, mentions and hashtags, as the server finds them. Offsets count UTF-16 code units."""
    if "@" not in text and "#" not in text and "://" not in text:
        return []
    return [
        {"type": found.lastgroup, "offset": utf16(text[: found.start()]), "length": utf16(found[0])}
        for found in _FOUND.finditer(text)
    ]


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
