"""Permissions that few need: the operator switches them on for an app, and only then a sign-in asks for them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from regie.accounts.models import Account, NetworkApp
from regie.accounts.opening import app_keys, capabilities_of, open_credentials
from regie.people.models import AuditEntry, Member
from regie_sandbox.instagram.state import Product

from .walking import HERE, click_through, path_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
SHOPPING = {"instagram_shopping_tag_products", "catalog_management"}


@pytest.fixture
def operator(alice: Member, signed_in: Callable[[Member], Client]) -> Client:
    alice.user.is_operator = True
    alice.user.save()
    return signed_in(alice)


@pytest.fixture
def app(instagram: Sandbox, settings: Any, operator: Client) -> NetworkApp:
    """Our app for Facebook's login to Instagram."""
    settings.NETWORKS = {**settings.NETWORKS, "instagram": instagram.base}
    ready = instagram.network.ready_account()
    keys = {"client_id": ready["client_id"], "client_secret": ready["client_secret"]}
    for server in (instagram.base, f"{instagram.base}/facebook"):
        operator.post(f"{HERE}/networks/instagram/keys/", {**keys, "server": server})
    return NetworkApp.objects.get(server=f"{instagram.base}/facebook")


def off_to(client: Client, app: NetworkApp) -> str:
    answer = client.post(f"{HERE}/connect/instagram/", {"server": app.server})
    return str(answer.headers["Location"])


def asked_for(address: str) -> set[str]:
    return set(parse_qs(urlsplit(address).query)["scope"][0].split(","))


def permit(client: Client, app: NetworkApp, **chosen: str) -> int:
    return int(client.post(f"{HERE}/networks/registrations/{app.pk}/permits/", chosen).status_code)


def test_nobody_is_asked_for_them_before_the_operator_says_so(operator: Client, app: NetworkApp, clock: Clock) -> None:
    assert not SHOPPING & asked_for(off_to(operator, app))
    page = operator.get(f"{HERE}/networks/").text
    assert page.count('name="products"') == 1  # of two logins, Facebook's alone has products
    assert "catalog_management" in page  # among what to ask Meta for
    assert permit(operator, app, products="on") == 302
    assert asked_for(off_to(operator, app)) >= SHOPPING
    assert re.search(r'<input[^>]*name="products"[^>]* checked', operator.get(f"{HERE}/networks/").text)
    assert AuditEntry.objects.get(did="network_app.permits").facts["permits"] == ["products"]


def test_what_is_switched_on_stays_with_the_app_when_its_keys_are_entered_again(
    operator: Client, app: NetworkApp
) -> None:
    permit(operator, app, products="on", redirect_uri="https://evil.example")
    again = {"client_id": "new", "client_secret": "newer", "server": app.server}
    operator.post(f"{HERE}/networks/instagram/keys/", again)
    kept = app_keys("instagram", app.server)
    assert kept is not None
    assert (kept.client_id, kept.client_secret, dict(kept.extra)) == ("new", "newer", {"products": "on"})
    permit(operator, app)
    off = app_keys("instagram", app.server)
    assert off is not None
    assert (off.client_secret, dict(off.extra)) == ("newer", {})


def test_only_the_operator_switches_them(app: NetworkApp, bob: Member, signed_in: Callable[[Member], Client]) -> None:
    assert permit(signed_in(bob), app, products="on") == 404
    kept = app_keys("instagram", app.server)
    assert kept is not None
    assert not kept.extra


def test_an_account_has_products_after_its_next_sign_in(
    clock: Clock, operator: Client, app: NetworkApp, instagram: Sandbox
) -> None:
    def connect() -> Account:
        sent = {"decision": "allow", "username": "regie"}
        operator.get(path_of(click_through(off_to(operator, app), sent)), follow=True)
        return Account.objects.get()

    def why(account: Account) -> str:
        return next(one.closed for one in capabilities_of(account).options if one.name == "products")

    instagram.itself.open_shop("regie", Product("385944897", "Linen shirt"))
    account = connect()
    assert "first switches products on" in why(account)
    assert "user_token" not in open_credentials(account)
    permit(operator, app, products="on")
    account = connect()
    assert why(account) == ""
    token = instagram.itself.state.tokens[open_credentials(account)["user_token"]]
    assert (token.way, set(token.scopes) >= SHOPPING) == ("facebook", True)
