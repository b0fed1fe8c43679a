"""The pieces of every screen: states, icons, forms, messages, and the rules a page must keep."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from django import forms
from django.contrib.staticfiles import finders
from django.template import Context, Template
from django.template.loader import render_to_string
from django.utils import translation

from regie.accounts.models import Account
from regie.cli.compressing import Quickly
from regie.planner.queries import ELSEWHERE
from regie.publishing.states import LIMITED, State
from regie.web import states, vendored
from regie.web.templatetags import regie as tags

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "src" / "regie").glob("*/templates/**/*.html"))


def draw(template: str, **context: object) -> str:
    return Template("{% load regie %}" + template).render(Context(context))


def without_comments(path: Path) -> str:
    return re.sub(r"\{#.*?#\}|\{% comment.*?endcomment %\}", "", path.read_text(), flags=re.DOTALL)


@pytest.fixture(scope="module")
def vendor() -> ModuleType:
    spec = importlib.util.spec_from_file_location("vendor", ROOT / "scripts" / "vendor.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["vendor"] = module  # its dataclass looks itself up there
    spec.loader.exec_module(module)
    return module


def test_every_state_of_a_delivery_has_a_look_of_its_own() -> None:
    assert {*State.values, LIMITED, ELSEWHERE} == set(states.DELIVERY)


def test_every_state_of_an_account_has_a_look() -> None:
    assert set(Account.State.values) <= set(states.ACCOUNT)


@pytest.mark.parametrize("kind", states.KINDS)
def test_every_look_has_an_icon_we_ship_and_a_tone_the_style_sheet_knows(kind: str) -> None:
    css = (ROOT / "src/regie/web/static/regie/regie.css").read_text()
    for look in states.KINDS[kind].values():
        assert look.icon in vendored.ICONS
        assert f".tone-{look.tone} " in css


def test_a_state_is_drawn_as_icon_and_word_and_tone() -> None:
    drawn = draw("{% state 'refused' %}")
    assert "#circle-x" in drawn
    assert "Refused" in drawn
    assert "tone-bad" in drawn


def test_a_brief_state_keeps_its_word_for_those_who_listen() -> None:
    assert re.search(r'visually-hidden"\s*>Published<', draw("{% state 'published' brief=True %}"))


def test_a_state_nobody_told_us_about_shows_its_name() -> None:
    assert "Brand new" in draw("{% state 'brand_new' %}")


def test_a_state_speaks_french() -> None:
    with translation.override("fr"):
        assert "Planifié" in draw("{% state 'scheduled' %}")


def test_an_icon_that_is_not_listed_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no icon 'unicorn'"):
        draw("{% icon 'unicorn' %}")


def test_an_icon_is_silent_unless_it_is_labelled() -> None:
    assert 'aria-hidden="true"' in draw("{% icon 'bell' %}")
    assert 'role="img" aria-label="Notices"' in draw("{% icon 'bell' label='Notices' %}")


def test_a_network_without_a_mark_gets_a_globe() -> None:
    assert "#world" in draw("{% network_mark 'somewhere' %}")
    assert "networks.svg#linkedin" in draw("{% network_mark 'linkedin' %}")


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Ana Díaz", "AD"), ("@regie@social.example", "R"), ("Тихий Дом", "ТД"), ("", "?"), ("élan", "É")],
)
def test_initials_come_from_names_and_handles(name: str, letters: str) -> None:
    assert tags.initials(name) == letters


@pytest.mark.parametrize(
    ("extra", "url"),
    [("undo:/w/x/undo", "/w/x/undo"), ("undo://evil.example", ""), ("undo:https://evil.example", ""), (None, "")],
)
def test_a_message_can_only_be_undone_at_an_address_of_ours(extra: str | None, url: str) -> None:
    assert tags.undo_url(extra) == url


class Sample(forms.Form):
    name = forms.CharField(help_text="What people read.", widget=forms.TextInput(attrs={"class": "wide"}))
    how = forms.ChoiceField(choices=[("now", "Now"), ("later", "Later")], widget=forms.RadioSelect)
    agree = forms.BooleanField(required=False)


def test_a_form_comes_out_labelled_described_and_with_its_errors_beside_the_field() -> None:
    drawn = str(Sample({"name": ""}))
    assert re.search(r'<label class="form-label"\s+for="id_name"', drawn)
    assert 'aria-describedby="id_name_helptext id_name_error"' in drawn
    assert 'id="id_name_error"' in drawn
    assert 'class="wide form-control is-invalid"' in drawn
    assert 'aria-invalid="true"' in drawn
    assert "<legend" in drawn
    assert drawn.count("form-check-input") == 3


@pytest.mark.parametrize("code", ["400", "403", "403_csrf", "404", "500", "503"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_error_pages_stand_without_request_or_database(code: str, language: str) -> None:
    with translation.override(language):
        page = render_to_string(f"{code}.html")
    assert f'<html lang="{language}"' in page
    assert "<h1>" in page
    assert 'class="btn btn-primary"' in page


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.relative_to(ROOT / "src/regie").as_posix())
def test_no_page_breaks_the_content_security_policy(path: Path) -> None:
    html = without_comments(path)
    scripts = re.findall(r"<script\b(?![^>]*\bsrc=)([^>]*)>", html)
    assert [attrs for attrs in scripts if "application/json" not in attrs] == []
    assert not re.search(
        r"<style\b|\sstyle=|\son(?:click|change|submit|load|input|error)=|hx-on|hx-vals=[\"']js:", html
    )


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.relative_to(ROOT / "src/regie").as_posix())
def test_every_icon_a_page_names_is_one_we_ship(path: Path) -> None:
    html = without_comments(path)
    named = re.findall(r"""\{% icon ["']([\w-]+)["']|(?<![\w-])(?:action_)?icon=["']([\w-]+)["']""", html)
    assert {one or other for one, other in named} <= vendored.ICONS


def test_a_page_without_charts_carries_at_most_170_kb_of_script_and_style() -> None:
    names = [vendored.FILES[n] for n in ("tabler.css", "htmx.js", "alpine.js")]
    names += ["regie/regie.css", "regie/app.js", "regie/counting.js", "regie/theme.js"]
    size = 0
    for name in names:
        found = finders.find(name)
        assert isinstance(found, str)
        size += len(Quickly.compress_brotli(Path(found).read_bytes()))
    assert size <= 170 * 1024


def test_the_vendored_files_are_the_ones_the_lock_promises(vendor: ModuleType) -> None:
    assert vendor.check() == []


def test_pruning_keeps_order_media_and_what_is_used(vendor: ModuleType) -> None:
    css = '@charset "UTF-8";.a,.modal-x{x:1}@media print{.modal{y:2}}@media print{.b::after{content:"}"}}.modal{z:3}'
    assert vendor.prune(css) == '@charset "UTF-8";.a{x:1}@media print{.b::after{content:"}"}}'
