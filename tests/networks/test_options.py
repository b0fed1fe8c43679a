"""Which options a post has, and what a connector is given of them."""

from __future__ import annotations

from typing import Any

import pytest

from regie.networks.capabilities import Choice, Format, Option, OptionKind
from regie.networks.options import filled, said

TITLE = Option(name="title", kind=OptionKind.LINE, label="Title", only_with="video")
TAGS = Option(name="tags", kind=OptionKind.TAGS, label="Tags")
WHO = Option(
    name="privacy",
    kind=OptionKind.CHOICE,
    label="Who may see it",
    choices=(Choice("public", "Everybody"), Choice("private", "Only us")),
    default="public",
    formats=(Format.POST, Format.SHORT),
)
TELL = Option(name="notify", kind=OptionKind.SWITCH, label="Tell subscribers", default=True)
AI = Option(name="made_with_ai", kind=OptionKind.SWITCH, label="Made with artificial intelligence")
ALL = (TITLE, TAGS, WHO, TELL, AI)


def test_what_was_not_chosen_is_what_it_begins_with() -> None:
    assert filled(ALL, {}, Format.POST) == {"privacy": "public", "notify": True}
    chosen: dict[str, Any] = {"privacy": "private", "notify": False, "made_with_ai": True}
    assert filled(ALL, chosen, Format.POST) == {"privacy": "private", "notify": False, "made_with_ai": True}


def test_only_the_options_of_the_format_and_of_its_files_are_given() -> None:
    chosen = {"title": "Linen", "privacy": "private"}
    assert "title" not in filled(ALL, chosen, Format.POST, pictures=True)
    assert filled(ALL, chosen, Format.POST, videos=True)["title"] == "Linen"
    assert "privacy" not in filled(ALL, chosen, Format.STORY, videos=True)


@pytest.mark.parametrize(
    ("option", "value", "kept"),
    [
        (TITLE, "  Linen ", "Linen"),
        (TITLE, "   ", None),
        (TAGS, [" linen", "linen", ""], ["linen"]),
        (TAGS, [" "], None),
        (AI, False, None),
        (TELL, False, False),
        (TITLE, None, None),
    ],
)
def test_what_is_nothing_was_not_chosen(option: Option, value: Any, kept: Any) -> None:
    assert said(option, value) == kept


def test_tags_are_given_as_a_tuple() -> None:
    assert filled(ALL, {"tags": ["linen", "summer"]}, Format.POST)["tags"] == ("linen", "summer")
