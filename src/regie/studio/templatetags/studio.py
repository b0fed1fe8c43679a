"""Template tags of the studio: a post's text as a network shows it. ``{% load studio %}``."""

from __future__ import annotations

from typing import Any

import regex
from django import template
from django.template.loader import select_template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

MARKED = regex.compile(r"(https?://[^\s<>\"]+|(?<![\w/])@[\w.-]+(?:@[\w.-]+\w)?|(?<![\w/&])#[\p{L}\p{N}_]+)")


@register.filter
def as_posted(text: str) -> SafeString:
    """The text with its lines, and with links, mentions and hashtags in the colour networks give them."""
    parts = MARKED.split(text)
    shown = [
        format_html('<span class="look-link">{}</span>', _shortened(part)) if number % 2 else conditional_escape(part)
        for number, part in enumerate(parts)
    ]
    return mark_safe("".join(shown).replace("\n", "<br>"))  # noqa: S308 - every part was escaped above


def _shortened(word: str) -> str:
    """A link as networks show it: without its scheme, cut after a while."""
    if not word.startswith(("http://", "https://")):
        return word
    bare = word.split("://", 1)[1].removeprefix("www.")
    return bare if len(bare) <= 30 else f"{bare[:30]}…"


@register.simple_tag(takes_context=True)
def look_of(context: template.Context, preview: Any) -> SafeString:
    """The preview in the looks of its network, or in plain looks for a network that has none of its own."""
    found = select_template([preview.template, "studio/looks/plain.html"])
    return SafeString(found.render({"preview": preview, "scope": context.get("scope")}))


@register.filter
def negative(number: int) -> int:
    return -number
