"""Pictures, videos and documents on their way to LinkedIn: nobody sees them until a post names them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp

from regie.networks.data import Captions, Document, Picture, Video
from regie.networks.errors import Gone, Refused
from regie.networks.linkedin.entities import Asset, Started, StartedVideo, Value
from regie.networks.linkedin.wire import NETWORK, Wire, key, parsed

PARTS_AT_ONCE = 16  # of 4 MB: so much is sent before what has arrived is written down
OCTETS = "application/octet-stream"
Json = dict[str, Any]


async def picture(wire: Wire, one: Picture) -> str:
    """Its urn. Whole in memory: a picture is at most 5 MB."""
    started = await _started(wire, "images")
    await wire.bring("PUT", started.upload_url, one.path.read_bytes(), content_type=one.content_type)
    return started.image


async def document(wire: Wire, one: Document) -> str:
    started = await _started(wire, "documents")
    with one.path.open("rb") as file:
        await wire.bring("PUT", started.upload_url, file, content_type=OCTETS)
    return started.document


async def _started(wire: Wire, kind: str) -> Started:
    fields = {"initializeUploadRequest": {"owner": wire.me}}
    answer = await wire.do("POST", f"/rest/{kind}?action=initializeUpload", fields, vital=True)
    return parsed(answer, Value[Started]).value


async def is_ready(wire: Wire, urn: str) -> bool:
    """Whether LinkedIn is done with it. An app that may not ask goes on without. Raises Refused for what is no use."""
    kind = f"{urn.split(':')[2]}s"
    try:
        answer = await wire.get(f"/rest/{kind}/{key(urn)}", addressed=True)
    except Gone:
        return False  # named a moment ago, and not yet known everywhere
    except Refused as exc:
        if exc.answer is None or exc.answer.status != 403:
            raise
        return True
    match parsed(answer, Asset).status:
        case "AVAILABLE":
            return True
        case "PROCESSING_FAILED":
            raise Refused("{network} could not use the file: export it again.", network=NETWORK, answer=answer)
    return False


# Videos


async def begin(wire: Wire, video: Video) -> Json:
    """What has to be kept of an upload: which parts go where. The addresses run out by themselves."""
    fields = {
        "owner": wire.me,
        "fileSizeBytes": video.size,
        "uploadCaptions": video.captions is not None,
        "uploadThumbnail": video.cover is not None,
    }
    answer = await wire.do(
        "POST", "/rest/videos?action=initializeUpload", {"initializeUploadRequest": fields}, vital=True
    )
    started = parsed(answer, Value[StartedVideo]).value
    return {
        "id": started.video,
        "token": started.upload_token,
        "parts": [[part.upload_url, part.first_byte, part.last_byte] for part in started.upload_instructions],
        "done": [],
        "captions": started.captions_upload_url if video.captions else "",
        "cover": started.thumbnail_upload_url if video.cover else "",
    }


async def send(wire: Wire, video: Video, kept: Json) -> bool:
    """The next parts of the file; True when all of them are there. ``kept["done"]`` grows with each that arrived."""
    for url, first, last in kept["parts"][len(kept["done"]) :][:PARTS_AT_ONCE]:
        part = await asyncio.to_thread(_read, video.path, first, last)
        answer = await wire.bring("PUT", url, part, content_type=OCTETS)
        tag = answer.headers.get("etag", "").strip('"')
        if not tag:
            raise Refused("{network} did not say under which name a part of the video arrived.", network=NETWORK)
        kept["done"].append(tag)
    return len(kept["done"]) == len(kept["parts"])


def _read(path: Path, first: int, last: int) -> bytes:
    with path.open("rb") as file:
        file.seek(first)
        return file.read(last - first + 1)


async def send_beside(wire: Wire, video: Video, kept: Json) -> None:
    """The picture that stands for it, and its subtitles."""
    if video.cover is not None and kept["cover"]:
        cover = video.cover
        await wire.bring(
            "PUT", kept["cover"], cover.path.read_bytes(), content_type=cover.content_type, family="STILLIMAGE"
        )
        kept["cover"] = ""
    if video.captions is not None and kept["captions"]:
        await wire.bring("POST", kept["captions"], _captions(video.captions))
        kept["captions"] = ""


def _captions(captions: Captions) -> aiohttp.FormData:
    language, _, country = captions.language.replace("_", "-").partition("-")
    locale = {"language": language.upper()} | ({"country": country.upper()} if country else {})
    form = aiohttp.FormData()
    told = {"format": "SRT", "source": "USER_PROVIDED", "locale": locale, "transcriptType": "CLOSED_CAPTION"}
    form.add_field("metadata", json.dumps(told))
    form.add_field("file", captions.path.read_bytes(), filename=captions.path.name, content_type="application/x-subrip")
    return form


async def finish(wire: Wire, kept: Json) -> None:
    fields = {"video": kept["id"], "uploadToken": kept["token"], "uploadedPartIds": kept["done"]}
    await wire.do("POST", "/rest/videos?action=finalizeUpload", {"finalizeUploadRequest": fields}, vital=True)
