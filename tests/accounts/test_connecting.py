"""Connecting accounts of three networks, on their own pages and with what a person types."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from regie.accounts.models import Account, NetworkApp, SignInUnderWay
from regie.accounts.opening import open_credentials
from regie.people.models import AuditEntry, Member

from .walking import HERE, click_through, path_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

ALLOW = {"decision": "authorize", "username": "regie"}


def off_to(client: Client, sandbox: Sandbox, query: str = "") -> str:
    """The address of Mastodon's page that the browser is sent to."""
    answer = client.post(f"{HERE}/connect/mastodon/{query}", {"server": sandbox.base})
    assert answer.status_code == 302, answer.context["said"]
    return str(answer.headers["Location"])


def connect_mastodon(client: Client, sandbox: Sandbox, username: str = "regie", query: str = "") -> Any:
    back = click_through(off_to(client, sandbox, query), {**ALLOW, "username": username})
    return client.get(path_of(back), follow=True)


def test_a_mastodon_account_is_connected_on_its_servers_page(owner: Client, mastodon: Sandbox) -> None:
    page = connect_mastodon(owner, mastodon)
    account = Account.objects.get()
    assert page.redirect_chain[-1][0] == f"{HERE}/{account.pk}/"
    assert "regie is connected" in page.text
    assert (account.network, account.server, account.state) == ("mastodon", mastodon.base, "connected")
    assert account.limits
    assert account.avatar_source.startswith(mastodon.base)
    assert AuditEntry.objects.get(did="account.connected").who == "Alice"
    assert NetworkApp.objects.get().server == mastodon.base


def test_the_second_account_on_a_server_uses_the_same_registration(owner: Client, mastodon: Sandbox) -> None:
    connect_mastodon(owner, mastodon)
    connect_mastodon(owner, mastodon, "shop")
    assert NetworkApp.objects.count() == 1
    assert {account.name for account in Account.objects.all()} == {"regie", "shop"}


def test_a_registration_made_for_another_address_of_ours_is_made_again(
    owner: Client, mastodon: Sandbox, settings: Any
) -> None:
    connect_mastodon(owner, mastodon)
    before = NetworkApp.objects.get().client_id
    settings.PUBLIC_URL = "https://regie.example"
    assert "regie.example" in off_to(owner, mastodon)
    assert NetworkApp.objects.get().client_id != before


def test_a_person_who_says_no_on_the_page_is_told_so(owner: Client, mastodon: Sandbox) -> None:
    back = click_through(off_to(owner, mastodon), {**ALLOW, "decision": "deny"})
    answer = owner.get(path_of(back))
    assert answer.status_code == 422
    assert "did not allow" in answer.text
    assert 'href="/w/atelier-nord/accounts/connect/mastodon/"' in answer.text  # the client need not be chosen again
    assert not Account.objects.exists()


def test_a_sign_in_serves_once(owner: Client, mastodon: Sandbox) -> None:
    back = path_of(click_through(off_to(owner, mastodon), ALLOW))
    assert owner.get(back).status_code == 302
    again = owner.get(back)
    assert again.status_code == 422
    assert "Start again" in again.text
    assert Account.objects.count() == 1


def test_a_sign_in_belongs_to_who_began_it(
    owner: Client, mastodon: Sandbox, bob: Member, seat: Callable[..., Member], signed_in: Callable[[Member], Client]
) -> None:
    """Otherwise somebody could be led to connect an attacker's account to their own workspace, or the reverse."""
    back = path_of(click_through(off_to(owner, mastodon), ALLOW))
    assert signed_in(seat("Mona", "manager")).get(back).status_code == 422
    assert Client().get(back).headers["Location"].startswith("/account/login/")
    assert not Account.objects.exists()
    assert owner.get(back).status_code == 302


def test_a_sign_in_runs_out(clock: Clock, owner: Client, mastodon: Sandbox) -> None:
    off_to(owner, mastodon)
    back = path_of(click_through(off_to(owner, mastodon), ALLOW))
    clock.advance(minutes=20, seconds=1)
    assert owner.get(back).status_code == 422
    off_to(owner, mastodon)
    assert SignInUnderWay.objects.count() == 1  # the old ones were swept


