"""Bringing news to addresses outside, and asking there: what every sandbox with webhooks has in common.

People speak from other threads than the server's; what they set off runs on the server's own loop, and ends with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Any

import aiohttp
from aiohttp import web

PATIENCE = 30.0  # seconds


class Hooks:
    """``brought``: address and status of each delivery, in the order in which they ended; 0: nobody was there."""

    def __init__(self) -> None:
        self.brought: list[tuple[str, int]] = []
        self._http: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._under_way: set[asyncio.Task[object]] = set()

    async def while_served(self, _: web.Application) -> AsyncIterator[None]:
        """For the ``cleanup_ctx`` of an app."""
        self._loop = asyncio.get_running_loop()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as self._http:
            yield
            self._loop = None  # who speaks from now on is not heard
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)
        self._http = None

    @property
    def http(self) -> aiohttp.ClientSession:
        """The way to addresses outside, while the network is served."""
        assert self._http is not None
        return self._http

    def bring(self, url: str, raw: bytes, headers: Mapping[str, str]) -> None:
        """Deliver. May be called from any thread; nobody hears it while the network is not served."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(lambda: self.begin(self._deliver(url, raw, headers)))

    def begin(self, work: Coroutine[Any, Any, object]) -> None:
        """Set something off that ends by itself, or with the server. From the server's own loop only."""
        if self._loop is None:
            work.close()
            return
        task = self._loop.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _deliver(self, url: str, raw: bytes, headers: Mapping[str, str]) -> None:
        try:
            async with self.http.post(url, data=raw, headers=headers) as reply:
                self.brought.append((url, reply.status))
        except (aiohttp.ClientError, TimeoutError, OSError):
            self.brought.append((url, 0))
