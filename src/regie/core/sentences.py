"""Sentences kept in English with {names}, shown in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext


def in_words(sentence: str, facts: Mapping[str, Any] | None = None) -> str:
    """The sentence translated, then filled from ``facts``. One that does not fit its facts is shown as it is."""
    if not sentence:
        return ""
    translated = gettext(sentence)
    try:
        return translated.format(**facts) if facts else translated
    except (KeyError, IndexError, ValueError):
        return translated
