"""Saying something: one call for a text, a picture, an album or a poll; changing it; taking it away.

Plain text throughout, without parse_mode: nothing needs escaping, and Telegram finds links, mentions and hashtags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import aiohttp
from pydantic import BaseModel

from regie.networks.data import Outgoing, Picture, Poll, Published, Ref
from regie.networks.errors import Gone, Refused
from regie.networks.line import Answer
from regie.networks.telegram.api import Bot

_PRIVATE_LINK = re.compile(r"(?:https?://)?(?:t|telegram)\.me/c/(?P<chat>\d+)/(?P<message>\d+)/?(?:\?.*)?")


class Chat(BaseModel):
    id: int
    type: str = ""
    title: str = ""
    username: str = ""


class PollSent(BaseModel):
    id: str


class Sent(BaseModel):
    """The part of a Message that makes a receipt."""

    message_id: int
    date: int
    chat: Chat
    poll: PollSent | None = None


def remote_id(chat_id: int | str, message_id: int | str) -> str:
    """Message ids count within their chat, so ours name both: ``-1001234567890:42``."""
    return f"{chat_id}:{message_id}"


def split(message: str) -> tuple[int, int]:
    """Chat id and message id of one of our remote ids. Raises Gone for anything else."""
    chat_id, _, message_id = message.rpartition(":")
    try:
        return int(chat_id), int(message_id)
    except ValueError:
        raise Gone("This is not a Telegram message.") from None


def link(chat: Chat, message_id: int) -> str:
    """Where a message can be seen: by everyone in a public chat, by members in a private supergroup or channel.

    "" in a small group, whose messages have no address. Source: https://core.telegram.org/api/links#message-links
    """
    if chat.username:
        return f"https://t.me/{chat.username}/{message_id}"
    inner = str(chat.id)
    return f"https://t.me/c/{inner[4:]}/{message_id}" if inner.startswith("-100") and len(inner) > 10 else ""


def id_in(url: str) -> str | None:
    """The remote id in an address that ``link`` made for a private chat; None for any other address."""
    found = _PRIVATE_LINK.fullmatch(url.strip())
    return remote_id(f"-100{found['chat']}", found["message"]) if found else None


async def publish(bot: Bot, chat_id: str, outgoing: Outgoing) -> Published:
    """One post, in one call."""
    refuse_what_is_absent(outgoing)
    fields: dict[str, Any] = {"chat_id": int(chat_id)}
    if outgoing.reply_to is not None:
        chat, message = split(outgoing.reply_to.remote_id)
        # An answer to a comment goes where the comment is: the channel's discussion group.
        fields = {"chat_id": chat, "reply_parameters": {"message_id": message, "allow_sending_without_reply": False}}
    if outgoing.poll is not None:
        return _receipt("poll", *await _one(bot, "sendPoll", fields | _poll(outgoing.text, outgoing.poll)))
    if not outgoing.pictures:
        return _receipt("text", *await _one(bot, "sendMessage", fields | {"text": outgoing.text}))
    if len(outgoing.pictures) == 1:
        return await _photo(bot, fields, outgoing)
    return await _album(bot, fields, outgoing)


def refuse_what_is_absent(outgoing: Outgoing) -> None:
    """Nothing that a person asked for may be left out in silence. Alternative text is: there is no place for it."""
    if outgoing.content_warning:
        raise Refused("Telegram has no content warnings: take it out, or mark the pictures as sensitive.")
    if outgoing.visibility:
        raise Refused("On Telegram a post is seen by everyone in the channel or group: there is no other visibility.")
    if outgoing.poll is not None and outgoing.pictures:
        raise Refused("On Telegram a poll cannot carry pictures: publish them as a post of their own.")


async def _one(bot: Bot, method: str, fields: Mapping[str, Any]) -> tuple[list[Sent], Answer]:
    sent, answer = await bot.tell(Sent, method, fields)
    return [sent], answer


async def _photo(bot: Bot, fields: dict[str, Any], outgoing: Outgoing) -> Published:
    if outgoing.text:
        fields["caption"] = outgoing.text
    if outgoing.sensitive:
        fields["has_spoiler"] = True
    with ExitStack() as files:
        sent, answer = await bot.tell(Sent, "sendPhoto", fields, lambda: _form(files, {"photo": outgoing.pictures[0]}))
    return _receipt("photo", [sent], answer)


async def _album(bot: Bot, fields: dict[str, Any], outgoing: Outgoing) -> Published:
    """The caption sits on the first picture: that is how Telegram shows one text under an album."""
    parts = {f"picture{place}": picture for place, picture in enumerate(outgoing.pictures)}
    media: list[dict[str, Any]] = [{"type": "photo", "media": f"attach://{name}"} for name in parts]
    if outgoing.text:
        media[0]["caption"] = outgoing.text
    if outgoing.sensitive:
        media = [item | {"has_spoiler": True} for item in media]
    with ExitStack() as files:
        sent, answer = await bot.tell(
            list[Sent], "sendMediaGroup", fields | {"media": media}, lambda: _form(files, parts)
        )
    return _receipt("album", sent, answer)


def _form(files: ExitStack, pictures: Mapping[str, Picture]) -> aiohttp.FormData:
    form = aiohttp.FormData()
    for name, picture in pictures.items():
        opened = files.enter_context(picture.path.open("rb"))
        form.add_field(name, opened, filename=f"{name}{picture.path.suffix}", content_type=picture.content_type)
    return form


def _poll(text: str, poll: Poll) -> dict[str, Any]:
    """Without a question of its own, the post's text is the question; with one, the text stands beside it."""
    fields: dict[str, Any] = {
        "question": poll.question or text,
        "options": [{"text": option} for option in poll.options],
        "allows_multiple_answers": poll.multiple,
    }
    if poll.question and text and text != poll.question:
        fields["description"] = text
    if poll.lasts is not None:
        fields["open_period"] = int(poll.lasts.total_seconds())
    if poll.hide_totals:
        fields["hide_results_until_closes"] = True
    return fields


