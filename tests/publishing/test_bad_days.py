"""Refusals, outages, dead tokens, freezes, lateness, threads cut short, work by hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from regie.accounts.models import Account
from regie.people import notices
from regie.people.errors import NotAllowed
from regie.people.models import AuditEntry, Member, Notice, Workspace
from regie.publishing import queries, services
from regie.publishing.errors import NotNow, StillLooking
from regie.publishing.models import Attempt, Delivery, Freeze
from regie.studio.models import Post

from .going import state_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_refusal_says_why_and_is_told_once(
    clock: Clock, mastodon: Sandbox, delivery: Delivery, bob: Member, alice: Member, publish_due: Callable[[], None]
) -> None:
    mastodon.will_answer(422, method="POST", path="statuses", body={"error": "Validation failed: no shouting"})
    publish_due()
    publish_due()
    assert state_of(delivery) == "refused"
    assert "no shouting" in str(delivery.problem_facts) + delivery.problem
    told = Notice.objects.filter(kind="delivery.refused")
    assert {notice.user for notice in told} == {alice.user, bob.user}
    assert all(notice.urgent for notice in told)
    assert "Good morning" in notices.sentence(told[0])
    assert "no shouting" in notices.sentence(told[0])
    assert "(Mastodon)" in notices.sentence(told[0])  # a brand's accounts have one name


def test_a_refused_one_is_sent_again_as_the_post_reads_now(
    clock: Clock, mastodon: Sandbox, delivery: Delivery, post: Post, bob: Member, publish_due: Callable[[], None]
) -> None:
    mastodon.will_answer(422, method="POST", path="statuses", body={"error": "no"})
    publish_due()
    post.content["parts"][0]["text"], post.version = "A better morning", post.version + 1
    post.save()
    delivery.refresh_from_db()
    clock.advance(minutes=5)
    services.send_again(delivery, by=bob)
    publish_due()
    assert state_of(delivery) == "published"
    assert mastodon.texts() == ["A better morning"]


def test_a_refused_one_sent_again_and_refused_again_is_told_again(
    clock: Clock, mastodon: Sandbox, delivery: Delivery, bob: Member, publish_due: Callable[[], None]
) -> None:
    for _ in range(2):
        mastodon.will_answer(422, method="POST", path="statuses", body={"error": "no"})
        publish_due()
        clock.advance(minutes=1)
        services.send_again(delivery, by=bob)
    assert Notice.objects.filter(kind="delivery.refused", user=bob.user).count() == 2


def test_a_post_edited_after_it_was_promised_goes_out_as_it_reads_now(
    clock: Clock, mastodon: Sandbox, post: Post, promise: Callable[..., Delivery], publish_due: Callable[[], None]
) -> None:
    delivery = promise(post, "10:00")
    post.content["parts"], post.version = [{"text": "One", "media": []}, {"text": "Two", "media": []}], post.version + 1
    post.save()
    clock.set("10:00")
    publish_due()
    assert state_of(delivery) == "published"
    assert mastodon.texts() == ["One", "Two"]


def test_an_outage_is_waited_out_with_growing_pauses(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    post: Post,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
    settings: Any,
) -> None:
    delivery = promise(post)
    address = account.server
    Account.objects.filter(pk=account.pk).update(server="http://127.0.0.1:9")
    settings.ALLOWED_HOSTS_OUT = [*settings.ALLOWED_HOSTS_OUT, "http://127.0.0.1:9"]
    pauses = []
    for _ in range(3):
        publish_due()
        assert state_of(delivery) == "scheduled"
        pauses.append(delivery.next_at - clock.moment)
        clock.set(delivery.next_at)
    assert pauses[0] < pauses[1] < pauses[2]
    Account.objects.filter(pk=account.pk).update(server=address)
    publish_due()
    assert state_of(delivery) == "published"
    assert len(mastodon.accepted()) == 1


def test_an_outage_beyond_its_patience_ends_as_missed(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    post: Post,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
    bob: Member,
) -> None:
    delivery = promise(post, late_minutes=30)
    mastodon.will_answer(429, headers={"X-RateLimit-Reset": "2030-03-01T11:00:00Z"})
    publish_due()
    assert state_of(delivery) == "missed"
    assert Notice.objects.filter(kind="delivery.missed", user=bob.user).exists()


def test_what_nobody_sent_in_time_is_missed_and_not_sent(
    clock: Clock,
    mastodon: Sandbox,
    post: Post,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
    bob: Member,
) -> None:
    delivery = promise(post, "09:10", late_minutes=15)
    clock.set("09:26")
    publish_due()
    assert (state_of(delivery), mastodon.texts()) == ("missed", [])
    assert Notice.objects.filter(kind="delivery.missed", user=bob.user).count() == 1
    services.send_again(delivery, by=bob)
    publish_due()
    assert (state_of(delivery), mastodon.texts()) == ("published", ["Good morning"])


def test_a_dead_token_holds_what_waits_until_the_account_is_connected_again(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    first, second = promise(write_post("One", on=[account])), promise(write_post("Two", on=[account]), "09:20")
    mastodon.will_answer(401, times=5)
    publish_due()
    assert (state_of(first), first.holds) == ("held", ["reconnect"])
    account.refresh_from_db()
    assert account.state == "broken"
    assert (state_of(second), second.holds) == ("held", ["reconnect"])

    mastodon.faults.clear()
    Account.objects.filter(pk=account.pk).update(state="connected")
    clock.set("09:30")
    publish_due()
    assert mastodon.texts() == ["One", "Two"]


def test_a_token_that_somebody_else_refreshes_is_waited_for_and_is_no_try(
    clock: Clock,
    bluesky: Sandbox,
    bluesky_account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    delivery = promise(write_post("Good morning", on=[bluesky_account]))
    bluesky.itself.expire_tokens()
    until = clock.moment + timedelta(seconds=20)
    Account.objects.filter(pk=bluesky_account.pk).update(refreshing_until=until)  # and then it was killed
    publish_due()
    assert (state_of(delivery), delivery.tries) == ("scheduled", 0)
    assert delivery.next_at == clock.moment + timedelta(seconds=3)
    assert Attempt.objects.count() == 1
    clock.set(until + timedelta(seconds=1))
    publish_due()
    assert state_of(delivery) == "published"


def test_a_paused_account_sends_nothing_until_it_is_resumed(
    clock: Clock, mastodon: Sandbox, account: Account, delivery: Delivery, publish_due: Callable[[], None]
) -> None:
    Account.objects.filter(pk=account.pk).update(state="paused")
    publish_due()
    assert (state_of(delivery), delivery.holds, mastodon.texts()) == ("held", ["paused"], [])
    Account.objects.filter(pk=account.pk).update(state="connected")
    publish_due()
    assert state_of(delivery) == "published"


# Order and budgets


def test_the_order_of_an_account_is_kept(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    for number in range(12):
        promise(write_post(f"Post {number}", on=[account]), f"09:{number + 1:02}")
    clock.set("09:20")
    publish_due()
    assert mastodon.texts() == [f"Post {number}" for number in range(12)]


def test_a_network_that_asks_for_a_pause_gets_it_from_the_whole_account(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    for number in range(3):
        promise(write_post(f"Post {number}", on=[account]), f"09:{number + 1:02}")
    clock.set("09:05")
    mastodon.will_answer(429, headers={"X-RateLimit-Reset": "2030-03-01T09:15:00Z"})
    publish_due()
    assert mastodon.texts() == []
    assert Attempt.objects.count() == 1
    clock.set("09:15")
    publish_due()
    assert mastodon.texts() == ["Post 0", "Post 1", "Post 2"]


def test_a_budget_that_is_used_up_is_respected(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    account.budgets.create(key=f"account:{account.pk}", name="requests", most=300, left=0, resets_at=clock.at("09:10"))
    delivery = promise(write_post("Good morning", on=[account]))
    publish_due()
    assert (state_of(delivery), mastodon.texts()) == ("scheduled", [])
    assert not Attempt.objects.exists()
    clock.set("09:10")
    publish_due()
    assert state_of(delivery) == "published"


# Freezing


def test_a_freeze_holds_everything_not_sent_and_lifting_it_surprises_nobody(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    alice: Member,
    bob: Member,
    publish_due: Callable[[], None],
) -> None:
    soon, later = (
        promise(write_post("Soon", on=[account]), "09:10"),
        promise(write_post("Later", on=[account]), "10:00"),
    )
    frozen = services.freeze(account.workspace, why="A crisis", by=bob)
    assert {state_of(soon), state_of(later)} == {"held"}
    clock.set("09:30")
    publish_due()
    assert mastodon.texts() == []
    with pytest.raises(NotAllowed):
        services.lift(frozen, by=bob)  # an editor freezes, a manager lifts
    missed = services.lift(frozen, by=alice)
    assert [one.pk for one in missed] == [soon.pk]
    assert (state_of(soon), state_of(later)) == ("missed", "scheduled")
    clock.set("10:00")
    publish_due()
    assert mastodon.texts() == ["Later"]
    assert AuditEntry.objects.filter(did__in=["frozen", "freeze.lifted"]).count() == 2


def test_what_is_promised_during_a_freeze_is_held(
    clock: Clock, mastodon: Sandbox, account: Account, post: Post, promise: Callable[..., Delivery], bob: Member
) -> None:
    services.freeze(account, why="Wrong tone", by=bob)
    assert promise(post, "10:00").holds == ["frozen"]


def test_of_two_freezes_both_must_be_lifted(
    clock: Clock, mastodon: Sandbox, account: Account, post: Post, promise: Callable[..., Delivery], alice: Member
) -> None:
    one, two = services.freeze(account, why="x", by=alice), services.freeze(account.workspace, why="y", by=alice)
    delivery = promise(post, "10:00")
    services.lift(one, by=alice)
    assert state_of(delivery) == "held"
    services.lift(two, by=alice)
    assert state_of(delivery) == "scheduled"
    with pytest.raises(NotNow):
        services.lift(two, by=alice)


def test_a_freeze_that_a_publisher_has_not_seen_yet_still_stops_it(
    clock: Clock, mastodon: Sandbox, account: Account, delivery: Delivery, publish_due: Callable[[], None]
) -> None:
    Freeze.objects.create(workspace=account.workspace, account=None, why="Slipped in", at=clock.moment)
    publish_due()
    assert (state_of(delivery), mastodon.texts()) == ("held", [])


def test_only_an_operator_freezes_everything(clock: Clock, alice: Member, workspace: Workspace) -> None:
    with pytest.raises(NotAllowed):
        services.freeze(None, why="x", by=alice)
    alice.user.is_operator = True
    assert services.freeze(None, why="x", by=alice).workspace is None


def test_a_stranger_neither_freezes_nor_lifts(
    clock: Clock, alice: Member, charlie: Member, workspace: Workspace
) -> None:
    with pytest.raises(NotAllowed):
        services.freeze(workspace, why="x", by=charlie)
    frozen = services.freeze(workspace, why="x", by=alice)
    with pytest.raises(NotAllowed):
        services.lift(frozen, by=charlie)


# Threads


@pytest.fixture
def thread(
    mastodon: Sandbox, account: Account, write_post: Callable[..., Post], promise: Callable[..., Delivery]
) -> Delivery:
    return promise(write_post("One", "Two", "Three", on=[account]))


def test_a_thread_is_chained_part_by_part(
    clock: Clock, mastodon: Sandbox, thread: Delivery, publish_due: Callable[[], None]
) -> None:
    publish_due()
    assert state_of(thread) == "published"
    steps = list(thread.steps.all())
    assert thread.remote_id == steps[0].remote_id
    server = mastodon.itself
    for before, step in itertools.pairwise(steps):
        assert server.status(step.remote_id).in_reply_to_id == before.remote_id


def test_a_thread_cut_short_is_partly_out_and_can_be_finished(
    clock: Clock, mastodon: Sandbox, thread: Delivery, bob: Member, publish_due: Callable[[], None]
) -> None:
    _refuse_second(mastodon)
    publish_due()
    assert state_of(thread) == "partly"
    assert [step.state for step in thread.steps.all()] == ["published", "refused", "waiting"]
    assert Notice.objects.filter(kind="delivery.partly", user=bob.user).count() == 1
    services.finish_partly(thread, by=bob)
    publish_due()
    assert state_of(thread) == "published"
    assert mastodon.texts() == ["One", "Two", "Three"]


def test_a_thread_cut_short_can_be_taken_back(
    clock: Clock, mastodon: Sandbox, thread: Delivery, bob: Member, publish_due: Callable[[], None]
) -> None:
    _refuse_second(mastodon)
    publish_due()
    services.take_back(thread, by=bob)
    publish_due()
    assert state_of(thread) == "cancelled"
    assert thread.gone_at == clock.moment
    assert mastodon.texts() == []


def test_a_lost_answer_in_the_middle_of_a_thread_is_settled_and_the_rest_follows(
    clock: Clock, mastodon: Sandbox, thread: Delivery, publish_due: Callable[[], None]
) -> None:
    _lose_second(mastodon)
    publish_due()
    assert state_of(thread) == "unclear"
    clock.advance(minutes=1)
    publish_due()
    assert state_of(thread) == "published"
    assert mastodon.texts() == ["One", "Two", "Three"]
    assert len(mastodon.accepted()) == 3


def _refuse_second(mastodon: Sandbox) -> None:
    mastodon.will_answer(422, method="POST", path="statuses", body={"error": "no"}, after=1)


def _lose_second(mastodon: Sandbox) -> None:
    mastodon.will_lose_answer(method="POST", path="statuses", after=1)


# By hand


def test_by_hand_the_assignee_is_asked_at_the_hour_and_pastes_the_link(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    seat: Callable[..., Member],
    publish_due: Callable[[], None],
) -> None:
    gael = seat("Gaël", "guest")
    post = write_post("Good morning", on=[account], by_hand=True)
    post.variants.update(assignee=gael.user)
    delivery = promise(post)
    publish_due()
    assert (state_of(delivery), mastodon.accepted()) == ("by_hand", [])
    assert [notice.user for notice in Notice.objects.filter(kind="delivery.by_hand")] == [gael.user]
    services.done_by_hand(delivery, link="https://example.social/@regie/12345", by=gael)
    assert state_of(delivery) == "published"
    assert delivery.url == "https://example.social/@regie/12345"


def test_by_hand_without_an_answer_is_missed(
    clock: Clock,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    delivery = promise(write_post("Good morning", on=[account], by_hand=True), late_minutes=60)
    publish_due()
    clock.advance(minutes=61)
    publish_due()
    assert state_of(delivery) == "missed"


# Afterwards


def test_a_published_post_is_seen_on_its_network(
    clock: Clock, mastodon: Sandbox, delivery: Delivery, publish_due: Callable[[], None]
) -> None:
    publish_due()
    clock.advance(seconds=3)
    publish_due()
    assert state_of(delivery) == "published"
    assert delivery.visible_at == clock.moment


def test_a_post_that_is_never_seen_is_gone(
    clock: Clock, mastodon: Sandbox, delivery: Delivery, publish_due: Callable[[], None]
) -> None:
    publish_due()
    mastodon.itself.remove(mastodon.itself.status(mastodon.accepted()[0].remote_id))
    for _ in range(5):
        clock.advance(minutes=11)
        publish_due()
    assert state_of(delivery) == "published"
    assert delivery.gone_at is not None
    assert delivery.visible_at is None


def test_a_published_post_can_be_deleted(
    clock: Clock, mastodon: Sandbox, delivery: Delivery, bob: Member, publish_due: Callable[[], None]
) -> None:
    publish_due()
    services.delete_published(delivery, by=bob)
    publish_due()
    assert (state_of(delivery), mastodon.texts()) == ("published", [])
    assert delivery.gone_at == clock.moment


def test_a_token_that_ran_out_is_refreshed_to_take_a_post_away(
    clock: Clock,
    bluesky: Sandbox,
    bluesky_account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    bob: Member,
    publish_due: Callable[[], None],
) -> None:
    delivery = promise(write_post("Good morning", on=[bluesky_account]))
    publish_due()
    bluesky.itself.expire_tokens()
    services.delete_published(delivery, by=bob)
    publish_due()
    assert (state_of(delivery), bluesky.texts()) == ("published", [])
    assert delivery.gone_at == clock.moment


def test_the_receipt_tells_every_moment_and_what_the_network_said(
    clock: Clock, mastodon: Sandbox, delivery: Delivery, bob: Member, publish_due: Callable[[], None]
) -> None:
    publish_due()
    delivery.refresh_from_db()
    receipt = queries.receipt(delivery)
    assert (receipt.late, receipt.latency, receipt.url) == (0.0, 0.0, delivery.url)
    (step,) = receipt.steps
    (attempt,) = step.attempts
    assert attempt.answer is not None
    assert (attempt.outcome, attempt.answer["status"]) == ("published", 200)
    token = mastodon.itself.ready_account()["credentials"]["access_token"]
    assert token not in str(attempt.answer)


# After a restore


def test_a_restored_database_is_frozen_and_finds_out_before_it_is_lifted(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    alice: Member,
    publish_due: Callable[[], None],
) -> None:
    out, never, later = (
        promise(write_post("Went out after the backup", on=[account]), "09:05"),
        promise(write_post("Never went out", on=[account]), "09:06"),
        promise(write_post("Still to come", on=[account]), "11:00"),
    )
    backed_up_at = clock.moment
    clock.set("09:05")
    mastodon.say(by="regie", text="Went out after the backup")  # by the installation that was backed up
    clock.set("10:00")
    frozen = services.start_frozen_after_restore(backed_up_at=backed_up_at)
    assert [state_of(one) for one in (out, never, later)] == ["unclear", "unclear", "held"]
    alice.user.is_operator = True
    publish_due()
    clock.advance(minutes=2)
    publish_due()
    assert [state_of(one) for one in (out, never, later)] == ["published", "missed", "held"]
    services.lift(frozen, by=alice)
    clock.set("11:00")
    publish_due()
    assert state_of(later) == "published"
    assert mastodon.texts() == ["Went out after the backup", "Still to come"]


def test_a_restored_database_is_not_lifted_while_we_are_looking(
    clock: Clock, mastodon: Sandbox, account: Account, post: Post, promise: Callable[..., Delivery], alice: Member
) -> None:
    promise(post, "09:05")
    clock.set("10:00")
    frozen = services.start_frozen_after_restore(backed_up_at=clock.at("09:00"))
    alice.user.is_operator = True
    with pytest.raises(StillLooking):
        services.lift(frozen, by=alice)


def test_a_new_installation_has_a_new_key(clock: Clock, db: None) -> None:
    from regie.publishing.models import Installation

    before = Installation.objects.get_or_create(pk=1)[0].key
    services.start_frozen_after_restore(backed_up_at=clock.moment - timedelta(hours=1))
    assert Installation.objects.get(pk=1).key != before
