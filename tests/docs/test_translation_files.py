"""``scripts/messages.py update`` adds and drops texts, and leaves every other line of a translation file as it was."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import polib
import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "messages.py"
SAID = """
from django.utils.translation import gettext as _

def say(name):
    _("Everything that was planned for this account waits until a person has looked at it, and says so.")
    _("Hello %(name)s")
"""
KEPT = """#
msgid ""
msgstr ""
"Language: fr\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"

#: people/views.py
msgid ""
"Everything that was planned for this account waits until a person has looked"
" at it, and says so."
msgstr ""
"Tout ce qui était prévu pour ce compte attend qu’une personne y ait jeté un "
"œil, et le dit."

#: people/views.py
msgid "Hello %(name)s"
msgstr "Bonjour %(name)s"
"""


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The French of an app that says two things, and the script let loose on it."""
    spec = importlib.util.spec_from_file_location("messages_of_an_app", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, script)
    spec.loader.exec_module(script)
    monkeypatch.setattr(script, "PACKAGE", tmp_path)
    path: Path = script.po_path("people", "fr")
    path.parent.mkdir(parents=True)
    path.write_text(KEPT)
    (tmp_path / "people" / "views.py").write_text(SAID)
    return path


def update() -> None:
    sys.modules["messages_of_an_app"].update()


def test_an_update_without_news_changes_nothing(kept: Path) -> None:
    update()
    assert kept.read_text() == KEPT
    polib.pofile(str(kept)).save()  # as anybody does who writes translations with polib
    assert kept.read_text() == KEPT


def test_what_is_new_comes_in_and_what_nobody_says_goes_out(kept: Path) -> None:
    views = kept.parents[3] / "views.py"
    views.write_text(SAID.replace("Hello", "Good morning"))
    update()
    new = 'msgid "Good morning %(name)s"\nmsgstr ""\n'
    assert kept.read_text() == KEPT.partition('#: people/views.py\nmsgid "Hello')[0] + f"#: people/views.py\n{new}"


def test_a_word_in_place_of_an_empty_value_in_a_template_is_collected(kept: Path) -> None:
    page = kept.parents[3] / "templates" / "people" / "page.html"
    page.parent.mkdir(parents=True)
    page.write_text('<p>{{ name|default:_("Nobody yet") }}</p>')
    update()
    assert "Nobody yet" in {entry.msgid for entry in polib.pofile(str(kept))}
