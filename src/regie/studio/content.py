"""What a post says, as data: parts (more than one is a thread), files, poll, warnings, format. Kept as JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from regie.networks.capabilities import Format


class MediaUse(BaseModel):
    """A file used in a part. ``alt`` None: the file's own. ``cut``: a video may be shortened as a network asks."""

    model_config = ConfigDict(extra="forbid")
    file: int
    alt: str | None = None
    cut: bool = False


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str = ""
    media: list[MediaUse] = Field(default_factory=list)


class Poll(BaseModel):
    """A question with answers, on the first part. ``minutes`` it stays open."""

    model_config = ConfigDict(extra="forbid")
    options: list[str] = Field(min_length=2, max_length=12)
    minutes: int = Field(1440, ge=1)
    multiple: bool = False
    hide_totals: bool = False
    question: str = ""

    @property
    def lasts(self) -> timedelta:
        return timedelta(minutes=self.minutes)


class Content(BaseModel):
    """Version 1 of the document. Reading an older one fills in what it lacks."""

    model_config = ConfigDict(extra="forbid")
    parts: list[Part] = Field(default_factory=lambda: [Part()], min_length=1, max_length=100)
    content_warning: str = ""
    sensitive: bool = False
    language: str = ""
    visibility: str = ""
    poll: Poll | None = None
    format: Format = Format.POST

    @property
    def text(self) -> str:
        return self.parts[0].text

    @property
    def file_ids(self) -> set[int]:
        return {use.file for part in self.parts for use in part.media}

    @property
    def is_empty(self) -> bool:
        return self.poll is None and not any(part.text.strip() or part.media for part in self.parts)

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")
