"""Whether the texts fit: of the parts of a thread, and of the first comment."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from regie.networks import text
from regie.networks.capabilities import Capabilities, Format, TextLimit
from regie.studio.checks.findings import Files, Finding, stop
from regie.studio.content import Content, Part


@dataclass(frozen=True, slots=True)
class Counter:
    """How much of a part's text is used, in the network's own units; ``left`` below zero is too much."""

    part: int
    used: int
    longest: int

    @property
    def left(self) -> int:
        return self.longest - self.used


def counters(content: Content, can: Capabilities, files: Files) -> list[Counter]:
    """One for each part, with the limit that holds for it: a caption's where it has pictures, or a video."""
    return [_counter(number, part, can.text, files) for number, part in enumerate(content.parts)]


def _counter(number: int, part: Part, limit: TextLimit, files: Files) -> Counter:
    longest = text.longest_of(limit, **_beside(part, files))
    return Counter(number, text.length(part.text.strip(), limit.counting), longest)


def _beside(part: Part, files: Files) -> dict[str, bool]:
    """What a text is a caption of."""
    moves = any(use.as_video or (use.file in files and files[use.file].is_video) for use in part.media)
    return {"with_media": bool(part.media), "with_video": moves}


def about_parts(content: Content, can: Capabilities, name: str) -> list[Finding]:
    parts = len(content.parts)
    if parts <= can.thread:
        return []
    if can.thread == 1:
        return [stop(_("{network} has no threads: keep one part.").format(network=name))]
    return [
        stop(
            _("{network} takes threads of at most {most} parts; this one has {parts}.").format(
                network=name, most=can.thread, parts=parts
            )
        )
    ]


def about_texts(content: Content, can: Capabilities, files: Files) -> list[Finding]:
    found = []
    for number, part in enumerate(content.parts):
        words = part.text.strip()
        if over := text.too_long_by(words, can.text, **_beside(part, files)):
            found.append(stop(_too_long(over, number, len(content.parts)), number))
        if not words and can.text_required and not (number == 0 and content.poll):
            found.append(stop(_("A text is needed beside the pictures or videos here."), number))
    return found


def _too_long(over: int, number: int, parts: int) -> str:
    if parts > 1:
        return ngettext(
            "Part {number} is {over} character too long.", "Part {number} is {over} characters too long.", over
        ).format(number=number + 1, over=over)
    return ngettext("The text is {over} character too long.", "The text is {over} characters too long.", over).format(
        over=over
    )


def about_first_comment(content: Content, can: Capabilities, name: str) -> list[Finding]:
    words = content.first_comment.strip()
    if not words:
        return []
    if not can.first_comment or content.format is Format.STORY:
        said = _("{network} takes no first comment here: take it out for this account.")
        return [stop(said.format(network=name))]
    if over := text.too_long_by(words, can.comment or can.text):
        return [
            stop(
                ngettext(
                    "The first comment is {over} character too long.",
                    "The first comment is {over} characters too long.",
                    over,
                ).format(over=over)
            )
        ]
    return []
