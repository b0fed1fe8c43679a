"""Template tags of the library: how long a video lasts, why one was not made. ``{% load media %}``."""

from __future__ import annotations

from django import template

from regie.core.sentences import in_words

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
