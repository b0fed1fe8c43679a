"""From a step to what a connector takes, and the fingerprint of exactly that."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import orjson

from regie.core.threads import in_thread
from regie.media.errors import BeingMade, CannotFit, NotAPicture, NotAVideo
from regie.media.links import public_url
from regie.media.making import video_for
from regie.media.models import File, Rendition
from regie.media.services import rendition_for
from regie.networks.capabilities import Capabilities, Format, ImageLimit, VideoLimit
from regie.networks.data import Options, Outgoing, Picture, Poll, Video
from regie.networks.errors import Refused, TryLater
from regie.networks.options import filled
from regie.publishing.engine.work import Delivery, Speaker, Step, repeat_until

PLANNED = "planned_at"  # in a step's progress, beside what the connector keeps there
FETCHED_WITHIN = timedelta(hours=6)  # how long the addresses that we give a network are good
LOOK_AGAIN = timedelta(seconds=5)  # while a video is being made to fit


async def outgoing_for(speaker: Speaker, delivery: Delivery, step: Step, now: datetime) -> Outgoing:
    """Everything of a step, its pictures and videos made to fit.

    Raises Refused when one cannot be, TryLater while a video is still being made.
    """
    outgoing = outgoing_of(speaker, delivery, step, now)
    if step.content.get("media"):
        pictures, videos = await in_thread(_media, step.content["media"], speaker.can, outgoing.format, now)
        outgoing = replace(outgoing, pictures=pictures, videos=videos)
    return replace(outgoing, options=_options(speaker.can, step, outgoing))


def _options(can: Capabilities, step: Step, outgoing: Outgoing) -> Options:
    """Those of the post itself; its other parts and its first comment have none."""
    if step.position > 0:
        return {}
    pictures, videos = bool(outgoing.pictures), bool(outgoing.videos)
    return filled(can.options, step.content.get("options", {}), outgoing.format, pictures=pictures, videos=videos)


def outgoing_of(speaker: Speaker, delivery: Delivery, step: Step, now: datetime) -> Outgoing:
    """The same without its files, and without the options that depend on them."""
    content = step.content
    return Outgoing(
        key=step.key,
        text=content.get("text", ""),
        format=Format(content.get("format") or Format.POST),
        planned_at=planned_at(delivery, step, now),
        content_warning=content.get("content_warning", ""),
        sensitive=content.get("sensitive", False),
        poll=_poll(content["poll"]) if content.get("poll") else None,
        language=content.get("language", ""),
        visibility=content.get("visibility", ""),
        reply_to=delivery.answers(step),
        repeat_until=repeat_until(speaker.can, step.first_at, now),
    )


def planned_at(delivery: Delivery, step: Step, now: datetime) -> datetime:
    """The creation time a network may be told, from which it may also know a repeat again (Bluesky).

    The moment we speak, a little later for each part of a thread so that their order is plain. Once an attempt may
    have been done, the moment of that attempt for ever, also when somebody moves the delivery meanwhile.
    """
    if step.first_at is not None and PLANNED in step.progress:
        return datetime.fromisoformat(step.progress[PLANNED])
    return max(delivery.due_at, now) + timedelta(milliseconds=step.position)


def _poll(poll: dict[str, Any]) -> Poll:
    return Poll(
        options=tuple(poll["options"]),
        lasts=timedelta(minutes=poll["minutes"]) if poll.get("minutes") else None,
        multiple=poll.get("multiple", False),
        hide_totals=poll.get("hide_totals", False),
        question=poll.get("question", ""),
        correct=poll.get("correct"),
        explanation=poll.get("explanation", ""),
    )


def _media(
    uses: list[dict[str, Any]], can: Capabilities, form: Format, now: datetime
) -> tuple[tuple[Picture, ...], tuple[Video, ...]]:
    """The files of a step as the network takes them, in their order."""
    files = File.objects.in_bulk([use["file"] for use in uses])
    pictures, videos = [], []
    for place, use in enumerate(uses):
        file = files.get(use["file"])
        if file is None:
            raise Refused("A file is no longer there: take it out or choose another.")
        alt = file.alt if use.get("alt") is None else use["alt"]
        try:
            if file.is_video:
                film = _video(file, alt, can, _must_take(can.video_in(form)), cut=bool(use.get("cut")))
                videos.append(replace(film, place=place))
            else:
                pictures.append(replace(_picture(file, alt, can, _must_take(can.images_in(form))), place=place))
        except BeingMade as exc:
            raise TryLater(
                "The video “{file}” is being made to fit: {percent} % done.",
                not_before=now + LOOK_AGAIN,
                file=str(file),
                percent=exc.percent,
            ) from exc
        except (CannotFit, NotAPicture, NotAVideo) as exc:
            raise Refused(exc.said) from exc
    return tuple(pictures), tuple(videos)


L = TypeVar("L", ImageLimit, VideoLimit)


def _must_take(limits: L | None) -> L:
    if limits is None:
        raise Refused("This network does not take that kind of file here.")
    return limits


def _picture(file: File, alt: str, can: Capabilities, limits: ImageLimit) -> Picture:
    made = rendition_for(file, limits)
    return Picture(
        path=Path(made.file.path),
        content_type=made.content_type,
        width=made.width,
        height=made.height,
        size=made.size,
        alt=alt,
        focus=(file.focus_x, file.focus_y) if file.focus_x or file.focus_y else None,
        public_url=_public(made, can),
    )


def _video(file: File, alt: str, can: Capabilities, limits: VideoLimit, *, cut: bool) -> Video:
    made = video_for(file, limits, cut=cut)
    assert made.seconds is not None
    return Video(
        path=Path(made.file.path),
        content_type=made.content_type,
        width=made.width,
        height=made.height,
        size=made.size,
        seconds=made.seconds,
        alt=alt,
        cover_at=min(file.cover_at, made.seconds) if file.cover_at is not None else None,
        public_url=_public(made, can),
    )


def _public(made: Rendition, can: Capabilities) -> str:
    return public_url(made, lasts=FETCHED_WITHIN) if can.fetches_media else ""


NEWER = ("documents", "sounds", "options")  # not said where there are none: what was sent before is the same still


def _said(poll: Poll) -> dict[str, Any]:
    """A poll that is no quiz says nothing of it."""
    quiz = () if poll.correct is not None else ("correct", "explanation")
    return {name: value for name, value in asdict(poll).items() if name not in quiz}


def fingerprint(outgoing: Outgoing) -> str:
    """SHA-256 of what is said and to whom it answers; not of how long a repeat is safe, nor of where files can be
    fetched, which move with the hour."""
    said = {name: getattr(outgoing, name) for name in outgoing.__dataclass_fields__ if name != "repeat_until"}
    said["reply_to"] = outgoing.reply_to.remote_id if outgoing.reply_to else ""
    said["pictures"] = [asdict(replace(picture, public_url="")) for picture in outgoing.pictures]
    said["videos"] = [asdict(replace(video, public_url="")) for video in outgoing.videos]
    said["poll"] = _said(outgoing.poll) if outgoing.poll else None
    for name in NEWER:
        if not said[name]:
            del said[name]
    return hashlib.sha256(orjson.dumps(said, default=str, option=orjson.OPT_SORT_KEYS)).hexdigest()
