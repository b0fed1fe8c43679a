"""The browser counts a text as the server does, in each network's own units."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from playwright.sync_api import Page, expect

from regie.networks.capabilities import Counting
from regie.networks.text import length
from regie.networks.x.weights import GENERIC

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("screens")]
TEXTS = (
    "",
    "Good morning",
    "Élégance, e\u0301te\u0301",
    "👋",
    "👩‍👩‍👧‍👦 👍🏽 🇫🇷 1️⃣ ©️ ❤️",
    "日本語のテキスト",
    "مرحبا بالعالم",
    "\U0001d54f and \U00020000",
    "two\nlines",
    "See https://example.org/a/long/path?with=query (and https://example.org/b_(c)).",
    "example.org, shop.co.uk/coat, t.co/x, régie.fr; not.a.linkk, mail@example.org",
    "@ana@social.example and @bob, http://x.example/@c@d.example",
    "“Quotes” – dashes… and • bullets",
)


def test_each_unit_is_counted_as_on_the_server(page: Page) -> None:
    page.goto("posts/")
    counted = page.evaluate(
        "texts => Object.fromEntries(Object.keys(regie.counters).map(name => [name, texts.map(regie.counters[name])]))",
        list(TEXTS),
    )
    assert counted == {str(unit): [length(text, unit) for text in TEXTS] for unit in Counting}


def test_a_counter_tells_what_is_left_while_people_type(page: Page) -> None:
    page.goto("posts/")
    page.evaluate(
        """html => {
            document.querySelector("main").insertAdjacentHTML("beforeend", html);
        }""",
        "<textarea id='words' aria-label='Words'></textarea>"
        "<i data-counter='words' data-limit='20' data-counter-by='characters'></i>"
        "<b data-counter='words' data-limit='20' data-counter-by='utf16'></b>",
    )
    page.get_by_label("Words").fill(" 👩‍👩‍👧‍👦 ")  # seven code points, eleven units of UTF-16, one grapheme
    expect(page.locator("i[data-counter]")).to_contain_text("13")
    expect(page.locator("b[data-counter]")).to_contain_text("9")
    assert json.loads(page.locator("#regie-words").text_content() or "{}")["left"]


def test_both_know_the_same_endings_of_addresses() -> None:
    script = Path(finders.find("regie/counting.js") or "").read_text()
    listed = re.search(r"GENERIC = `(.*?)`", script, re.DOTALL)
    assert listed is not None
    assert listed[1].split() == GENERIC
