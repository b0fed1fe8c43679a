"""What people type, as LinkedIn wants it written."""

from __future__ import annotations

import pytest

from regie.networks.linkedin import little
from regie.networks.linkedin.wire import key
from regie_sandbox.linkedin.wire import Trouble, visible


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("Good morning", "Good morning"),
        ("50 % (off) [today] <b>", r"50 % \(off\) \[today\] \<b\>"),
        ("a_b *c* ~d~ {e} | \\", r"a\_b \*c\* \~d\~ \{e\} \| \\"),
        ("mail@example.com", r"mail\@example.com"),
        ("#Tea and #café, #日本", r"{hashtag|\#|Tea} and {hashtag|\#|café}, {hashtag|\#|日本}"),
        ("C# is #1, a#b, #a_b", r"C\# is \#1, a\#b, \#a\_b"),
        ("Hello @[Acme (FR)](urn:li:organization:12)!", r"Hello @[Acme \(FR\)](urn:li:organization:12)!"),
        ("See https://example.com/a_b#top", r"See https://example.com/a\_b\#top"),
        ("مرحبا #شاي 👩‍👩‍👧‍👦", r"مرحبا {hashtag|\#|شاي} 👩‍👩‍👧‍👦"),
    ],
)
def test_it_is_escaped_and_read_back(typed: str, written: str) -> None:
    assert little.written(typed) == written
    assert little.read(written) == typed


@pytest.mark.parametrize("typed", [r"\# \\ \{hashtag|\#|x\}", "{hashtag|#|x}", "@[x](urn:li:school:1)", "#＃#", "\\"])
def test_odd_words_come_back_as_they_were_typed(typed: str) -> None:
    written = little.written(typed)
    assert little.read(written) == typed
    assert visible(written) == typed


@pytest.mark.parametrize("commentary", ["(open", "a*b", "{x}", "mail@example.com", "a_b"])
def test_the_sandbox_takes_no_reserved_character_as_it_is(commentary: str) -> None:
    with pytest.raises(Trouble):
        visible(commentary)


@pytest.mark.parametrize(
    ("urn", "hidden"),
    [  # as the tests of the vendor's own client want it
        ("urn:li:app:123", "urn%3Ali%3Aapp%3A123"),
        (" t?':,*!", "%20t%3F%27%3A%2C%2A%21"),
        ("urn:li:comment:(urn:li:activity:1,2)", "urn%3Ali%3Acomment%3A%28urn%3Ali%3Aactivity%3A1%2C2%29"),
    ],
)
def test_keys_are_hidden_as_rest_li_wants_them(urn: str, hidden: str) -> None:
    assert key(urn) == hidden
