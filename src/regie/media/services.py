"""Writing files: upload, describe, remove; renditions of pictures and subtitles. Those of videos: ``making.py``."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from django.core.files.base import ContentFile
from django.core.files.base import File as DjangoFile
from django.db import IntegrityError, transaction
from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext as _

from regie.core import clock, store
from regie.media import captions, documents, pictures, sounds, videos
from regie.media.errors import CannotFit, NotAPicture, NotAVideo, TooBig, room_on_disk
from regie.media.models import File, Rendition
from regie.networks.capabilities import ImageLimit
from regie.people import audit
from regie.people.errors import NotAllowed
from regie.people.models import Member, Workspace

SUFFIX = {**pictures.SUFFIX, **videos.SUFFIX, **sounds.SUFFIX, **documents.SUFFIX, **captions.SUFFIX}
LOOKED_AT = (
    "content_type width height seconds frame_rate video_codec audio_codec turned telling"  # of videos.Looked
).split()


def upload(*, workspace: Workspace, name: str, source: IO[bytes], by: Member) -> File:
    """Keeps a file. The same bytes in the same workspace are the same file; a removed one comes back.

    A file that lies on disk already (a large upload) is moved to its place, not copied.
    Raises NotAllowed; NotAPicture, Unreadable, TooBig, DiskFull, StoreAway with a sentence: then nothing was kept.
    """
    must_may_upload(workspace, by)
    look = _who_looks(source)
    fingerprint = _fingerprint(source)
    if (known := _known(workspace, fingerprint)) is not None:
        return known
    file = File(workspace=workspace, name=_short(name), sha256=fingerprint, uploaded_by=by.user)
    file.size = source.seek(0, 2)
    source.seek(0)
    thumbnail = look(file, source)
    with room_on_disk(), _taken_back_on_failure(file):
        file.file.save(f"{fingerprint}.{SUFFIX[file.content_type]}", _movable(source), save=False)
        if thumbnail:
            file.thumbnail.save(f"{fingerprint}.webp", ContentFile(thumbnail), save=False)
        try:
            with transaction.atomic():
                file.save()
                audit.record(by=by, did="file.uploaded", to=file)
        except IntegrityError:  # another upload of the same bytes was quicker
            found = _known(workspace, fingerprint)
            if found is None:
                raise
            return found
    return file


def must_may_upload(workspace: Workspace, by: Member) -> None:
    by.must("write")
    if by.workspace_id != workspace.pk:
        raise NotAllowed("write", role=by.role)


Look = Callable[[File, IO[bytes]], bytes]
"""Fills in what a file is, and gives the picture that stands for it (WebP; empty where there is nothing to see)."""


def _who_looks(source: IO[bytes]) -> Look:
    """Who knows these bytes, by how they begin. Raises TooBig, NotAVideo for a video of a kind that we do not read."""
    size = source.seek(0, 2)
    source.seek(0)
    head = source.read(4096)
    kinds: tuple[tuple[Callable[[bytes], str | None], Callable[[File, IO[bytes], str], bytes], int, str], ...] = (
        (sounds.kind_of, _look_at_sound, sounds.MOST_BYTES, sounds.WHY["largest"]),
        (videos.kind_of, _look_at_video, videos.MOST_BYTES, videos.WHY["largest"]),
        (documents.kind_of, _look_at_document, documents.MOST_BYTES, documents.WHY["largest"]),
        (captions.kind_of, _look_at_captions, captions.MOST_BYTES, captions.WHY["largest"]),
    )
    for kind_of, look, most, too_big in kinds:
        kind = kind_of(head)
        if kind == "":
            raise NotAVideo(videos.WHY["format"])
        if kind is not None and size > most:
            raise TooBig(_(too_big))
        if kind is not None:
            return partial(_looked, look, kind)
    if size > pictures.MOST_BYTES:
        raise TooBig(_("This file is larger than 60 MB. Make it smaller, then upload it again."))
    return _look_at_picture


def _looked(look: Callable[[File, IO[bytes], str], bytes], kind: str, file: File, source: IO[bytes]) -> bytes:
    return look(file, source, kind)


def _look_at_picture(file: File, source: IO[bytes]) -> bytes:
    looked = pictures.look(source)
    file.content_type, file.width, file.height = looked.content_type, looked.width, looked.height
    return looked.thumbnail


def _look_at_video(file: File, source: IO[bytes], kind: str) -> bytes:
    try:
        with on_disk(source) as path:
            looked = videos.look(path, kind)
    except NotAVideo as exc:
        if exc.sentence != videos.WHY["no_picture"] or kind != "video/mp4":
            raise
        return _look_at_sound(file, source, "audio/mp4")  # sound alone in the container of videos
    file.kind = File.Kind.VIDEO
    for name in LOOKED_AT:
        setattr(file, name, getattr(looked, name))
    return looked.thumbnail


def _look_at_sound(file: File, source: IO[bytes], kind: str) -> bytes:
    with on_disk(source) as path:
        heard = sounds.listen(path, kind)
    file.kind, file.content_type = File.Kind.SOUND, heard.content_type
    file.seconds, file.audio_codec = heard.seconds, heard.audio_codec
    file.title = heard.title or Path(file.name).stem
    return b""


def _look_at_document(file: File, source: IO[bytes], kind: str) -> bytes:
    with on_disk(source) as path:
        opened = documents.read(path, kind)
    file.kind, file.content_type, file.pages = File.Kind.DOCUMENT, opened.content_type, opened.pages
    file.title = opened.title or Path(file.name).stem
    return b""


def _look_at_captions(file: File, source: IO[bytes], kind: str) -> bytes:
    source.seek(0)
    captions.look(source.read(), kind)
    file.kind, file.content_type, file.language = File.Kind.CAPTIONS, kind, captions.language_in(file.name)
    return b""


@contextmanager
def on_disk(source: IO[bytes]) -> Iterator[Path]:
    """Where these bytes lie as a file, for the media process; a small upload is written down for the moment."""
    if (path := _path_of(source)) is not None:
        yield path
        return
    with room_on_disk(), tempfile.NamedTemporaryFile(prefix="regie-upload-") as written:
        source.seek(0)  # it may have been looked at before
        shutil.copyfileobj(source, written)
        written.flush()
        yield Path(written.name)


def _path_of(source: Any) -> Path | None:
    inner = getattr(source, "temporary_file_path", None)
    return Path(inner()) if inner is not None else None


def _movable(source: IO[bytes]) -> DjangoFile[bytes]:
    """As Django's storage takes it: a file that has a place on disk is moved, any other is copied."""
    source.seek(0)
    return cast("DjangoFile[bytes]", source) if _path_of(source) is not None else DjangoFile(source)


