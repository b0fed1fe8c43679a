"""How late a post may still go out by itself: what can be chosen, and how it is said. Later, a person is asked."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

MINUTES = (0, 5, 15, 30, 60, 180, 720, 1440)
LONGEST = 7 * 24 * 60


def in_words(minutes: int) -> str:
    if minutes == 0:
        return _("not at all")
    if minutes % 1440 == 0:
        return ngettext("{n} day late", "{n} days late", minutes // 1440).format(n=minutes // 1440)
    if minutes % 60 == 0:
        return ngettext("{n} hour late", "{n} hours late", minutes // 60).format(n=minutes // 60)
    return ngettext("{n} minute late", "{n} minutes late", minutes).format(n=minutes)


def choices(also: int | None = None) -> list[tuple[int, str]]:
    """With a value that a program has set, if it is none of ours."""
    return [(minutes, in_words(minutes)) for minutes in sorted({*MINUTES, *([also] if also is not None else [])})]


def read(text: str | None, otherwise: int) -> int:
    """What a form sent; anything out of bounds is taken as not said."""
    if text and text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= LONGEST:
        return int(text)
    return otherwise