def test_an_invented_state_opens_nothing(owner: Client, mastodon: Sandbox) -> None:
    assert owner.get("/accounts/callback/mastodon/?code=x&state=y").status_code == 422
    assert owner.get("/accounts/callback/mastodon/").status_code == 422


def test_somebody_who_lost_the_seat_meanwhile_connects_nothing(
    owner: Client, mastodon: Sandbox, alice: Member, seat: Callable[..., Member]
) -> None:
    back = path_of(click_through(off_to(owner, mastodon), ALLOW))
    seat("Dora", "owner")
    alice.delete()
    answer = owner.get(back)
    assert answer.status_code == 422
    assert "no longer have a seat" in answer.text
    assert not Account.objects.exists()


def test_reconnecting_as_another_account_is_refused(owner: Client, mastodon: Sandbox) -> None:
    connect_mastodon(owner, mastodon)
    account = Account.objects.get()
    before = bytes(account.sealed_credentials)
    page = connect_mastodon(owner, mastodon, "shop", f"?account={account.pk}")
    assert page.status_code == 422
    assert "You signed in as @shop" in page.text
    account.refresh_from_db()
    assert bytes(account.sealed_credentials) == before
    assert Account.objects.count() == 1


def test_reconnecting_brings_a_broken_account_back(owner: Client, mastodon: Sandbox) -> None:
    connect_mastodon(owner, mastodon)
    Account.objects.update(state="broken", problem="Dead.")
    account = Account.objects.get()
    connect_mastodon(owner, mastodon, query=f"?account={account.pk}")
    account.refresh_from_db()
    assert (account.state, account.problem) == ("connected", "")
    assert AuditEntry.objects.filter(did="account.reconnected").count() == 1


def test_a_bluesky_account_is_connected_with_an_app_password(owner: Client, bluesky: Sandbox) -> None:
    ready = bluesky.network.ready_account()
    typed = {"handle": ready["handle"], "password": ready["password"], "server": bluesky.base}
    page = owner.post(f"{HERE}/connect/bluesky/?way=app_password", typed, follow=True)
    account = Account.objects.get()
    assert "is connected" in page.text
    assert (account.network, account.handle.lstrip("@")) == ("bluesky", ready["handle"])
    assert account.refresh_at is not None
    assert account.expires_at is not None
    assert ready["password"] not in str(open_credentials(account))


def test_a_wrong_password_is_answered_on_the_form_and_not_shown_again(owner: Client, bluesky: Sandbox) -> None:
    typed = {"handle": "regie.test", "password": "guess-me-not", "server": bluesky.base}
    answer = owner.post(f"{HERE}/connect/bluesky/?way=app_password", typed)
    assert answer.status_code == 422
    assert "App passwords are made in Settings" in answer.text
    assert "guess-me-not" not in answer.text
    assert 'value="regie.test"' in answer.text


def test_a_bluesky_account_is_connected_on_blueskys_page(owner: Client, our_bluesky: Sandbox, settings: Any) -> None:
    settings.PUBLIC_URL = "http://localhost:8123"
    ready = our_bluesky.network.ready_account()
    answer = owner.post(f"{HERE}/connect/bluesky/?way=oauth", {"hint": ready["handle"]})
    assert answer.status_code == 302, answer.context["said"]
    back = click_through(
        answer.headers["Location"],
        {"username": ready["handle"], "password": ready["password"]},
        {"answer": "accept"},
    )
    assert back.startswith("http://127.0.0.1:8123/accounts/callback/bluesky/")
    assert owner.get(path_of(back)).status_code == 302
    assert Account.objects.get().remote_id == ready["remote_id"]


