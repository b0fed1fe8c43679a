"""What a video is, as far as its container says: enough for a server that takes it in and never plays it."""

from __future__ import annotations

import re
import struct

TKHD = {0: 76, 1: 88}  # version -> bytes between a track header's first and its width
WEBM_SIZE = re.compile(rb"\xb0([\x81\x82])(.{1,2}?)\xba([\x81\x82])(.{1,2})", re.DOTALL)


def looked_at(content: bytes) -> tuple[str, tuple[int, int]] | None:
    """Content type, width and height; None when it is no MP4, MOV or WebM. A size that is not found is 0."""
    if content[4:8] == b"ftyp" and content[8:12] not in (b"heic", b"heix", b"mif1", b"avif"):
        return ("video/quicktime" if content[8:12] == b"qt  " else "video/mp4"), _of_tracks(content)
    if content[:4] == b"\x1a\x45\xdf\xa3" and b"webm" in content[:128]:
        return "video/webm", _of_webm(content)
    return None


def _of_tracks(content: bytes) -> tuple[int, int]:
    """From the first track that has a size (ISO 14496-12, 8.3.2: 16.16 fixed point)."""
    at = content.find(b"tkhd")
    while at >= 0:
        begin = at + 4 + TKHD.get(content[at + 4], 76)
        if begin + 8 <= len(content):
            width, height = struct.unpack(">II", content[begin : begin + 8])
            if width and height:
                return width >> 16, height >> 16
        at = content.find(b"tkhd", at + 4)
    return 0, 0


def _of_webm(content: bytes) -> tuple[int, int]:
    """PixelWidth and PixelHeight, which writers put side by side."""
    found = WEBM_SIZE.search(content[:65536])
    if found is None:
        return 0, 0
    return int.from_bytes(found[2], "big"), int.from_bytes(found[4][: found[3][0] & 0x7F], "big")
