"""One way to speak to a network: a request that is never sent twice behind our back, and an answer that is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any, TypeVar

import aiohttp
import orjson
from multidict import CIMultiDict
from pydantic import BaseModel, ValidationError
from yarl import URL

from regie.networks.errors import Refused, TryLater, Unclear

E = TypeVar("E", bound=BaseModel)
LARGEST_BODY = 4 * 1024 * 1024
KEPT_BODY = 4096
KEPT_HEADERS = frozenset(
    (
        "content-type",
        "date",
        "location",
        "retry-after",
        "server",
        "x-request-id",
        "x-restli-id",
        "dpop-nonce",
        "atproto-repo-rev",
    )
)
KEPT_PREFIXES = ("x-ratelimit-", "x-rate-limit-", "ratelimit-", "x-app-usage", "x-business-use-case-usage")
SECRET_WORDS = ("token", "secret", "password", "jwt", "authorization", "code", "assertion")
SECRET_BYTES = tuple(word.encode() for word in SECRET_WORDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a network said. ``seconds`` from the first byte sent to the last byte read, which was at ``ended`` on the
    monotonic clock."""

    method: str
    url: str  # without query and without anything secret in its path
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)  # lower-case names
    body: bytes = field(default=b"", repr=False)
    seconds: float = 0.0
    ended: float = field(default_factory=time.monotonic, compare=False, repr=False)

    def json(self) -> Any:
        """The body as JSON. Raises ``ValueError`` when it is not."""
        return json.loads(self.body)

    @property
    def date(self) -> datetime | None:
        """The network's clock, as its Date header says (whole seconds)."""
        try:
            return parsedate_to_datetime(self.headers["date"])
        except (KeyError, ValueError):
            return None

    @property
    def now(self) -> datetime:
        """The network's clock, or ours where it does not tell."""
        return self.date or datetime.now(UTC)

    @property
    def retry_at(self) -> datetime | None:
        """When the network will listen again, as its Retry-After header says: in seconds or with a date."""
        after = self.headers.get("retry-after", "").strip()
        try:
            if after.isdigit():
                return self.now + timedelta(seconds=int(after))
            return parsedate_to_datetime(after).astimezone(UTC)
        except (ValueError, OverflowError):
            return None

    def kept(self) -> dict[str, Any]:
        """The part worth keeping with an attempt, secrets masked: JSON."""
        return {
            "method": self.method,
            "url": self.url,
            "status": self.status,
            "headers": {k: v for k, v in self.headers.items() if k in KEPT_HEADERS or k.startswith(KEPT_PREFIXES)},
            "body": masked_body(self.body),
            "seconds": round(self.seconds, 4),
        }


def masked_body(body: bytes) -> Any:
    """The body as JSON with secrets masked, or the start of it as text."""
    if len(body) <= LARGEST_BODY:
        try:
            whole = orjson.loads(body)
        except ValueError:
            return body[:KEPT_BODY].decode("utf-8", "replace")
        lower = body.lower()
        masked = _masked(whole) if any(word in lower for word in SECRET_BYTES) else whole
        return masked if len(body) <= KEPT_BODY else orjson.dumps(masked).decode()[:KEPT_BODY]
    return body[:KEPT_BODY].decode("utf-8", "replace")


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: "***" if isinstance(v, str) and any(word in k.lower() for word in SECRET_WORDS) else _masked(v)
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return value


class NothingLeft(Exception):
    """The connection could not be made: not a byte of the request went out."""


class LostOnTheWay(Exception):
    """The connection broke, or time ran out, after some of the request may have left."""


