"""Networks whose vendor wants an app of the operator's own: its keys, its logins, and a choice among what they open."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from regie.accounts.models import Account, NetworkApp, SignInUnderWay
from regie.accounts.opening import app_keys, open_credentials
from regie.people.models import AuditEntry, Member

from .walking import HERE, click_through, path_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

ALLOW = {"decision": "allow", "username": "regie"}
SCOPES = "instagram_business_basic,instagram_business_manage_comments"


@pytest.fixture
def operator(alice: Member, signed_in: Callable[[Member], Client]) -> Client:
    alice.user.is_operator = True
    alice.user.save()
    return signed_in(alice)


@pytest.fixture
def meta(instagram: Sandbox, settings: Any) -> Sandbox:
    """The sandbox stands in for all of Meta's hosts, as the operator's settings would say."""
    settings.NETWORKS = {**settings.NETWORKS, "instagram": instagram.base}
    return instagram


@pytest.fixture
def keys(operator: Client, meta: Sandbox) -> dict[str, str]:
    """Our app's, entered for both logins."""
    ready = meta.network.ready_account()
    keys = {"client_id": ready["client_id"], "client_secret": ready["client_secret"]}
    for server in (meta.base, f"{meta.base}/facebook"):
        answer = operator.post(f"{HERE}/networks/instagram/keys/", {**keys, "server": server})
        assert answer.status_code == 302
    return keys


def off_to(client: Client, server: str, query: str = "") -> str:
    answer = client.post(f"{HERE}/connect/instagram/{query}", {"server": server})
    assert answer.status_code == 302, answer.context["said"]
    return str(answer.headers["Location"])


def walk(client: Client, server: str, query: str = "", **typed: str) -> Any:
    return client.get(path_of(click_through(off_to(client, server, query), {**ALLOW, **typed})), follow=True)


def test_the_keys_are_entered_by_the_operator_sealed_and_shown_to_nobody(
    operator: Client, meta: Sandbox, keys: dict[str, str]
) -> None:
    kept = app_keys("instagram", meta.base)
    assert kept is not None
    assert (kept.client_id, kept.client_secret) == (keys["client_id"], keys["client_secret"])
    page = operator.get(f"{HERE}/networks/").text
    assert keys["client_id"][:44] in page
    assert keys["client_secret"] not in page
    assert keys["client_secret"].encode() not in bytes(NetworkApp.objects.first().sealed_keys)  # type: ignore[union-attr]
    assert AuditEntry.objects.filter(did="network_app.entered").count() == 2


def test_after_entering_keys_one_is_back_at_that_network_and_their_login_is_chosen(
    operator: Client, meta: Sandbox
) -> None:
    through_facebook = f"{meta.base}/facebook"
    sent = {"client_id": "1", "client_secret": "2", "server": through_facebook}
    answer = operator.post(f"{HERE}/networks/instagram/keys/", sent)
    assert answer.headers["Location"].endswith("/accounts/networks/#network-instagram")
    assert operator.get(f"{HERE}/connect/instagram/").context["form"].initial["server"] == through_facebook


def test_who_is_no_operator_enters_no_keys(
    owner: Client, operator: Client, meta: Sandbox, bob: Member, signed_in: Callable[[Member], Client]
) -> None:
    sent = {"client_id": "1", "client_secret": "2", "server": meta.base}
    assert signed_in(bob).post(f"{HERE}/networks/instagram/keys/", sent).status_code == 404
    assert (
        operator.post(f"{HERE}/networks/instagram/keys/", {**sent, "server": "https://evil.example"}).status_code == 404
    )
    assert operator.post(f"{HERE}/networks/mastodon/keys/", sent).status_code == 404
    assert operator.post(f"{HERE}/networks/instagram/keys/", {**sent, "client_secret": ""}).status_code == 302
    assert not NetworkApp.objects.exists()


def test_without_keys_the_way_to_them_is_said(operator: Client, meta: Sandbox) -> None:
    answer = operator.post(f"{HERE}/connect/instagram/", {"server": meta.base})
    assert answer.status_code == 422
    assert "needs an app of your own at Meta first" in answer.text


def test_both_logins_are_offered_and_no_other_address(operator: Client, meta: Sandbox, keys: dict[str, str]) -> None:
    page = operator.get(f"{HERE}/connect/instagram/").text
    assert f'value="{meta.base}"' in page
    assert f'value="{meta.base}/facebook"' in page
    answer = operator.post(f"{HERE}/connect/instagram/", {"server": "https://evil.example"})
    assert answer.status_code == 422


@pytest.mark.django_db
def test_an_account_is_connected_on_instagrams_own_page(
    clock: Clock, operator: Client, meta: Sandbox, keys: dict[str, str]
) -> None:
    page = walk(operator, meta.base)
    account = Account.objects.get()
    assert "regie is connected" in page.text
    assert (account.network, account.server, account.handle) == ("instagram", meta.base, "@regie")
    assert account.remote_id == meta.network.ready_account()["remote_id"]
    token = meta.itself.state.tokens[open_credentials(account)["access_token"]]
    assert (token.way, token.long) == ("instagram", True)
    assert account.expires_at is not None
    assert account.refresh_at is not None
    assert account.limits["login"] == "instagram"
    assert account.limits["missing"] == []


