"""Facets and record keys, without any network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regie.networks.bluesky.facets import facets_of, found_in
from regie.networks.bluesky.tid import encoded, moment_of, tid_for


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Voir https://example.org/a.", [("link", "https://example.org/a")]),
        ("(https://example.org/a_(b))", [("link", "https://example.org/a_(b)")]),
        ("« https://exämple.org/été »", [("link", "https://exämple.org/été")]),
        ("https://example.org/#ancre et #tag", [("link", "https://example.org/#ancre"), ("tag", "tag")]),
        ("@a.example.org, bonjour", [("mention", "a.example.org")]),
        ("écrire à moi@example.org", []),
        ("#soldes! #été2030 #2030 #", [("tag", "soldes"), ("tag", "été2030")]),
        ("#привет 👨‍👩‍👧 #العربية", [("tag", "привет"), ("tag", "العربية")]),
        ("C#, a#b", []),
        ("@nobody", []),
        ("#" + "a" * 64 + " #" + "b" * 65, [("tag", "a" * 64)]),
        ("https://", []),
    ],
)
def test_links_mentions_and_tags_are_found_as_people_mean_them(text: str, found: list[tuple[str, str]]) -> None:
    assert [(one.kind, one.value) for one in found_in(text)] == found


@given(st.text())
def test_every_facet_stands_on_whole_characters_of_the_text(text: str) -> None:
    whole = text.encode("utf-8", "surrogatepass") if any("\ud800" <= c <= "\udfff" for c in text) else text.encode()
    for facet in facets_of(whole.decode("utf-8", "replace"), {}):
        index = facet["index"]
        piece = whole.decode("utf-8", "replace").encode()[index["byteStart"] : index["byteEnd"]]
        assert piece.decode()
        assert index["byteStart"] < index["byteEnd"]


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.text())  # noqa: DTZ001
def test_a_key_is_the_same_at_each_attempt_and_holds_its_second(at: datetime, key: str) -> None:
    at = at.replace(tzinfo=UTC)
    name = tid_for(key, at)
    assert name == tid_for(key, at)
    assert moment_of(name) is not None
    assert timedelta(0) <= moment_of(name) - at.replace(microsecond=0) < timedelta(seconds=1)  # type: ignore[operator]


def test_keys_of_one_second_differ_and_sort_by_their_second() -> None:
    at = datetime(2030, 3, 1, 9, tzinfo=UTC)
    assert len({tid_for(str(number), at) for number in range(10_000)}) == 10_000
    assert max(tid_for(str(number), at) for number in range(100)) < tid_for("x", at + timedelta(seconds=1))


def test_the_specifications_example_is_read_as_it_says() -> None:
    assert encoded(0, 0) == "2222222222222"
    assert moment_of("not a key") is None
