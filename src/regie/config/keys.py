"""Keys made at the first start, kept under ``REGIE_DATA`` with mode 0600, unless the environment gives them."""

from __future__ import annotations

import secrets
from pathlib import Path

from regie.config.env import Env
from regie.core.files import write_secret


def cookie_key(env: Env) -> str:
    """Signs cookies and links."""
    if env.secret_key is not None:
        return env.secret_key.get_secret_value()
    path = env.data / "secret_key"
    return path.read_text() if path.exists() else write_secret(path, secrets.token_urlsafe(50))


def sealing_key_path(env: Env) -> Path:
    return env.data / "sealing_key"
