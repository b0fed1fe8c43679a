"""One bot's line to the Bot API: a call, its answer, and what each refusal means for the caller.

Source: https://core.telegram.org/bots/api#making-requests, Bot API 10.1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NoReturn, TypeVar

import aiohttp
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from regie.networks.errors import Gone, NetworkError, Refused, SignInAgain, TryLater, Unclear
from regie.networks.line import Answer, read, write

NAME = "Telegram"
TOKEN = re.compile(r"\d{3,20}:[A-Za-z0-9_-]{30,64}")

UPLOAD_TIME = aiohttp.ClientTimeout(total=900, sock_connect=10, sock_read=120)

_T = TypeVar("_T")
Form = Callable[[], aiohttp.FormData]


class Parameters(BaseModel):
    migrate_to_chat_id: int | None = None
    retry_after: int | None = None


class Reply(BaseModel):
    """The envelope of every answer."""

    ok: bool
    result: Any = None
    description: str = ""
    error_code: int = 0
    parameters: Parameters = Field(default_factory=Parameters)


class Bot:
    """Speaks for one bot. Every address holds the token, so what is kept and logged is an address without it."""

    def __init__(self, http: aiohttp.ClientSession, *, server: str, token: str) -> None:
        if not TOKEN.fullmatch(token):
            raise SignInAgain(
                "This is not a bot token: @BotFather gives one that looks like 123456789:AAE… — copy all of it."
            )
        self.http, self.server, self._token = http, server.rstrip("/"), token

    def __repr__(self) -> str:
        return f"Bot({self.server!r}, {self.id})"

    @property
    def id(self) -> str:
        """The bot's user id: the part of the token that is no secret."""
        return self._token.partition(":")[0]

    async def ask(
        self, kind: type[_T], method: str, fields: Mapping[str, Any] | None = None, *, seconds: float | None = None
    ) -> _T:
        """A question, or a change that is the same when made twice: lost on the way is TryLater.

        seconds: how long the answer may take, where that is longer than the session's own limit
        """
        limit = {} if seconds is None else {"timeout": aiohttp.ClientTimeout(total=seconds)}
        answer = await read(
            self.http, "POST", self._url(method), network=NAME, **self._request(method, fields), **limit
        )
        return _result(kind, answer, unreadable=Refused)

    async def tell(
        self, kind: type[_T], method: str, fields: Mapping[str, Any], files: Form | None = None
    ) -> tuple[_T, Answer]:
        """Something people will see, once: lost on the way is Unclear. ``files``: a form instead of JSON."""
        request = self._request(method, fields)
        if files is not None:
            del request["json"]
            request |= {"data": _with_fields(files(), fields), "timeout": UPLOAD_TIME}
        answer = await write(self.http, "POST", self._url(method), network=NAME, repeatable=False, **request)
        return _result(kind, answer, unreadable=Unclear), answer

    def _url(self, method: str) -> str:
        return f"{self.server}/bot{self._token}/{method}"

    def _request(self, method: str, fields: Mapping[str, Any] | None) -> dict[str, Any]:
        return {"json": dict(fields or {}), "shown_url": f"{self.server}/bot***/{method}"}


