"""Pictures and videos, which go to a store beside Reddit before a post names them. Source: the recordings of submit_*.

A file's place is asked of Reddit, its bytes are sent to the store in one form, and the post names its address or its
asset's id. The store answers in XML.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import aiohttp

from regie.networks.data import Outgoing, Picture, Video
from regie.networks.errors import NetworkError, Refused, TryLater
from regie.networks.line import Answer, read
from regie.networks.reddit.entities import Lease, Upload
from regie.networks.reddit.limits import NETWORK
from regie.networks.reddit.wire import UPLOAD_TIME, Wire, not_reddit, parsed, user_agent

TOO_LARGE = re.compile(rb"<Code>EntityTooLarge</Code>")
ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
}
GREY = (0x1A, 0x1A, 0x1B)  # the ground of Reddit's own player


class HalfWay(Exception):
    """Some files are there; ``problem`` says why the rest is not yet."""

    def __init__(self, problem: TryLater) -> None:
        super().__init__(str(problem))
        self.problem = problem


async def upload_rest(wire: Wire, outgoing: Outgoing, there: list[dict[str, str]]) -> None:
    """Send the files that are not there yet, in the order of the post, a video's cover last.

    there: ``{"asset": id, "url": address}`` of each file, in that order; what is sent is put in.
    Raises HalfWay once something new is there, so that it is kept.
    """
    files = files_of(outgoing)
    before = len(there)
    for file in files[before:]:
        try:
            there.append(await _upload(wire, file))
        except TryLater as problem:
            if len(there) > before:
                raise HalfWay(problem) from problem
            raise


def files_of(outgoing: Outgoing) -> Sequence[Picture | Video | bytes]:
    """Pictures, or a video and the picture that stands for it: without one of ours, a grey one as large."""
    if not outgoing.videos:
        return sorted(outgoing.pictures, key=lambda one: one.place)
    video = outgoing.videos[0]
    return video, video.cover or plain_png(video.width, video.height)


async def _upload(wire: Wire, file: Picture | Video | bytes) -> dict[str, str]:
    kind = "image/png" if isinstance(file, bytes) else file.content_type
    asked = {"filepath": f"file.{ENDINGS.get(kind, 'bin')}", "mimetype": kind}
    place = parsed(await wire.do("/api/media/asset.json", asked), Upload)
    where = place.args.action
    if where.startswith("//"):  # as it always does: by the scheme that we speak ourselves
        where = f"{wire.server.split('//')[0]}{where}"
    await _send(wire, where, place.args, file, asked["filepath"])
    key = next((field.value for field in place.args.fields if field.name == "key"), "")
    return {"asset": place.asset.asset_id, "url": f"{where}/{key}"}


async def _send(wire: Wire, where: str, lease: Lease, file: Picture | Video | bytes, name: str) -> None:
    """The store knows the form by its signature: our token does not go there."""
    if isinstance(file, bytes):
        await _post(wire, where, _form(lease, file, name))
        return
    with file.path.open("rb") as source:  # read as it goes
        await _post(wire, where, _form(lease, source, name))


def _form(lease: Lease, content: Any, name: str) -> aiohttp.FormData:
    form = aiohttp.FormData()
    for field in lease.fields:
        form.add_field(field.name, field.value)
    form.add_field("file", content, filename=name, content_type="application/octet-stream")
    return form


async def _post(wire: Wire, where: str, form: aiohttp.FormData) -> None:
    answer = await read(
        wire.http,
        "POST",
        where,
        network=NETWORK,
        data=form,
        timeout=UPLOAD_TIME,
        headers={"User-Agent": user_agent()},
    )
    if 200 <= answer.status < 300:
        return
    raise _store_says(answer)


def _store_says(answer: Answer) -> NetworkError:
    if TOO_LARGE.search(answer.body):
        return Refused("This file is too large for {network}.", network=NETWORK, answer=answer)
    if answer.status in (403, 408, 429):  # a place that ran out before its file came: another is asked for
        return TryLater("{network} did not take the file yet.", network=NETWORK, answer=answer)
    return not_reddit(answer)


def plain_png(width: int, height: int) -> bytes:
    """A picture of one colour, of at most 1280 pixels on its long side. Source: PNG specification, ISO/IEC 15948."""
    scale = min(1.0, 1280 / max(width, height, 1))
    width, height = max(1, round(width * scale)), max(1, round(height * scale))
    row = b"\0" + bytes(GREY) * width
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (b"IHDR", head), (b"IDAT", zlib.compress(row * height, 9)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in parts)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
