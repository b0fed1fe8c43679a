"""Requests and answers as the Bot API has them: query, form, multipart or JSON in; ``ok`` and ``result`` out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from aiohttp.web_request import FileField

from regie_sandbox.telegram.state import Json


class Refusal(Exception):
    """The vendor says no: status, description, parameters."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status, self.description, self.parameters = status, description, parameters

    def body(self) -> Json:
        said: Json = {"ok": False, "error_code": self.status, "description": self.description}
        return said | ({"parameters": self.parameters} if self.parameters else {})

    def headers(self) -> dict[str, str]:
        wait = self.parameters.get("retry_after")
        return {} if wait is None else {"Retry-After": str(wait)}


def bad(what: str) -> Refusal:
    return Refusal(400, f"Bad Request: {what}")


class Params:
    """What a call brings. In a form every value is text, and objects are text of JSON."""

    def __init__(
        self, values: Mapping[str, Any], files: Mapping[str, bytes], names: Mapping[str, str] | None = None
    ) -> None:
        self.values, self.files, self.names = values, files, names or {}

    @classmethod
    async def of(cls, request: web.Request) -> Params:
        values: dict[str, Any] = dict(request.query)
        if request.method != "POST":
            return cls(values, {})
        if request.content_type == "application/json":
            return cls(values | _json_object(await request.read()), {})
        form = await request.post()
        sent = {name: value for name, value in form.items() if isinstance(value, FileField)}
        files = {name: value.file.read() for name, value in sent.items()}
        names = {name: value.filename for name, value in sent.items()}
        return cls(values | {name: value for name, value in form.items() if isinstance(value, str)}, files, names)

    def text(self, name: str, otherwise: str = "") -> str:
        value = self.values.get(name)
        return otherwise if value is None else str(value)

    def number(self, name: str) -> int | None:
        value = self.values.get(name)
        if value is None or value == "":
            return None
        try:
            return int(value)
        except (TypeError, ValueError):
            raise bad(f"can't parse {name}: expected Int") from None

    def yes(self, name: str) -> bool:
        return str(self.values.get(name, "")).lower() in ("true", "1", "yes")

    def json(self, name: str) -> Any:
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise bad(f"can't parse {name}: can't parse JSON object") from None


def _json_object(body: bytes) -> Json:
    try:
        values = json.loads(body or b"{}")
    except ValueError:
        raise bad("can't parse JSON in the request body") from None
    if not isinstance(values, dict):
        raise bad("request body must be a JSON object")
    return values


def answered(result: Any) -> web.Response:
    return _response(200, {"ok": True, "result": result})


def refused(refusal: Refusal) -> web.Response:
    return _response(refusal.status, refusal.body(), refusal.headers())


def _response(status: int, body: Json, headers: Mapping[str, str] | None = None) -> web.Response:
    raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return web.Response(status=status, body=raw, content_type="application/json", headers=headers)
