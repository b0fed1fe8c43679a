"""Many callers, one statement: what is asked for while the last one runs goes together with the next."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from psycopg import OperationalError
from psycopg_pool import PoolTimeout

log = logging.getLogger(__name__)
Asked = TypeVar("Asked")
Given = TypeVar("Given")


class Batches(Generic[Asked, Given]):
    """``do`` takes items and gives as many results, in order.

    gather:  seconds to wait for company before each run
    patient: the database may be away: keep the items and try until it is back (for what has happened already)
    """

    def __init__(
        self,
        do: Callable[[Sequence[Asked]], Awaitable[Sequence[Given]]],
        *,
        gather: float,
        most: int = 500,
        patient: bool = False,
    ) -> None:
        self._do, self._gather, self._most, self._patient = do, gather, most, patient
        self._waiting: list[tuple[Asked, asyncio.Future[Given]]] = []
        self._task: asyncio.Task[None] | None = None

    def put(self, item: Asked) -> asyncio.Future[Given]:
        """Hands an item in; the future has its result. Nobody needs to wait for it."""
        future: asyncio.Future[Given] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return future

    async def finish(self) -> None:
        """Until everything that was put is done."""
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while self._waiting:
            if self._gather:
                await asyncio.sleep(self._gather)
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                results = await self._done([item for item, _ in batch])
            except Exception as exc:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(exc)
                        future.exception()  # seen: not everybody waits
            else:
                for (_, future), result in zip(batch, results, strict=True):
                    if not future.done():
                        future.set_result(result)

    async def _done(self, items: Sequence[Asked]) -> Sequence[Given]:
        pause = 0.1
        while True:
            try:
                return await self._do(items)
            except (OperationalError, PoolTimeout):
                if not self._patient:
                    raise
                log.warning("The database is away; %s outcomes wait for it.", len(items))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5)
