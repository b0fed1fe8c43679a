"""Publishers that live until a word of theirs, and then are dead, or asleep until somebody wakes them.

A word is whatever a publisher says to the database or to a network. What happens to a publisher between two of its
words nobody can see, so these are all the moments there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

from regie.publishing.engine import reconcile, record
from regie.publishing.engine.publisher import Publisher

PATIENCE = 120  # real seconds for what has no reason to take one
WORDS = {record.BEGIN: "intent", record.RECORD: "outcome", reconcile.LOOKED: "look"}


class Dies(Exception):
    """The publisher is dead: no word of it reaches anybody any more, whatever its code goes on to do."""


@dataclass(frozen=True)
class Moment:
    """The ``nth`` word of a kind, ``before`` it is said or after it was answered.

    word: ``intent`` and ``outcome`` are written down, ``call`` is the visible one, ``look`` follows a search for what
    is in doubt, ``hour`` is the wait of what was claimed ahead; ``any`` counts them all, with claims and the rest
    """

    word: str
    nth: int = 1
    before: bool = True


class Puppet:
    """A publisher to which something happens at a moment. ``dies``: or else it falls asleep there, with its leases
    running out as those of a machine that is suspended do."""

    def __init__(self, *, until: Moment, dies: bool = False) -> None:
        self.until, self.left, self.dies = until, until.nth, dies
        self.ended, self.woken = asyncio.Event(), asyncio.Event()
        self.open = AsyncExitStack()
        self.publisher = Publisher(name="puppet", in_flight=5, connections=2)
        self.working: asyncio.Task[None] | None = None

    async def begin(self) -> Puppet:
        await self.open.enter_async_context(self.publisher.open())
        database, sender = self.publisher.database, self.publisher.sender
        for thing, name, word in (
            (database, "rows", ""),
            (database, "in_turn", ""),
            (sender, "_commit", "call"),
            (sender, "_hour", "hour"),
        ):
            setattr(thing, name, self._around(getattr(thing, name), word))
        return self

    def _around(self, do: Callable[..., Awaitable[Any]], word: str) -> Callable[..., Awaitable[Any]]:
        async def say(*args: Any, **more: Any) -> Any:
            await self._asleep()
            counts = self.until.word in ("any", word or WORDS.get(args[0], ""))
            self.left -= counts
            here = counts and self.left == 0
            if here and self.until.before:
                await self._end()
            result = await do(*args, **more)
            if here and not self.until.before:
                await self._end()
            await self._asleep()
            return result

        return say

    async def _end(self) -> None:
        self.ended.set()
        await self._asleep()

    async def _asleep(self) -> None:
        if self.ended.is_set() and self.dies:
            raise Dies
        if self.ended.is_set():
            await self.woken.wait()

    @property
    def sleeps(self) -> bool:
        return self.ended.is_set() and not self.woken.is_set() and not self.dies

    async def live(self, work: Callable[[Publisher], Awaitable[None]]) -> None:
        """Does its work to the end, or until its moment."""

        async def working() -> None:
            await work(self.publisher)

        self.working = asyncio.create_task(working())
        await self._watch()

    async def wake(self) -> None:
        """It goes on where it was, and knows nothing of what happened meanwhile."""
        self.woken.set()
        if self.working is not None:
            async with asyncio.timeout(PATIENCE):
                await self.working
        await self.leave()

    async def _watch(self) -> None:
        assert self.working is not None
        ending = asyncio.create_task(self.ended.wait())
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait([self.working, ending], return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if self.working.done():
            with suppress(Dies):
                self.working.result()

    async def leave(self) -> None:
        """Whatever it was doing is not done any more."""
        self.dies = True
        self.ended.set()
        self.woken.set()
        tasks = [*self.publisher.lanes, *self.publisher.others, *([self.working] if self.working else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.open.aclose()


async def everything(publisher: Publisher) -> None:
    """Until nothing more is due."""
    await publisher.drain()


async def lanes(publisher: Publisher) -> None:
    """What is due, between two of its rounds of putting things right."""
    while await publisher.take_lanes():
        await asyncio.wait([*publisher.lanes])
    await publisher.sender.finish()


async def ahead(publisher: Publisher) -> None:
    """What is due in a moment, so that it waits for its hour."""
    await publisher.take_lanes_ahead()
    if publisher.lanes:
        await asyncio.wait([*publisher.lanes])
    await publisher.sender.finish()
