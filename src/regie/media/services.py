"""Writing files: upload, describe, remove, and the renditions that networks take."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from typing import IO

from django.core.files.base import ContentFile
from django.core.files.base import File as DjangoFile
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from regie.core import clock
from regie.media import pictures
from regie.media.errors import NotAPicture, TooBig, room_on_disk
from regie.media.models import File, Rendition
from regie.networks.capabilities import ImageLimit
from regie.people import audit
from regie.people.errors import NotAllowed
from regie.people.models import Member, Workspace


def upload(*, workspace: Workspace, name: str, source: IO[bytes], by: Member) -> File:
    """Keeps a picture. The same bytes in the same workspace are the same file; a removed one comes back.

    Raises NotAllowed; NotAPicture, TooBig or DiskFull with a sentence, and then nothing was kept.
    """
    by.must("write")
    if by.workspace_id != workspace.pk:
        raise NotAllowed("write", role=by.role)
    if source.seek(0, 2) > pictures.MOST_BYTES:
        raise TooBig(_("This file is larger than 60 MB. Make it smaller, then upload it again."))
    fingerprint = _fingerprint(source)
    if (known := _known(workspace, fingerprint)) is not None:
        return known
    looked = pictures.look(source)
    suffix = pictures.SUFFIX[looked.content_type]
    file = File(
        workspace=workspace,
        name=_short(name),
        content_type=looked.content_type,
        size=source.seek(0, 2),
        width=looked.width,
        height=looked.height,
        sha256=fingerprint,
        uploaded_by=by.user,
    )
    source.seek(0)
    with room_on_disk(), _taken_back_on_failure(file):
        file.file.save(f"{fingerprint}.{suffix}", DjangoFile(source), save=False)
        file.thumbnail.save(f"{fingerprint}.webp", ContentFile(looked.thumbnail), save=False)
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
                    kept.storage.delete(str(kept.name))


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
    base = os.path.basename(name.replace("\\", "/")).strip() or _("Picture")  # noqa: PTH119 - no path of ours
    stem, suffix = os.path.splitext(base)  # noqa: PTH122
    return f"{stem[: 255 - len(suffix[:20])]}{suffix[:20]}"


@transaction.atomic
def describe(*, file: File, alt: str, name: str, focus: tuple[float, float], by: Member) -> File:
    """Says what the picture shows, and which point of it matters. ``focus`` in -1..1, y up."""
    by.must("write", file)
    file.alt = alt.strip()
    file.name = _short(name) if name.strip() else file.name
    file.focus_x, file.focus_y = (max(-1.0, min(1.0, round(value, 3))) for value in focus)
    file.save(update_fields=["alt", "name", "focus_x", "focus_y"])
    audit.record(by=by, did="file.described", to=file)
    return file


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
    recipe = pictures.recipe(limits)
    found = Rendition.objects.filter(original=file, recipe=recipe).first()
    if found is not None:
        return found
    try:
        with file.file.open("rb") as source:
            made = pictures.make(source.file, limits)
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


def _kept(rendition: Rendition) -> Rendition:
    """Two publishers may make the same at once: the first row wins, the other's bytes go."""
    try:
        with transaction.atomic():
            rendition.save()
    except IntegrityError:
        if rendition.file.name != rendition.original.file.name:
            rendition.file.storage.delete(str(rendition.file.name))
        return Rendition.objects.get(original=rendition.original, recipe=rendition.recipe)
    return rendition


SHOWN = ImageLimit(
    most=1,
    largest_bytes=3_000_000,
    types=("image/jpeg", "image/png", "image/webp", "image/gif"),
    longest_side=1600,
)
"""What our own pages show of a picture: upright, no place in it, and light enough for a phone."""
