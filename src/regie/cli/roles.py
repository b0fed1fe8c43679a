"""The roles of the product, each a process that can run alone, in any number, on any machine."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable

from regie.cli.django import database_up, ready, take_role, tell
from regie.cli.errors import Stop
from regie.cli.forks import load
from regie.cli.setup import must_have_finished_restore
from regie.config import budget
from regie.config.env import env

log = logging.getLogger(__name__)
Role = Callable[[asyncio.Event], Awaitable[None]]
STOP_SECONDS = 20.0  # for the jobs of a worker and the requests of a web server that is told to stop
AGAIN_SECONDS = 2.0  # between tries while the database is away


def web() -> int:
    """Pages and API. Its own processes are forks of this one, which has loaded everything and serves nothing."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    from regie.config.logs import dict_config

    take_role("web")
    settings = env()
    require_free_port(settings.host, settings.port)
    with database_up() as running:
        if running is not None:
            os.environ["REGIE_EMBEDDED_URL"] = running.url  # for the server's workers, which this process starts
        os.environ["REGIE_WEB_PARENT"] = str(os.getpid())
        load()
        Granian(
            "regie.config.wsgi:application",
            process_name="regie web",
            address=settings.host,
            port=settings.port,
            interface=Interfaces.WSGI,
            workers=settings.web_workers,
            blocking_threads=settings.web_threads,  # each with a database connection: the written budget
            backpressure=settings.web_threads * 16,
            log_level=LogLevels.warning,
            log_dictconfig=dict_config(settings),
            respawn_failed_workers=True,
            respawn_interval=0.5,
            workers_kill_timeout=int(STOP_SECONDS),
        ).serve()
    tell("Stopped.")
    return 0


def require_free_port(host: str, port: int, *, variable: str = "REGIE_PORT") -> None:
    """Raises Stop with what to do when something else listens there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except socket.gaierror as exc:
            raise Stop(f"{host} is no address of this machine. Set REGIE_HOST to 127.0.0.1 or 0.0.0.0.") from exc
        except OSError as exc:
            raise Stop(
                f"Port {port} on {host} cannot be used ({exc.strerror}). Stop what uses it, or choose another: "
                f"{variable}={port + 1 if port < 65535 else 8000}"
            ) from exc


def publisher(only: str = "") -> int:
    take_role("publisher")
    must_have_finished_restore()
    with ready():
        from regie.publishing.engine.publisher import run

        given = env()
        connections, in_flight = budget.publisher_pool(given), given.publisher_in_flight
        _run(lambda stop: run(name=_name(), in_flight=in_flight, connections=connections, only=only, stop=stop))
    return 0


def worker() -> int:
    take_role("worker")
    must_have_finished_restore()
    with ready():
        _run(_work)
    return 0


async def _work(stop: asyncio.Event) -> None:
    """Jobs of the queue, and the open lines to networks that tell of news at once."""
    from procrastinate.contrib.django import app
    from procrastinate.contrib.django.utils import connector_params
    from procrastinate.psycopg_connector import PsycopgConnector

    from regie.community.listening import listen

    connector = PsycopgConnector(kwargs=connector_params(), min_size=1, max_size=budget.QUEUE)
    with app.replace_connector(connector) as ours:
        async with ours.open_async():
            jobs = asyncio.create_task(
                ours.run_worker_async(
                    concurrency=env().worker_concurrency,
                    install_signal_handlers=False,
                    delete_jobs="successful",
                    shutdown_graceful_timeout=STOP_SECONDS / 2,
                )
            )
            leaving = asyncio.Event()
            listening = asyncio.create_task(listen(leaving))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({jobs, stopping}, return_when=asyncio.FIRST_COMPLETED)
            leaving.set()
            for task in (jobs, stopping):
                task.cancel()
            await asyncio.wait({jobs, listening}, timeout=STOP_SECONDS)
            listening.cancel()
            ended, _ = await asyncio.gather(jobs, listening, return_exceptions=True)
    if isinstance(ended, Exception):
        raise ended


def _name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _run(role: Role) -> None:
    """Runs an async role until SIGINT or SIGTERM asks it to stop."""
    import uvloop

    async def main() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop.set)
        await _until_stopped(role, stop)

    uvloop.run(main())
    tell("Stopped.")
    sys.stdout.flush()


async def _until_stopped(role: Role, stop: asyncio.Event) -> None:
    """The role again and again while the database is away; anything else that ends it is a fault, and is raised."""
    while not stop.is_set():
        try:
            await role(stop)
        except Exception as exc:
            if not _is_database_away(exc):
                raise
            log.warning("The database is away (%s). Trying again every %g s.", type(exc).__name__, AGAIN_SECONDS)
        else:
            if not stop.is_set():
                log.warning("It ended by itself. Starting again in %g s.", AGAIN_SECONDS)
        try:
            await asyncio.wait_for(stop.wait(), AGAIN_SECONDS)
        except TimeoutError:
            continue


def _is_database_away(exc: BaseException) -> bool:
    """Whether a lost or refused connection is behind an error, however the libraries wrapped it."""
    import psycopg
    import psycopg_pool
    from django.db import InterfaceError, OperationalError
    from procrastinate.exceptions import ConnectorException

    kinds = (psycopg.OperationalError, psycopg.InterfaceError, psycopg_pool.PoolTimeout)
    wrapped = (InterfaceError, OperationalError, ConnectorException)
    if isinstance(exc, BaseExceptionGroup):
        return all(_is_database_away(one) for one in exc.exceptions)
    if isinstance(exc, kinds + wrapped):
        return True
    cause = exc.__cause__ or exc.__context__
    return cause is not None and _is_database_away(cause)
