"""Pages and the member behind one sign-in at LinkedIn, with either kind of app, and the end of it after sixty days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.test import Client

from regie.accounts.models import Account
from regie.networks.linkedin.connector import LinkedIn
from regie.people.models import Member

from .walking import HERE, click_through, path_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

ALLOW = {"decision": "allow", "username": "regie"}


@pytest.fixture
def operator(
    alice: Member, signed_in: Callable[[Member], Client], linkedin: Sandbox, settings: Any, clock: Clock
) -> Client:
    """Alice runs the installation, and entered the keys of both apps."""
    alice.user.is_operator = True
    alice.user.save()
    settings.NETWORKS = {**settings.NETWORKS, "linkedin": linkedin.base}
    client, ready = signed_in(alice), linkedin.network.ready_account()
    for app in (ready, ready["profile"]):
        sent = {name: app[name] for name in ("client_id", "client_secret", "server")}
        assert client.post(f"{HERE}/networks/linkedin/keys/", sent).status_code == 302
    return client


def walk(client: Client, server: str) -> Any:
    answer = client.post(f"{HERE}/connect/linkedin/", {"server": server})
    assert answer.status_code == 302, answer.context["said"]
    return client.get(path_of(click_through(answer.headers["Location"], ALLOW)), follow=True)


def test_a_page_and_its_administrator_are_chosen_from_one_sign_in(operator: Client, linkedin: Sandbox) -> None:
    page = walk(operator, linkedin.base)
    where, ready = page.redirect_chain[-1][0], linkedin.network.ready_account()
    operator.post(where, {"profile": [ready["remote_id"], ready["member"]]}, follow=True)
    accounts = {account.remote_id: account for account in Account.objects.all()}
    assert set(accounts) == {ready["remote_id"], ready["member"]}
    assert accounts[ready["remote_id"]].limits["kind"] == "page"
    assert accounts[ready["member"]].limits["kind"] == "profile"


def test_the_end_of_a_sign_in_is_known_in_time(operator: Client, linkedin: Sandbox) -> None:
    walk(operator, f"{linkedin.base}/profile")
    account = Account.objects.get()
    assert account.refresh_at is None  # nothing renews it
    assert account.reconnect_by is not None
    assert timedelta(days=59) < account.reconnect_by - datetime.now(UTC) < timedelta(days=61)


def test_what_the_other_kind_of_app_cannot_do_is_said_at_once(operator: Client, linkedin: Sandbox) -> None:
    page = walk(operator, f"{linkedin.base}/profile").text
    assert "There is no first comment" in page
    assert "There are no numbers" in page


def test_both_ways_are_offered(operator: Client, linkedin: Sandbox) -> None:
    page = operator.get(f"{HERE}/connect/linkedin/").text
    assert f'value="{linkedin.base}"' in page
    assert f'value="{linkedin.base}/profile"' in page


def test_the_month_of_the_api_and_the_apps_number_are_settings(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("version", "application", "webhook"):
        monkeypatch.setattr(LinkedIn, name, getattr(LinkedIn, name))  # as it was, afterwards
    settings.NETWORK_ADDRESSES = {"linkedin": {"version": "202701", "application": "225561866"}}
    settings.PUBLIC_URL = "https://regie.example"
    apps.get_app_config("accounts").ready()
    assert (LinkedIn.version, LinkedIn.application) == ("202701", "225561866")
    assert LinkedIn.webhook == "https://regie.example/webhooks/linkedin/"
    settings.NETWORK_ADDRESSES = {}
    apps.get_app_config("accounts").ready()
    assert (LinkedIn.version, LinkedIn.application) == ("202701", "")
