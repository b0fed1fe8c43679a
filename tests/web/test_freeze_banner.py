"""What every page says of frozen clients: never that nothing goes out while something does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from regie.people.models import Member, Workspace
from regie.people.scope import Scope
from regie.publishing import services
from regie.publishing.models import Freeze
from regie.web import navigation

ALL = "/w/all/notices/"
NOTHING = "nothing goes out."
BUTTON = 'data-dialog="freeze"'
SignIn = Callable[[Member], Client]


@pytest.fixture
def seats(alice: Member) -> list[Member]:
    """Alice owns five clients: Atelier Nord and Client 1 to 4."""
    more = [
        Workspace.objects.create(name=f"Client {number}", slug=f"client-{number}", zone="Europe/Paris")
        for number in range(1, 5)
    ]
    return [alice, *(Member.objects.create(workspace=one, user=alice.user, role="owner") for one in more)]


def freeze(*seats: Member, why: str = "A recall") -> list[Freeze]:
    return [services.freeze(seat.workspace, why=why, by=seat) for seat in seats]


def test_one_frozen_client_is_named_and_the_others_can_still_be_frozen(seats: list[Member], signed_in: SignIn) -> None:
    one = freeze(seats[1])[0]
    client = signed_in(seats[0])
    page = client.get(ALL).text
    assert "Client 1 is frozen since" in page
    assert "nothing of it goes out" in page
    assert "A recall" in page
    assert f"/freezes/{one.pk}/" in page
    assert NOTHING not in page
    assert BUTTON in page
    client.post("/w/all/freezes/new/", {"why": "A storm"})
    assert Freeze.objects.filter(lifted_at=None).count() == 5
    assert Freeze.objects.get(pk=one.pk).why == "A recall"
    page = client.get(ALL).text
    assert NOTHING in page
    assert BUTTON not in page


def test_several_frozen_clients_are_named_and_the_rest_of_them_counted(seats: list[Member], signed_in: SignIn) -> None:
    made = freeze(*seats[:4])
    page = signed_in(seats[0]).get(ALL).text
    for one in made[:3]:
        assert f'/freezes/{one.pk}/">{one.workspace}</a>' in page
    assert f"/freezes/{made[3].pk}/" not in page
    assert "and 1 more" in page
    assert NOTHING not in page


def test_in_one_client_only_its_own_freeze_counts(seats: list[Member], signed_in: SignIn) -> None:
    freeze(seats[1])
    client = signed_in(seats[0])
    assert NOTHING in client.get("/w/client-1/notices/").text
    other = client.get("/w/client-2/notices/").text
    assert "freeze-banner" not in other
    assert BUTTON in other


def test_the_freeze_of_the_installation_freezes_everybody(seats: list[Member], signed_in: SignIn) -> None:
    freeze(seats[1], why="Only here")
    seats[0].user.is_operator = True
    services.freeze(None, why="A restored copy", by=seats[0].user)
    page = signed_in(seats[0]).get(ALL).text
    assert NOTHING in page
    assert "A restored copy" in page
    assert "Only here" not in page


def test_reasons_that_differ_are_not_told_as_one(seats: list[Member]) -> None:
    freeze(*seats[:4], why="A recall")
    freeze(seats[4], why="A storm")
    told = navigation.freeze(Scope.of(seats[0].user, "all"))
    assert told is not None
    assert (told["on"], told["who"], told["why"]) == (True, "", "")
    assert told["since"] == Freeze.objects.get(why="A storm").at


def test_who_may_not_freeze_reads_of_it_and_gets_no_button(
    seats: list[Member], seat: Callable[..., Member], signed_in: SignIn
) -> None:
    guest = seat("Gaël", "guest")
    Member.objects.create(workspace=seats[1].workspace, user=guest.user, role="guest")
    client = signed_in(guest)
    assert "freeze-banner" not in client.get(ALL).text
    freeze(seats[1])
    page = client.get(ALL).text
    assert "Client 1 is frozen since" in page
    assert BUTTON not in page


def test_however_many_are_frozen_it_is_one_query(seats: list[Member], django_assert_num_queries: Any) -> None:
    scope = Scope.of(seats[0].user, "all")
    for many in (0, 1, 4):
        freeze(*seats[:many])
        with django_assert_num_queries(1):
            told = navigation.freeze(scope)
            assert told is not None
            assert [(str(one.workspace), str(one.by)) for one in told["some"]] == [
                (str(one.workspace), "Alice") for one in seats[: min(many, 3)]
            ]
