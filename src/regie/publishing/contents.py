"""From a variant to the steps of its delivery: exactly what each part says on its account."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.db.models import QuerySet

from regie.media.errors import CannotFit
from regie.media.making import ask_for
from regie.media.models import File
from regie.networks.capabilities import Capabilities, Format
from regie.studio.checks import as_sent
from regie.studio.content import Content, MediaUse, Part

Step = dict[str, Any]


def steps_of(content: Content, can: Capabilities) -> list[Step]:
    """One step per part. The poll goes with the first; warning, language and visibility with all."""
    sent = as_sent(content, can)
    return [_step(sent, part, first=number == 0) for number, part in enumerate(sent.parts)]


def _step(content: Content, part: Part, *, first: bool) -> Step:
    step: Step = {"text": part.text.strip(), "media": [_use(use) for use in part.media]}
    if content.format is not Format.POST:
        step["format"] = str(content.format)
    if content.content_warning.strip():
        step["content_warning"] = content.content_warning.strip()
    if content.sensitive:
        step["sensitive"] = True
    if content.language:
        step["language"] = content.language
    if content.visibility:
        step["visibility"] = content.visibility
    if first and content.poll is not None:
        step["poll"] = content.poll.model_dump()
    return step


def _use(use: MediaUse) -> dict[str, Any]:
    """What is not asked for is not written: an older step says the same."""
    return use.model_dump(exclude=None if use.cut else {"cut"})


def has_media(steps: list[Mapping[str, Any]] | list[Step]) -> bool:
    return any(step.get("media") for step in steps)


def has_video(content: Content) -> bool:
    return bool(content.file_ids) and _videos(content).exists()


def _videos(content: Content) -> QuerySet[File]:
    return File.objects.filter(pk__in=content.file_ids, kind=File.Kind.VIDEO)


def ask_for_videos(content: Content, can: Capabilities) -> None:
    """Lets the videos be made to fit the network. What is out of its reach is refused elsewhere, with the reason."""
    limits = can.video_in(content.format)
    if limits is None or not content.file_ids:
        return
    cut = {use.file: use.cut for part in content.parts for use in part.media}
    for file in _videos(content):
        with suppress(CannotFit):
            ask_for(file, limits, cut=cut[file.pk])
