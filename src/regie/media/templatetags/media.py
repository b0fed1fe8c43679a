"""Template tags of the library: how long a video lasts, the sign of a document, why a video was not made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template

from regie.core.sentences import in_words
from regie.media.models import File

SIGNS = {"document": "file-text", "sound": "volume", "captions": "language", "picture": "photo", "video": "video"}

register = template.Library()
register.filter("in_words", in_words)


@register.filter
def lasts(seconds: float | None) -> str:
    """As a player shows it: 0:48, 12:05, 1:02:40. Empty for a picture."""
    if seconds is None:
        return ""
    minutes, rest = divmod(max(1, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.filter
def sign(file: File) -> str:
    """The icon of a file's kind."""
    return SIGNS[file.kind]


@register.filter
def ending(file: File) -> str:
    """How its name ends, in capitals: PDF, MP3."""
    return str(file.file.name).rpartition(".")[2].upper()


@register.filter
def can_be_seen(uses: Iterable[Any]) -> list[Any]:
    """Of uses of files (desk.Use): pictures, videos, and what is missing."""
    return [use for use in uses if _is_seen(use)]


@register.filter
def can_be_opened(uses: Iterable[Any]) -> list[Any]:
    """Of uses of files: documents, sounds, subtitles."""
    return [use for use in uses if not _is_seen(use)]


def _is_seen(use: Any) -> bool:
    return use.file is None or use.moving or use.file.is_picture or use.file.is_video
