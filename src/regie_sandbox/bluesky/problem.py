"""How this vendor says no."""

from __future__ import annotations

from collections.abc import Mapping


class Problem(Exception):
    """Answered as {error, message} on XRPC, as {error, error_description} on OAuth."""

    def __init__(self, status: int, error: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.error, self.message, self.headers = status, error, message, dict(headers or {})


def invalid(message: str, error: str = "InvalidRequest") -> Problem:
    return Problem(400, error, message)
