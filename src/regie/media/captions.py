"""Subtitles: SubRip and WebVTT, read line by line, checked, and written as the other where a network takes only that.

Both are plain text: cues, each a time, an arrow, a time, and some lines. Sources: https://www.w3.org/TR/webvtt1/ for
WebVTT; SubRip has no standard, this is what YouTube and Facebook document of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.translation import gettext_noop

from regie.media.errors import NotCaptions

SRT, VTT = "application/x-subrip", "text/vtt"
SUFFIX = {SRT: "srt", VTT: "vtt"}
MOST_BYTES = 2 * 1024 * 1024

WHY = {
    "text": gettext_noop("These subtitles are not written in UTF-8. Save them as UTF-8, then upload them again."),
    "none": gettext_noop("There is not one subtitle in this file."),
    "order": gettext_noop("One of these subtitles ends before it begins. Correct its times, then upload them again."),
    "largest": gettext_noop("These subtitles are larger than 2 MB: they cannot belong to one video."),
}

_TIME = r"(?:(\d{1,2}):)?([0-5]?\d):([0-5]?\d)[,.](\d{3})"
_CUE = re.compile(rf"^[ \t]*{_TIME}[ \t]+-->[ \t]+{_TIME}[^\n]*$", re.MULTILINE)
_IN_NAME = re.compile(r"[._-]([a-z]{2,3}(?:-[A-Za-z]{2,4})?)\.(?:srt|vtt)$")
_BREAKS = re.compile(r"\r\n?")


@dataclass(frozen=True, slots=True)
class Cue:
    """``begin`` and ``end`` in milliseconds."""

    begin: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Looked:
    content_type: str
    cues: tuple[Cue, ...]


def kind_of(head: bytes) -> str | None:
    """The content type of subtitles from the first 4,096 bytes of their file; None for anything else."""
    begin = head.removeprefix(b"\xef\xbb\xbf")
    if begin[:6] == b"WEBVTT" and begin[6:7] in (b"", b" ", b"\t", b"\n", b"\r"):
        return VTT
    if b"\0" in begin or b" --> " not in begin:
        return None
    return SRT if _CUE.search(_lines(begin.decode("utf-8", "replace"))) else None


def look(content: bytes, kind: str) -> Looked:
    """Every cue of the file. Raises NotCaptions with a sentence."""
    try:
        text = _lines(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise NotCaptions(WHY["text"]) from None
    cues = tuple(_cues(text))
    if not cues:
        raise NotCaptions(WHY["none"])
    if any(cue.end <= cue.begin for cue in cues):
        raise NotCaptions(WHY["order"])
    return Looked(kind, cues)


def _lines(text: str) -> str:
    return _BREAKS.sub("\n", text)


def _cues(text: str) -> list[Cue]:
    found = list(_CUE.finditer(text))
    ends = [*(one.start() for one in found[1:]), len(text)][: len(found)]
    return [
        Cue(_milliseconds(one.groups()[:4]), _milliseconds(one.groups()[4:]), _words(text[one.end() : end]))
        for one, end in zip(found, ends, strict=True)
    ]


def _words(after: str) -> str:
    """The lines of a cue: up to the empty line, without the number or name of the next one."""
    return after.strip("\n").split("\n\n")[0].strip()


def _milliseconds(time: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, rest = (int(part or 0) for part in time)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest


def written(looked: Looked, kind: str) -> bytes:
    """The same cues as a file of ``kind``, numbered from 1, in UTF-8."""
    dot = "." if kind == VTT else ","
    pieces = [
        f"{number}\n{_clock(cue.begin, dot)} --> {_clock(cue.end, dot)}\n{cue.text}\n"
        for number, cue in enumerate(looked.cues, start=1)
    ]
    return ("WEBVTT\n\n" * (kind == VTT) + "\n".join(pieces)).encode()


def _clock(milliseconds: int, dot: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{dot}{rest:03}"


def language_in(name: str) -> str:
    """The language that a file's name ends with: "fr" of ``film.fr.srt``; "" when it does not say."""
    found = _IN_NAME.search(name)
    return found[1] if found else ""
