"""An answer that arrives after its publisher's lease ran out still says what happened: the doubt is settled by it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from regie.accounts.models import Account
from regie.core.threads import in_thread
from regie.people.models import Member
from regie.publishing import services
from regie.publishing.engine import sweep
from regie.publishing.engine.database import Database
from regie.publishing.errors import AlreadyPlanned
from regie.publishing.models import Attempt, Delivery, Step
from regie.studio.models import Post

from .going import state_of
from .puppets import Moment, Puppet, everything, lanes

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
NO = {"ok": False, "error_code": 400, "description": "Bad Request: message text is wrong"}
Promise = Callable[..., Delivery]


@pytest.fixture
def delivery(telegram_account: Account, write_post: Callable[..., Post], promise: Promise) -> Delivery:
    """On Telegram, where nobody else could tell what became of it."""
    return promise(write_post("Good morning", on=[telegram_account]))


def answered_late(clock: Clock, meanwhile: Callable[[], Awaitable[None]] | None = None) -> None:
    """A publisher has its answer and is suspended until its lease has run out; then it writes the answer down."""

    async def go() -> None:
        puppet = await Puppet(until=Moment("call", before=False)).begin()
        await puppet.live(lanes)
        clock.advance(seconds=11)
        async with Database(2) as database:
            await sweep.sweep(database)
        if meanwhile is not None:
            await meanwhile()
        await puppet.wake()

    asyncio.run(go())


def test_a_refusal_settles_the_doubt_and_is_kept_with_its_attempt(
    clock: Clock, telegram: Sandbox, delivery: Delivery
) -> None:
    async def in_doubt() -> None:
        assert await in_thread(state_of, delivery) == "unclear"

    telegram.will_answer(400, body=NO)
    answered_late(clock, in_doubt)
    assert (state_of(delivery), delivery.look_at) == ("refused", None)
    attempt = Attempt.objects.get()
    assert attempt.answer is not None
    assert (attempt.outcome, attempt.answer["status"]) == ("refused", 400)
    assert delivery.steps.get().state == "refused"
    assert telegram.accepted("post") == []


def test_a_yes_settles_it_as_published(clock: Clock, telegram: Sandbox, delivery: Delivery) -> None:
    answered_late(clock)
    assert state_of(delivery) == "published"
    assert [entry.remote_id for entry in telegram.accepted("post")] == [delivery.remote_id]
    assert Attempt.objects.get().outcome == "published"


def test_not_now_lets_it_wait_again_and_go_out(
    clock: Clock, telegram: Sandbox, delivery: Delivery, publish_due: Callable[[], None]
) -> None:
    telegram.will_answer(429)
    answered_late(clock)
    clock.advance(minutes=2)
    publish_due()
    assert (state_of(delivery), telegram.texts()) == ("published", ["Good morning"])
    assert list(Attempt.objects.order_by("number").values_list("outcome", flat=True)) == ["later", "published"]


def test_a_no_to_one_attempt_says_nothing_of_another_that_is_in_doubt(
    clock: Clock, telegram: Sandbox, delivery: Delivery
) -> None:
    def another() -> None:
        first = Attempt.objects.get()
        began = first.began_at - timedelta(seconds=5)
        Attempt.objects.create(
            step=first.step, number=2, kind="commit", began_at=began, deadline=began, outcome="unclear"
        )

    async def meanwhile() -> None:
        await in_thread(another)

    telegram.will_answer(400, body=NO)
    answered_late(clock, meanwhile)
    assert state_of(delivery) == "unclear"
    assert Attempt.objects.get(number=1).outcome == "refused"


def test_whoever_settled_it_meanwhile_is_not_contradicted(
    clock: Clock, mastodon: Sandbox, mastodon_account: Account, write_post: Callable[..., Post], promise: Promise
) -> None:
    """The publisher that took over had sent it again under the same key when the no of the first came in."""
    delivery = promise(write_post("Good morning", on=[mastodon_account]))

    async def taken_over() -> None:
        clock.advance(minutes=3)
        other = await Puppet(until=Moment("never")).begin()
        await other.live(everything)
        await other.leave()

    mastodon.will_answer(
        422, body={"error": "Validation failed: text is wrong"}, path="/api/v1/statuses", method="POST"
    )
    answered_late(clock, taken_over)
    assert state_of(delivery) == "published"
    assert mastodon.texts() == ["Good morning"]
    assert list(Attempt.objects.filter(kind="commit").order_by("number").values_list("outcome", flat=True)) == [
        "refused",
        "published",
    ]


def states_of(delivery: Delivery) -> Sequence[str]:
    return list(delivery.steps.values_list("state", flat=True))


@pytest.fixture
def thread(
    clock: Clock,
    mastodon: Sandbox,
    mastodon_account: Account,
    write_post: Callable[..., Post],
    promise: Promise,
    publish_due: Callable[[], None],
) -> Delivery:
    """Of which nobody knows whether its first part is out, on a server where that has to be looked up."""
    mastodon.itself.keys_honoured = False
    mastodon_account.limits |= {"honours_key": False}
    mastodon_account.save()
    delivery = promise(write_post("One", "Two", on=[mastodon_account]), late_minutes=600)
    mastodon.will_drop(method="POST", path="statuses")
    publish_due()
    assert state_of(delivery) == "unclear"
    return delivery


def test_a_look_that_found_nothing_does_not_contradict_the_person_who_found_it_meanwhile(
    clock: Clock, mastodon: Sandbox, thread: Delivery, bob: Member, publish_due: Callable[[], None]
) -> None:
    """The list that the publisher was shown did not have it yet, and the rest of the thread waits for a person."""

    def found() -> None:
        services.settle_there(thread, link=mastodon.say(by="regie", text="One"), by=bob)

    async def go() -> None:
        puppet = await Puppet(until=Moment("look")).begin()
        await puppet.live(everything)
        await in_thread(found)
        await puppet.wake()

    clock.advance(minutes=5)
    asyncio.run(go())
    publish_due()
    assert (state_of(thread), states_of(thread)) == ("partly", ["published", "waiting"])
    assert (thread.problem, mastodon.texts()) == ("", ["One"])
    services.finish_partly(thread, by=bob)
    publish_due()
    assert (state_of(thread), mastodon.texts()) == ("published", ["One", "Two"])


def test_what_the_post_no_longer_says_is_nothing_that_a_person_could_find(
    clock: Clock, mastodon: Sandbox, thread: Delivery, bob: Member
) -> None:
    """Its second part was dropped by an edit after it had been tried."""
    Step.objects.filter(delivery=thread, position=1).update(state="dropped", position=1001)
    services.settle_there(thread, link=mastodon.say(by="regie", text="One"), by=bob)
    assert (state_of(thread), states_of(thread)) == ("published", ["published", "dropped"])


def test_what_the_post_no_longer_says_was_not_done_by_hand_either(
    clock: Clock, mastodon: Sandbox, thread: Delivery, bob: Member
) -> None:
    Step.objects.filter(delivery=thread, position=1).update(state="dropped", position=1001)
    Delivery.objects.filter(pk=thread.pk).update(state="missed")
    services.done_by_hand(thread, link=mastodon.say(by="regie", text="One"), by=bob)
    assert (state_of(thread), states_of(thread)) == ("published", ["published", "dropped"])


def test_the_beginning_of_a_thread_is_not_what_another_delivery_published(
    clock: Clock,
    mastodon: Sandbox,
    thread: Delivery,
    bob: Member,
    write_post: Callable[..., Post],
    promise: Promise,
    publish_due: Callable[[], None],
) -> None:
    clock.advance(seconds=5)
    other = promise(write_post("One", on=[thread.account]))
    publish_due()
    assert state_of(other) == "published"
    with pytest.raises(AlreadyPlanned, match="another delivery"):
        services.settle_there(thread, link=other.remote_id, by=bob)
    assert (state_of(thread), states_of(thread)) == ("unclear", ["unclear", "waiting"])