async def _on_its_own(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """A connection that was never used: "Connection: close" alone does not keep aiohttp from taking a kept one.

    Connections are kept by host and by the headers for a proxy; without a proxy nobody reads those, so a number in
    them makes this request's connection its own. Tried on a server that closes without saying so: 30 of 60 lost before.
    A PUT or DELETE that is lost aiohttp (3.14) sends once more all the same, unless what it hears of is not its own.
    """
    if request.proxy is None:
        request.proxy_headers = CIMultiDict({"x-fresh": str(next(_fresh))})
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as exc:
        raise LostOnTheWay(type(exc).__name__) from None


_fresh = count()


async def ask(
    http: aiohttp.ClientSession,
    method: str,
    url: str | URL,
    *,
    shown_url: str | None = None,
    fresh: bool = False,
    **request: Any,
) -> Answer:
    """One request, one answer, no redirect followed, nothing repeated.

    url:       a ``URL`` goes out as it is, for vendors to whom ``%3A`` is not ``:`` (LinkedIn)
    shown_url: what may be kept and logged, where the address itself holds a secret (Telegram's bot token)
    fresh:     on a connection of its own, for servers that close kept connections without saying so
    Raises NothingLeft or LostOnTheWay; a body beyond 4 MiB counts as lost.
    """
    shown = shown_url or str(url).split("?", 1)[0]
    headers = dict(request.pop("headers", {}) or {})
    if fresh or method not in ("GET", "HEAD", "POST"):
        # aiohttp repeats PUT and DELETE by itself when the connection drops.
        headers["Connection"] = "close"
        request["middlewares"] = (*http._middlewares, _on_its_own)
    began = time.monotonic()
    try:
        async with http.request(method, url, allow_redirects=False, headers=headers, **request) as reply:
            body = await reply.content.read(LARGEST_BODY + 1)
            while len(body) <= LARGEST_BODY and not reply.content.at_eof():
                body += await reply.content.read(LARGEST_BODY + 1 - len(body))
            if len(body) > LARGEST_BODY:
                raise LostOnTheWay(f"an answer of more than {LARGEST_BODY} bytes")
            return Answer(
                method=method,
                url=shown,
                status=reply.status,
                headers={name.lower(): value for name, value in reply.headers.items()},
                body=body,
                seconds=time.monotonic() - began,
            )
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as exc:
        raise NothingLeft(f"{method} {shown}: {type(exc).__name__}") from None
    except LostOnTheWay as exc:
        raise LostOnTheWay(f"{method} {shown}: {exc}") from None
    except (aiohttp.ClientError, TimeoutError, OSError) as exc:
        raise LostOnTheWay(f"{method} {shown}: {type(exc).__name__}") from None


async def read(http: aiohttp.ClientSession, method: str, url: str | URL, *, network: str, **request: Any) -> Answer:
    """A request that changes nothing, or that is safe to repeat: every failure on the way is TryLater."""
    try:
        answer = await ask(http, method, url, **request)
    except NothingLeft as exc:
        raise TryLater("{network} could not be reached.", network=network) from exc
    except LostOnTheWay as exc:
        raise TryLater("{network} did not answer in time.", network=network) from exc
    if answer.status >= 500:
        raise TryLater("{network} has trouble at the moment.", network=network, answer=answer)
    return answer


async def write(
    http: aiohttp.ClientSession,
    method: str,
    url: str | URL,
    *,
    network: str,
    repeatable: bool,
    **request: Any,
) -> Answer:
    """A request that someone can see. Lost after a byte may have left: Unclear, unless it is safe to repeat."""
    try:
        answer = await ask(http, method, url, **request)
    except NothingLeft as exc:
        raise TryLater("{network} could not be reached.", network=network) from exc
    except LostOnTheWay as exc:
        if repeatable:
            raise TryLater("{network} did not answer; asking again is safe.", network=network) from exc
        raise Unclear("{network} did not answer, and may have taken it.", network=network) from exc
    if answer.status >= 500:
        if repeatable:
            raise TryLater("{network} has trouble at the moment; asking again is safe.", network=network, answer=answer)
        raise Unclear("{network} had trouble, and may have taken it.", network=network, answer=answer)
    return answer


class Reader:
    """Makes entities of what one network answered. ``network``: its name, for the sentences."""

    def __init__(self, network: str) -> None:
        self.network = network

    def not_its_api(self, answer: Answer) -> Refused:
        """To raise about an answer that some page gave, not the network's API."""
        return Refused(
            "{network} answered something that is not its API ({status}).",
            network=self.network,
            status=answer.status,
            answer=answer,
        )

    def unreadable(self, answer: Answer) -> Unclear:
        """To raise about an answer that said yes to a write, and not what was made: it may well be done."""
        return Unclear(
            "{network} answered something we cannot read, and may have taken it.", network=self.network, answer=answer
        )

    def parsed(self, answer: Answer, entity: type[E]) -> E:
        """The entity in an answer to a question."""
        try:
            return entity.model_validate_json(answer.body)
        except ValidationError:  # its text may quote what the network sent
            raise self.not_its_api(answer) from None

    def written(self, answer: Answer, entity: type[E]) -> E:
        """The entity in the answer to a write that said yes. Unreadable: it may well be done."""
        try:
            return entity.model_validate_json(answer.body)
        except ValidationError:
            raise self.unreadable(answer) from None
