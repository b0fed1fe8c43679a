"""YouTube's hub: it asks whether we meant it, is told again before it forgets us, and tells which videos are gone."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from regie.accounts.models import Account
from regie.accounts.opening import seal_app_keys
from regie.community import webhooks
from regie.community.models import Inbox, Intake
from regie.networks.data import AppKeys
from regie.networks.youtube import push
from regie.publishing import services
from regie.publishing.models import Delivery

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
HERE = "/webhooks/youtube/"
GONE = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0">
<at:deleted-entry ref="yt:video:dQw4w9WgXcQ"><at:by><uri>https://www.youtube.com/channel/{}</uri></at:by>
</at:deleted-entry></feed>"""


@pytest.fixture
def keys(clock: Clock, youtube: Sandbox, youtube_account: Account) -> AppKeys:
    """Our app's keys, as the operator entered them."""
    ready = youtube.network.ready_account()
    keys = AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"])
    seal_app_keys("youtube", youtube.base, keys)
    return keys


def bring(client: Client, body: bytes, secret: str) -> int:
    sign = "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    return client.post(
        HERE, body, content_type="application/atom+xml", headers={"X-Hub-Signature": sign}
    ).status_code  # fmt: skip


def test_only_a_wish_of_ours_is_confirmed(client: Client, youtube_account: Account, keys: AppKeys) -> None:
    channel = youtube_account.remote_id
    asked = {
        "channel": channel,
        "word": push.word_for(keys, channel),
        "hub.mode": "subscribe",
        "hub.topic": push.topic_of(channel),
        "hub.challenge": "1158201444",
        "hub.lease_seconds": "432000",
    }
    answer = client.get(HERE, asked)
    assert (answer.status_code, answer.content) == (200, b"1158201444")
    assert client.get(HERE, {**asked, "word": "guessed"}).status_code == 403
    assert client.get(HERE, {**asked, "hub.topic": push.topic_of("UCother")}).status_code == 403


def test_what_is_gone_there_is_gone_here(
    client: Client, youtube_account: Account, keys: AppKeys, delivery: Delivery, publish_due: Callable[[], None]
) -> None:
    publish_due()
    Delivery.objects.filter(pk=delivery.pk).update(account=youtube_account, remote_id="dQw4w9WgXcQ")
    body = GONE.format(youtube_account.remote_id).encode()
    assert bring(client, body, "guessed") == 403
    assert bring(client, b"<feed/>", push.secret_for(keys)) == 403
    assert not Intake.objects.exists()
    assert [bring(client, body, push.secret_for(keys)) for _ in range(2)] == [200, 200]
    for pk in webhooks.waiting_intakes():
        webhooks.work_on(pk)
    delivery.refresh_from_db()
    assert delivery.gone_at is not None
    assert set(Intake.objects.values_list("problem", flat=True)) == {""}


def test_only_our_own_posts_of_that_account_are_gone(delivery: Delivery, publish_due: Callable[[], None]) -> None:
    publish_due()
    Delivery.objects.filter(pk=delivery.pk).update(remote_id="1")
    assert services.no_longer_there(account_id=delivery.account_id + 1, remote_ids=["1"]) == 0
    assert services.no_longer_there(account_id=delivery.account_id, remote_ids=["2"]) == 0
    assert services.no_longer_there(account_id=delivery.account_id, remote_ids=["1"]) == 1
    assert services.no_longer_there(account_id=delivery.account_id, remote_ids=["1"]) == 0


def test_the_hub_is_told_again_before_it_forgets(
    settings: Any, clock: Clock, youtube: Sandbox, youtube_account: Account, keys: AppKeys
) -> None:
    settings.PUBLIC_URL = "https://regie.example"
    (inbox,) = Inbox.objects.values_list("pk", flat=True)
    assert webhooks.to_arrange() == [inbox]
    asyncio.run(webhooks.arrange(inbox))
    assert webhooks.to_arrange() == []
    clock.advance(hours=push.LASTS / timedelta(hours=2))
    assert webhooks.to_arrange() == [inbox]
