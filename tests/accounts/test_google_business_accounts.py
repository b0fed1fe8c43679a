"""Places of one person from Google's page to the product and back: chosen among, renewed, let go one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from regie.accounts.models import Account
from regie.accounts.services import check_health, refresh_token
from regie.people.models import Member

from .walking import HERE, click_through, path_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator(
    alice: Member, signed_in: Callable[[Member], Client], google_business: Sandbox, settings: Any, clock: Clock
) -> Client:
    """Alice runs the installation, and entered the keys of her project at Google. She has two shops."""
    alice.user.is_operator = True
    alice.user.save()
    settings.NETWORKS = {**settings.NETWORKS, "google_business": google_business.base}
    client, ready = signed_in(alice), google_business.network.ready_account()
    google_business.itself.open_place(google_business.itself.person("regie"), "Lumen Roubaix")
    sent = {"client_id": ready["client_id"], "client_secret": ready["client_secret"], "server": google_business.base}
    assert client.post(f"{HERE}/networks/google_business/keys/", sent).status_code == 302
    return client


def test_places_are_chosen_among_and_let_go_one_by_one(operator: Client, google_business: Sandbox) -> None:
    answer = operator.post(f"{HERE}/connect/google_business/")
    back = click_through(answer.headers["Location"], {"decision": "allow", "username": "regie"})
    page = operator.get(path_of(back), follow=True)
    offered = [profile.name for profile in page.context["profiles"]]
    assert offered == ["regie", "Lumen Roubaix"]
    where = page.redirect_chain[-1][0]
    operator.post(where, {"profile": [profile.remote_id for profile in page.context["profiles"]]}, follow=True)
    first, second = Account.objects.order_by("pk")
    assert {first.remote_id, second.remote_id} == {profile.remote_id for profile in page.context["profiles"]}
    assert asyncio.run(refresh_token(first.pk))

    operator.post(f"{HERE}/{first.pk}/remove/")
    assert asyncio.run(refresh_token(second.pk))  # Google would have taken the consent from both
    second.refresh_from_db()
    asyncio.run(check_health(second))
    assert (second.state, second.problem) == (Account.State.CONNECTED, "")

    operator.post(f"{HERE}/{second.pk}/remove/")
    assert not any(token.refresh for token in google_business.itself.state.tokens.values())
