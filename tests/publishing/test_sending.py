"""At the hour: once, in order, and with a receipt."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from regie.accounts.models import Account
from regie.core.times import WallTime
from regie.people.models import Member
from regie.publishing import services
from regie.publishing.models import Delivery
from regie.studio.models import Post

from .going import state_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def at(clock: Clock, wall: str) -> WallTime:
    return WallTime.at(clock.at(wall), "Europe/Paris")


def test_a_due_delivery_goes_out_once_and_has_a_receipt(
    clock: Clock, mastodon: Sandbox, delivery: Delivery, publish_due: Callable[[], None]
) -> None:
    publish_due()
    publish_due()
    delivery.refresh_from_db()
    assert mastodon.texts() == ["Good morning"]
    assert delivery.state == "published"
    assert delivery.remote_id == mastodon.accepted()[0].remote_id
    assert delivery.url.startswith(mastodon.base)
    assert delivery.due_at == delivery.claimed_at == delivery.sent_at == delivery.accepted_at == clock.moment


def test_what_is_not_due_waits(
    clock: Clock, mastodon: Sandbox, post: Post, bob: Member, publish_due: Callable[[], None]
) -> None:
    (delivery,) = services.schedule(post=post, at=at(clock, "09:30"), by=bob)
    publish_due()
    assert mastodon.texts() == []
    clock.set("09:30")
    publish_due()
    delivery.refresh_from_db()
    assert (delivery.state, mastodon.texts()) == ("published", ["Good morning"])


def test_a_delivery_whose_parts_are_not_written_yet_is_not_called_out(
    clock: Clock, mastodon: Sandbox, delivery: Delivery, publish_due: Callable[[], None]
) -> None:
    (part,) = delivery.steps.values()
    delivery.steps.all().delete()
    publish_due()
    delivery.refresh_from_db()
    assert (delivery.state, mastodon.texts()) == ("claimed", [])

    delivery.steps.create(**part)
    clock.advance(minutes=1)
    publish_due()
    publish_due()
    delivery.refresh_from_db()
    assert (delivery.state, mastodon.texts()) == ("published", ["Good morning"])


def test_a_rate_limited_delivery_waits_until_the_network_says(
    clock: Clock, mastodon: Sandbox, delivery: Delivery, publish_due: Callable[[], None]
) -> None:
    mastodon.will_answer(429, headers={"X-RateLimit-Reset": "2030-03-01T09:15:00Z"})
    publish_due()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.next_at) == ("scheduled", clock.at("09:15"))

    clock.set("09:15")
    publish_due()
    assert mastodon.texts() == ["Good morning"]


def test_a_thread_whose_missing_parts_were_taken_out_of_the_post_is_published_as_it_is(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    post = write_post("One", "Two", on=[account])
    delivery = promise(post)
    mastodon.faults.will_answer(
        429, method="POST", path="statuses", after=1, headers={"X-RateLimit-Reset": "2030-03-01T09:15:00Z"}
    )
    publish_due()
    assert (state_of(delivery), mastodon.texts()) == ("scheduled", ["One"])
    del post.content["parts"][1]
    post.version += 1
    post.save()
    clock.set("09:15")
    publish_due()
    assert state_of(delivery) == "published"
    assert (delivery.remote_id, mastodon.texts()) == (mastodon.accepted()[0].remote_id, ["One"])
