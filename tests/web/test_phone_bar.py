"""The bar at the bottom of a phone: what people reach for there."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from regie.people.models import Member
from regie.people.permissions import Role


def places(page: str) -> list[str]:
    bar = page.split('<nav class="phone-bar"')[1].split("</nav>")[0]
    return re.findall(r'<a[^>]* href="([^"]*)"', bar)


@pytest.mark.parametrize(
    ("role", "wanted"),
    [
        (Role.OWNER, ["/", "/calendar/", "/posts/", "/inbox/"]),
        (Role.ANALYST, None),
    ],
)
def test_the_inbox_is_one_tap_away_for_those_who_read_it(
    role: Role, wanted: list[str] | None, alice: Member, client: Client
) -> None:
    Member.objects.filter(pk=alice.pk).update(role=role)
    client.force_login(alice.user)
    found = places(client.get("/", follow=True).content.decode())
    assert len(found) == 4
    if wanted is not None:
        assert [address.split(alice.workspace.slug)[-1] for address in found] == wanted
