"""Random sequences of what people do, what networks do and what kills publishers, against a small model of the promise:

each part goes out at most once, and in the end exactly once or a person is asked; nothing while it is frozen, nothing
before its time, nothing late without asking; what the networks have is what our tables say, or have in doubt.

``MODEL_EXAMPLES=500 pytest tests/publishing/test_model.py`` searches longer, and differently each time.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from regie.accounts.models import Account
from regie.core.errors import Problem
from regie.core.times import WallTime
from regie.people.models import Member
from regie.publishing import services
from regie.publishing.engine.publisher import Publisher
from regie.publishing.models import Delivery, Freeze, Installation, Lane, Step
from regie.publishing.states import State
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = ("repeatable", "record key", "search", "nobody knows")
COMMITS = {"mastodon": "statuses", "bluesky": "putRecord", "telegram": "sendMessage"}
LATE_MINUTES = 30
MARK = re.compile(r"<m\d+\.\d+>")
TABLES = ("studio_post", "studio_variant", "publishing_delivery", "publishing_step", "publishing_attempt")
DIES_AT = st.integers(1, 14)


class Dies(Exception):
    """The publisher is dead: no word of it reaches anybody any more, whatever its code goes on to do."""


class Mortal:
    """Lets a publisher live until its n-th word to the database or to a network, and end before or after it."""

    def __init__(self, publisher: Publisher, *, at: int, before: bool) -> None:
        self.left, self.before, self.dead = at, before, asyncio.Event()
        database, sender = publisher.database, publisher.sender
        for thing, name in ((database, "rows"), (database, "in_turn"), (sender, "_commit")):
            setattr(thing, name, self.around(getattr(thing, name)))

    def around(self, do: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **more: Any) -> Any:
            self.left -= 1
            if self.dead.is_set() or (self.left == 0 and self.before):
                self.die()
            result = await do(*args, **more)
            if self.dead.is_set() or self.left == 0:
                self.die()
            return result

        return call

    def die(self) -> None:
        self.dead.set()
        raise Dies


@dataclass
class World:
    """What all examples share: the networks, the clock, a publisher that lives through it all, two people."""

    clock: Clock
    networks: dict[str, Sandbox]
    connect: Callable[..., Account]
    write_post: Callable[..., Post]
    alice: Member
    bob: Member
    loop: asyncio.AbstractEventLoop
    publisher: Publisher
    examples: int = 0
    marks: int = 0
    kept: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)

    def publish(self) -> None:
        self.loop.run_until_complete(asyncio.wait_for(self.publisher.drain(), 30))

    def publish_and_die(self, *, at: int, before: bool) -> None:
        async def live() -> None:
            async with Publisher(name="doomed", in_flight=5, connections=2).open() as doomed:
                mortal = Mortal(doomed, at=at, before=before)
                working = asyncio.create_task(doomed.drain())
                dying = asyncio.create_task(mortal.dead.wait())
                await asyncio.wait([working, dying], return_when=asyncio.FIRST_COMPLETED)
                mortal.dead.set()
                for task in [working, dying, *doomed.lanes, *doomed.others]:
                    task.cancel()
                await asyncio.gather(working, dying, *doomed.lanes, *doomed.others, return_exceptions=True)

        with suppress(Dies):
            self.loop.run_until_complete(asyncio.wait_for(live(), 30))


def machine_in(world: World) -> type[RuleBasedStateMachine]:
    """The state machine, with the world in its reach."""

    class Promise(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.accounts: dict[str, Account] = {}
            self.accepted = self.count()
            self.backup: dict[str, list[tuple[Any, ...]]] = {}
            self.backed_up_at: datetime | None = None
            self.forgotten: set[int] = set()  # what a restore could not know

        @initialize(kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=2, unique=True))
        def connect(self, kinds: list[str]) -> None:
            """A few accounts, so that what happens happens to them together."""
            world.examples += 1
            for kind in kinds:
                self.accounts[kind] = world.connect(world.networks[kind], f"model{world.examples}")
            if "search" in kinds:
                self.accounts["search"].limits |= {"honours_key": False}
                self.accounts["search"].save()

        def kind(self, nth: int) -> str:
            return [*self.accounts][nth % len(self.accounts)]

        # What people do

        @rule(nth=st.integers(0, 1), minutes=st.integers(0, 3), parts=st.sampled_from((1, 1, 2)))
        def plan(self, nth: int, minutes: int, parts: int) -> None:
            kind = self.kind(nth)
            world.marks += 1
            texts = [f"Words of {kind} <m{world.marks}.{part}>" for part in range(parts)]
            post = world.write_post(*texts, on=[self.accounts[kind]])
            services.schedule(post=post, at=self.wall(minutes), by=world.bob, late_minutes=LATE_MINUTES)

        @rule(data=st.data(), minutes=st.integers(0, 3))
        def move(self, data: st.DataObject, minutes: int) -> None:
            self.act(data, lambda one: services.move(one, at=self.wall(minutes), by=world.bob))

        @rule(data=st.data())
        def cancel(self, data: st.DataObject) -> None:
            self.act(data, lambda one: services.cancel(one, by=world.bob))

        @rule(data=st.data())
        def undo(self, data: st.DataObject) -> None:
            self.act(data, lambda one: services.undo_cancel(one, by=world.bob))

        @rule(data=st.data())
        def send_again(self, data: st.DataObject) -> None:
            self.act(data, lambda one: services.send_again(one, by=world.bob))

        @rule(data=st.data())
        def settle(self, data: st.DataObject) -> None:
            self.act(data, self.settle_truthfully)

        @rule(nth=st.integers(0, 1), everything=st.booleans())
        def freeze(self, nth: int, everything: bool) -> None:
            thing = world.alice.workspace if everything else self.accounts[self.kind(nth)]
            services.freeze(thing, why="A crisis", by=world.alice)

        @rule()
        @precondition(lambda self: Freeze.objects.filter(lifted_at=None).exists())
        def lift(self) -> None:
            with suppress(Problem):
                services.lift(Freeze.objects.filter(lifted_at=None)[0], by=world.alice)

        # What happens

        @rule(seconds=st.sampled_from((3, 15, 60, 150, 600, 5400)))
        def time_goes_by(self, seconds: int) -> None:
            world.clock.advance(seconds=seconds)

        @rule(seconds=st.sampled_from((0, 10, 15, 60)))
        def publish(self, seconds: int) -> None:
            world.clock.advance(seconds=seconds)
            world.publish()
            self.look_at_what_went_out()

        @rule(at=DIES_AT, before=st.booleans())
        def a_publisher_dies(self, at: int, before: bool) -> None:
            world.publish_and_die(at=at, before=before)
            self.look_at_what_went_out()

        @rule(
            nth=st.integers(0, 1),
            first=st.sampled_from(("lose", "lose", "drop", "done but 503", "503", "429", "422")),
            then=st.sampled_from(("", "", "429", "429", "503", "lose")),
        )
        def a_network_has_a_bad_moment(self, nth: int, first: str, then: str) -> None:
            for what in filter(None, (first, then)):
                self.go_wrong(self.kind(nth), what)

        def go_wrong(self, kind: str, what: str) -> None:
            """At the next visible call for which nothing was foreseen yet."""
            faults = world.networks[kind].faults
            where: dict[str, Any] = {"path": COMMITS[self.accounts[kind].network], "method": "POST"}
            match what:
                case "lose":
                    faults.will_lose_answer(**where)
                case "drop":
                    faults.will_drop(**where)
                case "done but 503":
                    faults.will_do_but_answer(503, **where)
                case "422" if kind != "repeatable" and kind != "search":
                    pass  # the others say no in bodies of their own
                case status:
                    faults.will_answer(int(status), **where)

        @rule()
        def back_up(self) -> None:
            self.backup = {table: rows_of(table) for table in TABLES}
            self.backed_up_at, self.forgotten = world.clock.moment, set()

        @rule()
        @precondition(lambda self: self.backed_up_at is not None)
        def restore(self) -> None:
            put_back(self.backup)
            assert self.backed_up_at is not None
            services.start_frozen_after_restore(backed_up_at=self.backed_up_at)

        # The promise

        @invariant()
        def nothing_is_out_twice(self) -> None:
            assert not {mark: count for mark, count in self.out().items() if count > 1}

        @invariant()
        def our_tables_say_what_the_networks_have(self) -> None:
            out = self.out()
            for step in Step.objects.exclude(state="dropped").select_related("delivery"):
                mark = mark_of(step.content["text"])
                if step.state == "published":
                    assert out[mark] == 1, f"{mark} is not there"
                elif out[mark] and not self.is_forgotten(step.delivery):
                    assert step.state in ("sending", "unclear", "processing"), f"{mark} is out, and {step.state}"
                    assert step.delivery.state not in ("cancelled", "missed", "refused"), step.delivery.state

        def look_at_what_went_out(self) -> None:
            """New entries of the ledgers: for none of them was there a reason not to go."""
            accepted = self.count()
            frozen = self.frozen_accounts()
            for mark in accepted - self.accepted:
                step = Step.objects.select_related("delivery").filter(content__text__contains=mark).first()
                if step is None or self.is_forgotten(step.delivery):
                    continue
                delivery = step.delivery
                assert delivery.account_id not in frozen, f"{mark} went out while frozen"
                assert delivery.due_at <= world.clock.moment, f"{mark} went out before its time"
                latest = delivery.due_at + timedelta(minutes=LATE_MINUTES)
                assert world.clock.moment <= latest, f"{mark} went out late, and nobody was asked"
            self.accepted = accepted

        def teardown(self) -> None:
            """People do what is left to them; in the end all is out once, or was let go and is not there."""
            try:
                for sandbox in world.networks.values():
                    sandbox.faults.clear()
                for _ in range(12):
                    self.wait_and_help()
                    if not Delivery.objects.exclude(state__in=("published", "cancelled", "missed")).exists():
                        break
                left = Counter(Delivery.objects.exclude(state__in=("published", "cancelled")).values_list("state"))
                assert not {state: n for state, n in left.items() if state != ("missed",)}, left
                self.nothing_is_out_twice()
                self.our_tables_say_what_the_networks_have()
            finally:
                empty_tables()

        def wait_and_help(self) -> None:
            for frozen in Freeze.objects.filter(lifted_at=None):
                with suppress(Problem):
                    services.lift(frozen, by=world.alice)
            for delivery in Delivery.objects.all():
                with suppress(Problem):
                    match delivery.state:
                        case State.UNCLEAR if delivery.look_at is None and delivery.lease is None:
                            self.settle_truthfully(delivery)
                        case State.REFUSED:
                            services.send_again(delivery, by=world.bob)
                        case State.PARTLY:
                            services.finish_partly(delivery, by=world.bob)
            world.clock.advance(seconds=45)
            world.publish()
            self.look_at_what_went_out()

        # What the model knows

        def wall(self, minutes: int) -> WallTime:
            return WallTime.at(world.clock.moment + timedelta(minutes=minutes), "Europe/Paris")

        def act(self, data: st.DataObject, do: Callable[[Delivery], object]) -> None:
            """On one of the deliveries, when there are any; what is refused with a sentence is refused."""
            numbers = sorted(Delivery.objects.values_list("pk", flat=True))
            if numbers:
                chosen = data.draw(st.sampled_from(range(len(numbers))))
                self.forgotten.add(numbers[chosen])
                with suppress(Problem):
                    do(Delivery.objects.get(pk=numbers[chosen]))

        def is_forgotten(self, delivery: Delivery) -> bool:
            """What people changed between a backup and its restore, no restored table can know."""
            restored = Installation.objects.filter(restored_at__isnull=False).exists()
            return restored and delivery.pk in self.forgotten

        def settle_truthfully(self, delivery: Delivery) -> None:
            step = delivery.steps.exclude(state="published").order_by("position").first()
            assert step is not None or delivery.state != "unclear"
            if step is None:
                return
            there = self.remote_ids().get(mark_of(step.content["text"]))
            if there is not None:
                services.settle_there(delivery, link=there, by=world.bob)
            else:
                services.settle_absent(delivery, by=world.bob)

        def remote_ids(self) -> dict[str, str]:
            return {
                mark_of(entry.text): entry.remote_id
                for sandbox in world.networks.values()
                for entry in sandbox.accepted()
                if entry.kind in ("post", "reply") and MARK.search(entry.text)
            }

        def count(self) -> Counter[str]:
            return Counter(
                mark_of(entry.text)
                for sandbox in world.networks.values()
                for entry in sandbox.accepted()
                if entry.kind in ("post", "reply") and MARK.search(entry.text)
            )

        out = count

        def frozen_accounts(self) -> set[int]:
            return {
                account.pk
                for account in self.accounts.values()
                for freeze in Freeze.objects.filter(lifted_at=None)
                if freeze.account_id in (None, account.pk)
            }

    return Promise


def mark_of(text: str) -> str:
    found = MARK.search(text)
    return found[0] if found else ""


def rows_of(table: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY id")
        return list(cursor.fetchall())


def put_back(kept: dict[str, list[tuple[Any, ...]]]) -> None:
    """The tables as they were at the backup, whatever our own rules say."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for table in reversed(TABLES):
            cursor.execute(f"DELETE FROM {table}")
        for table, rows in kept.items():
            cursor.executemany(
                f"INSERT INTO {table} SELECT r.* FROM jsonb_populate_record(NULL::{table}, %s::jsonb) r", rows
            )
        cursor.execute("DELETE FROM publishing_lane")
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("UPDATE publishing_delivery SET next_at = next_at WHERE state = 'scheduled'")  # makes the lanes


