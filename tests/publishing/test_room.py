"""Networks that take so many posts a day: told before planning; what does not fit goes out at the next free moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from regie.accounts.models import Account
from regie.core.times import WallTime
from regie.networks import registry
from regie.networks.capabilities import Quota
from regie.people import notices
from regie.people.models import Member, Notice
from regie.publishing import services
from regie.publishing.models import Delivery, Lane
from regie.publishing.room import left_today, room_at
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def five_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mastodon as a network that takes five posts in 24 hours."""
    connector = registry.connector("mastodon")
    few = (Quota(name="posts of a day", limit=5, per=timedelta(days=1)),)
    monkeypatch.setattr(connector, "can_on", classmethod(lambda cls, limits: replace(cls.can, quotas=few)))


@pytest.fixture
def plan(write_post: Callable[..., Post], bob: Member, clock: Clock) -> Callable[..., Delivery]:
    """``plan(account, hours=3)``: a post for then."""

    def make(account: Account, text: str = "Good morning", *parts: str, hours: float = 3) -> Delivery:
        at = WallTime.at(clock.moment + timedelta(hours=hours), "Europe/Paris")
        return services.schedule(post=write_post(text, *parts, on=[account]), at=at, by=bob)[0]

    return make


def test_what_does_not_fit_in_a_day_is_planned_for_the_next_free_moment(
    clock: Clock, five_a_day: None, make_account: Callable[..., Account], plan: Callable[..., Delivery]
) -> None:
    account = make_account()
    for number in range(5):
        assert plan(account, hours=3 + number / 2).spread_from is None
    asked = clock.moment + timedelta(hours=6)
    sixth, seventh = plan(account, hours=6), plan(account, hours=6)
    assert (sixth.due_at, sixth.spread_from) == (clock.moment + timedelta(hours=27), asked)
    assert seventh.due_at == clock.moment + timedelta(hours=27.5)
    assert plan(account, hours=-0.0).spread_from is not None  # nor in between: tomorrow's windows would be too full
    assert plan(account, hours=80).spread_from is None


def test_each_part_of_a_thread_needs_room(
    clock: Clock, five_a_day: None, make_account: Callable[..., Account], plan: Callable[..., Delivery]
) -> None:
    account = make_account()
    plan(account, "One", "Two", "Three")
    assert plan(account, "Four", "Five", "Six", hours=4).spread_from is not None
    assert plan(account, "Four", "Five", hours=4).spread_from is None


def test_the_room_is_told_before_planning(
    clock: Clock, five_a_day: None, make_account: Callable[..., Account], plan: Callable[..., Delivery]
) -> None:
    account = make_account()
    plan(account), plan(account)
    room = room_at(account, clock.moment + timedelta(hours=4))
    assert room is not None
    assert (room.left, room.most, room.fits) == (3, 5, True)
    (today,) = left_today([account, make_account("telegram")], until=clock.moment + timedelta(hours=10))
    assert (today.left, today.most) == (3, 5)
    assert room_at(make_account("telegram"), clock.moment) is None


def test_moving_and_cancelling_make_room(
    clock: Clock, five_a_day: None, make_account: Callable[..., Account], plan: Callable[..., Delivery], bob: Member
) -> None:
    account = make_account()
    full = [plan(account) for _ in range(5)]
    services.cancel(full[0], by=bob)
    late = plan(account)
    assert late.spread_from is None
    moved = services.move(late, at=WallTime.at(clock.moment + timedelta(hours=5), "Europe/Paris"), by=bob)
    assert moved.spread_from is None


