"""Pins with a picture, with several, with a video. Source: ``POST /pins`` and ``POST /media`` of the description.

Pictures travel inside the one visible call, so that no public address is needed. A video is handed to Pinterest's
storage before the hour; what the storage asks for with it is good for minutes, so it is never kept.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import regex

from regie.networks.capabilities import Choice, Format
from regie.networks.data import Listing, Outgoing, Pending, Picture, Progress, Published, Ready, Ref, Seen, Video
from regie.networks.errors import Gone, Refused, TryLater
from regie.networks.line import Answer
from regie.networks.pinterest import limits
from regie.networks.pinterest.entities import Board, Item, Page, Pin, Section, Upload, Uploaded
from regie.networks.pinterest.wire import NETWORK, Wire, parsed, written

PAUSES = (3, 5, 10, 15, 30)  # seconds between looks at a video; the last one repeats
MOST_LOOKS = 60  # about half an hour
PAGE = 250
MOST_PAGES = 20
ADDRESS = regex.compile(r"^https://(?:[a-z]{2,3}\.|www\.)?pinterest\.[a-z.]{2,6}/pin/(?:[^/]*--)?(\d+)(?:/.*|\?.*)?$")


# Before the hour


async def prepare(wire: Wire, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
    """Hands the video over, and waits until Pinterest is done with it.

    progress: ``{"media_id": "...", "looks": n}``; empty for a Pin of pictures.
    """
    refuse_what_is_absent(wire, outgoing)
    if not outgoing.videos:
        return Ready(progress=progress)
    if not progress.get("media_id"):
        media_id = await _upload(wire, outgoing.videos[0])
        return Pending(progress={"media_id": media_id, "looks": 0})
    return await _settle(wire, progress)


def refuse_what_is_absent(wire: Wire, outgoing: Outgoing) -> None:
    """What Pinterest does not have is refused, never dropped in silence."""
    if outgoing.reply_to is not None:
        raise Refused("{network} lets no app write comments.", network=NETWORK)
    if outgoing.poll is not None:
        raise Refused("{network} has no polls.", network=NETWORK)
    if outgoing.content_warning or outgoing.sensitive:
        raise Refused("{network} has no content warnings.", network=NETWORK)
    if outgoing.visibility not in ("", "public"):
        raise Refused("{network} does not have this visibility.", network=NETWORK)
    if outgoing.format is not Format.POST or outgoing.documents or outgoing.sounds:
        raise Refused("{network} does not take this format.", network=NETWORK)
    if not outgoing.media:
        raise Refused("A post on {network} needs a picture or a video.", network=NETWORK)
    if outgoing.videos and wire.trial:
        raise Refused("{network} makes no video Pins for apps on trial access.", network=NETWORK)
    if outgoing.videos and len(outgoing.media) > 1:
        raise Refused("A video on {network} stands alone: one video, and no pictures beside it.", network=NETWORK)
    if len(outgoing.pictures) > limits.CAROUSEL:
        raise Refused("{network} takes at most {most} pictures here.", network=NETWORK, most=limits.CAROUSEL)
    if not outgoing.options.get("board"):
        raise Refused("Choose the board of {network} first.", network=NETWORK)


async def _upload(wire: Wire, video: Video) -> str:
    """A form with the file at its end, as the storage wants it: in one piece, begun anew when it broke off."""
    answer = await wire.do("POST", "/media", {"media_type": "video"})
    where = parsed(answer, Upload)
    form = aiohttp.FormData()
    for name, value in where.upload_parameters.items():
        form.add_field(name, value)
    with video.path.open("rb") as file:
        form.add_field("file", file, filename=video.path.name, content_type=video.content_type)
        sent = await wire.upload(where.upload_url, form)
    if sent.status >= 300:
        raise _not_stored(sent)
    return where.media_id


def _not_stored(answer: Answer) -> Refused | TryLater:
    """The storage answers in XML of its own."""
    if b"EntityTooLarge" in answer.body:
        return Refused("The video is too large for {network}.", network=NETWORK, answer=answer)
    return TryLater(
        "{network} did not take the video ({status}).", network=NETWORK, status=answer.status, answer=answer
    )


async def _settle(wire: Wire, progress: Progress) -> Ready | Pending:
    try:
        answer = await wire.get(f"/media/{progress['media_id']}", addressed=True, vital=True)
    except Gone:
        return Pending(progress={})  # forgotten there: begun anew
    status = parsed(answer, Uploaded).status
    if status == "succeeded":
        return Ready(progress={"media_id": progress["media_id"]})
    if status == "failed":
        raise Refused("{network} could not use the video: export it as MP4 (H.264).", network=NETWORK, answer=answer)
    looks = int(progress.get("looks", 0)) + 1
    if looks > MOST_LOOKS:
        raise Refused("{network} did not finish working on the file. Send it again.", network=NETWORK)
    pause = timedelta(seconds=PAUSES[min(looks, len(PAUSES)) - 1])
    return Pending(
        progress={"media_id": progress["media_id"], "looks": looks},
        not_before=answer.now + pause,
    )


# At the hour


async def commit(wire: Wire, outgoing: Outgoing, progress: Progress) -> Published | Pending:
    """The one visible call."""
    ready = await prepare(wire, outgoing, progress)
    if isinstance(ready, Pending):
        return ready
    body = await asyncio.to_thread(_pin, outgoing, ready.progress)  # pictures are large: others wait for nobody
    answer = await wire.publish("/pins", body)
    return as_published(wire, written(answer, Pin), answer)


def _pin(outgoing: Outgoing, progress: Progress) -> bytes:
    source = _video(outgoing.videos[0], progress) if outgoing.videos else _pictures(outgoing.pictures)
    return json.dumps({**_words(outgoing), "media_source": source}).encode()


def _words(outgoing: Outgoing) -> dict[str, Any]:
    """What may be said, and said anew in an edit."""
    chosen = outgoing.options
    said: dict[str, Any] = {
        "board_id": str(chosen["board"]),
        "title": str(chosen.get("title", "")),
        "description": outgoing.text,
        "alt_text": _alt(outgoing),
        "link": str(chosen.get("link", "")),
    }
    if chosen.get("board_section"):
        said["board_section_id"] = str(chosen["board_section"])
    return {name: value for name, value in said.items() if value}


def _alt(outgoing: Outgoing) -> str:
    """A Pin has one description for those who do not see it, however many pictures it holds."""
    alt = "\n".join(item.alt for item in outgoing.media if item.alt)
    if len(alt) > limits.ALT:
        raise Refused(
            "{network} takes {most} characters for the descriptions of all pictures together.",
            network=NETWORK,
            most=limits.ALT,
        )
    return alt


def _pictures(pictures: tuple[Picture, ...]) -> dict[str, Any]:
    items = [_bytes(one) for one in sorted(pictures, key=lambda one: one.place)]
    if len(items) == 1:
        return {"source_type": "image_base64", **items[0]}
    return {"source_type": "multiple_image_base64", "items": items}


def _bytes(picture: Picture) -> dict[str, str]:
    return {"content_type": picture.content_type, "data": _base64(picture.path)}


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _video(video: Video, progress: Progress) -> dict[str, Any]:
    """Pinterest chooses no picture by itself: without one of ours, the video's beginning stands for it."""
    source: dict[str, Any] = {"source_type": "video_id", "media_id": progress["media_id"]}
    if video.cover is not None:
        cover = {"cover_image_content_type": video.cover.content_type, "cover_image_data": _base64(video.cover.path)}
        return {**source, **cover}
    return {**source, "cover_image_key_frame_time": int(video.cover_at or 0)}


