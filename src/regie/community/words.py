"""Texts as the search sees them: accents folded, in every script that decomposes. Source: Unicode NFKD."""

from __future__ import annotations

import re
import unicodedata

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Value

CONFIG = "simple"  # no stemming: messages come in every language
MOST = 20_000  # characters of one message that can be found
WORD = re.compile(r"\w+")
APART = str.maketrans({"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "ß": "ss", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l"})


def folded(text: str) -> str:
    """Lower case without accents: "Très Façonné, Ёлка" and "tres faconne, елка" are one."""
    apart = unicodedata.normalize("NFKD", text.translate(APART))
    return "".join(sign for sign in apart if not unicodedata.combining(sign)).casefold()


def vector(*texts: str) -> SearchVector:
    """What is stored, from the texts that can be searched for."""
    return SearchVector(Value(" ".join(WORD.findall(folded(" ".join(texts)[:MOST])))), config=CONFIG)


def query(typed: str) -> SearchQuery | None:
    """Every word has to be there, the beginning of one is enough. None when nothing was typed that is a word."""
    wanted = WORD.findall(folded(typed))[:12]
    if not wanted:
        return None
    return SearchQuery(" & ".join(f"{word}:*" for word in wanted), search_type="raw", config=CONFIG)
