"""The Graph API on the wire: errors as Meta words them, parameters from anywhere, ``fields`` and pages."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]
SAID: Mapping[int, tuple[int, int, str]] = {  # status -> code, subcode, message
    400: (100, 0, "Invalid parameter"),
    401: (190, 463, "Error validating access token: Session has expired."),
    403: (10, 0, "(#10) Application does not have permission for this action"),
    404: (100, 33, "Unsupported request. Object does not exist, or cannot be loaded due to missing permissions."),
    429: (4, 0, "(#4) Application request limit reached"),
}


class Trouble(Exception):
    """An error in the vendor's words."""

    def __init__(
        self,
        message: str,
        code: int,
        subcode: int = 0,
        *,
        status: int = 400,
        kind: str = "OAuthException",
        title: str = "",
        said: str = "",
        transient: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.headers = status, dict(headers or {})
        self.code, self.subcode = code, subcode
        self.error: Json = {"message": message, "type": kind, "code": code}
        if subcode:
            self.error["error_subcode"] = subcode
        if said:
            self.error |= {"is_transient": transient, "error_user_title": title or message, "error_user_msg": said}
        elif transient:
            self.error["is_transient"] = True
        self.error["fbtrace_id"] = f"A{secrets.token_urlsafe(16)}"

    @property
    def body(self) -> Json:
        return {"error": self.error}


def trouble_of(status: int, *, headers: Mapping[str, str]) -> Trouble:
    """How Meta says an HTTP status; ``headers`` go with a rate limit."""
    code, subcode, message = SAID.get(
        status, (2, 0, "An unexpected error has occurred. Please retry your request later.")
    )
    return Trouble(
        message, code, subcode, status=status, transient=status >= 500, headers=headers if status == 429 else {}
    )


def missing(name: str) -> Trouble:
    return Trouble(f"(#100) The parameter {name} is required", 100)


def no_such(object_id: str) -> Trouble:
    return Trouble(
        f"Unsupported get request. Object with ID '{object_id}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation.",
        100,
        33,
        kind="GraphMethodException",
    )


def dead_token(subcode: int = 463) -> Trouble:
    return Trouble("Error validating access token: Session has expired.", 190, subcode, status=401)


def not_allowed(scope: str) -> Trouble:
    return Trouble(f"(#10) Application does not have permission for this action: {scope}", 10, status=403)


def answered(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    raw = json.dumps(body, ensure_ascii=False).encode()
    return web.Response(
        status=status, body=raw, content_type="application/json", charset="utf-8", headers=dict(headers or {})
    )


async def params_of(request: web.Request) -> Json:
    """Query, form and JSON body in one; files are bytes. The body wins."""
    found: Json = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.read() or b"{}")
        except ValueError:
            raise Trouble("(#100) The request body is not valid JSON", 100) from None
        return {**found, **(body if isinstance(body, dict) else {})}
    if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        for name, value in (await request.post()).items():
            found[name] = value.file.read() if isinstance(value, web.FileField) else value
    return _with_lists(found)


def _with_lists(found: Json) -> Json:
    """``attached_media[0]`` and its like as the list they write."""
    for name in [name for name in found if name.endswith("]") and "[" in name]:
        found.setdefault(name.partition("[")[0], []).append(found.pop(name))
    return found


def as_list(value: Any) -> list[Any]:
    """A list as JSON clients, form clients (JSON or commas) write it."""
    if isinstance(value, list):
        return value
    if not value:
        return []
    text = str(value)
    if text.startswith("["):
        try:
            found = json.loads(text)
        except ValueError:
            raise Trouble("(#100) Invalid parameter: expected a list", 100) from None
        return found if isinstance(found, list) else []
    return [one.strip() for one in text.split(",") if one.strip()]


def as_object(value: Any) -> Json:
    if isinstance(value, dict):
        return value
    try:
        found = json.loads(str(value or "{}"))
    except ValueError:
        raise Trouble("(#100) Invalid parameter: expected an object", 100) from None
    return found if isinstance(found, dict) else {}


def truth(value: Any) -> bool:
    return value in (True, 1, "true", "True", "1")


@dataclass(slots=True)
class Field:
    """One name of ``fields``: ``comments.limit(5){id,text}``."""

    name: str
    args: dict[str, str] = field(default_factory=dict)
    inner: list[Field] = field(default_factory=list)


def fields_of(text: str) -> list[Field]:
    """Raises Trouble for what cannot be read."""
    found, rest = _fields(text.strip())
    if rest:
        raise Trouble(f"Syntax error near '{rest[:20]}' in fields", 2500)
    return found


def _fields(text: str) -> tuple[list[Field], str]:
    found: list[Field] = []
    while text and text[0] != "}":
        name = ""
        while text and (text[0].isalnum() or text[0] == "_"):
            name, text = name + text[0], text[1:]
        if not name:
            raise Trouble(f"Syntax error near '{text[:20]}' in fields", 2500)
        one = Field(name)
        while text.startswith("."):
            key, _, text = text[1:].partition("(")
            value, _, text = text.partition(")")
            one.args[key] = value
        if text.startswith("{"):
            one.inner, text = _fields(text[1:])
            if not text.startswith("}"):
                raise Trouble("Expected end of string in fields", 2500)
            text = text[1:]
        found.append(one)
        text = text.removeprefix(",").lstrip()
    return found, text


def page_of(items: list[Any], *, limit: int, after: str, address: str) -> tuple[list[Any], Json]:
    """One page and its ``paging``, which an empty page has not."""
    begin = _place(after) + 1 if after else 0
    page = items[begin : begin + limit]
    if not page:
        return [], {}
    last = begin + len(page) - 1
    paging: Json = {"cursors": {"before": _cursor(begin), "after": _cursor(last)}}
    if last + 1 < len(items):
        paging["next"] = f"{address}{'&' if '?' in address else '?'}after={_cursor(last)}&limit={limit}"
    return page, paging


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(f"QVFI{place}".encode()).decode().rstrip("=")


def _place(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().removeprefix("QVFI"))
    except ValueError:
        raise Trouble("(#100) Invalid cursor", 100) from None
