"""What a post says beside its text: options, and a first comment with a fate of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from regie.accounts.models import Account
from regie.networks import registry
from regie.people.models import Member
from regie.publishing import services
from regie.publishing.models import Attempt, Delivery, Step
from regie.studio.content import Content
from regie.studio.models import Post

from .going import later, state_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
Due = Callable[[], None]
Write = Callable[..., Post]
Promise = Callable[..., Delivery]
LINK = {"facebook": {"link": "https://example.org/linen"}}


def comments(facebook: Sandbox) -> list[tuple[str, str]]:
    """(the post it is under, its words), oldest first."""
    return [(one.under, one.message) for one in facebook.itself.state.comments.values()]


def test_options_reach_the_network_with_those_of_the_account_before_those_of_all(
    clock: Clock, facebook: Sandbox, facebook_account: Account, write_post: Write, promise: Promise, publish_due: Due
) -> None:
    chosen: dict[str, Any] = {
        "facebook": {"link": "https://example.org/all", "countries": ["fr", "be"]},
        str(facebook_account.pk): {"link": "https://example.org/own"},
        "instagram": {"place": "7"},
    }
    delivery = promise(write_post("Good morning", on=[facebook_account], options=chosen))
    publish_due()
    assert state_of(delivery) == "published"
    post = facebook.itself.state.posts[delivery.remote_id]
    assert (post.link, post.countries) == ("https://example.org/own", ["FR", "BE"])
    assert delivery.steps.get().content["options"] == {"link": "https://example.org/own", "countries": ["fr", "be"]}


def test_an_option_changed_before_the_hour_is_what_goes_out(
    clock: Clock, facebook: Sandbox, facebook_account: Account, write_post: Write, promise: Promise, publish_due: Due
) -> None:
    post = write_post("Good morning", on=[facebook_account], options=LINK)
    delivery = promise(post, "10:30")
    post.content["options"] = {"facebook": {"link": "https://example.org/cotton"}}
    post.version += 1
    post.save()
    clock.set("10:30")
    publish_due()
    assert state_of(delivery) == "published"
    assert facebook.itself.state.posts[delivery.remote_id].link == "https://example.org/cotton"


def test_what_says_nothing_of_options_or_comments_is_written_and_proved_as_before(
    facebook: Sandbox, facebook_account: Account, write_post: Write, promise: Promise, publish_due: Due
) -> None:
    post = write_post("Good morning", on=[facebook_account])
    assert not {"options", "first_comment"} & post.content.keys()
    delivery = promise(post)
    assert delivery.steps.get().content == {"text": "Good morning", "media": []}
    before = Content.model_validate({"parts": [{"text": "Good morning"}], "poll": {"options": ["a", "b"]}})
    assert before.as_json()["poll"] == {
        "options": ["a", "b"], "minutes": 1440, "multiple": False, "hide_totals": False, "question": "",
    }  # fmt: skip


def test_the_first_comment_goes_under_the_post_once_it_is_out(
    facebook: Sandbox, facebook_account: Account, write_post: Write, promise: Promise, publish_due: Due
) -> None:
    delivery = promise(write_post("Good morning", on=[facebook_account], first_comment=" #linen #summer "))
    publish_due()
    assert state_of(delivery) == "published"
    assert comments(facebook) == [(delivery.remote_id, "#linen #summer")]
    assert [step.remote_id == delivery.remote_id for step in delivery.steps.all()] == [True, False]


@pytest.mark.parametrize("how", ["will_lose_answer", "will_drop"])
def test_a_comment_whose_answer_was_lost_is_there_once_in_the_end(
    clock: Clock,
    facebook: Sandbox,
    facebook_account: Account,
    write_post: Write,
    promise: Promise,
    publish_due: Due,
    how: str,
) -> None:
    getattr(facebook, how)(path="/comments", method="POST")
    delivery = promise(write_post("Good morning", on=[facebook_account], first_comment="#linen"))
    publish_due()
    assert state_of(delivery) == "unclear"
    later(clock, publish_due, 24)
    assert state_of(delivery) == "published"
    assert comments(facebook) == [(delivery.remote_id, "#linen")]
    assert facebook.texts() == ["Good morning"]


def test_a_comment_that_is_refused_leaves_the_post_out_and_can_be_sent_again(
    facebook: Sandbox, facebook_account: Account, write_post: Write, promise: Promise, publish_due: Due, alice: Member
) -> None:
    facebook.will_answer(400, path="/comments", method="POST")
    delivery = promise(write_post("Good morning", on=[facebook_account], first_comment="#linen"))
    publish_due()
    assert state_of(delivery) == "partly"
    assert facebook.texts() == ["Good morning"]
    services.finish_partly(delivery, by=alice)
    publish_due()
    assert state_of(delivery) == "published"
    assert comments(facebook) == [(delivery.remote_id, "#linen")]
    assert Attempt.objects.filter(step__delivery=delivery, step__position=0, kind="commit").count() == 1


def test_a_post_without_its_comment_can_be_taken_back(
    facebook: Sandbox, facebook_account: Account, write_post: Write, promise: Promise, publish_due: Due, alice: Member
) -> None:
    facebook.will_answer(400, path="/comments", method="POST")
    delivery = promise(write_post("Good morning", on=[facebook_account], first_comment="#linen"))
    publish_due()
    services.take_back(delivery, by=alice)
    publish_due()
    assert (state_of(delivery), facebook.texts()) == ("cancelled", [])


def test_a_post_without_its_comment_can_be_left_as_it_is(
    facebook: Sandbox, facebook_account: Account, write_post: Write, promise: Promise, publish_due: Due, alice: Member
) -> None:
    facebook.will_answer(400, path="/comments", method="POST")
    delivery = promise(write_post("Good morning", on=[facebook_account], first_comment="#linen"))
    publish_due()
    services.leave_as_it_is(delivery, by=alice)
    publish_due()
    assert (state_of(delivery), delivery.problem, comments(facebook)) == ("published", "", [])
    assert list(delivery.steps.values_list("state", flat=True)) == [Step.State.PUBLISHED, Step.State.DROPPED]


def test_where_no_program_may_delete_a_person_says_that_it_is_deleted_there(
    facebook: Sandbox,
    facebook_account: Account,
    write_post: Write,
    promise: Promise,
    publish_due: Due,
    alice: Member,
    signed_in: Callable[[Member], Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    facebook.will_answer(400, path="/comments", method="POST")
    delivery = promise(write_post("Good morning", on=[facebook_account], first_comment="#linen"))
    publish_due()
    kind = registry.connector("facebook")
    none = replace(kind.can_on(facebook_account.limits), delete=False)
    monkeypatch.setattr(kind, "can_on", classmethod(lambda cls, limits: none))
    page = f"/w/atelier-nord/deliveries/{delivery.pk}/"
    assert "I deleted it there" in signed_in(alice).get(page).text
    signed_in(alice).post(f"{page}taken-back/")
    assert state_of(delivery) == "cancelled"
    assert delivery.gone_at is not None


def test_a_comment_taken_out_of_the_post_is_missed_no_more(
    facebook: Sandbox, facebook_account: Account, write_post: Write, promise: Promise, publish_due: Due, alice: Member
) -> None:
    facebook.will_answer(400, path="/comments", method="POST")
    post = write_post("Good morning", on=[facebook_account], first_comment="#linen")
    delivery = promise(post)
    publish_due()
    del post.content["first_comment"]
    post.version += 1
    post.save()
    services.finish_partly(delivery, by=alice)
    publish_due()
    assert state_of(delivery) == "published"
    assert comments(facebook) == []
    assert list(delivery.steps.values_list("state", flat=True)) == [Step.State.PUBLISHED, Step.State.DROPPED]


def test_a_post_is_deleted_with_its_first_comment(
    facebook: Sandbox, facebook_account: Account, write_post: Write, promise: Promise, publish_due: Due, alice: Member
) -> None:
    delivery = promise(write_post("Good morning", on=[facebook_account], first_comment="#linen"))
    publish_due()
    delivery.refresh_from_db()
    services.delete_published(delivery, by=alice)
    publish_due()
    delivery.refresh_from_db()
    assert delivery.gone_at is not None
    assert facebook.texts() == []


def test_the_receipt_and_the_page_for_work_by_hand_tell_all_of_it(
    facebook: Sandbox,
    facebook_account: Account,
    write_post: Write,
    promise: Promise,
    publish_due: Due,
    alice: Member,
    signed_in: Callable[[Member], Client],
) -> None:
    chosen = {"facebook": {"link": "https://example.org/linen", "countries": ["FR", "BE"]}}
    facebook.will_answer(400, path="/comments", method="POST")
    sent = promise(write_post("Good morning", on=[facebook_account], options=chosen, first_comment="#linen"))
    by_hand = promise(
        write_post("Good evening", on=[facebook_account], by_hand=True, options=chosen, first_comment="#linen")
    )
    publish_due()
    client = signed_in(alice)
    receipt = client.get(f"/w/atelier-nord/deliveries/{sent.pk}/").content.decode()
    for piece in ("Only in these countries", "FR, BE", "First comment", "The post is out, its first comment is not."):
        assert piece in receipt
    page = client.get(f"/w/atelier-nord/deliveries/{by_hand.pk}/by-hand/").content.decode()
    for piece in ("Beside the text", "https://example.org/linen", "Copy the first comment, for when the post is out"):
        assert piece in page
