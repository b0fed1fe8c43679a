"""Open lines: held by one worker, let go at once when it is asked to stop."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from regie.community import listening, reading
from regie.community.models import Inbox, Message
from regie.core.threads import in_thread

if TYPE_CHECKING:
    from regie.accounts.models import Account
    from regie.publishing.models import Delivery
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


async def _until(true: Callable[[], bool], seconds: float = 8) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if await in_thread(true):
            return True
        await asyncio.sleep(0.1)
    return False


@pytest.mark.parametrize("network", ["mastodon", "telegram"])
def test_what_is_said_while_a_line_is_open_arrives_at_once_and_stopping_takes_a_moment(
    network: str, request: pytest.FixtureRequest, clock: Clock, published: Callable[..., Delivery]
) -> None:
    sandbox: Sandbox = request.getfixturevalue(network)
    account: Account = request.getfixturevalue(f"{network}_account")
    delivery = published("Open today", account)

    async def listen_and_hear() -> float:
        stop = asyncio.Event()
        role = asyncio.create_task(listening.listen(stop, every=0.2))
        assert await _until(lambda: Inbox.objects.filter(listener__isnull=False, read_at__isnull=False).exists())
        await in_thread(lambda: sandbox.say(by="ana", text="Until when?", to=delivery.remote_id))
        assert await _until(Message.objects.exists)
        began = time.monotonic()
        stop.set()
        await asyncio.wait_for(role, 5)
        return time.monotonic() - began

    assert asyncio.run(listen_and_hear()) < 3
    inbox = Inbox.objects.get()
    assert (inbox.listener, inbox.reader) == (None, None)
    assert Message.objects.count() == 1


def test_a_line_is_held_by_one_worker_until_its_lease_runs_out(clock: Clock, mastodon_account: Account) -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    (inbox,) = listening.claim(first, 10)
    assert listening.claim(second, 10) == []
    assert listening.renew(first) == [inbox]
    clock.advance(seconds=59)
    assert listening.claim(second, 10) == []
    clock.advance(seconds=2)  # the first worker died
    assert listening.claim(second, 10) == [inbox]
    assert listening.renew(first) == []


def test_the_line_of_a_paused_account_is_let_go(clock: Clock, mastodon_account: Account) -> None:
    worker = uuid.uuid4()
    assert len(listening.claim(worker, 10)) == 1
    type(mastodon_account).objects.update(state="paused")
    assert listening.renew(worker) == []
    assert listening.claim(uuid.uuid4(), 10) == []
    assert reading.due_inboxes() == []
