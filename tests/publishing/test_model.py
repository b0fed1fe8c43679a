"""Random sequences of what people do, what networks do and what kills publishers, against a small model of the promise:

each part goes out at most once, and in the end exactly once or a person is asked; nothing while it is frozen, nothing
before its time, nothing late without asking, nothing once it was cancelled; what the networks have is what our tables
say, or have in doubt.

First it walks to where single mistakes of the engine would show (``WALKS``), then it draws examples.
Without a word it always tries the same ones. ``MODEL_SEED=7 pytest tests/publishing/test_model.py`` tries others,
``MODEL_EXAMPLES=500`` more of them, and longer ones; ``MODEL_SHRINK=1`` makes what was found as short as it can be,
which takes minutes.
"""

from __future__ import annotations

import asyncio
import functools
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from regie.accounts.models import Account
from regie.core.errors import Problem
from regie.core.times import WallTime
from regie.people.models import Member
from regie.publishing import services
from regie.publishing.engine.publisher import Publisher
from regie.publishing.models import Attempt, Delivery, Freeze, Installation, Lane, Step
from regie.publishing.states import State
from regie.studio import services as studio
from regie.studio.content import Content, Part
from regie.studio.models import Post
from regie.studio.services import Given, Written

from .backups import Backup, back_up, put_back
from .puppets import PATIENCE, Moment, Puppet, ahead, everything, lanes

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = ("repeatable", "record key", "search", "nobody knows")
COMMITS = {"mastodon": "statuses", "bluesky": "putRecord", "telegram": "sendMessage"}
LATE_MINUTES = 30
MARK = re.compile(r"<m\d+\.\d+>")
Result = TypeVar("Result")
SEED, EXAMPLES, STEPS = 1, 14, 6
MOST_ASLEEP = 2
SLACK = timedelta(seconds=30)  # what began in time may leave so much later: a lease, and a quarter of a call
SHOWN_LATER = 20.0  # seconds; Mastodon is said to list what it took within 30

# The moments between which the promise could break; and any other, by its number
TELLING = [Moment(word, nth, before) for word in ("intent", "call") for nth in (1, 2) for before in (True, False)]
TELLING += [Moment("outcome", nth) for nth in (1, 2)] + [Moment("look")]
PARTS = st.sampled_from(("one", "one", "one", "two", "comment"))
ANY = [Moment("any", nth, before) for nth in range(1, 15) for before in (True, False)]
MOMENTS = st.sampled_from([*TELLING * 3, *ANY])
UNDER_A_CLAIM = st.sampled_from([Moment("intent")] * 20 + [*TELLING, *ANY[:10]])
FAULTS = st.sampled_from(("lose", "lose", "lose", "drop", "done but 503", "503", "429", ""))
# Where repeating is safe most mistakes do no harm: the other kinds come more often
TOGETHER = (
    ("search",),
    ("search", "nobody knows"),
    ("nobody knows", "search"),
    ("search", "repeatable"),
    ("record key",),
)
MINDS = ("edit", "move", "cancel", "undo", "send again", "settle", "freeze", "freeze all", "lift")
EVENTS = (
    "time goes by",
    "a publisher dies",
    "one falls asleep",
    "one claims ahead",
    "one wakes up",
    "a backup",
    "a restore",
)
PAUSES = st.lists(st.sampled_from((3, 9, 12, 12, 40, 100, 200)), min_size=1, max_size=3)


class Broken(BaseException):
    """The promise was not kept, in these steps. What hypothesis does not know as a failure it does not try again: the
    first account of it is the one that is shown."""


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
    began_at: datetime
    shrinks: bool = False
    examples: int = 0
    marks: int = 0

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.loop.run_until_complete(asyncio.wait_for(work, 2 * PATIENCE))

    def publish(self) -> None:
        self.run(self.publisher.drain())

    def elapsed(self) -> float:
        """Seconds that the clock was moved: for what measures on a clock that nobody sets, and no real one of ours,
        so that a slow machine changes nothing."""
        return (self.clock.moment - self.began_at).total_seconds()


def told(happens: Callable[..., None]) -> Callable[..., None]:
    """Writes down each step, for the account of what broke the promise."""

    @functools.wraps(happens)
    def step(self: Any, *given: Any, **drawn: Any) -> None:
        said = [*map(repr, given), *(f"{name}={value!r}" for name, value in drawn.items())]
        self.story.append(f"{happens.__name__}({', '.join(said)})")
        happens(self, *given, **drawn)

    return step


