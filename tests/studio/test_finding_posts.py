"""Words lead to the posts that say them: in the list, the calendar and the search, and to nothing that does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from regie.core.times import WallTime
from regie.people.scope import Scope
from regie.publishing import queries as deliveries
from regie.publishing.services import schedule
from regie.studio.content import Content, Part, Poll
from regie.studio.queries import matching, posts_for
from regie.web.queries import search

if TYPE_CHECKING:
    from regie.accounts.models import Account
    from regie.people.models import Member
    from regie.publishing.models import Delivery
    from regie.studio.models import Post
    from tests.conftest import Clock

pytestmark = pytest.mark.django_db
Write = Callable[..., "Post"]


@pytest.fixture
def due(make_account: Callable[..., Account], write_post: Write, bob: Member, clock: Clock) -> Delivery:
    """Of a post that says something in every place that a text has."""
    post = write_post("Good morning", on=[make_account()])
    delivery = schedule(post=post, at=WallTime.at(clock.moment, "Europe/Paris"), by=bob)[0]
    written = Content(
        parts=[Part(text='A "linen" coat,\nback\\slash'), Part(text="Part two: 100 %_ wool")],
        content_warning="Moths",
        first_comment="Ask for sizes",
        poll=Poll(options=["Indigo", "Madder"], minutes=1440, question="Which colour?", explanation="Rubia"),
        options={"youtube": {"title": "How it is woven", "privacy": "unlisted", "kids": False}},
        language="fr",
    )
    post.content = written.as_json()
    post.save()
    return delivery


def found_by(words: str, scope: Scope, due: Delivery) -> list[bool]:
    """Whether the list, the calendar and the search find it."""
    filters = deliveries.Filters(text=words)
    return [
        matching(posts_for(scope), text=words).exists(),
        bool(deliveries.calendar(scope, due.due_at, due.due_at + timedelta(seconds=1), filters)),
        any(group["hits"] for group in search(scope, words)),
    ]


@pytest.mark.parametrize(
    "words",
    ['"linen"', "LINEN", "back\\slash", "100", "%_", "Moths", "sizes", "indigo", "colour?", "rubia", "woven"],
)
def test_what_a_post_says_is_found(words: str, due: Delivery, alice: Member) -> None:
    assert found_by(words, Scope.for_member(alice), due) == [True, True, True]


@pytest.mark.parametrize(
    "words",
    [
        "parts",
        "media",
        "poll",
        "format",
        "content_warning",
        "youtube",
        "unlisted",
        "false",
        "1440",
        "{",
        "l_nen",
        "nback",
    ],
)
def test_what_stands_around_it_is_not(words: str, due: Delivery, alice: Member) -> None:
    assert found_by(words, Scope.for_member(alice), due) == [False, False, False]


def test_all_words_are_in_it_each_anywhere(due: Delivery, alice: Member) -> None:
    posts = posts_for(Scope.for_member(alice))
    posts.update(title="Autumn")
    assert matching(posts, text="autumn indigo linen").get() == due.variant.post
    assert not matching(posts, text="autumn silk").exists()
