"""A vendor that gives an app more keys than two: they are entered and sealed with them, and shown to nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from regie.accounts.models import Account, NetworkApp
from regie.accounts.opening import app_keys
from regie.people.models import Member

from .walking import HERE, click_through, path_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox


@pytest.fixture
def operator(alice: Member, signed_in: Callable[[Member], Client]) -> Client:
    alice.user.is_operator = True
    alice.user.save()
    return signed_in(alice)


@pytest.fixture
def vendor(x: Sandbox, settings: Any) -> Sandbox:
    settings.NETWORKS = {**settings.NETWORKS, "x": x.base}
    return x


def entered(operator: Client, vendor: Sandbox, **more: str) -> None:
    ready = vendor.network.ready_account()
    keys = {"client_id": ready["client_id"], "client_secret": ready["client_secret"], "server": vendor.base}
    assert operator.post(f"{HERE}/networks/x/keys/", {**keys, "plan": "pay-per-use", **more}).status_code == 302


@pytest.mark.django_db
def test_more_keys_are_asked_for_where_the_vendor_has_them_and_kept_sealed(operator: Client, vendor: Sandbox) -> None:
    page = operator.get(f"{HERE}/networks/").text
    assert page.count('name="api_secret"') == 1
    assert 'type="password" name="api_secret"' in page
    entered(operator, vendor, api_key="a key", api_secret="a secret of the app", plan="enterprise")
    kept = app_keys("x", vendor.base)
    assert kept is not None
    assert dict(kept.extra) == {"api_key": "a key", "api_secret": "a secret of the app", "plan": "enterprise"}
    assert "a secret of the app" not in operator.get(f"{HERE}/networks/").text
    assert b"a secret of the app" not in bytes(NetworkApp.objects.get().sealed_keys)


@pytest.mark.django_db
def test_none_of_them_is_required_and_no_other_is_kept(operator: Client, vendor: Sandbox) -> None:
    entered(operator, vendor, api_key=" ", redirect_uri="https://evil.example")
    kept = app_keys("x", vendor.base)
    assert kept is not None
    assert dict(kept.extra) == {"plan": "pay-per-use"}


@pytest.mark.django_db
def test_an_account_is_connected_on_x_s_own_page(clock: Clock, operator: Client, vendor: Sandbox) -> None:
    entered(operator, vendor)
    answer = operator.post(f"{HERE}/connect/x/", {})
    assert answer.status_code == 302, answer.context["said"]
    page = operator.get(
        path_of(click_through(str(answer.headers["Location"]), {"decision": "allow", "username": "regie"})), follow=True
    )
    assert "regie is connected" in page.text
    account = Account.objects.get()
    assert (account.network, account.handle, account.limits["plan"]) == ("x", "@regie", "pay-per-use")
    assert account.expires_at is not None
