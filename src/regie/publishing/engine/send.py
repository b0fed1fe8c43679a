"""Serving a lane: one delivery after the other, each said once, and only after it was written down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

import aiohttp
import psycopg

from regie.accounts.services import refresh_token
from regie.core.outside import connect_ahead, running, speak_until
from regie.core.sealed import CannotOpen
from regie.networks.data import Outgoing, Pending, Published
from regie.networks.errors import NetworkError, SignInAgain, TokenExpired, TryLater, Unclear
from regie.publishing.engine import record, rewrite
from regie.publishing.engine.batches import Batches
from regie.publishing.engine.budget import Budgets
from regie.publishing.engine.claim import Lane, give_back, release
from regie.publishing.engine.database import Database, Row
from regie.publishing.engine.outgoing import PLANNED, Shelf, fingerprint, outgoing_for
from regie.publishing.engine.prepare import prepared
from regie.publishing.engine.record import SEE_AFTER, Intent, Outcome, Told, after_commit
from regie.publishing.engine.work import (
    CALL,
    CANNOT_OPEN,
    LEASE,
    SPEAK_WITHIN,
    Apps,
    Delivery,
    Speaker,
    Step,
    may_repeat,
    say_disconnected,
    speaker_of,
)

log = logging.getLogger(__name__)
ANOTHER_REFRESHES = timedelta(seconds=3)  # another process is at it, or the network cannot be asked now
LEAD = 0.1  # seconds before the hour at which intents are written, so that the calls themselves are on time
CLOCK = 0.01  # seconds: timers, and our notion of the database's clock, may be so much early
TOGETHER = 200  # intents in one statement: the first are on the wire while the next are written down
HELD_BY_THEN = LEASE * 0.4  # what may not go on is held by the sweeps of that time
GIVES_WAY = 3  # after so many tries a delivery no longer keeps the next ones of its account waiting


class Sender:
    """Everything that a publisher needs to serve lanes. ``in_flight``: calls at once over all lanes."""

    def __init__(self, database: Database, http: aiohttp.ClientSession, *, in_flight: int) -> None:
        self.database, self.http = database, http
        self.slots = asyncio.Semaphore(in_flight)
        self.in_flight, self.lines = in_flight, 0  # connections held open for their hour
        self.slow = asyncio.Semaphore(max(1, in_flight // 8))  # uploads that the hour caught unready: in nobody's way
        self.sending = 0
        self.waiting = 0  # lanes that were claimed a moment ahead, ready for their hour
        self.leaving = False  # told to stop: what is being sent ends, nothing more begins
        self.begins: Batches[Intent, tuple[int, datetime] | None] = Batches(
            lambda intents: record.begin(database, intents), gather=0.002, most=TOGETHER
        )
        self.records: Batches[Told, bool] = Batches(
            lambda told: record.record(database, told), gather=0.02, patient=True
        )
        self.unsaid: Batches[Intent, None] = Batches(
            lambda intents: record.unsaid(database, intents), gather=0.02, patient=True
        )
        self.releases: Batches[Lane, None] = Batches(lambda lanes: release(database, lanes), gather=0.005)
        self.budgets = Budgets(database)
        self.apps, self.shelf = Apps(), Shelf()

    async def finish(self) -> None:
        """Until all outcomes are written and all lanes given back."""
        for work in (self.begins, self.records, self.unsaid, self.releases, self.budgets):
            await work.finish()

    async def serve(self, lane: Lane) -> None:
        """Sends the lane's deliveries in order, then gives the lane back."""
        try:
            if lane.deliveries:
                await self._serve(lane)
        finally:
            await asyncio.shield(self.releases.put(lane))

    async def _serve(self, lane: Lane) -> None:
        try:
            speaker = await speaker_of(lane.account, self.http, self.apps)
        except CannotOpen:
            await say_disconnected(lane.account["account_id"], SignInAgain(CANNOT_OPEN))
            await give_back(self.database, lane.deliveries)
            return
        await self.budgets.expect(speaker, sum(len(one.steps) for one in lane.deliveries))
        left = list(lane.deliveries)
        while left and lane.not_before is None and not self.leaving:
            together = self._together(left, speaker.can.in_flight)
            await self._hour(speaker, together)
            ended = await asyncio.gather(
                *(self._deliver(lane, speaker, delivery) for delivery in together), return_exceptions=True
            )  # all of them, before the lane is given back
            for failed in ended:
                if isinstance(failed, BaseException):
                    raise failed
            del left[: len(together)]
        await give_back(self.database, left)

    async def _hour(self, speaker: Speaker, together: Sequence[Delivery]) -> None:
        """Until a moment before they are due, with everything at hand when that comes."""
        if self._until(together) <= LEAD:
            return
        self.waiting += 1
        try:
            for delivery in together:
                await self._take_to_hand(speaker, delivery)
            with self._lines_to(speaker, len(together)):
                await asyncio.sleep(max(0.0, self._until(together) - LEAD))
        finally:
            self.waiting -= 1

    @contextmanager
    def _lines_to(self, speaker: Speaker, number: int) -> Iterator[None]:
        """Meanwhile as many connections to the network are opened; afterwards they wait for the requests.

        No more than we have slots for, and what takes too long is left to the requests.
        """
        number = max(0, min(number, self.in_flight - self.lines - self.sending)) if speaker.connected else 0
        self.lines += number
        opening = [asyncio.create_task(connect_ahead(self.http, speaker.server)) for _ in range(number)]
        try:
            yield
        finally:
            self.lines -= number
            for one in opening:
                one.cancel()  # when it is done, nothing
                if one.done() and not one.cancelled() and (line := one.result()) is not None:
                    line.release()

    def _until(self, together: Sequence[Delivery]) -> float:
        """Seconds until the last of them is due; below 0 afterwards."""
        due = max(max(one.due_at, one.next_at) for one in together)
        return (due - self.database.moment()).total_seconds()

    async def _take_to_hand(self, speaker: Speaker, delivery: Delivery) -> None:
        """The files of what is prepared. What cannot be had now is looked for again at the hour, and then said."""
        step = next((step for step in delivery.steps if not step.is_out), None)
        if speaker.connected and delivery.content is None and step and step.prepared and step.content.get("media"):
            with suppress(NetworkError):
                step.outgoing = await self._outgoing(speaker, delivery, step)

    async def _outgoing(self, speaker: Speaker, delivery: Delivery, step: Step) -> Outgoing:
        return await outgoing_for(speaker, delivery, step, self.database.moment(), shelf=self.shelf)

    @staticmethod
    def _together(left: Sequence[Delivery], most: int) -> Sequence[Delivery]:
        """The next one, and those due at the same moment, among which there is no order to keep."""
        number = 1
        while number < min(most, len(left)) and left[number].due_at == left[0].due_at:
            number += 1
        return left[:number]

    async def resume(self, account: Row, delivery: Delivery) -> None:
        """Goes on with what a network was working on: it is asked again, with what was achieved so far."""
        lease = delivery.lease
        assert lease is not None
        lane = Lane(account=account, lease=lease, deliveries=[delivery])
        speaker = await speaker_of(account, self.http, self.apps)
        for step in delivery.steps:
            if not step.is_out and not await self._send_step(lane, speaker, delivery, step):
                return

    async def _deliver(self, lane: Lane, speaker: Speaker, delivery: Delivery) -> None:
        """One delivery to its end, or to where it has to wait."""
        if (told := self._without_speaking(speaker, delivery)) is not None:
            await self.records.put(told)
            return
        if delivery.content is not None and not await rewrite.follow(self.database, speaker, delivery):
            return
        if delivery.steps and all(step.is_out for step in delivery.steps):
            await self.records.put(_whole(delivery, self.database.moment()))
            return
        for step in delivery.steps:
            if not step.is_out and not await self._send_step(lane, speaker, delivery, step):
                return

    def _without_speaking(self, speaker: Speaker, delivery: Delivery) -> Told | None:
        told = Told(delivery_id=delivery.id, lease=delivery.lease, state="missed", to_tell=True)
        if delivery.by_hand and not delivery.late:
            told.state = "by_hand"
        elif delivery.late and delivery.in_doubt:  # it may be out: first we find out
            told.state, told.look_at, told.to_tell = "unclear", self.database.moment(), False
        elif delivery.late:
            told.state = delivery.missed
        elif not speaker.connected:
            told.state, told.holds, told.to_tell = "held", ["reconnect"], False
        else:
            return None
        return told

    async def _send_step(self, lane: Lane, speaker: Speaker, delivery: Delivery, step: Step) -> bool:
        """One part. Returns whether the next one may follow."""
        database = self.database
        free_at = await self.budgets.wait_until(speaker)
        if free_at is not None and step.state != "processing":  # what the network works on is asked about all the same
            await self._wait(lane, delivery, free_at)
            return False
        if step.in_doubt and not may_repeat(speaker.can, step, database.moment()):
            await self.records.put(_look_first(delivery, step, database.moment()))
            return False
        outgoing: Outgoing | None = None
        if not step.prepared and step.content.get("media") and not self.leaving:
            async with self.slow:
                if (outgoing := await self._made_ready(lane, speaker, delivery, step)) is None:
                    return False
        async with self.slots:
            if self.leaving and step.state != "processing":
                await self._put_back(delivery, database.moment())
                return False
            outgoing = outgoing or await self._made_ready(lane, speaker, delivery, step)
            if outgoing is None:
                return False
            speak_by = running() + SPEAK_WITHIN.total_seconds()
            try:
                began = await self._begin(delivery, step, outgoing)
            except psycopg.Error:  # it may be written down all the same; nothing was said
                log.warning("An intent could not be written down; delivery %s waits.", delivery.id, exc_info=True)
                self.unsaid.put(_intent(delivery, step, outgoing))
                return False
            if began is None:
                if delivery.state == "claimed" or step.state == "waiting":  # a freeze keeps the next part back, too
                    await self._put_back(delivery, database.moment() + HELD_BY_THEN)
                return False
            attempt_id, began_at = began
            step.first_at, step.attempts = step.first_at or began_at, step.attempts + 1
            if (early := self._until([delivery])) > 0:
                await asyncio.sleep(early + CLOCK)
            outcome = await self._commit(speaker, outgoing, step, until=speak_by)
        return await self._note(lane, speaker, delivery, step, outcome, attempt_id=attempt_id)

    async def _made_ready(self, lane: Lane, speaker: Speaker, delivery: Delivery, step: Step) -> Outgoing | None:
        """Everything but the visible call. None when it has to wait, which is then written down."""
        try:
            outgoing, step.outgoing = step.outgoing or await self._outgoing(speaker, delivery, step), None
            ready = await prepared(self, speaker, delivery, step, outgoing)
        except NetworkError as exc:
            await self._note(lane, speaker, delivery, step, _before_speaking(exc), attempt_id=None)
            return None
        if isinstance(ready, Pending):
            await self.records.put(_still_preparing(delivery, step, ready, self.database.moment()))
            return None
        return outgoing

    async def _begin(self, delivery: Delivery, step: Step, outgoing: Outgoing) -> tuple[int, datetime] | None:
        began = await self.begins.put(_intent(delivery, step, outgoing))
        if began is not None:
            delivery.state = "sending"
        return began

    async def _commit(self, speaker: Speaker, outgoing: Outgoing, step: Step, *, until: float) -> Outcome:
        """The one visible call. Nothing is awaited between the commit of the intent and this but the socket.

        until: on ``running()``; a request that could not begin by then is not made. Others look for the post only after
        the attempt's deadline, which is later than whatever began by then can last.
        """
        if running() > until:
            return TryLater("We were interrupted before we could send it.")  # not a byte has left
        self.sending += 1
        fence = speak_until.set(until)
        try:
            async with asyncio.timeout(until - running() + CALL.total_seconds()):
                outcome: Outcome = await speaker.connector.commit(outgoing, step.progress)
        except NetworkError as exc:
            outcome = exc
        except TimeoutError as exc:
            outcome = Unclear("The network did not answer, and may have taken it.")
            outcome.__cause__ = exc
        except Exception as exc:  # a mistake of ours, perhaps after it was sent
            log.exception("The connector %s failed.", speaker.network)
            outcome = Unclear("Something went wrong on our side while it was being sent, and it may be out.")
            outcome.__cause__ = exc
        finally:
            speak_until.reset(fence)
            self.sending -= 1
        return outcome

    async def _note(
        self, lane: Lane, speaker: Speaker, delivery: Delivery, step: Step, outcome: Outcome, *, attempt_id: int | None
    ) -> bool:
        """Puts the outcome down and draws the conclusions for the account. Returns whether the next part may follow."""
        told = after_commit(speaker, delivery, step, outcome, now=self.database.moment(), attempt_id=attempt_id)
        self.budgets.hear(speaker, outcome, self.database.moment())
        if isinstance(outcome, TokenExpired):
            fresh = await refresh_token(speaker.account_id)
            if told.state != "processing":
                told.tried = 0  # nothing was wrong with the post
                lane.not_before = told.next_at = self.database.moment() + (timedelta(0) if fresh else ANOTHER_REFRESHES)
        elif isinstance(outcome, TryLater) and (outcome.not_before is not None or delivery.tries < GIVES_WAY):
            lane.not_before = told.next_at or outcome.not_before
        elif isinstance(outcome, SignInAgain):
            lane.not_before = self.database.moment()
            await say_disconnected(speaker.account_id, outcome)
        written = self.records.put(told)
        if told.state != "sending":
            if lane.not_before is not None:
                await written  # before the lane is given back
            return False
        assert isinstance(outcome, Published)
        step.state, step.remote_id, step.extra = "published", outcome.remote_id, dict(outcome.extra)
        return await written

    async def _wait(self, lane: Lane, delivery: Delivery, until: datetime) -> None:
        """The budget is used up: the lane waits, and this delivery with it."""
        lane.not_before = until
        await self._put_back(delivery, until)

    async def _put_back(self, delivery: Delivery, until: datetime) -> None:
        if delivery.state == "claimed":
            await give_back(self.database, [delivery])
        else:  # between two parts of a thread
            await self.records.put(
                Told(delivery_id=delivery.id, lease=delivery.lease, state="scheduled", next_at=until)
            )


