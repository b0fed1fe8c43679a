"""``regie sandbox``: the local networks, served until they are told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from regie_sandbox.audience import Audience
from regie_sandbox.frame import World
from regie_sandbox.registry import slugs, whole_world
from regie_sandbox.server import Running, serve


def run(
    *,
    port: int = 0,
    data: Path | None = None,
    host: str = "127.0.0.1",
    seed: int = 1,
    live: bool = False,
    quiet: bool = False,
) -> int:
    """Serve control on ``port`` and each network on the ports after it (0: free ones), until SIGINT or SIGTERM.

    Prints one line of JSON when ready: ``{"control": address, "networks": {slug: {...}}}``, each
    network with ``api_url``, ``account``, ``token`` and what else its ``ready_account`` says.
    live: with an audience, whose accounts are those asked for through ``POST /_sandbox/account``; quiet: without
    the line.
    Returns the process's exit code: 1 with a sentence when a port is taken.
    """
    try:
        return _runner()(_until_told(port=port, data=data, host=host, seed=seed, live=live, quiet=quiet))
    except OSError as exc:
        sys.stderr.write(f"The sandbox could not start: {exc}. Choose another port with --port.\n")
        return 1


def _runner() -> Callable[[Coroutine[Any, Any, int]], int]:
    try:
        import uvloop
    except ImportError:  # not on Windows
        return asyncio.run
    return uvloop.run


async def _until_told(*, port: int, data: Path | None, host: str, seed: int, live: bool, quiet: bool) -> int:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    world = whole_world(world=World(seed=seed, data=data))
    ports = {slug: port + nth if port else 0 for nth, slug in enumerate(slugs(), start=1)}
    running = await serve(world, host=host, ports=ports, control_port=port)
    living = asyncio.create_task(Audience(world).live()) if live else None
    try:
        if not quiet:
            sys.stdout.write(json.dumps(introduction(running), ensure_ascii=False) + "\n")
            sys.stdout.flush()
        await stop.wait()
    finally:
        if living is not None:
            living.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await living
        await running.close()
    return 0


def introduction(running: Running) -> dict[str, Any]:
    """Where everything is: per network its address and a ready account with its token."""
    networks = {}
    for slug, network in running.world.networks.items():
        ready = network.ready_account()
        networks[slug] = {
            "api_url": running.base[slug],
            "account": ready["handle"],
            "token": next(iter(ready["credentials"].values()), ""),
            **ready,
        }
    return {"control": running.control, "networks": networks}
