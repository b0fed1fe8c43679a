"""The bad time itself: what happens, when, and to whom, from the seed."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
from aiohttp import web

from regie.cli.benchmarks.chaos import verdict
from regie.cli.benchmarks.chaos.lines import Line, Streams
from regie.cli.benchmarks.chaos.plan import Kind, accounts_of, kinds_of, make_accounts, picture, promise
from regie.cli.benchmarks.house import House, start_sandbox, stop
from regie.cli.django import tell

T = TypeVar("T")
LOST, DROPPED = 0.05, 0.01  # of all requests, all the time: answered and lost, never arrived
LATENCY = 0.05
EVENTS_PER_MINUTE = 30
SETTLE_SECONDS = 900.0  # after the bad time, for whatever waits, is looked up or is tried again


def live_through_it(house: House, given: argparse.Namespace) -> dict[str, int]:
    """Everything, from the accounts to the verdict."""
    import uvloop

    with ExitStack() as stack:
        other, process = start_sandbox()
        stack.callback(stop, process)
        return uvloop.run(_live(house, [house.sandbox, other], given))


async def _live(house: House, sandboxes: list[dict[str, Any]], given: argparse.Namespace) -> dict[str, int]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:
        storm = Storm(house, sandboxes, given, http)
        keeping = asyncio.create_task(storm.keep_the_database())
        try:
            await storm.prepare()
            await storm.rage()
            await storm.calm_down()
            return await storm.judge()
        finally:
            keeping.cancel()
            for publisher in storm.publishers:
                publisher.kill()


class Storm:
    def __init__(
        self, house: House, sandboxes: list[dict[str, Any]], given: argparse.Namespace, http: aiohttp.ClientSession
    ) -> None:
        self.house, self.sandboxes, self.given, self.http = house, sandboxes, given, http
        self.kinds = kinds_of(given)
        self.dice = random.Random(given.seed)  # noqa: S311 - it need not be secret
        self.counts = Counter[str]()
        self.publishers: list[subprocess.Popen[bytes]] = []
        self.paused: set[asyncio.Task[None]] = set()
        self.lines: dict[str, Line] = {}  # by kind
        self.address: dict[str, str] = {}  # of each kind's network, as the publishers reach it
        self.database = Line(self._reach_database)
        self.environment: dict[str, str] = {}

    # Before

    async def prepare(self) -> None:
        accounts = {}
        for kind in self.kinds:
            await self._draw_line(kind)
            ready = [
                await self._steer(kind, "account", name=f"chaos{number}")
                for number in range(accounts_of(kind, self.given.deliveries // len(self.kinds)))
            ]
            accounts[kind.name] = await _sync(make_accounts, kind, ready, server=self.address[kind.name])
            await self._steer(
                kind, "faults", keys_honoured=not kind.sandbox, tidy=kind.network in ("mastodon", "telegram")
            )
        await self.database.over_socket(self._socket_folder() / ".s.PGSQL.5432")
        self.environment = self._environment() | {"REGIE_URL": await self._show_pictures()}
        await self._until(self._publishers_are_there, 120)
        for kind in self.kinds:
            await self._fair_weather(kind, lag=1.5)
        tell(f"Promising {self.given.deliveries} deliveries ...")
        await _sync(promise, self.given, accounts, self.dice)

    @staticmethod
    async def _show_pictures() -> str:
        """In place of the web role: where networks fetch files of ours. All are the same picture."""
        shown = picture()

        async def show(_: web.Request) -> web.Response:
            return web.Response(body=shown, content_type="image/jpeg")

        app = web.Application()
        app.router.add_get("/{path:.*}", show)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    def _upstream(self, kind: Kind) -> str:
        return str(self.sandboxes[kind.sandbox]["networks"][kind.network]["server"])

    async def _draw_line(self, kind: Kind) -> None:
        host, _, port = self._upstream(kind).partition("//")[2].partition(":")

        async def reach() -> Streams:
            return await asyncio.open_connection(host, int(port))

        self.lines[kind.name] = Line(reach)
        self.address[kind.name] = f"http://{await self.lines[kind.name].over_tcp()}"

    def _socket_folder(self) -> Path:
        folder = self.house.folder / "line"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    async def _reach_database(self) -> Streams:
        from django.db import connection

        given = connection.settings_dict
        return await asyncio.open_unix_connection(f"{given['HOST']}/.s.PGSQL.{given['PORT'] or 5432}")

    def _environment(self) -> dict[str, str]:
        """What publishers are given: every way leads through a line of ours."""
        from django.db import connection

        given = connection.settings_dict
        who = f"{given['USER']}:{quote(given['PASSWORD'], safe='')}"
        query = urlencode({"host": self._socket_folder(), "port": 5432})
        return {
            **os.environ,
            "DATABASE_URL": f"postgresql://{who}@/{given['NAME']}?{query}",
            "REGIE_ALLOWED_HOSTS_OUT": ",".join(one.partition("//")[2] for one in self.address.values()),
            "REGIE_PUBLISHER_LEASE": str(self.given.lease),
            "REGIE_PUBLISHER_CALL": str(self.given.call),
            "REGIE_PUBLISHER_IN_FLIGHT": "40",
        }

    def _start(self) -> None:
        number = self.counts["started"]
        self.counts["started"] += 1
        with (self.house.folder / f"publisher-{number}.log").open("ab") as log:
            self.publishers.append(
                subprocess.Popen(
                    [sys.executable, "-m", "regie.cli", "publisher"],
                    env=self.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            )

    async def _publishers_are_there(self) -> bool:
        self._look_after_publishers()
        ((count,),) = await _sync(verdict.rows, "SELECT count(*) FROM publishing_publisher")
        return bool(count >= self.given.publishers)

    # During

    async def rage(self) -> None:
        """One bad thing after the other, several under way at once."""
        until = time.monotonic() + self.given.minutes * 60
        events: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (6, self.kill),
            (4, self.pause),
            (2, self.replace),
            (2, self.restart_database),
            (2, self.kill_database),
            (4, self.cut_the_database_off),
            (5, self.cut_a_network_off),
            (4, self.storm),
            (3, self.slow_down),
            (2, self.expire_tokens),
            (2, self.lag),
        ]
        names, weights = [event for _, event in events], [weight for weight, _ in events]
        first = [self.kill, self.pause, self.restart_database]  # in the shortest run too
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, self.dice.expovariate(EVENTS_PER_MINUTE / 60)))
            happens = first.pop() if first else self.dice.choices(names, weights)[0]
            await happens()
            self.counts[happens.__name__] += 1
            self._look_after_publishers()

    async def kill(self) -> None:
        """kill -9, and another in its place."""
        self._take_one().kill()
        self._start()

    async def replace(self) -> None:
        """As a deploy does it: told to stop, and another in its place at once."""
        self._take_one().terminate()
        self._start()

    def _look_after_publishers(self) -> None:
        """As any supervisor does: one that ended by itself, since there was no database when it began, begins again."""
        self.publishers = [one for one in self.publishers if one.poll() is None]
        while len(self.publishers) < self.given.publishers:
            self._start()

    def _take_one(self) -> subprocess.Popen[bytes]:
        chosen = self.dice.choice(self.publishers)
        self.publishers.remove(chosen)
        return chosen

    async def pause(self) -> None:
        """Stopped past its lease, sometimes past every deadline, and continued."""
        seconds = self.given.lease * (1.2 + self.dice.random())
        if self.dice.random() < 0.2 and self.given.call * 2 < self.given.minutes * 60:
            seconds = self.given.call * 1.6
        task = asyncio.create_task(self._pause(self.dice.choice(self.publishers), seconds))
        self.paused.add(task)
        task.add_done_callback(self.paused.discard)

    @staticmethod
    async def _pause(publisher: subprocess.Popen[bytes], seconds: float) -> None:
        with suppress(ProcessLookupError):
            publisher.send_signal(signal.SIGSTOP)
            await asyncio.sleep(seconds)
            publisher.send_signal(signal.SIGCONT)

    async def restart_database(self) -> None:
        """Fast: sessions are ended, everything is written. It comes back by itself."""
        await self._end_database(signal.SIGINT)

    async def kill_database(self) -> None:
        """As in a power cut; it recovers by itself."""
        await self._end_database(signal.SIGKILL)

    async def _end_database(self, how: signal.Signals) -> None:
        for path in (self.house.folder / "data" / "postgres").glob("*/postmaster.pid"):
            with suppress(OSError, ValueError, IndexError):
                os.kill(int(path.read_text().splitlines()[0]), how)

    async def keep_the_database(self) -> None:
        """As the supervisor does: its keeper brings a killed server back, and we the keeper when it gave up."""
        from regie.core import embedded

        share = await asyncio.to_thread(embedded.ensure, self.house.folder / "data")
        try:
            while True:
                await asyncio.sleep(0.5)
                if not share.alive():
                    with suppress(embedded.EmbeddedError):
                        old, share = share, await asyncio.to_thread(embedded.ensure, self.house.folder / "data")
                        old.close()
        finally:
            share.close()

    async def cut_the_database_off(self) -> None:
        self.database.cut(self.dice.choice([0.3, 1.0]), self.dice)

    async def cut_a_network_off(self) -> None:
        self.lines[self._any_kind().name].cut(self.dice.choice([0.5, 1.0]), self.dice)

    def _any_kind(self) -> Kind:
        return self.dice.choice(self.kinds)

    async def storm(self) -> None:
        """A network has trouble for a moment: 5xx with and without doing it, then it asks for a pause."""
        kind = self._any_kind()
        rates = {"lose_answer": LOST, "do_but_answer": 0.1, "503": 0.3, "500": 0.1, "drop": 0.1}
        await self._steer(kind, "faults", rates=rates)
        await self._steer(
            kind, "faults", kind="answer", status=429, times=3, headers=_pause_headers(kind), method="POST"
        )
        asyncio.get_running_loop().call_later(3, self._later, self._fair_weather(kind))

    async def slow_down(self) -> None:
        """A network takes its time, so that what is cut is cut in the middle."""
        kind = self._any_kind()
        await self._steer(kind, "faults", latency=self.dice.choice([0.5, 1.0, self.given.call / 3]))
        asyncio.get_running_loop().call_later(3, self._later, self._fair_weather(kind))

    async def expire_tokens(self) -> None:
        for kind in self.kinds:
            await self._steer(kind, "expire", now=True)  # where tokens do not end, none does

    async def lag(self) -> None:
        await self._fair_weather(self._any_kind(), lag=3)

    async def _fair_weather(self, kind: Kind, lag: float | None = None) -> None:
        """As bad as it always is: one answer of twenty is lost."""
        more = {} if lag is None else {"listing_lag": lag}
        await self._steer(kind, "faults", rates={"lose_answer": LOST, "drop": DROPPED}, latency=LATENCY, **more)

    def _later(self, what: Any) -> None:
        task = asyncio.ensure_future(what)
        self.paused.add(task)
        task.add_done_callback(self.paused.discard)

    # After

    async def calm_down(self) -> None:
        """Nothing bad happens any more; until nothing is under way, or it never will be."""
        await asyncio.sleep(3.5)
        if self.paused:
            await asyncio.gather(*self.paused)
        for kind in self.kinds:
            await self._steer(kind, "faults", rates={}, latency=0, listing_lag=0)
        tell(f"What happened: {', '.join(f'{count} {name}' for name, count in sorted(self.counts.items()))}")
        began = time.monotonic()
        settled = await self._until(self._nothing_is_open, SETTLE_SECONDS)
        tell(f"{'All was' if settled else 'Not everything was'} settled after {time.monotonic() - began:.0f} s.")

    async def _nothing_is_open(self) -> bool:
        self._look_after_publishers()
        ((count,),) = await _sync(verdict.rows, verdict.OPEN)
        return not count

    async def judge(self) -> dict[str, int]:
        silent = [kind for kind in self.kinds if not kind.settles]
        ledgers = {}
        lost = 0
        for kind in self.kinds:
            async with self.http.get(f"{self._upstream(kind)}/_sandbox/ledger") as reply:
                ledgers[self.address[kind.name]] = await reply.json()
            if not kind.settles:
                async with self.http.get(f"{self._upstream(kind)}/_sandbox/faults") as reply:
                    lost += sum(count for what, count in (await reply.json()).items() if what not in ("429", "delay"))
        networks = [kind.network for kind in silent]
        ((never_ended,),) = await _sync(verdict.rows, verdict.NEVER_ENDED, networks)
        cut = sum(self.lines[kind.name].cut_short for kind in silent)
        tell(f"Where nobody knows: {lost} answers lost, {cut} requests cut, {never_ended} sends nobody lived to end.")
        found = await _sync(verdict.compare, ledgers, networks)
        return found | {
            "kills": self.counts["kill"],
            "restarts": self.counts["restart_database"] + self.counts["kill_database"],
            "unclear_allowed": lost + cut + never_ended,
        }

    # Helpers

    async def _steer(self, kind: Kind, what: str, /, **wish: Any) -> Any:
        url = f"{self._upstream(kind)}/_sandbox/{what}"
        async with self.http.post(url, json=wish, raise_for_status=True) as reply:
            return await reply.json()

    @staticmethod
    async def _until(true: Callable[[], Awaitable[bool]], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if await true():
                return True
            await asyncio.sleep(0.5)
        return False


def _pause_headers(kind: Kind) -> Mapping[str, str]:
    """How each network asks for two seconds of peace."""
    at = datetime.now(UTC) + timedelta(seconds=2)
    match kind.network:
        case "mastodon":
            return {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": at.isoformat()}
        case "bluesky":
            reset = str(int(at.timestamp()) + 1)
            return {"RateLimit-Limit": "5000", "RateLimit-Remaining": "0", "RateLimit-Reset": reset}
    return {}


async def _sync(function: Callable[..., T], *args: Any, **more: Any) -> T:
    """A sync function in a thread, again while the database is away."""
    from django.db import InterfaceError, OperationalError

    from regie.core.threads import in_thread

    for _ in range(120):
        try:
            return await in_thread(function, *args, **more)
        except (InterfaceError, OperationalError):
            await asyncio.sleep(0.5)
    raise TimeoutError("The database did not come back.")