def machine_in(world: World) -> type[RuleBasedStateMachine]:
    """The state machine, with the world in its reach."""

    class Promise(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.story: list[str] = []
            self.accounts: dict[str, Account] = {}
            self.accepted = self.count()
            self.asleep: list[Puppet] = []
            self.corrected: set[str] = set()  # words that were changed before anybody had begun to say them
            self.corrected_at_backup: set[str] = set()
            self.passed_at_backup: set[str] = set()
            self.backup: Backup | None = None
            self.forgotten: set[int] = set()  # what a restore could not know
            self.cancelled: set[str] = set()  # nothing more of them goes out
            self.cancelled_at_backup: set[str] = set()
            self.passed: set[str] = set()  # their time passed under a freeze: theirs to send who lifted it

        @initialize(kinds=st.sampled_from(TOGETHER))
        @told
        def connect(self, kinds: tuple[str, ...]) -> None:
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

        @rule(nth=st.integers(0, 1), minutes=st.integers(0, 3), parts=PARTS)
        @told
        def plan(self, nth: int, minutes: int, parts: str) -> None:
            self.promise(nth, minutes=minutes, parts=parts)

        def promise(self, nth: int, *, parts: str, minutes: int = 0) -> Delivery:
            kind = self.kind(nth)
            texts = self.words(kind, parts)
            comment = {"first_comment": texts.pop()} if parts == "comment" else {}
            post = world.write_post(*texts, on=[self.accounts[kind]], **comment)
            at = self.wall(minutes)
            return services.schedule(post=post, at=at, by=world.bob, late_minutes=LATE_MINUTES)[0]

        def words(self, kind: str, parts: str) -> list[str]:
            world.marks += 1
            return [f"Words of {kind} <m{world.marks}.{part}>" for part in range(1 if parts == "one" else 2)]

        @rule(which=st.integers(0, 7), what=st.sampled_from(MINDS), nth=st.integers(0, 1), minutes=st.integers(0, 3))
        @told
        def people_change_their_minds(self, which: int, what: str, nth: int, minutes: int) -> None:
            match what:
                case "edit":
                    self.act(which, self.correct)
                case "move":
                    self.act(which, lambda one: services.move(one, at=self.wall(minutes), by=world.bob))
                case "cancel":
                    self.act(which, self.cancel)
                case "undo":
                    self.act(which, lambda one: services.undo_cancel(one, by=world.bob))
                case "send again":
                    self.act(which, lambda one: services.send_again(one, by=world.bob))
                case "settle":
                    self.act(which, self.settle_truthfully)
                case "freeze":
                    self.freeze(self.accounts[self.kind(nth)])
                case "freeze all":
                    self.freeze(world.alice.workspace)
                case "lift":
                    self.lift()

        def cancel(self, delivery: Delivery) -> None:
            services.cancel(delivery, by=world.bob)
            self.cancelled |= marks_of(delivery)

        def freeze(self, thing: Any) -> None:
            """What comes after it is told from what came before."""
            world.clock.advance(seconds=1)
            services.freeze(thing, why="A crisis", by=world.alice)
            world.clock.advance(seconds=1)

        def lift(self) -> None:
            for frozen in Freeze.objects.filter(lifted_at=None)[:1]:
                self.lift_one(frozen)

        def lift_one(self, frozen: Freeze) -> None:
            held = Step.objects.filter(delivery__state="held", delivery__due_at__lt=world.clock.moment)
            passed = {mark_of(step.content["text"]) for step in held.exclude(delivery__steps__state="unclear")}
            with suppress(Problem):
                services.lift(frozen, by=world.alice)
                self.passed |= passed

        def correct(self, delivery: Delivery) -> None:
            """Other words; the old ones must not go out any more where nobody had begun to say them."""
            variant = delivery.variant
            written = variant.document
            old = [*(part.text for part in written.parts), *filter(None, [written.first_comment])]
            new = self.words(f"correction {variant.pk}", "one" if len(old) == 1 else "two")
            comment = new.pop() if written.first_comment else ""
            content = Content(parts=[Part(text=text) for text in new], first_comment=comment)
            begun = Attempt.objects.filter(step__delivery=delivery).exists()
            studio.save(
                post=variant.post,
                workspace=variant.post.workspace,
                written=Written(content=content, on={delivery.account_id: Given()}),
                version=variant.post.version,
                by=world.bob,
            )
            if not begun:
                self.corrected |= {mark_of(text) for text in old}

        # What happens

        @rule(what=st.sampled_from(EVENTS), moment=MOMENTS, seconds=st.sampled_from((3, 15, 60, 150, 600, 5400)))
        @told
        def something_happens(self, what: str, moment: Moment, seconds: int) -> None:
            match what:
                case "time goes by":
                    world.clock.advance(seconds=seconds)
                case "a publisher dies":
                    self.until(moment, everything, dies=True)
                case "one falls asleep" if len(self.asleep) < MOST_ASLEEP:
                    self.until(moment, everything)
                case "one claims ahead" if len(self.asleep) < MOST_ASLEEP:
                    self.a_publisher_claims_ahead()
                case "one wakes up" if self.asleep:
                    self.wake(-1)
                case "a backup":
                    self.back_up()
                case "a restore" if self.backup is not None:
                    self.restore()

        @rule(seconds=st.sampled_from((0, 10, 15, 60)))
        @told
        def publish(self, seconds: int) -> None:
            world.clock.advance(seconds=seconds)
            world.publish()
            self.look_at_what_went_out()

        def publish_what_is_due_without_putting_things_right(self, seconds: int) -> None:
            """As a publisher does between two of its sweeps."""
            world.clock.advance(seconds=seconds)
            self.until(Moment("never"), lanes)

        def a_publisher_claims_ahead(self) -> None:
            """What is due next is claimed a moment before, and waits for its hour while other things happen."""
            coming = (
                Delivery.objects.filter(state="scheduled", due_at__gt=world.clock.moment).order_by("due_at").first()
            )
            if coming is not None:
                world.clock.set(coming.due_at - timedelta(milliseconds=150))
                self.until(Moment("hour", before=False), ahead)

        def until(
            self, moment: Moment, work: Callable[[Publisher], Coroutine[Any, Any, None]], dies: bool = False
        ) -> None:
            """A publisher of its own works until a moment of its life; when that never comes it leaves in order."""
            puppet = world.run(Puppet(until=moment, dies=dies).begin())
            world.run(puppet.live(work))
            if puppet.sleeps:
                self.asleep.append(puppet)
            else:
                world.run(puppet.leave())
            self.look_at_what_went_out()

        def wake(self, nth: int) -> None:
            puppet = self.asleep.pop(nth)
            if puppet.until.word == "hour":  # it sleeps until then, and may oversleep
                claimed = Delivery.objects.filter(publisher=puppet.publisher.name, state="claimed")
                world.clock.set(max([world.clock.moment, *claimed.values_list("due_at", flat=True)]))
            world.run(puppet.wake())
            self.look_at_what_went_out()

        def wake_all(self) -> None:
            while self.asleep:
                self.wake(0)

        def nobody_is_left(self) -> None:
            for puppet in self.asleep:
                world.run(puppet.leave())
            self.asleep.clear()

        # What leads to where it could go wrong, which rules drawn one by one seldom reach

        @rule(nth=st.integers(0, 1), parts=PARTS, first=FAULTS, then=FAULTS, a=MOMENTS, b=MOMENTS, pauses=PAUSES)
        @told
        def another_takes_over_and_both_go_on(
            self, nth: int, parts: str, first: str, then: str, a: Moment, b: Moment, pauses: list[int]
        ) -> None:
            """One falls asleep, another takes its work over and falls asleep too, then both wake up."""
            self.nobody_is_left()
            self.promise(nth, parts=parts)
            self.go_wrong(self.kind(nth), first)
            self.until(a, everything)
            self.go_wrong(self.kind(nth), then)
            for seconds in pauses:
                world.clock.advance(seconds=seconds)
                if len(self.asleep) < MOST_ASLEEP:
                    self.until(b, everything)
                else:
                    self.publish(0)
            self.wake_all()
            self.publish(0)

        @rule(nth=st.integers(0, 1), parts=PARTS, first=FAULTS, moment=MOMENTS, then=FAULTS, pauses=PAUSES)
        @told
        def an_answer_is_lost_then_a_publisher(
            self, nth: int, parts: str, first: str, moment: Moment, then: str, pauses: list[int]
        ) -> None:
            """Something goes wrong, the publisher that met it dies, others take over, and that goes wrong too."""
            self.promise(nth, parts=parts)
            self.go_wrong(self.kind(nth), first)
            self.until(moment, everything, dies=True)
            self.go_wrong(self.kind(nth), then)
            for seconds in pauses:
                self.publish(seconds)

        @rule(
            nth=st.integers(0, 1),
            parts=PARTS,
            minutes=st.sampled_from((0, 0, 1)),
            moment=UNDER_A_CLAIM,
            fault=FAULTS,
            what=st.sampled_from(("freeze", "freeze", "freeze", "edit", "edit", "edit", "cancel", "move")),
            seconds=st.sampled_from((0, 0, 1, 8, 12)),
            pauses=PAUSES,
        )
        @told
        def something_changes_under_a_claim(
            self,
            nth: int,
            parts: str,
            minutes: int,
            moment: Moment,
            fault: str,
            what: str,
            seconds: int,
            pauses: list[int],
        ) -> None:
            """People change their minds between any two words of a publisher; it wakes up soon, or after its lease."""
            self.nobody_is_left()
            delivery = self.promise(nth, parts=parts, minutes=minutes)
            self.go_wrong(self.kind(nth), fault)
            if minutes:
                self.a_publisher_claims_ahead()
            else:
                self.until(moment, everything)
            self.change(delivery, what)
            world.clock.advance(seconds=seconds)
            self.wake_all()
            for pause in pauses:
                self.publish_what_is_due_without_putting_things_right(pause)

        def change(self, delivery: Delivery, what: str) -> None:
            delivery = Delivery.objects.get(pk=delivery.pk)
            self.people_decide_about(delivery)
            with suppress(Problem):
                match what:
                    case "freeze":
                        self.freeze(delivery.account)
                    case "edit":
                        self.correct(delivery)
                    case "cancel":
                        self.cancel(delivery)
                    case "move":
                        services.move(delivery, at=self.wall(2), by=world.bob)
                    case "move a little":
                        services.move(delivery, at=self.wall(1 / 6), by=world.bob)
                    case "send again":
                        services.send_again(delivery, by=world.bob)

        def people_decide_about(self, delivery: Delivery) -> None:
            self.forgotten.add(delivery.pk)
            self.people_want(delivery)

        def people_want(self, delivery: Delivery) -> None:
            """It is theirs to send again, also what was too late or called off."""
            self.passed -= marks_of(delivery)
            self.cancelled -= marks_of(delivery)

        @rule(
            nth=st.integers(0, 1),
            parts=PARTS,
            minutes=st.integers(0, 1),
            what=st.sampled_from(("edit", "move", "cancel", "nothing", "nothing")),
            fault=FAULTS,
            pauses=PAUSES,
        )
        @told
        def a_backup_comes_back(
            self, nth: int, parts: str, minutes: int, what: str, fault: str, pauses: list[int]
        ) -> None:
            """What is planned in a backup goes out, or not; then the backup is all there is."""
            delivery = self.promise(nth, parts=parts, minutes=minutes)
            self.back_up()
            self.change(delivery, what)
            self.go_wrong(self.kind(nth), fault)
            for seconds in pauses:
                self.publish(seconds)
            self.restore()
            self.publish(0)
            self.publish(60)
            self.publish(90)
            self.lift()
            self.publish(0)

        @rule(
            nth=st.integers(0, 1),
            parts=PARTS,
            left=st.sampled_from(("missed", "refused")),
            once=st.booleans(),
            fault=FAULTS,
            pauses=PAUSES,
        )
        @told
        def people_send_again_what_a_backup_left_to_them(
            self, nth: int, parts: str, left: str, once: bool, fault: str, pauses: list[int]
        ) -> None:
            """Missed or refused in a backup, and sent again after it, perhaps; after the restore once more."""
            delivery = self.promise(nth, parts=parts)
            if left == "missed":
                world.clock.advance(minutes=LATE_MINUTES + 1)
            else:
                self.go_wrong(self.kind(nth), "422")
            self.publish(0)
            self.back_up()
            if once:
                self.change(delivery, "send again")
            self.go_wrong(self.kind(nth), fault)
            for seconds in pauses:
                self.publish(seconds)
            self.restore()
            self.publish(0)
            self.lift()
            self.change(delivery, "send again")
            for seconds in (0, 60, 90):
                self.publish(seconds)

        @rule(nth=st.integers(0, 1), parts=PARTS, fault=FAULTS, pauses=PAUSES)
        @told
        def lists_lag(self, nth: int, parts: str, fault: str, pauses: list[int]) -> None:
            """A network shows what it took some seconds later, while we look for it."""
            world.networks[self.kind(nth)].faults.listing_lag = SHOWN_LATER
            self.promise(nth, parts=parts)
            self.go_wrong(self.kind(nth), fault)
            for seconds in (0, *pauses):
                self.publish(seconds)

        @rule(
            nth=st.integers(0, 1),
            first=st.sampled_from(("lose", "lose", "drop", "done but 503", "503", "429", "422")),
            then=st.sampled_from(("", "", "429", "429", "503", "lose")),
        )
        @told
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
                case "":
                    pass
                case "422" if kind != "repeatable" and kind != "search":
                    pass  # the others say no in bodies of their own
                case status:
                    faults.will_answer(int(status), **where)

        def back_up(self) -> None:
            self.backup, self.forgotten = back_up(), set()
            self.corrected_at_backup, self.passed_at_backup = set(self.corrected), set(self.passed)
            self.cancelled_at_backup = set(self.cancelled)

        def restore(self) -> None:
            self.nobody_is_left()
            assert self.backup is not None
            self.backup.restore()
            self.corrected, self.passed = set(self.corrected_at_backup), set(self.passed_at_backup)
            self.cancelled = set(self.cancelled_at_backup)

        # The promise

        @invariant()
        def nothing_is_out_twice(self) -> None:
            twice = {mark: count for mark, count in self.out().items() if count > 1}
            assert not twice, f"out more than once: {twice}"

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
            fresh = accepted - self.accepted
            steps = {mark_of(step.content["text"]): step for step in Step.objects.select_related("delivery")}
            for mark in fresh:
                assert mark not in self.corrected, f"{mark} went out after its words were changed"
                assert mark not in self.cancelled, f"{mark} went out after it was cancelled"
                assert mark not in self.passed, f"{mark} went out after a freeze in which its time had passed"
                step = steps.get(mark)
                if step is None or self.is_forgotten(step.delivery):
                    continue
                delivery = step.delivery
                assert not self.was_frozen(step), f"{mark} went out while frozen"
                assert delivery.due_at <= world.clock.moment, f"{mark} went out before its time"
                latest = delivery.due_at + timedelta(minutes=LATE_MINUTES) + SLACK
                assert world.clock.moment <= latest, f"{mark} went out late, and nobody was asked"
            self.accepted = accepted

        def was_frozen(self, step: Step) -> bool:
            """Before this call was written down; for a further part, before its thread had begun to go out."""
            began = Attempt.objects.filter(step=step, kind="commit").order_by("-number")[0].began_at
            if step.position and step.delivery.sent_at:
                began = step.delivery.sent_at
            freezes = Freeze.objects.filter(lifted_at=None, at__lt=began)
            return any(freeze.account_id in (None, step.delivery.account_id) for freeze in freezes)

        def teardown(self) -> None:
            failure = sys.exc_info()[1]
            try:
                if failure is None:
                    self.come_to_an_end()
            except AssertionError as exc:
                failure = exc
                raise
            finally:
                for sandbox in world.networks.values():
                    sandbox.faults.clear()
                self.nobody_is_left()
                empty_tables()
                if isinstance(failure, Exception) and not world.shrinks:
                    steps = "\n".join(self.story)
                    raise Broken(f"{failure}\nin example {world.examples}:\n{steps}") from failure

        def come_to_an_end(self) -> None:
            """People do what is left to them; in the end all is out once, or was let go and is not there."""
            self.wake_all()
            for sandbox in world.networks.values():
                sandbox.faults.clear()
            for seconds in (*[45] * 12, *[900] * 12):  # after many tries the pauses are long
                self.wait_and_help(seconds)
                if not Delivery.objects.exclude(state__in=("published", "cancelled", "missed")).exists():
                    break
            left = Counter(
                Delivery.objects.exclude(state__in=("published", "cancelled")).values_list("state", flat=True)
            )
            assert not set(left) - {"missed"}, f"left over: {dict(left)}"
            self.nothing_is_out_twice()
            self.our_tables_say_what_the_networks_have()

        def wait_and_help(self, seconds: int) -> None:
            for frozen in Freeze.objects.filter(lifted_at=None):
                self.lift_one(frozen)
            for delivery in Delivery.objects.all():
                if delivery.state in (State.REFUSED, State.PARTLY):
                    self.people_want(delivery)
                with suppress(Problem):
                    match delivery.state:
                        case State.UNCLEAR if delivery.look_at is None and delivery.lease is None:
                            self.settle_truthfully(delivery)
                        case State.REFUSED:
                            services.send_again(delivery, by=world.bob)
                        case State.PARTLY:
                            services.finish_partly(delivery, by=world.bob)
            world.clock.advance(seconds=seconds)
            world.publish()
            self.look_at_what_went_out()

        # What the model knows

        def wall(self, minutes: float) -> WallTime:
            return WallTime.at(world.clock.moment + timedelta(minutes=minutes), "Europe/Paris")

        def act(self, which: int, do: Callable[[Delivery], object]) -> None:
            """On one of the deliveries, when there are any; what is refused with a sentence is refused."""
            numbers = sorted(Delivery.objects.values_list("pk", flat=True))
            if numbers:
                chosen = Delivery.objects.get(pk=numbers[which % len(numbers)])
                self.people_decide_about(chosen)
                with suppress(Problem):
                    do(chosen)

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

    return Promise


NEVER = Moment("never")


def a_lost_answer(m: Any) -> None:
    m.an_answer_is_lost_then_a_publisher(nth=0, parts="one", first="lose", moment=NEVER, then="", pauses=[12])


def a_list_that_lags_behind_a_lost_answer(m: Any) -> None:
    m.lists_lag(nth=0, parts="one", fault="lose", pauses=[3, 9, 12, 40])


def other_words_under_a_claim(m: Any) -> None:
    changed_under_a_claim(m, "edit")


def a_freeze_under_a_claim(m: Any) -> None:
    changed_under_a_claim(m, "freeze")


def changed_under_a_claim(m: Any, what: str) -> None:
    m.something_changes_under_a_claim(
        nth=0, parts="one", minutes=0, moment=Moment("intent"), fault="", what=what, seconds=0, pauses=[3]
    )


def a_new_hour_while_one_sleeps_over_the_old(m: Any) -> None:
    """It is frozen, moved and let go; another has claimed it ahead of the new hour when the first one wakes up: after
    its lease, and soon enough to speak."""
    delivery = m.promise(0, parts="one")
    m.until(Moment("intent"), everything)
    m.freeze(delivery.account)
    m.change(delivery, "move a little")
    m.lift()
    m.a_publisher_claims_ahead()
    m.wake(0)


def one_oversleeps_what_it_claimed(m: Any) -> None:
    m.promise(0, parts="one")
    m.until(Moment("intent"), everything)
    m.something_happens(what="time goes by", moment=NEVER, seconds=5400)
    m.wake(0)


def one_wakes_up_to_speak_when_another_has_spoken(m: Any) -> None:
    m.another_takes_over_and_both_go_on(
        nth=0, parts="one", first="", then="", a=Moment("call"), b=NEVER, pauses=[12, 200, 60, 60]
    )


def a_no_is_written_down_when_another_has_said_it_again(m: Any) -> None:
    m.promise(0, parts="one")
    m.go_wrong(m.kind(0), "429")
    m.until(Moment("outcome"), everything)
    m.publish(12)
    m.publish(100)
    m.something_happens(what="time goes by", moment=NEVER, seconds=60)
    m.until(Moment("outcome", 2), everything)  # the first is that of its look: it is not there
    m.wake(0)
    m.publish(0)
    m.publish(8)


def a_restore_after_all_went_out(m: Any) -> None:
    m.a_backup_comes_back(nth=0, parts="one", minutes=0, what="nothing", fault="", pauses=[12])


def a_restore_and_people_send_again_what_was_missed(m: Any) -> None:
    sent_again_after_a_restore(m, "missed", "one")


def a_restore_and_people_send_again_a_thread_that_was_missed(m: Any) -> None:
    sent_again_after_a_restore(m, "missed", "two")


def a_restore_and_people_send_again_what_was_refused(m: Any) -> None:
    sent_again_after_a_restore(m, "refused", "one")


def sent_again_after_a_restore(m: Any, left: str, parts: str) -> None:
    m.people_send_again_what_a_backup_left_to_them(nth=0, parts=parts, left=left, once=True, fault="", pauses=[12])


def cancelled_before_the_repeat_of_what_never_arrived(m: Any) -> None:
    """The look says that it is safe to repeat, the network asks for a pause, and a person cancels meanwhile."""
    delivery = m.promise(0, parts="one")
    m.go_wrong(m.kind(0), "drop")
    m.publish(0)
    m.go_wrong(m.kind(0), "429")
    m.publish(10)
    m.change(delivery, "cancel")
    for _ in range(8):
        m.publish(60)


def its_time_passes_under_a_freeze(m: Any) -> None:
    delivery = m.promise(0, parts="one")
    m.freeze(delivery.account)
    m.publish(60)
    m.lift()
    m.publish(3)


# Each on a kind of network where it would do harm
WALKS: tuple[tuple[str, Callable[[Any], None]], ...] = (
    ("search", a_lost_answer),
    ("search", a_list_that_lags_behind_a_lost_answer),
    ("search", other_words_under_a_claim),
    ("search", a_freeze_under_a_claim),
    ("search", a_new_hour_while_one_sleeps_over_the_old),
    ("nobody knows", one_oversleeps_what_it_claimed),
    ("search", one_wakes_up_to_speak_when_another_has_spoken),
    ("search", a_no_is_written_down_when_another_has_said_it_again),
    ("nobody knows", a_restore_after_all_went_out),
    ("search", a_restore_and_people_send_again_what_was_missed),
    ("search", a_restore_and_people_send_again_a_thread_that_was_missed),
    ("record key", a_restore_and_people_send_again_what_was_missed),
    ("nobody knows", a_restore_and_people_send_again_what_was_missed),
    ("search", a_restore_and_people_send_again_what_was_refused),
    ("repeatable", cancelled_before_the_repeat_of_what_never_arrived),
    ("search", its_time_passes_under_a_freeze),
)


def mark_of(text: str) -> str:
    found = MARK.search(text)
    return found[0] if found else ""


def marks_of(delivery: Delivery) -> set[str]:
    return {mark_of(step.content["text"]) for step in delivery.steps.all()}


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
    monkeypatch: pytest.MonkeyPatch,
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
            made = World(clock, networks, connect, write_post, alice, bob, loop, publisher, clock.moment)
            for place in ("regie.core.outside.running", "regie.publishing.engine.send.running"):
                monkeypatch.setattr(place, made.elapsed)
            monkeypatch.setattr("regie.publishing.engine.record.random.uniform", lambda low, high: (low + high) / 2)
            yield made
        finally:
            loop.run_until_complete(stack.aclose())
            loop.close()


def test_each_walk_to_where_it_could_go_wrong_keeps_the_promise(world: World) -> None:
    for kind, walk in WALKS:
        machine: Any = machine_in(world)()
        machine.story.append(walk.__name__)
        try:
            try:
                machine.connect((kind,))
                walk(machine)
                machine.nothing_is_out_twice()
                machine.our_tables_say_what_the_networks_have()
            finally:
                machine.teardown()
        except Broken as exc:
            pytest.fail(str(exc))


def test_whatever_happens_the_promise_is_kept(world: World) -> None:
    more = int(os.environ.get("MODEL_EXAMPLES", "0"))
    world.shrinks = bool(os.environ.get("MODEL_SHRINK"))
    how = settings(
        max_examples=more or EXAMPLES,
        stateful_step_count=40 if more else STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate, *([Phase.shrink] if world.shrinks else [])],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    machine = seed(int(os.environ.get("MODEL_SEED", SEED)))(machine_in(world))
    try:
        run_state_machine_as_test(machine, settings=how)
    except Broken as exc:
        pytest.fail(str(exc))


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
    backup = back_up()

    publish_for_minutes(world, 6)
    assert Delivery.objects.get().state == "published"
    frozen = backup.restore()
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