class _taken_back_on_failure:  # noqa: N801 - reads as what it does
    """Whatever was written of a file goes when its row does not come."""

    def __init__(self, file: File) -> None:
        self.file = file

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_exc: object) -> None:
        if self.file.pk is not None:
            return
        for kept in (self.file.file, self.file.thumbnail):
            if kept:
                with suppress(OSError):
                    store.forget(kept.storage, str(kept.name))


def _fingerprint(source: IO[bytes]) -> str:
    source.seek(0)
    digest = hashlib.file_digest(source, "sha256").hexdigest()  # type: ignore[arg-type]
    source.seek(0)
    return digest


def _known(workspace: Workspace, fingerprint: str) -> File | None:
    file = File.objects.filter(workspace=workspace, sha256=fingerprint).first()
    if file is not None and file.removed_at is not None:
        file.removed_at = None
        file.save(update_fields=["removed_at"])
    return file


def _short(name: str) -> str:
    """A name that fits the column and keeps its ending; the browser's path is taken off."""
    base = os.path.basename(name.replace("\\", "/")).strip() or _("File")  # noqa: PTH119 - no path of ours
    stem, suffix = os.path.splitext(base)  # noqa: PTH122
    return f"{stem[: 255 - len(suffix[:20])]}{suffix[:20]}"


@transaction.atomic
def describe(
    *,
    file: File,
    alt: str,
    name: str,
    by: Member,
    focus: tuple[float, float] | None = None,
    cover_at: float | None = None,
    title: str | None = None,
    language: str | None = None,
) -> File:
    """Says what the file shows, and which point of it matters. ``focus`` in -1..1, y up. None: as it was.

    cover_at: seconds into a video where the picture is that stands for it
    title:    of a document or a sound; language of subtitles, as "fr"
    """
    by.must("write", file)
    file.alt = alt.strip()
    file.name = _short(name) if name.strip() else file.name
    if focus is not None:
        file.focus_x, file.focus_y = (max(-1.0, min(1.0, round(value, 3))) for value in focus)
    file.title = file.title if title is None else " ".join(title.split())[:255]
    file.language = file.language if language is None else language
    file.save(update_fields=["alt", "name", "focus_x", "focus_y", "title", "language"])
    if file.is_video and cover_at is not None and cover_at != file.cover_at:
        _set_cover(file, cover_at)
    audit.record(by=by, did="file.described", to=file)
    return file


