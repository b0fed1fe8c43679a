"""Posts that come again, for programs: begun, changed, left out, stopped, and the room an account has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from regie.accounts.models import Account
from regie.people.models import Member
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.api.conftest import Program
    from tests.conftest import Clock

pytestmark = pytest.mark.django_db
MONDAYS = {"rule": "RRULE:FREQ=WEEKLY;BYDAY=MO", "first_on": "2030-03-04", "local_time": "09:30"}


@pytest.fixture
def hello(make_account: Callable[..., Account], write_post: Callable[..., Post], clock: Clock) -> Post:
    return write_post("Hello again", on=[make_account()])


@pytest.fixture
def website(bob: Member, program: Callable[..., Program]) -> Program:
    return program(bob)


def days(said: Any) -> list[str]:
    return [one["date"] for one in said["dates"]]


def test_a_post_comes_again_by_a_rule(hello: Post, website: Program) -> None:
    status, said = website.post(f"/posts/{hello.pk}/repeat", {**MONDAYS, "count": 3, "late_minutes": 10})
    assert status == 201
    assert (said["rule"], said["said"], said["zone"]) == (
        "FREQ=WEEKLY;BYDAY=MO",
        "every week on Monday",
        "Europe/Paris",
    )
    assert (days(said), said["next_on"]) == (["2030-03-04", "2030-03-11", "2030-03-18"], "2030-03-04")
    _status, delivery = website.get(f"/deliveries/{said['dates'][0]['deliveries'][0]}")
    assert (delivery["local_at"], delivery["late_minutes"]) == ("2030-03-04T09:30:00", 10)
    assert website.get("/recurrences")[1]["items"][0]["id"] == said["id"]
    assert website.get("/recurrences?ended=true")[1]["items"] == []


def test_the_same_key_makes_one_rule(hello: Post, website: Program) -> None:
    first, again = (
        website.said("POST", f"/posts/{hello.pk}/repeat", MONDAYS, **{"Idempotency-Key": "mondays"}) for _ in range(2)
    )
    assert first == again
    assert len(website.get("/recurrences")[1]["items"]) == 1


def test_one_the_rest_or_all_of_it_can_be_changed(hello: Post, website: Program) -> None:
    _status, said = website.post(f"/posts/{hello.pk}/repeat", {**MONDAYS, "until": "2030-03-25"})
    here = f"/recurrences/{said['id']}"
    assert days(website.post(f"{here}/skip", {"date": "2030-03-11"})[1]) == ["2030-03-04", "2030-03-18", "2030-03-25"]
    assert website.post(f"{here}/skip", {"date": "2030-03-11"})[1]["exceptions"] == ["2030-03-11"]
    assert len(days(website.post(f"{here}/take-in", {"date": "2030-03-11"})[1])) == 4
    copy = website.post(f"{here}/own-text", {"date": "2030-03-04"})[1]["post"]
    assert copy != hello.pk
    _status, all_ = website.said("PATCH", here, {"local_time": "18:00"})
    assert (all_["local_time"], all_["until"]) == ("18:00:00", "2030-03-25")
    _status, rest = website.said("PATCH", here, {"since": "2030-03-18", "rule": "FREQ=DAILY", "count": 2})
    assert (days(rest), days(website.get(here)[1])) == (["2030-03-18", "2030-03-19"], ["2030-03-11"])
    assert website.post(f"/recurrences/{rest['id']}/stop")[1]["stopped_at"] is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"rule": "FREQ=HOURLY"},
        {"rule": "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30"},
        {"until": "2029-01-01"},
        {"zone": "Mars/Base"},
        {"count": 0},
        {"first_on": "1999-01-01"},
    ],
)
def test_what_is_no_rule_is_refused_with_a_sentence(wrong: dict[str, Any], hello: Post, website: Program) -> None:
    status, said = website.post(f"/posts/{hello.pk}/repeat", {**MONDAYS, **wrong})
    assert status == 422
    assert said["said"]


def test_the_room_of_an_account_is_told_before_planning(
    website: Program, make_account: Callable[..., Account], clock: Clock
) -> None:
    counted, free = make_account("bluesky"), make_account("telegram")
    status, said = website.get(f"/accounts/{counted.pk}/room?at=2030-03-02T09:00:00Z")
    assert (status, said["counted"], said["left"], said["most"]) == (200, True, 11_666, 11_666)
    assert website.get(f"/accounts/{free.pk}/room")[1] == {
        "counted": False,
        "left": None,
        "most": None,
        "free_at": None,
    }
    assert website.get(f"/accounts/{counted.pk}")[1]["quotas"][0]["left"] == 11_666


def test_lateness_is_the_workspaces_unless_said(hello: Post, website: Program, bob: Member) -> None:
    bob.workspace.late_minutes = 5
    bob.workspace.save()
    _status, said = website.post(f"/posts/{hello.pk}/schedule", {"local_at": "2030-03-05T10:00"})
    assert said["deliveries"][0]["late_minutes"] == 5
    moved = website.post(
        f"/deliveries/{said['deliveries'][0]['id']}/move", {"local_at": "2030-03-05T11:00", "late_minutes": 0}
    )[1]
    assert moved["late_minutes"] == 0
