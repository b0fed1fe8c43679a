"""Files: stills in one request, GIFs, videos and subtitles in segments. Source: x-api/media of docs.x.com, 2.167.

A file that is there is invisible, and usable for a day. What was sent is in the progress, so that a broken connection
costs one segment and not the whole file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp

from regie.networks.data import Captions, Outgoing, Pending, Picture, Progress, Ready, Video
from regie.networks.errors import Gone, Refused, TokenExpired, TryLater
from regie.networks.line import Answer
from regie.networks.x.entities import Upload, Uploaded
from regie.networks.x.wire import NETWORK, UPLOAD_TIME, Wire, parsed

SEGMENT = 4 * 1024 * 1024
AT_ONCE = 16  # segments between two visits to the database
MOST_TIMES = 3  # a file that X forgot is brought again
MOST_LOOKS = 120  # at a file that X works on: at most about an hour
KEPT = timedelta(hours=23)  # a little less than the day that X keeps a file which no post uses
GIF = "image/gif"
SECOND_FRAME = b"\x21\xf9\x04"  # a graphic control extension: one before each frame
SUBTITLES = {"application/x-subrip": "text/srt", "text/vtt": "text/vtt"}
LANGUAGES = {
    "ar": "العربية", "de": "Deutsch", "en": "English", "es": "Español", "fr": "Français", "it": "Italiano",
    "ja": "日本語", "nl": "Nederlands", "pl": "Polski", "pt": "Português", "ru": "Русский", "tr": "Türkçe",
    "uk": "Українська", "zh": "中文",
}  # fmt: skip


async def prepare(wire: Wire, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
    """Uploads what is not there yet and waits until X is done with it.

    progress: ``{"media": [one per file, in order]}``, each ``{"id", "segments", "whole", "ready", "looks", "again",
    "alt", "until"}``; of a video also ``"cover"`` and ``"captions"``, of the same shape.
    """
    files = outgoing.media
    _must_go_together(files)
    before = list(progress.get("media", ()))
    told: list[dict[str, Any]] = deepcopy(before)
    try:
        for nth, file in enumerate(files):
            if nth == len(told):
                told.append({})
            if (waiting := await _bring(wire, file, told[nth], covered=outgoing.sensitive)) is not None:
                return Pending(progress={**progress, "media": told}, not_before=waiting)
    except TokenExpired:
        raise
    except TryLater as exc:
        while told and not told[-1]:
            told.pop()
        if told == before:
            raise
        return Pending(progress={**progress, "media": told}, not_before=exc.not_before)  # what is there stays there
    return Ready(progress={**progress, "media": told} if files else progress)


def _must_go_together(files: Sequence[Picture | Video]) -> None:
    moving = [one for one in files if isinstance(one, Video) or is_moving(one)]
    if moving and len(files) > 1:
        raise Refused("{network} takes up to four pictures, or one video, or one animated GIF.", network=NETWORK)


def is_moving(picture: Picture) -> bool:
    """Whether a GIF has more than one frame: those are uploaded and played as videos are."""
    if picture.content_type != GIF:
        return False
    seen, tail = 0, b""
    with picture.path.open("rb") as file:
        while block := file.read(SEGMENT):
            seen += (tail + block).count(SECOND_FRAME)
            tail = block[-2:]
    return seen > 1


async def _bring(wire: Wire, file: Picture | Video, one: dict[str, Any], *, covered: bool) -> datetime | None:
    """One file, as far as it goes now. Returns when to go on; None when it is ready."""
    if one.get("until", "9") < datetime.now(UTC).isoformat():
        one.clear()
    try:
        return await _sent(wire, file, one, covered=covered)
    except Gone as exc:  # X forgot it, as it forgets what no post used
        again = one.get("again", 0) + 1
        if again > MOST_TIMES:
            raise _never_done(exc.answer) from exc
        one.clear()
        one["again"] = again
        return datetime.now(UTC)


async def _sent(wire: Wire, file: Picture | Video, one: dict[str, Any], *, covered: bool) -> datetime | None:
    if isinstance(file, Picture) and not is_moving(file):
        await _send_still(wire, file, one)
    else:
        category = "tweet_video" if isinstance(file, Video) else "tweet_gif"
        waiting = await _send_whole(wire, file.path, file.size, file.content_type, category, one)
        if waiting is not None:
            return waiting
    alt = file.alt if isinstance(file, Picture) else ""
    if (alt or covered) and not one.get("alt"):
        await _describe(wire, one["id"], alt, covered=covered)
        one["alt"] = True
    if isinstance(file, Video) and file.cover is not None:
        await _send_still(wire, file.cover, one.setdefault("cover", {}))
    if isinstance(file, Video) and file.captions is not None:
        return await _caption(wire, one, file.captions)
    return None


async def _send_still(wire: Wire, picture: Picture, one: dict[str, Any]) -> None:
    if one.get("ready"):
        return
    form = aiohttp.FormData()
    form.add_field("media_category", "tweet_image")
    with picture.path.open("rb") as file:
        form.add_field("media", file, filename=picture.path.name, content_type=picture.content_type)
        answer = await wire.do("POST", "/2/media/upload", data=form, timeout=UPLOAD_TIME)
    upload = parsed(answer, Uploaded).data
    one.update(id=upload.id, ready=True, until=_until(upload, answer))


async def _send_whole(
    wire: Wire, path: Path, size: int, content_type: str, category: str, one: dict[str, Any]
) -> datetime | None:
    if "id" not in one:
        fields = {"media_type": content_type, "total_bytes": size, "media_category": category}
        answer = await wire.do("POST", "/2/media/upload/initialize", json=fields)
        begun = parsed(answer, Uploaded).data
        one.update(id=begun.id, segments=0, until=_until(begun, answer))
    if not one.get("whole"):
        enough = one["segments"] + AT_ONCE
        for number, block in _segments(path, skip=one["segments"]):
            if number == enough:
                return datetime.now(UTC)
            await _append(wire, one["id"], number, block)
            one["segments"] = number + 1
        answer = await wire.do("POST", f"/2/media/upload/{one['id']}/finalize", addressed=True)
        upload = parsed(answer, Uploaded).data
        one.update(whole=True, until=_until(upload, answer))
        return _look(upload, answer, one)
    if not one.get("ready"):
        asked = {"command": "STATUS", "media_id": one["id"]}
        answer = await wire.get("/2/media/upload", asked, addressed=True)
        return _look(parsed(answer, Uploaded).data, answer, one)
    return None


def _segments(path: Path, *, skip: int) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        file.seek(skip * SEGMENT)
        number = skip
        while block := file.read(SEGMENT):
            yield number, block
            number += 1


async def _append(wire: Wire, media_id: str, number: int, block: bytes) -> None:
    form = aiohttp.FormData()
    form.add_field("segment_index", str(number))
    form.add_field("media", BytesIO(block), filename="segment", content_type="application/octet-stream")
    await wire.do("POST", f"/2/media/upload/{media_id}/append", data=form, addressed=True, timeout=UPLOAD_TIME)


def _until(upload: Upload, answer: Answer) -> str:
    kept = timedelta(seconds=upload.expires_after_secs) if upload.expires_after_secs else KEPT
    return (answer.now + min(kept, KEPT)).isoformat()


def _look(upload: Upload, answer: Answer, one: dict[str, Any]) -> datetime | None:
    """What X says of its work on the file. Raises Refused when it could not read it."""
    state = upload.processing_info.state if upload.processing_info is not None else "succeeded"
    if state == "failed":
        raise Refused("{network} could not read the video: export it as MP4 (H.264).", network=NETWORK, answer=answer)
    if state == "succeeded":
        one["ready"] = True
        return None
    one["looks"] = one.get("looks", 0) + 1
    if one["looks"] > MOST_LOOKS:
        raise _never_done(answer)
    seconds = (upload.processing_info.check_after_secs if upload.processing_info is not None else None) or 1
    return answer.now + timedelta(seconds=seconds)


def _never_done(answer: Answer | None) -> Refused:
    return Refused("{network} did not finish working on the file. Send it again.", network=NETWORK, answer=answer)


async def _describe(wire: Wire, media_id: str, text: str, *, covered: bool) -> None:
    """``covered``: until the reader uncovers it. X has three reasons for it, of which we are told none."""
    about: dict[str, Any] = {"alt_text": {"text": text}} if text else {}
    if covered:
        about["sensitive_media_warning"] = {"other": True}
    await wire.do("POST", "/2/media/metadata", json={"id": media_id, "metadata": about})


async def _caption(wire: Wire, one: dict[str, Any], captions: Captions) -> datetime | None:
    track = one.setdefault("captions", {})
    if track.get("tied"):
        return None
    kind = SUBTITLES.get(captions.content_type, captions.content_type)
    waiting = await _send_whole(wire, captions.path, captions.size, kind, "subtitles", track)
    if waiting is not None:
        return waiting
    code = captions.language.split("-")[0].lower()
    spoken = {"id": track["id"], "language_code": code.upper(), "display_name": LANGUAGES.get(code, code)}
    fields = {"id": one["id"], "media_category": "TweetVideo", "subtitles": spoken}
    await wire.do("POST", "/2/media/subtitles", json=fields)
    track["tied"] = True
    return None
