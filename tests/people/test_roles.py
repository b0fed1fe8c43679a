"""Seats: who may give and take them, and what never happens to a workspace."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from regie.people.errors import LastOwner, NotAllowed
from regie.people.models import AuditEntry, Member
from regie.people.permissions import MAY, Role
from regie.people.services import change_role, change_workspace, create_workspace, invite, remove_member

Seat = Callable[..., Member]


def test_every_verb_is_given_to_the_owner_and_every_role_may_at_least_look() -> None:
    assert all(Role.OWNER in roles for roles in MAY.values())
    assert MAY["view"] == set(Role)


def test_the_last_owner_stays(alice: Member) -> None:
    with pytest.raises(LastOwner, match="at least one owner"):
        change_role(member=alice, role=Role.EDITOR, by=alice)
    with pytest.raises(LastOwner):
        remove_member(member=alice, by=alice)
    alice.refresh_from_db()
    assert alice.role == "owner"


def test_one_of_two_owners_may_go(alice: Member, seat: Seat) -> None:
    other = seat("Dora", "owner")
    remove_member(member=alice, by=alice)
    with pytest.raises(LastOwner):
        remove_member(member=other, by=other)


@pytest.mark.parametrize("role", [Role.MANAGER, Role.OWNER])
def test_a_manager_makes_nobody_their_equal(bob: Member, seat: Seat, role: Role) -> None:
    manager = seat("Mona", "manager")
    with pytest.raises(NotAllowed):
        change_role(member=bob, role=role, by=manager)
    with pytest.raises(NotAllowed):
        invite(email="dora@example.org", role=role, by=manager)
    bob.refresh_from_db()
    assert bob.role == "editor"


def test_a_manager_touches_no_manager_and_no_owner(alice: Member, seat: Seat) -> None:
    manager, other = seat("Mona", "manager"), seat("Omar", "manager")
    for member in (alice, other):
        with pytest.raises(NotAllowed):
            change_role(member=member, role=Role.GUEST, by=manager)
        with pytest.raises(NotAllowed):
            remove_member(member=member, by=manager)


def test_a_manager_changes_those_below(bob: Member, seat: Seat) -> None:
    change_role(member=bob, role=Role.ANALYST, by=seat("Mona", "manager"))
    bob.refresh_from_db()
    assert bob.role == "analyst"
    entry = AuditEntry.objects.get(did="member.role_changed")
    assert (entry.who, entry.label, entry.facts) == ("Mona", "Bob", {"before": "editor", "after": "analyst"})


def test_anybody_may_leave(alice: Member, bob: Member) -> None:
    remove_member(member=bob, by=bob)
    assert not Member.objects.filter(pk=bob.pk).exists()


def test_an_owner_elsewhere_has_no_say_here(bob: Member, charlie: Member) -> None:
    with pytest.raises(NotAllowed):
        change_role(member=bob, role=Role.GUEST, by=charlie)
    with pytest.raises(NotAllowed):
        remove_member(member=bob, by=charlie)
    with pytest.raises(NotAllowed):
        change_workspace(workspace=bob.workspace, name="Mine", zone="UTC", language="en", by=charlie)


def test_two_clients_of_one_name_have_two_addresses(alice: Member) -> None:
    slugs = [
        create_workspace(name=name, zone="UTC", language="en", by=alice.user).workspace.slug
        for name in ("Vélo", "Vélo", "All", "日本", "日本")
    ]
    assert slugs == ["velo", "velo-2", "all-2", "client", "client-2"]


def test_the_list_offers_a_manager_only_what_they_may_give(
    alice: Member, bob: Member, seat: Seat, signed_in: Callable[[Member], Client]
) -> None:
    page = signed_in(seat("Mona", "manager")).get("/w/atelier-nord/settings/")
    offered = {str(one["seat"].user): [value for value, _ in one["roles"]] for one in page.context["seats"]}
    assert offered == {"Alice": [], "Bob": ["editor", "community", "analyst", "guest"], "Mona": []}
    assert "owner" not in [value for value, _ in page.context["invite_form"].fields["role"].choices]


def test_forty_people_are_paged_and_found(alice: Member, seat: Seat, signed_in: Callable[[Member], Client]) -> None:
    for number in range(60):
        seat(f"Person{number}", "editor")
    client = signed_in(alice)
    page = client.get("/w/atelier-nord/settings/")
    assert len(page.context["seats"]) == 50
    found = client.get("/w/atelier-nord/settings/?q=person59")
    assert [str(one["seat"].user) for one in found.context["seats"]] == ["Person59"]
