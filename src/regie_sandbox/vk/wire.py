"""VK's API on the wire: one method a request, arguments in the query or a form, errors inside an answer of 200."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from regie_sandbox.vk.state import Key

Json = dict[str, Any]
CODES: Mapping[int, tuple[int, str]] = {  # an HTTP status that a test asks for -> how VK says it
    400: (100, "One of the parameters specified was missing or invalid"),
    401: (5, "User authorization failed: invalid access_token (4)."),
    403: (15, "Access denied"),
    404: (104, "Not found"),
    429: (29, "Rate limit reached"),
}
UNKNOWN = (10, "Internal server error")


class Trouble(Exception):
    """An error in the vendor's words."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message

    def body(self, method: str = "") -> Json:
        params = [{"key": "method", "value": method}] if method else []
        return {"error": {"error_code": self.code, "error_msg": self.message, "request_params": params}}


def invalid(reason: str) -> Trouble:
    return Trouble(100, f"One of the parameters specified was missing or invalid: {reason}")


def denied(reason: str = "") -> Trouble:
    return Trouble(15, f"Access denied{': ' + reason if reason else ''}")


@dataclass
class Call:
    method: str
    params: Mapping[str, str]
    key: Key

    def text(self, name: str, *, longest: int | None = None) -> str:
        value = str(self.params.get(name, ""))
        if longest is not None and len(value) > longest:
            raise invalid(f"{name} is too long")
        return value

    def number(self, name: str, default: int | None = None) -> int:
        value = str(self.params.get(name, ""))
        if not value and default is not None:
            return default
        if not value.lstrip("-").isdigit():
            raise invalid(f"{name} is not integer")
        return int(value)

    def yes(self, name: str) -> bool:
        return str(self.params.get(name, "")) in ("1", "true")

    def listed(self, name: str) -> list[str]:
        return [one for one in str(self.params.get(name, "")).split(",") if one]

    def must_be_user(self) -> None:
        if self.key.kind != "user":
            raise Trouble(27, "Group authorization failed: method is unavailable with group auth.")

    def must_be_group(self) -> None:
        if self.key.kind != "group":
            raise Trouble(5, "User authorization failed: method is unavailable with user auth.")

    def must_have(self, right: str) -> None:
        if right not in self.key.rights:
            raise denied("no access to call this method. It cannot be called with current scopes.")


async def params_of(request: web.Request) -> dict[str, str]:
    found = dict(request.query)
    if request.content_type == "application/json" and request.body_exists:
        found |= {name: _text(value) for name, value in (await request.json()).items()}
    elif request.body_exists:
        found |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    return found


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def answered(body: Any, *, status: int = 200) -> web.Response:
    return web.json_response(body, status=status, dumps=lambda value: json.dumps(value, ensure_ascii=False))
