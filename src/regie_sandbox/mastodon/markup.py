"""Text as typed to the HTML that Mastodon makes of it, and its length as Mastodon counts."""

from __future__ import annotations

import struct
import zlib
from html import escape

import regex

from regie.networks.capabilities import Counting
from regie.networks.text import length

MENTION = regex.compile(r"(?<![\w/@])@(\w+)(?:@([\w.:-]*\w))?")
_TOKEN = regex.compile(
    r"(?P<link>https?://[^\s<>\"]+)|(?<![\w/@])@(?P<name>\w+)(?:@(?P<host>[\w.:-]*\w))?|(?<![\w/#])#(?P<tag>\w*\p{L}\w*)"
)
SHOWN = 30  # characters of a link that are shown


def count(text: str, spoiler: str = "") -> int:
    """Graphemes of warning and text together, a link as 23, of a remote mention the name only."""
    return length(spoiler, Counting.MASTODON) + length(text, Counting.MASTODON)


def as_html(text: str, *, base: str, known: dict[str, str]) -> str:
    """``known``: user names (lower case) of this server -> as they are written."""

    def one(found: regex.Match[str]) -> str:
        if link := found["link"]:
            return _link(link)
        if tag := found["tag"]:
            return (
                f'<a href="{base}/tags/{escape(tag)}" class="mention hashtag" rel="tag">#<span>{escape(tag)}</span></a>'
            )
        name = known.get(found["name"].lower())
        if name is None:
            return escape(found[0])
        return (
            f'<span class="h-card" translate="no"><a href="{base}/@{name}" class="u-url mention">'
            f"@<span>{name}</span></a></span>"
        )

    pieces, at = [], 0
    for found in _TOKEN.finditer(text):
        pieces += [escape(text[at : found.start()], quote=False), one(found)]
        at = found.end()
    whole = "".join(pieces) + escape(text[at:], quote=False)
    return "".join(f"<p>{part.replace(chr(10), '<br />')}</p>" for part in whole.split("\n\n")) if whole else ""


def _link(link: str) -> str:
    scheme, rest = link.split("://", 1)
    shown, hidden = rest[:SHOWN], rest[SHOWN:]
    ellipsis = "ellipsis" if hidden else ""
    return (
        f'<a href="{escape(link)}" target="_blank" rel="nofollow noopener" translate="no">'
        f'<span class="invisible">{scheme}://</span><span class="{ellipsis}">{escape(shown)}</span>'
        f'<span class="invisible">{escape(hidden)}</span></a>'
    )


def avatar(seed: str) -> bytes:
    """A plain PNG of 64 x 64 in a colour of its own."""
    hue = zlib.crc32(seed.encode())
    pixel = bytes(96 + (hue >> shift & 0x7F) for shift in (0, 8, 16))
    rows = (b"\0" + pixel * 64) * 64

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
