"""Google's APIs on the wire: errors in the vendor's words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

Json = dict[str, Any]
SCOPE = "https://www.googleapis.com/auth/"
STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


class Trouble(Exception):
    """An error in the vendor's words: ``reason`` of old, ``info`` the reason of new."""

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        *,
        domain: str = "youtube.api",
        info: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.headers = status, dict(headers or {})
        why: Json = {"message": message, "domain": domain, "reason": reason}
        self.error: Json = {"code": status, "message": message, "errors": [why]}
        if status in STATUS and domain in ("global", "usageLimits"):
            self.error["status"] = STATUS[status]
        if info:
            kind = "type.googleapis.com/google.rpc.ErrorInfo"
            self.error["details"] = [{"@type": kind, "reason": info, "domain": "googleapis.com"}]

    @property
    def body(self) -> Json:
        return {"error": self.error}


def dead_token() -> Trouble:
    said = (
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
    )
    return Trouble(
        401, "authError", said, domain="global", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}
    )


def answered(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    raw = json.dumps(body, ensure_ascii=False, indent=2).encode()
    return web.Response(
        status=status, body=raw, content_type="application/json", charset="utf-8", headers=dict(headers or {})
    )
