"""Requests to an account's own server, and what its refusals mean.

An account lives on one server (its PDS), which passes app.bsky questions on to the AppView: we speak to that one only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, TypeVar

import aiohttp
from pydantic import ValidationError

from regie.networks.bluesky import dpop
from regie.networks.bluesky.models import Kept, Problem, Said, Uploaded
from regie.networks.data import Login
from regie.networks.errors import Gone, Refused, SignInAgain, TokenExpired, TryLater, Unclear
from regie.networks.line import Answer, Reader, read, write

NETWORK = "Bluesky"
POST = "app.bsky.feed.post"
LIKE = "app.bsky.feed.like"

CLOSED_ACCOUNT = frozenset(("AccountTakedown", "AccountSuspended", "AccountDeactivated", "AccountNotFound"))
NOT_THERE = frozenset(("RecordNotFound", "NotFound"))
MISSING_SCOPE = frozenset(("insufficient_scope", "ScopeMissingError", "InsufficientScope"))

M = TypeVar("M", bound=Said)
Params = Sequence[tuple[str, str]] | Mapping[str, str]


class Xrpc:
    """Calls in the name of one account, by app password (a bearer token) or by OAuth (a token bound to a key)."""

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self.http, self.login = http, login
        self.oauth = "dpop_key" in login.credentials

    @property
    def did(self) -> str:
        return self.login.remote_id or self.login.credentials.get("did", "")

    async def query(self, nsid: str, params: Params = (), *, headers: Mapping[str, str] | None = None) -> Answer:
        """A question; asking again is always safe. ``headers``: which service it is passed on to."""
        url, more = self._url(nsid), dict(headers or {})
        return await self._signed(
            "GET",
            url,
            lambda signed: read(self.http, "GET", url, network=NETWORK, params=params, headers={**signed, **more}),
        )

    async def blob(self, path: Path, content_type: str) -> dict[str, Any]:
        """A file laid down on the account's server. Invisible, and the same bytes are the same blob."""
        answer = await self.procedure(
            "com.atproto.repo.uploadBlob",
            repeatable=True,
            data=await asyncio.to_thread(path.read_bytes),
            headers={"Content-Type": content_type},
        )
        return parsed(Uploaded, answer).blob

    async def procedure(self, nsid: str, *, repeatable: bool, **request: Any) -> Answer:
        """Something done. ``repeatable``: the same again does no more than once. ``data`` is bytes."""
        url, more = self._url(nsid), dict(request.pop("headers", {}))
        data: bytes | None = request.pop("data", None)

        def body() -> dict[str, Any]:
            """A fresh stream each time: the one that a refused nonce used up would send nothing, and be believed."""
            return {} if data is None else {"data": BytesIO(data)}  # aiohttp warns of large plain bytes

        return await self._signed(
            "POST",
            url,
            lambda headers: write(
                self.http,
                "POST",
                url,
                network=NETWORK,
                repeatable=repeatable,
                headers={**headers, **more},
                **request,
                **body(),
            ),
            repeatable=repeatable,
        )

    def _url(self, nsid: str) -> str:
        return f"{self.login.server}/xrpc/{nsid}"

    def _headers(self, method: str, url: str) -> dict[str, str]:
        token = self.login.credentials.get("access", "")
        if not self.oauth:
            return {"Authorization": f"Bearer {token}"} if token else {}
        proof = dpop.proof(self.login.credentials["dpop_key"], method, url, token=token)
        return {"Authorization": f"DPoP {token}", "DPoP": proof}

    async def _signed(
        self,
        method: str,
        url: str,
        send: Callable[[dict[str, str]], Awaitable[Answer]],
        *,
        repeatable: bool = True,
    ) -> Answer:
        answer = await send(self._headers(method, url))
        if self.oauth:
            dpop.remember_nonce(url, answer)
            if dpop.wants_nonce(answer):  # refused before anything was done: once more with the newest nonce
                answer = await send(self._headers(method, url))
                dpop.remember_nonce(url, answer)
        return accepted(answer, oauth=self.oauth, repeatable=repeatable)