def empty_tables() -> None:
    put_back({})
    Freeze.objects.all().delete()
    Installation.objects.all().delete()
    assert not Lane.objects.exists()


@pytest.fixture
def world(
    clock: Clock,
    mastodon: Sandbox,
    bluesky: Sandbox,
    telegram: Sandbox,
    connect: Callable[..., Account],
    write_post: Callable[..., Post],
    alice: Member,
    bob: Member,
    settings: Any,
) -> Iterator[World]:
    from regie_sandbox.frame import World as Networks
    from regie_sandbox.registry import network
    from regie_sandbox.server import in_thread

    alice.user.is_operator = True
    alice.user.save()
    second = Networks(seed=8)
    second.clock.set(clock.moment)
    clock.followers.append(second.clock.set)
    network("mastodon", second)
    loop = asyncio.new_event_loop()
    with in_thread(second) as running:
        settings.ALLOWED_HOSTS_OUT = [*settings.ALLOWED_HOSTS_OUT, running.base["mastodon"]]
        second.networks["mastodon"].keys_honoured = False
        networks = dict(
            zip(KINDS, (mastodon, bluesky, type(mastodon)(second.networks["mastodon"]), telegram), strict=True)
        )
        stack = AsyncExitStack()
        publisher = loop.run_until_complete(
            stack.enter_async_context(Publisher(name="model", in_flight=20, connections=3).open())
        )
        try:
            yield World(clock, networks, connect, write_post, alice, bob, loop, publisher)
        finally:
            loop.run_until_complete(stack.aclose())
            loop.close()


