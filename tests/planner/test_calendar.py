"""The calendar: what it shows, to whom, at what cost, and what moving does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from regie.accounts.models import Account
from regie.core.times import WallTime
from regie.people.models import Member
from regie.people.scope import Scope
from regie.planner import queries, views
from regie.publishing import services
from regie.publishing.models import Delivery
from regie.studio.models import Post

Plan = Callable[..., Delivery]
SignIn = Callable[[Member], Client]
PARIS = "Europe/Paris"


@pytest.fixture
def plan(alice: Member, make_account: Callable[..., Account], write_post: Callable[..., Post], clock: Any) -> Plan:
    """Plans a text: ``plan("2030-03-05 10:15", "Good morning")``."""
    account = make_account()

    def make(at: str, text: str = "Good morning", zone: str = PARIS) -> Delivery:
        post = write_post(text, on=[account], by=alice)
        return services.schedule(post=post, at=WallTime(datetime.fromisoformat(at), zone), by=alice)[0]

    return make


def seen(member: Member, since: str, until: str, zone: str = PARIS, **more: Any) -> list[str]:
    found = queries.entries(
        Scope.for_member(member), since=date.fromisoformat(since), until=date.fromisoformat(until), zone=zone, **more
    )
    return [f"{entry.at:%d %H:%M} {entry.text}" for entry in found]


def test_days_are_counted_on_the_clocks_of_who_looks(plan: Plan, alice: Member) -> None:
    plan("2030-03-05 00:30", "Early in Paris")
    assert seen(alice, "2030-03-05", "2030-03-05") == ["05 00:30 Early in Paris"]
    assert seen(alice, "2030-03-04", "2030-03-04", zone="America/Montreal") == ["04 18:30 Early in Paris"]


def test_a_stranger_sees_nothing_of_it(plan: Plan, charlie: Member) -> None:
    plan("2030-03-05 10:15")
    assert seen(charlie, "2030-03-01", "2030-03-31") == []


def test_cancelled_ones_are_shown_when_asked_for(plan: Plan, alice: Member) -> None:
    services.cancel(plan("2030-03-05 10:15"), by=alice)
    assert seen(alice, "2030-03-01", "2030-03-31") == []
    assert len(seen(alice, "2030-03-01", "2030-03-31", state="cancelled")) == 1


def test_more_than_two_months_at_once_are_refused(alice: Member) -> None:
    with pytest.raises(queries.RangeTooLong):
        seen(alice, "2030-03-01", "2030-06-01")


@pytest.mark.parametrize("view", ["month", "week", "list"])
def test_the_cost_does_not_grow_with_what_is_planned(view: str, plan: Plan, alice: Member, signed_in: SignIn) -> None:
    client = signed_in(alice)
    page = f"/w/atelier-nord/calendar/?view={view}&on=2030-03-04"
    client.get(page)

    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as made:
            client.get(page)
        return len(made)

    plan("2030-03-05 10:00")
    with_one = cost()
    for minute in range(12):
        plan(f"2030-03-05 11:{minute:02d}")
    assert cost() == with_one


def test_a_crowded_day_opens(plan: Plan, alice: Member, signed_in: SignIn) -> None:
    for minute in range(9):
        plan(f"2030-03-05 11:{minute:02d}", f"Number {minute}")
    client = signed_in(alice)
    month = client.get("/w/atelier-nord/calendar/?on=2030-03-01").content.decode()
    assert "+4 more" in month
    assert "Number 4" in month
    assert "Number 5" not in month
    day = client.get("/w/atelier-nord/calendar/?view=list&days=1&on=2030-03-05").content.decode()
    assert "Number 8" in day


@pytest.mark.parametrize(
    "asked", ["view=decade", "on=never", "on=9999-99-99", "account=x", "state=gone", "view=month&on=1999-01-01"]
)
def test_an_address_that_makes_no_sense_shows_a_calendar(asked: str, alice: Member, signed_in: SignIn) -> None:
    assert signed_in(alice).get(f"/w/atelier-nord/calendar/?{asked}").status_code == 200


def test_a_move_to_another_day_keeps_the_hour_across_a_clock_change(
    plan: Plan, alice: Member, signed_in: SignIn
) -> None:
    delivery = plan("2030-03-29 10:15")  # clocks go forward on the 31st
    signed_in(alice).post("/w/atelier-nord/calendar/move/", {"delivery": delivery.pk, "date": "2030-04-02"})
    delivery.refresh_from_db()
    assert f"{delivery.local_at:%d %H:%M}" == "02 10:15"


def test_a_move_to_an_hour_of_the_week_keeps_the_minutes(plan: Plan, alice: Member, signed_in: SignIn) -> None:
    delivery = plan("2030-03-05 10:15")
    signed_in(alice).post(
        "/w/atelier-nord/calendar/move/", {"delivery": delivery.pk, "date": "2030-03-06", "hour": "17"}
    )
    delivery.refresh_from_db()
    assert f"{delivery.local_at:%d %H:%M}" == "06 17:15"


def test_in_the_view_of_all_clients_each_names_its_workspace(plan: Plan, alice: Member, signed_in: SignIn) -> None:
    plan("2030-03-05 10:15")
    assert "Atelier Nord" in signed_in(alice).get("/w/all/calendar/?on=2030-03-01").content.decode()


@pytest.mark.parametrize("begins", [0, 1, 6])
def test_weeks_begin_where_the_readers_formats_say(
    begins: int, alice: Member, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "get_format", lambda _name: begins)
    response = signed_in(alice).get("/w/atelier-nord/calendar/?on=2030-03-01")
    assert response.context["span"].since.isoweekday() % 7 == begins
    assert len(response.context["days"]) % 7 == 0
