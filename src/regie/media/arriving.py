"""Large files, sent in pieces: what is here stays here when the line breaks, and the sender goes on from there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import IO, Protocol
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from regie.core import clock
from regie.media import services, videos
from regie.media.errors import TooBig, UploadOver, room_on_disk
from regie.media.models import File, Upload
from regie.people.models import Member, Workspace

PIECE = 8 * 1024 * 1024  # most bytes of one piece
KEPT = timedelta(days=2)
MOST_AT_ONCE = 20  # unfinished uploads of one person
BUFFER = 256 * 1024


class Readable(Protocol):
    """What a piece is read from: a file, or the body of a request."""

    def read(self, size: int = -1, /) -> bytes: ...


def begin(*, workspace: Workspace, name: str, size: int, mark: str, by: Member) -> Upload:
    """A place for a file of ``size`` bytes; the one that is half here already, when the same ``mark`` comes again.

    Raises NotAllowed; TooBig.
    """
    services.must_may_upload(workspace, by)
    if not 0 < size <= videos.MOST_BYTES:
        raise TooBig(_(videos.WHY["largest"]))
    upload, made = Upload.objects.get_or_create(
        workspace=workspace, user=by.user, mark=mark[:100], size=size, defaults={"name": name[:255]}
    )
    if made:
        _forget_the_oldest(by)
    elif _size(_place(upload)) < upload.received:  # begun on another machine, or cleared away
        Upload.objects.filter(pk=upload.pk).update(received=0)
        upload.received = 0
    return upload


def _forget_the_oldest(by: Member) -> None:
    for old in Upload.objects.filter(user=by.user).order_by("-touched_at")[MOST_AT_ONCE:]:
        forget(old)


@transaction.atomic
def add(upload: Upload, *, at: int, piece: Readable) -> Upload:
    """Puts a piece behind what is here. ``at``: where the sender thinks that it belongs.

    A piece that is here already is passed over, and so is what would be more than was announced. Raises UploadOver
    when there would be a gap.
    """
    row = Upload.objects.select_for_update().filter(pk=upload.pk).first()
    if row is None or at > row.received:
        raise UploadOver(_("A piece of the file is missing. Choose the file once more: what is here already stays."))
    if at < row.received:
        return row
    if _size(_place(row)) < at:  # what came before lies on another machine, or was cleared away
        raise UploadOver(_("The file did not come through. Upload it once more."))
    with room_on_disk():
        row.received += _append(_place(row), at, piece, most=min(PIECE, row.size - at))
    row.touched_at = clock.now()
    row.save(update_fields=["received", "touched_at"])
    return row


def _size(place: Path) -> int:
    return place.stat().st_size if place.exists() else 0


def _append(place: Path, at: int, piece: Readable, *, most: int) -> int:
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    place.touch(mode=0o600, exist_ok=True)
    written = 0
    with place.open("r+b") as file:
        file.seek(at)
        while written < most and (read := piece.read(min(BUFFER, most - written))):
            written += file.write(read)
        file.truncate()
    return written


def finish(upload: Upload, *, by: Member) -> File:
    """The whole is here: it becomes a file of the library. Raises what ``services.upload`` raises; UploadOver."""
    if upload.received < upload.size:
        raise UploadOver(_("The file is not here whole yet. Choose it once more: what is here already stays."))
    place = _place(upload)
    try:
        opened = place.open("rb")
    except FileNotFoundError:
        forget(upload)
        raise UploadOver(_("The file did not come through. Upload it once more.")) from None
    try:
        with opened, _Placed(opened, upload.name, place) as source:
            return services.upload(workspace=upload.workspace, name=upload.name, source=source, by=by)
    finally:
        forget(upload)


class _Placed(UploadedFile):  # type: ignore[type-arg]
    """A file on our disk that the storage may take as it lies there."""

    def __init__(self, opened: IO[bytes], name: str, place: Path) -> None:
        super().__init__(opened, name, size=place.stat().st_size)
        self.place = place

    def temporary_file_path(self) -> str:
        return str(self.place)


def forget(upload: Upload) -> None:
    _place(upload).unlink(missing_ok=True)
    upload.delete()


def forget_the_abandoned() -> None:
    """What stood still for days."""
    for upload in Upload.objects.filter(touched_at__lt=clock.now() - KEPT):
        forget(upload)


def _place(upload: Upload) -> Path:
    return Path(settings.DATA) / "uploads" / str(UUID(str(upload.pk)))
