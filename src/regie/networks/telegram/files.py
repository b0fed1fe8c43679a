"""The files of a message: pictures, videos, documents, sounds, alone or as an album, and how they travel.

Source: https://core.telegram.org/bots/api#sending-files, Bot API 10.1. A file goes up with the message that shows it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from regie.networks.data import Document, Outgoing, Picture, Sound, Video

METHODS = {"photo": "sendPhoto", "video": "sendVideo", "document": "sendDocument", "audio": "sendAudio"}
MOST = 10  # of an album
COVERED = ("photo", "video")  # what the reader can be made to uncover


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a message: ``kind`` as Telegram calls it, what is said of it, and the parts of the form."""

    kind: str
    part: str
    fields: Mapping[str, Any]
    parts: Mapping[str, Picture | Video | Document | Sound] = field(default_factory=dict)

    @property
    def media(self) -> dict[str, Any]:
        """As an InputMedia of an album, or of an edit."""
        return {"type": self.kind, "media": f"attach://{self.part}", **self.fields}


def items_of(outgoing: Outgoing) -> list[Item]:
    """In the order of the post. ``part0`` and so on are the names in the form."""
    files = (*outgoing.media, *outgoing.documents, *outgoing.sounds)
    return [_item(one, number, sensitive=outgoing.sensitive) for number, one in enumerate(files)]


def _item(one: Picture | Video | Document | Sound, number: int, *, sensitive: bool) -> Item:
    part = f"part{number}"
    spoiler = {"has_spoiler": True} if sensitive else {}
    match one:
        case Picture():
            return Item("photo", part, spoiler, {part: one})
        case Video():
            return _video(one, part, spoiler)
        case Sound():
            title = {"title": one.title} if one.title else {}
            return Item("audio", part, {"duration": round(one.seconds), **title}, {part: one})
        case Document():
            return Item("document", part, {}, {part: one})


def _video(video: Video, part: str, spoiler: Mapping[str, Any]) -> Item:
    fields = {
        "width": video.width,
        "height": video.height,
        "duration": round(video.seconds),
        "supports_streaming": True,
        **spoiler,
    }
    if video.cover is None:
        return Item("video", part, fields, {part: video})
    cover = f"cover{part.removeprefix('part')}"
    return Item("video", part, {**fields, "cover": f"attach://{cover}"}, {part: video, cover: video.cover})


def captioned(items: Sequence[Item], text: str) -> tuple[list[dict[str, Any]], int]:
    """The media of an album with its one text, and the number of the item that carries it.

    Under pictures and videos it is the first, which all clients show below the whole; documents and sounds are shown
    one below the other, each with its own words, so there it is the last.
    """
    media = [item.media for item in items]
    at = 0 if items[0].kind in COVERED else len(items) - 1
    if text:
        media[at]["caption"] = text
    return media, at


def form(files: ExitStack, items: Sequence[Item], *, alone: bool) -> aiohttp.FormData:
    """The files as a form. ``alone``: a message of one file names its part after the kind.

    Names go out as they are, in UTF-8: percent signs would be shown to the reader.
    """
    made = aiohttp.FormData(quote_fields=False)
    for item in items:
        for part, one in item.parts.items():
            name = item.kind if alone and part == item.part else part
            opened = files.enter_context(one.path.open("rb"))
            made.add_field(name, opened, filename=_filename(one, name), content_type=one.content_type)
    return made


def _filename(one: Picture | Video | Document | Sound, part: str) -> str:
    """A document's and a sound's own name, which readers see; no other."""
    if isinstance(one, Document | Sound):
        return one.name.replace('"', "").replace("\\", "").replace("\r", "").replace("\n", "")
    return f"{part}{one.path.suffix}"


def marks(items: Sequence[Item]) -> list[str]:
    """What each item is, to know after an edit which of them was changed."""
    return [_mark(item) for item in items]


def _mark(item: Item) -> str:
    said = {**item.fields, "kind": item.kind, "bytes": [_digest(one.path) for one in item.parts.values()]}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def _digest(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
