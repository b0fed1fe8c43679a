"""Putting messages into chats, and telling bots: what both the Bot API and the people's side stand on."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from regie_sandbox.frame import Network
from regie_sandbox.telegram.state import SERVICE, BotRow, ChatRow, Json, PersonRow, State, entities, without_reply
from regie_sandbox.telegram.updates import News
from regie_sandbox.telegram.wire import Refusal, bad

SLUG = "telegram"
DELETABLE = timedelta(hours=48)
PER_SECOND, PER_GROUP_MINUTE, BURST = 30, 20, 3


class Chats:
    """The chats of one network. ``floods``: whether the vendor's limits on how often a bot may write are kept."""

    def __init__(self, network: Network, news: News) -> None:
        self.network, self.world, self.faults, self.news = network, network.world, network.faults, news
        self.floods = False
        self._sent_at: dict[tuple[int, int], list[float]] = {}  # (bot, chat or 0 for all) -> moments

    @property
    def state(self) -> State:
        state: State = self.network.state
        return state

    def now(self) -> int:
        return int(self.world.clock.now().timestamp())

    def fresh_id(self) -> int:
        self.state.next_id += 1
        return self.state.next_id

    def everyone(self) -> list[BotRow | PersonRow]:
        return [*self.state.bots.values(), *self.state.people.values()]

    def bots_in(self, row: ChatRow) -> list[BotRow]:
        if row.parent is not None:
            return [bot for bot in self.state.bots.values() if self._manages(bot, row)]
        return [
            bot
            for bot in self.state.bots.values()
            if bot.id == row.id or row.members.get(bot.id) in ("creator", "administrator", "member", "restricted")
        ]

    def _manages(self, bot: BotRow, direct: ChatRow) -> bool:
        """Whether private messages to a channel are this bot's to see and to answer."""
        return self.state.chats[direct.parent or 0].may(bot.id, "can_manage_direct_messages")

    # Making.

    def add_bot(self, username: str, *, reads_all: bool = False) -> BotRow:
        number = 5_000_000_000 + self.fresh_id()
        secret = hashlib.sha256(f"{self.world.seed}:{username}".encode()).hexdigest()[:32]
        bot = BotRow(number, f"{number}:AAE{secret}", username, username.replace("_", " "), reads_all)
        self.state.bots[bot.token] = bot
        return bot

    def add_chat(self, kind: str, title: str, *, username: str = "") -> ChatRow:
        number = self.fresh_id()
        inner = -number if kind == "group" else -1_001_000_000_000 - number
        row = ChatRow(inner, kind, title, username)
        self.state.chats[row.id] = row
        if username:
            self.state.names[username.lower()] = row.id
        return row

    def person(self, name: str) -> PersonRow:
        if name not in self.state.people:
            plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in name.lower())
            self.state.people[name] = PersonRow(7_000_000_000 + self.fresh_id(), name, plain.ljust(5, "_"))
        return self.state.people[name]

    def direct(self, channel: ChatRow) -> ChatRow:
        """Where people write to a channel in private: a supergroup of which each person sees their own topic."""
        if channel.direct is None:
            row = self.add_chat("supergroup", channel.title)
            row.parent, channel.direct = channel.id, row.id
        return self.state.chats[channel.direct]

    def private(self, person: PersonRow, bot: BotRow) -> ChatRow:
        if person.id not in self.state.chats:
            row = ChatRow(person.id, "private", person.name, person.username)
            self.state.chats[person.id] = row
        row = self.state.chats[person.id]
        row.members |= {person.id: "member", bot.id: "member"}
        return row

    def migrate(self, row: ChatRow) -> ChatRow:
        """A small group becomes a supergroup: a new id, the same people; the old id only says where it went."""
        grown = self.add_chat("supergroup", row.title, username=row.username)
        grown.members, grown.lacking = dict(row.members), dict(row.lacking)
        row.migrated_to = grown.id
        return grown

    # Writing.

    def put(self, row: ChatRow, sender: Json, content: Json, *, reply_to: int | None = None) -> Json:
        """A new message in a chat; a channel post also appears in the discussion group."""
        message: Json = {"message_id": row.next_message, **sender, "chat": row.chat(), "date": self.now(), **content}
        row.next_message += 1
        if reply_to is not None and (answered := row.messages.get(reply_to)) is not None:
            message["reply_to_message"] = without_reply(answered)
            if row.type == "supergroup" and row.parent is None:
                message["message_thread_id"] = answered.get("message_thread_id", reply_to)
        row.messages[message["message_id"]] = message
        if row.type == "channel" and row.linked is not None:
            self._forward(row, message)
        return message

    def _forward(self, channel: ChatRow, post: Json) -> None:
        group = self.state.chats[channel.linked or 0]
        origin = {"type": "channel", "chat": post["chat"], "message_id": post["message_id"], "date": post["date"]}
        left_out = ("message_id", "chat", "date", "sender_chat", "reply_to_message", "message_thread_id")
        content = {name: value for name, value in post.items() if name not in left_out}
        sender = {"from": SERVICE, "sender_chat": post["chat"]}
        message = self.put(group, sender, content | {"forward_origin": origin, "is_automatic_forward": True})
        channel.forwards[post["message_id"]] = message["message_id"]
        # The copy of an album's first message opens its comments, and is what is pinned.
        before = group.messages.get(group.pinned or 0, {})
        if "media_group_id" not in post or before.get("media_group_id") != post["media_group_id"]:
            group.pinned = message["message_id"]
        self.tell_of(group, message)

    def tell_of(self, row: ChatRow, message: Json, kind: str = "message") -> None:
        """Bring a message to every bot that may see it, but not to the bot that wrote it."""
        for bot in self.bots_in(row):
            if message.get("from", {}).get("id") != bot.id and self._sees(bot, row, message):
                self.news.tell(bot, kind, message)

    def _sees(self, bot: BotRow, row: ChatRow, message: Json) -> bool:
        """Privacy mode: without it, or as administrator, everything; else answers to it, and its name."""
        if row.type in ("private", "channel") or row.parent is not None or bot.reads_all:
            return True
        if row.members.get(bot.id) in ("creator", "administrator"):
            return True
        answered = message.get("reply_to_message", {}).get("from", {}).get("id") == bot.id
        return answered or f"@{bot.username}".lower() in message.get("text", "").lower()

    def tell_reactions(self, row: ChatRow, message: int, user: Json, before: str, after: str) -> None:
        """In a channel reactions are anonymous: bots get counts. In a group they get who chose what."""
        where: Json = {"chat": row.chat(), "message_id": message, "date": self.now()}
        if row.type == "channel":
            kind, what = "message_reaction_count", where | {"reactions": row.counts(message)}
        else:
            emojis = {"old_reaction": before, "new_reaction": after}
            lists = {name: [{"type": "emoji", "emoji": emoji}] if emoji else [] for name, emoji in emojis.items()}
            kind, what = "message_reaction", where | {"user": user} | lists
        for bot in self.bots_in(row):
            if bot.id != user["id"] and row.members.get(bot.id) in ("creator", "administrator"):
                self.news.tell(bot, kind, what)

    def react(self, row: ChatRow, message: int, user: Json, emoji: str) -> None:
        """Set (or with "" take away) somebody's reaction."""
        if emoji and row.allowed_reactions is not None and emoji not in row.allowed_reactions:
            raise bad("REACTION_INVALID")
        chosen = row.reactions.setdefault(message, {})
        before = chosen.get(user["id"], "")
        if emoji:
            chosen[user["id"]] = emoji
        else:
            chosen.pop(user["id"], None)
        if before != emoji:
            self.tell_reactions(row, message, user, before, emoji)

    # What bots may do.

    def found(self, bot: BotRow, given: Any) -> ChatRow:
        """The chat that a call names, as far as this bot can know it."""
        if given is None or given == "":
            raise bad("chat_id is empty")
        row = self.state.chats.get(self._number(given))
        if row is None or not self._knows(bot, row):
            raise bad("chat not found")
        if row.migrated_to is not None:
            raise Refusal(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=row.migrated_to,
            )
        if row.members.get(bot.id) == "kicked":
            raise Refusal(403, f"Forbidden: bot was kicked from the {_sort(row)} chat")
        return row

    def _knows(self, bot: BotRow, row: ChatRow) -> bool:
        if row.parent is not None:
            return bot.id in self.state.chats[row.parent].members
        return bool(row.username) or bot.id in row.members or row.id == bot.id

    def _number(self, given: Any) -> int:
        text = str(given)
        if text.startswith("@"):
            return self.state.names.get(text[1:].lower(), 0)
        try:
            return int(text)
        except ValueError:
            return 0

    def writable(self, bot: BotRow, given: Any, what: str = "text messages") -> ChatRow:
        """The chat, when the bot may write there at this moment."""
        row = self.found(bot, given)
        if row.parent is not None:
            if not self._manages(bot, row):
                raise bad(f"not enough rights to send {what} to the chat")
            return row
        status = row.members.get(bot.id, "left")
        if status == "left" and row.type != "private":
            raise Refusal(403, f"Forbidden: bot is not a member of the {_sort(row)} chat")
        if row.type == "channel" and not row.may(bot.id, "can_post_messages"):
            raise bad("need administrator rights in the channel chat")
        if row.type in ("group", "supergroup") and status in ("member", "restricted") and not row.may_send:
            raise bad(f"not enough rights to send {what} to the chat")
        if self.floods:
            self._count(bot, row)
        return row

    def _count(self, bot: BotRow, row: ChatRow) -> None:
        """30 a second for a bot, 1 a second for a chat with a short burst, 20 a minute for a group."""
        now = self.world.clock.now().timestamp()
        everywhere = self._recent((bot.id, 0), now, 1.0)
        here = self._recent((bot.id, row.id), now, 60.0)
        burst = [moment for moment in here if now - moment < BURST]
        wait = 0.0
        if len(everywhere) >= PER_SECOND:
            wait = 1.0
        if len(burst) >= BURST:
            wait = max(wait, BURST - (now - burst[0]))
        if row.type in ("group", "supergroup") and len(here) >= PER_GROUP_MINUTE:
            wait = max(wait, 60.0 - (now - here[0]))
        if wait > 0:
            seconds = max(1, int(wait + 0.999))
            raise Refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
        everywhere.append(now)
        here.append(now)

    def _recent(self, key: tuple[int, int], now: float, span: float) -> list[float]:
        kept = [moment for moment in self._sent_at.get(key, ()) if now - moment < span]
        self._sent_at[key] = kept
        return kept

    def account_of(self, row: ChatRow) -> str:
        """Whose post it is: in a discussion group and in private messages, the channel's."""
        if row.parent is not None:
            return str(row.parent)
        if row.type != "channel" and row.linked is not None:
            return str(row.linked)
        return str(row.id)

    def sent(self, bot: BotRow, row: ChatRow, content: Json, *, reply_to: int | None, media: int = 0) -> Json:
        """A bot's message, written down in the ledger."""
        message = self.write_as(bot, row, content, reply_to)
        self.record(row, message, kind="post" if reply_to is None else "reply", media=media)
        return message

    def write_as(self, bot: BotRow, row: ChatRow, content: Json, reply_to: int | None) -> Json:
        sender = {"sender_chat": row.chat()} if row.type == "channel" else {"from": bot.user()}
        message = self.put(row, sender, content, reply_to=reply_to)
        self.tell_of(row, message, "channel_post" if row.type == "channel" else "message")
        return message

    def record(self, row: ChatRow, message: Json, *, kind: str, media: int = 0) -> None:
        remote_id = f"{row.id}:{message['message_id']}"
        if kind in ("post", "reply"):
            self.state.published.append(remote_id)
        self.world.ledger.accepted(
            network=SLUG,
            account=self.account_of(row),
            remote_id=remote_id,
            text=words(message),
            kind=kind,
            media=media,
        )

    def text_of(self, text: str, name: str = "text", entities_name: str = "entities") -> Json:
        kept = self.faults.rewritten(text)
        found = entities(kept)
        return {name: kept} | ({entities_name: found} if found else {})


def words(message: Json) -> str:
    """What a message says: its text, its caption, or its poll's question."""
    said = message.get("text") or message.get("caption") or message.get("poll", {}).get("question", "")
    return str(said)


def _sort(row: ChatRow) -> str:
    return row.type
