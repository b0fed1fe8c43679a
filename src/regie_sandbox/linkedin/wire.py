"""LinkedIn's API on the wire: its errors, Rest.li's keys and lists, and its "little" text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from aiohttp import web

Json = dict[str, Any]
CODES: Mapping[int, tuple[str, str]] = {
    400: ("ILLEGAL_ARGUMENT", "The request is not valid"),
    401: ("INVALID_ACCESS_TOKEN", "Invalid access token"),
    403: ("ACCESS_DENIED", "Not enough permissions to access: partnerApiPostsExternal.CREATE.20260901"),
    404: ("NOT_FOUND", "Could not find entity"),
    409: ("CONFLICT", "The entity exists already"),
    413: ("REQUEST_ENTITY_TOO_LARGE", "Request Entity Too Large"),
    422: ("UNPROCESSABLE_ENTITY", "The fields do not fit together"),
    426: ("NONEXISTENT_VERSION", "Requested version is not active"),
    429: (
        "TOO_MANY_REQUESTS",
        "Resource level throttle APPLICATION DAY limit for calls to this resource is reached.",
    ),
}
SERVICE = {401: 65600, 403: 100}
RESERVED = frozenset("\\|{}@[]()<>#*_~")
TEMPLATE = re.compile(r"\{hashtag\|\\?([#＃])\|([^\s{}|]+)\}")
MENTION = re.compile(r"@\[((?:[^\]\\]|\\.)+)\]\(urn:li:(?:person|organization):[\w-]+\)")
HASHTAG = re.compile(r"[#＃]\w+")


class Trouble(Exception):
    """An error in the vendor's words."""

    def __init__(self, status: int, message: str = "", *, code: str = "", service: int | None = None) -> None:
        usual, said = CODES.get(status, ("INTERNAL_SERVER_ERROR", "Internal Server Error"))
        super().__init__(message or said)
        self.status = status
        self.body: Json = {
            "status": status,
            "serviceErrorCode": SERVICE.get(status, 0) if service is None else service,
            "code": code or usual,
            "message": message or said,
        }


def denied(what: str) -> Trouble:
    return Trouble(403, f"Not enough permissions to access: {what}")


def unfit(where: str, why: str) -> Trouble:
    """A body that the schema does not allow."""
    return Trouble(422, f"ERROR :: {where} :: {why}")


def answered(body: Any = None, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    raw = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    told = {"X-RestLi-Protocol-Version": "2.0.0", **(headers or {})}
    if body is None:
        return web.Response(status=status, headers=told)
    return web.Response(status=status, body=raw, content_type="application/json", charset="utf-8", headers=told)


async def body_of(request: web.Request) -> Json:
    if request.content_type != "application/json":
        raise Trouble(415, "Unsupported Media Type", code="UNSUPPORTED_MEDIA_TYPE")
    try:
        found = json.loads(await request.read())
    except ValueError:
        raise Trouble(400, "The request body is not valid JSON") from None
    if not isinstance(found, dict):
        raise Trouble(400, "The request body is no object")
    return found


def listed(value: str) -> list[str]:
    """``List(a,b)``. What is inside was hidden once more, so that its own commas and brackets do no harm."""
    if not (value.startswith("List(") and value.endswith(")")):
        raise Trouble(400, f"Array parameter '{value[:40]}' value is invalid")
    return [unquote(one) for one in value[5:-1].split(",") if one]


def raw_query(request: web.Request) -> dict[str, str]:
    """Names and values as they stand on the wire: a value's own colons and commas have to be hidden there."""
    pairs = (one.partition("=") for one in request.rel_url.raw_query_string.split("&") if one)
    return {unquote(name): value for name, _, value in pairs}


def one_of(query: Mapping[str, str], name: str) -> str:
    """A value that is no list and no record. Raises Trouble when it is missing or not hidden as Rest.li wants it."""
    if not query.get(name):
        raise Trouble(400, f"Parameter '{name}' is required", code="PARAM_INVALID")
    if ":" in query[name]:
        raise Trouble(400, f"Parameter '{name}' is not encoded", code="PARAM_INVALID")
    return unquote(query[name])


def record(value: str) -> dict[str, str]:
    """``(actor:urn%3A...,entity:...)`` of a path or a query."""
    if not (value.startswith("(") and value.endswith(")")):
        raise Trouble(400, f"Key '{value[:40]}' is not valid")
    return {name: unquote(inner) for name, _, inner in (one.partition(":") for one in value[1:-1].split(","))}


def visible(commentary: str) -> str:
    """What people read. Raises Trouble for a reserved character that is neither escaped nor part of an element."""
    shown, at = "", 0
    while at < len(commentary):
        char = commentary[at]
        if char == "\\" and commentary[at + 1 : at + 2] in RESERVED:
            shown, at = shown + commentary[at + 1], at + 2
        elif (found := TEMPLATE.match(commentary, at)) is not None:
            shown, at = shown + found[1] + found[2], found.end()
        elif (found := MENTION.match(commentary, at)) is not None:
            shown, at = shown + visible(found[1]), found.end()
        elif (found := HASHTAG.match(commentary, at)) is not None:
            shown, at = shown + found[0], found.end()
        elif char in RESERVED:
            raise unfit("/commentary", f"reserved character '{char}' at {at} is not escaped")
        else:
            shown, at = shown + char, at + 1
    return shown
