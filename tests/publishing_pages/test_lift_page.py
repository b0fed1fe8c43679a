"""The page that lifts a freeze: nothing is asked for that it does not show, and no decision is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from regie.accounts.models import Account
from regie.core.times import WallTime
from regie.people.models import Member
from regie.publishing import freezes, services
from regie.publishing.models import Delivery, Freeze
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Clock

SignIn = Callable[[Member], Client]
Promise = Callable[[str, str], Delivery]


@pytest.fixture
def promise(
    clock: Clock, make_account: Callable[..., Account], write_post: Callable[..., Post], bob: Member
) -> Promise:
    """``promise("Coat", "11:00")``: on one account, in UTC."""
    account = make_account()

    def make(text: str, at: str) -> Delivery:
        when = WallTime.at(clock.at(at), "UTC")
        return services.schedule(post=write_post(text, on=[account]), at=when, by=bob)[0]

    return make


@pytest.fixture
def held(promise: Promise, clock: Clock, alice: Member) -> list[Delivery]:
    """Three whose time has passed, one still to come; everything is frozen. It is 13:00."""
    made = [promise(f"Post {number}", f"{hour}:00") for number, hour in enumerate((10, 11, 12, 15))]
    services.freeze(alice.workspace, why="A recall", by=alice)
    clock.set("13:00")
    return made


def address() -> str:
    return f"/w/atelier-nord/freezes/{Freeze.objects.get().pk}/"


def chosen(page: str, name: str) -> str:
    """The value that a select shows, "" for none."""
    select = page.split(f'name="{name}"', 1)[1].split("</select>", 1)[0]
    found = re.search(r'value="([^"]*)" selected', select)
    return found[1] if found else ""


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


def test_what_is_cut_off_can_still_be_chosen_for(
    held: list[Delivery], alice: Member, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freezes, "SHOWN", 2)
    client = signed_in(alice)
    page = client.get(address()).text
    assert "3 whose time has passed" in page
    assert "1 still to come" in page
    assert "and 1 more, which follows the choice for all" in page
    assert 'name="still_to_come"' in page
    assert client.post(address(), {"passed": "cancel", "still_to_come": "keep"}).status_code == 302
    assert [Delivery.objects.get(pk=one.pk).state for one in held] == ["cancelled"] * 3 + ["scheduled"]


def test_every_decision_is_there_again_after_an_error(held: list[Delivery], alice: Member, signed_in: SignIn) -> None:
    first, second, third, fourth = (one.pk for one in held)
    sent = {
        "passed": "cancel",
        "still_to_come": "hold",
        f"do-{first}": "move",
        f"date-{first}": "",
        f"time-{first}": "17:45",
        f"do-{second}": "now",
        f"do-{fourth}": "move",
        f"date-{fourth}": "2030-03-09",
        f"time-{fourth}": "18:30",
    }
    client = signed_in(alice)
    answer = client.post(address(), sent)
    page = answer.text
    assert answer.status_code == 422
    assert "“Post 0” is to be moved: choose a date and a time." in page
    assert {name: chosen(page, name) for name in sent if not name.startswith(("date", "time"))} == {
        name: value for name, value in sent.items() if not name.startswith(("date", "time"))
    }
    assert chosen(page, f"do-{third}") == ""
    assert [field(page, f"time-{first}"), field(page, f"date-{fourth}"), field(page, f"time-{fourth}")] == [
        "17:45",
        "2030-03-09",
        "18:30",
    ]
    assert page.count('class="held-move" open') == 2
    assert page.count('id="problem-') == 1
    assert Freeze.objects.get().lifted_at is None
    assert {one.state for one in Delivery.objects.all()} == {"held"}
    assert client.post(address(), {**sent, f"date-{first}": "2030-03-09"}).status_code == 302
    states = [Delivery.objects.get(pk=pk).state for pk in (first, second, third, fourth)]
    assert states == ["scheduled", "scheduled", "cancelled", "scheduled"]


def test_a_choice_that_is_missing_is_asked_for_with_the_others_in_place(
    held: list[Delivery], alice: Member, signed_in: SignIn
) -> None:
    answer = signed_in(alice).post(address(), {"passed": "cancel", "still_to_come": "", f"do-{held[0].pk}": "hold"})
    page = answer.text
    assert answer.status_code == 422
    assert "Choose what happens to the deliveries that are still to come." in page
    assert (chosen(page, "passed"), chosen(page, f"do-{held[0].pk}")) == ("cancel", "hold")
    assert 'name="still_to_come" aria-invalid="true"' in page


def test_what_was_planned_since_the_page_was_drawn_asks_for_no_choice_and_stays_held(
    held: list[Delivery], promise: Promise, clock: Clock, alice: Member, signed_in: SignIn
) -> None:
    client = signed_in(alice)
    services.cancel(held[3], by=alice)
    seen_at = field(client.get(address()).text, "seen_at")
    clock.advance(minutes=1)
    new = promise("New", "16:00")
    services.hold_what_is_frozen()
    wrong = client.post(address(), {"seen_at": seen_at, "passed": "cancel", f"do-{held[0].pk}": "move"})
    assert (wrong.status_code, chosen(wrong.text, f"do-{new.pk}")) == (422, "hold")
    assert field(wrong.text, "seen_at") == seen_at
    assert client.post(address(), {"seen_at": seen_at, "passed": "cancel"}).status_code == 302
    new.refresh_from_db()
    assert (new.state, new.holds) == ("held", ["kept"])


@pytest.mark.parametrize("seen_at", ["never", "2030-13-45T10:00:00Z", "2030-03-01T10:00:00"])
def test_a_moment_that_makes_no_sense_is_this_one(
    seen_at: str, held: list[Delivery], alice: Member, signed_in: SignIn
) -> None:
    assert signed_in(alice).post(address(), {"seen_at": seen_at, "still_to_come": "keep"}).status_code == 302
    assert Delivery.objects.get(pk=held[3].pk).state == "scheduled"
