"""From a step to what a connector takes, and the fingerprint of exactly that."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path, PurePath
from typing import Any, TypeVar

import orjson
from django.core.files.storage import Storage
from django.utils.translation import gettext_noop

from regie.core.store import NotHere, StoreAway, bring, only_what_is_here, path_of
from regie.core.threads import in_thread
from regie.media.errors import BeingMade, CannotFit, NotAPicture, Unreadable
from regie.media.links import public_url
from regie.media.making import show_for, sound_for, video_for
from regie.media.models import File, Rendition
from regie.media.services import SUFFIX, captions_for, rendition_for
from regie.networks.capabilities import (
    AskStatus,
    Capabilities,
    DocumentLimit,
    Format,
    ImageLimit,
    SoundLimit,
    VideoLimit,
)
from regie.networks.data import Captions, Document, Options, Outgoing, Picture, Poll, Sound, Video
from regie.networks.errors import Refused, TryLater
from regie.networks.options import filled
from regie.publishing.engine.work import Delivery, Shared, Speaker, Step, repeat_until
from regie.publishing.models import Step as StepRow

PLANNED = "planned_at"  # in a step's progress, beside what the connector keeps there
AWAY = gettext_noop("The store that holds the files cannot be reached. We try again.")
NO_ROOM = gettext_noop("There is no room left on the server's disk to bring the files here. We try again.")
BRINGS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="store")
ATTEMPT = ("repeat_until", "again", "tried_until", "theirs")  # of the attempt, and not of what is said
AT_HAND = 5.0  # seconds
FETCHED_WITHIN = timedelta(hours=6)  # how long the addresses that we give a network are good
LATELY = timedelta(days=1)  # of our other posts, when one is looked for that is out already
LOOK_AGAIN = timedelta(seconds=5)  # while a video is being made to fit
VIDEO_BEING_MADE = "The video “{file}” is being made to fit: {percent} % done."
SOUND_BEING_MADE = "The sound “{file}” is being made to fit: {percent} % done."


class Shelf(Shared[tuple[bytes, Capabilities, Format], "Files"]):
    """Files at hand for a moment: a film that a hundred accounts show at nine is looked for once."""

    def __init__(self) -> None:
        super().__init__(AT_HAND)

    async def files(self, uses: list[dict[str, Any]], can: Capabilities, form: Format, now: datetime) -> Files:
        return await self.get((orjson.dumps(uses), can, form), lambda: _brought(uses, can, form, now))


async def outgoing_for(
    speaker: Speaker, delivery: Delivery, step: Step, now: datetime, *, shelf: Shelf | None = None
) -> Outgoing:
    """Everything of a step, its files made to fit.

    Raises Refused when one cannot be, TryLater while a video is still being made.
    """
    outgoing = outgoing_of(speaker, delivery, step, now)
    if step.content.get("media"):
        given = (step.content["media"], speaker.can, outgoing.format, now)
        made = await (shelf.files(*given) if shelf is not None else _brought(*given))
        outgoing = replace(outgoing, **vars(made))
    if outgoing.again and isinstance(speaker.can.repeat, AskStatus):
        outgoing = replace(outgoing, theirs=await in_thread(_theirs, speaker, step, outgoing.planned_at - LATELY))
    options = _options(speaker.can, step, outgoing)
    return replace(outgoing, options=options) if options else outgoing


def _theirs(speaker: Speaker, step: Step, since: datetime) -> frozenset[str]:
    published = StepRow.objects.filter(delivery__account=speaker.account_id, published_at__gte=since)
    return frozenset(published.exclude(pk=step.id).values_list("remote_id", flat=True))


def _options(can: Capabilities, step: Step, outgoing: Outgoing) -> Options:
    """Those of the post itself; its other parts and its first comment have none."""
    if step.position > 0 or not can.options:
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
        comment=step.is_comment,
        repeat_until=repeat_until(speaker.can, step.first_at, now),
        again=step.first_at is not None,
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


@dataclass
class Files:
    """The files of a step as the network takes them."""

    pictures: tuple[Picture, ...] = ()
    videos: tuple[Video, ...] = ()
    documents: tuple[Document, ...] = ()
    sounds: tuple[Sound, ...] = ()


async def _brought(uses: list[dict[str, Any]], can: Capabilities, form: Format, now: datetime) -> Files:
    """As ``_media``. What lies in a store elsewhere is brought here first, in threads that nobody else waits for."""
    while True:
        try:
            with only_what_is_here():
                return await in_thread(_media, uses, can, form, now)
        except NotHere as exc:
            missing = exc
        loop = asyncio.get_running_loop()
        try:
            await asyncio.gather(*(loop.run_in_executor(BRINGS, bring, one) for one in missing.names))
        except FileNotFoundError:
            raise Refused("A file is no longer there: take it out or choose another.") from None
        except StoreAway as exc:
            raise TryLater(AWAY) from exc
        except OSError as exc:
            raise TryLater(NO_ROOM) from exc


def _media(uses: list[dict[str, Any]], can: Capabilities, form: Format, now: datetime) -> Files:
    """The files of a step as the network takes them, in their order."""
    files = File.objects.in_bulk({use[name] for use in uses for name in USED if use.get(name)})
    made, not_here = Files(), list[tuple[Storage, str]]()
    for place, use in enumerate(uses):
        if any(use.get(name) and use[name] not in files for name in USED):
            raise Refused("A file is no longer there: take it out or choose another.")
        file = files[use["file"]]
        try:
            _add(made, replace(_made(use, files, can, form), place=place))
        except BeingMade as exc:
            said = SOUND_BEING_MADE if file.is_sound and can.sounds is not None else VIDEO_BEING_MADE
            facts: dict[str, Any] = {"file": str(file), "percent": exc.percent}
            raise TryLater(said, not_before=now + LOOK_AGAIN, **facts) from exc
        except (CannotFit, NotAPicture, Unreadable) as exc:
            raise Refused(exc.said) from exc
        except NotHere as exc:
            not_here += exc.names
        except StoreAway as exc:
            raise TryLater(AWAY) from exc
    if not_here:
        raise NotHere(*not_here)
    return made


Made = Picture | Video | Document | Sound
USED = ("file", "cover", "captions")  # what of a use is a file's number


def _made(use: dict[str, Any], files: Mapping[int, File], can: Capabilities, form: Format) -> Made:
    """One file as the network takes it. Raises Refused, and what the making of renditions raises."""
    file = files[use["file"]]
    alt = file.alt if use.get("alt") is None else use["alt"]
    cover = files.get(use.get("cover") or 0)
    if file.is_video:
        limits = _must_take(can.video_in(form))
        film = _video(file, alt, can, limits, cut=bool(use.get("cut")))
        return replace(film, cover=_cover(cover, limits, can), captions=_captions(use, files, limits))
    if file.is_document:
        _must_take(can.documents)
        return _document(file, can)
    if file.is_sound and can.sounds is None and use.get("as_video") and cover is not None:
        return _shown(file, cover, alt, can, _must_take(can.video_in(form)), cut=bool(use.get("cut")))
    if file.is_sound:
        return _sound(file, can, _must_take(can.sounds))
    return _picture(file, alt, can, _must_take(can.images_in(form) if file.is_picture else None))


def _add(files: Files, one: Made) -> None:
    match one:
        case Picture():
            files.pictures += (one,)
        case Video():
            files.videos += (one,)
        case Document():
            files.documents += (one,)
        case Sound():
            files.sounds += (one,)


L = TypeVar("L", ImageLimit, VideoLimit, DocumentLimit, SoundLimit)


def _must_take(limits: L | None) -> L:
    if limits is None:
        raise Refused("This network does not take that kind of file here.")
    return limits


def _picture(file: File, alt: str, can: Capabilities, limits: ImageLimit) -> Picture:
    made = rendition_for(file, limits)
    return Picture(
        path=path_of(made.file),
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
        path=path_of(made.file),
        content_type=made.content_type,
        width=made.width,
        height=made.height,
        size=made.size,
        seconds=made.seconds,
        alt=alt,
        cover_at=min(file.cover_at, made.seconds) if file.cover_at is not None else None,
        public_url=_public(made, can),
    )


def _shown(sound: File, cover: File, alt: str, can: Capabilities, limits: VideoLimit, *, cut: bool) -> Video:
    """A sound as a video of itself and its cover."""
    made = show_for(sound, cover, limits, cut=cut)
    assert made.seconds is not None
    return Video(
        path=path_of(made.file),
        content_type=made.content_type,
        width=made.width,
        height=made.height,
        size=made.size,
        seconds=made.seconds,
        alt=alt or cover.alt,
        public_url=_public(made, can),
        cover=_cover(cover, limits, can),
    )


def _cover(cover: File | None, limits: VideoLimit, can: Capabilities) -> Picture | None:
    """The picture that stands for a video, where the network takes one."""
    if cover is None or not cover.is_picture or limits.cover is None:
        return None
    return _picture(cover, cover.alt, can, limits.cover)


def _captions(use: dict[str, Any], files: Mapping[int, File], limits: VideoLimit) -> Captions | None:
    """The subtitles of a video, where the network takes some."""
    file = files.get(use.get("captions") or 0)
    if file is None or not file.is_captions or not limits.captions:
        return None
    made = captions_for(file, limits.captions)
    return Captions(
        path=path_of(made.file),
        content_type=made.content_type,
        size=made.size,
        language=use.get("language") or file.language,
    )


def _document(file: File, can: Capabilities) -> Document:
    return Document(
        path=_there(file),
        content_type=file.content_type,
        size=file.size,
        name=file.public_name,
        title=file.title,
        pages=file.pages,
        public_url=_public(file, can),
    )


def _sound(file: File, can: Capabilities, limits: SoundLimit) -> Sound:
    made = sound_for(file, limits)
    assert made.seconds is not None
    is_file = isinstance(made, File)
    return Sound(
        path=_there(file) if is_file else path_of(made.file),
        content_type=made.content_type,
        size=made.size,
        seconds=made.seconds,
        name=file.public_name if is_file else f"{PurePath(file.public_name).stem}.{SUFFIX[made.content_type]}",
        title=file.title,
        public_url=_public(made, can),
    )


def _there(file: File) -> Path:
    """Where a file lies that goes out byte for byte."""
    path = path_of(file.file)
    if not path.exists():
        raise Refused("“{file}” is no longer on our disk: upload it again.", file=str(file))
    return path


def _public(made: File | Rendition, can: Capabilities) -> str:
    return public_url(made, lasts=FETCHED_WITHIN) if can.fetches_media else ""


# Not said where there are none: what was sent before is the same still.
NEWER = ("documents", "sounds", "options", "comment")


def _said(poll: Poll) -> dict[str, Any]:
    """A poll that is no quiz says nothing of it."""
    quiz = () if poll.correct is not None else ("correct", "explanation")
    return {name: value for name, value in asdict(poll).items() if name not in quiz}


def _said_of_video(video: Video) -> dict[str, Any]:
    """A video without a cover and without subtitles says nothing of them."""
    cover = replace(video.cover, public_url="") if video.cover is not None else None
    said = asdict(replace(video, public_url="", cover=cover))
    return {name: value for name, value in said.items() if name not in ("cover", "captions") or value is not None}


def fingerprint(outgoing: Outgoing) -> str:
    """SHA-256 of what is said and to whom it answers; not of how often and until when it may be said again, nor of
    where files can be fetched, which move with the hour."""
    said = {name: getattr(outgoing, name) for name in outgoing.__dataclass_fields__ if name not in ATTEMPT}
    said["reply_to"] = outgoing.reply_to.remote_id if outgoing.reply_to else ""
    said["pictures"] = [asdict(replace(picture, public_url="")) for picture in outgoing.pictures]
    said["videos"] = [_said_of_video(video) for video in outgoing.videos]
    said["documents"] = [asdict(replace(document, public_url="")) for document in outgoing.documents]
    said["sounds"] = [asdict(replace(sound, public_url="")) for sound in outgoing.sounds]
    said["poll"] = _said(outgoing.poll) if outgoing.poll else None
    for name in NEWER:
        if not said[name]:
            del said[name]
    return hashlib.sha256(orjson.dumps(said, default=str, option=orjson.OPT_SORT_KEYS)).hexdigest()
