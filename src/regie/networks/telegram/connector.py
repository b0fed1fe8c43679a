"""Telegram through its Bot API 10.1: a bot that administers a channel or sits in a group.

One bot may serve several accounts, and has one queue of messages for all of them: see ``SharesInbox``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import aiohttp

from regie.networks.capabilities import (
    Answering,
    Arrival,
    Capabilities,
    DocumentLimit,
    Format,
    ImageLimit,
    MessageKind,
    NobodyKnows,
    Option,
    OptionKind,
    PollLimit,
    Quota,
    SignIn,
    SoundLimit,
    TextLimit,
    VideoLimit,
)
from regie.networks.data import (
    Draft,
    Incoming,
    Json,
    Login,
    Messages,
    Outgoing,
    Profile,
    Progress,
    Published,
    Ready,
    Ref,
    Samples,
    SignedIn,
)
from regie.networks.errors import Refused, SignInAgain
from regie.networks.taking import must_be_taken
from regie.networks.telegram import publishing, reading, sign_in, webhook
from regie.networks.telegram.api import NAME, Bot
from regie.networks.telegram.files import MOST

THUMB = "👍"
_OFFICE = "application/vnd.openxmlformats-officedocument."
DOCUMENTS = ("application/pdf", f"{_OFFICE}wordprocessingml.document", f"{_OFFICE}presentationml.presentation")

SILENT = Option(
    name="silent",
    kind=OptionKind.SWITCH,
    label="Send silently",
    help="Readers get the post without a sound.",
    formats=(Format.POST,),
)
PROTECTED = Option(
    name="protected",
    kind=OptionKind.SWITCH,
    label="Protect the content",
    help="Nobody can forward or save it.",
    formats=(Format.POST,),
)
NO_LINK_PREVIEW = Option(
    name="no_link_preview",
    kind=OptionKind.SWITCH,
    label="No preview of the link",
    help="The address stays in the text, without a card below it.",
    formats=(Format.POST,),
)
PINNED = Option(
    name="pinned",
    kind=OptionKind.SWITCH,
    label="Pin it",
    help="It stays at the top of the channel or group.",
    formats=(Format.POST,),
)

CAN = Capabilities(
    text=TextLimit(longest=4096, longest_with_media=1024),  # code points: NOTES.md says who measured it
    repeat=NobodyKnows(),
    sign_in=(SignIn.BOT_TOKEN,),
    link_card=True,
    images=ImageLimit(
        most=MOST,
        largest_bytes=10_000_000,
        types=("image/jpeg", "image/png"),
        side_sum=10_000,
        widest_ratio=20,
    ),
    video=VideoLimit(
        largest_bytes=50_000_000,
        longest=timedelta(hours=12),  # none is stated; what we keep ends there
        most=MOST,
        cover=ImageLimit(most=1, largest_bytes=10_000_000, types=("image/jpeg",), longest_side=1280),
    ),
    mixed_media=True,
    documents=DocumentLimit(largest_bytes=50_000_000, types=DOCUMENTS, most=MOST),
    sounds=SoundLimit(largest_bytes=50_000_000, types=("audio/mpeg", "audio/mp4"), most=MOST),
    options=(SILENT, PROTECTED, NO_LINK_PREVIEW, PINNED),
    poll=PollLimit(
        most_options=12,
        quiz=True,
        longest_explanation=200,
        longest_option=100,
        longest_question=300,
        shortest=timedelta(seconds=5),
        longest=timedelta(seconds=2_628_000),
        multiple=True,
        hide_totals=True,
    ),
    ahead=False,  # a file travels with its message
    thread=20,
    first_comment=True,
    sensitive=True,
    edit=True,
    edit_comment=True,
    delete=True,
    delete_within=timedelta(hours=48),
    reads=frozenset({MessageKind.COMMENT, MessageKind.REPLY, MessageKind.MENTION, MessageKind.DIRECT}),
    answers=frozenset({Answering.REPLY, Answering.LIKE, Answering.DELETE_OWN, Answering.DELETE}),
    arrival=(Arrival.LONG_POLL, Arrival.WEBHOOK),
    post_metrics=("likes",),
    account_metrics=("followers",),
    quotas=(
        Quota(name="bot", limit=30, per=timedelta(seconds=1), shared=True),
        Quota(name="chat", limit=20, per=timedelta(minutes=1)),
    ),
    permalink=False,  # a small group's messages have no address
)


class Telegram:
    """A channel or group, through its bot.

    ``Login.credentials``: token, chat_id. ``Login.limits``: kind, public, bot_username, discussion_id, hears, direct,
    missing.
    Remote ids are ``chat_id:message_id``; ``Published.extra`` holds kind, chat_id, all message_ids of an album, which
    of them carries the text (``captioned``), and what each file was (``files``).
    """

    slug: ClassVar[str] = "telegram"
    name: ClassVar[str] = NAME
    can: ClassVar[Capabilities] = CAN
    default_server: ClassVar[str] = "https://api.telegram.org"

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self.login = login
        self.bot = Bot(http, server=login.server, token=login.credentials.get("token", ""))
        self.parents: reading.Parents = {}
        self.chat_id = login.credentials.get("chat_id") or login.remote_id

    @classmethod
    def can_on(cls, limits: Json) -> Capabilities:
        """Reactions are counted in channels only; comments need a discussion group that the bot can hear, and private
        messages the right to manage them."""
        options = tuple(one for one in CAN.options if one is not PINNED or limits.get("pins", True))
        if limits.get("kind") == "group":
            reads = frozenset({MessageKind.REPLY, MessageKind.MENTION})
            return replace(CAN, reads=reads, post_metrics=(), first_comment=False, options=options)
        if limits.get("kind") == "channel":
            hears = bool(limits.get("hears"))
            direct = frozenset({MessageKind.DIRECT})
            reads = (CAN.reads - direct if hears else frozenset()) | (direct if limits.get("direct") else frozenset())
            answers = CAN.answers if hears else CAN.answers - {Answering.DELETE}
            return replace(CAN, reads=reads, answers=answers, permalink=True, first_comment=hears, options=options)
        return CAN

    @classmethod
    def objections(cls, limits: Json, draft: Draft) -> tuple[Refused, ...]:
        """An album holds pictures and videos together."""
        if draft.pictures + draft.videos > MOST:
            return (Refused("An album on Telegram holds at most 10 pictures and videos together."),)
        return ()

    # Publishing: files travel with their message, so ``prepare`` only finds where a first comment goes.

    async def prepare(self, outgoing: Outgoing, progress: Progress) -> Ready:
        must_be_taken(outgoing, self.can, network=self.name)
        publishing.refuse_what_is_absent(outgoing)
        if publishing.topic_of(outgoing) and not self.login.limits.get("direct", True):
            raise Refused(publishing.NO_DIRECT)
        if not outgoing.comment or outgoing.reply_to is None or "thread" in progress:
            return Ready(progress=progress)
        discussion = str(self.login.limits.get("discussion_id", ""))
        if not discussion:
            raise Refused("The channel has no discussion group, so there is no place for a comment.")
        thread = await publishing.copy_of(self.bot, discussion, outgoing.reply_to)
        return Ready(progress={**progress, "thread": thread})

    async def commit(self, outgoing: Outgoing, progress: Progress) -> Published:
        return await publishing.publish(self.bot, self.chat_id, outgoing, progress)

    async def edit(self, ref: Ref, outgoing: Outgoing, progress: Progress) -> Published:
        return await publishing.edit(self.bot, ref, outgoing)

    @classmethod
    def id_of(cls, url: str, *, author: str = "") -> str | None:
        """Only addresses of private chats hold the chat's number; ``t.me/name/12`` does not tell it."""
        return publishing.id_in(url)

    async def delete(self, ref: Ref) -> None:
        await publishing.delete(self.bot, ref)

    # Conversing.

    async def messages(self, *, cursor: str) -> Messages:
        return await self.next_messages(cursor=cursor, seconds=0)

    async def next_messages(self, *, cursor: str, seconds: int) -> Messages:
        return await self.completed(await reading.updates(self.bot, self.login, cursor=cursor, seconds=seconds))

    async def completed(self, news: Messages) -> Messages:
        return await reading.with_channels(self.bot, news, self.parents)

    @classmethod
    def inbox_key(cls, login: Login) -> str:
        """The server and the bot's id: all accounts of one bot share its queue."""
        return f"{login.server}/{login.credentials.get('token', '').partition(':')[0]}"

    def quota_key(self) -> str:
        """What a bot may say in a second is counted over all its chats."""
        return self.inbox_key(self.login)

    @classmethod
    def is_for(cls, login: Login, incoming: Incoming) -> bool:
        return reading.belongs_to(login, incoming)

    async def set_webhook(self, *, url: str, secret: str) -> None:
        await webhook.set_webhook(self.bot, url=url, secret=secret)

    async def delete_webhook(self) -> None:
        await webhook.delete_webhook(self.bot)

    @classmethod
    def received(cls, login: Login, *, body: bytes, headers: Mapping[str, str], secret: str) -> Messages:
        return webhook.received(login, body=body, headers=headers, secret=secret)

    async def like(self, ref: Ref) -> Json:
        await self._react(ref, THUMB)
        return {"emoji": THUMB}

    async def unlike(self, ref: Ref, liked: Json) -> None:
        await self._react(ref, "")

    async def _react(self, ref: Ref, emoji: str) -> None:
        """A bot has one reaction per message; setting it again changes nothing."""
        chat, message = publishing.split(ref.remote_id)
        reaction = [{"type": "emoji", "emoji": emoji}] if emoji else []
        await self.bot.ask(bool, "setMessageReaction", {"chat_id": chat, "message_id": message, "reaction": reaction})

    # Measuring.

    async def post_samples(self, refs: Sequence[Ref]) -> Mapping[str, Samples]:
        """None for each: the Bot API cannot be asked. Counts come as news, in ``Messages.samples``."""
        return {ref.remote_id: {"likes": None} for ref in refs}

    async def account_samples(self) -> Samples:
        """Members of the channel or group, the bot among them. Source: getChatMemberCount."""
        return {"followers": await self.bot.ask(int, "getChatMemberCount", {"chat_id": int(self.chat_id)})}

    # Signing in.

    async def whoami(self) -> Profile:
        """The channel or group as the bot sees it now. A right that was taken away means SignInAgain, in words."""
        try:
            return await sign_in.profile_of(self.bot, int(self.chat_id))
        except Refused as exc:
            if "chat" not in exc.facts:
                raise  # not about this channel: the address answers something else
            facts: dict[str, Any] = dict(exc.facts)
            raise SignInAgain(exc.sentence, answer=exc.answer, **facts) from None

    @classmethod
    async def sign_in(cls, http: aiohttp.ClientSession, *, server: str, fields: Mapping[str, str]) -> SignedIn:
        """``fields``: token, as @BotFather gave it, and chat: an @name, a t.me link, or an id with its minus sign."""
        token, chat = sign_in.typed_in(fields)
        bot = Bot(http, server=server or cls.default_server, token=token)
        profile = await sign_in.profile_of(bot, chat)
        return SignedIn(credentials={"token": token, "chat_id": profile.remote_id}, profiles=(profile,))