def test_a_telegram_channel_is_connected_with_a_bot(owner: Client, telegram: Sandbox, settings: Any) -> None:
    settings.NETWORKS = {"telegram": telegram.base}
    ready = telegram.network.ready_account()
    typed = {"token": ready["credentials"]["token"], "chat": ready["handle"]}
    page = owner.post(f"{HERE}/connect/telegram/", typed, follow=True)
    assert "is connected" in page.text
    account = Account.objects.get()
    assert (account.kind, account.remote_id) == ("channel", ready["remote_id"])


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"token": "123:wrong", "chat": "@regie"}, "token"),
        ({"chat": "@nobody_there"}, "finds no channel or group"),
        ({"chat": "https://t.me/+AbCdEf"}, "invitation link"),
    ],
)
def test_what_is_wrong_with_a_bot_or_chat_is_said(
    owner: Client, telegram: Sandbox, settings: Any, typed: dict[str, str], said: str
) -> None:
    settings.NETWORKS = {"telegram": telegram.base}
    token = telegram.network.ready_account()["credentials"]["token"]
    answer = owner.post(f"{HERE}/connect/telegram/", {"token": token, **typed})
    assert answer.status_code == 422
    assert said in answer.text
    assert token not in answer.text


def test_what_a_bot_may_not_do_is_shown_on_its_account(
    owner: Client, telegram: Sandbox, settings: Any, make_account: Callable[..., Account]
) -> None:
    missing = "The channel has no discussion group, so nobody can comment: link one in its settings."
    account = make_account("telegram", limits={"missing": [missing]})
    page = owner.get(f"{HERE}/{account.pk}/")
    assert "Does not work yet" in page.text
    assert missing in page.text


def test_a_group_that_moved_is_reconnected_under_its_new_number(
    owner: Client, telegram: Sandbox, settings: Any, alice: Member, make_account: Callable[..., Account]
) -> None:
    settings.NETWORKS = {"telegram": telegram.base}
    ready = telegram.network.ready_account()
    account = make_account(
        "telegram",
        server=telegram.base,
        remote_id="-42",
        state="broken",
        problem="Moved.",
        problem_facts={"new_chat_id": ready["remote_id"]},
    )
    page = owner.get(f"{HERE}/{account.pk}/")
    assert "became a supergroup" in page.text
    form = owner.get(page.context["reconnect_url"])
    assert f'value="{ready["remote_id"]}"' in form.text
    typed = {"token": ready["credentials"]["token"], "chat": ready["remote_id"]}
    owner.post(page.context["reconnect_url"], typed)
    account.refresh_from_db()
    assert (account.remote_id, account.state, account.problem_facts) == (ready["remote_id"], "connected", {})


@pytest.mark.parametrize("number", ["x", "99999999", "-1", "1 OR 1=1"])
def test_an_invented_account_to_reconnect_is_not_found(owner: Client, number: str) -> None:
    assert owner.get(f"{HERE}/connect/mastodon/", {"account": number}).status_code == 404


def test_with_all_clients_in_view_one_is_chosen_first(
    owner: Client, alice: Member, charlie: Member, mastodon: Sandbox
) -> None:
    assert owner.get("/w/all/accounts/connect/mastodon/").headers["Location"] == "/w/all/accounts/connect/"
    assert "/w/atelier-nord/accounts/connect/" in owner.get("/w/all/accounts/connect/").text


def test_an_account_met_among_all_clients_is_reconnected_in_its_own(
    owner: Client, make_account: Callable[..., Account]
) -> None:
    account = make_account()
    page = owner.get(f"/w/all/accounts/{account.pk}/")
    assert page.context["reconnect_url"] == f"{HERE}/connect/mastodon/?account={account.pk}"


def test_half_a_sign_in_keeps_its_secrets_sealed(owner: Client, mastodon: Sandbox, clock: Clock) -> None:
    url = off_to(owner, mastodon)
    row = SignInUnderWay.objects.get()
    state = url.partition("state=")[2].partition("&")[0]
    assert state
    assert state not in str(SignInUnderWay.objects.values().get())
    assert b"verifier" not in bytes(row.sealed_secrets)
    assert row.expires_at - clock.moment == timedelta(minutes=20)
