"""Uploads: in one request, or in segments with work afterwards; descriptions and subtitles. Source: x-api/media."""

from __future__ import annotations

import base64
import io
import json
import warnings
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web
from PIL import Image

from regie_sandbox import films
from regie_sandbox.x import rules
from regie_sandbox.x.call import Call, authed
from regie_sandbox.x.rules import invalid, not_found
from regie_sandbox.x.state import Media

if TYPE_CHECKING:
    from regie_sandbox.x.app import X

ANIMATED = 350  # frames of a GIF at most
WORKED_ON = ("tweet_video", "amplify_video", "tweet_gif")


def routes(net: X) -> list[web.RouteDef]:
    def write(do: Any, limit: int) -> Any:
        return authed(net, do, "media.write", limit=limit)

    one = "/2/media/upload/{id}"
    return [
        web.post("/2/media/upload", write(upload, 500)),
        web.get("/2/media/upload", write(status, 1000)),
        web.post("/2/media/upload/initialize", write(initialize, 1875)),
        web.post(f"{one}/append", write(append, 1875)),
        web.post(f"{one}/finalize", write(finalize, 1875)),
        web.post("/2/media/metadata", write(describe, 500)),
        web.post("/2/media/subtitles", write(subtitle, 100)),
    ]


async def _form(call: Call) -> dict[str, Any]:
    """JSON with base64, or a form with bytes: X takes both."""
    if call.request.content_type == "application/json":
        fields = json.loads(await call.request.read() or b"{}")
        return {**fields, "media": base64.b64decode(fields.get("media", ""))}
    form = await call.request.post()
    return {name: value.file.read() if isinstance(value, web.FileField) else value for name, value in form.items()}


def _new(call: Call, category: str, content_type: str, total: int) -> Media:
    if category not in rules.TYPES:
        raise invalid("$.media_category: does not have a value in the enumeration")
    if content_type not in rules.TYPES[category]:
        raise invalid(f"Unsupported media type {content_type} for {category}")
    if total > rules.LARGEST[category]:
        raise invalid(f"File size exceeds {rules.LARGEST[category]} bytes.")
    until = call.net.now() + rules.MEDIA_KEPT
    media = Media(call.net.new_id(), call.me.id, category, content_type, total, until)
    call.net.state.media[media.id] = media
    return media


def _of_mine(call: Call, media_id: str) -> Media:
    media = call.net.state.media.get(media_id)
    if media is None or media.owner != call.me.id or media.until < call.net.now():
        raise not_found("media", media_id)
    return media


async def upload(call: Call) -> Any:
    fields = await _form(call)
    content = fields.get("media") or b""
    content_type = _look(content)[0]
    media = _new(call, str(fields.get("media_category", "")), content_type, len(content))
    if media.category in WORKED_ON:
        raise invalid(f"{media.category} needs the chunked upload.")
    call.net.world.files.put(f"x-{media.id}", content)
    media.whole = True
    _finish(call, media, content)
    return {"data": _told(call, media)}


async def initialize(call: Call) -> Any:
    fields = await call.json(("additional_owners", "media_category", "media_type", "shared", "total_bytes"))
    category = str(fields.get("media_category") or "tweet_image")
    media = _new(call, category, str(fields.get("media_type", "")), int(fields.get("total_bytes") or 0))
    return {"data": {"id": media.id, "media_key": media.key, "expires_after_secs": 86_400}}


async def append(call: Call) -> Any:
    media, fields = _of_mine(call, call.id), await _form(call)
    block, number = fields.get("media") or b"", int(fields.get("segment_index", -1))
    if media.whole:
        raise invalid("The upload is finalized.")
    if not 0 <= number <= 999 or not block:
        raise invalid("$.segment_index: must have a minimum value of 0 and a maximum value of 999")
    if len(block) > rules.LARGEST_SEGMENT:
        raise invalid("Segments do not add up to provided total file size, or are larger than 5 MB.")
    call.net.world.files.put(f"x-{media.id}-{number}", block)
    media.segments[number] = len(block)
    return {"data": {"expires_at": int(media.until.timestamp())}}


