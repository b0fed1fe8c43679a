"""One request to LinkedIn's API: whose it is, and what it has to bring with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from regie_sandbox.linkedin.state import Token
from regie_sandbox.linkedin.wire import Json, Trouble, answered, body_of, denied, one_of, raw_query

if TYPE_CHECKING:
    from regie_sandbox.linkedin.app import LinkedIn

PUBLISHERS = frozenset(("ADMINISTRATOR", "CONTENT_ADMINISTRATOR", "DIRECT_SPONSORED_CONTENT_POSTER"))
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Call:
    net: LinkedIn
    request: web.Request
    token: Token
    query: dict[str, str]

    @property
    def method(self) -> str:
        """Rest.li's own word, which some calls have to bring."""
        return self.request.headers.get("X-RestLi-Method", "").upper()

    def key(self, name: str = "urn") -> str:
        """A part of the path."""
        return self.request.match_info[name]

    async def body(self) -> Json:
        return await body_of(self.request)

    def asked(self, name: str) -> str:
        return one_of(self.query, name)

    def must(self, *scopes: str) -> None:
        """Raises Trouble unless the token has one of these."""
        if not set(scopes) & set(self.token.scopes):
            raise denied(scopes[0])

    def speaks_for(self, urn: str, *, member: str, page: str) -> str:
        """``urn`` is the token's own member, or a Page on which they publish, and the scope for it is there."""
        if urn in self.net.state.pages:
            if self.net.state.pages[urn].roles.get(self.token.member) not in PUBLISHERS:
                raise Trouble(403, f"Viewer does not have permission to act for {urn}")
            self.must(page)
        elif urn == self.token.member:
            self.must(member)
        else:
            raise Trouble(403, f"Field Value validation failed in REQUEST_BODY: {urn} is not the viewer")
        return urn

    def administers(self, urn: str, scope: str) -> str:
        if self.net.state.pages[self._page(urn)].roles.get(self.token.member) != "ADMINISTRATOR":
            raise denied(f"organization {urn}")
        self.must(scope)
        return urn

    def _page(self, urn: str) -> str:
        if urn not in self.net.state.pages:
            raise Trouble(404)
        return urn


def guarded(net: LinkedIn, do: Callable[[Call], Awaitable[web.StreamResponse]], *, rest: bool = True) -> Handler:
    """``rest``: the versioned API, which wants its two headers."""

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            if rest:
                _versioned(net, request)
            return await do(Call(net, request, _token(net, request), raw_query(request)))
        except Trouble as trouble:
            return answered(trouble.body, status=trouble.status)

    return handler


def _versioned(net: LinkedIn, request: web.Request) -> None:
    version = request.headers.get("LinkedIn-Version", "")
    if not version:
        raise Trouble(400, "A version must be present. Please specify a version.", code="VERSION_MISSING")
    if version not in net.versions:
        raise Trouble(426, f"Requested version {version} is not active")
    if request.headers.get("X-RestLi-Protocol-Version") != "2.0.0":
        raise Trouble(400, "Keys are written as Rest.li 2.0.0 wants them: say so in X-Restli-Protocol-Version")
    if "urn:li:" in request.rel_url.raw_path:
        raise Trouble(400, "Syntax exception in path variables", code="ILLEGAL_ARGUMENT")


def _token(net: LinkedIn, request: web.Request) -> Token:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    token = net.state.tokens.get(value) if kind == "Bearer" else None
    if token is None:
        raise Trouble(401, service=65600)
    if token.ended:
        raise Trouble(
            401, "The token used in the request has been revoked by the user", code=token.ended, service=65601
        )
    if token.until <= net.now():
        why = "The token used in the request has expired"
        raise Trouble(401, why, code="EXPIRED_ACCESS_TOKEN", service=65602)
    return token
