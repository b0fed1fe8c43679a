"""One line per event, the role in front, and nothing secret in it."""

from __future__ import annotations

import logging
import re
from typing import Any

from regie.config.env import Env

HIDDEN = "***"
SHAPES = (
    re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"),  # user:password@ of an address
    re.compile(r"(?<=/bot)\d+:[\w-]{20,}"),  # Telegram puts its token into the path
    re.compile(r"(?i)(?<=bearer )[\w.~+/=-]{8,}"),
    re.compile(r"(?i)(?<=dpop )[\w.~+/=-]{20,}"),
    re.compile(
        r"(?i)(?<![\w-])((?:access_|refresh_|bot_)?token|client_secret|app_password|password|passphrase)"
        r"(['\"]?\s*[=:]\s*['\"]?)[^\s'\"&,;)}]+"
    ),
)


class OneLine(logging.Formatter):
    """``role 2030-03-01 09:00:00,123 LEVEL logger: message``; a traceback's lines are joined with `` | ``.

    The texts we log hold no secrets. This is the net below them: what looks like one, and the installation's own
    keys, are struck out, also in the errors of libraries.
    """

    def __init__(self, role: str = "", known: tuple[str, ...] = (), **how: Any) -> None:
        front = f"{role:<9} " if role else ""
        super().__init__(f"{front}%(asctime)s %(levelname)s %(name)s: %(message)s", **how)
        self._known = sorted((secret for secret in known if len(secret) >= 8), key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        lines = super().format(record).splitlines()
        return self.without_secrets(" | ".join(line.strip() for line in lines if line.strip()))

    def without_secrets(self, text: str) -> str:
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        *values, named = SHAPES
        for shape in values:
            text = shape.sub(HIDDEN, text)
        return named.sub(rf"\1\2{HIDDEN}", text)


class Known(logging.Filter):
    """Drops what the web server says about a setting that we chose on purpose."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "Python threads, which seems quite high" not in record.getMessage()


def secrets_of(env: Env) -> tuple[str, ...]:
    """The secrets that this process was given by its environment."""
    given = (env.secret_key, env.sealing_key, env.passphrase, env.email_url, env.database_url, env.embedded_url)
    store = (env.s3_key, env.s3_secret)
    return tuple(secret.get_secret_value() for secret in (*given, *store) if secret is not None)


def dict_config(env: Env) -> dict[str, Any]:
    """For ``logging.config``: Django, the web server and every role write the same lines to standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": OneLine, "role": env.role, "known": secrets_of(env)}},
        "filters": {"known": {"()": Known}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": env.log_level},
        "loggers": {
            "_granian": {"filters": ["known"], "level": "WARNING"},
            "granian.access": {"level": "WARNING"},
            "django.db.backends": {"level": "INFO"},
            "django.server": {"handlers": [], "propagate": True},
            "aiohttp.access": {"level": "WARNING"},
            "procrastinate": {"level": "WARNING"},
            **{name: {"level": "WARNING"} for name in ("boto3", "botocore", "s3transfer")},  # they tell how they sign
        },
    }