async def finalize(call: Call) -> Any:
    media = _of_mine(call, call.id)
    there = sorted(media.segments)
    if there != list(range(len(there))) or sum(media.segments.values()) != media.total:
        raise invalid("Segments do not add up to provided total file size.")
    files = call.net.world.files
    content = b"".join(files.get(f"x-{media.id}-{number}") or b"" for number in there)
    files.put(f"x-{media.id}", content)
    media.whole = True
    _finish(call, media, content)
    return {"data": _told(call, media)}


def _finish(call: Call, media: Media, content: bytes) -> None:
    content_type, (media.width, media.height), frames = _look(content)
    if media.category == "subtitles":
        content_type = media.content_type if content.strip() else ""
    if content_type not in rules.TYPES[media.category] or frames > ANIMATED:
        if media.category not in WORKED_ON:
            raise invalid("media type unrecognized.")
        media.failed = True
    seconds = call.net.processing_seconds if media.category in WORKED_ON else 0.0
    media.ready_at = call.net.now() + timedelta(seconds=seconds)


def _look(content: bytes) -> tuple[str, tuple[int, int], int]:
    """Content type, size and frames, from the bytes and not from a name."""
    if (film := films.looked_at(content)) is not None:
        return film[0], film[1], 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as image:
                return Image.MIME.get(image.format or "", ""), image.size, getattr(image, "n_frames", 1)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return "", (0, 0), 0


async def status(call: Call) -> Any:
    return {"data": _told(call, _of_mine(call, call.query.get("media_id", "")))}


def _told(call: Call, media: Media) -> dict[str, Any]:
    body: dict[str, Any] = {"id": media.id, "media_key": media.key, "size": media.total, "expires_after_secs": 86_400}
    if media.kind == "photo" and media.category != "subtitles":
        body["image"] = {"image_type": media.content_type, "w": media.width, "h": media.height}
    if media.category in WORKED_ON:
        body["processing_info"] = _work(call, media)
    return body


def _work(call: Call, media: Media) -> dict[str, Any]:
    if media.ready_at is None or media.ready_at > call.net.now():
        return {"state": "in_progress", "check_after_secs": 1, "progress_percent": 50}
    return {"state": "failed"} if media.failed else {"state": "succeeded", "progress_percent": 100}


async def describe(call: Call) -> Any:
    fields = await call.json(("id", "metadata"))
    media = _of_mine(call, str(fields.get("id", "")))
    about = fields.get("metadata") or {}
    text = str((about.get("alt_text") or {}).get("text") or "")
    if len(text) > rules.LONGEST_ALT:
        raise invalid("$.metadata.alt_text.text: may only be 1000 characters long")
    warning = about.get("sensitive_media_warning") or {}
    if unknown := sorted(set(warning) - set(rules.WARNINGS)):
        raise invalid(f"$.metadata.sensitive_media_warning: does not define {unknown[0]}")
    media.alt, media.warnings = text, [name for name, said in warning.items() if said]
    return {"data": {"id": media.id, "associated_metadata": about}}


async def subtitle(call: Call) -> Any:
    fields = await call.json(("id", "media_category", "subtitles"))
    media, track = _of_mine(call, str(fields.get("id", ""))), fields.get("subtitles") or {}
    code = str(track.get("language_code", ""))
    if media.kind != "video" or _of_mine(call, str(track.get("id", ""))).category != "subtitles":
        raise invalid("Subtitles belong to a video.")
    if len(code) != 2 or not code.isupper():
        raise invalid("$.subtitles.language_code: does not match the regex pattern ^[A-Z]{2}$")
    media.subtitles[code] = str(track["id"])
    return {"data": {"id": media.id, "media_category": fields.get("media_category"), "associated_subtitles": {}}}
