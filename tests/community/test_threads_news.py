"""News of Threads accounts, in a shape of Threads' own: to the right account, once, whether brought or read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from regie.accounts.hooks import verify_token
from regie.accounts.opening import seal_app_keys
from regie.community import reading, webhooks
from regie.community.models import Inbox, Message
from regie.networks.data import AppKeys

if TYPE_CHECKING:
    from collections.abc import Callable

    from regie.accounts.models import Account
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_brought_and_what_is_read_are_the_same(
    live_server: Any, threads: Sandbox, connect: Callable[..., Account], clock: Clock
) -> None:
    account, ready = connect(threads), threads.network.ready_account()
    keys = AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"])
    seal_app_keys("threads", threads.base, keys)

    async def enter() -> list[int]:
        """As a person does at Meta: one topic, one field, one look at our address each."""
        async with aiohttp.ClientSession() as http:
            found = []
            for topic, field in (("moderate", "replies"), ("interaction", "mentions")):
                fields = {
                    "object": topic,
                    "callback_url": f"{live_server.url}/webhooks/threads/",
                    "fields": field,
                    "verify_token": verify_token("threads"),
                    "access_token": f"{keys.client_id}|{keys.client_secret}",
                }
                async with http.post(f"{threads.base}/v1.0/{keys.client_id}/subscriptions", data=fields) as reply:
                    found.append(reply.status)
            return found

    assert asyncio.run(enter()) == [200, 200]
    net = threads.itself
    post = net.publish(net.user("regie"), "Open today")
    threads.say(by="ana", text="Until when?", to=post.id)
    threads.say(by="bea", text="have a look", to="regie", kind="mention")
    for _ in range(100):
        if len(net.hooks.brought) == 2:
            break
        asyncio.run(asyncio.sleep(0.05))
    assert [status for _, status in net.hooks.brought] == [200, 200]
    for pk in webhooks.waiting_intakes():
        webhooks.work_on(pk)
    told = {message.text: message.account for message in Message.objects.all()}
    assert told == {"Until when?": account, "@regie have a look": account}
    (inbox,) = Inbox.objects.values_list("pk", flat=True)
    asyncio.run(reading.read(inbox))
    assert Message.objects.count() == 2