def _intent(delivery: Delivery, step: Step, outgoing: Outgoing) -> Intent:
    assert delivery.lease is not None
    return Intent(
        delivery_id=delivery.id,
        lease=delivery.lease,
        state=delivery.state,
        step_id=step.id,
        number=step.attempts + 1,
        fingerprint=fingerprint(outgoing),
        progress={**step.progress, PLANNED: outgoing.planned_at.isoformat()},
        content=step.content,
        post_version=delivery.post_version,
        was=step.state,
    )


def _whole(delivery: Delivery, now: datetime) -> Told:
    """The parts that were missing were taken out of the post: what is out of it is all of it."""
    return Told(
        delivery_id=delivery.id,
        lease=delivery.lease,
        state="published",
        look_at=now + SEE_AFTER,
        remote_id=delivery.steps[0].remote_id,
        accepted_at=now,
    )


def _look_first(delivery: Delivery, step: Step, now: datetime) -> Told:
    """An earlier attempt may have been done, and asking again is no longer safe."""
    return Told(
        delivery_id=delivery.id,
        lease=delivery.lease,
        state="unclear",
        look_at=now,
        step_id=step.id,
        step_state="unclear",
    )


def _before_speaking(exc: NetworkError) -> NetworkError:
    """While preparing nothing could be seen yet: what would be unclear later is only a failure to come through."""
    if isinstance(exc, Unclear):
        return _later(exc)
    if isinstance(exc, TryLater) and not isinstance(exc, TokenExpired):
        return _later(exc)
    return exc


def _later(exc: NetworkError) -> TryLater:
    """Without the answer and the cause, from which an outcome that may be done would be read."""
    later = TryLater(exc.sentence, not_before=exc.not_before)
    later.facts, later.said = exc.facts, exc.said
    return later


def _still_preparing(delivery: Delivery, step: Step, pending: Pending, now: datetime) -> Told:
    not_before = max(pending.not_before or now, now) + timedelta(seconds=1)
    return Told(
        delivery_id=delivery.id,
        lease=delivery.lease,
        state="scheduled",
        next_at=not_before,
        step_id=step.id,
        step_state="waiting",
        progress=pending.progress,
    )
