"""One request: who asks, with what, and how often they may."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

from regie_sandbox.x.rules import QUARTER, Problem, forbidden, invalid, unauthorized
from regie_sandbox.x.state import App, Token, User

if TYPE_CHECKING:
    from regie_sandbox.x.app import X

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Call:
    """A request with a valid token of a person."""

    def __init__(self, request: web.Request, net: X, token: Token) -> None:
        self.request, self.net, self.token = request, net, token
        self.me: User = net.state.users[token.user]
        self.app: App = net.state.apps[token.client_id]

    @property
    def query(self) -> dict[str, str]:
        return dict(self.request.query)

    @property
    def id(self) -> str:
        return self.request.match_info["id"]

    async def json(self, known: tuple[str, ...]) -> dict[str, Any]:
        """The body. X refuses names that it does not know."""
        return await json_of(self.request, known)

    def must_be_me(self) -> None:
        if self.id != self.me.id:
            raise invalid("The `id` query parameter value does not match the authenticating user")


async def json_of(request: web.Request, known: tuple[str, ...]) -> dict[str, Any]:
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError:
        raise invalid("Request body is not valid JSON") from None
    if not isinstance(body, dict):
        raise invalid("Request body must be an object")
    for name in body:
        if name not in known:
            raise invalid(f"$.{name}: is not defined in the schema and the schema does not allow additional properties")
    return body


def authed(
    net: X, do: Callable[[Call], Awaitable[Any]], *scopes: str, limit: int = 900, per: timedelta = QUARTER
) -> Handler:
    """A handler for requests in a person's name, whose token has all of ``scopes``."""

    async def handler(request: web.Request) -> web.StreamResponse:
        headers: dict[str, str] = {}
        try:
            call = Call(request, net, token_of(net, request))
            if not set(scopes) <= set(call.token.scopes):
                raise forbidden("You are not permitted to perform this action.")
            route = request.match_info.route.resource
            what = f"{request.method} {route.canonical if route else ''}"
            headers = net.meter.spend(call.me.id, what, limit=limit, per=per, now=net.now())
            answer = await do(call)
        except Problem as exc:
            return problem(exc, headers)
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        return as_json(body, status=status, headers=headers)

    return handler


def by_app(net: X, do: Callable[[web.Request, App], Awaitable[Any]]) -> Handler:
    """A handler for requests of an app itself."""

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            value = bearer(request)
            app = next((one for one in net.state.apps.values() if one.bearer and one.bearer == value), None)
            if app is None:
                raise _not_by_user() if value in net.state.tokens else unauthorized()
            return as_json(await do(request, app))
        except Problem as exc:
            return problem(exc, {})

    return handler


def _not_by_user() -> Problem:
    said = "Authenticating with OAuth 2.0 User Context is forbidden for this endpoint: use OAuth 2.0 Application-Only."
    return Problem(403, "Unsupported Authentication", said, "unsupported-authentication")


def public(do: Callable[[web.Request], Awaitable[Any]]) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            answer = await do(request)
        except Problem as exc:
            return problem(exc, {})
        return answer if isinstance(answer, web.StreamResponse) else as_json(answer)

    return handler


def bearer(request: web.Request) -> str:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    return value if kind.lower() == "bearer" else ""


def token_of(net: X, request: web.Request) -> Token:
    token = net.state.tokens.get(bearer(request))
    if token is None or (token.until is not None and token.until <= net.now()):
        raise unauthorized()
    return token


def problem(exc: Problem, headers: dict[str, str]) -> web.Response:
    answer = as_json(exc.body, status=exc.status, headers={**headers, **exc.headers})
    answer.content_type = "application/problem+json"
    return answer


def as_json(body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    raw = json.dumps(body, ensure_ascii=False).encode()
    return web.Response(status=status, body=raw, content_type="application/json", charset="utf-8", headers=headers)
