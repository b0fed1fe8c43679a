"""The Bot API on the wire, and the people on the other side of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar

from aiohttp import web

from regie_sandbox.frame import Network, World
from regie_sandbox.telegram.chats import Chats, words
from regie_sandbox.telegram.methods import Methods
from regie_sandbox.telegram.state import BotRow, ChatRow, Json, State
from regie_sandbox.telegram.updates import News
from regie_sandbox.telegram.wire import Params, Refusal, answered, refused

LARGEST_REQUEST = 60 * 1024 * 1024
SAID = {
    400: "Bad Request: fault",
    401: "Unauthorized",
    403: "Forbidden: bot was kicked from the channel chat",
    404: "Not Found",
    409: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    429: "Too Many Requests: retry after 5",
    500: "Internal Server Error",
    502: "Bad Gateway",
}


class Telegram(Network):
    """``chats.floods = True`` keeps the vendor's limits on how often a bot may write; ``news.deliver_twice``
    brings each webhook delivery a second time."""

    slug: ClassVar[str] = "telegram"

    def __init__(self, world: World) -> None:
        self.state: State = State()
        super().__init__(world)
        self.news = News(lambda: int(world.clock.now().timestamp()))
        self.chats = Chats(self, self.news)
        self.methods = Methods(self.chats)

    def vendor_error(self, status: int) -> tuple[Mapping[str, str], Any]:
        parameters = {"retry_after": 5} if status == 429 else {}
        refusal = Refusal(status, SAID.get(status, f"Error {status}"), **parameters)
        return refusal.headers(), refusal.body()

    # The wire.

    def app(self) -> web.Application:
        app = web.Application(client_max_size=LARGEST_REQUEST)
        app.add_routes(
            [
                web.route("*", "/bot{token}/{method}", self.call),
                web.get("/file/bot{token}/photos/{name}", self.file),
            ]
        )
        app.cleanup_ctx.append(self._while_served)
        return app

    async def _while_served(self, _: web.Application) -> AsyncIterator[None]:
        await self.news.start(list(self.state.bots.values()))
        yield
        await self.news.stop()

    async def call(self, request: web.Request) -> web.Response:
        try:
            bot = self._bot(request.match_info["token"])
            return answered(await self._result(bot, request.match_info["method"].lower(), await Params.of(request)))
        except Refusal as refusal:
            return refused(refusal)

    def _bot(self, token: str) -> BotRow:
        if (bot := self.state.bots.get(token)) is not None:
            return bot
        number, _, secret = token.partition(":")
        raise Refusal(401, "Unauthorized") if number.isdecimal() and len(secret) >= 30 else Refusal(404, "Not Found")

    async def _result(self, bot: BotRow, method: str, params: Params) -> Any:
        match method:
            case "getupdates":
                return await self.news.get(bot, params)
            case "setwebhook":
                return self.news.set_webhook(bot, params)
            case "deletewebhook":
                return self.news.set_webhook(bot, Params(dict(params.values) | {"url": ""}, {}))
            case "getwebhookinfo":
                return self.news.webhook_info(bot)
        if (known := self.methods.by_name.get(method)) is None:
            raise Refusal(404, "Not Found")
        return known(bot, params)

    async def file(self, request: web.Request) -> web.Response:
        self._bot(request.match_info["token"])
        content = self.world.files.get(f"telegram-{request.match_info['name'].removesuffix('.jpg')}")
        return web.Response(status=404) if content is None else web.Response(body=content, content_type="image/jpeg")

    # Accounts.

    def ready_account(self, name: str = "regie") -> dict[str, Any]:
        """A bot that administers a public channel ``@name`` with a discussion group; ``limits`` as the connector
        would find them."""
        if name not in self.state.ready:
            bot = self.chats.add_bot(f"{_username(name)}_bot")
            self.add_channel(bot.token, name)
            self.state.ready[name] = bot.token
        bot = self.state.bots[self.state.ready[name]]
        channel = self.state.chats[self.state.channels[name]]
        return {
            "server": self.base,
            "remote_id": str(channel.id),
            "handle": f"@{channel.username}",
            "credentials": {"token": bot.token, "chat_id": str(channel.id)},
            "discussion_id": str(channel.linked),
            "bot_username": bot.username,
        }

    def add_channel(self, token: str, name: str, *, discussion: bool = True, public: bool = True) -> ChatRow:
        """One more channel that a bot administers."""
        chats, bot = self.chats, self.state.bots[token]
        channel = chats.add_chat("channel", name, username=_username(name) if public else "")
        channel.members[bot.id] = "administrator"
        self.state.channels[name] = channel.id
        if discussion:
            group = chats.add_chat("supergroup", f"{name} chat")
            group.members[bot.id] = "administrator"
            channel.linked, group.linked = group.id, channel.id
        return channel

    def add_group(self, token: str, name: str, *, kind: str = "supergroup", status: str = "member") -> ChatRow:
        """A group with a bot in it. ``kind`` "group": a small one, that can ``migrate``."""
        group = self.chats.add_chat(kind, name)
        group.members[self.state.bots[token].id] = status
        return group

    # The people.

    def say(self, *, by: str, text: str, to: str | None = None, kind: str = "reply") -> str:
        """Under a channel post: a comment in its discussion group. Else in the group, or in private to the channel."""
        person = self.chats.person(by)
        row, answered = self._where(to, kind)
        if kind == "mention":
            text = self._naming(row, text)
        content = self.chats.text_of(text)
        if row.parent is None:
            row.members.setdefault(person.id, "member")
        else:
            topic = row.topics.setdefault(person.id, {"topic_id": person.id, "user": person.user()})
            content["direct_messages_topic"] = topic
        message = self.chats.put(row, {"from": person.user()}, content, reply_to=answered)
        self.chats.tell_of(row, message)
        return f"{row.id}:{message['message_id']}"

    def say_to_bot(self, *, by: str, text: str) -> None:
        """In private to the ready account's bot, which is no channel."""
        bot, person = self.state.bots[self.ready_account()["credentials"]["token"]], self.chats.person(by)
        row = self.chats.private(person, bot)
        self.chats.tell_of(row, self.chats.put(row, {"from": person.user()}, self.chats.text_of(text)))

    def _where(self, to: str | None, kind: str) -> tuple[ChatRow, int | None]:
        chat_id, message_id = _parts(to)
        row = self.state.chats[chat_id or int(self.ready_account()["remote_id"])]
        if kind == "direct":
            if row.type != "channel":
                raise LookupError("only channels take private messages")
            return self.chats.direct(row), None
        if row.type == "channel":
            if row.linked is None:
                raise LookupError("this channel has no discussion group")
            group = self.state.chats[row.linked]
            return group, None if message_id is None else row.forwards[message_id]
        return row, message_id

    def _naming(self, row: ChatRow, text: str) -> str:
        names = [f"@{bot.username}" for bot in self.chats.bots_in(row)]
        return text if any(name.lower() in text.lower() for name in names) else f"{names[0]} {text}"

    def like(self, *, by: str, post_id: str) -> None:
        chat_id, message_id = _parts(post_id)
        row, person = self.state.chats[chat_id], self.chats.person(by)
        self.chats.react(row, message_id or 0, person.user(), "👍")

    def follow(self, *, by: str, account: str) -> None:
        self.state.chats[_parts(account)[0]].members[self.chats.person(by).id] = "member"

    def unfollow(self, *, by: str, account: str) -> bool:
        members = self.state.chats[_parts(account)[0]].members
        return members.pop(self.chats.person(by).id, None) is not None

    def vote(self, *, by: str, post_id: str, option: int) -> None:
        """Somebody votes in a poll; the bot that made it hears the new state."""
        chat_id, message_id = _parts(post_id)
        row, person = self.state.chats[chat_id], self.chats.person(by)
        poll = row.messages[message_id or 0]["poll"]
        votes = self.state.votes.setdefault(poll["id"], {})
        chosen = votes.setdefault(person.id, [])
        if option not in chosen:
            chosen[:] = [*chosen, option] if poll["allows_multiple_answers"] else [option]
        counts = [sum(place in picked for picked in votes.values()) for place in range(len(poll["options"]))]
        options = [each | {"voter_count": count} for each, count in zip(poll["options"], counts, strict=True)]
        poll |= {"options": options, "total_voter_count": len(votes)}
        for bot in self.chats.bots_in(row):
            self.news.tell(bot, "poll", {key: value for key, value in poll.items() if key != "description"})

    def texts(self, account: str | None = None) -> list[str]:
        return [words(message) for message in self._published(account)]

    def posts(self, account: str | None = None) -> list[str]:
        return [f"{message['chat']['id']}:{message['message_id']}" for message in self._published(account)]

    def _published(self, account: str | None) -> list[Json]:
        """What bots wrote for an account that is still there, oldest first; an album once."""
        wanted = str(self._account(account))
        found = []
        for remote_id in self.state.published:
            chat_id, message_id = _parts(remote_id)
            row = self.state.chats[chat_id]
            message = row.messages.get(message_id or 0)
            if message is not None and self.chats.account_of(row) == wanted:
                found.append(message)
        return found

    def _account(self, account: str | None) -> int:
        """By chat id, by the name it was made under, or by @handle; None: the ready one."""
        if account is None:
            return int(self.ready_account()["remote_id"])
        if account in self.state.channels:
            return self.state.channels[account]
        return self.state.names.get(account.removeprefix("@").lower(), 0) or int(account)


def _parts(remote_id: str | None) -> tuple[int, int | None]:
    """Chat and message of ``chat:message``, or a chat alone; 0 for None."""
    chat_id, _, message_id = (remote_id or "0").partition(":")
    return int(chat_id), int(message_id) if message_id else None


def _username(name: str) -> str:
    """As Telegram takes them: letters of ASCII, digits and _, at least five."""
    return re.sub(r"[^A-Za-z0-9_]+", "_", name).ljust(5, "_")
