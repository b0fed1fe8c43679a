"""One request: who asks, with which permission, and how the answer is written."""

from __future__ import annotations

import html
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import web

from regie_sandbox.reddit.rules import No, Problem
from regie_sandbox.reddit.shown import Shows
from regie_sandbox.reddit.state import Person, Token

if TYPE_CHECKING:
    from regie_sandbox.reddit.app import Reddit

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
RAN_OUT = 'Bearer realm="reddit", error="invalid_token"'
NOT_ALLOWED = 'Bearer realm="reddit", error="insufficient_scope"'


class Call:
    """A request with a valid token."""

    def __init__(self, request: web.Request, net: Reddit, token: Token) -> None:
        self.request, self.net, self.token = request, net, token
        self.me: Person = net.person(token.person)
        self.shows = Shows(net, self.me.name)

    async def fields(self) -> dict[str, Any]:
        """A form, or JSON where the call takes it."""
        if self.request.content_type == "application/json":
            try:
                found = json.loads(await self.request.read() or b"{}")
            except ValueError:
                raise Problem(400) from None
            return found if isinstance(found, dict) else {}
        return {name: value for name, value in (await self.request.post()).items() if isinstance(value, str)}

    def must(self, scope: str) -> None:
        """Raises Problem unless the token has this permission."""
        if scope not in self.token.scopes and "*" not in self.token.scopes:
            raise Problem(403, headers={"www-authenticate": NOT_ALLOWED})

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query

    @property
    def limit(self) -> int:
        try:
            return max(1, min(int(self.query.get("limit", "25")), 100))
        except ValueError:
            return 25


def authed(net: Reddit, do: Callable[[Call], Awaitable[Any]], scope: str) -> Handler:
    """A handler for requests that need a token with ``scope`` ("": the call itself looks at what it needs)."""

    async def handler(request: web.Request) -> web.StreamResponse:
        headers: dict[str, str] = {}
        raw = request.query.get("raw_json") == "1"
        try:
            must_name_itself(request)
            call = Call(request, net, token_of(net, request))
            headers = net.meter.count(call.token.app, net.now())
            if scope:
                call.must(scope)
            answer = await do(call)
        except Problem as problem:
            return as_json(problem.body, status=problem.status, headers={**headers, **problem.headers})
        except No as no:
            return as_json(no.body, headers=headers)
        return as_json(answer if raw else escaped(answer), headers=headers)

    return handler


def must_name_itself(request: web.Request) -> None:
    """Clients that do not say who they are get 429, as there."""
    if not request.headers.get("User-Agent", "").strip():
        raise Problem(429)


def token_of(net: Reddit, request: web.Request) -> Token:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    token = net.state.tokens.get(value) if kind.lower() in ("bearer", "token") else None
    if token is None or token.until <= net.now():
        raise Problem(401, headers={"www-authenticate": RAN_OUT})
    return token


def escaped(value: Any) -> Any:
    """Without ``raw_json`` texts come as HTML: &, < and > are written as entities."""
    if isinstance(value, str):
        return html.escape(value, quote=False)
    if isinstance(value, dict):
        return {name: escaped(one) for name, one in value.items()}
    return [escaped(one) for one in value] if isinstance(value, list) else value


def as_json(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    raw = json.dumps(body, ensure_ascii=False).encode()
    return web.Response(
        status=status, body=raw, content_type="application/json", charset="UTF-8", headers=dict(headers or {})
    )


def truth(value: Any) -> bool:
    return value in (True, "true", "True", "1", 1, "on")
