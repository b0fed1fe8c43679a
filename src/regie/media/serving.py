"""Sending a stored file to a browser or a network: whole, or the piece that was asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.core.files.base import File as DjangoFile
from django.db.models.fields.files import FieldFile
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotModified,
    StreamingHttpResponse,
)

from regie.core import store
from regie.core.store import StoreAway

PIECE = 256 * 1024
RANGE = re.compile(r"bytes=(?P<first>\d{0,18})-(?P<last>\d{0,18})\Z")


def served(
    request: HttpRequest,
    stored: Any,
    *,
    content_type: str,
    tag: str,
    cache: str = "private, max-age=31536000, immutable",
) -> HttpResponseBase:
    """The bytes of a stored file, with one range of them when the request asks for one (RFC 9110, section 14).

    tag: names these very bytes; a browser that has them gets 304
    Several ranges at once, or a range of another file (If-Range), are answered with the whole, as the standard allows.
    What is kept elsewhere passes through us: the browser speaks to nobody else, and no address of a store leaves.
    """
    tag = f'"{tag}"'
    if request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified()
    if not stored:
        raise Http404
    try:
        response = _answer(request, stored, tag)
    except FileNotFoundError:
        raise Http404 from None
    except StoreAway:
        return HttpResponse(status=503, headers={"Retry-After": "10", "Cache-Control": "no-store"})
    response["Content-Type"] = content_type
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = cache
    response["ETag"] = tag
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _answer(request: HttpRequest, stored: FieldFile, tag: str) -> HttpResponseBase:
    wanted = RANGE.match(request.headers.get("Range", ""))
    if wanted is None or not any(wanted.groups()) or request.headers.get("If-Range", tag) != tag:
        return _whole(request, stored)
    size = store.size_of(stored)
    first, last = _bounds(wanted, size)
    if first > last or first >= size:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    piece = StreamingHttpResponse(_Piece(store.streamed(stored, first, last), last - first + 1), status=206)
    piece["Content-Range"] = f"bytes {first}-{last}/{size}"
    piece["Content-Length"] = str(last - first + 1)
    return piece


def _whole(request: HttpRequest, stored: FieldFile) -> HttpResponseBase:
    if request.method == "HEAD":
        return HttpResponse(headers={"Content-Length": str(store.size_of(stored))})
    opened = store.streamed(stored)
    if isinstance(opened, DjangoFile):
        return FileResponse(opened)
    whole = StreamingHttpResponse(_Piece(opened, opened.size))
    whole["Content-Length"] = str(opened.size)
    return whole


def _bounds(wanted: re.Match[str], size: int) -> tuple[int, int]:
    """First and last byte, both meant: ``5-9``, ``5-`` to the end, ``-5`` the last five."""
    first, last = wanted["first"], wanted["last"]
    if not first:
        return max(0, size - int(last)), size - 1 if int(last) else -1
    return int(first), min(int(last), size - 1) if last else size - 1


class _Piece:
    """So many bytes of a file from where it stands; closed with the response."""

    def __init__(self, opened: store.Opened, left: int) -> None:
        self.opened, self.left = opened, left

    def __iter__(self) -> Iterator[bytes]:
        while self.left and (read := self.opened.read(min(PIECE, self.left))):
            self.left -= len(read)
            yield read

    def close(self) -> None:
        self.opened.close()
