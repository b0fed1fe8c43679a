"""Files that messages show: looked at as far as the vendor looks, kept, and described as its types describe them."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, UnidentifiedImageError

from regie_sandbox.telegram.chats import Chats
from regie_sandbox.telegram.state import Json
from regie_sandbox.telegram.wire import Params, bad

KINDS = frozenset(("photo", "video", "document", "audio"))
LONGEST_CAPTION = 1024  # code points
LARGEST_PHOTO, SIDE_SUM, WIDEST_RATIO = 10 << 20, 10_000, 20
LARGEST_FILE = 50 << 20
TYPES = {
    b"%PDF": "application/pdf",
    b"PK\x03\x04": "application/zip",
    b"ID3": "audio/mpeg",
    b"\xff\xfb": "audio/mpeg",
}


class Files:
    def __init__(self, chats: Chats) -> None:
        self.chats = chats

    def content(self, params: Params, kind: str, given: str, said: Json) -> Json:
        """What a message shows of an upload (``attach://name``), or of a file that is here already."""
        if len(str(said.get("caption") or "").strip()) > LONGEST_CAPTION:
            raise bad("message caption is too long")
        content, file_id, name = self._bytes(params, kind, given)
        shown: Json = {kind: _described(kind, file_id, content, name, said)}
        if kind == "photo":
            shown = {"photo": [_size(file_id, content)]}
        if kind == "video" and said.get("cover"):
            cover, cover_id, _name = self._bytes(params, "photo", str(said["cover"]))
            shown["video"]["cover"] = [_size(cover_id, cover)]
        covered = said.get("has_spoiler") in (True, "true") and kind in ("photo", "video")
        return shown | ({"has_media_spoiler": True} if covered else {})

    def _bytes(self, params: Params, kind: str, given: str) -> tuple[bytes, str, str]:
        """The bytes, their id, and the name they came under. An upload is kept."""
        files = self.chats.world.files
        if not given.startswith("attach://"):
            content = files.get(f"telegram-{given}")
            if content is None:
                raise bad("wrong file identifier/HTTP URL specified")
            return content, given, ""
        part = given.removeprefix("attach://")
        content = params.files.get(part)
        if content is None:
            raise bad(f"there is no {kind} in the request")
        if not content:
            raise bad("file must be non-empty")
        most = LARGEST_PHOTO if kind == "photo" else LARGEST_FILE
        if len(content) > most:
            raise bad(f"file of size {len(content)} bytes is too big for a {kind}; the maximum size is {most} bytes")
        file_id = f"AgAC{self.chats.fresh_id():08d}"
        files.put(f"telegram-{file_id}", content)
        return content, file_id, params.names.get(part, "")


def _described(kind: str, file_id: str, content: bytes, name: str, said: Json) -> Json:
    """A Video, an Audio or a Document."""
    file: Json = {"file_id": file_id, "file_unique_id": f"u{file_id}", "file_size": len(content)}
    if name:
        file["file_name"] = name
    mime = next((mime for magic, mime in TYPES.items() if content.startswith(magic)), "application/octet-stream")
    match kind:
        case "video":
            return (
                file | {"mime_type": "video/mp4"} | {one: _number(said, one) for one in ("width", "height", "duration")}
            )
        case "audio":
            told = {one: str(said[one]) for one in ("title", "performer") if said.get(one)}
            return file | told | {"mime_type": "audio/mpeg", "duration": _number(said, "duration")}
    return file | {"mime_type": mime}


def _number(said: Json, name: str) -> int:
    """What the sender said; the vendor looks for itself where nothing was said, which this one does not."""
    value: Any = said.get(name)
    return int(value) if value not in (None, "") else 0


def _size(file_id: str, content: bytes) -> Json:
    """A PhotoSize."""
    try:
        width, height = Image.open(io.BytesIO(content)).size
    except (UnidentifiedImageError, OSError):
        raise bad("IMAGE_PROCESS_FAILED") from None
    if width + height > SIDE_SUM or max(width, height) > WIDEST_RATIO * min(width, height):
        raise bad("PHOTO_INVALID_DIMENSIONS")
    unique = f"u{file_id}"
    return {
        "file_id": file_id,
        "file_unique_id": unique,
        "width": width,
        "height": height,
        "file_size": len(content),
    }
