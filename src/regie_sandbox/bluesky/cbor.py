"""Content identifiers as the AT Protocol makes them: DAG-CBOR, SHA-256, base32.

Source: atproto.com/specs/data-model.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

RAW, DAG_CBOR = 0x55, 0x71


def cid_of_bytes(content: bytes) -> str:
    return _cid(RAW, content)


def cid_of(value: Any) -> str:
    """The identifier of a record. Raises TypeError for what a record cannot hold (floats)."""
    return _cid(DAG_CBOR, encoded(value))


def _cid(codec: int, content: bytes) -> str:
    raw = bytes((1, codec, 0x12, 0x20)) + hashlib.sha256(content).digest()
    return "b" + base64.b32encode(raw).decode().lower().rstrip("=")


def _link(cid: str) -> bytes:
    text = cid[1:].upper()
    raw = b"\x00" + base64.b32decode(text + "=" * (-len(text) % 8))
    return b"\xd8\x2a" + _head(2, len(raw)) + raw


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes((major << 5 | number,))
    for extra, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << (8 * size):
            return bytes((major << 5 | extra,)) + number.to_bytes(size, "big")
    raise TypeError("a number too large for a record")


def encoded(value: Any) -> bytes:
    match value:
        case None:
            return b"\xf6"
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case str():
            raw = value.encode()
            return _head(3, len(raw)) + raw
        case list() | tuple():
            return _head(4, len(value)) + b"".join(map(encoded, value))
        case {"$link": str(cid)} if len(value) == 1:
            return _link(cid)
        case dict():
            pairs = sorted((len(key.encode()), key.encode(), item) for key, item in value.items())
            return _head(5, len(pairs)) + b"".join(_head(3, size) + key + encoded(item) for size, key, item in pairs)
    raise TypeError(f"a record cannot hold {type(value).__name__}")