def test_the_composer_says_how_many_are_left_and_when_it_goes_out_instead(
    clock: Clock,
    five_a_day: None,
    make_account: Callable[..., Account],
    plan: Callable[..., Delivery],
    bob: Member,
    signed_in: Callable[[Member], Client],
) -> None:
    account = make_account()
    page = signed_in(bob).get(f"/w/atelier-nord/posts/new/?account={account.pk}").content.decode()
    assert "Atelier Nord (Mastodon): 5 of 5 posts left today." in page
    for _ in range(5):
        last = plan(account)
    page = signed_in(bob).get(f"/w/atelier-nord/posts/new/?account={account.pk}&at=2030-03-01T13:00").content.decode()
    assert "takes 5 posts a day, and all are taken then" in page
    page = signed_in(bob).get("/w/atelier-nord/calendar/").content.decode()
    assert "Atelier Nord (Mastodon): 0 of 5 posts left today." in page
    services.cancel(last, by=bob)
    page = signed_in(bob).get("/w/atelier-nord/calendar/").content.decode()
    assert "Atelier Nord (Mastodon): 1 of 5 posts left today." in page


def test_a_delivery_with_a_later_time_says_so(
    clock: Clock,
    five_a_day: None,
    make_account: Callable[..., Account],
    plan: Callable[..., Delivery],
    bob: Member,
    signed_in: Callable[[Member], Client],
) -> None:
    account = make_account()
    delivery = [plan(account) for _ in range(6)][-1]
    page = signed_in(bob).get(f"/w/atelier-nord/deliveries/{delivery.pk}/").content.decode()
    assert "takes no more posts that day" in page


def test_what_the_engine_cannot_send_today_gets_a_later_time_and_its_planner_hears_of_it(
    clock: Clock,
    mastodon: Sandbox,
    five_a_day: None,
    account: Account,
    plan: Callable[..., Delivery],
    publish_due: Callable[[], None],
    bob: Member,
) -> None:
    planned = [plan(account, f"Post {number}", hours=1) for number in range(5)]
    account.budgets.create(
        key=f"account:{account.pk}",
        name="posts of a day",
        most=5,
        seconds=86400,
        left=2,  # somebody posted three on the network itself
        resets_at=clock.moment + timedelta(hours=9),
    )
    clock.advance(hours=1)
    publish_due()
    assert len(mastodon.texts()) == 2
    rows = list(Delivery.objects.filter(pk__in=[one.pk for one in planned], state="scheduled").order_by("due_at"))
    assert len(rows) == 3
    assert all(row.spread_from == clock.moment and row.due_at >= clock.moment + timedelta(hours=8) for row in rows)
    notice = Notice.objects.get(user=bob.user, kind="delivery.spread")
    assert notices.sentence(notice) == "regie (Mastodon) takes no more posts today: 3 of yours have later times."

    clock.set(rows[-1].due_at)
    publish_due()
    assert len(mastodon.texts()) == 5
    assert not Delivery.objects.filter(state="missed").exists()


def test_a_later_time_in_the_doubled_hour_is_the_one_that_has_room(
    clock: Clock, five_a_day: None, make_account: Callable[..., Account], plan: Callable[..., Delivery]
) -> None:
    """In Paris clocks show 02:00 to 03:00 twice in that night; a time of theirs means the first."""
    clock.set(datetime(2030, 10, 25, 22, tzinfo=UTC))
    account = make_account()
    for minutes in (10, 12, 14, 16, 18):
        plan(account, hours=3 + minutes / 60)
    sixth = plan(account, hours=4)
    assert sixth.due_at == datetime(2030, 10, 27, 1, 10, tzinfo=UTC)
    assert (sixth.local_at, sixth.zone) == (sixth.due_at.replace(tzinfo=None), "UTC")


def test_what_nobody_sent_in_time_is_missed_and_gets_no_later_time(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    plan: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    """No publisher was there at its hour; when one is, the network asks for hours of patience."""
    stale, fresh = plan(account, "Stale", hours=1), plan(account, "Fresh", hours=5)
    Lane.objects.filter(account=account).update(not_before=clock.moment + timedelta(hours=9))
    clock.advance(hours=5)
    publish_due()
    for row in (stale, fresh):
        row.refresh_from_db()
    assert (stale.state, stale.spread_from) == ("missed", None)
    assert (fresh.state, fresh.spread_from) == ("scheduled", clock.moment)
    assert Notice.objects.filter(kind="delivery.missed").exists()
