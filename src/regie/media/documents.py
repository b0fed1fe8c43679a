"""What a document is: PDF, Word, PowerPoint. It is opened in the media process only, and never shown by us."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext_noop

from regie.media.errors import NotADocument
from regie.media.videos import Film

MOST_BYTES = 100 * 1024 * 1024
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
SUFFIX = {"application/pdf": "pdf", DOCX: "docx", PPTX: "pptx"}
ZIP = "application/zip"  # what it is beyond that, its contents say
READ_SECONDS = 30.0

WHY = {
    "damaged": gettext_noop("This document is damaged or was cut short. Save it again, then upload it."),
    "locked": gettext_noop("This document asks for a password. Save it without one, then upload it again."),
    "macros": gettext_noop("There are macros in this document. Save it without them (.docx, .pptx), then upload it."),
    "other": gettext_noop(
        "This is an archive, and no document that we know. Use PDF, Word (.docx) or PowerPoint (.pptx)."
    ),
    "time": gettext_noop("Reading this document took too long. Save it as PDF again, then upload it."),
    "largest": gettext_noop("This document is larger than 100 MB. Make it smaller, then upload it again."),
}


@dataclass(frozen=True, slots=True)
class Opened:
    """What a document turned out to be. ``pages`` of a PDF, slides of a presentation; None where only Word knows."""

    content_type: str
    pages: int | None
    title: str


def kind_of(head: bytes) -> str | None:
    """PDF, or the archive that a Word file and a presentation are; None for anything else."""
    if b"%PDF-" in head[:1024]:
        return "application/pdf"
    return ZIP if head[:4] == b"PK\x03\x04" else None


def read(path: Path, kind: str) -> Opened:
    """Opens a document in a process of its own. Raises NotADocument with a sentence."""
    order = {"do": "read", "largest_file": 1024**2}
    form = "pdf" if kind == "application/pdf" else "zip"
    told = Film(path, form, order, seconds=READ_SECONDS, why=WHY, refused=NotADocument).run()
    return Opened(content_type=str(told["content_type"]), pages=told["pages"], title=str(told["title"]))
