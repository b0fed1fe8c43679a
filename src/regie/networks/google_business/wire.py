"""One location's line to Google: addresses, errors. Sources: NOTES.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import aiohttp
from pydantic import Field, ValidationError

from regie.networks.data import Login
from regie.networks.errors import Gone, NetworkError, Refused, SignInAgain, TokenExpired, TryLater
from regie.networks.google import (
    HOSTS,
    NO_PERMISSION,
    NOT_SWITCHED_ON,
    RAN_OUT,
    SLOW_DOWN,
    Entity,
    Said,
    error_in,
    not_before,
)
from regie.networks.line import Answer, Reader, read, write

NETWORK = "Google Business Profile"
API = "https://mybusiness.googleapis.com"
BESIDE = {  # Google's other hosts
    **HOSTS,
    "accounts": "https://mybusinessaccountmanagement.googleapis.com",
    "information": "https://mybusinessbusinessinformation.googleapis.com",
    "performance": "https://businessprofileperformance.googleapis.com",
}
DEAD = frozenset(("ACCOUNT_STATE_INVALID",))
Query = Mapping[str, str] | Sequence[tuple[str, str]]


def host_beside(server: str, role: str) -> str:
    """Google's host for a role beside posts and reviews; a stand-in serves all by itself."""
    server = server.rstrip("/")
    return BESIDE[role] if server == API else server


class _Wrong(Entity):
    message: str = ""


class _Detail(Entity):
    """What version 4 finds wrong (ValidationError), or which quota is used up (ErrorInfo)."""

    wrong: tuple[_Wrong, ...] = Field(default=(), alias="errorDetails")
    metadata: dict[str, str] = {}


class _Told(Entity):
    details: tuple[_Detail, ...] = ()


class _Body(Entity):
    error: _Told


def _details(answer: Answer) -> tuple[_Detail, ...]:
    try:
        return _Body.model_validate_json(answer.body).error.details
    except ValidationError:
        return ()


def _words(answer: Answer, said: Said) -> str:
    """Of version 4's errors only the details say what is wrong."""
    wrong = [one.message for detail in _details(answer) for one in detail.wrong if one.message]
    return "; ".join(wrong) or said.words


def must_be_fine(answer: Answer, *, addressed: bool = False, vital: bool = False, renewable: bool = False) -> None:
    """Raise what an answer means.

    addressed: the request names one object, so "not there" is that object's
    vital:     without the permission for this, the account is of no use: connect it again
    renewable: there is a refresh token, so a token that is not taken is traded first
    """
    if 200 <= answer.status < 300:
        return
    said = error_in(answer)
    if said is None:
        if 300 <= answer.status < 400 or answer.body.lstrip()[:1] == b"<":
            raise not_the_api(answer)
        said = Said(code=answer.status)
    facts: dict[str, Any] = {"network": NETWORK, "answer": answer}
    _must_be_allowed(answer, said, vital=vital, renewable=renewable)
    if answer.status == 404 and addressed:
        raise Gone("{network} no longer has it.", **facts)
    if answer.status >= 500 or said.status in ("ABORTED", "UNAVAILABLE"):
        raise TryLater("{network} has trouble at the moment.", **facts)
    raise Refused("{network} said: {reason}", reason=_words(answer, said), **facts)


def _must_be_allowed(answer: Answer, said: Said, *, vital: bool, renewable: bool) -> None:
    """Tokens, permissions, quotas."""
    reasons = said.reasons
    facts: dict[str, Any] = {"network": NETWORK, "answer": answer}
    if reasons & DEAD:
        raise SignInAgain("{network} says that this Google account is closed: {reason}", reason=said.words, **facts)
    if answer.status == 401 and renewable and (not reasons or reasons & RAN_OUT):
        raise TokenExpired("The access to {network} ran out.", **facts)
    if answer.status == 401:
        raise SignInAgain("{network} asks you to connect this account again.", **facts)
    if any(one.metadata.get("quota_limit_value") == "0" for one in _details(answer)):
        raise Refused(
            "Google has not let your project use the APIs of {network} yet: ask it for access, see Networks.", **facts
        )
    if answer.status == 429 or reasons & SLOW_DOWN:
        raise TryLater("{network} asked us to slow down.", not_before=not_before(answer), **facts)
    if reasons & NOT_SWITCHED_ON:
        raise Refused(
            "An API of {network} is not switched on in your app at Google: {reason}", reason=said.words, **facts
        )
    if reasons & NO_PERMISSION:
        kind: type[NetworkError] = SignInAgain if vital else Refused
        raise kind("{network} says that a permission is missing: {reason}", reason=said.words, **facts)


answers = Reader(NETWORK)
not_the_api, parsed, written = answers.not_its_api, answers.parsed, answers.written


class Wire:
    """``place``: the resource name of the account's location, ``accounts/{a}/locations/{l}``."""

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self.http, self.login = http, login
        self.server = login.server.rstrip("/")
        self.place = login.remote_id
        self.now = datetime.now(UTC)  # by Google's clock, since its last answer
        self._renewable = bool(login.credentials.get("refresh_token"))

    @property
    def location(self) -> str:
        """As the newer APIs name it: ``locations/{l}``, whoever manages it."""
        return "locations/" + self.place.rpartition("/")[2]

    def url(self, path: str, role: str = "") -> str:
        """``role``: of ``BESIDE``; "": posts and reviews, still served by version 4 alone."""
        return f"{host_beside(self.server, role)}/v1/{path}" if role else f"{self.server}/v4/{path}"

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.login.credentials.get('access_token', '')}"}

    def fine(self, answer: Answer, *, addressed: bool = False, vital: bool = False) -> Answer:
        self.now = answer.now
        must_be_fine(answer, addressed=addressed, vital=vital, renewable=self._renewable)
        return answer

    async def get(
        self, path: str, params: Query = (), *, role: str = "", addressed: bool = False, vital: bool = False
    ) -> Answer:
        """A question. ``params``: pairs, where a name comes several times."""
        url = self.url(path, role)
        answer = await read(self.http, "GET", url, network=NETWORK, params=params, headers=self._headers())
        return self.fine(answer, addressed=addressed, vital=vital)

    async def do(self, method: str, path: str, params: Query = (), body: Mapping[str, Any] | None = None) -> Answer:
        """A change of one object that may be asked for twice: every failure on the way is TryLater."""
        more: dict[str, Any] = {"json": dict(body)} if body is not None else {}
        url = self.url(path)
        answer = await read(self.http, method, url, network=NETWORK, params=params, headers=self._headers(), **more)
        return self.fine(answer, addressed=True, vital=True)

    async def publish(self, path: str, body: Mapping[str, Any]) -> Answer:
        """The visible call."""
        answer = await write(
            self.http,
            "POST",
            self.url(path),
            network=NETWORK,
            repeatable=False,
            headers=self._headers(),
            json=dict(body),
        )
        return self.fine(answer, vital=True)
