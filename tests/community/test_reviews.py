"""Reviews in the inbox: with their stars, written anew, answered once, and the answer taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from regie.community import services
from regie.community.models import Answer, Message

if TYPE_CHECKING:
    from django.test import Client

    from regie.accounts.models import Account
    from regie.people.models import Member
    from tests.conftest import Clock, Sandbox

HERE = "/w/atelier-nord/inbox/"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def place(google_business: Sandbox, connect: Callable[..., Account], clock: Clock) -> Account:
    return connect(google_business)


def test_a_review_says_its_stars_and_what_its_author_says_now(
    clock: Clock,
    google_business: Sandbox,
    place: Account,
    read: Callable[[], int],
    alice: Member,
    signed_in: Callable[[Member], Client],
) -> None:
    google_business.itself.review(by="Ana Petit", text="Closed at noon!", stars=1)
    assert read() == 1
    page = signed_in(alice).get(f"{HERE}?kind=review").text
    assert "Review, 1 star of 5" in page
    assert "Closed at noon!" in page
    clock.advance(minutes=10)
    google_business.itself.review(by="Ana Petit", text="They called me back.", stars=4)
    assert read() == 0  # the same review
    page = signed_in(alice).get(f"{HERE}?message={Message.objects.get().pk}").text
    assert "Review, 4 stars of 5" in page
    assert "They called me back." in page
    assert "Closed at noon!" not in page


def test_a_review_is_answered_within_its_own_length_and_the_answer_taken_back(
    clock: Clock,
    google_business: Sandbox,
    place: Account,
    read: Callable[[], int],
    send: Callable[[], None],
    alice: Member,
    signed_in: Callable[[Member], Client],
) -> None:
    google_business.itself.review(by="ana", text="Closed at noon!", stars=1)
    read()
    message = Message.objects.get()
    assert services.why_not(message, "é" * 2049) is not None  # 4,096 bytes
    answer = services.answer(message=message, text="Sorry. " * 300, by=alice, seen=0)  # longer than a post may be
    send()
    answer.refresh_from_db()
    assert answer.state == Answer.State.SENT
    (review,) = google_business.itself.state.reviews.values()
    assert review.reply == ("Sorry. " * 300).strip()
    clock.advance(minutes=2)
    read()  # Google tells our answer, too: it is here already
    ours = Message.objects.get(ours=True)
    assert ours.remote_id == answer.remote_id
    signed_in(alice).post(f"{HERE}{ours.pk}/delete/")
    assert review.reply == ""
    assert [entry.kind for entry in google_business.accepted()] == ["review", "reply", "delete"]
