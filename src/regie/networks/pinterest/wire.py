"""One account's line to Pinterest, and what its errors mean. Source: the description of API v5, and NOTES.md.

An app on trial access speaks to Pinterest's Sandbox, a host of its own with boards and Pins of its own. A server that
is none of Pinterest's stands in for both: there the Sandbox is below ``/trial``.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from pydantic import ValidationError

from regie.networks.data import Login
from regie.networks.errors import Gone, Refused, SignInAgain, TokenExpired, TryLater
from regie.networks.line import Answer, Reader, read, write
from regie.networks.pinterest.entities import Said

NETWORK = "Pinterest"
STANDARD, TRIAL = "https://api.pinterest.com", "https://api-sandbox.pinterest.com"
NO_SCOPE, ON_TRIAL = 3, 29
UPLOAD_TIME = aiohttp.ClientTimeout(total=3600, sock_connect=10, sock_read=300)


def on_trial(server: str) -> bool:
    return server.rstrip("/") == TRIAL or server.rstrip("/").endswith("/trial")


def page_beside(server: str) -> str:
    """Where people sign in. A stand-in has the page itself."""
    return "https://www.pinterest.com" if server.rstrip("/") in (STANDARD, TRIAL) else server.rstrip("/")


def error_in(answer: Answer) -> Said | None:
    try:
        return Said.model_validate_json(answer.body)
    except ValidationError:
        return None


def not_before(answer: Answer) -> datetime | None:
    """When Pinterest will listen again: seconds in ``Retry-After`` or ``X-RateLimit-Reset``."""
    now = answer.now
    for name in ("retry-after", "x-ratelimit-reset"):
        if (value := answer.headers.get(name, "").split(",")[0].strip()).isdigit():
            seconds = int(value)
            return datetime.fromtimestamp(seconds, UTC) if seconds > 1_000_000_000 else now + timedelta(seconds=seconds)
    return None


def must_be_fine(
    answer: Answer, *, addressed: bool = False, vital: bool = False, expires_at: datetime | None = None
) -> None:
    """Raise what an answer means.

    addressed:  the path names one object, so "not there" is that object's
    vital:      without the permission for this, the account is of no use: connect it again
    expires_at: when the token runs out, as far as we know; a token refused before then was taken back
    """
    if 200 <= answer.status < 300:
        return
    said = error_in(answer)
    if said is None or 300 <= answer.status < 400:
        raise not_api(answer)
    facts: dict[str, Any] = {"network": NETWORK, "answer": answer}
    reason = said.message or f"error {said.code}"
    if answer.status in (401, 403) and said.code == NO_SCOPE:
        raised = SignInAgain if vital else Refused
        raise raised("{network} says that a permission is missing: {reason}", reason=reason, **facts)
    if answer.status == 401:
        if expires_at is not None and expires_at <= datetime.now(UTC):
            raise TokenExpired("{network} asks for a fresh token.", **facts)
        raise SignInAgain("{network} asks you to connect this account again.", **facts)
    if answer.status == 403 and said.code == ON_TRIAL:
        raise Refused(
            "{network} gave your app trial access only: connect the account again through trial access, or ask for "
            "Standard access.",
            **facts,
        )
    if answer.status == 404 and addressed:
        raise Gone("{network} no longer has it.", **facts)
    if answer.status == 429:
        raise TryLater("{network} asked us to slow down.", not_before=not_before(answer), **facts)
    raise Refused("{network} said: {reason}", reason=reason, **facts)


answers = Reader(NETWORK)
not_api, parsed, written = answers.not_its_api, answers.parsed, answers.written


class Wire:
    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self.http, self.login = http, login
        self.trial = on_trial(login.server)

    def _request(self, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        token = self.login.credentials.get("access_token", "")
        return {"headers": {"Authorization": f"Bearer {token}"}, "params": dict(params or {})}

    def _url(self, path: str) -> str:
        return f"{self.login.server.rstrip('/')}/v5{path}"

    @property
    def _expires_at(self) -> datetime | None:
        at = self.login.credentials.get("expires_at", "")
        return datetime.fromtimestamp(int(at), UTC) if at.isdigit() else None

    async def get(
        self, path: str, params: Mapping[str, str] | None = None, *, addressed: bool = False, vital: bool = False
    ) -> Answer:
        """A question."""
        answer = await read(self.http, "GET", self._url(path), network=NETWORK, **self._request(params))
        must_be_fine(answer, addressed=addressed, vital=vital, expires_at=self._expires_at)
        return answer

    async def do(
        self, method: str, path: str, fields: Mapping[str, Any] | None = None, *, addressed: bool = False
    ) -> Answer:
        """A write that nobody sees, or that may be done twice: every failure on the way is TryLater."""
        body: dict[str, Any] = {"json": dict(fields)} if fields is not None else {}
        answer = await read(self.http, method, self._url(path), network=NETWORK, **self._request(), **body)
        must_be_fine(answer, addressed=addressed, vital=True, expires_at=self._expires_at)
        return answer

    async def publish(self, path: str, body: bytes) -> Answer:
        """The visible call. ``body``: JSON, which may be large."""
        request = self._request()
        request["headers"]["Content-Type"] = "application/json"
        answer = await write(
            self.http,
            "POST",
            self._url(path),
            network=NETWORK,
            repeatable=False,
            data=io.BytesIO(body),
            timeout=UPLOAD_TIME,
            **request,
        )
        must_be_fine(answer, vital=True, expires_at=self._expires_at)
        return answer

    async def upload(self, url: str, form: aiohttp.FormData) -> Answer:
        """A file to the storage that Pinterest named, which must not see our token."""
        return await read(self.http, "POST", url, network=NETWORK, data=form, timeout=UPLOAD_TIME)