def as_published(wire: Wire, pin: Pin, answer: Answer) -> Published:
    url = f"https://www.pinterest.com/pin/{pin.id}/"
    if wire.trial:
        return Published(
            remote_id=pin.id,
            url=url,
            at=pin.created_at,
            answer=answer,
            limited="Pinterest shows it to nobody but you until it gives your app Standard access.",
        )
    return Published(remote_id=pin.id, url=url, at=pin.created_at, answer=answer)


async def edit(wire: Wire, ref: Ref, outgoing: Outgoing) -> Published:
    """The words, the link and the board; pictures and video stay. The same change again changes nothing."""
    refuse_what_is_absent(wire, outgoing)
    fields = {"title": None, "description": None, "link": None, **_words(outgoing)}
    answer = await wire.do("PATCH", f"/pins/{ref.remote_id}", fields, addressed=True)
    return as_published(wire, parsed(answer, Pin), answer)


async def delete(wire: Wire, ref: Ref) -> None:
    try:
        await wire.do("DELETE", f"/pins/{ref.remote_id}", addressed=True)
    except Gone:
        return


async def fetch(wire: Wire, remote_id: str) -> Published:
    answer = await wire.get(f"/pins/{remote_id}", addressed=True)
    return as_published(wire, parsed(answer, Pin), answer)


