"""One request to X, and what its status means. Source: x-api/fundamentals/response-codes-and-errors of docs.x.com.

Every host of X's can be stood in for by one server: an address that is not X's own serves all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from pydantic import ValidationError

from regie.networks.data import Login
from regie.networks.errors import Gone, Refused, SignInAgain, TokenExpired, TryLater, Unclear
from regie.networks.line import Answer, Reader, read, write
from regie.networks.x.entities import Problem

NETWORK = "X"
API, SITE = "https://api.x.com", "https://x.com"
FRESH_FOR = timedelta(minutes=1)  # a token younger than this that is refused is dead, not old
UPLOAD_TIME = aiohttp.ClientTimeout(total=300, sock_connect=10, sock_read=120)


def site_of(server: str) -> str:
    """Where people read X, and sign in; a stand-in serves that too."""
    return SITE if server.rstrip("/") == API else server.rstrip("/")


def problem_in(answer: Answer) -> Problem:
    try:
        return Problem.model_validate_json(answer.body)
    except ValidationError:
        return Problem(title=f"status {answer.status}")


def not_before(answer: Answer) -> datetime | None:
    """When X will listen again: x-rate-limit-reset, or the day's own headers where that limit was met (epoch)."""
    for which in ("x-user-limit-24hour", "x-app-limit-24hour", "x-rate-limit"):
        reset = answer.headers.get(f"{which}-reset", "")
        if reset.isdigit() and answer.headers.get(f"{which}-remaining", "0") == "0":
            return datetime.fromtimestamp(int(reset), UTC)
    return None


def must_be_fine(answer: Answer, *, addressed: bool = False, login: Login | None = None) -> None:
    """Raise what a status means. ``addressed``: the path names one object, so 404 is that object's."""
    status = answer.status
    if 200 <= status < 300:
        return
    if 300 <= status < 400 or answer.body.lstrip()[:1] == b"<":
        raise not_x(answer)
    said = problem_in(answer)
    facts: dict[str, Any] = {"network": NETWORK, "answer": answer}
    if status == 401:
        raise _about_the_token(answer, login)
    if status == 429:
        if said.kind == "usage-capped":
            raise Refused("The month's reading allowance of your app at {network} is used up.", **facts)
        raise TryLater("{network} asked us to slow down.", not_before=not_before(answer), **facts)
    if status == 402:
        raise Refused("Your developer account at {network} has no credits left: buy some in its console.", **facts)
    if status == 408 or status >= 500:
        raise TryLater("{network} has trouble at the moment.", **facts)
    if status == 404 and addressed:
        raise Gone("{network} no longer has it.", **facts)
    if status == 403:
        raise _forbidden(said, facts)
    raise Refused("{network} said: {reason}", reason=said.words, **facts)


def _about_the_token(answer: Answer, login: Login | None) -> SignInAgain | TokenExpired:
    """X says 401 alike of a token whose two hours are over and of one that was taken back: a refresh tells them apart,
    unless the token is fresh."""
    credentials = login.credentials if login is not None else {}
    issued = credentials.get("issued_at", "")
    old = not issued.isdigit() or datetime.fromtimestamp(int(issued), UTC) + FRESH_FOR < (answer.now)
    if credentials.get("refresh_token") and old:
        return TokenExpired("{network} asks for a fresh token.", network=NETWORK, answer=answer)
    return SignInAgain("{network} asks you to connect this account again.", network=NETWORK, answer=answer)


def _forbidden(said: Problem, facts: Mapping[str, Any]) -> Refused:
    words = said.words.lower()
    if "duplicate" in words:
        return Refused("{network} has this very text from you already, and takes none twice: change it.", **facts)
    if "mentioned or otherwise engaged" in words or "reply to this conversation is not allowed" in words:
        return Refused("{network} lets apps answer only those who named this account or quoted it.", **facts)
    if said.kind == "client-forbidden" or said.reason == "client-not-enrolled":
        return Refused("{network} does not allow this to your app's plan: {reason}", reason=said.words, **facts)
    return Refused("{network} said: {reason}", reason=said.words, **facts)


answers = Reader(NETWORK)
not_x, parsed, written = answers.not_its_api, answers.parsed, answers.written


class Wire:
    """One account's line to X."""

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self.http, self.login = http, login
        self.server = login.server.rstrip("/")

    @property
    def me(self) -> str:
        return self.login.remote_id

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.login.credentials.get('access_token', '')}"}

    async def get(self, path: str, params: Mapping[str, str] | None = None, *, addressed: bool = False) -> Answer:
        """A question."""
        return await self.do("GET", path, params=dict(params or {}), addressed=addressed)

    async def do(self, method: str, path: str, *, addressed: bool = False, **request: Any) -> Answer:
        """What changes nothing, or may be done twice: every failure on the way is TryLater."""
        answer = await read(
            self.http, method, f"{self.server}{path}", network=NETWORK, headers=self._headers(), **request
        )
        must_be_fine(answer, addressed=addressed, login=self.login)
        return answer

    async def publish(self, path: str, fields: Mapping[str, Any], *, addressed: bool) -> Answer:
        """The visible call, which X does not know again when it comes twice."""
        answer = await write(
            self.http,
            "POST",
            f"{self.server}{path}",
            network=NETWORK,
            repeatable=False,
            headers=self._headers(),
            json=dict(fields),
        )
        if answer.status == 408:
            raise Unclear("{network} did not answer, and may have taken it.", network=NETWORK, answer=answer)
        must_be_fine(answer, addressed=addressed, login=self.login)
        return answer
