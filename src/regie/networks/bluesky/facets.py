"""What in a text is a link, a mention or a hashtag, by the bytes it stands on.

Bluesky draws no link by itself: whoever writes the post says which bytes of the UTF-8 text are one.
Source: lexicon app.bsky.richtext.facet; the patterns follow @atproto/api (rich-text/util).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import regex

from regie.networks.text import graphemes

LINK = regex.compile(r"(?<![\p{L}\p{N}_])https?://[^\s<>\"]+", regex.IGNORECASE)
MENTION = regex.compile(
    r"(?<![^\s(\[{«\"“‘'])@((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)(?![\w@])",
    regex.IGNORECASE,
)
TAG = regex.compile(r"(?<![^\s(\[{«])[#＃]((?!\ufe0f)[^\s\u00ad\u2060\u200a-\u200d\u20e2#＃]+)")
AFTER_A_LINK = ".,;:!?'\"’”»…*_~"
LONGEST_TAG = 64


@dataclass(frozen=True, slots=True)
class Found:
    """``start`` and ``end`` in characters of the text; ``value`` the address, the handle or the tag."""

    kind: Literal["link", "mention", "tag"]
    start: int
    end: int
    value: str


def found_in(text: str) -> list[Found]:
    """Every link, mention and hashtag, in order; what stands inside a link is only the link."""
    links = list(_links(text))
    taken = [(link.start, link.end) for link in links]
    rest = [
        one
        for one in (*_mentions(text), *_tags(text))
        if not any(start < one.end and one.start < end for start, end in taken)
    ]
    return sorted((*links, *rest), key=lambda one: one.start)


def _links(text: str) -> Iterator[Found]:
    for match in LINK.finditer(text):
        address = _without_closing(match.group())
        if address.partition("://")[2]:
            yield Found("link", match.start(), match.start() + len(address), address)


def _without_closing(address: str) -> str:
    """The address without the full stop or bracket that belongs to the sentence around it."""
    while address and (
        address[-1] in AFTER_A_LINK
        or (address[-1] == ")" and address.count("(") < address.count(")"))
        or (address[-1] == "]" and address.count("[") < address.count("]"))
    ):
        address = address[:-1]
    return address


def _mentions(text: str) -> Iterator[Found]:
    for match in MENTION.finditer(text):
        yield Found("mention", match.start(), match.end(), match.group(1).lower())


def _tags(text: str) -> Iterator[Found]:
    for match in TAG.finditer(text):
        tag = regex.sub(r"[\p{P}--[_]]+$", "", match.group(1), flags=regex.VERSION1)
        if tag and not regex.fullmatch(r"[\p{N}\p{P}]+", tag) and graphemes(tag) <= LONGEST_TAG:
            yield Found("tag", match.start(), match.start(1) + len(tag), tag)


def facets_of(text: str, dids: Mapping[str, str]) -> list[dict[str, Any]]:
    """The facets as the record wants them. ``dids``: handle -> DID; a handle without one stays plain text."""
    facets = []
    for one in found_in(text):
        feature = _feature(one, dids)
        if feature is not None:
            start = len(text[: one.start].encode())
            end = start + len(text[one.start : one.end].encode())
            facets.append({"index": {"byteStart": start, "byteEnd": end}, "features": [feature]})
    return facets


def _feature(one: Found, dids: Mapping[str, str]) -> dict[str, str] | None:
    match one.kind:
        case "link":
            return {"$type": "app.bsky.richtext.facet#link", "uri": one.value}
        case "tag":
            return {"$type": "app.bsky.richtext.facet#tag", "tag": one.value}
        case "mention" if one.value in dids:
            return {"$type": "app.bsky.richtext.facet#mention", "did": dids[one.value]}
    return None
