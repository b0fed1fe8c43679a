"""What a post says, as data: parts (more than one is a thread), files, poll, warnings, format. Kept as JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from regie.networks.capabilities import Format
from regie.networks.options import Value, Values

Names = dict[str, dict[str, dict[str, str]]]
"""Account number -> option -> value -> what people read."""


class MediaUse(BaseModel):
    """A file used in a part. ``alt`` None: the file's own. ``cut``: a video may be shortened as a network asks."""

    model_config = ConfigDict(extra="forbid")
    file: int
    alt: str | None = None
    cut: bool = False
    cover: int | None = Field(
        default=None, description="Of a video or a sound: the picture that stands for it, a file."
    )
    captions: int | None = Field(default=None, description="Of a video: its subtitles, a file.")
    language: str = Field(default="", max_length=12, description="Of the subtitles, as “fr”; empty: the file's own.")
    as_video: bool = Field(
        default=False, description="A sound: a video of it and its cover where a network takes no sounds."
    )

    @property
    def file_ids(self) -> set[int]:
        return {number for number in (self.file, self.cover, self.captions) if number is not None}

    def as_json(self) -> dict[str, Any]:
        """What is not used is not written: an older document says the same."""
        unsaid = {name for name in ("cover", "captions", "language", "as_video") if not getattr(self, name)}
        return self.model_dump(mode="json", exclude=unsaid)


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
    correct: int | None = Field(
        default=None, ge=0, le=11, description="A quiz: the number of the right answer, from 0."
    )
    explanation: str = Field(default="", description="Of a quiz: what people read after a wrong answer.")

    @property
    def lasts(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    def as_json(self) -> dict[str, Any]:
        """A poll that is no quiz says nothing of it."""
        unsaid = {name for name in ("correct", "explanation") if getattr(self, name) in (None, "")}
        return self.model_dump(mode="json", exclude=unsaid)


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
    options: dict[str, dict[str, Value]] = Field(
        default_factory=dict,
        description="What it says beside its text: by network (“youtube”) or account number (“17”, which goes before "
        "the network), then by option. GET /accounts/{id} lists the options with their kinds and choices.",
    )
    first_comment: str = Field(
        default="", description="Published under the post, where the network has comments of ours."
    )

    names: Names = Field(
        default_factory=dict,
        description="What its networks called the choices that only they know, when it was saved: by account number, "
        "option and value. Régie writes this.",
    )

    @property
    def text(self) -> str:
        return self.parts[0].text

    def options_on(self, network: str, account: int) -> Values:
        """What was chosen for an account: its own, and for the rest what holds for all of its network."""
        return {**self.options.get(network, {}), **self.options.get(str(account), {})}

    @property
    def file_ids(self) -> set[int]:
        """Of all its files, covers and subtitles too."""
        return {number for part in self.parts for use in part.media for number in use.file_ids}

    @property
    def is_empty(self) -> bool:
        """Nobody has written anything yet."""
        return not (self.has_parts or self.options or self.first_comment.strip())

    @property
    def has_parts(self) -> bool:
        return self.poll is not None or any(part.text.strip() or part.media for part in self.parts)

    def as_json(self) -> dict[str, Any]:
        """What is not used is not written: an older document says the same."""
        unsaid = {name for name in ("options", "first_comment", "names") if not getattr(self, name)}
        made = self.model_dump(mode="json", exclude=unsaid)
        if self.poll is not None:
            made["poll"] = self.poll.as_json()
        for part, said in zip(self.parts, made["parts"], strict=True):
            said["media"] = [use.as_json() for use in part.media]
        return made
