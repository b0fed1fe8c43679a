"""From the vendor's page to the product and back, on Reddit and Threads: connected, short of a permission, renewed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from regie.accounts.budgets import standing
from regie.accounts.models import Account
from regie.accounts.opening import open_credentials
from regie.accounts.services import refresh_token
from regie.people.models import Member

from .walking import HERE, click_through, path_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
Walk = Callable[..., Any]


@pytest.fixture
def walk(alice: Member, signed_in: Callable[[Member], Client], settings: Any, clock: Clock) -> Walk:
    """Alice runs the installation: she enters her app's keys, and allows it on the vendor's page."""
    alice.user.is_operator = True
    alice.user.save()
    client = signed_in(alice)

    def through(sandbox: Sandbox, **typed: str) -> str:
        slug = sandbox.network.slug
        settings.NETWORKS = {**settings.NETWORKS, slug: sandbox.base}
        ready = sandbox.network.ready_account()
        sent = {"client_id": ready["client_id"], "client_secret": ready["client_secret"], "server": sandbox.base}
        assert client.post(f"{HERE}/networks/{slug}/keys/", sent).status_code == 302
        answer = client.post(f"{HERE}/connect/{slug}/")
        assert answer.status_code == 302, answer.context["said"]
        allow = {"decision": "allow", "username": "regie", **typed}
        page = client.get(path_of(click_through(answer.headers["Location"], allow)), follow=True)
        return str(page.text)

    return through


def test_reddit_is_connected_renewed_and_taken_back(walk: Walk, reddit: Sandbox) -> None:
    assert "regie is connected" in walk(reddit)
    account = Account.objects.get()
    assert (account.network, account.handle) == ("reddit", "u/regie")
    assert account.limits["moderates"] == ["regie_hq", "u_regie"]
    before = open_credentials(account)
    reddit.itself.expire_tokens()
    assert asyncio.run(refresh_token(account.pk))
    account.refresh_from_db()
    after = open_credentials(account)
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] == before["refresh_token"]
    reddit.itself.state.lasting.clear()  # the person took the permission back at Reddit
    assert not asyncio.run(refresh_token(account.pk))
    account.refresh_from_db()
    assert account.state == Account.State.BROKEN


def test_what_was_left_out_on_reddits_page_is_said(walk: Walk, reddit: Sandbox) -> None:
    page = walk(reddit, declined="edit vote")
    assert "Posts can be neither changed nor deleted" in page
    assert "Comments cannot be liked" in page


def test_threads_is_connected_and_its_token_renewed(walk: Walk, threads: Sandbox, clock: Clock) -> None:
    threads.itself.user("regie").posted_at = [clock.moment] * 10
    assert "regie is connected" in walk(threads)
    account = Account.objects.get()
    assert (account.network, account.handle, account.limits["posts_a_day"]) == ("threads", "@regie", 250)
    assert standing(account)[0].calls == 240  # ten were posted elsewhere today
    assert account.expires_at is not None
    assert account.refresh_at is not None
    before = open_credentials(account)
    clock.advance(days=2)
    assert asyncio.run(refresh_token(account.pk))
    account.refresh_from_db()
    assert open_credentials(account) != before


def test_what_was_left_unticked_for_threads_is_said(walk: Walk, threads: Sandbox) -> None:
    page = walk(threads, declined="threads_manage_insights,threads_read_replies")
    assert "There are no numbers" in page
    assert "Replies cannot be read" in page
