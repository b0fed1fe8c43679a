"""The Data API on the wire: parts, pages, scopes and what a call costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from regie_sandbox.google.state import App, Token
from regie_sandbox.google.wire import Json, Trouble

PACIFIC = ZoneInfo("America/Los_Angeles")
READ = frozenset(("youtube", "youtube.force-ssl", "youtube.readonly", "youtubepartner"))
WRITE = frozenset(("youtube", "youtube.force-ssl", "youtubepartner"))
UPLOAD = WRITE | {"youtube.upload"}
TALK = frozenset(("youtube.force-ssl",))
CAPTION = frozenset(("youtube.force-ssl", "youtubepartner"))
REPORTS = frozenset(("yt-analytics.readonly", "yt-analytics-monetary.readonly"))


def trouble_of(status: int) -> Trouble:
    """How Google says an HTTP status. Of those tokens that are not taken, the one that no renewing helps."""
    match status:
        case 401:
            said = "The user from the access token is in an abnormal state."
            return Trouble(401, "authError", said, domain="global", info="ACCOUNT_STATE_INVALID")
        case 403:
            return Trouble(403, "forbidden", "Access forbidden. The request may not be properly authorized.")
        case 404:
            return Trouble(404, "notFound", "Requested entity was not found.", domain="global")
        case 429:
            said = "Resource has been exhausted (e.g. check quota)."
            return Trouble(429, "rateLimitExceeded", said, domain="global", headers={"Retry-After": "60"})
        case code if code >= 500:
            return Trouble(code, "backendError", "Backend Error", domain="global")
    return Trouble(status, "badRequest", "Request contains an invalid argument.", domain="global")


def missing(name: str) -> Trouble:
    return Trouble(400, "missingRequiredParameter", f"Required parameter: {name}", domain="global")


def not_there(what: str, words: str) -> Trouble:
    return Trouble(404, what, words)


@dataclass
class Call:
    """One request, by whom. ``what``: the collection asked; ``body``: what was said as JSON."""

    request: web.Request
    method: str
    what: str
    params: dict[str, str]
    token: Token
    app: App
    body: Json

    @property
    def channel(self) -> str:
        return self.token.holder

    def must(self, scopes: frozenset[str]) -> None:
        """Raises Trouble unless the token has one of these scopes."""
        if not scopes & set(self.token.scopes):
            said = "Request had insufficient authentication scopes."
            raise Trouble(403, "insufficientPermissions", said, domain="global", info="ACCESS_TOKEN_SCOPE_INSUFFICIENT")

    def part(self, known: Sequence[str]) -> list[str]:
        """The parts asked for. Raises Trouble for none, and for one that the resource has not."""
        found = [one.strip() for one in self.params.get("part", "").split(",") if one.strip()]
        if not found:
            raise missing("part")
        for one in found:
            if one not in known:
                raise Trouble(400, "unknownPart", f"'{one}'", domain="youtube.part")
        return found

    def given(self, name: str) -> str:
        if not self.params.get(name):
            raise missing(name)
        return self.params[name]

    def ids(self, name: str = "id") -> list[str]:
        return [one for one in self.params.get(name, "").split(",") if one]


def page_of(call: Call, kind: str, rows: Sequence[Any], *, most: int, default: int = 5) -> tuple[list[Any], Json]:
    """One page of rows, and the answer around it without its items."""
    try:
        size = int(call.params.get("maxResults", default))
        begin = int(call.params.get("pageToken", "0"), 36)
    except ValueError:
        raise Trouble(400, "invalidPageToken", "The request specifies an invalid page token.") from None
    if not 0 <= size <= most:
        raise Trouble(400, "invalidParameter", f"Invalid value '{size}'. Values must be within the range: [0, {most}]")
    some = list(rows[begin : begin + size])
    body: Json = {"kind": kind, "etag": "e", "pageInfo": {"totalResults": len(rows), "resultsPerPage": size}}
    if begin + size < len(rows):
        body["nextPageToken"] = _base36(begin + size)
    return some, body


def _base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    found = ""
    while number:
        number, rest = divmod(number, 36)
        found = digits[rest] + found
    return found or "0"