def test_what_a_missing_permission_forbids_is_said_before_it_is_tried(
    clock: Clock, operator: Client, meta: Sandbox, keys: dict[str, str]
) -> None:
    declined = "instagram_business_content_publish,instagram_business_manage_messages"
    page = walk(operator, meta.base, declined=declined)
    assert "Nothing can be published" in page.text
    assert "Direct messages can be neither read nor answered" in page.text
    assert "Comments can be neither" not in page.text


def test_a_person_who_says_no_is_told_so(clock: Clock, operator: Client, meta: Sandbox, keys: dict[str, str]) -> None:
    answer = walk(operator, meta.base, decision="deny")
    assert "did not allow" in answer.text
    assert not Account.objects.exists()


def test_through_facebook_the_one_linked_account_is_connected_with_its_pages_token(
    clock: Clock, operator: Client, meta: Sandbox, keys: dict[str, str]
) -> None:
    walk(operator, f"{meta.base}/facebook")
    account = Account.objects.get()
    assert (account.server, account.limits["login"]) == (f"{meta.base}/facebook", "facebook")
    token = meta.itself.state.tokens[open_credentials(account)["access_token"]]
    assert (token.way, token.until, account.expires_at) == ("page", None, None)


@pytest.fixture
def three(meta: Sandbox) -> list[str]:
    """The person behind "regie" manages two more Pages with accounts."""
    net = meta.itself
    others = [net.account(name) for name in ("shop", "press")]
    person = net._person_of(net.account("regie"))
    person.pages += [one.page for one in others]
    return [net.account(name).id for name in ("regie", "shop", "press")]


def test_among_several_a_person_chooses(
    clock: Clock, operator: Client, meta: Sandbox, keys: dict[str, str], three: list[str]
) -> None:
    page = walk(operator, f"{meta.base}/facebook")
    where = page.redirect_chain[-1][0]
    assert [profile.handle for profile in page.context["profiles"]] == ["@regie", "@shop", "@press"]
    assert not Account.objects.exists()
    assert operator.post(where, {}).status_code == 422  # none is no choice

    done = operator.post(where, {"profile": [three[1], three[2], "an invented one"]}, follow=True)
    assert "shop, press" in done.text
    connected = {account.name: account for account in Account.objects.all()}
    assert set(connected) == {"shop", "press"}
    tokens = {name: open_credentials(account)["access_token"] for name, account in connected.items()}
    assert len(set(tokens.values())) == 2
    assert operator.get(where).status_code == 422  # it serves once


def test_a_choice_is_only_for_who_signed_in_and_holds_no_token_in_the_open(
    clock: Clock,
    operator: Client,
    meta: Sandbox,
    keys: dict[str, str],
    three: list[str],
    bob: Member,
    signed_in: Callable[[Member], Client],
) -> None:
    page = walk(operator, f"{meta.base}/facebook")
    where = page.redirect_chain[-1][0]
    assert signed_in(bob).get(where).status_code == 422
    assert signed_in(bob).post(where, {"profile": three}).status_code == 422
    assert not Account.objects.exists()
    row = SignInUnderWay.objects.get()
    tokens = [value for value in meta.itself.state.tokens if value.startswith("EAA")]
    assert not any(token in page.text or token.encode() in bytes(row.sealed_secrets) for token in tokens)
    clock.advance(minutes=21)
    assert operator.post(where, {"profile": three}).status_code == 422


def test_reconnecting_asks_for_no_choice(
    clock: Clock, operator: Client, meta: Sandbox, keys: dict[str, str], three: list[str]
) -> None:
    page = walk(operator, f"{meta.base}/facebook")
    operator.post(page.redirect_chain[-1][0], {"profile": [three[1]]})
    account = Account.objects.get()
    Account.objects.filter(pk=account.pk).update(state=Account.State.BROKEN)
    walk(operator, f"{meta.base}/facebook", f"?account={account.pk}")
    account.refresh_from_db()
    assert (account.state, Account.objects.count()) == ("connected", 1)


def test_a_code_serves_once(clock: Clock, operator: Client, meta: Sandbox, keys: dict[str, str]) -> None:
    back = path_of(click_through(off_to(operator, meta.base), ALLOW))
    meta.itself.state.codes.clear()  # as after a first use
    answer = operator.get(back)
    assert answer.status_code == 422
    assert "start again" in answer.text


def test_no_token_is_in_what_is_kept_of_answers(
    clock: Clock, operator: Client, meta: Sandbox, keys: dict[str, str]
) -> None:
    walk(operator, meta.base)
    account = Account.objects.get()
    token = open_credentials(account)["access_token"]
    shown = operator.get(f"{HERE}/{account.pk}/").text + json.dumps(account.limits)
    assert token not in shown
