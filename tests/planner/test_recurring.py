"""Posts that come again: made ahead, once each, and changed one by one, from a date on, or all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from regie.accounts.models import Account
from regie.core.errors import Problem
from regie.core.times import WallTime
from regie.people.errors import NotAllowed
from regie.people.models import Member, Notice
from regie.planner import recurring, rules
from regie.planner.errors import NoDates
from regie.planner.models import Occurrence, Recurrence
from regie.planner.recurring import Pattern
from regie.publishing import services as publishing
from regie.publishing.models import Delivery
from regie.studio import services as studio
from regie.studio.models import Post, Variant

if TYPE_CHECKING:
    from tests.conftest import Clock

pytestmark = pytest.mark.django_db
PARIS = "Europe/Paris"
MONDAYS = "FREQ=WEEKLY;BYDAY=MO"


def pattern(rule: str = MONDAYS, first_on: str = "2030-03-04", at: str = "09:30", **more: Any) -> Pattern:
    return Pattern(
        rule=rule, first_on=date.fromisoformat(first_on), local_time=time.fromisoformat(at), zone=PARIS, **more
    )


@pytest.fixture
def hello(make_account: Callable[..., Account], write_post: Callable[..., Post], clock: Clock) -> Post:
    """Clocks show Friday, 1 March 2030, 10:00 in Paris."""
    return write_post("Hello again", on=[make_account()])


def waiting(row: Recurrence) -> list[str]:
    found = Delivery.objects.filter(occurrence__recurrence=row).exclude(state="cancelled").order_by("due_at")
    return [f"{at:%m-%d %H:%M}" for at in found.values_list("local_at", flat=True)]


def test_the_dates_of_two_months_are_promised_at_once_on_the_persons_clocks(hello: Post, bob: Member) -> None:
    row = recurring.begin(post=hello, pattern=pattern(), by=bob)
    assert waiting(row) == [
        f"{day} 09:30" for day in ("03-04", "03-11", "03-18", "03-25", "04-01", "04-08", "04-15", "04-22", "04-29")
    ]
    hours = {one.due_at.hour for one in Delivery.objects.all()}
    assert hours == {8, 7}  # clocks go forward on 31 March: 09:30 stays 09:30


def test_what_comes_within_the_horizon_is_made_later_and_once(hello: Post, bob: Member, clock: Clock) -> None:
    row = recurring.begin(post=hello, pattern=pattern(), by=bob)
    assert recurring.extend() == 0
    clock.advance(days=7)
    assert recurring.extend() == 1
    assert recurring.extend() == 0
    assert waiting(row)[-1] == "05-06 09:30"


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_make_each_date_once(hello: Post, bob: Member, clock: Clock) -> None:
    row = recurring.begin(post=hello, pattern=pattern("FREQ=DAILY"), by=bob)
    clock.advance(days=30)
    made: list[int] = []

    def work() -> None:
        try:
            made.append(recurring.extend())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(made) == 30
    assert Occurrence.objects.filter(recurrence=row).values("date", "variant").distinct().count() == (
        Occurrence.objects.filter(recurrence=row).count()
    )


def test_an_end_by_date_or_by_number_is_kept(hello: Post, bob: Member, clock: Clock) -> None:
    until = recurring.begin(post=hello, pattern=pattern(until=date(2030, 3, 18)), by=bob)
    assert waiting(until) == ["03-04 09:30", "03-11 09:30", "03-18 09:30"]
    twice = recurring.begin(post=hello, pattern=pattern("FREQ=DAILY", at="18:00", count=2), by=bob)
    assert waiting(twice) == ["03-04 18:00", "03-05 18:00"]
    clock.advance(days=30)
    recurring.extend()
    until.refresh_from_db()
    twice.refresh_from_db()
    assert until.stopped_at is not None
    assert twice.stopped_at is not None
    assert len(waiting(twice)) == 2


def test_a_date_left_out_is_cancelled_and_can_be_taken_in_again(hello: Post, bob: Member) -> None:
    row = recurring.begin(post=hello, pattern=pattern(until=date(2030, 3, 18)), by=bob)
    row = recurring.skip(row, date(2030, 3, 11), by=bob)
    assert waiting(row) == ["03-04 09:30", "03-18 09:30"]
    recurring.extend()
    assert waiting(row) == ["03-04 09:30", "03-18 09:30"]
    row = recurring.take_in(row, date(2030, 3, 11), by=bob)
    assert waiting(row) == ["03-04 09:30", "03-11 09:30", "03-18 09:30"]


def test_one_that_was_cancelled_or_moved_by_itself_stays_so(hello: Post, bob: Member, clock: Clock) -> None:
    row = recurring.begin(post=hello, pattern=pattern(until=date(2030, 3, 18)), by=bob)
    first, second, _third = Delivery.objects.order_by("due_at")
    publishing.cancel(first, by=bob)
    publishing.move(second, at=WallTime(datetime.fromisoformat("2030-03-12T20:00"), PARIS), by=bob)
    recurring.extend()
    assert waiting(row) == ["03-12 20:00", "03-18 09:30"]


def test_changing_all_moves_what_the_rule_still_has_and_cancels_the_rest(hello: Post, bob: Member) -> None:
    row = recurring.begin(post=hello, pattern=pattern("FREQ=WEEKLY;BYDAY=MO,TH", until=date(2030, 3, 14)), by=bob)
    before = {one.date: one.delivery_id for one in row.occurrences.all()}
    row = recurring.change_all(row, pattern=pattern(at="18:00", until=date(2030, 3, 25)), by=bob)
    assert waiting(row) == ["03-04 18:00", "03-11 18:00", "03-18 18:00", "03-25 18:00"]
    assert row.occurrences.get(date=date(2030, 3, 4)).delivery_id == before[date(2030, 3, 4)]
    assert Delivery.objects.filter(state="cancelled").count() == 2


def test_changing_the_rest_leaves_what_comes_before(hello: Post, bob: Member) -> None:
    row = recurring.begin(post=hello, pattern=pattern(count=4), by=bob)
    rest = recurring.change_rest(row, since=date(2030, 3, 18), pattern=pattern(at="20:00", count=4), by=bob)
    row.refresh_from_db()
    assert waiting(row) == ["03-04 09:30", "03-11 09:30"]
    assert waiting(rest) == ["03-18 20:00", "03-25 20:00"]
    assert rest.post == hello


def test_the_rest_can_have_a_text_of_its_own(hello: Post, bob: Member) -> None:
    row = recurring.begin(post=hello, pattern=pattern(until=date(2030, 3, 25)), by=bob)
    rest = recurring.change_rest(row, since=date(2030, 3, 18), pattern=recurring.pattern_of(row), by=bob, copy=True)
    assert rest.post != hello
    assert waiting(rest) == ["03-18 09:30", "03-25 09:30"]


def test_one_date_can_have_a_text_of_its_own(hello: Post, bob: Member) -> None:
    row = recurring.begin(post=hello, pattern=pattern(until=date(2030, 3, 18)), by=bob)
    copy = recurring.detach(row, date(2030, 3, 11), by=bob)
    row.refresh_from_db()
    assert waiting(row) == ["03-04 09:30", "03-18 09:30"]
    (alone,) = Delivery.objects.filter(variant__post=copy)
    assert f"{alone.local_at:%m-%d %H:%M}" == "03-11 09:30"
    with pytest.raises(Problem):
        recurring.detach(row, date(2030, 3, 11), by=bob)


def test_stopping_cancels_what_has_not_begun_and_keeps_what_is_out(hello: Post, bob: Member) -> None:
    row = recurring.begin(post=hello, pattern=pattern(), by=bob)
    out = Delivery.objects.order_by("due_at").first()
    assert out is not None
    Delivery.objects.filter(pk=out.pk).update(state="claimed")
    assert recurring.stop(row, by=bob) == 8
    assert [one.state for one in Delivery.objects.order_by("due_at")[:2]] == ["claimed", "cancelled"]
    assert recurring.extend() == 0
    with pytest.raises(Problem):
        recurring.stop(row, by=bob)


def test_a_post_in_the_bin_ends_its_rules(hello: Post, bob: Member) -> None:
    row = recurring.begin(post=hello, pattern=pattern(count=1), by=bob)
    publishing.cancel(Delivery.objects.get(), by=bob)
    studio.remove(posts=[hello], by=bob)
    row.refresh_from_db()
    assert row.stopped_at is not None


def test_an_account_that_joins_the_post_joins_its_rules(
    hello: Post, bob: Member, make_account: Callable[..., Account]
) -> None:
    row = recurring.begin(post=hello, pattern=pattern(until=date(2030, 3, 11)), by=bob)
    Variant.objects.create(post=hello, account=make_account("bluesky", "Second"))
    Recurrence.objects.update(made_until=None)
    assert recurring.extend() == 2
    assert len(waiting(row)) == 4


def test_a_post_that_is_no_longer_ready_is_told_of_once_and_goes_on_when_it_is(
    hello: Post, bob: Member, clock: Clock
) -> None:
    row = recurring.begin(post=hello, pattern=pattern("FREQ=DAILY"), by=bob)
    good = hello.content
    Post.objects.filter(pk=hello.pk).update(content={"parts": [{"text": "x" * 5000}]})
    for _ in range(3):
        clock.advance(days=1)
        assert recurring.extend() == 0
    row.refresh_from_db()
    assert row.problem
    assert Notice.objects.filter(kind="recurrence.stuck", user=bob.user).count() == 1
    Post.objects.filter(pk=hello.pk).update(content=good)
    clock.advance(hours=2)
    assert recurring.extend() == 3
    row.refresh_from_db()
    assert row.problem == ""


def test_a_rule_without_a_date_to_come_is_refused(hello: Post, bob: Member) -> None:
    for impossible in (
        pattern("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30"),
        pattern(first_on="2020-01-06", until=date(2021, 1, 1)),
        pattern(first_on="2020-01-06", count=3),
    ):
        with pytest.raises(NoDates):
            recurring.begin(post=hello, pattern=impossible, by=bob)
    assert not Recurrence.objects.exists() or not Delivery.objects.exists()


def test_who_may_not_schedule_may_not_repeat(hello: Post, bob: Member, seat: Callable[..., Member]) -> None:
    guest = seat("Gaël", "guest")
    with pytest.raises(NotAllowed):
        recurring.begin(post=hello, pattern=pattern(), by=guest)
    row = recurring.begin(post=hello, pattern=pattern(), by=bob)
    for act in (
        lambda: recurring.stop(row, by=guest),
        lambda: recurring.skip(row, date(2030, 3, 4), by=guest),
        lambda: recurring.change_all(row, pattern=pattern(), by=guest),
        lambda: recurring.detach(row, date(2030, 3, 4), by=guest),
    ):
        with pytest.raises(NotAllowed):
            act()


# Rules


@pytest.mark.parametrize(
    ("choice", "on", "first"),
    [
        ("daily", "2030-03-30", ["2030-03-30", "2030-03-31", "2030-04-01"]),
        ("weekdays", "2030-03-01", ["2030-03-01", "2030-03-04", "2030-03-05"]),
        ("weekly", "2030-03-06", ["2030-03-06", "2030-03-13", "2030-03-20"]),
        ("fortnightly", "2030-03-06", ["2030-03-06", "2030-03-20", "2030-04-03"]),
        ("monthly", "2030-01-31", ["2030-01-31", "2030-02-28", "2030-03-31"]),
        ("monthly", "2028-01-30", ["2028-01-30", "2028-02-29", "2028-03-30"]),
        ("monthly-day", "2030-03-12", ["2030-03-12", "2030-04-09", "2030-05-14"]),
        ("monthly-day", "2030-03-29", ["2030-03-29", "2030-04-26", "2030-05-31"]),
    ],
)
def test_the_choices_of_the_dialog(choice: str, on: str, first: list[str]) -> None:
    day = date.fromisoformat(on)
    rule = rules.chosen(choice, day)
    assert rules.checked(rule) == rule
    found = rules.dates(rule, day, since=day, to=day + timedelta(days=100))
    assert [one.isoformat() for one in found[:3]] == first
    assert rules.choice_of(rule, day)[0] == choice


@pytest.mark.parametrize(
    "text",
    [
        "", "nonsense", "FREQ=HOURLY", "FREQ=SECONDLY;INTERVAL=1", "FREQ=DAILY;BYHOUR=9", "FREQ=DAILY;COUNT=3",
        "FREQ=DAILY;UNTIL=20300101", "FREQ=WEEKLY;BYDAY=XX", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=-1",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;DAILY", "DTSTART:20300101\nRRULE:FREQ=DAILY",
    ],
)  # fmt: skip
def test_what_is_no_rule_of_dates_is_refused(text: str) -> None:
    with pytest.raises(rules.NoSuchRule):
        rules.checked(text)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("FREQ=DAILY", "every day"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every weekday"),
        ("FREQ=WEEKLY;BYDAY=MO,TH", "every week on Monday and Thursday"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "every 2 weeks on Monday"),
        ("FREQ=MONTHLY;BYMONTHDAY=4", "every month on day 4"),
        ("FREQ=MONTHLY;BYDAY=1MO", "every month on the first Monday"),
        ("FREQ=YEARLY;BYMONTH=5", "FREQ=YEARLY;BYMONTH=5"),
    ],
)
def test_a_rule_is_said_in_words(rule: str, said: str) -> None:
    assert rules.in_words(rule, date(2030, 3, 4)) == said
