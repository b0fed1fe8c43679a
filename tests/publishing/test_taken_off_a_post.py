"""An account that is taken off a post gets nothing of it any more, unless it was on its way there already."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from regie.accounts.models import Account
from regie.core.threads import in_thread
from regie.media import services as media
from regie.people.models import Member
from regie.publishing.models import Delivery
from regie.studio import services as studio
from regie.studio.content import Content, MediaUse, Part
from regie.studio.models import Post
from regie.studio.services import Given, Written

from .going import state_of
from .puppets import Moment, Puppet, everything, lanes

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
TakeOff = Callable[[Delivery], None]


@pytest.fixture
def take_off(bob: Member, make_account: Callable[..., Account]) -> TakeOff:
    """Saves a delivery's post for another account instead."""
    elsewhere = make_account(name="Elsewhere")

    def save(delivery: Delivery) -> None:
        post = Post.objects.get(pk=delivery.variant.post_id)
        written = Written(content=Content.model_validate(post.content), on={elsewhere.pk: Given()})
        studio.save(post=post, workspace=bob.workspace, written=written, version=post.version, by=bob)

    return save


def taken_off_at(puppet: Puppet, delivery: Delivery, take_off: TakeOff, *, on_the_way: str) -> None:
    """While a publisher is suspended at a moment, with the delivery ``on_the_way``; then the publisher goes on."""

    async def go() -> None:
        await puppet.begin()
        await puppet.live(everything if on_the_way == "preparing" else lanes)
        assert await in_thread(state_of, delivery) == on_the_way
        await in_thread(take_off, delivery)
        await puppet.wake()

    asyncio.run(go())


def test_what_waits_is_cancelled(
    clock: Clock, mastodon: Sandbox, delivery: Delivery, take_off: TakeOff, publish_due: Callable[[], None]
) -> None:
    take_off(delivery)
    publish_due()
    assert (state_of(delivery), mastodon.texts()) == ("cancelled", [])


def test_what_is_uploaded_ahead_is_cancelled_and_does_not_go_out_at_its_hour(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    post: Post,
    promise: Callable[..., Delivery],
    take_off: TakeOff,
    picture: Callable[..., BytesIO],
    alice: Member,
    publish_due: Callable[[], None],
) -> None:
    file = media.upload(workspace=alice.workspace, name="coat.jpg", source=picture(), by=alice)
    post.content = Content(parts=[Part(text="Look", media=[MediaUse(file=file.pk)])]).as_json()
    post.save()
    delivery = promise(post, "09:30")
    assert delivery.prepare_at is not None
    clock.set(delivery.prepare_at)
    taken_off_at(Puppet(until=Moment("outcome")), delivery, take_off, on_the_way="preparing")
    clock.set("09:30")
    publish_due()
    assert (state_of(delivery), mastodon.texts()) == ("cancelled", [])


def test_what_is_in_line_is_cancelled_until_the_very_moment_of_sending(
    clock: Clock, mastodon: Sandbox, delivery: Delivery, take_off: TakeOff, publish_due: Callable[[], None]
) -> None:
    taken_off_at(Puppet(until=Moment("intent")), delivery, take_off, on_the_way="claimed")
    publish_due()
    assert (state_of(delivery), mastodon.texts()) == ("cancelled", [])


def test_what_is_being_sent_goes_out_and_the_post_is_saved_all_the_same(
    clock: Clock, mastodon: Sandbox, delivery: Delivery, take_off: TakeOff
) -> None:
    taken_off_at(Puppet(until=Moment("call")), delivery, take_off, on_the_way="sending")
    assert (state_of(delivery), mastodon.texts()) == ("published", ["Good morning"])
    delivery.variant.refresh_from_db()
    assert delivery.variant.dropped_at is not None


def test_what_begins_to_go_out_while_the_post_is_saved_does_not_stop_the_saving(
    clock: Clock, delivery: Delivery, take_off: TakeOff, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was found in line, and a publisher was quicker."""
    from regie.publishing import services

    cancel = services.cancel

    def after_the_publisher(found: Delivery, *, by: Member) -> Delivery:
        for state in ("claimed", "sending"):
            Delivery.objects.filter(pk=found.pk).update(state=state)
        return cancel(found, by=by)

    monkeypatch.setattr(services, "cancel", after_the_publisher)
    take_off(delivery)
    assert state_of(delivery) == "sending"
    delivery.variant.refresh_from_db()
    assert delivery.variant.dropped_at is not None
