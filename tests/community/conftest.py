"""Accounts on sandbox networks with a post that is out, and an audience that speaks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from regie.accounts.models import Account
    from regie.community.models import Message
    from regie.people.models import Member
    from regie.publishing.models import Delivery
    from regie.studio.models import Post
    from tests.conftest import Clock


@pytest.fixture
def read(transactional_db: None, clock: Clock) -> Callable[[], int]:
    """Asks every queue that is due, a minute later than the last time. Returns how many messages arrived."""
    from regie.community import reading
    from regie.core.threads import in_thread

    def read_all() -> int:
        async def everything() -> int:
            return sum([await reading.read(pk) for pk in await in_thread(reading.due_inboxes)])

        clock.advance(minutes=1)
        return asyncio.run(everything())

    return read_all


@pytest.fixture
def send(transactional_db: None) -> Callable[[], None]:
    """Does what waits for answers at the clock's moment: sends, or looks."""
    from regie.community import sending
    from regie.core.threads import in_thread

    def send_all() -> None:
        async def everything() -> None:
            for pk in await in_thread(sending.waiting_answers):
                await sending.work_on(pk)

        asyncio.run(everything())

    return send_all


@pytest.fixture
def published(bob: Member, write_post: Callable[..., Post], publish_due: Callable[[], None]) -> Callable[..., Delivery]:
    """A post that is out: ``published("Open today", account)``."""
    from regie.publishing import services

    def publish(text: str, account: Account) -> Delivery:
        delivery = services.publish_now(post=write_post(text, on=[account]), by=bob)[0]
        publish_due()
        delivery.refresh_from_db()
        assert delivery.state == "published", delivery.problem
        return delivery

    return publish


@pytest.fixture
def say(account: Account, clock: Clock) -> Callable[..., Message]:
    """A message that is simply there, said a minute ago by Ana: ``say("Until when?", kind="mention")``."""
    return lambda text="Until when?", to=account, **fields: _message(to, text, **fields)


def _message(account: Account, text: str, **fields: Any) -> Message:
    from regie.community.models import Conversation, Message
    from regie.community.words import vector
    from regie.core import clock

    said_at = fields.pop("said_at", clock.now() - timedelta(minutes=1))
    remote_id = fields.pop("remote_id", f"m{Message.objects.count() + 1}")
    conversation = fields.pop("conversation", None) or Conversation.objects.create(
        workspace=account.workspace, account=account, remote_id=remote_id, last_at=said_at
    )
    given = {"kind": "reply", "author_id": "ana", "author_name": "Ana Núñez", "author_handle": "@ana", **fields}
    return Message.objects.create(
        workspace=account.workspace,
        account=account,
        conversation=conversation,
        remote_id=remote_id,
        text=text,
        said_at=said_at,
        words=vector(str(given["author_name"]), text),
        **given,
    )


@pytest.fixture
def chloe(seat: Callable[..., Member]) -> Member:
    """On duty in the inbox."""
    return seat("Chloé", "community")