def id_of(url: str) -> str | None:
    found = ADDRESS.match(url.strip())
    return found[1] if found else None


# What is there


async def choices(wire: Wire, option: str, chosen: Mapping[str, str]) -> tuple[Choice, ...]:
    """Boards that everybody can see, and the sections of one of them."""
    if option == "board":
        boards = await _all(wire, "/boards", Page[Board], {"privacy": "PUBLIC"})
        return tuple(Choice(one.id, one.name) for one in boards if one.privacy == "PUBLIC" and not one.is_ads_only)
    if option == "board_section" and chosen.get("board"):
        sections = await _all(wire, f"/boards/{chosen['board']}/sections", Page[Section], {}, addressed=True)
        return tuple(Choice(one.id, one.name) for one in sections)
    return ()


async def _all(
    wire: Wire, path: str, page: type[Page[Item]], params: Mapping[str, str], *, addressed: bool = False
) -> list[Item]:
    found: list[Item] = []
    bookmark = ""
    for _ in range(MOST_PAGES):
        asked = {"page_size": str(PAGE), **params, **({"bookmark": bookmark} if bookmark else {})}
        part = parsed(await wire.get(path, asked, addressed=addressed), page)
        found += part.items
        bookmark = part.bookmark or ""
        if not bookmark:
            break
    return found


async def own_posts(wire: Wire, *, since: datetime) -> Listing:
    """The account's Pins back to ``since``, newest first.

    The order of Pinterest's list is not promised. It is trusted to be newest first only as long as it is; else the
    whole list is read, and where that is too long, nothing is said to be missing.
    """
    pins: list[Pin] = []
    network_now, bookmark, whole = None, "", False
    for _ in range(MOST_PAGES):
        params = {"page_size": str(PAGE), **({"bookmark": bookmark} if bookmark else {})}
        answer = await wire.get("/pins", params)
        page = parsed(answer, Page[Pin])
        network_now = network_now or answer.date
        pins += [pin for pin in page.items if pin.created_at is not None]
        bookmark = page.bookmark or ""
        if not bookmark or (_newest_first(pins) and pins and _made(pins[-1]) < since):
            whole = True
            break
    seen = sorted((_as_seen(pin) for pin in pins if _made(pin) >= since), key=lambda one: one.created_at, reverse=True)
    reaches = since if whole else _far(pins, network_now)
    return Listing(seen=tuple(seen), reaches_back_to=reaches, network_now=network_now)


def _newest_first(pins: list[Pin]) -> bool:
    return all(_made(before) >= _made(after) for before, after in pairwise(pins))


def _far(pins: list[Pin], network_now: datetime | None) -> datetime:
    if pins and _newest_first(pins):
        return _made(pins[-1])
    return network_now or datetime.now(UTC)


def _made(pin: Pin) -> datetime:
    assert pin.created_at is not None
    return pin.created_at


def _as_seen(pin: Pin) -> Seen:
    return Seen(
        remote_id=pin.id,
        url=f"https://www.pinterest.com/pin/{pin.id}/",
        text=pin.description or "",
        media=len(pin.media.items) or 1 if pin.media else 1,
        created_at=_made(pin),
    )