def accepted(answer: Answer, *, oauth: bool = False, repeatable: bool = True) -> Answer:
    """The answer, when it says yes; otherwise the error that says what to do next."""
    status = answer.status
    if 200 <= status < 300:
        return answer
    if status == 408:
        if repeatable:
            raise TryLater("{network} did not answer in time.", network=NETWORK, answer=answer)
        raise Unclear("{network} did not answer in time, and may have taken it.", network=NETWORK, answer=answer)
    if status == 429:
        raise TryLater(
            "{network} asked us to slow down.", network=NETWORK, not_before=slow_until(answer), answer=answer
        )
    problem = problem_in(answer)
    if problem is None or 300 <= status < 400:
        raise Refused(
            "This address is not a {network} server: it answered something else ({status}).",
            network=NETWORK,
            status=status,
            answer=answer,
        )
    raise _refusal(problem, answer, oauth=oauth)


def _refusal(problem: Problem, answer: Answer, *, oauth: bool) -> Exception:
    name, status = problem.error, answer.status
    if name == "ExpiredToken" or (oauth and name == "invalid_token"):
        return TokenExpired("{network} asks for a fresh token.", network=NETWORK, answer=answer)
    if name in CLOSED_ACCOUNT:
        return SignInAgain("{network} has closed this account, or its owner has.", network=NETWORK, answer=answer)
    if name in MISSING_SCOPE:
        return SignInAgain(
            "{network} did not give us leave for this: connect the account again.", network=NETWORK, answer=answer
        )
    if status == 401 or name == "InvalidToken":
        return SignInAgain("{network} asks you to connect this account again.", network=NETWORK, answer=answer)
    kind = Gone if status in (404, 410) or name in NOT_THERE else Refused
    return kind("{network} said: {reason}", network=NETWORK, reason=problem.sentence or str(status), answer=answer)


def problem_in(answer: Answer) -> Problem | None:
    """The error in an answer; None when it is not one that a Bluesky server gives."""
    try:
        return Problem.model_validate_json(answer.body)
    except ValidationError:
        return None


def error_name(error: Refused) -> str:
    """The vendor's own name of a refusal, such as InvalidSwap."""
    problem = problem_in(error.answer) if error.answer is not None else None
    return problem.error if problem else ""


def slow_until(answer: Answer) -> datetime | None:
    """When the server will listen again: ratelimit-reset (seconds since 1970), or Retry-After (seconds or a date)."""
    try:
        if reset := answer.headers.get("ratelimit-reset"):
            return datetime.fromtimestamp(int(reset), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return answer.retry_at


answers = Reader(NETWORK)


def parsed(model: type[M], answer: Answer, *, written: Literal["", "unclear", "later"] = "") -> M:
    """The answer as ``model``. Unreadable after a write: Unclear, or TryLater where the same again is safe."""
    try:
        return model.model_validate_json(answer.body)
    except ValidationError:
        pass  # its text may quote what the server sent
    if written == "unclear":
        raise answers.unreadable(answer)
    if written == "later":
        raise TryLater(
            "{network} answered something we cannot read; asking again is safe.", network=NETWORK, answer=answer
        )
    raise answers.not_its_api(answer)


async def record_at(xrpc: Xrpc, uri: str) -> Kept:
    """A record, ours or anybody's. Raises Gone."""
    did, collection, rkey = parts_of(uri)
    params = {"repo": did, "collection": collection, "rkey": rkey}
    return parsed(Kept, await xrpc.query("com.atproto.repo.getRecord", params))


def parts_of(uri: str) -> tuple[str, str, str]:
    """at://did/collection/rkey as its three parts. Raises Refused for anything else."""
    parts = uri.removeprefix("at://").split("/")
    if not uri.startswith("at://") or len(parts) != 3 or not all(parts):
        raise Refused("{network} does not know this kind of address.", network=NETWORK)
    return parts[0], parts[1], parts[2]
