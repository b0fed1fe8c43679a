"""Version 4 and the newer APIs on the wire: errors of today's form only, pages, masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web

from regie_sandbox.google.state import App, Token
from regie_sandbox.google.wire import STATUS, Json

MANAGE = "business.manage"
T = TypeVar("T")


class Trouble(Exception):
    """An error in the vendor's words. ``wrong``: what version 4 finds wrong, as (field, words)."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        wrong: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.headers = status, dict(headers or {})
        error: Json = {"code": status, "message": message, "status": STATUS.get(status, "UNKNOWN")}
        details: list[Json] = []
        if reason:
            info: Json = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}
            details.append({**info, "domain": "googleapis.com", **({"metadata": dict(metadata)} if metadata else {})})
        if wrong:
            found = [{"code": 3, "field": name, "message": words} for name, words in wrong]
            kind = "type.googleapis.com/google.mybusiness.v4.ValidationError"
            details.append({"@type": kind, "errorDetails": found})
        self.body: Json = {"error": {**error, **({"details": details} if details else {})}}


def trouble_of(status: int) -> Trouble:
    """How Google says an HTTP status. Of those tokens that are not taken, the one that no renewing helps."""
    match status:
        case 401:
            said = "The user from the access token is in an abnormal state."
            return Trouble(401, said, reason="ACCOUNT_STATE_INVALID")
        case 403:
            return Trouble(403, "The caller does not have permission")
        case 404:
            return not_there()
        case 429:
            said = "Resource has been exhausted (e.g. check quota)."
            return Trouble(429, said, reason="RATE_LIMIT_EXCEEDED", headers={"Retry-After": "60"})
        case 500:
            return Trouble(500, "Internal error encountered.")
    said = "The service is currently unavailable." if status >= 500 else "Request contains an invalid argument."
    return Trouble(status, said)


def not_there() -> Trouble:
    return Trouble(404, "Requested entity was not found.")


def invalid(field: str, words: str) -> Trouble:
    return Trouble(400, "Request contains an invalid argument.", wrong=[(field, words)])


def no_access() -> Trouble:
    """A project that Google has not let in: its quota is zero."""
    said = (
        "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute' of service "
        "'mybusinessaccountmanagement.googleapis.com' for consumer 'project_number:1'."
    )
    limit = {"quota_limit_value": "0", "quota_limit": "DefaultRequestsPerMinutePerProject"}
    return Trouble(429, said, reason="RATE_LIMIT_EXCEEDED", metadata=limit)


@dataclass
class Call:
    """One request, by whom."""

    request: web.Request
    token: Token
    app: App
    body: Json

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query

    def part(self, name: str) -> str:
        """Of the path."""
        return self.request.match_info[name]

    def page(self, rows: Sequence[T], *, most: int, default: int) -> tuple[list[T], Json]:
        """One page of rows, and the word for the next one where there are more."""
        try:
            size = int(self.query.get("pageSize") or default)
            begin = int(self.query.get("pageToken") or "0", 16)
        except ValueError:
            raise trouble_of(400) from None
        if not 1 <= size <= most:
            raise trouble_of(400)
        more: Json = {"nextPageToken": f"{begin + size:x}"} if begin + size < len(rows) else {}
        return list(rows[begin : begin + size]), more

    def mask(self, name: str, known: Sequence[str], *, required: bool) -> list[str]:
        """The fields named by ``readMask`` or ``updateMask``."""
        fields = [one.strip().split(".")[0] for one in self.query.get(name, "").split(",") if one.strip()]
        if (required and not fields) or any(one not in known for one in fields):
            raise Trouble(400, f"Invalid field mask provided: {name}")
        return fields
