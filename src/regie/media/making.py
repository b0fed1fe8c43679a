"""Renditions of videos, and of sounds that become one: asked for ahead of the hour, made by a worker in a process of
their own, their progress shown.

The row is the promise. ``ask_for`` writes it and nudges the queue; ``make`` does the work; ``overdue`` finds what a
dead worker left half done.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from contextvars import copy_context
from datetime import timedelta
from pathlib import Path
from typing import IO, TypeVar

from django.core.files.base import File as DjangoFile
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from regie.core import clock
from regie.core.store import StoreAway
from regie.core.threads import in_thread
from regie.media import pictures, sounds, videos
from regie.media.errors import BeingMade, CannotFit, DiskFull, NotAPicture, NotASound, NotAVideo, room_on_disk
from regie.media.models import File, Rendition
from regie.media.services import SUFFIX, local
from regie.media.videos import OutOfReach, Plan
from regie.networks.capabilities import ImageLimit, SoundLimit, VideoLimit

T = TypeVar("T")

log = logging.getLogger(__name__)
TELL = 1.0  # seconds between two notes of how far it is
FORGOTTEN = timedelta(minutes=2)  # without a note for so long, nobody is working on it
NO_ROOM = gettext_noop("There is no room left on the server's disk: nothing was saved.")
NO_COVER = gettext_noop("The cover could not be read: choose another picture.")
GONE = gettext_noop("The video is no longer on our disk: upload it again.")


def facts_of(file: File) -> videos.Facts:
    assert file.seconds is not None
    return videos.Facts(
        content_type=file.content_type,
        size=file.size,
        width=file.width,
        height=file.height,
        seconds=file.seconds,
        video_codec=file.video_codec,
        audio_codec=file.audio_codec,
        turned=file.turned,
        telling=file.telling,
        focus=(file.focus_x, file.focus_y),
    )


def plan_for(file: File, limits: VideoLimit, *, cut: bool = False) -> Plan:
    """Raises OutOfReach."""
    return videos.plan(facts_of(file), limits, cut=cut)


def video_for(file: File, limits: VideoLimit, *, cut: bool = False) -> Rendition:
    """The video as a network with these limits takes it, when it is there; otherwise it is asked for.

    Raises BeingMade with its progress; CannotFit when nothing we can make would do, or nothing came of it.
    """
    return _ready(ask_for(file, limits, cut=cut), file)


def _ready(rendition: Rendition, file: File) -> Rendition:
    if rendition.state == Rendition.State.READY:
        return rendition
    if rendition.state == Rendition.State.FAILED:
        raise CannotFit(_(rendition.problem))
    said = _("The video “{file}” is being made to fit: {percent} % done.")
    if rendition.content_type.startswith("audio/"):
        said = _("The sound “{file}” is being made to fit: {percent} % done.")
    raise BeingMade(said.format(file=file, percent=rendition.percent), percent=rendition.percent)


def ask_for(file: File, limits: VideoLimit, *, cut: bool = False) -> Rendition:
    """The row of that rendition, whatever its state. Nothing is made twice; what failed is tried again when asked anew.

    Raises CannotFit with the rule that it breaks.
    """
    facts = facts_of(file)
    try:
        plan = videos.plan(facts, limits, cut=cut)
    except OutOfReach as exc:
        raise CannotFit(why(exc, file=str(file), seconds=facts.seconds)) from None
    return _asked_for(file, plan, videos.recipe(plan), limits)


def show_for(sound: File, cover: File, limits: VideoLimit, *, cut: bool = False) -> Rendition:
    """A sound with its cover as a video, as ``video_for`` gives a video."""
    return _ready(ask_for_show(sound, cover, limits, cut=cut), sound)


def ask_for_show(sound: File, cover: File, limits: VideoLimit, *, cut: bool = False) -> Rendition:
    """The row of the video that a sound and its cover make, as ``ask_for``. Raises CannotFit."""
    try:
        plan = plan_to_show(sound, cover, limits, cut=cut)
    except OutOfReach as exc:
        assert sound.seconds is not None
        raise CannotFit(why(exc, file=str(sound), seconds=sound.seconds)) from None
    return _asked_for(sound, plan, f"{videos.recipe(plan)}:{cover.sha256[:16]}", limits, cover=cover.pk)


def plan_to_show(sound: File, cover: File, limits: VideoLimit, *, cut: bool = False) -> Plan:
    """Raises OutOfReach."""
    assert sound.seconds is not None
    size = (cover.width, cover.height, (cover.focus_x, cover.focus_y))
    return videos.show(sound.seconds, size, limits, cut=cut)


def sound_for(file: File, limits: SoundLimit) -> File | Rendition:
    """The sound as a network with these limits takes it: as it is, or made to fit, as ``video_for``."""
    made = ask_for_sound(file, limits)
    return file if made is None else _ready(made, file)


def ask_for_sound(file: File, limits: SoundLimit) -> Rendition | None:
    """The row of that rendition, as ``ask_for``; None: the network takes it as it is. Raises CannotFit."""
    try:
        plan = plan_of_sound(file, limits)
    except OutOfReach as exc:
        raise CannotFit(why_no_sound(exc, file=file)) from None
    if plan.do == "keep":
        return None
    rendition = Rendition(
        original=file,
        recipe=plan.recipe,
        plan={**plan.as_json(), "largest_bytes": limits.largest_bytes},
        content_type=plan.content_type,
        width=0,
        height=0,
        seconds=plan.seconds,
        state=Rendition.State.WAITING,
    )
    return _written(rendition)


def plan_of_sound(file: File, limits: SoundLimit) -> sounds.Plan:
    """Raises OutOfReach."""
    assert file.seconds is not None
    return sounds.plan(file.content_type, file.size, file.seconds, limits)


def _asked_for(file: File, plan: Plan, recipe: str, limits: VideoLimit, **more: int) -> Rendition:
    rendition = Rendition(
        original=file,
        recipe=recipe,
        plan={**plan.as_json(), "largest_bytes": limits.largest_bytes, **more},
        content_type=plan.content_type,
        width=plan.width,
        height=plan.height,
        seconds=plan.seconds,
        state=Rendition.State.WAITING,
    )
    if plan.do == "keep":
        rendition.state, rendition.percent = Rendition.State.READY, 100
        rendition.file.name, rendition.size = file.file.name, file.size
    return _written(rendition)


def _written(rendition: Rendition) -> Rendition:
    """The row as it is, when there is one of the same recipe."""
    same = Rendition.objects.filter(original=rendition.original, recipe=rendition.recipe)
    if (found := same.first()) is not None:
        return found
    try:
        with transaction.atomic():
            rendition.save()
    except IntegrityError:  # another was quicker
        return same.get()
    nudge(rendition)
    return rendition


def nudge(rendition: Rendition) -> None:
    from regie.media import tasks

    if rendition.state in (Rendition.State.WAITING, Rendition.State.MAKING):
        tasks.ask(rendition.pk)


@transaction.atomic
def try_again(rendition: Rendition) -> Rendition:
    """Once more, after a person asked for it."""
    changed = Rendition.objects.filter(pk=rendition.pk, state=Rendition.State.FAILED).update(
        state=Rendition.State.WAITING, percent=0, problem="", touched_at=clock.now()
    )
    rendition.refresh_from_db()
    if changed:
        nudge(rendition)
    return rendition


# The work


async def make(rendition_id: int) -> None:
    """Makes one rendition, if nobody else is at it. What fails is written into the row, for people to read."""
    rendition = await in_thread(_claimed, rendition_id)
    if rendition is None:
        return
    try:
        await _made(rendition)
    except (NotAVideo, NotASound) as exc:
        await in_thread(_failed, rendition, exc.sentence)
    except (NotAPicture, CannotFit):
        await in_thread(_failed, rendition, NO_COVER)
    except DiskFull:
        await in_thread(_failed, rendition, NO_ROOM)
    except FileNotFoundError:
        await in_thread(_failed, rendition, GONE)
    except StoreAway as exc:  # the sweep finds it again
        log.warning("The store is away; rendition %s waits: %s", rendition.pk, exc.__cause__)
        await in_thread(_put_back, rendition)


def _claimed(rendition_id: int) -> Rendition | None:
    now = clock.now()
    waiting = Rendition.objects.filter(pk=rendition_id, state=Rendition.State.WAITING)
    left = Rendition.objects.filter(pk=rendition_id, state=Rendition.State.MAKING, touched_at__lt=now - FORGOTTEN)
    if not (waiting | left).update(state=Rendition.State.MAKING, percent=0, touched_at=now):
        return None
    return Rendition.objects.select_related("original").get(pk=rendition_id)


async def _made(rendition: Rendition) -> None:
    original = rendition.original
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="regie-video-"))
        source = await _noting(rendition, lambda: stack.enter_context(local(original.file)))
        plan = dict(rendition.plan)
        most = int(plan["largest_bytes"])
        if plan["do"] == "sound":
            await _made_sound(rendition, source, Path(folder) / "made", most)
            return
        to = Path(folder) / "made.mp4"
        cover = await in_thread(_cover, plan["cover"], Path(folder) / "cover.jpg") if "cover" in plan else None
        for _attempt in range(3):
            film = videos.make(source, original.content_type, plan, to, largest_bytes=most, cover=cover)
            await _run(rendition, film)
            if (size := to.stat().st_size) <= most or plan["do"] == "copy":
                break
            plan["bits"] = int(plan["bits"] * 0.9 * most / size)
        if to.stat().st_size > most:
            raise NotAVideo(videos.WHY["making"])
        looked = await asyncio.to_thread(videos.look, to, "video/mp4")  # what goes out is what we say of it
        await _noting(rendition, lambda: _put(rendition, to), percent=lambda: 99)
        await in_thread(_kept, rendition, looked)


async def _made_sound(rendition: Rendition, source: Path, to: Path, most: int) -> None:
    film = sounds.make(source, rendition.original.content_type, rendition.plan, to, largest_bytes=most)
    await _run(rendition, film)
    if (await asyncio.to_thread(to.stat)).st_size > most:
        raise NotASound(sounds.WHY["making"])
    heard = await asyncio.to_thread(sounds.listen, to, rendition.content_type)
    await _noting(rendition, lambda: _put(rendition, to), percent=lambda: 99)
    rendition.seconds = heard.seconds
    await in_thread(_is_ready, rendition)


def _cover(number: int, to: Path) -> Path:
    """The picture that a sound shows, as a clean JPEG. Raises NotAPicture, CannotFit."""
    file = File.objects.get(pk=number)
    try:
        with file.file.open("rb") as source:
            made = pictures.make(source.file, COVER, animated_too=False)
            to.write_bytes(made.data or _whole(source.file))
    except FileNotFoundError:
        raise NotAPicture(_(NO_COVER)) from None
    return to


def _whole(source: IO[bytes]) -> bytes:
    source.seek(0)
    return source.read()


COVER = ImageLimit(most=1, largest_bytes=10_000_000, types=("image/jpeg",), longest_side=videos.LONGEST_SHOWN)


async def _run(rendition: Rendition, film: videos.Film) -> None:
    """The process in a thread, and a note of how far it is each second."""
    try:
        await _noting(rendition, film.run, percent=lambda: film.percent)
    finally:
        film.stop()


async def _noting(rendition: Rendition, work: Callable[[], T], *, percent: Callable[[], int] = int) -> T:
    """Long work in a thread of its own. The notes tell others that somebody is at it."""
    done = asyncio.get_running_loop().run_in_executor(None, copy_context().run, work)
    while not (await asyncio.wait([done], timeout=TELL))[0]:
        await in_thread(_note, rendition, percent())
    return await done


def _note(rendition: Rendition, percent: int) -> None:
    Rendition.objects.filter(pk=rendition.pk).update(percent=percent, touched_at=clock.now())


def _put(rendition: Rendition, made: Path) -> None:
    rendition.size = made.stat().st_size
    with room_on_disk(), made.open("rb") as source:
        rendition.file.save(
            f"{rendition.original.sha256}.{SUFFIX[rendition.content_type]}", DjangoFile(source), save=False
        )


def _kept(rendition: Rendition, looked: videos.Looked) -> None:
    rendition.width, rendition.height, rendition.seconds = looked.width, looked.height, looked.seconds
    _is_ready(rendition)


def _is_ready(rendition: Rendition) -> None:
    rendition.state, rendition.percent, rendition.touched_at = Rendition.State.READY, 100, clock.now()
    rendition.save()


def _failed(rendition: Rendition, sentence: str) -> None:
    Rendition.objects.filter(pk=rendition.pk).update(
        state=Rendition.State.FAILED, problem=sentence, touched_at=clock.now()
    )


def _put_back(rendition: Rendition) -> None:
    Rendition.objects.filter(pk=rendition.pk).update(state=Rendition.State.WAITING, percent=0, touched_at=clock.now())


def overdue() -> Iterable[int]:
    """Renditions that wait, or that somebody began and left."""
    rows = Rendition.objects.filter(state__in=[Rendition.State.WAITING, Rendition.State.MAKING])
    return list(rows.filter(touched_at__lt=clock.now() - FORGOTTEN).order_by("pk").values_list("pk", flat=True))


# Words


def why(exc: OutOfReach, *, file: str, seconds: float, network: str = "") -> str:
    """The rule that a video breaks, and what would satisfy it, for a person."""
    facts = {
        "file": file,
        "network": network or _("The network"),
        "there": span(seconds),
        "bound": span(exc.bound),
    }
    if exc.rule == "shortest":
        said = _("“{file}” lasts {there}; {network} takes nothing under {bound}. Choose a longer video.")
    elif exc.rule == "longest":
        said = _("“{file}” lasts {there}; {network} takes {bound} at most. Let it be cut, or choose a shorter one.")
    elif exc.rule == "largest_bytes":
        said = _("“{file}” is too long for the size that {network} takes: {bound} at most would still look well.")
    else:
        said = _("{network} takes no type of video that we can make of “{file}”.")
    return said.format(**facts)


def why_no_sound(exc: OutOfReach, *, file: File, network: str = "") -> str:
    """The rule that a sound breaks, and what would satisfy it, for a person."""
    facts = {
        "file": str(file),
        "network": network or _("The network"),
        "there": span(file.seconds or 0),
        "bound": span(exc.bound),
    }
    if exc.rule == "longest":
        said = _("“{file}” lasts {there}; {network} takes {bound} at most.")
    elif exc.rule == "largest_bytes":
        said = _("“{file}” is too long for the size that {network} takes: {bound} at most would still sound well.")
    else:
        said = _("{network} takes no type of sound that we can make of “{file}”.")
    return said.format(**facts)


def span(seconds: float) -> str:
    """A duration as people say it: 48 seconds, 3 minutes 20."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return ngettext("{n} second", "{n} seconds", rest).format(n=rest)
    if not rest:
        return ngettext("{n} minute", "{n} minutes", minutes).format(n=minutes)
    return _("{minutes} min {seconds} s").format(minutes=minutes, seconds=rest)
