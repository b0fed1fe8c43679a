"""Whether a post seen on a network is the one we sent, though networks rewrite what they are given."""

from __future__ import annotations

import html
import re
import unicodedata
from difflib import SequenceMatcher

_LINK = re.compile(r"https?://(www\.)?", re.IGNORECASE)
_TAIL = re.compile(r"/(?=\s|$)")
ALIKE = 0.75


def normal(text: str) -> str:
    """The text without what networks change: entities, spaces, invisible marks, a link's scheme and last slash."""
    text = unicodedata.normalize("NFKC", html.unescape(text))
    text = "".join(c for c in text if unicodedata.category(c) != "Cf" or c == "\u200d")
    text = " ".join(_LINK.sub("", text).split())
    return _TAIL.sub("", text).casefold()


def same(sent: str, seen: str) -> bool:
    """The same text, but for what ``normal`` passes over and a name put before it."""
    ours, theirs = normal(sent), normal(seen)
    return ours == theirs or (bool(ours) and theirs.startswith("@") and theirs.endswith(" " + ours))


def alike(sent: str, seen: str) -> bool:
    """Not the same, and yet it may be ours, rewritten: reason enough to ask a person before sending again."""
    ours, theirs = normal(sent), normal(seen)
    if not ours or not theirs:
        return True  # a picture alone: nothing tells them apart
    return ours in theirs or theirs in ours or SequenceMatcher(None, ours, theirs).ratio() >= ALIKE
