"""A freeze ends with a decision for each delivery it held; none goes out that nobody chose."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from regie.accounts.models import Account
from regie.core import clock as product_clock
from regie.core.times import WallTime
from regie.people.models import Member
from regie.publishing import resuming, services
from regie.publishing.models import Delivery, Freeze
from regie.publishing.resuming import Decision, Decisions
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ("past", "past now", "past moved", "past cancelled", "coming", "coming now", "coming held", "coming cancelled")


@pytest.fixture
def held(
    clock: Clock, account: Account, write_post: Callable[..., Post], promise: Callable[..., Delivery], bob: Member
) -> dict[str, Delivery]:
    """Eight deliveries of a frozen account: four whose time has passed, four still to come."""
    rows = {
        name: promise(write_post(name, on=[account]), f"{'09' if 'past' in name else '11'}:{10 + number}")
        for number, name in enumerate(NAMES)
    }
    services.freeze(account, why="x", by=bob)
    clock.advance(minutes=60)
    return rows


def _resume(decisions: Decisions, by: Member) -> resuming.Resumed:
    return resuming.resume(Freeze.objects.get(), decisions, by=by, seat_in={by.workspace_id: by}.get)


def _states(rows: dict[str, Delivery]) -> dict[str, str]:
    for row in rows.values():
        row.refresh_from_db()
    return {name: row.state for name, row in rows.items()}


def test_each_delivery_does_what_was_decided_for_it(
    held: dict[str, Delivery], mastodon: Sandbox, alice: Member, publish_due: Callable[[], None]
) -> None:
    later = WallTime.at(product_clock.now().replace(hour=23), "Europe/Paris")
    on = {
        "past now": Decision("now"),
        "past moved": Decision("move", later),
        "past cancelled": Decision("cancel"),
        "coming now": Decision("now"),
        "coming held": Decision("hold"),
        "coming cancelled": Decision("cancel"),
    }
    decisions = Decisions(on={held[name].pk: one for name, one in on.items()}, still_to_come="keep")
    made = _resume(decisions, alice)
    publish_due()
    assert _states(held) == {
        "past": "missed",
        "past now": "published",
        "past moved": "scheduled",
        "past cancelled": "cancelled",
        "coming": "scheduled",
        "coming now": "published",
        "coming held": "held",
        "coming cancelled": "cancelled",
    }
    assert sorted(mastodon.texts()) == ["coming now", "past now"]
    assert (made.problems, [row.pk for row in made.missed]) == ({}, [held["past"].pk])
    assert held["coming held"].holds == ["kept"]


def test_without_a_decision_nothing_goes_out_and_what_was_left_held_can_be_let_go(
    held: dict[str, Delivery], clock: Clock, mastodon: Sandbox, alice: Member, publish_due: Callable[[], None]
) -> None:
    _resume(Decisions(), alice)
    clock.advance(minutes=180)
    publish_due()
    assert mastodon.texts() == []
    assert set(_states(held).values()) == {"missed", "held"}
    services.send_now(held["coming"], by=alice)
    publish_due()
    assert mastodon.texts() == ["coming"]


def test_one_left_held_goes_out_at_its_time_once_somebody_lets_it_go(
    held: dict[str, Delivery], clock: Clock, mastodon: Sandbox, alice: Member, publish_due: Callable[[], None]
) -> None:
    _resume(Decisions(), alice)
    services.let_go(held["coming"], by=alice)
    publish_due()
    assert mastodon.texts() == []
    clock.set("11:20")
    publish_due()
    assert mastodon.texts() == ["coming"]


def test_what_is_planned_while_a_person_decides_stays_held(
    clock: Clock,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    alice: Member,
    bob: Member,
) -> None:
    services.freeze(account, why="x", by=bob)
    seen_at = product_clock.now()
    clock.advance(minutes=1)
    row = promise(write_post("New", on=[account]), "12:00")
    _resume(Decisions(still_to_come="keep", passed="now", seen_at=seen_at), alice)
    row.refresh_from_db()
    assert (row.state, row.holds) == ("held", ["kept"])


def test_a_decision_that_cannot_be_followed_leaves_the_delivery_held(held: dict[str, Delivery], alice: Member) -> None:
    gone = WallTime.at(product_clock.now().replace(hour=1), "Europe/Paris")
    made = _resume(Decisions(on={held["coming"].pk: Decision("move", gone)}, still_to_come="keep"), alice)
    assert list(made.problems) == [held["coming"].pk]
    assert _states(held)["coming"] == "held"


def test_the_page_asks_for_a_choice_and_lifts_as_chosen(
    held: dict[str, Delivery], alice: Member, bob: Member, signed_in: Callable[[Member], Client]
) -> None:
    page = f"/w/atelier-nord/freezes/{Freeze.objects.get().pk}/"
    client = signed_in(alice)
    text = client.get(page).content.decode()
    assert "4 still to come" in text
    assert "4 whose time has passed" in text
    client.post(page, {"passed": "cancel"})
    assert Freeze.objects.get().lifted_at is None  # nothing was chosen for what is still to come
    move = {
        f"do-{held['coming'].pk}": "move",
        f"date-{held['coming'].pk}": "2030-03-09",
        f"time-{held['coming'].pk}": "10:00",
    }
    client.post(page, {"passed": "cancel", "still_to_come": "hold", **move})
    states = _states(held)
    assert {states[name] for name in NAMES[:4]} == {"cancelled"}
    assert states["coming"] == "scheduled"
    assert {states[name] for name in NAMES[5:]} == {"held"}
    assert "It was lifted" in client.get(page).content.decode()
    assert signed_in(bob).post(page).status_code == 200  # lifted already: only shown


def test_everybody_sees_who_froze_and_why(alice: Member, bob: Member, signed_in: Callable[[Member], Client]) -> None:
    client = signed_in(bob)
    client.post("/w/atelier-nord/freezes/new/", {"why": "The product is recalled"})
    page = signed_in(alice).get("/w/atelier-nord/").content.decode()
    assert "The product is recalled" in page
    assert "Bob" in page
    assert Freeze.objects.get().workspace_id == bob.workspace_id
