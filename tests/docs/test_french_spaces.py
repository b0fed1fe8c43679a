"""French as it is printed: a non-breaking space before ; : ! ? and », and after «, so that no line begins with them."""

from __future__ import annotations

import re
from pathlib import Path

import polib
import pytest

FILES = sorted((Path(__file__).parents[2] / "src" / "regie").rglob("fr/LC_MESSAGES/django.po"))
PLAIN = re.compile(r"[^\s|] [:;!?»]|« ")
NO_PROSE = re.compile(r"https?://\S+|`[^`]*`|<[^>]*>")


def is_plain(text: str) -> bool:
    return bool(PLAIN.search(NO_PROSE.sub("", text)))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parents[3].name)
def test_no_french_text_breaks_before_its_marks(file: Path) -> None:
    texts = [
        text
        for entry in polib.pofile(str(file))
        if not entry.obsolete
        for text in (entry.msgstr, *entry.msgstr_plural.values())
    ]
    assert [text for text in texts if is_plain(text)] == []


@pytest.mark.parametrize("text", ["Prêt : oui", "Vraiment ?", "un ; deux", "dit « oui\u00a0»", "dit «\u00a0oui »"])
def test_a_plain_space_is_found(text: str) -> None:
    assert is_plain(text)


@pytest.mark.parametrize(
    "text", ["Prêt\u00a0: oui", "Vraiment\u202f?", "«\u00a0oui\u00a0»", "à 10:30", "https://a.example/?q= :x"]
)
def test_what_is_printed_well_or_is_an_address_is_left_alone(text: str) -> None:
    assert not is_plain(text)
