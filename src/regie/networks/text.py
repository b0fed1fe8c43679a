"""Counting a text as its network counts it."""

from __future__ import annotations

import regex

from regie.networks.capabilities import Counting, TextLimit
from regie.networks.x.weights import weighted

LINK = regex.compile(r"https?://[^\s<>\"]+", regex.IGNORECASE)
EMOJI = regex.compile(r"[\p{Extended_Pictographic}\p{Regional_Indicator}\u20e3]")
REMOTE_MENTION = regex.compile(r"(?<![\w/])(@[\w.-]+)@[\w.-]+\w")


def graphemes(text: str) -> int:
    """How many characters a person sees: a flag, a family emoji or an accented letter is one."""
    return len(regex.findall(r"\X", text))


def utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _with_emoji_in_bytes(text: str) -> int:
    return sum(len(one.encode()) if EMOJI.search(one) else len(one) for one in regex.findall(r"\X", text))


def _as_mastodon_counts(text: str) -> int:
    return graphemes(REMOTE_MENTION.sub(r"\1", LINK.sub("x" * 23, text)))


_COUNT = {
    Counting.CHARACTERS: len,
    Counting.GRAPHEMES: graphemes,
    Counting.UTF16: utf16_units,
    Counting.MASTODON: _as_mastodon_counts,
    Counting.X: weighted,
    Counting.EMOJI_BYTES: _with_emoji_in_bytes,
}


def length(text: str, counting: Counting) -> int:
    """The text's length in the vendor's own units."""
    return _COUNT[counting](text)


def longest_of(limit: TextLimit, *, with_media: bool = False, with_video: bool = False) -> int:
    """How long a text may be beside these files."""
    if with_video and limit.longest_with_video is not None:
        return limit.longest_with_video
    return limit.longest_with_media if with_media and limit.longest_with_media is not None else limit.longest


def too_long_by(text: str, limit: TextLimit, *, with_media: bool = False, with_video: bool = False) -> int:
    """By how many of the limit's units a text is too long; 0 when it fits.

    A text within its units but beyond its bytes counts as too long by the bytes it has too many.
    """
    over = length(text, limit.counting) - longest_of(limit, with_media=with_media, with_video=with_video)
    over_bytes = len(text.encode()) - limit.longest_bytes if limit.longest_bytes is not None else 0
    return max(over, over_bytes, 0)
