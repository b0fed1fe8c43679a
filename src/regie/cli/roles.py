"""The roles of the product, each a process that can run alone, in any number, on any machine."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable

from regie.cli.django import database_up, ready, tell
from regie.cli.errors import Stop
from regie.config.env import env


def web() -> int:
    """Pages and API. Its own processes take their shares of the database and load Django themselves."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    settings = env()
    require_free_port(settings.host, settings.port)
    with database_up() as running:
        if running is not None:
            os.environ["REGIE_EMBEDDED_URL"] = running.url  # for the server's workers, which this process starts
        Granian(
            "regie.config.wsgi:application",
            address=settings.host,
            port=settings.port,
            interface=Interfaces.WSGI,
            workers=settings.web_workers,
            blocking_threads=settings.web_threads,
            backpressure=settings.web_threads * 16,
            log_level=LogLevels.warning,
            respawn_failed_workers=True,
            workers_kill_timeout=20,
        ).serve()
    return 0


def require_free_port(host: str, port: int, *, variable: str = "REGIE_PORT") -> None:
    """Raises Stop with what to do when something else listens there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            raise Stop(
                f"Port {port} on {host} cannot be used ({exc.strerror}). Stop what uses it, or choose another: "
                f"{variable}={port + 1}"
            ) from exc


def publisher() -> int:
    with ready():
        from regie.publishing.engine.publisher import run

        _run(lambda stop: run(name=_name(), stop=stop))
    return 0


def worker() -> int:
    with ready():
        from procrastinate.contrib.django import app

        async def work(stop: asyncio.Event) -> None:
            connector = app.connector.get_worker_connector()  # type: ignore[attr-defined]
            with app.replace_connector(connector) as ours:
                async with ours.open_async():
                    task = asyncio.create_task(
                        ours.run_worker_async(
                            concurrency=env().worker_concurrency,
                            install_signal_handlers=False,
                            delete_jobs="successful",
                        )
                    )
                    waiting = asyncio.create_task(stop.wait())
                    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
                    waiting.cancel()

        _run(work)
    return 0


def _name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _run(role: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Runs an async role until SIGINT or SIGTERM asks it to stop."""
    import uvloop

    async def main() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop.set)
        await role(stop)

    uvloop.run(main())
    tell("Stopped.")
