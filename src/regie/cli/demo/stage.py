"""The sandbox networks inside this process, on the ports where they will run afterwards, their clock in our hands."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from regie.core import clock
from regie_sandbox.audience import Audience
from regie_sandbox.frame import World
from regie_sandbox.registry import slugs, whole_world
from regie_sandbox.server import LoopInThread, Running, serve

T = TypeVar("T")


class Stage:
    """A world served from a thread of its own. While it is open, the product's clock is the world's clock."""

    def __init__(self, *, data: Path, first_port: int) -> None:
        self.world: World = whole_world(world=World(seed=7, data=data))
        self.audience = Audience(self.world)
        for network in self.world.networks.values():
            network.fetches = False  # nobody serves our files yet: what it is told of them is believed
        self._first_port = first_port
        self._thread = LoopInThread()
        self._running: Running | None = None

    def __enter__(self) -> Stage:
        self._thread.__enter__()
        ports = {slug: self._first_port + nth for nth, slug in enumerate(slugs(), start=1)}
        served = serve(self.world, ports=ports, control_port=self._first_port, save_as_we_go=False)
        self._running = self._there(served)
        clock.ask_instead(self.world.clock.now)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        clock.ask_instead(None)
        self.world.clock.real()
        if self._running is not None:
            self._there(self._running.close())
        self._thread.__exit__(kind, exc, trace)

    def go_to(self, moment: datetime) -> None:
        """Everything that people do up to ``moment`` happens; then it is that moment, for all."""

        async def act() -> None:
            if moment > self.world.clock.now():
                self.audience.play(until=moment)
            self.world.clock.set(moment)
            self.world.changes += 1

        self._there(act())

    def account(self, network: str, name: str) -> dict[str, Any]:
        """A ready account on a network, with people who follow it."""

        async def make() -> dict[str, Any]:
            return self.world.networks[network].ready_account(name)

        return self._there(make())

    def call(self, function: Any, *arguments: Any, **named: Any) -> Any:
        """Runs a plain function where the networks live."""

        async def there() -> Any:
            return function(*arguments, **named)

        return self._there(there())

    def _there(self, what: Coroutine[Any, Any, T]) -> T:
        return self._thread.run(what, seconds=None)
