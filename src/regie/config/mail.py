"""E-mail by any SMTP server, from one address: ``smtp://user:password@host:587/?tls=1`` (or ``?ssl=1``)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from regie.config.env import Env


def django_settings(env: Env) -> dict[str, Any]:
    """The EMAIL_* settings. Without an address, mail is printed on the console; in the demo, a line of each."""
    sender = env.email_from or f"Régie <regie@{urlsplit(env.public_url).hostname or 'localhost'}>"
    common = {"DEFAULT_FROM_EMAIL": sender, "SERVER_EMAIL": sender, "EMAIL_TIMEOUT": 20}
    if env.email_url is None and env.demo:
        return common | {"EMAIL_BACKEND": "regie.core.mail.OneLineEach"}
    if env.email_url is None:
        return common | {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    parts = urlsplit(env.email_url.get_secret_value())
    options = parse_qs(parts.query)
    ssl = parts.scheme == "smtps" or "ssl" in options
    return common | {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": parts.port or (465 if ssl else 587 if "tls" in options else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": "tls" in options and not ssl,
        "EMAIL_USE_SSL": ssl,
    }
