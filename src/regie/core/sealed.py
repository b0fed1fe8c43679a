"""Secrets at rest: AES-256-GCM under keys that never enter the database.

A sealed value is ``version byte | key id (4 bytes) | nonce (12 bytes) | ciphertext and tag``. The context (which row,
which field) is authenticated with it, so a value copied to another row does not open. Several keys may be known at
once: the first seals, any opens; ``regie keys rotate`` seals everything again under a new first key.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from regie.core.files import write_secret

VERSION = b"\x01"
KEY_BYTES = 32


class CannotOpen(Exception):
    """The value was sealed under a key that we do not have, for another place, or was tampered with."""


class Sealer:
    """Seals and opens under ``keys``, newest first (32 bytes each). ``look_again`` reads them anew."""

    def __init__(self, keys: list[bytes], look_again: Callable[[], list[bytes]] | None = None) -> None:
        self._look_again = look_again
        self._learn(keys)

    def _learn(self, keys: list[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError("A sealing key is 32 bytes.")
        self._ciphers = {key_id(key): AESGCM(key) for key in keys}
        self._first = key_id(keys[0])

    def seal(self, value: bytes, *, context: str) -> bytes:
        nonce = secrets.token_bytes(12)
        sealed = self._ciphers[self._first].encrypt(nonce, value, context.encode())
        return VERSION + self._first + nonce + sealed

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """Raises CannotOpen."""
        version, key, nonce, rest = sealed[:1], sealed[1:5], sealed[5:17], sealed[17:]
        if key not in self._ciphers and self._look_again is not None:
            self._learn(self._look_again())  # another process may have rotated the keys since we started
        cipher = self._ciphers.get(key)
        if version != VERSION or cipher is None:
            raise CannotOpen("Sealed under a key that this installation does not have.")
        try:
            return cipher.decrypt(nonce, rest, context.encode())
        except InvalidTag as exc:
            raise CannotOpen("The sealed value was changed, or belongs somewhere else.") from exc

    def seal_json(self, value: Mapping[str, str], *, context: str) -> bytes:
        return self.seal(json.dumps(dict(value)).encode(), context=context)

    def open_json(self, sealed: bytes, *, context: str) -> dict[str, str]:
        opened: dict[str, str] = json.loads(self.open(sealed, context=context))
        return opened

    def is_current(self, sealed: bytes) -> bool:
        """Whether it was sealed under the newest key."""
        return bytes(sealed[1:5]) == self._first


def key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"regie key id" + key).digest()[:4]


@cache
def sealer() -> Sealer:
    """This installation's sealer."""
    from regie.config.env import env
    from regie.config.keys import sealing_key_path

    given = env().sealing_key

    def keys() -> list[bytes]:
        return keys_of(sealing_key_path(env()), given.get_secret_value() if given else None)

    return Sealer(keys(), keys)


def keys_of(path: Path, given: str | None) -> list[bytes]:
    """The sealing keys, newest first: from the environment, else from the file, made at the first start (mode 0600)."""
    if given:
        return [base64.b64decode(part) for part in given.split(",")]
    if not path.exists():
        write_secret(path, _new_key())  # of processes that start at the same moment the first makes it for all
    return [base64.b64decode(line) for line in path.read_text().split()]


def add_key(path: Path) -> None:
    """Puts a new key first in the file; before a first start, makes the file."""
    old = path.read_text() if path.exists() else ""
    write_secret(path, _new_key() + old, replace=bool(old))


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n"
