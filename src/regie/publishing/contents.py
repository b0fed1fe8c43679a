"""From a variant to the steps of its delivery: exactly what each part says on its account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regie.networks.capabilities import Capabilities
from regie.studio.checks import as_sent
from regie.studio.content import Content, Part

Step = dict[str, Any]


def steps_of(content: Content, can: Capabilities) -> list[Step]:
    """One step per part. The poll goes with the first; warning, language and visibility with all."""
    sent = as_sent(content, can)
    return [_step(sent, part, first=number == 0) for number, part in enumerate(sent.parts)]


def _step(content: Content, part: Part, *, first: bool) -> Step:
    step: Step = {"text": part.text.strip(), "media": [use.model_dump() for use in part.media]}
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


def has_media(steps: list[Mapping[str, Any]] | list[Step]) -> bool:
    return any(step.get("media") for step in steps)
