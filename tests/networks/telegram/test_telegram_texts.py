"""Lengths and offsets with characters that are made of several: joined emoji, flags, accents, right-to-left."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from regie.networks.telegram.connector import Telegram as Connector
from regie.networks.telegram.reading import Entity, understood, utf16_slice
from regie.networks.text import graphemes, length, too_long_by
from regie_sandbox.telegram.state import entities, utf16

TRICKY = st.sampled_from(
    ["👩‍👩‍👧‍👦", "🇫🇷", "👍🏽", "é", "e\u0301", "مرحبا", "\u200f", "😀", "a", " ", "\n", "𝔾", "ш", "❤️"]
)
QUICK = settings(deadline=None, max_examples=50)
TEXTS = st.lists(TRICKY, max_size=30).map("".join)


@QUICK
@given(TEXTS)
def test_a_text_is_as_long_as_its_code_points(text: str) -> None:
    limit = Connector.can.text
    assert length(text, limit.counting) == len(text)
    assert graphemes(text) <= len(text) <= len(text.encode("utf-16-le")) // 2


@QUICK
@given(TRICKY.filter(lambda piece: bool(piece.strip())), st.integers(min_value=0, max_value=3))
def test_too_long_is_said_from_the_first_code_point_beyond(piece: str, beyond: int) -> None:
    limit = Connector.can.text
    text = (piece * limit.longest)[: limit.longest + beyond]
    text = text.ljust(limit.longest + beyond, "x")
    assert too_long_by(text, limit) == beyond
    assert too_long_by(text, limit, with_media=True) == beyond + 4096 - 1024


@QUICK
@given(TEXTS, TEXTS)
def test_utf16_units_add_up_and_every_entity_covers_what_it_names(before: str, after: str) -> None:
    text = f"{before} @regie_bot {after}"
    assert utf16(text) == utf16(before) + utf16(" @regie_bot ") + utf16(after)
    (mention,) = [each for each in entities(text) if each["type"] == "mention"]
    assert utf16_slice(text, Entity.model_validate(mention)) == "@regie_bot"
    assert mention["offset"] == utf16(before) + 1


@QUICK
@given(TEXTS, TEXTS, st.sampled_from(["@regie_bot", "@REGIE_BOT", "@regie_bots", "@other_bot"]))
def test_whoever_names_the_bot_is_heard_whatever_stands_before_it(before: str, after: str, name: str) -> None:
    text = f"{before} {name} {after}"
    message = {
        "message_id": 2,
        "date": 1,
        "chat": {"id": -1001, "type": "supergroup", "title": "Talk"},
        "from": {"id": 3, "is_bot": False, "first_name": "Bob"},
        "text": text,
        "entities": entities(text),
    }
    found = understood([{"update_id": 1, "message": message}], bot_id="77", bot_username="regie_bot").messages
    assert bool(found) == (name.lower() == "@regie_bot")


@QUICK
@given(TEXTS)
def test_links_and_hashtags_are_cut_out_whole(before: str) -> None:
    text = f"{before} https://example.org/é #été"
    pieces = [utf16_slice(text, Entity.model_validate(each)) for each in entities(text)]
    assert pieces == ["https://example.org/é", "#été"]
    assert all(re.fullmatch(r"(https://|#)\S+", piece) for piece in pieces)
