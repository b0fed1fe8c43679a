"""Pinterest's API on the wire: who asks, errors as the vendor words them, pages by bookmark."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

from regie_sandbox.pinterest.state import Token

Json = dict[str, Any]
T = TypeVar("T")
SAID: Mapping[int, tuple[int, str]] = {
    400: (1, "Invalid request"),
    401: (2, "Authentication failed."),
    403: (403, "You are not permitted to access that resource."),
    404: (50, "Pin not found."),
    429: (8, "You have exceeded your rate limit. Try again later."),
}


class Trouble(Exception):
    """An error in the vendor's words."""

    def __init__(self, status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code = status, code
        self.body = {"code": code, "message": message}
        self.headers = dict(headers or {})


def trouble_of(status: int) -> Trouble:
    code, message = SAID.get(status, (12, "Something went wrong on our end. Sorry about that."))
    return Trouble(status, code, message)


def invalid(message: str) -> Trouble:
    return Trouble(400, 1, f"Invalid request: {message}")


@dataclass
class Call:
    """One request: who asks, of which host. ``trial``: the vendor's Sandbox was asked."""

    request: web.Request
    token: Token
    trial: bool
    body: Json

    @property
    def user(self) -> str:
        return self.token.user

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query

    def part(self, name: str) -> str:
        return self.request.match_info[name]


Handler = Callable[[Call], Any]


def answered(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    if body is None:
        return web.Response(status=status, headers=headers)
    return web.json_response(
        body, status=status, headers=headers, dumps=lambda value: json.dumps(value, ensure_ascii=False)
    )


def guarded(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    """Troubles become the vendor's error bodies."""

    async def around(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Trouble as trouble:
            return answered(trouble.body, status=trouble.status, headers=trouble.headers)

    return around


async def body_of(request: web.Request) -> Json:
    if not request.body_exists:
        return {}
    try:
        body = await request.json()
    except ValueError:
        raise invalid("the body is not JSON") from None
    if not isinstance(body, dict):
        raise invalid("the body is not an object")
    return body


def page_of(rows: Sequence[T], query: Mapping[str, str], show: Callable[[T], Json]) -> Json:
    """``bookmark`` is opaque at the vendor's; here it says where the next page begins."""
    size = query.get("page_size", "25")
    if not size.isdigit() or not 1 <= int(size) <= 250:
        raise invalid(f"{size!r} is not a valid page_size")
    begin, end = _begin(query.get("bookmark", "")), int(size)
    some = rows[begin : begin + end]
    more = begin + end < len(rows)
    bookmark = base64.urlsafe_b64encode(f"at:{begin + end}".encode()).decode() if more else None
    return {"items": [show(one) for one in some], "bookmark": bookmark}


def _begin(bookmark: str) -> int:
    if not bookmark:
        return 0
    try:
        return int(base64.urlsafe_b64decode(bookmark).decode().removeprefix("at:"))
    except (binascii.Error, ValueError):
        raise invalid("the bookmark is not valid") from None


def text_in(body: Json, name: str, longest: int) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise invalid(f"{value!r} is not of type 'string'")
    if len(value) > longest:
        raise invalid(f"{name} is too long: at most {longest} characters")
    return value
