"""Promising, moving, cancelling: all or none, never in the past, and written in the audit trail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regie.accounts.models import Account
from regie.core.times import WallTime, zones
from regie.people.errors import NotAllowed
from regie.people.models import AuditEntry, Member
from regie.publishing import services
from regie.publishing.errors import AlreadyPlanned, NotNow, NotReady, TooLate
from regie.publishing.models import Delivery, Lane, Step
from regie.studio.content import Content, Part
from regie.studio.models import Post, Variant

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox


@pytest.fixture
def two(make_account: Callable[..., Account], write_post: Callable[..., Post]) -> Post:
    return write_post("Good morning", on=[make_account(name="One"), make_account(name="Two")])


def paris(moment: datetime) -> WallTime:
    return WallTime.at(moment, "Europe/Paris")


def test_a_post_is_promised_to_all_its_accounts(clock: Clock, two: Post, bob: Member) -> None:
    deliveries = services.schedule(post=two, at=paris(clock.at("10:00")), by=bob)
    assert [str(one.account) for one in deliveries] == ["One", "Two"]
    assert {one.state for one in deliveries} == {"scheduled"}
    assert [step.content["text"] for step in Step.objects.all()] == ["Good morning"] * 2
    assert AuditEntry.objects.filter(did="post.scheduled", what_id=two.pk, user=bob.user).count() == 1


def test_one_variant_that_cannot_go_out_keeps_all_of_them_back(clock: Clock, two: Post, bob: Member) -> None:
    broken = two.variants.get(account__name="Two")
    Variant.objects.filter(pk=broken.pk).update(content=Content(parts=[Part(text="x" * 5000)]).as_json())
    with pytest.raises(NotReady) as refused:
        services.schedule(post=two, at=paris(clock.at("10:00")), by=bob)
    assert list(refused.value.reasons) == [broken]
    assert not Delivery.objects.exists()


def test_a_time_that_has_passed_is_refused_with_a_sentence(clock: Clock, two: Post, bob: Member) -> None:
    with pytest.raises(TooLate, match="passed"):
        services.schedule(post=two, at=paris(clock.at("08:00")), by=bob)


def test_now_is_not_the_past(clock: Clock, two: Post, bob: Member) -> None:
    deliveries = services.publish_now(post=two, by=bob)
    assert {one.due_at for one in deliveries} == {clock.moment}


def test_the_same_time_twice_is_planned_once(clock: Clock, two: Post, bob: Member) -> None:
    services.schedule(post=two, at=paris(clock.at("10:00")), by=bob)
    with pytest.raises(AlreadyPlanned):
        services.schedule(post=two, at=paris(clock.at("10:00")), by=bob)
    assert Delivery.objects.count() == 2


def test_a_stranger_promises_nothing(clock: Clock, two: Post, charlie: Member) -> None:
    with pytest.raises(NotAllowed):
        services.schedule(post=two, at=paris(clock.at("10:00")), by=charlie)


def test_a_guest_may_not_promise(clock: Clock, two: Post, seat: Callable[..., Member]) -> None:
    guest: Member = seat("Gaël", "guest")
    with pytest.raises(NotAllowed):
        services.schedule(post=two, at=paris(clock.at("10:00")), by=guest)


def test_a_dropped_account_is_promised_nothing(clock: Clock, two: Post, bob: Member) -> None:
    two.variants.filter(account__name="Two").update(dropped_at=clock.moment)
    assert len(services.schedule(post=two, at=paris(clock.at("10:00")), by=bob)) == 1


def test_a_moved_delivery_waits_for_its_new_hour_and_its_lane_knows(clock: Clock, two: Post, bob: Member) -> None:
    delivery = services.schedule(post=two, at=paris(clock.at("10:00")), by=bob)[0]
    services.move(delivery, at=paris(clock.at("09:30")), by=bob)
    delivery.refresh_from_db()
    assert delivery.due_at == clock.at("09:30")
    assert Lane.objects.get(account=delivery.account).next_at == clock.at("09:30")
    with pytest.raises(TooLate):
        services.move(delivery, at=paris(clock.at("08:30")), by=bob)


def test_a_cancelled_delivery_comes_back_by_undo_until_its_time_has_passed(
    clock: Clock, two: Post, bob: Member
) -> None:
    delivery = services.schedule(post=two, at=paris(clock.at("10:00")), by=bob)[0]
    services.cancel(delivery, by=bob)
    delivery.refresh_from_db()
    assert delivery.state == "cancelled"
    services.undo_cancel(delivery, by=bob)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.due_at) == ("scheduled", clock.at("10:00"))
    services.cancel(delivery, by=bob)
    clock.set("10:30")
    with pytest.raises(TooLate):
        services.undo_cancel(delivery, by=bob)


def test_what_is_cancelled_may_be_planned_for_the_same_time_again(clock: Clock, two: Post, bob: Member) -> None:
    for delivery in services.schedule(post=two, at=paris(clock.at("10:00")), by=bob):
        services.cancel(delivery, by=bob)
    assert len(services.schedule(post=two, at=paris(clock.at("10:00")), by=bob)) == 2


def test_what_is_on_its_way_is_neither_moved_nor_cancelled(clock: Clock, two: Post, bob: Member) -> None:
    delivery = services.schedule(post=two, at=paris(clock.at("10:00")), by=bob)[0]
    for state in ("claimed", "sending"):
        Delivery.objects.filter(pk=delivery.pk).update(state=state)
    with pytest.raises(NotNow):
        services.cancel(delivery, by=bob)
    with pytest.raises(NotNow):
        services.move(delivery, at=paris(clock.at("11:00")), by=bob)


def test_a_lane_is_lowered_by_whatever_writes_a_waiting_delivery(clock: Clock, two: Post, bob: Member) -> None:
    delivery = services.schedule(post=two, at=paris(clock.at("10:00")), by=bob)[0]
    lane = Lane.objects.get(account=delivery.account)
    assert lane.next_at == clock.at("10:00")
    Lane.objects.filter(pk=lane.pk).update(next_at=None)
    Delivery.objects.filter(pk=delivery.pk).update(problem="")
    lane.refresh_from_db()
    assert lane.next_at == clock.at("10:00")


def test_a_changed_zone_rule_moves_the_moment_and_keeps_the_wall_time(clock: Clock, two: Post, bob: Member) -> None:
    delivery = services.schedule(post=two, at=paris(clock.at("10:00")), by=bob)[0]
    wrong = delivery.due_at + timedelta(hours=1)  # as if the rules had been others when it was planned
    Delivery.objects.filter(pk=delivery.pk).update(due_at=wrong, next_at=wrong)
    assert services.recompute_due_times() == 1
    again = Delivery.objects.get(pk=delivery.pk)
    assert (again.due_at, again.next_at, again.local_at) == (clock.at("10:00"), clock.at("10:00"), delivery.local_at)


def test_in_a_missing_hour_the_time_moves_forward_by_the_gap(clock: Clock, two: Post, bob: Member) -> None:
    at = WallTime(datetime(2030, 3, 31, 2, 30), "Europe/Paris")  # noqa: DTZ001 - a wall clock
    delivery = services.schedule(post=two, at=at, by=bob)[0]
    assert delivery.due_at == datetime(2030, 3, 31, 1, 30, tzinfo=UTC)  # 03:30 in Paris


def test_in_a_doubled_hour_the_first_is_meant(clock: Clock, two: Post, bob: Member) -> None:
    at = WallTime(datetime(2030, 10, 27, 2, 30), "Europe/Paris")  # noqa: DTZ001
    delivery = services.schedule(post=two, at=at, by=bob)[0]
    assert delivery.due_at == datetime(2030, 10, 27, 0, 30, tzinfo=UTC)


@pytest.fixture
def autumn(clock: Clock) -> datetime:
    """A moment in the second half of the hour that clocks in Paris show twice: a quarter past two, again."""
    moment = datetime(2030, 10, 27, 1, 15, 30, tzinfo=UTC)
    clock.set(moment)
    return moment


def test_now_is_now_in_the_second_half_of_a_doubled_hour_too(
    autumn: datetime, post: Post, bob: Member, mastodon: Sandbox, publish_due: Callable[[], None]
) -> None:
    (delivery,) = services.publish_now(post=post, by=bob)
    assert delivery.due_at == autumn
    publish_due()
    assert mastodon.texts() == ["Good morning"]


def test_what_is_sent_again_in_the_second_half_of_a_doubled_hour_is_not_missed_once_more(
    autumn: datetime,
    clock: Clock,
    write_post: Callable[..., Post],
    account: Account,
    bob: Member,
    mastodon: Sandbox,
    publish_due: Callable[[], None],
) -> None:
    """Each way to send now; the clocks of Paris are an hour further than they show since the first half."""
    (missed,) = services.publish_now(post=write_post("Missed", on=[account]), by=bob)
    Delivery.objects.filter(pk=missed.pk).update(state="missed")
    (waiting,) = services.schedule(post=write_post("Waiting", on=[account]), at=paris(clock.at("09:00")), by=bob)
    thread = services.publish_now(post=write_post("One", "Two", on=[account]), by=bob)[0]
    Delivery.objects.filter(pk=thread.pk).update(state="partly")
    clock.advance(minutes=1)
    again = (services.send_again(missed, by=bob), services.send_now(waiting, by=bob))
    now = [*again, services.finish_partly(thread, by=bob)]
    assert {one.due_at for one in now} == {clock.moment}
    assert services.recompute_due_times() == 0
    publish_due()
    assert sorted(mastodon.texts()) == ["Missed", "One", "Two", "Waiting"]


def test_the_page_says_when_it_was_also_where_clocks_show_that_time_twice(
    autumn: datetime, post: Post, bob: Member, signed_in: Callable[[Member], Client]
) -> None:
    (delivery,) = services.publish_now(post=post, by=bob)
    page = signed_in(bob).get(f"/w/atelier-nord/deliveries/{delivery.pk}/").text
    assert "01:15 in UTC" in page


@given(
    local=st.datetimes(min_value=datetime(2025, 1, 1), max_value=datetime(2035, 1, 1)),  # noqa: DTZ001 - wall clocks
    zone=st.sampled_from(sorted(zones())),
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_in_any_zone_a_time_that_exists_is_shown_by_its_clock_and_one_that_does_not_comes_later(
    local: datetime, zone: str
) -> None:
    at = WallTime(local, zone)
    shown = WallTime.at(at.utc, zone).local
    if at.is_missing:
        assert timedelta(0) < shown - local <= timedelta(hours=24)
    else:
        assert shown == local
        earlier = WallTime.at(at.utc - timedelta(hours=3), zone)
        assert earlier.utc <= at.utc
