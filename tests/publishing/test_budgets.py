"""Rate budgets at the hour: two publishers share what a network allows, and readers leave the rest to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from regie.accounts.budgets import Priority, standing, wait_until
from regie.accounts.models import Account, Budget
from regie.accounts.opening import open_credentials, seal_credentials
from regie.core.times import WallTime
from regie.networks import registry
from regie.people.models import Member
from regie.publishing import services
from regie.publishing.engine.publisher import Publisher
from regie.publishing.models import Delivery
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def two_publishers_until_nothing_is_due() -> None:
    async def both() -> None:
        async with (
            Publisher(name="one", in_flight=20, connections=2).open() as one,
            Publisher(name="two", in_flight=20, connections=2).open() as two,
        ):
            await asyncio.gather(one.drain(), two.drain())

    asyncio.run(both())


def _account_like(one: Account, chat_id: str, name: str) -> Account:
    """Another chat of the same bot."""
    made = Account.objects.create(
        workspace=one.workspace, network=one.network, server=one.server, remote_id=chat_id, name=name, limits=one.limits
    )
    seal_credentials(made, {**open_credentials(one), "chat_id": chat_id})
    made.save()
    return made


def test_two_publishers_with_chats_of_one_bot_do_not_exceed_what_the_bot_may_say_in_a_second(
    clock: Clock,
    telegram: Sandbox,
    connect: Callable[..., Account],
    write_post: Callable[..., Post],
    bob: Member,
) -> None:
    ready = telegram.network.ready_account()
    chats = [connect(telegram)]
    for name in ("sales", "jobs"):
        channel = telegram.itself.add_channel(ready["credentials"]["token"], name)
        chats.append(_account_like(chats[0], str(channel.id), name))
    now = WallTime.at(clock.moment, "Europe/Paris")
    for number in range(14):
        services.schedule(post=write_post(f"Post {number}", on=chats), at=now, by=bob)
    two_publishers_until_nothing_is_due()
    assert len(telegram.accepted()) == 30
    assert Delivery.objects.filter(state="published").count() == 30

    clock.advance(seconds=2)
    two_publishers_until_nothing_is_due()
    assert len(telegram.accepted()) == 42


def test_what_a_publisher_did_not_use_of_its_portion_is_there_for_others(
    clock: Clock, account: Account, delivery: Delivery, publish_due: Callable[[], None]
) -> None:
    publish_due()
    left = {one.name: one.left for one in standing(account)}
    assert left == {"posts": 299, "requests": 299}


def test_a_network_without_quotas_costs_no_visit(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    delivery: Delivery,
    publish_due: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from dataclasses import replace

    connector = registry.connector("mastodon")
    free = replace(connector.can, quotas=())
    monkeypatch.setattr(connector, "can_on", classmethod(lambda cls, limits: free))
    publish_due()
    delivery.refresh_from_db()
    assert delivery.state == "published"
    assert not Budget.objects.exists()


def test_readers_stop_and_the_publisher_goes_on_with_the_reserve(
    clock: Clock, mastodon: Sandbox, account: Account, delivery: Delivery, publish_due: Callable[[], None]
) -> None:
    connector = registry.connector("mastodon")
    assert wait_until(account, connector, "read", times=240) is None
    assert wait_until(account, connector, "read") is not None
    publish_due()
    assert mastodon.texts() == ["Good morning"]


def test_a_window_that_the_network_calls_used_up_is_used_up_for_readers_too(
    clock: Clock, mastodon: Sandbox, account: Account, delivery: Delivery, publish_due: Callable[[], None]
) -> None:
    mastodon.will_answer(429, headers={"X-RateLimit-Reset": "2030-03-01T09:04:00Z"})
    publish_due()
    assert wait_until(account, registry.connector("mastodon"), "read", priority=Priority.READ) == clock.at("09:04")
    clock.set("09:04")
    publish_due()
    assert mastodon.texts() == ["Good morning"]


def test_a_wish_for_patience_is_obeyed_by_readers_too(
    clock: Clock,
    telegram: Sandbox,
    telegram_account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    promise(write_post("Good morning", on=[telegram_account]))
    telegram.will_answer(429, body={"ok": False, "error_code": 429, "parameters": {"retry_after": 600}})
    publish_due()
    until = wait_until(telegram_account, registry.connector("telegram"), "read")
    assert until is not None
    clock.set(until)
    assert wait_until(telegram_account, registry.connector("telegram"), "read") is None