def _receipt(kind: str, sent: Sequence[Sent], answer: Answer | None) -> Published:
    """The first message stands for an album; ``extra`` holds what editing and deleting the whole of it need."""
    first = sent[0]
    extra: dict[str, Any] = {"kind": kind, "chat_id": str(first.chat.id)}
    if len(sent) > 1:
        extra["message_ids"] = [message.message_id for message in sent]
    if first.poll is not None:
        extra["poll_id"] = first.poll.id
    return Published(
        remote_id=remote_id(first.chat.id, first.message_id),
        url=link(first.chat, first.message_id),
        at=datetime.fromtimestamp(first.date, UTC),
        extra=extra,
        answer=answer,
    )


async def edit(bot: Bot, ref: Ref, outgoing: Outgoing) -> Published:
    """Change the text of a text post, or the caption of a picture or album. The same twice is the same."""
    chat, message = split(ref.remote_id)
    kind = ref.extra.get("kind") or ("photo" if outgoing.pictures else "text")
    if kind == "poll":
        raise Refused("Telegram does not let a poll be changed: delete it and publish a new one.")
    if (kind == "text") != (not outgoing.pictures):
        raise Refused("On Telegram a published post keeps its pictures: only the text can be changed.")
    refuse_what_is_absent(outgoing)
    method, name = ("editMessageText", "text") if kind == "text" else ("editMessageCaption", "caption")
    fields = {"chat_id": chat, "message_id": message, name: outgoing.text}
    try:
        sent = await bot.ask(Sent, method, fields)
    except Refused as exc:
        if "message is not modified" not in str(exc.facts.get("detail", "")):
            raise
        return Published(remote_id=ref.remote_id, extra=ref.extra, answer=exc.answer)
    return Published(
        remote_id=ref.remote_id,
        url=link(sent.chat, message),
        at=datetime.fromtimestamp(sent.date, UTC),
        extra={**ref.extra, "kind": kind, "chat_id": str(chat)},
    )


async def delete(bot: Bot, ref: Ref) -> None:
    """Take away a message, all pictures of an album included. Already gone counts as done."""
    chat, message = split(ref.remote_id)
    for each in ref.extra.get("message_ids") or [message]:
        # One by one: deleteMessages passes over what it may not delete, and says yes all the same.
        try:
            await bot.ask(bool, "deleteMessage", {"chat_id": chat, "message_id": each})
        except Gone:
            continue
