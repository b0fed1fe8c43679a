"""Pictures: uploaded once, used in posts by their number."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, cast

from django.utils.translation import gettext_noop as _
from ninja import File, Form, Query, Router, Status, UploadedFile
from pydantic import BaseModel, Field

from regie.api.errors import COMMON
from regie.api.once import Key, once
from regie.api.shapes import Page, Pages, page_of
from regie.api.tokens import ApiRequest
from regie.media import models, queries, services

router = Router(tags=["media"])


class FileOut(BaseModel):
    id: int
    name: str
    content_type: str
    size: int = Field(description="Bytes.")
    width: int
    height: int
    sha256: str
    alt: str = Field(description="What the picture shows, for those who do not see it.")
    created_at: datetime


def file_out(file: models.File) -> FileOut:
    names = ("name", "content_type", "size", "width", "height", "sha256", "alt", "created_at")
    return FileOut(id=file.pk, **{name: getattr(file, name) for name in names})


@router.post("/media", response={201: FileOut, **COMMON}, summary=_("Upload a picture"))
def upload(
    request: ApiRequest,
    file: Annotated[UploadedFile, File()],
    alt: Annotated[str, Form(max_length=5000)] = "",
    key: Key = "",
) -> Status[FileOut]:
    """JPEG, PNG, WebP, GIF or HEIC, up to 60 MB. The same bytes again are the same file."""

    def do() -> FileOut:
        member = request.auth.member
        source = cast("Any", file.file)
        kept = services.upload(workspace=member.workspace, name=file.name or "", source=source, by=member)
        if alt.strip():
            focus = (kept.focus_x, kept.focus_y)
            kept = services.describe(file=kept, alt=alt, name=kept.name, focus=focus, by=member)
        return file_out(kept)

    return once(request, key, FileOut, do, status=201)


@router.get("/media", response={200: Page[FileOut], **COMMON}, summary=_("List the pictures"))
def media(request: ApiRequest, paging: Pages, text: Annotated[str, Query(max_length=200)] = "") -> Page[FileOut]:
    """The latest first; ``text`` is looked for in names and alternative texts."""
    found = queries.matching(queries.files_for(request.auth.scope), text=text)
    rows, more = page_of(found.order_by("-created_at", "-pk"), paging)
    return Page(items=[file_out(row) for row in rows], page=paging.page, more=more)
