"""One publisher: a process that serves lanes until it is told to stop. Run as many as you like."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Coroutine
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg

from regie.accounts.opening import session
from regie.publishing.engine import afterwards, claim, prepare, reconcile, sweep
from regie.publishing.engine.claim import Lane
from regie.publishing.engine.database import CHANNEL, Database, address, sql
from regie.publishing.engine.send import Sender
from regie.publishing.engine.work import LEASE

log = logging.getLogger(__name__)
IN_FLIGHT = 400
HELD = 1.25  # lanes held for each call in flight, so that writing down one keeps no slot of the network empty
AHEAD = timedelta(seconds=1.5)  # claimed so long before the hour: accounts are open and portions fetched when it comes
WAITING = 2  # lanes that wait for their hour, for each call in flight
CONNECTIONS = 6  # to the database: claims, intents, outcomes, lanes; with LISTEN within the written budget of 8
BREATH = 0.01  # seconds between two claims: what came free meanwhile is claimed together
BETWEEN_RESTS = 0.25  # seconds between looks at everything but lanes, while lanes are served
POLL = 1.0  # seconds between looks at the clock, when nobody wakes us
RENEW = LEASE.total_seconds() / 4
SWEEP = LEASE.total_seconds() / 5  # a dead publisher's work is taken over within LEASE and this
REPORT = 5.0
DAY = 24 * 3600.0
PATIENCE = 24.0  # seconds given to what is being sent when we are told to stop
WRITING = 5.0  # and then to writing down what became of it

NEXT = sql(
    """
