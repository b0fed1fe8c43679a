"""Accounts on sandbox networks with a post that is out, and a collector that we move by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from regie.accounts.models import Account
    from regie.people.models import Member
    from regie.publishing.models import Delivery
    from regie.studio.models import Post


@pytest.fixture
def collect(transactional_db: None) -> Callable[[], int]:
    """What the minute's sweep does for numbers, at the clock's moment. Returns how many accounts were asked."""
    from regie.core.threads import in_thread
    from regie.measure import services

    def now() -> int:
        async def everything() -> int:
            await in_thread(services.plan_what_is_new)
            due = await in_thread(services.due_accounts)
            for account_id in due:
                await services.collect(account_id)
            return len(due)

        return asyncio.run(everything())

    return now


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
