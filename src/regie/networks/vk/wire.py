"""One community's line to VK's API, and what its errors mean. Source: errors.json of the schema, and NOTES.md.

VK answers 200 to everything it understood; whether it said yes is in the body. Two keys speak for a community: its own,
and that of a person who administers it. Many methods take only one of them.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from pydantic import BaseModel, ConfigDict, ValidationError

from regie.networks.data import Login
from regie.networks.errors import Gone, NetworkError, Refused, SignInAgain, TryLater, Unclear
from regie.networks.line import Answer, Reader, read, write

NETWORK = "VK"
VERSION = "5.199"
DEFAULT_SERVER = "https://api.vk.ru"
TOO_MANY_A_SECOND, FLOOD, THEIR_TROUBLE, CAPTCHA = 6, 9, frozenset((1, 10)), 14
DEAD_KEY = frozenset((5, 17, 1117))
STORY_EXPIRED = 1600
GONE = frozenset((18, 104, STORY_EXPIRED))
NO_RIGHT = frozenset((7, 15, 203, 210, 211, 212, 213, 214))
WAIT = {FLOOD: timedelta(minutes=5), 29: timedelta(hours=1), 219: timedelta(hours=1), 224: timedelta(hours=12)}
NEEDS_ADMIN, VK_ID = 27, 1051
UPLOAD_TIME = aiohttp.ClientTimeout(total=3600, sock_connect=10, sock_read=300)
BREATH, MOST_BREATHS = 0.4, 5  # seconds; three requests a second are allowed a person, twenty a community


class Entity(BaseModel):
    """What comes from VK, as far as we read it."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Said(Entity):
    """The vendor's error."""

    error_code: int
    error_msg: str = ""


class _Trouble(Entity):
    error: Said


def error_in(answer: Answer) -> Said | None:
    try:
        return _Trouble.model_validate_json(answer.body).error
    except ValidationError:
        return None


def clock(answer: Answer | None) -> datetime:
    return (answer.date if answer is not None else None) or datetime.now(UTC)


def must_be_fine(answer: Answer, *, addressed: bool = False) -> None:
    """Raise what an answer means. ``addressed``: the call names one object, so "not there" is that object's."""
    said = error_in(answer)
    if said is None:
        if not 200 <= answer.status < 300:
            raise not_api(answer)
        return
    raise _meant(said, answer, addressed=addressed)


def _meant(said: Said, answer: Answer, *, addressed: bool) -> NetworkError:
    facts: dict[str, Any] = {"network": NETWORK, "answer": _without_params(answer, said)}
    code, reason = said.error_code, said.error_msg or f"error {said.error_code}"
    if code in DEAD_KEY:
        return SignInAgain("{network} asks you to connect this account again.", **facts)
    if code == VK_ID:
        return SignInAgain("This key comes from VK ID, which {network} lets publish nothing: use another.", **facts)
    if code == TOO_MANY_A_SECOND:
        soon = clock(answer) + timedelta(seconds=1)
        return TryLater("{network} asked us to slow down.", not_before=soon, **facts)
    if code in WAIT:
        return TryLater("{network} asked us to slow down.", not_before=clock(answer) + WAIT[code], **facts)
    if code in THEIR_TROUBLE:
        return TryLater("{network} has trouble at the moment.", **facts)
    if code == CAPTCHA:
        return Refused("{network} wants to see a person: publish once by hand there, then send it again.", **facts)
    if code == NEEDS_ADMIN:
        return Refused("{network} allows this with the key of an administrator only: add one to the account.", **facts)
    if code in GONE and addressed:
        return Gone("{network} no longer has it.", **facts)
    if code in NO_RIGHT:
        return Refused("{network} says that a permission is missing: {reason}", reason=reason, **facts)
    return Refused("{network} said: {reason}", reason=reason, **facts)


def _without_params(answer: Answer, said: Said) -> Answer:
    """VK repeats what it was asked beside an error: that is not for keeping."""
    return replace(answer, body=json.dumps({"error": said.model_dump()}).encode())


answers = Reader(NETWORK)
not_api, parsed, written = answers.not_its_api, answers.parsed, answers.written


def guid_of(key: str) -> str:
    """Our key, as VK takes it: the same post with the same one is not published twice."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def random_id_of(key: str) -> int:
    """The same for messages: a positive number of 31 bits."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") >> 1 or 1


def form_of(fields: Mapping[str, Any]) -> dict[str, str]:
    """Yes and no are 1 and 0, lists have commas; what is None is left out."""
    return {name: _as_text(value) for name, value in fields.items() if value is not None}


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


class Wire:
    """``group``: the community's number; ``owner`` the same as the owner of its posts, which is negative."""

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self.http, self.login = http, login
        self.group = login.remote_id
        self.owner = f"-{login.remote_id}"
        self._community = login.credentials.get("community_key", "")
        self._admin = login.credentials.get("admin_key", "")

    @property
    def has_admin(self) -> bool:
        return bool(self._admin)

    def _asked(self, fields: Mapping[str, Any], *, community: bool) -> dict[str, str]:
        token = self._community if community or not self._admin else self._admin
        return {**form_of(fields), "access_token": token, "v": VERSION}

    def _url(self, method: str) -> str:
        return f"{self.login.server.rstrip('/')}/method/{method}"

    async def ask(self, method: str, *, community: bool = False, addressed: bool = False, **fields: Any) -> Answer:
        """A question, or what nobody sees and may be done twice.

        community: with the community's own key; otherwise the administrator's, when there is one
        """
        for breath in range(MOST_BREATHS + 1):
            answer = await read(
                self.http,
                "POST",
                self._url(method),
                network=NETWORK,
                data=self._asked(fields, community=community),
            )
            said = error_in(answer)
            if said is None or said.error_code != TOO_MANY_A_SECOND or breath == MOST_BREATHS:
                break
            await asyncio.sleep(BREATH)
        must_be_fine(answer, addressed=addressed)
        return answer

    async def publish(self, method: str, *, community: bool = False, addressed: bool = False, **fields: Any) -> Answer:
        """The visible call. VK's "unknown error" and "internal error" may have been done: unclear, like silence."""
        answer = await write(
            self.http,
            "POST",
            self._url(method),
            network=NETWORK,
            repeatable=False,
            data=self._asked(fields, community=community),
        )
        said = error_in(answer)
        if said is not None and said.error_code in THEIR_TROUBLE:
            raise Unclear("{network} had trouble, and may have taken it.", network=NETWORK, answer=answer)
        must_be_fine(answer, addressed=addressed)
        return answer

    async def listen(self, server: str, *, key: str, ts: str, seconds: int) -> Answer:
        """Holds the line until there is news. The key stands in the address, which is not kept."""
        params = {"act": "a_check", "key": key, "ts": ts, "wait": str(seconds)}
        time = aiohttp.ClientTimeout(total=seconds + 20, sock_connect=10)
        answer = await read(self.http, "GET", server, network=NETWORK, params=params, timeout=time)
        must_be_fine(answer)
        return answer

    async def upload(self, url: str, form: aiohttp.FormData) -> Answer:
        """A file to the server that VK named: its address holds a signature, and is not kept."""
        shown = url.split("?", 1)[0]
        answer = await read(self.http, "POST", url, network=NETWORK, data=form, timeout=UPLOAD_TIME, shown_url=shown)
        if not 200 <= answer.status < 300:
            raise TryLater(
                "{network} did not take the file ({status}).", network=NETWORK, status=answer.status, answer=answer
            )
        return answer
