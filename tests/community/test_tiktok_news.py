"""What TikTok brings for all accounts of our app, through the product's own page."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from regie.accounts.opening import seal_app_keys
from regie.accounts.tasks import check_accounts
from regie.community import services, webhooks
from regie.community.models import Intake, Message
from regie.networks.data import AppKeys

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from regie.accounts.models import Account
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
HERE = "/webhooks/tiktok/"


@pytest.fixture
def account(clock: Clock, tiktok: Sandbox, connect: Callable[..., Account]) -> Account:
    ready = tiktok.network.ready_account()
    keys = AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"])
    seal_app_keys("tiktok", tiktok.base, keys)
    return connect(tiktok)


def bring(client: Client, tiktok: Sandbox, account: Account, event: str, content: dict[str, Any], **sign: Any) -> int:
    """As TikTok brings it: signed a moment ago."""
    body = {"client_key": "k", "event": event, "create_time": 1, "user_openid": account.remote_id}
    raw = json.dumps({**body, "content": json.dumps(content)}).encode()
    app = tiktok.itself.make_app()
    header = tiktok.itself.signed(app, raw, at=sign.get("at", datetime.now(UTC)))
    return client.post(HERE, raw, content_type="application/json", headers={"TikTok-Signature": header}).status_code


def work() -> None:
    for pk in webhooks.waiting_intakes():
        webhooks.work_on(pk)


def test_a_comment_is_in_the_inbox_once(client: Client, tiktok: Sandbox, account: Account) -> None:
    account.limits = {**account.limits, "login": "business", "unique_identifier": "ours"}
    account.save()
    said = {"comment_id": 2**53 + 1, "video_id": 2**53 + 3, "comment_action": "insert", "text": "Until when?"}
    for _ in range(2):
        assert bring(client, tiktok, account, "comment.update", {**said, "unique_identifier": "ana"}) == 200
    work()
    message = Message.objects.get()
    assert (message.text, message.remote_id, message.account) == ("Until when?", str(2**53 + 1), account)


def test_an_answer_is_as_short_as_a_comment_must_be(account: Account, say: Callable[..., Message]) -> None:
    account.limits = {**account.limits, "login": "business"}
    account.save()
    message = say("Until when?", account, kind="comment")
    assert services.longest_answer(message).longest == 150
    assert services.why_not(message, "a" * 150) is None
    assert services.why_not(message, "a" * 151) == "Too long by 1. Shorten it: nothing was sent."


def test_what_is_old_or_signed_by_others_is_not_kept(client: Client, tiktok: Sandbox, account: Account) -> None:
    assert bring(client, tiktok, account, "comment.update", {}, at=datetime(2030, 1, 1, tzinfo=UTC)) == 403
    tiktok.itself.make_app().secret = "another"
    assert bring(client, tiktok, account, "comment.update", {}) == 403
    assert not Intake.objects.exists()


def test_kinds_that_nobody_told_us_of_are_kept_and_do_no_harm(
    client: Client, tiktok: Sandbox, account: Account
) -> None:
    assert bring(client, tiktok, account, "gift.of.tomorrow", {"x": 1}) == 200
    work()
    assert (Intake.objects.filter(problem="").count(), Message.objects.count()) == (1, 0)


@pytest.mark.parametrize("really", [True, False])
def test_a_permission_withdrawn_is_believed_when_the_network_says_it_too(
    client: Client, tiktok: Sandbox, account: Account, *, really: bool
) -> None:
    """A delivery may come three days late, when the account is connected again."""
    if really:
        tiktok.itself.withdraw(account.remote_id, tiktok.itself.make_app())
    assert bring(client, tiktok, account, "authorization.removed", {"reason": 1}) == 200
    work()
    account.refresh_from_db()
    assert (account.state, account.checked_at) == ("connected", None)
    asyncio.run(check_accounts(0))
    account.refresh_from_db()
    assert account.state == ("broken" if really else "connected")
