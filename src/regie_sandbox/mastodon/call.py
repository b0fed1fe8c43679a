"""One request: who asks, with what, and how often they may."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

from regie_sandbox.mastodon.rules import Problem
from regie_sandbox.mastodon.state import Person, Token

if TYPE_CHECKING:
    from regie_sandbox.mastodon.app import Mastodon

WINDOW = timedelta(minutes=5)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Call:
    """A request with a valid token."""

    def __init__(self, request: web.Request, server: Mastodon, token: Token) -> None:
        self.request, self.server, self.token = request, server, token
        self.me: Person = server.state.people[token.account_id]
        self.headers: dict[str, str] = {}

    async def fields(self) -> dict[str, Any]:
        return await fields_of(self.request)

    @property
    def id(self) -> str:
        return self.request.match_info["id"]

    def spend(self, what: str, *, limit: int, per: timedelta) -> None:
        self.headers = self.server.meter.spend(self.me.id, what, limit=limit, per=per, now=self.server.now())


def authed(server: Mastodon, do: Callable[[Call], Awaitable[Any]], scope: str) -> Handler:
    """A handler for requests that need a token with ``scope`` ("write:statuses", granted by "write" too)."""

    async def handler(request: web.Request) -> web.StreamResponse:
        headers: dict[str, str] = {}
        try:
            call = Call(request, server, token_of(server, request))
            allow(call.token, scope)
            call.spend("requests", limit=300, per=WINDOW)
            headers = call.headers
            answer = await do(call)
        except Problem as exc:
            return as_json(exc.body, status=exc.status, headers={**headers, **exc.headers})
        if isinstance(answer, web.StreamResponse):
            return answer
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        return as_json(body, status=status, headers=call.headers)

    return handler


def public(do: Callable[[web.Request], Awaitable[Any]]) -> Handler:
    """A handler for requests that need no token."""

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            answer = await do(request)
        except Problem as exc:
            return as_json(exc.body, status=exc.status, headers=exc.headers)
        return answer if isinstance(answer, web.StreamResponse) else as_json(answer)

    return handler


def token_of(server: Mastodon, request: web.Request) -> Token:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    token = server.state.tokens.get(value if kind.lower() == "bearer" else request.query.get("access_token", ""))
    if token is None:
        raise Problem(401, "The access token is invalid")
    return token


def allow(token: Token, scope: str) -> None:
    granted = token.scopes.split()
    if scope not in granted and scope.split(":")[0] not in granted:
        raise Problem(403, "This action is outside the authorized scopes")


def as_json(body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    raw = json.dumps(body, ensure_ascii=False).encode()
    return web.Response(status=status, body=raw, content_type="application/json", charset="utf-8", headers=headers)


async def fields_of(request: web.Request) -> dict[str, Any]:
    """JSON or a form, with ``a[]`` and ``a[b]`` as lists and objects, and the query's fields under them."""
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.read() or b"{}")
        except ValueError:
            raise Problem(400, "The request could not be read") from None
        return body if isinstance(body, dict) else {}
    found: dict[str, Any] = {}
    form = await request.post()
    for name, value in [*request.query.items(), *form.items()]:
        _put(found, name.replace("]", "").split("["), value)
    return found


def _put(into: dict[str, Any], path: list[str], value: Any) -> None:
    name, rest = path[0], path[1:]
    if not rest:
        into[name] = value
    elif rest[0] == "" or rest[0].isdigit():
        into.setdefault(name, []).append(value)
    else:
        _put(into.setdefault(name, {}), rest, value)


def truth(value: Any) -> bool:
    return value in (True, 1, "true", "True", "1", "on")
