"""Saying something: one call for a text, a file, an album or a poll; changing it; taking it away.

Plain text throughout, without parse_mode: nothing needs escaping, and Telegram finds links, mentions and hashtags.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from regie.networks.data import Outgoing, Poll, Progress, Published, Ref
from regie.networks.errors import Gone, NetworkError, Refused, SignInAgain, TryLater, Unclear
from regie.networks.line import Answer
from regie.networks.telegram.api import Bot, Form
from regie.networks.telegram.files import COVERED, METHODS, Item, captioned, form, items_of, marks

log = logging.getLogger(__name__)

NO_DIRECT = (
    "The bot may not answer private messages to the channel. Give it the right to manage direct messages in the "
    "channel's administrators, then send the answer again."
)
COPY_AGAIN = timedelta(seconds=2)  # until the channel's post shows in the discussion group

_PRIVATE_LINK = re.compile(r"(?:https?://)?(?:t|telegram)\.me/c/(?P<chat>\d+)/(?P<message>\d+)/?(?:\?.*)?")


class Chat(BaseModel):
    id: int
    type: str = ""
    title: str = ""
    username: str = ""
    is_direct_messages: bool = False  # where people write to a channel in private


class Origin(BaseModel):
    """Where a forwarded message comes from; chat and message_id only when that is a channel."""

    type: str
    chat: Chat | None = None
    message_id: int | None = None


class Pinned(BaseModel):
    message_id: int
    is_automatic_forward: bool = False
    forward_origin: Origin | None = None

    @property
    def stands_for(self) -> tuple[int, int] | None:
        """The channel and the message of which it is the automatic copy."""
        origin = self.forward_origin
        if not self.is_automatic_forward or origin is None or origin.chat is None or origin.message_id is None:
            return None
        return origin.chat.id, origin.message_id


class Discussion(Chat):
    pinned_message: Pinned | None = None


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

    "" in a small group and for private messages, which have no address. Source:
    https://core.telegram.org/api/links#message-links
    """
    if chat.is_direct_messages:
        return ""
    if chat.username:
        return f"https://t.me/{chat.username}/{message_id}"
    inner = str(chat.id)
    return f"https://t.me/c/{inner[4:]}/{message_id}" if inner.startswith("-100") and len(inner) > 10 else ""


def id_in(url: str) -> str | None:
    """The remote id in an address that ``link`` made for a private chat; None for any other address."""
    found = _PRIVATE_LINK.fullmatch(url.strip())
    return remote_id(f"-100{found['chat']}", found["message"]) if found else None


async def publish(bot: Bot, chat_id: str, outgoing: Outgoing, progress: Progress) -> Published:
    """One post, in one call; and it is pinned where that was asked for."""
    refuse_what_is_absent(outgoing)
    fields = {"chat_id": int(chat_id), **_answering(outgoing, progress), **_how(outgoing)}
    try:
        sent = await _sent(bot, fields, outgoing)
    except SignInAgain as exc:
        if not topic_of(outgoing) or exc.answer is None or exc.answer.status not in (400, 403):
            raise
        # The right to post is another one: the account goes on.
        raise Refused(NO_DIRECT, answer=exc.answer) from None
    if outgoing.options.get("pinned"):
        await _pin(bot, sent.remote_id)
    return sent


async def _sent(bot: Bot, fields: dict[str, Any], outgoing: Outgoing) -> Published:
    if outgoing.poll is not None:
        return _receipt("poll", *await _one(bot, "sendPoll", fields | _poll(outgoing.text, outgoing.poll)))
    items = items_of(outgoing)
    if not items:
        text = {"text": outgoing.text, **_preview(outgoing)}
        return _receipt("text", *await _one(bot, "sendMessage", fields | text))
    if len(items) == 1:
        return await _single(bot, fields, items[0], outgoing.text)
    return await _album(bot, fields, items, outgoing.text)