def _set_cover(file: File, seconds: float) -> None:
    """The picture that stands for a video, here and on networks that can be told. Raises NotAVideo, DiskFull."""
    assert file.seconds is not None
    file.cover_at = max(0.0, min(round(seconds, 2), file.seconds))
    with local(file.file) as path:
        looked = videos.look(path, file.content_type, cover_at=file.cover_at)
    before = str(file.thumbnail.name)
    with room_on_disk():
        file.thumbnail.save(f"{file.sha256}.webp", ContentFile(looked.thumbnail), save=False)
    file.save(update_fields=["cover_at", "thumbnail"])
    transaction.on_commit(lambda: store.forget(file.thumbnail.storage, before))


@contextmanager
def local(stored: FieldFile) -> Iterator[Path]:
    """A stored file as a path on this machine: where it lies, or our copy of it when it is kept elsewhere.

    Raises FileNotFoundError, StoreAway, DiskFull.
    """
    with room_on_disk():
        path = store.path_of(stored)
        if not path.exists():
            raise FileNotFoundError(path)
    yield path


@transaction.atomic
def remove(*, files: Iterable[File], by: Member) -> list[File]:
    """Takes files out of the library. Posts that use them keep them."""
    removed = []
    for file in files:
        by.must("write", file)
        if file.removed_at is None:
            file.removed_at = clock.now()
            file.save(update_fields=["removed_at"])
            audit.record(by=by, did="file.removed", to=file)
            removed.append(file)
    return removed


@transaction.atomic
def restore(*, files: Iterable[File], by: Member) -> None:
    """The undo of ``remove``."""
    for file in files:
        by.must("write", file)
        if file.removed_at is not None:
            file.removed_at = None
            file.save(update_fields=["removed_at"])
            audit.record(by=by, did="file.restored", to=file)


def rendition_for(file: File, limits: ImageLimit) -> Rendition:
    """The file as a network with these limits takes it: made once, kept, and free of places and cameras.

    Raises CannotFit when nothing we can make would do, NotAPicture when the stored file cannot be read, DiskFull.
    """
    focus = (file.focus_x, file.focus_y)
    recipe = pictures.recipe(limits, file.width, file.height, focus)
    found = Rendition.objects.filter(original=file, recipe=recipe).first()
    if found is not None:
        return found
    try:
        with file.file.open("rb") as source:
            made = pictures.make(source.file, limits, focus=focus)
    except FileNotFoundError:
        raise NotAPicture(
            _("The picture “{name}” is no longer on our disk: upload it again.").format(name=file)
        ) from None
    rendition = Rendition(
        original=file, recipe=recipe, content_type=made.content_type, width=made.width, height=made.height
    )
    if made.data is None:
        rendition.file.name, rendition.size = file.file.name, file.size
    else:
        rendition.size = len(made.data)
        suffix = pictures.SUFFIX[made.content_type]
        with room_on_disk():
            rendition.file.save(f"{file.sha256}.{suffix}", ContentFile(made.data), save=False)
    return _kept(rendition)


def captions_for(file: File, types: Iterable[str]) -> Rendition:
    """Subtitles as a network takes them: as they are, or written anew in one of ``types``. Made once and kept.

    Raises CannotFit, NotCaptions when the stored file can no longer be read, DiskFull.
    """
    wanted = file.content_type if file.content_type in types else next(iter(types), "")
    if wanted not in captions.SUFFIX:
        raise CannotFit(_("The network takes no type of subtitles that we can write."))
    recipe = f"1:{captions.SUFFIX[wanted]}"
    found = Rendition.objects.filter(original=file, recipe=recipe).first()
    if found is not None:
        return found
    rendition = Rendition(original=file, recipe=recipe, content_type=wanted, width=0, height=0)
    if wanted == file.content_type:
        rendition.file.name, rendition.size = file.file.name, file.size
        return _kept(rendition)
    try:
        with file.file.open("rb") as source:
            looked = captions.look(source.read(), file.content_type)
    except FileNotFoundError:
        raise CannotFit(_("“{name}” is no longer on our disk: upload it again.").format(name=file)) from None
    made = captions.written(looked, wanted)
    rendition.size = len(made)
    with room_on_disk():
        rendition.file.save(f"{file.sha256}.{captions.SUFFIX[wanted]}", ContentFile(made), save=False)
    return _kept(rendition)


def _kept(rendition: Rendition) -> Rendition:
    """Two publishers may make the same at once: the first row wins, the other's bytes go."""
    try:
        with transaction.atomic():
            rendition.save()
    except IntegrityError:
        if rendition.file.name != rendition.original.file.name:
            store.forget(rendition.file.storage, str(rendition.file.name))
        return Rendition.objects.get(original=rendition.original, recipe=rendition.recipe)
    return rendition


SHOWN = ImageLimit(
    most=1,
    largest_bytes=3_000_000,
    types=("image/jpeg", "image/png", "image/webp", "image/gif"),
    longest_side=1600,
)
"""What our own pages show of a picture: upright, no place in it, and light enough for a phone."""
