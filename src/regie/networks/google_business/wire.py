"""One location's line to Google: addresses, errors. Sources: NOTES.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
from pydantic import Field, ValidationError

from regie.networks.data import Login
from regie.networks.errors import Refused, SignInAgain
from regie.networks.google import HOSTS, Answers, Entity, Line, Said
from regie.networks.line import Answer, read, write

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


class BusinessAnswers(Answers):
    def special(self, answer: Answer, said: Said) -> None:
        """A Google account's end, and a project that Google has not let in: it has a quota of nothing."""
        facts: dict[str, Any] = {"network": self.network, "answer": answer}
        if said.reasons & DEAD:
            raise SignInAgain("{network} says that this Google account is closed: {reason}", reason=said.words, **facts)
        if any(one.metadata.get("quota_limit_value") == "0" for one in _details(answer)):
            raise Refused(
                "Google has not let your project use the APIs of {network} yet: ask it for access, see Networks.",
                **facts,
            )

    def words(self, answer: Answer, said: Said) -> str:
        """Of version 4's errors only the details say what is wrong."""
        wrong = [one.message for detail in _details(answer) for one in detail.wrong if one.message]
        return "; ".join(wrong) or said.words


answers = BusinessAnswers(NETWORK)
must_be_fine, not_the_api = answers.must_be_fine, answers.not_its_api
parsed, written = answers.parsed, answers.written


class Wire(Line):
    """``place``: the resource name of the account's location, ``accounts/{a}/locations/{l}``."""

    answers = answers

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        super().__init__(http, login)
        self.place = login.remote_id

    @property
    def location(self) -> str:
        """As the newer APIs name it: ``locations/{l}``, whoever manages it."""
        return "locations/" + self.place.rpartition("/")[2]

    def url(self, path: str, role: str = "") -> str:
        """``role``: of ``BESIDE``; "": posts and reviews, still served by version 4 alone."""
        return f"{host_beside(self.server, role)}/v1/{path}" if role else f"{self.server}/v4/{path}"

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