def _answering(outgoing: Outgoing, progress: Progress) -> dict[str, Any]:
    """Where it goes when it answers something: to the comment's own chat, the channel's discussion group.

    The first comment answers the copy of the post there, which ``prepare`` found.
    """
    if outgoing.reply_to is None:
        return {}
    under = progress.get("thread") if outgoing.comment else None
    chat, message = split(under or outgoing.reply_to.remote_id)
    topic = {"direct_messages_topic_id": int(topic_of(outgoing))} if topic_of(outgoing) else {}
    parameters = {"message_id": message, "allow_sending_without_reply": False}
    return {"chat_id": chat, **topic, "reply_parameters": parameters}


def topic_of(outgoing: Outgoing) -> str:
    """The person's own thread among the private messages to a channel, when one of these is answered; or ""."""
    return str(outgoing.reply_to.extra.get("topic_id", "")) if outgoing.reply_to is not None else ""


def _how(outgoing: Outgoing) -> dict[str, Any]:
    silent = {"disable_notification": True} if outgoing.options.get("silent") else {}
    return {**silent, "protect_content": True} if outgoing.options.get("protected") else silent


def _preview(outgoing: Outgoing) -> dict[str, Any]:
    """A link is shown as a card unless that was not wanted."""
    return {"link_preview_options": {"is_disabled": True}} if outgoing.options.get("no_link_preview") else {}


async def _pin(bot: Bot, post: str) -> None:
    """The post is out whatever comes of this: what fails is for the log, and a person sees that it is not pinned."""
    chat, message = split(post)
    fields = {"chat_id": chat, "message_id": message, "disable_notification": True}
    try:
        await bot.ask(bool, "pinChatMessage", fields)
    except NetworkError as exc:
        log.warning("The message %s is out and could not be pinned: %s", post, exc.sentence)


async def copy_of(bot: Bot, discussion: str, post: Ref) -> str:
    """The message in the discussion group that stands for a post of the channel: comments answer it.

    Telegram pins each automatic forward there, and the group tells its newest pinned message: the only way to ask for
    it. Raises TryLater until it is there.
    """
    chat = await bot.ask(Discussion, "getChat", {"chat_id": int(discussion)})
    pinned, (channel, message) = chat.pinned_message, split(post.remote_id)
    # An album is copied message by message, and one of the copies is pinned.
    ours = {(channel, number) for number in post.extra.get("message_ids") or [message]}
    if pinned is not None and pinned.stands_for in ours:
        return remote_id(chat.id, pinned.message_id)
    raise TryLater(
        "Telegram has not yet shown the post in the discussion group, where its first comment goes.",
        not_before=datetime.now(UTC) + COPY_AGAIN,
    )


def refuse_what_is_absent(outgoing: Outgoing) -> None:
    """Nothing that a person asked for may be left out in silence. Alternative text is: there is no place for it."""
    if outgoing.content_warning:
        raise Refused("Telegram has no content warnings: take it out, or mark the pictures as sensitive.")
    if outgoing.visibility:
        raise Refused("On Telegram a post is seen by everyone in the channel or group: there is no other visibility.")
    files = items_of(outgoing)
    if outgoing.poll is not None and files:
        raise Refused("On Telegram a poll cannot carry pictures: publish them as a post of their own.")
    if outgoing.sensitive and any(item.kind not in COVERED for item in files):
        raise Refused("On Telegram only pictures and videos can be covered: take the mark “sensitive” off.")
    kinds = {item.kind for item in files}
    if len(kinds) > 1 and not kinds <= set(COVERED):
        raise Refused(
            "On Telegram documents and sounds stand apart from other files: publish them as a post of their own."
        )


async def _one(bot: Bot, method: str, fields: Mapping[str, Any]) -> tuple[list[Sent], Answer]:
    sent, answer = await bot.tell(Sent, method, fields)
    return [sent], answer


async def _single(bot: Bot, fields: dict[str, Any], item: Item, text: str) -> Published:
    fields = {**fields, **item.fields, **({"caption": text} if text else {})}
    files_marks = await asyncio.to_thread(marks, [item])
    with ExitStack() as files:
        sent, answer = await bot.tell(Sent, METHODS[item.kind], fields, lambda: form(files, [item], alone=True))
    return _receipt(item.kind, [sent], answer, files=files_marks)


