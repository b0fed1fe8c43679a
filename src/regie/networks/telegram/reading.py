"""Updates into our words: comments, answers, mentions, private messages to a channel, and the counts of reactions.

An update is understood from itself alone, because the queue belongs to the bot and not to one channel: the caller
asks ``is_for`` which account it concerns. Only whose private messages a chat holds has to be asked:
``with_channels``. Source: https://core.telegram.org/bots/api#getting-updates, Bot API 10.1.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Login, Messages, Person, Samples
from regie.networks.errors import NetworkError, TryLater
from regie.networks.telegram.api import Bot
from regie.networks.telegram.publishing import Chat, Origin, link, remote_id
from regie.networks.telegram.sign_in import User

log = logging.getLogger(__name__)

WANTED = ("message", "edited_message", "message_reaction_count")
BATCH = 100  # the most that getUpdates gives
Parents = dict[str, str]  # chat of private messages -> its channel; "" when the bot is not told
MEDIA = ("photo", "video", "animation", "sticker", "voice", "video_note", "audio", "document", "poll", "location")


class Speaker(User):
    last_name: str = ""


class Entity(BaseModel):
    """``offset`` and ``length`` count UTF-16 code units, unlike the limits of a text."""

    type: str
    offset: int
    length: int
    user: User | None = None


class Topic(BaseModel):
    topic_id: int


class DirectChat(Chat):
    parent_chat: Chat | None = None


class Said(BaseModel, extra="allow"):
    """A Message as far as we read it; the kinds of media stay as they came."""

    message_id: int
    date: int
    chat: Chat
    message_thread_id: int | None = None
    direct_messages_topic: Topic | None = None
    from_: Speaker | None = Field(default=None, alias="from")
    sender_chat: Chat | None = None
    is_topic_message: bool = False
    is_automatic_forward: bool = False
    forward_origin: Origin | None = None
    reply_to_message: Said | None = None
    text: str = ""
    caption: str = ""
    entities: list[Entity] = Field(default_factory=list)
    caption_entities: list[Entity] = Field(default_factory=list)

    @property
    def id(self) -> str:
        return remote_id(self.chat.id, self.message_id)

    @property
    def words(self) -> str:
        return self.text or self.caption

    @property
    def media(self) -> str:
        """What it shows beside its words, or ""."""
        return next((kind for kind in MEDIA if (self.model_extra or {}).get(kind) is not None), "")

    @property
    def post(self) -> Origin | None:
        """The channel post that this automatic forward in a discussion group stands for."""
        origin = self.forward_origin
        known = self.is_automatic_forward and origin is not None and origin.chat is not None and origin.message_id
        return origin if known else None


class ReactionCount(BaseModel):
    total_count: int


class ReactionCounts(BaseModel):
    chat: Chat
    message_id: int
    reactions: list[ReactionCount]


class Update(BaseModel):
    update_id: int
    message: Said | None = None
    edited_message: Said | None = None
    message_reaction_count: ReactionCounts | None = None


async def updates(bot: Bot, login: Login, *, cursor: str, seconds: int) -> Messages:
    """The next batch of the bot's queue.

    The cursor is the number of the first update that the caller has not stored. Telegram forgets those below it when
    it is asked, so a batch is forgotten only at the call after the one that brought it: reading twice gives the same.
    """
    fields: dict[str, Any] = {"limit": BATCH, "timeout": seconds, "allowed_updates": list(WANTED)}
    if cursor:
        fields["offset"] = int(cursor)
    raw = await bot.ask(list[dict[str, Any]], "getUpdates", fields, seconds=seconds + 20 if seconds else None)
    last = max((each["update_id"] for each in raw), default=None)
    return understood(
        raw,
        bot_id=bot.id,
        bot_username=await _username(bot, login) if raw else "",
        cursor=cursor if last is None else str(last + 1),
        more=len(raw) == BATCH,
    )


async def with_channels(bot: Bot, news: Messages, known: Parents) -> Messages:
    """The same with the channel of each private message, ``channel_id``, which only the chat itself tells.

    known: what was asked before; it is added to. A chat that the bot is not told of belongs to nobody.
    """
    for chat in {one.extra["chat_id"] for one in news.messages if one.kind is MessageKind.DIRECT} - known.keys():
        known[chat] = await _channel_of(bot, chat)
    found = tuple(
        replace(one, extra={**one.extra, "channel_id": known[one.extra["chat_id"]]})
        if one.kind is MessageKind.DIRECT
        else one
        for one in news.messages
    )
    return replace(news, messages=found)


async def _channel_of(bot: Bot, chat: str) -> str:
    try:
        parent = (await bot.ask(DirectChat, "getChat", {"chat_id": int(chat)})).parent_chat
    except TryLater:
        raise
    except NetworkError as exc:  # the right was taken away since: the other messages are still read
        log.warning("Telegram does not tell whose private messages the chat %s holds: %s", chat, exc.sentence)
        return ""
    return str(parent.id) if parent is not None else ""


async def _username(bot: Bot, login: Login) -> str:
    """The name by which people call the bot: known since the sign-in, or asked for."""
    known = str(login.limits.get("bot_username", ""))
    return known or (await bot.ask(User, "getMe")).username


def understood(
    raw: Iterable[dict[str, Any]], *, bot_id: str, bot_username: str, cursor: str = "", more: bool = False
) -> Messages:
    """Updates as they came, in our words. One that we cannot read is logged and passed over, to not stop the rest."""
    found: list[Incoming] = []
    samples: dict[str, Samples] = {}
    for each in raw:
        try:
            update = Update.model_validate(each)
        except ValidationError:
            log.warning("Telegram's update %s has a shape that we do not know", each.get("update_id"))
            continue
        if counts := update.message_reaction_count:
            likes = sum(reaction.total_count for reaction in counts.reactions)
            samples[remote_id(counts.chat.id, counts.message_id)] = {"likes": likes}
        said = update.message or update.edited_message
        if said and (incoming := incoming_from(said, bot_id=bot_id, bot_username=bot_username)):
            found.append(incoming)
    return Messages(messages=tuple(found), cursor=cursor, more=more, samples=samples)


def incoming_from(said: Said, *, bot_id: str, bot_username: str) -> Incoming | None:
    """What somebody said to or about us, or None for everything else that happens in a group."""
    if said.chat.type not in ("group", "supergroup") or said.is_automatic_forward or not (said.words or said.media):
        return None
    direct = said.chat.is_direct_messages
    kind = MessageKind.DIRECT if direct else _kind(said, bot_id=bot_id, bot_username=bot_username)
    by = _speaker(said)
    if kind is None or by is None or by.remote_id == bot_id:
        return None
    answered = said.reply_to_message
    extra: dict[str, Any] = {"chat_id": str(said.chat.id)}
    if said.direct_messages_topic is not None:
        extra["topic_id"] = str(said.direct_messages_topic.topic_id)
    if said.media:
        extra["media"] = said.media
    if "edit_date" in (said.model_extra or {}):
        extra["edited"] = True
    return Incoming(
        remote_id=said.id,
        kind=kind,
        by=by,
        text=said.words,
        said_at=datetime.fromtimestamp(said.date, UTC),
        url=_address(said),
        conversation_id=_conversation(said),
        reply_to_id=_post_of(answered) or answered.id if answered else "",
        post_id="" if direct else _our_post(said, bot_id),
        extra=extra,
    )


def _kind(said: Said, *, bot_id: str, bot_username: str) -> MessageKind | None:
    answered = said.reply_to_message
    if answered is not None and answered.post is not None:
        return MessageKind.COMMENT
    if answered is not None and _by(answered, bot_id):
        return MessageKind.REPLY
    if _names(said, bot_id=bot_id, bot_username=bot_username):
        return MessageKind.MENTION
    if answered is not None and said.message_thread_id is not None and not said.is_topic_message:
        # Further down a thread. Whether that thread hangs under a channel post, ``is_for`` knows by the group.
        return MessageKind.COMMENT
    return None


def _by(said: Said, user_id: str) -> bool:
    return said.from_ is not None and str(said.from_.id) == user_id


def _names(said: Said, *, bot_id: str, bot_username: str) -> bool:
    wanted = f"@{bot_username}".lower()
    for entity in (*said.entities, *said.caption_entities):
        if entity.type == "text_mention" and entity.user is not None and str(entity.user.id) == bot_id:
            return True
        if entity.type == "mention" and bot_username and utf16_slice(said.words, entity).lower() == wanted:
            return True
    return False


def utf16_slice(text: str, entity: Entity) -> str:
    """The piece of a text that an entity covers."""
    units = text.encode("utf-16-le")
    return units[entity.offset * 2 : (entity.offset + entity.length) * 2].decode("utf-16-le", "replace")


def _speaker(said: Said) -> Person | None:
    """The person, or the channel or group in whose name an administrator wrote."""
    if (chat := said.sender_chat) is not None:
        handle = f"@{chat.username}" if chat.username else ""
        return Person(remote_id=str(chat.id), name=chat.title, handle=handle, url=_profile(chat.username))
    if (person := said.from_) is None:
        return None
    name = f"{person.first_name} {person.last_name}".strip()
    handle = f"@{person.username}" if person.username else ""
    return Person(remote_id=str(person.id), name=name, handle=handle, url=_profile(person.username))


def _profile(username: str) -> str:
    return f"https://t.me/{username}" if username else ""


def _post_of(said: Said | None) -> str:
    """Our remote id of the channel post behind an automatic forward, or ""."""
    if said is None or (origin := said.post) is None or origin.chat is None or origin.message_id is None:
        return ""
    return remote_id(origin.chat.id, origin.message_id)


def _our_post(said: Said, bot_id: str) -> str:
    """The post it stands under, as far as this update tells: deeper in a thread only the conversation knows."""
    answered = said.reply_to_message
    if answered is None:
        return ""
    if post := _post_of(answered):
        return post
    is_root = said.message_thread_id in (None, answered.message_id)
    return answered.id if is_root and _by(answered, bot_id) else ""


def _conversation(said: Said) -> str:
    """Telegram names a thread by its first message: in a discussion group, the forward of the channel post.

    Private messages to a channel hang together by the person who wrote first.
    """
    if said.direct_messages_topic is not None:
        return f"{said.chat.id}:topic:{said.direct_messages_topic.topic_id}"
    if said.message_thread_id is not None and not said.is_topic_message:
        return remote_id(said.chat.id, said.message_thread_id)
    return said.reply_to_message.id if said.reply_to_message else said.id


def _address(said: Said) -> str:
    """Where the message can be seen: under the post, when that post is public."""
    origin = said.reply_to_message.post if said.reply_to_message else None
    if origin is not None and origin.chat is not None and origin.chat.username:
        return f"https://t.me/{origin.chat.username}/{origin.message_id}?comment={said.message_id}"
    return link(said.chat, said.message_id)


def belongs_to(login: Login, incoming: Incoming) -> bool:
    """Whether a message of the bot's queue concerns this account."""
    chat_id, ours = incoming.extra.get("chat_id"), login.remote_id or login.credentials.get("chat_id", "")
    if incoming.kind is MessageKind.DIRECT:
        return bool(ours) and incoming.extra.get("channel_id") == ours  # what another administrator answered, too
    if incoming.by.remote_id == ours:
        return False  # the channel itself, speaking in its own discussion group
    if incoming.kind is MessageKind.COMMENT:
        if incoming.post_id:
            return incoming.post_id.rpartition(":")[0] == ours
        return chat_id == login.limits.get("discussion_id")
    return chat_id in (ours, login.limits.get("discussion_id"))
