"""Serving the world: each network on a port of its own, with its faults and its control routes."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from email.utils import format_datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

from regie_sandbox import control
from regie_sandbox.faults import Handler
from regie_sandbox.frame import Network, World

T = TypeVar("T")
SAVE_EVERY = 2.0  # seconds between two looks at whether there is something to write down


@dataclass(slots=True)
class Running:
    """A served world. ``base``: slug -> address without a trailing slash; ``control``: the world's own address."""

    world: World
    base: dict[str, str] = field(default_factory=dict)
    control: str = ""
    _runners: list[web.AppRunner] = field(default_factory=list)
    _saving: asyncio.Task[None] | None = None

    async def close(self) -> None:
        if self._saving is not None:
            self._saving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._saving
        for runner in self._runners:
            await runner.cleanup()
        await asyncio.sleep(0.01)  # transports that were closed just now let go of their sockets a moment later
        self.world.close()


async def serve(
    world: World,
    *,
    host: str = "127.0.0.1",
    ports: Mapping[str, int] | None = None,
    control_port: int | None = None,
    save_as_we_go: bool = True,
) -> Running:
    """Serve every network of ``world``; a port that is missing or 0 is a free one. ``control_port``: None for none.

    save_as_we_go: False for a world that is worth keeping only when it is closed.
    """
    running, ports = Running(world), ports or {}
    try:
        for slug, network in world.networks.items():
            app = _framed(network)
            network.base = running.base[slug] = await _listen(running, app, host, ports.get(slug, 0))
        if control_port is not None:
            app = web.Application()
            app.add_routes(control.world_routes(world))
            running.control = await _listen(running, app, host, control_port)
    except BaseException:
        await running.close()
        raise
    if world.data is not None and save_as_we_go:
        running._saving = asyncio.create_task(_save_changes(world))
    return running


async def _listen(running: Running, app: web.Application, host: str, port: int) -> str:
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
    await runner.setup()
    running._runners.append(runner)
    await web.TCPSite(runner, host, port, backlog=1024).start()
    return f"http://{host}:{runner.addresses[0][1]}"


def _framed(network: Network) -> web.Application:
    app = network.app()
    app.add_routes(control.network_routes(network))

    @web.middleware
    async def frame(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method != "GET":
            network.world.changes += 1
        if network.faults.quiet or request.path.startswith("/_sandbox"):
            answer = await handler(request)
        else:
            answer = await network.faults.around(request, handler)
        if not network.world.clock.is_real and not answer.prepared:
            answer.headers["Date"] = format_datetime(network.world.clock.now(), usegmt=True)
        return answer

    app.middlewares.insert(0, frame)
    return app


async def _save_changes(world: World) -> None:
    saved = world.changes
    while True:
        await asyncio.sleep(SAVE_EVERY)
        if world.changes != saved:
            saved = world.changes
            world.save()


@contextlib.contextmanager
def in_thread(
    world: World, *, ports: Mapping[str, int] | None = None, control_port: int | None = None
) -> Iterator[Running]:
    """Serve the world from a thread, for callers that are not async (Django tests, a browser)."""
    with LoopInThread() as there:
        running = there.run(serve(world, ports=ports, control_port=control_port))
        try:
            yield running
        finally:
            there.run(running.close())


class LoopInThread:
    """An event loop in a thread of its own, while the context is open.

    What is still under way at its end is cancelled and lets go of its sockets, as asyncio.run does.
    """

    def __init__(self, name: str = "sandbox") -> None:
        self._begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._stay()), name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.loop, self._end = self._begun.result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    def run(self, what: Coroutine[Any, Any, T], *, seconds: float | None = 10) -> T:
        """What the coroutine returns; it runs in the loop, and the caller waits."""
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(seconds)

    async def _stay(self) -> None:
        end = asyncio.Event()
        self._begun.set_result((asyncio.get_running_loop(), end))
        await end.wait()
