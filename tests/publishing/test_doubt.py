"""Lost answers: one post in the end, by the sandbox's own ledger, and the truth told in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from regie.accounts.models import Account
from regie.people.models import Member, Notice
from regie.publishing import services
from regie.publishing.models import Attempt, Delivery, Step
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def honest(mastodon_account: Account) -> Account:
    """A server that honours our key, as Mastodon's own software does."""
    assert mastodon_account.limits["honours_key"]
    return mastodon_account


@pytest.fixture
def forgetful(mastodon: Sandbox, mastodon_account: Account) -> Account:
    """A server that does not: what became of a post has to be looked up."""
    mastodon.itself.keys_honoured = False
    mastodon_account.limits |= {"honours_key": False}
    mastodon_account.save()
    return mastodon_account


def test_a_lost_answer_where_repeating_is_safe_is_repeated_under_the_same_key(
    clock: Clock,
    mastodon: Sandbox,
    honest: Account,
    post: Post,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    delivery = promise(post)
    mastodon.will_lose_answer(method="POST", path="statuses")
    publish_due()
    delivery.refresh_from_db()
    assert delivery.state == "unclear"

    clock.advance(minutes=1)
    publish_due()
    delivery.refresh_from_db()
    assert delivery.state == "published"
    assert [entry.remote_id for entry in mastodon.accepted()] == [delivery.remote_id]
    commits = Attempt.objects.filter(step__delivery=delivery, kind="commit")
    assert [one.outcome for one in commits] == ["unclear", "published"]
    assert len({one.fingerprint for one in commits}) == 1


def test_a_lost_answer_is_looked_up_and_found_where_repeating_is_not_safe(
    clock: Clock,
    mastodon: Sandbox,
    forgetful: Account,
    post: Post,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    delivery = promise(post)
    mastodon.will_lose_answer(method="POST", path="statuses")
    publish_due()
    delivery.refresh_from_db()
    assert delivery.state == "unclear"

    clock.advance(seconds=5)
    publish_due()
    delivery.refresh_from_db()
    assert delivery.state == "published"
    assert [entry.remote_id for entry in mastodon.accepted()] == [delivery.remote_id]


def test_what_never_arrived_is_sent_again_only_when_it_is_surely_absent(
    clock: Clock,
    mastodon: Sandbox,
    forgetful: Account,
    post: Post,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    delivery = promise(post)
    mastodon.will_drop(method="POST", path="statuses")
    publish_due()
    clock.advance(seconds=10)
    publish_due()
    delivery.refresh_from_db()
    assert (delivery.state, mastodon.texts()) == ("unclear", [])  # the network has not had its time

    clock.advance(minutes=5)
    publish_due()
    delivery.refresh_from_db()
    assert (delivery.state, mastodon.texts()) == ("published", ["Good morning"])


def test_a_listing_that_lags_does_not_make_a_double(
    clock: Clock,
    mastodon: Sandbox,
    forgetful: Account,
    post: Post,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    delivery = promise(post)
    mastodon.faults.listing_lag = 20
    mastodon.will_lose_answer(method="POST", path="statuses")
    for _ in range(12):
        publish_due()
        clock.advance(seconds=30)
    delivery.refresh_from_db()
    assert delivery.state == "published"
    assert len(mastodon.accepted()) == 1


def test_two_posts_alike_are_for_a_person(
    clock: Clock,
    mastodon: Sandbox,
    forgetful: Account,
    post: Post,
    bob: Member,
    alice: Member,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    delivery = promise(post)
    mastodon.will_lose_answer(method="POST", path="statuses")
    publish_due()
    mastodon.say(by="regie", text="Good morning")
    clock.advance(seconds=5)
    publish_due()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.look_at) == ("unclear", None)
    assert "two posts" in delivery.problem
    assert {notice.user for notice in Notice.objects.filter(kind="delivery.unclear")} == {alice.user, bob.user}


def test_a_post_that_came_back_rewritten_is_never_sent_again_by_itself(
    clock: Clock,
    mastodon: Sandbox,
    forgetful: Account,
    post: Post,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    delivery = promise(post)
    mastodon.faults.rewrite = lambda text: f"{text} (via Régie)"
    mastodon.will_lose_answer(method="POST", path="statuses")
    for _ in range(8):
        publish_due()
        clock.advance(minutes=2)
    delivery.refresh_from_db()
    assert delivery.state == "unclear"
    assert "rewritten" in delivery.problem
    assert len(mastodon.accepted()) == 1


def test_a_rewritten_space_or_link_is_still_recognised(
    clock: Clock,
    mastodon: Sandbox,
    forgetful: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    post = write_post("Good   morning https://www.example.org/", on=[forgetful])
    delivery = promise(post)
    mastodon.faults.rewrite = lambda text: "good morning example.org"
    mastodon.will_lose_answer(method="POST", path="statuses")
    publish_due()
    clock.advance(seconds=5)
    publish_due()
    delivery.refresh_from_db()
    assert delivery.state == "published"


def test_an_older_post_with_the_same_words_is_not_taken_for_it(
    clock: Clock,
    mastodon: Sandbox,
    forgetful: Account,
    post: Post,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    mastodon.say(by="regie", text="Good morning")
    clock.advance(hours=1)
    delivery = promise(post)
    mastodon.will_drop(method="POST", path="statuses")
    for _ in range(10):
        publish_due()
        clock.advance(minutes=1)
    delivery.refresh_from_db()
    assert delivery.state == "published"
    assert delivery.remote_id == mastodon.accepted()[-1].remote_id


def test_the_time_in_which_repeating_is_safe_runs_out_and_then_it_is_looked_up(
    clock: Clock,
    mastodon: Sandbox,
    honest: Account,
    post: Post,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    delivery = promise(post, late_minutes=600)
    mastodon.will_lose_answer(method="POST", path="statuses")
    publish_due()
    mastodon.itself.keys_honoured = False  # the server has forgotten the key
    clock.advance(hours=2)
    publish_due()
    delivery.refresh_from_db()
    assert delivery.state == "published"
    assert len(mastodon.accepted()) == 1


def test_where_nobody_knows_a_person_is_asked_and_nothing_is_sent_again(
    clock: Clock,
    telegram: Sandbox,
    telegram_account: Account,
    write_post: Callable[..., Post],
    bob: Member,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    delivery = promise(write_post("Good morning", on=[telegram_account]))
    telegram.will_lose_answer(path="sendMessage")
    for _ in range(4):
        publish_due()
        clock.advance(hours=1)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.look_at) == ("unclear", None)
    assert len(telegram.accepted()) == 1
    assert Notice.objects.filter(kind="delivery.unclear", user=bob.user, urgent=True).count() == 1


def test_a_person_who_found_it_settles_it_with_its_link(
    clock: Clock,
    telegram: Sandbox,
    telegram_account: Account,
    write_post: Callable[..., Post],
    bob: Member,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    delivery = promise(write_post("Good morning", on=[telegram_account]))
    telegram.will_lose_answer(path="sendMessage")
    publish_due()
    services.settle_there(delivery, link="https://t.me/regie/7", by=bob)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.url) == ("published", "https://t.me/regie/7")
    assert delivery.remote_id


def test_who_found_nothing_may_send_it_again(
    clock: Clock,
    telegram: Sandbox,
    telegram_account: Account,
    write_post: Callable[..., Post],
    bob: Member,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    delivery = promise(write_post("Good morning", on=[telegram_account]))
    telegram.will_drop(path="sendMessage")
    publish_due()
    services.settle_absent(delivery, by=bob)
    delivery.refresh_from_db()
    assert delivery.state == "missed"
    services.send_again(delivery, by=bob)
    publish_due()
    delivery.refresh_from_db()
    assert delivery.state == "published"
    assert len(telegram.accepted()) == 1


def test_on_bluesky_the_same_record_is_put_again(
    clock: Clock,
    bluesky: Sandbox,
    bluesky_account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    delivery = promise(write_post("Good morning", on=[bluesky_account]))
    bluesky.will_lose_answer(path="putRecord")
    publish_due()
    delivery.refresh_from_db()
    assert delivery.state == "unclear"
    clock.advance(minutes=1)
    publish_due()
    delivery.refresh_from_db()
    assert delivery.state == "published"
    assert len(bluesky.accepted("post")) == 1


def test_an_unclear_one_whose_hour_is_long_past_is_found_out_but_not_sent(
    clock: Clock,
    mastodon: Sandbox,
    forgetful: Account,
    post: Post,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    delivery = promise(post, late_minutes=2)
    mastodon.will_drop(method="POST", path="statuses")
    publish_due()
    clock.advance(minutes=30)
    publish_due()
    delivery.refresh_from_db()
    assert (delivery.state, mastodon.texts()) == ("missed", [])


def test_a_receipt_that_another_delivery_holds_is_not_taken(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    first = promise(write_post("One", on=[account]))
    publish_due()
    first.refresh_from_db()
    second = promise(write_post("Two", on=[account]))
    mastodon.will_answer(200, method="POST", path="statuses", body=_status(mastodon, first.remote_id))
    publish_due()
    second.refresh_from_db()
    assert (second.state, second.remote_id) == ("unclear", "")
    assert "another delivery" in second.problem
    assert Step.objects.get(delivery=second).state == "unclear"


def _status(mastodon: Sandbox, remote_id: str) -> Any:
    server = mastodon.itself
    return server.shows.many([server.status(remote_id)], "", server.now() + timedelta(0))[0]