def test_whatever_happens_the_promise_is_kept(world: World) -> None:
    more = os.environ.get("MODEL_EXAMPLES")
    run_state_machine_as_test(
        machine_in(world),
        settings=settings(
            max_examples=int(more or 12),
            stateful_step_count=40 if more else 25,
            deadline=None,
            derandomize=not more,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("kind", ["search", "record key"])
def test_parts_that_went_out_after_a_backup_that_had_the_first_in_doubt_are_looked_for(world: World, kind: str) -> None:
    """The model found it: they were taken for never sent, and went out again when people finished the thread."""
    account = world.connect(world.networks[kind], "thread")
    account.limits |= {"honours_key": False}
    account.save()
    post = world.write_post("First <m1.0>", "Second <m1.1>", on=[account])
    now = WallTime.at(world.clock.moment, "Europe/Paris")
    delivery = services.schedule(post=post, at=now, by=world.bob, late_minutes=LATE_MINUTES)[0]
    world.networks[kind].faults.will_lose_answer(path=COMMITS[account.network], method="POST")
    world.publish()
    assert Delivery.objects.get().state == "unclear"
    backup, backed_up_at = {table: rows_of(table) for table in TABLES}, world.clock.moment

    publish_for_minutes(world, 6)
    assert Delivery.objects.get().state == "published"
    put_back(backup)
    frozen = services.start_frozen_after_restore(backed_up_at=backed_up_at)
    publish_for_minutes(world, 6)
    services.lift(frozen, by=world.alice)
    with suppress(Problem):
        services.finish_partly(delivery, by=world.bob)
    publish_for_minutes(world, 6)
    assert Delivery.objects.get().state == "published"
    assert [entry.text for entry in world.networks[kind].accepted() if "<m1." in entry.text] == [
        "First <m1.0>",
        "Second <m1.1>",
    ]
    empty_tables()


def publish_for_minutes(world: World, minutes: int) -> None:
    for _ in range(minutes):
        world.clock.advance(seconds=60)
        world.publish()
