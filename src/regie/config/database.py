"""Which PostgreSQL this process uses: the one of ``DATABASE_URL``, else the embedded one under ``REGIE_DATA``."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from regie.config.env import env

_url: str | None = None


def use(url: str) -> None:
    """Called by whoever started the embedded server, before Django reads its settings."""
    global _url
    _url = url


def url() -> str:
    """The address in force. Without a server yet, one that leads nowhere: enough for commands that never connect."""
    given = env().database_url
    if given is not None:
        return given.get_secret_value()
    return _url or env().embedded_url.get_secret_value() or "postgresql://regie@nowhere.invalid/regie"


def django_settings(address: str) -> dict[str, Any]:
    """A PostgreSQL address as Django's DATABASES wants it. A ``host`` parameter names a socket's folder."""
    parts = urlsplit(address)
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or parts.hostname or "",
        "PORT": options.pop("port", None) or str(parts.port or ""),
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }
