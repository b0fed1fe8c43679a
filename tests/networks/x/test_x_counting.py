"""X counts weighted characters: its own examples, and what surrounds them."""

from __future__ import annotations

import pytest

from regie.networks.capabilities import Counting
from regie.networks.text import length
from regie.networks.x.weights import links_in


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("Hello, world! 👋", 16),  # the vendor's own example
        ("👾", 2),
        ("🙋🏽", 2),
        ("👨‍🎤", 2),
        ("👨‍👩‍👧‍👦", 2),
        ("🇫🇷", 2),
        ("1️⃣", 2),
        ("café", 4),
        ("cafe\u0301", 4),  # composed first
        ("日本語", 6),
        ("Привет", 6),
        ("مرحبا", 5),
        ("it’s", 4),  # U+2019 is light
        ("…", 2),  # U+2026 is not
        ("©", 1),
        ("https://example.com", 23),
        ("https://example.com/very/long/path?with=more#too", 23),
        ("See example.com.", 28),
        ("bbc.co.uk and t.co", 51),
        ("bit.ly/3abc", 23),
        ("etc.Je suis", 11),  # a country alone is no address
        ("shop@example.com", 16),
        ("v1.2.3 in file.txt", 18),
        ("", 0),
    ],
)
def test_a_text_weighs_what_x_says(text: str, weight: int) -> None:
    assert length(text, Counting.X) == weight


def test_what_ends_a_sentence_is_no_part_of_the_address_in_it() -> None:
    text = "(see https://a.example/b_(c)), or www.régie.fr/é!"
    assert [text[begin:end] for begin, end in links_in(text)] == ["https://a.example/b_(c)", "www.régie.fr/é"]
