"""What the documentation says is there: labels on the screen, in both languages, tables, pages and pictures."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import polib
import pytest

from regie.networks import registry

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)  # a label may go on in the next line
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
PLACEHOLDER = re.compile(r"%\\\(\w+\\\)s|\\\{\w+\\\}")
FRENCH_SPACES = re.compile(r"[^\s|] [;!?»]|« | :(?=\s)")


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # a NamedTuple in it looks for its module
    spec.loader.exec_module(module)
    return module


def bold(language: str) -> set[str]:
    names = {registry.connector(slug).name for slug in registry.slugs()}
    labels = BOLD.findall((DOCS / "guide" / f"{language}.md").read_text())
    return {label.replace("\n", " ") for label in labels} - names


@cache
def on_screen() -> frozenset[str]:
    """Every English text that a person can see, from the sources themselves."""
    messages_of = script("messages").messages_of
    files = [path for path in (ROOT / "src" / "regie").rglob("*") if path.suffix in (".py", ".html")]
    return frozenset(message.text for path in files if "vendor" not in path.parts for message in messages_of(path))


@cache
def french() -> dict[str, frozenset[str]]:
    """English text > its French ones: the same word may be said differently in another context."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "src" / "regie").rglob("fr/LC_MESSAGES/django.po"):
        for entry in polib.pofile(str(path)):
            if not entry.obsolete and entry.msgstr:
                found.setdefault(entry.msgid, set()).add(entry.msgstr)
    return {text: frozenset(words) for text, words in found.items()}


@cache
def shape(text: str) -> re.Pattern[str] | None:
    """What a text looks like with its names filled in; None for one without names, or with hardly anything else:
    "{some} and {last}" is what any label could look like."""
    escaped = re.escape(text)
    filled, names = PLACEHOLDER.subn(".+", escaped)
    letters = sum(letter.isalpha() for letter in PLACEHOLDER.sub("", escaped))
    return re.compile(filled) if names and letters > 5 else None


def says(label: str, text: str) -> bool:
    """Whether ``label`` is ``text``, with its names filled in."""
    return label == text or bool((found := shape(text)) and found.fullmatch(label))


def texts_of(label: str) -> list[str]:
    """The English texts that a label of the English guide stands for."""
    return [text for text in on_screen() if says(label, text)]


def test_every_label_of_the_english_guide_is_on_the_screen() -> None:
    assert {label for label in bold("en") if not texts_of(label)} == set()


def test_every_label_of_the_french_guide_is_on_the_screen_in_french() -> None:
    texts = {words for all_words in french().values() for words in all_words}
    assert {label for label in bold("fr") if not any(says(label, text) for text in texts)} == set()


def test_both_guides_name_the_same_labels() -> None:
    def is_said(label: str) -> bool:
        words = [french_text for text in texts_of(label) for french_text in french().get(text, ())]
        return any(says(said, text) for text in words for said in bold("fr"))

    assert {label for label in bold("en") if not is_said(label)} == set()


def test_french_has_its_spaces() -> None:
    prose = re.sub(r"`[^`]*`", "", (DOCS / "guide" / "fr.md").read_text())
    assert FRENCH_SPACES.findall(prose) == []


def test_the_tables_are_those_of_the_code() -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts" / "docs.py", "check"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(r"`((?:src|tests|scripts|docs)/[\w./-]+)`", page.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("picture", sorted((DOCS / "images").glob("*")), ids=lambda picture: picture.name)
def test_every_picture_is_light_and_shown(picture: Path) -> None:
    assert picture.stat().st_size < 250_000
    assert any(picture.name in page.read_text() for page in PAGES)
