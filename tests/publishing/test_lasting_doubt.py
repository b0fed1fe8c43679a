"""What may be out stays in doubt until it is found, absent or answered, whatever else happens meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from regie.accounts.models import Account
from regie.core.threads import in_thread
from regie.core.times import WallTime
from regie.media.services import upload
from regie.people.models import Member, Notice
from regie.publishing import services
from regie.publishing.engine import claim, record, sweep
from regie.publishing.engine.database import Database
from regie.publishing.engine.record import Intent, Told
from regie.publishing.engine.work import DEADLINE, LEASE
from regie.publishing.errors import NotNow
from regie.publishing.models import Attempt, Delivery
from regie.publishing.services.rows import MAYBE_OUT
from regie.studio.models import Post

from .going import state_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def forgetful(mastodon: Sandbox, mastodon_account: Account) -> Account:
    """A server that keeps no keys: what became of a post has to be looked up."""
    mastodon.itself.keys_honoured = False
    mastodon_account.limits |= {"honours_key": False}
    mastodon_account.save()
    return mastodon_account


def lose_the_answer_and_put_off_the_repeat(
    clock: Clock, mastodon: Sandbox, publish_due: Callable[[], None], until: str, *, arrives: bool = True
) -> None:
    """It is out, or never arrived, and nobody knows; asked again, the network asks for a pause."""
    (mastodon.will_lose_answer if arrives else mastodon.will_drop)(method="POST", path="statuses")
    publish_due()
    clock.advance(seconds=10)
    mastodon.will_answer(429, method="POST", headers={"X-RateLimit-Reset": f"2030-03-01T{until}:00Z"})
    publish_due()
    assert len(mastodon.accepted()) == arrives


@pytest.mark.parametrize("late_minutes", [600, 30], ids=["patient", "too late meanwhile"])
def test_a_repeat_put_off_until_the_network_has_forgotten_its_key_is_looked_up_instead(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    post: Post,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
    late_minutes: int,
) -> None:
    delivery = promise(post, late_minutes=late_minutes)
    lose_the_answer_and_put_off_the_repeat(clock, mastodon, publish_due, "11:30")
    assert state_of(delivery) in ("scheduled", "published")  # the second: found at once, as it may no longer be sent
    mastodon.itself.keys_honoured = False
    clock.set("11:30")
    publish_due()
    clock.advance(minutes=1)
    publish_due()
    assert state_of(delivery) == "published"
    assert [entry.remote_id for entry in mastodon.accepted()] == [delivery.remote_id]


def test_what_is_moved_while_in_doubt_is_looked_for_at_its_new_hour(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    post: Post,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
    picture: Callable[..., BytesIO],
    bob: Member,
) -> None:
    file = upload(workspace=bob.workspace, name="a.jpg", source=picture(), by=bob)
    post.content["parts"][0]["media"] = [{"file": file.pk, "alt": "A wall"}]
    post.save()
    delivery = promise(post)
    lose_the_answer_and_put_off_the_repeat(clock, mastodon, publish_due, "09:30")
    tomorrow = clock.moment + timedelta(days=1)
    services.move(delivery, at=WallTime.at(tomorrow, "Europe/Paris"), by=bob)
    mastodon.itself.keys_honoured = False
    delivery.refresh_from_db()
    assert delivery.prepare_at is not None
    clock.set(delivery.prepare_at)
    publish_due()
    assert state_of(delivery) == "scheduled"
    assert delivery.prepare_at is None
    assert delivery.steps.get().state == "unclear"
    clock.set(tomorrow)
    publish_due()
    clock.advance(minutes=1)
    publish_due()
    assert state_of(delivery) == "published"
    assert [entry.remote_id for entry in mastodon.accepted()] == [delivery.remote_id]


def test_a_freeze_over_a_doubt_ends_in_a_look_and_not_in_missed(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    post: Post,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
    alice: Member,
) -> None:
    delivery = promise(post)
    lose_the_answer_and_put_off_the_repeat(clock, mastodon, publish_due, "09:30")
    frozen = services.freeze(account, why="x", by=alice)
    assert state_of(delivery) == "held"
    clock.set("09:40")
    assert services.lift(frozen, by=alice) == []
    assert state_of(delivery) == "unclear"
    publish_due()
    assert state_of(delivery) == "published"
    assert len(mastodon.accepted()) == 1
    assert not Notice.objects.filter(kind="delivery.missed").exists()


def test_people_hear_once_of_a_doubt_that_we_cannot_look_into(
    clock: Clock, mastodon: Sandbox, forgetful: Account, delivery: Delivery, publish_due: Callable[[], None]
) -> None:
    mastodon.will_lose_answer(method="POST", path="statuses")
    publish_due()
    Account.objects.filter(pk=forgetful.pk).update(state="paused")
    for _ in range(3):
        clock.advance(minutes=5)
        publish_due()
    assert state_of(delivery) == "unclear"
    assert delivery.problem == sweep.NOT_CONNECTED
    told = Notice.objects.filter(kind="delivery.unclear")
    assert told.count() == len(set(told.values_list("user", flat=True))) > 0
    Account.objects.filter(pk=forgetful.pk).update(state="connected")
    publish_due()
    assert state_of(delivery) == "published"
    assert len(mastodon.accepted()) == 1


def test_a_network_that_cannot_be_asked_for_hours_is_asked_less_and_less_and_people_hear_once(
    clock: Clock, mastodon: Sandbox, forgetful: Account, delivery: Delivery, publish_due: Callable[[], None]
) -> None:
    mastodon.will_lose_answer(method="POST", path="statuses")
    publish_due()
    mastodon.will_answer(503, method="GET", path="statuses", times=1000)
    pauses = []
    while clock.moment < clock.at("12:00"):
        publish_due()
        delivery.refresh_from_db()
        assert delivery.look_at is not None
        pauses.append((delivery.look_at - clock.moment).total_seconds())
        clock.set(delivery.look_at)
    assert pauses[0] < 20 < 300 < min(pauses[8:])
    assert len(pauses) < 30
    looks = Attempt.objects.filter(step__delivery=delivery, kind=Attempt.Kind.LOOK, outcome="later")
    assert looks.count() == 1
    told = Notice.objects.filter(kind="delivery.unclear")
    assert told.count() == len(set(told.values_list("user", flat=True))) > 0
    mastodon.faults.clear()
    publish_due()
    assert state_of(delivery) == "published"
    assert len(mastodon.accepted()) == 1


def test_however_often_it_was_looked_for_it_is_looked_for_again(
    clock: Clock, mastodon: Sandbox, forgetful: Account, delivery: Delivery, publish_due: Callable[[], None]
) -> None:
    mastodon.will_lose_answer(method="POST", path="statuses")
    publish_due()
    Delivery.objects.filter(pk=delivery.pk).update(looks=32767)
    clock.advance(seconds=10)
    mastodon.will_answer(503, method="GET", path="statuses")
    publish_due()
    delivery.refresh_from_db()
    assert delivery.look_at is not None
    clock.set(delivery.look_at)
    publish_due()
    assert state_of(delivery) == "published"


def test_a_token_that_died_while_we_looked_disconnects_the_account(
    clock: Clock, mastodon: Sandbox, forgetful: Account, delivery: Delivery, publish_due: Callable[[], None]
) -> None:
    mastodon.will_lose_answer(method="POST", path="statuses")
    publish_due()
    clock.advance(seconds=10)
    mastodon.will_answer(401, method="GET", path="statuses")
    for _ in range(3):
        publish_due()
        clock.advance(minutes=20)
    forgetful.refresh_from_db()
    assert (state_of(delivery), forgetful.state) == ("unclear", "broken")
    kinds = Notice.objects.filter(user__memberships__role="owner").values_list("kind", flat=True)
    assert sorted(kinds) == ["account.broken", "delivery.unclear"]


def test_what_may_be_out_is_not_cancelled_but_looked_for(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    post: Post,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
    bob: Member,
) -> None:
    delivery = promise(post)
    lose_the_answer_and_put_off_the_repeat(clock, mastodon, publish_due, "09:30")
    assert services.cancel(delivery, by=bob).state == "unclear"
    clock.set("09:40")
    publish_due()
    assert state_of(delivery) == "published"
    assert len(mastodon.accepted()) == 1


def look_until_settled(delivery: Delivery, clock: Clock, publish_due: Callable[[], None]) -> str:
    for _ in range(12):
        publish_due()
        if state_of(delivery) not in ("unclear", "scheduled"):
            break
        clock.advance(seconds=30)
    return delivery.state


@pytest.mark.parametrize("parts", [("One",), ("One", "Two")])
def test_what_is_cancelled_while_in_doubt_and_never_arrived_is_never_sent(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
    bob: Member,
    parts: tuple[str, ...],
) -> None:
    delivery = promise(write_post(*parts, on=[account]))
    lose_the_answer_and_put_off_the_repeat(clock, mastodon, publish_due, "09:05", arrives=False)
    row = services.cancel(delivery, by=bob)
    assert (row.state, row.problem) == ("unclear", MAYBE_OUT)
    assert look_until_settled(delivery, clock, publish_due) == "cancelled"
    clock.set("09:30")
    publish_due()
    assert (state_of(delivery), mastodon.accepted()) == ("cancelled", [])
    assert not Notice.objects.exists()


def test_what_was_cancelled_in_doubt_goes_out_when_a_person_sends_it_again(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    post: Post,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
    bob: Member,
) -> None:
    delivery = promise(post)
    lose_the_answer_and_put_off_the_repeat(clock, mastodon, publish_due, "09:05", arrives=False)
    services.settle_absent(services.cancel(delivery, by=bob), by=bob)
    services.send_again(delivery, by=bob)
    clock.set("09:05")
    publish_due()
    assert (state_of(delivery), len(mastodon.accepted())) == ("published", 1)


def test_a_thread_cancelled_while_its_first_part_was_in_doubt_ends_there(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
    bob: Member,
) -> None:
    delivery = promise(write_post("One", "Two", on=[account]))
    lose_the_answer_and_put_off_the_repeat(clock, mastodon, publish_due, "09:05")
    services.cancel(delivery, by=bob)
    assert look_until_settled(delivery, clock, publish_due) == "partly"
    clock.set("09:30")
    publish_due()
    assert [entry.text for entry in mastodon.accepted()] == ["One"]
    assert Notice.objects.filter(kind="delivery.partly", user=bob.user).count() == 1


def test_a_late_answer_does_not_send_what_was_cancelled_meanwhile(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    post: Post,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    delivery = promise(post)

    async def slow() -> None:
        async with Database(2) as database:
            (lane,) = await claim.claim(database, most=5, publisher="slow")
            intent = _intent(delivery, lane)
            ((attempt, _at),) = [one for one in await record.begin(database, [intent]) if one is not None]
            clock.advance(seconds=11)
            await sweep.sweep(database)
            await in_thread(Delivery.objects.filter(pk=delivery.pk, state="unclear").update, called_off=True)
            told = Told(
                delivery_id=delivery.pk,
                lease=intent.lease,
                state="scheduled",
                next_at=clock.moment,
                step_id=intent.step_id,
                step_state="waiting",
                attempt_id=attempt,
                outcome="later",
            )
            await record.record(database, [told])

    asyncio.run(slow())
    assert look_until_settled(delivery, clock, publish_due) == "cancelled"
    assert mastodon.accepted() == []


def _intent(delivery: Delivery, lane: claim.Lane) -> Intent:
    (held,) = lane.deliveries
    step = held.steps[0]
    assert held.lease is not None
    return Intent(
        delivery_id=held.id,
        lease=held.lease,
        state="claimed",
        step_id=step.id,
        number=1,
        fingerprint="",
        progress={},
        content=step.content,
        post_version=held.post_version,
    )


def test_no_intent_is_written_down_under_a_lease_that_has_run_out(
    clock: Clock, account: Account, post: Post, promise: Callable[..., Delivery], mastodon: Sandbox
) -> None:
    delivery = promise(post)

    async def oversleep() -> None:
        async with Database(2) as database:
            (lane,) = await claim.claim(database, most=5, publisher="slow")
            clock.advance(seconds=LEASE.total_seconds() + 1)
            assert await record.begin(database, [_intent(delivery, lane)]) == [None]

    asyncio.run(oversleep())
    assert not Attempt.objects.exists()


def test_it_is_not_there_cannot_be_said_while_it_may_still_be_on_its_way(
    clock: Clock,
    telegram: Sandbox,
    telegram_account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
    bob: Member,
) -> None:
    delivery = promise(write_post("Good morning", on=[telegram_account]))

    async def die_after_the_intent() -> None:
        async with Database(2) as database:
            (lane,) = await claim.claim(database, most=5, publisher="dead")
            await record.begin(database, [_intent(delivery, lane)])

    asyncio.run(die_after_the_intent())
    clock.advance(seconds=11)
    publish_due()
    assert state_of(delivery) == "unclear"
    assert not Notice.objects.exists()  # whoever sent it may still tell
    with pytest.raises(NotNow, match="on its way"):
        services.settle_absent(delivery, by=bob)
    clock.advance(seconds=DEADLINE.total_seconds())
    publish_due()
    assert Notice.objects.filter(kind="delivery.unclear", user=bob.user).count() == 1
    assert services.settle_absent(delivery, by=bob).state == "missed"


def test_an_answer_that_came_after_the_lease_lets_the_thread_go_on(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    delivery = promise(write_post("One", "Two", on=[account]))
    first = mastodon.say(by="regie", text="One")

    async def slow() -> None:
        async with Database(2) as database:
            (lane,) = await claim.claim(database, most=5, publisher="slow")
            intent = _intent(delivery, lane)
            began = (await record.begin(database, [intent]))[0]
            assert began is not None
            clock.advance(seconds=11)
            await sweep.sweep(database)
            told = Told(
                delivery_id=delivery.pk,
                lease=intent.lease,
                state="sending",
                keep_lease=True,
                step_id=intent.step_id,
                step_state="published",
                step_remote_id=first,
                remote_id=first,
                attempt_id=began[0],
                outcome="published",
            )
            assert await record.record(database, [told]) == [True]

    asyncio.run(slow())
    assert (state_of(delivery), delivery.lease) == ("scheduled", None)
    publish_due()
    assert state_of(delivery) == "published"
    assert [entry.text for entry in mastodon.accepted("post") + mastodon.accepted("reply")][-1].endswith("Two")
    assert delivery.remote_id == first


@pytest.mark.parametrize("written", [True, False], ids=["written down", "not written down"])
def test_an_intent_after_which_nothing_was_said_leaves_no_doubt(
    clock: Clock,
    telegram: Sandbox,
    telegram_account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
    written: bool,
) -> None:
    delivery = promise(write_post("Good morning", on=[telegram_account]))

    async def cut_off() -> None:
        async with Database(2) as database:
            (lane,) = await claim.claim(database, most=5, publisher="cut off")
            intent = _intent(delivery, lane)
            if written:
                await record.begin(database, [intent])
            await record.unsaid(database, [intent])
            await claim.release(database, [lane])

    asyncio.run(cut_off())
    assert state_of(delivery) == "scheduled"
    assert list(Attempt.objects.values_list("outcome", flat=True)) == (["later"] if written else [])
    publish_due()
    assert state_of(delivery) == "published"
    assert telegram.texts() == ["Good morning"]


@pytest.mark.parametrize("second", ["lost", "dropped"])
def test_twins_in_doubt_together_each_take_their_own_post(
    clock: Clock,
    mastodon: Sandbox,
    forgetful: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
    second: str,
) -> None:
    twins = [promise(write_post("Open until six", on=[forgetful]), wall) for wall in ("09:01", "09:02")]
    mastodon.will_lose_answer(method="POST", path="statuses")
    clock.set("09:01")
    mastodon.faults.listing_lag = 90
    publish_due()
    clock.set("09:02")
    (mastodon.will_lose_answer if second == "lost" else mastodon.will_drop)(method="POST", path="statuses")
    publish_due()
    for _ in range(12):
        clock.advance(seconds=30)
        publish_due()
    assert [state_of(twin) for twin in twins] == ["published", "published"]
    ids = [entry.remote_id for entry in mastodon.accepted()]
    assert sorted(twin.remote_id for twin in twins) == sorted(ids)


def test_a_look_does_not_take_the_post_of_a_twin_whose_answer_is_on_its_way(
    clock: Clock,
    mastodon: Sandbox,
    forgetful: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    first = promise(write_post("Open until six", on=[forgetful]))
    mastodon.will_drop(method="POST", path="statuses")
    publish_due()
    second = promise(write_post("Open until six", on=[forgetful]), "09:01")
    clock.set("09:01")

    async def accepted_and_not_yet_written_down() -> None:
        async with Database(2) as database:
            (lane,) = await claim.claim(database, most=5, publisher="slow")
            assert (await record.begin(database, [_intent(second, lane)]))[0] is not None

    asyncio.run(accepted_and_not_yet_written_down())
    theirs = mastodon.say(by="regie", text="Open until six")
    clock.advance(seconds=5)
    publish_due()
    assert (state_of(first), first.remote_id) == ("unclear", "")
    clock.advance(seconds=DEADLINE.total_seconds())
    for _ in range(8):
        publish_due()
        clock.advance(seconds=30)
    assert [state_of(first), state_of(second)] == ["published", "published"]
    assert theirs in (first.remote_id, second.remote_id)
    assert len(mastodon.accepted()) == 2


def test_a_neighbour_that_reads_much_alike_and_is_in_doubt_too_asks_nobody(
    clock: Clock,
    mastodon: Sandbox,
    forgetful: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    monday, tuesday = (
        promise(write_post(f"On {day} we are open until six", on=[forgetful]), wall)
        for day, wall in (("Monday", "09:01"), ("Tuesday", "09:02"))
    )
    mastodon.faults.listing_lag = 400
    clock.set("09:01")
    mastodon.will_drop(method="POST", path="statuses")
    publish_due()
    clock.set("09:02")

    async def accepted_and_not_yet_written_down() -> None:
        async with Database(2) as database:
            (lane,) = await claim.claim(database, most=5, publisher="slow")
            assert (await record.begin(database, [_intent(tuesday, lane)]))[0] is not None

    asyncio.run(accepted_and_not_yet_written_down())
    mastodon.say(by="regie", text="On Tuesday we are open until six")
    mastodon.faults.listing_lag = 0
    for _ in range(20):
        clock.advance(seconds=15)
        publish_due()
    assert [state_of(monday), state_of(tuesday)] == ["published", "published"]
    assert len(mastodon.accepted()) == 2
    assert not Notice.objects.exists()


def test_a_thread_with_pictures_is_prepared_part_by_part(
    clock: Clock,
    bluesky: Sandbox,
    bluesky_account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
    picture: Callable[..., BytesIO],
    bob: Member,
) -> None:
    file = upload(workspace=bob.workspace, name="a.jpg", source=picture(), by=bob)
    post = write_post("One", "Two", on=[bluesky_account])
    for part in post.content["parts"]:
        part["media"] = [{"file": file.pk, "alt": "A wall"}]
    post.save()
    delivery = promise(post, "09:30")
    clock.set(clock.at("09:29") + timedelta(seconds=40))
    publish_due()
    assert (state_of(delivery), delivery.prepare_at) == ("scheduled", None)
    clock.set("09:30")
    publish_due()
    assert state_of(delivery) == "published"
    assert [entry.media for entry in bluesky.accepted("post") + bluesky.accepted("reply")] == [1, 1]


def test_nothing_is_written_to_a_network_after_the_time_to_speak(mastodon: Sandbox) -> None:
    from regie.accounts.opening import session
    from regie.core.outside import running, speak_until
    from regie.networks.line import NothingLeft, ask

    async def speak(until: float) -> int:
        async with session() as http:
            speak_until.set(until)
            return (await ask(http, "GET", f"{mastodon.base}/api/v1/instance")).status

    assert asyncio.run(speak(running() + 5)) == 200
    with pytest.raises(NothingLeft):
        asyncio.run(speak(running() - 0.01))


def test_not_even_the_head_of_a_request_is_written_by_one_that_slept_before_the_write(
    mastodon: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from regie.accounts.opening import session
    from regie.core import outside
    from regie.networks.line import NothingLeft, ask

    token = mastodon.network.ready_account()["credentials"]["access_token"]
    looks = iter([0.0, 100.0])  # when the connection is there, and when the words are to be written

    async def speak() -> int:
        async with session() as http:
            outside.speak_until.set(50.0)
            headers, said = {"Authorization": f"Bearer {token}"}, {"status": "Good morning"}
            url = f"{mastodon.base}/api/v1/statuses"
            first = await ask(http, "POST", url, headers=headers, json=said)
            monkeypatch.setattr(outside, "running", lambda: next(looks, 100.0))
            await ask(http, "POST", url, headers=headers, json=said)
            return first.status

    monkeypatch.setattr(outside, "running", lambda: 0.0)
    with pytest.raises(NothingLeft):
        asyncio.run(speak())
    assert len(mastodon.accepted()) == 1


def test_a_publisher_that_slept_after_its_intent_says_nothing(
    clock: Clock,
    mastodon: Sandbox,
    delivery: Delivery,
    publish_due: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from regie.core.outside import running as awake

    async def fall_asleep(database: Database, intents: Sequence[Intent]) -> Sequence[tuple[int, datetime] | None]:
        began = await begin(database, intents)
        slept.append(True)
        return began

    slept: list[bool] = []
    begin = record.begin
    monkeypatch.setattr(record, "begin", fall_asleep)
    monkeypatch.setattr("regie.publishing.engine.send.running", lambda: awake() + (3600 if slept else 0))
    publish_due()
    assert (state_of(delivery), mastodon.accepted()) == ("scheduled", [])
    assert Attempt.objects.get().outcome == "later"
    monkeypatch.undo()
    clock.advance(minutes=1)
    publish_due()
    assert state_of(delivery) == "published"
