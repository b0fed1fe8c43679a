"""Lines between the publishers and everything else, through which we can cut."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
CHUNK = 65536


class Line:
    """Passes bytes on, both ways, until it is cut.

    cut_short: requests that were under way when their connection was cut by us, or left by the one who asked
    """

    def __init__(self, reach: Callable[[], Awaitable[Streams]]) -> None:
        self._reach, self._open = reach, dict[asyncio.Task[None], _Connection]()
        self.cut_short = 0
        self._server: asyncio.Server | None = None  # kept: one that nobody holds stops to listen

    async def over_tcp(self) -> str:
        """Listens on loopback. Returns host and port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=1024)
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def over_socket(self, path: Path) -> None:
        self._server = await asyncio.start_unix_server(self._accept, path, backlog=1024)

    def cut(self, share: float, dice: random.Random) -> int:
        """Some of what is open now, in the middle of whatever it carries. Returns how many."""
        chosen = [one for one in self._open.values() if dice.random() < share]
        for one in chosen:
            one.cut()
        return len(chosen)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection((reader, writer))
        task = asyncio.create_task(connection.live(self._reach))
        self._open[task] = connection
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.cut_short += self._open.pop(task).cut_short


class _Connection:
    def __init__(self, here: Streams) -> None:
        self.here, self.both = here, [here]
        self.asked = self.cut_short = False

    async def live(self, reach: Callable[[], Awaitable[Streams]]) -> None:
        try:
            with contextlib.suppress(OSError):
                there = await reach()
                self.both.append(there)
                await self._carry(there)
        finally:
            self._close()

    async def _carry(self, there: Streams) -> None:
        up = asyncio.create_task(self._pump(self.here[0], there[1], asking=True))
        down = asyncio.create_task(self._pump(there[0], self.here[1], asking=False))
        done, left = await asyncio.wait([up, down], return_when=asyncio.FIRST_COMPLETED)
        self.cut_short = self.cut_short or (up in done and self.asked)
        for task in left:
            task.cancel()
        await asyncio.gather(up, down, return_exceptions=True)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, asking: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(CHUNK):
                target.write(data)
                self.asked = asking
                await target.drain()

    def cut(self) -> None:
        self.cut_short = self.cut_short or self.asked
        self.asked = False
        self._close()

    def _close(self) -> None:
        for _, writer in self.both:
            writer.transport.abort()