SELECT least(
    (SELECT min(greatest(next_at - %(ahead)s, coalesce(not_before, next_at - %(ahead)s))) FROM publishing_lane
     WHERE next_at <= MOMENT + %(ahead)s + interval '2 seconds' AND leased_until IS NULL),
    (SELECT min(look_at) FROM publishing_delivery
     WHERE state IN ('unclear', 'processing') AND look_at IS NOT NULL AND leased_until IS NULL),
    (SELECT min(look_at) FROM publishing_delivery WHERE state = 'published' AND look_at IS NOT NULL)
) - MOMENT AS wait
"""
)


class Publisher:
    """Holds lanes, and the tasks that serve them. ``name`` is what receipts and the health page show.

    only: ``prepare.VIDEO`` uploads videos ahead of the hour and does nothing else, ``prepare.REST`` all but that
    """

    def __init__(
        self, *, name: str, in_flight: int = IN_FLIGHT, connections: int = CONNECTIONS, only: str = ""
    ) -> None:
        self.name = f"{name}:{os.getpid()}:{secrets.token_hex(3)}"[:100]
        self.in_flight, self.database, self.only = in_flight, Database(connections), only
        self.most_lanes = max(1, int(in_flight * HELD))
        self.lanes: dict[asyncio.Task[None], Lane] = {}
        self.others: dict[asyncio.Task[None], UUID | None] = {}
        self.awake = asyncio.Event()
        self.rest_at = 0.0  # on the loop's clock
        self.sender: Sender

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Publisher]:
        """Connections to the database and to the networks."""
        async with self.database, session(connections=2 * self.in_flight + 100) as http:
            self.sender = Sender(self.database, http, in_flight=self.in_flight)
            await self.database.synchronise()
            try:
                yield self
            finally:
                await self.sender.finish()

    # One round

    async def take_lanes(self) -> int:
        """Claims lanes up to what we can serve, and begins to serve them. Returns how many deliveries it claimed."""
        if not self.has_room:
            return 0
        return await self._take(self.most_lanes - self.serving)

    async def take_lanes_ahead(self) -> int:
        """The same with those that are due in a moment, an eighth at a time: other publishers want theirs."""
        room = min(self.in_flight * WAITING - self.sender.waiting, max(1, self.most_lanes // 8))
        return await self._take(room, AHEAD) if room > 0 and self.has_room else 0

    async def _take(self, most: int, ahead: timedelta = timedelta(0)) -> int:
        lanes = await claim.claim(self.database, most=most, publisher=self.name, ahead=ahead)
        for lane in lanes:
            task = asyncio.create_task(self.sender.serve(lane))
            self.lanes[task] = lane
            task.add_done_callback(self._lane_done)
        return sum(len(lane.deliveries) for lane in lanes)

    @property
    def serving(self) -> int:
        """Lanes that are under way, beside those that wait for their hour."""
        return len(self.lanes) - self.sender.waiting

    @property
    def has_room(self) -> bool:
        """Whether a claim is worth its statement: for an eighth of our lanes at a time."""
        return self.only != prepare.VIDEO and self.serving <= self.most_lanes - max(1, self.most_lanes // 8)

    def _lane_done(self, task: asyncio.Task[None]) -> None:
        del self.lanes[task]
        self._complain(task)
        if self.has_room:
            self.awake.set()

    def _begin(self, work: Coroutine[Any, Any, None], lease: UUID | None) -> None:
        task = asyncio.create_task(work)
        self.others[task] = lease
        task.add_done_callback(self._other_done)

    def _other_done(self, task: asyncio.Task[None]) -> None:
        del self.others[task]
        self._complain(task)

    @staticmethod
    def _complain(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (exc := task.exception()) is not None:
            log.error("A task of the publisher failed; its lease runs out and another takes over.", exc_info=exc)

    async def take_the_rest(self) -> int:
        """Uploads, work under way at networks, doubts, deletions; and, when nothing is due, looks at what is out."""
        database, sender, name = self.database, self.sender, self.name
        begun = 0
        if len(self.others) >= 2 * prepare.MOST:
            return 0
        for account, delivery in await prepare.claim(database, publisher=name, only=self.only):
            self._begin(prepare.ahead(sender, account, delivery), delivery.lease)
            begun += 1
        if self.only == prepare.VIDEO:
            return begun
        for account, delivery in await afterwards.claim_processing(database, publisher=name):
            self._begin(sender.resume(account, delivery), delivery.lease)
            begun += 1
        for account, delivery in await reconcile.claim(database, publisher=name):
            self._begin(reconcile.settle(sender, account, delivery), delivery.lease)
            begun += 1
        for account, delivery in await afterwards.claim_to_remove(database, publisher=name):
            self._begin(afterwards.remove(sender, account, delivery), None)
            begun += 1
        if not self.lanes:
            for account, delivery in await afterwards.claim_to_see(database, publisher=name):
                self._begin(afterwards.see(sender, account, delivery), None)
                begun += 1
        return begun

    @property
    def busy(self) -> bool:
        return bool(self.lanes or self.others)

    async def drain(self) -> None:
        """Until nothing more is due now."""
        while True:
            moved = await sweep.sweep(self.database)
            moved += await self.take_lanes() + await self.take_the_rest()
            if self.busy:
                await asyncio.wait([*self.lanes, *self.others])
            await self.sender.finish()
            if not moved and not self.busy:
                return

    # For as long as we live

    async def work(self, stop: asyncio.Event) -> None:
        """Serves until ``stop``; then finishes what is being sent, and gives back the rest."""
        helpers = [
            asyncio.create_task(self._listen()),
            asyncio.create_task(self._every(RENEW, self._renew)),
            asyncio.create_task(self._every(SWEEP, self._sweep)),
            asyncio.create_task(self._every(REPORT, self._report)),
            asyncio.create_task(self._every(DAY, self._recompute)),
        ]
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self.awake.clear()
                pause = await self._round()
                if pause > 0:
                    awake = asyncio.create_task(self.awake.wait())
                    await asyncio.wait([awake, stopping], timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                    awake.cancel()
        finally:
            await self._leave()
            for task in [*helpers, stopping]:
                task.cancel()
            await asyncio.gather(*helpers, stopping, return_exceptions=True)

    async def _round(self) -> float:
        """Takes what is due. Returns how long to wait, unless woken, before the next round."""
        try:
            taken = await self.take_lanes() or await self.take_lanes_ahead()
            now = asyncio.get_running_loop().time()
            if not taken and (not self.lanes or now >= self.rest_at):
                self.rest_at = now + BETWEEN_RESTS
                taken = await self.take_the_rest()
            if taken:
                await asyncio.sleep(BREATH)
                return 0
            if self.busy:
                await asyncio.sleep(BREATH)
                return BETWEEN_RESTS
            if self.only == prepare.VIDEO:  # what is due is for others
                return POLL
            (row,) = await self.database.rows(NEXT, ahead=AHEAD)
        except (psycopg.OperationalError, psycopg.errors.InterfaceError, TimeoutError) as exc:
            log.warning("The database is away: %s", type(exc).__name__)
            return POLL
        if row["wait"] is None:
            return POLL
        return min(max(float(row["wait"].total_seconds()), 0.02), POLL)

    async def _every(self, seconds: float, do: Any) -> None:
        while True:
            try:
                await do()
            except psycopg.Error as exc:
                log.warning("%s: the database is away (%s).", do.__name__, type(exc).__name__)
            except Exception:
                log.exception("%s failed.", do.__name__)
            await asyncio.sleep(seconds)

    async def _renew(self) -> None:
        leases = {lane.lease for lane in self.lanes.values()} | {one for one in self.others.values() if one is not None}
        await claim.renew(self.database, list(leases))

    async def _sweep(self) -> None:
        if await sweep.sweep(self.database):
            self.awake.set()

    async def _report(self) -> None:
        skew = await self.database.synchronise()
        await sweep.report(self.database, name=self.name, skew=skew, sending=self.sender.sending, only=self.only)

    async def _recompute(self) -> None:
        await sweep.recompute_due_times()

    async def _listen(self) -> None:
        """Hears of work that is due at once. Its connection is its own, and comes back by itself."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(address(), autocommit=True) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    async for _ in connection.notifies():
                        self.awake.set()
            except psycopg.Error:
                await asyncio.sleep(POLL)

    async def _leave(self) -> None:
        """What is being sent has PATIENCE to end; what is only claimed waits for another publisher."""
        self.sender.leaving = True
        tasks = [*self.lanes, *self.others]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=PATIENCE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WRITING):
                await self.sender.finish()


async def run(
    *,
    name: str = "",
    in_flight: int = IN_FLIGHT,
    connections: int = CONNECTIONS,
    only: str = "",
    stop: asyncio.Event,
) -> None:
    """A publisher, until ``stop`` is set."""
    gc.freeze()  # what is loaded stays; to look through it for cycles again and again was a fifth of the work
    gc.set_threshold(20_000, 20, 20)
    publisher = Publisher(name=name or socket.gethostname(), in_flight=in_flight, connections=connections, only=only)
    async with publisher.open():
        await publisher.work(stop)


async def publish_what_is_due() -> None:
    """Runs a publisher until nothing more is due at this moment."""
    async with Publisher(name="once", in_flight=50, connections=3).open() as publisher:
        await publisher.drain()


def publish_due() -> None:
    """The same, for sync callers: tests, and ``regie publish``."""
    asyncio.run(publish_what_is_due())
