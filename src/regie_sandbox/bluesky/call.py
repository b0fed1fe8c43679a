"""One XRPC request, and the JSON that answers it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from regie_sandbox.bluesky.problem import invalid


@dataclass(slots=True)
class Call:
    """One XRPC request on its way."""

    request: web.Request
    body: bytes
    headers: dict[str, str]  # for the answer

    def json(self) -> dict[str, Any]:
        try:
            value = json.loads(self.body)
        except ValueError:
            raise invalid("Request body must be valid JSON") from None
        if not isinstance(value, dict):
            raise invalid("Input must be an object")
        return value

    def needed(self, name: str) -> str:
        value = self.request.query.get(name)
        if value is None:
            raise invalid(f'Error: Params must have the property "{name}"')
        return value

    def number(self, name: str, default: int, least: int, most: int) -> int:
        text = self.request.query.get(name, str(default))
        if not text.lstrip("-").isdigit() or not least <= int(text) <= most:
            raise invalid(f"Error: {name} must be between {least} and {most}")
        return int(text)


Handle = Callable[[Call], Any]


def text_in(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise invalid(f'Error: Input must have the property "{name}"')
    return value


def as_json(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    answer = web.Response(body=body, status=status, content_type="application/json", charset="utf-8")
    answer.headers.update(headers or {})
    return answer
