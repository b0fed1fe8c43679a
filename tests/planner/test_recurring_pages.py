"""The pages of posts that come again: begun in the composer, shown in the calendar, changed date by date."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from regie.accounts.models import Account
from regie.people.models import Member
from regie.planner import recurring
from regie.planner.models import Recurrence
from regie.publishing.models import Delivery
from regie.studio.models import Post

from .test_recurring import pattern, waiting

if TYPE_CHECKING:
    from tests.conftest import Clock

pytestmark = pytest.mark.django_db
HERE = "/w/atelier-nord"


@pytest.fixture
def hello(make_account: Callable[..., Account], write_post: Callable[..., Post], clock: Clock) -> Post:
    return write_post("Hello again", on=[make_account()])


@pytest.fixture
def row(hello: Post, bob: Member) -> Recurrence:
    """Every Monday at 09:30, four times."""
    return recurring.begin(post=hello, pattern=pattern(count=4), by=bob)


def composed(post: Post, **more: str | list[str]) -> dict[str, str | list[str]]:
    account = post.variants.get().account_id
    return {
        "post": str(post.pk),
        "workspace": str(post.workspace_id),
        "version": str(post.version),
        "account": str(account),
        "s-0-text": "Hello again",
        "date": "2030-03-04",
        "time": "09:30",
        "zone": "Europe/Paris",
        **more,
    }


def test_the_composer_plans_once_or_again_and_again(
    hello: Post, bob: Member, signed_in: Callable[[Member], Client]
) -> None:
    browser = signed_in(bob)
    page = browser.get(f"{HERE}/posts/{hello.pk}/edit/").content.decode()
    assert 'name="repeat"' in page
    assert 'name="late"' in page
    answer = browser.post(
        f"{HERE}/calendar/schedule/",
        composed(hello, repeat="weekly", weekdays=["MO", "TH"], ends="after", count="3", late="15"),
    )
    assert answer.status_code == 302
    row = Recurrence.objects.get()
    assert (row.rule, row.count, row.late_minutes) == ("FREQ=WEEKLY;BYDAY=MO,TH", 3, 15)
    assert waiting(row) == ["03-04 09:30", "03-07 09:30", "03-11 09:30"]
    assert set(Delivery.objects.values_list("late_minutes", flat=True)) == {15}

    hello.refresh_from_db()
    browser.post(f"{HERE}/calendar/schedule/", composed(hello, date="2030-03-05"))
    assert Recurrence.objects.count() == 1
    assert Delivery.objects.count() == 4


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"repeat": "weekly", "ends": "on"}, "Choose the last date"),
        ({"repeat": "weekly", "ends": "after"}, "Say how many times"),
        ({"repeat": "weekly", "ends": "on", "until": "2030-03-01"}, "The end is before the beginning."),
        ({"repeat": "hourly"}, "hourly"),
    ],
)
def test_what_makes_no_sense_comes_back_with_the_reason_and_nothing_is_planned(
    sent: dict[str, str], said: str, hello: Post, bob: Member, signed_in: Callable[[Member], Client]
) -> None:
    answer = signed_in(bob).post(f"{HERE}/calendar/schedule/", composed(hello, **sent))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Delivery.objects.exists()


def test_the_list_and_the_calendar_show_what_comes_again(
    row: Recurrence, bob: Member, signed_in: Callable[[Member], Client]
) -> None:
    browser = signed_in(bob)
    page = browser.get(f"{HERE}/calendar/recurring/").content.decode()
    assert "every week on Monday, 4 times" in page
    assert "Comes again" in browser.get(f"{HERE}/calendar/?on=2030-03-04").content.decode()
    recurring.stop(row, by=bob)
    assert "Nothing comes again yet" in browser.get(f"{HERE}/calendar/recurring/").content.decode()
    assert "Hello again" in browser.get(f"{HERE}/calendar/recurring/?ended=1").content.decode()


def test_the_calendar_takes_no_query_more_for_repeats(
    row: Recurrence, bob: Member, signed_in: Callable[[Member], Client], hello: Post
) -> None:
    browser = signed_in(bob)

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(f"{HERE}/calendar/?on=2030-03-04").status_code == 200
        return len(seen)

    before = queries()
    recurring.begin(post=hello, pattern=pattern("FREQ=DAILY", at="20:00"), by=bob)
    assert queries() == before


def test_a_date_is_left_out_taken_in_and_given_its_own_text(
    row: Recurrence, bob: Member, signed_in: Callable[[Member], Client]
) -> None:
    browser, here = signed_in(bob), f"{HERE}/calendar/recurring/{row.pk}"
    browser.post(f"{here}/2030-03-11/skip/")
    assert waiting(row) == ["03-04 09:30", "03-18 09:30", "03-25 09:30"]
    page = browser.get(f"{here}/").content.decode()
    assert "11 March 2030" in page
    assert page.count(">Mon<") == 1  # each day of the rule has one label
    browser.post(f"{here}/2030-03-11/take-in/")
    assert len(waiting(row)) == 4
    answer = browser.post(f"{here}/2030-03-11/own-text/")
    assert "/edit/" in answer.headers["Location"]
    answer = browser.post(f"{here}/2030-03-18/rest-text/")
    assert "/edit/" in answer.headers["Location"]
    row.refresh_from_db()
    assert waiting(row) == ["03-04 09:30"]
    assert browser.post(f"{here}/2030-03-04/explode/").status_code == 404
    assert browser.post(f"{here}/nonsense/skip/").status_code == 404


def test_the_rule_is_changed_for_all_or_from_a_date_on(
    row: Recurrence, bob: Member, signed_in: Callable[[Member], Client]
) -> None:
    browser, here = signed_in(bob), f"{HERE}/calendar/recurring/{row.pk}"
    sent = {
        "repeat": "weekly",
        "weekdays": ["TU"],
        "time": "18:00",
        "zone": "Europe/Paris",
        "late": "30",
        "ends": "on",
        "until": "2030-03-20",
    }
    assert browser.post(f"{here}/change/", sent).status_code == 302
    assert waiting(row) == ["03-05 18:00", "03-12 18:00", "03-19 18:00"]
    answer = browser.post(f"{here}/change/", {**sent, "time": "20:00", "since": "2030-03-12"})
    rest = Recurrence.objects.exclude(pk=row.pk).get()
    assert answer.headers["Location"] == f"{HERE}/calendar/recurring/{rest.pk}/"
    assert (waiting(row), waiting(rest)) == (["03-05 18:00"], ["03-12 20:00", "03-19 20:00"])
    assert browser.post(f"{here}/change/", {**sent, "zone": "Mars/Base"}).status_code == 422
    assert browser.post(f"{HERE}/calendar/recurring/{rest.pk}/stop/").status_code == 302
    assert waiting(rest) == []


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"ends": "on", "until": "2030-03-01"}, "The end is before the beginning."),
        ({"ends": "on", "until": ""}, "Choose the last date, or let it never end."),
        ({"ends": "after", "count": "", "since": "2030-03-18"}, "Say how many times it comes"),
        ({"ends": "on", "until": "2030-03-11", "since": "2030-03-18"}, "The end is before the beginning."),
        ({"zone": "Europe/Atlantis"}, "<strong>Time zone</strong> This is not a time zone we know."),
    ],
)
def test_a_change_that_makes_no_sense_keeps_what_was_typed_beside_the_reason(
    sent: dict[str, str], said: str, row: Recurrence, bob: Member, signed_in: Callable[[Member], Client]
) -> None:
    typed = {"repeat": "daily", "time": "17:05", "zone": "Europe/Lisbon", "late": "15", **sent}
    page = signed_in(bob).post(f"{HERE}/calendar/recurring/{row.pk}/change/", typed)
    assert page.status_code == 422
    assert said in page.content.decode()
    assert "__all__" not in page.content.decode()
    assert {name: page.context["form"][name].value() for name in typed} == typed
    assert waiting(row) == ["03-04 09:30", "03-11 09:30", "03-18 09:30", "03-25 09:30"]


def test_a_change_of_a_rule_that_a_colleague_ended_says_so(
    row: Recurrence, bob: Member, alice: Member, signed_in: Callable[[Member], Client]
) -> None:
    recurring.stop(row, by=alice)
    typed = {"repeat": "daily", "time": "17:05", "zone": "Europe/Lisbon", "late": "15"}
    here = f"{HERE}/calendar/recurring/{row.pk}/"
    client = signed_in(bob)
    answer = client.post(f"{here}change/", typed, headers={"Referer": f"http://testserver{here}"})
    assert answer.status_code == 303
    assert "It has ended already." in client.get(here).content.decode()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "calendar/recurring/{pk}/"),
        ("post", "calendar/recurring/{pk}/change/"),
        ("post", "calendar/recurring/{pk}/stop/"),
        ("post", "calendar/recurring/{pk}/2030-03-11/skip/"),
        ("post", "calendar/recurring/{pk}/2030-03-11/take-in/"),
        ("post", "calendar/recurring/{pk}/2030-03-11/own-text/"),
        ("post", "calendar/recurring/{pk}/2030-03-11/rest-text/"),
    ],
)
def test_who_gets_what(
    method: str,
    path: str,
    row: Recurrence,
    charlie: Member,
    seat: Callable[..., Member],
    signed_in: Callable[[Member], Client],
) -> None:
    there = path.format(pk=row.pk)
    stranger = signed_in(charlie)
    for where in (HERE, "/w/velo-club", "/w/all"):
        assert getattr(stranger, method)(f"{where}/{there}").status_code == 404
    guest = getattr(signed_in(seat("Gaël", "guest")), method)(f"{HERE}/{there}")
    assert guest.status_code == (200 if method == "get" else 403)
    assert getattr(Client(), method)(f"{HERE}/{there}").status_code == 302


def test_a_guest_sees_the_list_without_what_he_may_not_do(
    row: Recurrence, seat: Callable[..., Member], signed_in: Callable[[Member], Client]
) -> None:
    page = signed_in(seat("Gaël", "guest")).get(f"{HERE}/calendar/recurring/{row.pk}/").content.decode()
    assert "Change the rule" not in page
    assert "Leave out" not in page
