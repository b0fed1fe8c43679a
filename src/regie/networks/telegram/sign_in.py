"""Connecting: a bot's token and a channel or group, and what the bot may do there, said in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from regie.networks.data import Profile
from regie.networks.errors import NetworkError, Refused, SignInAgain, TryLater
from regie.networks.telegram.api import Bot
from regie.networks.telegram.publishing import Chat

_LINK = re.compile(r"(?:https?://)?(?:www\.)?(?:t|telegram)\.(?:me|dog)/(?P<rest>.+)", re.IGNORECASE)
_NAME = re.compile(r"@?(?P<name>[A-Za-z][A-Za-z0-9_]{3,31})")
_ID = re.compile(r"-\d{1,20}")

NO_DIRECT_MESSAGES = (
    "Private messages to the channel will not arrive: give the bot the right to manage direct messages, if the channel "
    "takes them."
)


class User(BaseModel):
    id: int
    first_name: str = ""
    username: str = ""
    can_read_all_group_messages: bool = False


class FullChat(Chat):
    linked_chat_id: int | None = None


class ChatMember(BaseModel):
    """The bot in a chat. A right that is left out of the answer does not exist in this kind of chat: None."""

    status: str
    is_member: bool | None = None
    can_post_messages: bool | None = None
    can_edit_messages: bool | None = None
    can_delete_messages: bool | None = None
    can_send_messages: bool | None = None
    can_send_photos: bool | None = None
    can_send_polls: bool | None = None
    can_pin_messages: bool | None = None
    can_manage_direct_messages: bool | None = None

    @property
    def administers(self) -> bool:
        return self.status in ("administrator", "creator")

    @property
    def inside(self) -> bool:
        return self.status not in ("left", "kicked") and self.is_member is not False


def chat_from(typed: str) -> str | int:
    """What a person typed, as the Bot API takes it: ``@name`` or a number. Raises Refused with what to type instead.

    Takes @name, name, t.me/name, a link to a message (t.me/name/12, t.me/c/1234567890/12), or an id that begins
    with a minus sign.
    """
    text = typed.strip()
    if found := _LINK.fullmatch(text):
        text = found["rest"].split("?")[0].strip("/")
        if text.startswith(("+", "joinchat/")):
            raise Refused(
                "An invitation link does not say which chat it is. Copy the link of any message of the channel or "
                "group instead, or give its id, which begins with -100."
            )
        parts = text.split("/")
        if parts[0] == "s":  # the web preview of a public channel
            parts = parts[1:]
        text = f"-100{parts[1]}" if parts[0] == "c" and len(parts) > 1 else "".join(parts[:1])
    if _ID.fullmatch(text):
        return int(text)
    if name := _NAME.fullmatch(text):
        return f"@{name['name']}"
    raise Refused(
        "This is not a channel or group: type its @name, its t.me link, or its id, which begins with a minus sign."
    )


async def profile_of(bot: Bot, typed: str | int) -> Profile:
    """The channel or group as the bot sees it.

    Raises Refused when the bot cannot post there, with what to change. ``limits`` holds ``missing``: sentences about
    what will not work until somebody gives the bot a right; and the ids that reading needs.
    """
    me = await bot.ask(User, "getMe")
    chat = await _chat(bot, typed)
    if chat.type not in ("channel", "group", "supergroup"):
        raise Refused("A bot can publish in channels and groups only, and this is a private chat.")
    if chat.is_direct_messages:
        raise Refused("This is the chat for private messages to a channel: connect the channel itself.")
    member = await _membership(bot, chat, me)
    if why_not := _why_not(chat, member, me):
        raise Refused(why_not, bot=f"@{me.username}", chat=chat.title)
    limits: dict[str, Any] = {
        "kind": "channel" if chat.type == "channel" else "group",
        "bot_username": me.username,
        "public": bool(chat.username),
        "delete": bool(member.administers or chat.type != "channel"),
        "pins": _may_pin(chat, member),
        "direct": chat.type == "channel" and bool(member.status == "creator" or member.can_manage_direct_messages),
    }
    limits |= await _hearing(bot, chat, member, me)
    if chat.type == "channel" and not limits["direct"]:
        limits["missing"] = [*limits["missing"], NO_DIRECT_MESSAGES]
    return Profile(
        remote_id=str(chat.id),
        name=chat.title,
        handle=f"@{chat.username}" if chat.username else "",
        server=bot.server,
        url=f"https://t.me/{chat.username}" if chat.username else "",
        kind=limits["kind"],
        limits=limits,
    )


async def _chat(bot: Bot, typed: str | int) -> FullChat:
    try:
        return await bot.ask(FullChat, "getChat", {"chat_id": typed})
    except SignInAgain as exc:
        if exc.answer is None or exc.answer.status == 401 or exc.answer.status == 404:
            raise
        raise Refused(
            "Telegram finds no channel or group {chat} for this bot. Check the spelling; if it is private, add the bot "
            "to it first, as an administrator.",
            answer=exc.answer,
            chat=str(typed),
        ) from None


async def _membership(bot: Bot, chat: Chat, me: User) -> ChatMember:
    try:
        return await bot.ask(ChatMember, "getChatMember", {"chat_id": chat.id, "user_id": me.id})
    except Refused as exc:
        # A public channel can be looked at from outside, but not who is in it.
        if "member list is inaccessible" not in str(exc.facts.get("detail", "")):
            raise
        return ChatMember(status="left")


def _why_not(chat: Chat, member: ChatMember, me: User) -> str:
    """Why the bot cannot post, or ""."""
    if not member.inside:
        return "{bot} is not in “{chat}”. Add it as an administrator there, then try again."
    if chat.type == "channel":
        if not member.administers:
            return "{bot} is not an administrator of “{chat}”. Make it one, with the right to post messages."
        if member.status == "administrator" and not member.can_post_messages:
            return "{bot} is an administrator of “{chat}” but may not post. Give it the right to post messages."
    elif member.status == "restricted" and not member.can_send_messages:
        return "{bot} may not send messages in “{chat}”. Lift that restriction, or make it an administrator."
    return ""


def _may_pin(chat: Chat, member: ChatMember) -> bool:
    """Who may edit messages in a channel, or pin them in a group. Source: pinChatMessage, Bot API 10.1."""
    right = member.can_edit_messages if chat.type == "channel" else member.can_pin_messages
    return member.status == "creator" or bool(member.administers and right)


async def _hearing(bot: Bot, chat: FullChat, member: ChatMember, me: User) -> dict[str, Any]:
    """Whether what people say will reach the bot, and the sentences about what is missing."""
    if chat.type != "channel":
        if member.administers or me.can_read_all_group_messages:
            return {"hears": True, "missing": []}
        # Privacy mode: the bot still gets answers to its own messages, and messages that name it.
        return {
            "hears": True,
            "missing": ["The bot sees only answers to its own messages: make it an administrator to see all mentions."],
        }
    if chat.linked_chat_id is None:
        return {
            "hears": False,
            "missing": ["The channel has no discussion group, so nobody can comment: link one in its settings."],
        }
    hears = await _hears(bot, chat.linked_chat_id, me)
    missing = "Comments will not arrive: make the bot an administrator of the channel's discussion group too."
    return {"hears": hears, "discussion_id": str(chat.linked_chat_id), "missing": [] if hears else [missing]}


async def _hears(bot: Bot, group: int, me: User) -> bool:
    try:
        member = await bot.ask(ChatMember, "getChatMember", {"chat_id": group, "user_id": me.id})
    except TryLater:
        raise
    except NetworkError:  # a group that the bot has never seen
        return False
    return member.administers or (member.inside and me.can_read_all_group_messages)


def typed_in(fields: Mapping[str, str]) -> tuple[str, str | int]:
    """Token and chat from what a person typed. Raises Refused when one is missing."""
    token, chat = fields.get("token", "").strip(), fields.get("chat", "")
    if not token:
        raise Refused("Paste the token that @BotFather gave you for the bot.")
    return token, chat_from(chat)
