"""A freeze of a campaign holds its posts and no others, on all publishers, from the moment it is there."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction

from regie.accounts.models import Account
from regie.core import clock as product_clock
from regie.people.models import Member
from regie.publishing import services
from regie.publishing.engine.publisher import run
from regie.publishing.models import Delivery, Freeze
from regie.publishing.models import Publisher as PublisherRow
from regie.studio import campaigns
from regie.studio.campaigns import Plan
from regie.studio.models import Campaign, Post

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def campaign(bob: Member) -> Campaign:
    return campaigns.save(campaign=None, plan=Plan(name="Spring"), by=bob)


def states() -> dict[str, str]:
    rows = Delivery.objects.select_related("variant__post")
    return {str(row.variant.post): row.state for row in rows}


def test_only_the_posts_of_the_campaign_are_held(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
    campaign: Campaign,
    bob: Member,
) -> None:
    inside, outside = write_post("Of the campaign", on=[account]), write_post("Another", on=[account])
    campaigns.assign([inside], campaign, by=bob)
    held, free = promise(inside), promise(outside)
    services.freeze(campaign, why="The product is recalled", by=bob)
    publish_due()
    for row in (held, free):
        row.refresh_from_db()
    assert (held.state, held.holds, free.state) == ("held", ["frozen"], "published")
    assert mastodon.texts() == ["Another"]


def test_what_enters_a_frozen_campaign_is_held_and_what_leaves_it_waits_again_or_is_missed(
    clock: Clock,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    campaign: Campaign,
    bob: Member,
) -> None:
    soon, later = write_post("Soon", on=[account]), write_post("Later", on=[account])
    services.freeze(campaign, why="x", by=bob)
    promise(soon, "09:10")
    promise(later, "11:00")
    campaigns.assign([soon, later], campaign, by=bob)
    assert states() == {"Soon": "held", "Later": "held"}
    clock.advance(minutes=30)
    campaigns.assign([soon, later], None, by=bob)
    assert states() == {"Soon": "missed", "Later": "scheduled"}


def test_what_is_promised_in_a_frozen_campaign_begins_held(
    clock: Clock, post: Post, promise: Callable[..., Delivery], campaign: Campaign, bob: Member
) -> None:
    campaigns.assign([post], campaign, by=bob)
    freeze = services.freeze(campaign, why="x", by=bob)
    post.refresh_from_db()
    assert promise(post).state == "held"
    assert services.freeze(campaign, why="again", by=bob) == freeze


def test_a_freeze_stops_two_running_publishers_within_a_second(
    mastodon: Sandbox,
    connect: Callable[..., Account],
    write_post: Callable[..., Post],
    campaign: Campaign,
    bob: Member,
) -> None:
    """Forty posts go out slowly from two publishers; none of the campaign's begins once the freeze is a second old."""
    accounts = [connect(mastodon, f"shop{number}") for number in range(4)]
    posts = [write_post(f"Post {number}", on=[accounts[number % 4]]) for number in range(40)]
    campaigns.assign(posts, campaign, by=bob)
    mastodon.faults.latency = 0.5
    loops = [_publisher(name) for name in ("one", "two")]
    try:
        _until(lambda: PublisherRow.objects.count() == 2)
        for post in posts:
            post.refresh_from_db()
            services.publish_now(post=post, by=bob)
        _until(lambda: len(mastodon.accepted()) >= 6)
        services.freeze(campaign, why="Stop", by=bob)
        frozen_at = product_clock.now()
        time.sleep(2)
    finally:
        for leave in loops:
            leave()
    begun = Delivery.objects.filter(sent_at__isnull=False)
    assert not begun.filter(sent_at__gt=frozen_at + timedelta(seconds=1)).exists()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"published", "held"}
    assert 6 <= begun.count() < 40
    assert len(mastodon.accepted()) == begun.count()


def test_the_other_parts_of_a_thread_stay_back(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
    alice: Member,
) -> None:
    """Frozen while the first part is under way: that one is out, the others are held, and a person finishes it."""
    thread = promise(write_post("One", "Two", "Three", on=[account]))
    mastodon.faults.latency = 1.0
    with _meanwhile(lambda: (_until(_is_sending), services.freeze(account, why="Wrong tone", by=alice))):
        publish_due()
    thread.refresh_from_db()
    assert (thread.state, thread.holds, mastodon.texts()) == ("held", ["frozen"], ["One"])
    clock.advance(minutes=1)
    services.lift(Freeze.objects.get(), by=alice)
    thread.refresh_from_db()
    assert thread.state == "partly"
    mastodon.faults.latency = 0.0
    services.finish_partly(thread, by=alice)
    publish_due()
    assert mastodon.texts() == ["One", "Two", "Three"]


def _is_sending() -> bool:
    return Delivery.objects.filter(state="sending").exists()


def test_a_freeze_is_in_force_before_all_that_it_holds_is_held(
    clock: Clock,
    account: Account,
    post: Post,
    promise: Callable[..., Delivery],
    alice: Member,
) -> None:
    """As with a hundred thousand deliveries: holding them takes a while, and publishers obey from the first moment."""
    delivery, in_the_way = promise(post, "10:00"), ExitStack()
    in_the_way.enter_context(transaction.atomic())
    Delivery.objects.select_for_update().get(pk=delivery.pk)  # whoever wants to hold it has to wait
    with _meanwhile(lambda: services.freeze(account, why="Wrong tone", by=alice)), in_the_way:
        _until(Freeze.objects.filter(lifted_at=None).exists)
    delivery.refresh_from_db()
    assert delivery.state == "held"


@contextmanager
def _meanwhile(do: Callable[[], object]) -> Iterator[None]:
    """Does it on a thread, with a connection of its own, until the block is over."""

    def work() -> None:
        try:
            do()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        yield
        done.result(30)


def _publisher(name: str) -> Callable[[], None]:
    """Starts a publisher on a thread of its own; returns how to end it."""
    stop, loop = asyncio.Event(), asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(run(name=name, stop=stop)))
    thread.start()

    def leave() -> None:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()

    return leave


def _until(condition: Callable[[], object], seconds: float = 30.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.02)
    return True
