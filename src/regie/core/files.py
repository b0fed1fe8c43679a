"""Small secret files, written whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_secret(path: Path, text: str, *, replace: bool = False) -> str:
    """Writes a file of mode 0600 and returns what it holds. Without ``replace`` the first of several writers wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if replace:
        temporary.replace(path)
        return text
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    return path.read_text()
