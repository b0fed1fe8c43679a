"""Files: uploaded once, whole or in pieces, used in posts by their number."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_noop as _
from ninja import File, Form, Query, Router, Status, UploadedFile
from pydantic import BaseModel, Field

from regie.api.errors import COMMON
from regie.api.once import Key, once
from regie.api.shapes import LARGEST, Given, Page, Pages, page_of
from regie.api.tokens import ApiRequest
from regie.media import arriving, models, queries, services

router = Router(tags=["media"])


class FileOut(BaseModel):
    id: int
    kind: str = Field(description="picture, video, document, sound or captions")
    name: str
    content_type: str
    size: int = Field(description="Bytes.")
    width: int = Field(description="As it is seen; 0 where there is nothing to see.")
    height: int
    sha256: str
    alt: str = Field(description="What it shows, for those who do not see it.")
    title: str = Field(description="Of a document or a sound, as its readers see it.")
    pages: int | None = Field(description="Of a document; None where nobody can tell.")
    language: str = Field(description="Of subtitles; empty where nobody said.")
    seconds: float | None = Field(description="How long a video or a sound lasts; None for the others.")
    created_at: datetime


class UploadIn(Given):
    name: str = Field(max_length=255)
    size: int = Field(ge=1, le=LARGEST, description="Bytes of the whole file.")
    mark: str = Field(
        "", max_length=100, description="Your word for this very file: the same again finds what is half here."
    )


class UploadOut(BaseModel):
    id: UUID
    received: int = Field(description="Bytes that are here: the next piece begins there.")
    most: int = Field(description="Bytes of one piece, at most.")


def file_out(file: models.File) -> FileOut:
    return FileOut(id=file.pk, **{name: getattr(file, name) for name in FileOut.model_fields if name != "id"})


@router.post("/media", response={201: FileOut, **COMMON}, summary=_("Upload a file"))
def upload(
    request: ApiRequest,
    file: Annotated[UploadedFile, File()],
    alt: Annotated[str, Form(max_length=5000)] = "",
    key: Key = "",
) -> Status[FileOut]:
    """A picture (JPEG, PNG, WebP, GIF or HEIC up to 60 MB), a video (MP4, MOV, WebM), a document (PDF, Word, PowerPoint
    up to 100 MB), a sound (MP3, M4A, Ogg, WAV) or subtitles (SRT, VTT). The same bytes again are the same file.

    What is larger than 250 MB comes in pieces: ``POST /uploads``.
    """

    def do() -> FileOut:
        member = request.auth.member
        source = cast("Any", file.file)
        kept = services.upload(workspace=member.workspace, name=file.name or "", source=source, by=member)
        if alt.strip():
            kept = services.describe(file=kept, alt=alt, name=kept.name, by=member)
        return file_out(kept)

    return once(request, key, FileOut, do, status=201)


@router.get("/media", response={200: Page[FileOut], **COMMON}, summary=_("List files"))
def media(request: ApiRequest, paging: Pages, text: Annotated[str, Query(max_length=200)] = "") -> Page[FileOut]:
    """The latest first; ``text`` is looked for in names and alternative texts."""
    found = queries.matching(queries.files_for(request.auth.scope), text=text)
    rows, more = page_of(found.order_by("-created_at", "-pk"), paging)
    return Page(items=[file_out(row) for row in rows], page=paging.page, more=more)


@router.post("/uploads", response={201: UploadOut, **COMMON}, summary=_("Begin a large upload"))
def begin(request: ApiRequest, given: UploadIn) -> Status[UploadOut]:
    """Answers where the next piece begins. After a broken line, ask again with the same ``mark`` and go on there."""
    member = request.auth.member
    upload = arriving.begin(
        workspace=member.workspace, name=given.name, size=given.size, mark=given.mark or given.name, by=member
    )
    return Status(201, _upload_out(upload))


@router.put("/uploads/{pk}", response={200: UploadOut, **COMMON}, summary=_("Send a piece of an upload"))
def piece(request: ApiRequest, pk: UUID, at: Annotated[int, Query(ge=0, le=LARGEST)] = 0) -> UploadOut:
    """The body is the piece, as it is; ``at`` says where it belongs. One that is here already changes nothing."""
    return _upload_out(arriving.add(_upload(request, pk), at=at, piece=request))


@router.post("/uploads/{pk}/finish", response={201: FileOut, **COMMON}, summary=_("Finish an upload"))
def finish(request: ApiRequest, pk: UUID) -> Status[FileOut]:
    """The whole is here: it becomes a file, or the reason is said and the pieces are gone."""
    return Status(201, file_out(arriving.finish(_upload(request, pk), by=request.auth.member)))


def _upload(request: ApiRequest, pk: UUID) -> models.Upload:
    member = request.auth.member
    member.must("write")
    return get_object_or_404(models.Upload, pk=pk, workspace=member.workspace)


def _upload_out(upload: models.Upload) -> UploadOut:
    return UploadOut(id=upload.pk, received=upload.received, most=arriving.PIECE)