async def _album(bot: Bot, fields: dict[str, Any], items: list[Item], text: str) -> Published:
    media, at = captioned(items, text)
    files_marks = await asyncio.to_thread(marks, items)
    with ExitStack() as files:
        sent, answer = await bot.tell(
            list[Sent], "sendMediaGroup", fields | {"media": media}, lambda: form(files, items, alone=False)
        )
    if len(sent) != len(items):
        raise Unclear("Telegram answered with another number of messages than the album has.", answer=answer)
    return _receipt("album", sent, answer, files=files_marks, captioned=sent[at].message_id)


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
    if poll.correct is not None:
        fields |= {"type": "quiz", "correct_option_ids": [poll.correct]}
        if poll.explanation:
            fields["explanation"] = poll.explanation
    return fields


def _receipt(kind: str, sent: Sequence[Sent], answer: Answer | None, **more: Any) -> Published:
    """The first message stands for an album; ``extra`` holds what editing and deleting the whole of it need."""
    first = sent[0]
    extra: dict[str, Any] = {"kind": kind, "chat_id": str(first.chat.id), **more}
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
    """Change the text of a text post; the caption of any other, and those of its files that are not the same.

    The same twice is the same. What cannot become of a message: other kinds of files, more or fewer of them.
    """
    chat, message = split(ref.remote_id)
    items = items_of(outgoing)
    kind = ref.extra.get("kind") or (items[0].kind if items else "text")
    if kind == "poll":
        raise Refused("Telegram does not let a poll be changed: delete it and publish a new one.")
    numbers = ref.extra.get("message_ids") or [message]
    if (kind == "text") != (not items) or (items and len(items) != len(numbers)):
        raise Refused("On Telegram a published post keeps as many files as it has: only what they are can be changed.")
    refuse_what_is_absent(outgoing)
    if kind == "text":
        fields = {"chat_id": chat, "message_id": message, "text": outgoing.text, **_preview(outgoing)}
        return await _changed(bot, "editMessageText", fields, ref)
    return await _edit_files(bot, ref, outgoing, items, numbers)


async def _edit_files(bot: Bot, ref: Ref, outgoing: Outgoing, items: list[Item], numbers: list[int]) -> Published:
    """Each item whose file is another is replaced, words and all; else the words alone."""
    chat = split(ref.remote_id)[0]
    was, now = ref.extra.get("files", ()), await asyncio.to_thread(marks, items)
    media, at = captioned(items, outgoing.text)
    other = [place for place, mark in enumerate(now) if was and was[place] != mark]
    for place in other:
        with ExitStack() as files:
            fields = {"chat_id": chat, "message_id": numbers[place], "media": media[place]}
            item = items[place]
            await _replace(bot, fields, lambda item=item: form(files, [item], alone=False))  # type: ignore[misc]
    extra = {**ref.extra, **({"files": now} if was else {})}
    changed = Ref(remote_id=ref.remote_id, extra=extra)
    number = ref.extra.get("captioned") or numbers[at if at == 0 else -1]
    fields = {"chat_id": chat, "message_id": number, "caption": outgoing.text}
    return await _changed(bot, "editMessageCaption", fields, changed)


async def _replace(bot: Bot, fields: dict[str, Any], files: Form) -> None:
    """Made twice it is the same: an answer that got lost is TryLater."""
    try:
        await bot.tell(Sent, "editMessageMedia", fields, files)
    except Unclear as exc:
        raise TryLater("Telegram did not answer whether the file was replaced.", answer=exc.answer) from None
    except Refused as exc:
        if not _is_the_same(exc):
            raise


def _is_the_same(exc: Refused) -> bool:
    return "message is not modified" in str(exc.facts.get("detail", ""))


async def _changed(bot: Bot, method: str, fields: dict[str, Any], ref: Ref) -> Published:
    try:
        sent = await bot.ask(Sent, method, fields)
    except Refused as exc:
        if not _is_the_same(exc):
            raise
        return Published(remote_id=ref.remote_id, extra=ref.extra, answer=exc.answer)
    chat, message = split(ref.remote_id)
    return Published(
        remote_id=ref.remote_id,
        url=link(sent.chat, message),
        at=datetime.fromtimestamp(sent.date, UTC),
        extra={**ref.extra, "chat_id": str(chat)},
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
