"""TikTok's open API on the wire: answers that end with an ``error``, codes in words."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SAID: Mapping[int, tuple[str, str]] = {  # status -> code, message
    400: ("invalid_params", "Some parameters are invalid"),
    401: ("access_token_invalid", "The access token is invalid or not found in the request."),
    403: ("spam_risk_user_banned_from_posting", "The user is banned from making new posts."),
    404: ("invalid_publish_id", "The publish_id does not exist"),
    429: ("rate_limit_exceeded", "The API rate limit was exceeded. Please try again later."),
}


def error(code: str = "ok", message: str = "") -> Json:
    return {"code": code, "message": message, "log_id": f"2030{secrets.token_hex(15).upper()}"}


class Trouble(Exception):
    """An error in the vendor's words. ``data``: some are told beside what was asked, with status 200."""

    def __init__(self, code: str, message: str = "", *, status: int = 400) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message or code

    @property
    def body(self) -> Json:
        return {"data": {}, "error": error(self.code, self.message)}


class OAuthTrouble(Exception):
    """The sign-in's own way to say no."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.body = {"error": code, "error_description": message, "log_id": error()["log_id"]}


def trouble_of(status: int) -> Trouble:
    """How TikTok says an HTTP status."""
    code, message = SAID.get(status, ("internal_error", "Something is wrong. Please try again later."))
    return Trouble(code, message, status=status)


def invalid(message: str) -> Trouble:
    return Trouble("invalid_params", message)


def answered(body: Any, *, status: int = 200) -> web.Response:
    raw = json.dumps(body, ensure_ascii=False).encode()
    return web.Response(status=status, body=raw, content_type="application/json", charset="utf-8")


async def json_of(request: web.Request) -> Json:
    """The body of a POST, which is JSON or nothing."""
    raw = await request.read()
    if not raw:
        return {}
    if request.content_type != "application/json":
        raise invalid("Only application/json is accepted")
    try:
        found = json.loads(raw)
    except ValueError:
        raise invalid("The request body is not valid JSON") from None
    if not isinstance(found, dict):
        raise invalid("The request body is not an object")
    return found


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def object_in(body: Json, name: str) -> Json:
    found = body.get(name)
    if not isinstance(found, dict):
        raise invalid(f"{name} is required")
    return found


def text_in(body: Json, name: str, *, most: int) -> str:
    found = body.get(name, "")
    if not isinstance(found, str) or utf16(found) > most:
        raise Trouble("invalid_param", f"The {name} is too long or no string")
    return found


def whole_in(body: Json, name: str) -> int:
    found = body.get(name)
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise Trouble("invalid_param", f"The {name} is invalid")
    return found


def switches_in(body: Json, names: tuple[str, ...]) -> dict[str, str | int | bool]:
    found: dict[str, str | int | bool] = {}
    for name in names:
        value = body.get(name, False)
        if not isinstance(value, bool):
            raise Trouble("invalid_param", f"The {name} is no bool")
        found[name] = value
    return found