def _with_fields(form: aiohttp.FormData, fields: Mapping[str, Any]) -> aiohttp.FormData:
    for name, value in fields.items():
        form.add_field(name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return form


def _result(kind: type[_T], answer: Answer, *, unreadable: type[NetworkError]) -> _T:
    """The answer's result as ``kind``, or the error that its refusal means."""
    if 300 <= answer.status < 400:
        raise Refused("This address sends us elsewhere: it is not a Telegram Bot API server.", answer=answer)
    try:
        reply = Reply.model_validate_json(answer.body)
    except ValidationError:
        _not_telegram(answer, unreadable)
    if not reply.ok:
        refuse(reply, answer)
    try:
        return TypeAdapter(kind).validate_python(reply.result)
    except ValidationError:
        _not_telegram(answer, unreadable)


def _not_telegram(answer: Answer, unreadable: type[NetworkError]) -> NoReturn:
    if answer.status == 413:
        raise Refused("The files are larger than Telegram takes.", answer=answer) from None
    if (200 <= answer.status < 300 or answer.status == 408) and unreadable is Unclear:
        raise Unclear("Telegram answered something we cannot read, and may have taken it.", answer=answer) from None
    raise Refused(
        "This address answers something that is not Telegram's Bot API ({status}).", answer=answer, status=answer.status
    ) from None


# What to do about a refusal, found by a piece of its description: Telegram gives no finer codes than 400 and 403.
_SIGN_IN = {
    "chat not found": "Telegram cannot find this channel or group for the bot: it was deleted, or the bot was removed "
    "from it. Add the bot as an administrator again, then connect the account again.",
    "bot was kicked": "The bot was removed from this channel or group. Add it as an administrator again, then connect "
    "the account again.",
    "bot is not a member": "The bot is not in this channel or group. Add it as an administrator, then connect the "
    "account again.",
    "bot was blocked": "This person blocked the bot. Nothing can be sent until they unblock it.",
    "need administrator rights": "The bot may not post here. Make it an administrator who may post messages, then "
    "connect the account again.",
    "not enough rights to send": "The bot may not post this here. Give it the right to post messages, photos and "
    "polls, then connect the account again.",
    "have no rights to send": "The bot may not post here. Give it the right to send messages, then connect the account "
    "again.",
    "chat_write_forbidden": "The bot may not post here. Make it an administrator who may post messages, then connect "
    "the account again.",
}
_GONE = (
    "message to edit not found",
    "message to delete not found",
    "message to be replied not found",
    "message to reply not found",
    "message to react not found",
    "message not found",
    "message_id_invalid",
)
_REFUSED = {
    "message is too long": "The text is longer than Telegram takes.",
    "message caption is too long": "The text is longer than Telegram takes beside a picture.",
    "message text is empty": "Telegram wants a text here.",
    "message can't be deleted": "Telegram no longer lets the bot delete this message: after 48 hours it may not.",
    "message can't be edited": "Telegram does not let the bot edit this message.",
    "reaction_invalid": "This channel or group does not allow that reaction.",
    "is too big for a": "The file is larger than Telegram takes.",
    "photo_invalid_dimensions": "Telegram does not take a picture of this shape: width and height together may be "
    "10,000 pixels at most, and one side at most 20 times the other.",
    "can't use getupdates method while webhook is active": "This bot already brings its messages to another program's "
    "address. Use a bot of its own here, or remove that webhook.",
    "bots can't send messages to bots": "Telegram does not let a bot write to a bot.",
}


def refuse(reply: Reply, answer: Answer) -> NoReturn:
    """Raise what a refusal means. ``Bad Request: `` and the like are left out of what a person reads."""
    code, said = reply.error_code or answer.status, reply.description
    low = said.lower()
    if code == 401 or (code == 404 and low == "not found"):
        raise SignInAgain(
            "Telegram does not know this bot token any more. Take the current one from @BotFather and connect the "
            "account again.",
            answer=answer,
        )
    if code == 429:
        raise TryLater("Telegram asked us to slow down.", not_before=_after(reply, answer), answer=answer)
    if reply.parameters.migrate_to_chat_id is not None:
        raise SignInAgain(
            "This group became a supergroup, and its id is now {new_chat_id}. Connect it again under that id.",
            answer=answer,
            new_chat_id=str(reply.parameters.migrate_to_chat_id),
        )
    for piece, sentence in _SIGN_IN.items():
        if piece in low:
            raise SignInAgain(sentence, answer=answer)
    if any(piece in low for piece in _GONE):
        raise Gone("That message is no longer on Telegram.", answer=answer)
    for piece, sentence in _REFUSED.items():
        if piece in low:
            raise Refused(sentence, answer=answer)
    if code == 409:
        raise TryLater("Another program reads this bot's messages at the same time.", answer=answer)
    raise Refused("Telegram said: {detail}", answer=answer, detail=said.partition(": ")[2] or said)


def _after(reply: Reply, answer: Answer) -> datetime:
    """When to come back: the vendor's seconds counted from its own Date header, or from now when it has none."""
    seconds = reply.parameters.retry_after
    if seconds is None:
        given = answer.headers.get("retry-after", "")
        seconds = int(given) if given.isdecimal() else 1
    # The header has whole seconds: one more, so that we are never early.
    return answer.now + timedelta(seconds=seconds + 1)


def migrated_to(error: NetworkError) -> str:
    """The new chat id of a group that became a supergroup, from the error that said so; "" for any other error."""
    return str(error.facts.get("new_chat_id", ""))
