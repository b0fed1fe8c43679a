"""A TikTok account from its page to the product and back, through both logins: connected, renewed, let go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from regie.accounts.models import Account
from regie.accounts.opening import capabilities_of, open_credentials
from regie.accounts.services import check_health, refresh_token
from regie.community import reading
from regie.community.models import Message
from regie.networks.capabilities import MessageKind
from regie.people.models import Member

from .walking import HERE, click_through, path_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator(
    alice: Member, signed_in: Callable[[Member], Client], tiktok: Sandbox, settings: Any, clock: Clock
) -> Client:
    """Alice runs the installation, and entered the keys of her apps in both of TikTok's portals."""
    alice.user.is_operator = True
    alice.user.save()
    settings.NETWORKS = {**settings.NETWORKS, "tiktok": tiktok.base}
    client, ready = signed_in(alice), tiktok.network.ready_account()
    for server in (tiktok.base, f"{tiktok.base}/business"):
        sent = {"client_id": ready["client_id"], "client_secret": ready["client_secret"], "server": server}
        assert client.post(f"{HERE}/networks/tiktok/keys/", sent).status_code == 302
    return client


def walk(client: Client, server: str, **typed: str) -> Any:
    answer = client.post(f"{HERE}/connect/tiktok/", {"server": server})
    assert answer.status_code == 302, answer.context["said"]
    allow = {"decision": "allow", "username": "regie", **typed}
    return client.get(path_of(click_through(answer.headers["Location"], allow)), follow=True)


@pytest.mark.parametrize(("way", "login"), [("", "tiktok"), ("/business", "business")])
def test_an_account_is_connected_and_its_token_renewed(operator: Client, tiktok: Sandbox, way: str, login: str) -> None:
    assert "regie is connected" in walk(operator, f"{tiktok.base}{way}").text
    account = Account.objects.get()
    assert (account.server, account.handle, account.limits["login"]) == (f"{tiktok.base}{way}", "@regie", login)
    assert account.reconnect_by is not None
    assert account.refresh_at is not None
    before = open_credentials(account)
    tiktok.itself.expire_tokens()
    assert asyncio.run(refresh_token(account.pk))
    account.refresh_from_db()
    after = open_credentials(account)
    assert before["access_token"] != after["access_token"]
    assert before["refresh_token"] != after["refresh_token"]
    asyncio.run(check_health(account))
    account.refresh_from_db()
    assert (account.state, account.problem) == ("connected", "")


@pytest.mark.parametrize("way", ["", "/business"])
def test_only_what_the_network_calls_dead_disconnects(operator: Client, tiktok: Sandbox, way: str) -> None:
    walk(operator, f"{tiktok.base}{way}")
    account = Account.objects.get()
    tiktok.itself.faults.will_answer(503, path="oauth")
    assert not asyncio.run(refresh_token(account.pk))
    account.refresh_from_db()
    assert account.state == "connected"
    tiktok.itself.withdraw(account.remote_id, tiktok.itself.make_app())
    Account.objects.update(refreshing_until=None)
    assert not asyncio.run(refresh_token(account.pk))
    account.refresh_from_db()
    assert account.state == "broken"


def test_what_was_left_out_is_said_and_who_says_no_is_told_so(operator: Client, tiktok: Sandbox) -> None:
    assert "Nothing can be published" in walk(operator, tiktok.base, declined="video.publish").text
    assert (
        "Comments cannot be answered"
        in walk(operator, f"{tiktok.base}/business", declined="comment.list.manage", username="shop").text
    )
    assert "did not allow" in walk(operator, tiktok.base, decision="deny").text


@pytest.mark.parametrize(("way", "told"), [("", 0), ("/business", 1)])
def test_comments_of_a_business_account_are_in_the_inbox(
    operator: Client, tiktok: Sandbox, way: str, told: int
) -> None:
    post = tiktok.itself.post_by(tiktok.itself.user("regie"), "Open today")
    tiktok.itself.say(by="Ana Ruiz", text="Until when?", to=post.id)
    walk(operator, f"{tiktok.base}{way}")
    account = Account.objects.get()
    assert (MessageKind.COMMENT in capabilities_of(account).reads) is bool(told)
    for inbox in reading.due_inboxes():
        asyncio.run(reading.read(inbox))
    assert list(Message.objects.values_list("text", "author_handle")) == [("Until when?", "@ana_ruiz")] * told
