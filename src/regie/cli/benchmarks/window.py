"""How wide the window is that no fence can close: from our last look at the time to the words being written.

A publisher that is stopped inside it, and continued after the attempt's deadline, speaks when others may have looked
already. The network knows no fencing token, so the window is kept narrow and measured instead; beside it how long an
intent is written down before its words are.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import aiohttp

from regie.cli.benchmarks import Report, Result
from regie.cli.benchmarks.house import House, in_a_house

BUDGET = "from the last look at the time to the write: 99 of 100 within 5 ms"

_since: ContextVar[dict[str, float]] = ContextVar("since")


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--deliveries", type=int, default=2000, help="due at the same moment (2000)")
    parser.add_argument("--accounts", type=int, default=200, help="over so many accounts (200)")
    parser.add_argument("--concurrency", type=int, default=40, help="calls under way at once (40)")


def run(arguments: argparse.Namespace) -> Report:
    return in_a_house(_measure, arguments)


def _measure(house: House, given: argparse.Namespace) -> Report:
    import uvloop

    house.make_accounts("mastodon", given.accounts, workspaces=10)
    planned = house.plan(given.deliveries)
    house.latency("mastodon", 0.05)
    found: list[tuple[float, float]] = []
    time.sleep(max(0.0, planned.due_at.timestamp() - time.time()))
    uvloop.run(_publish(found, given.concurrency))
    house.wait_until_out(planned)
    windows, intents = sorted(one for one, _ in found), sorted(one for _, one in found)
    line = {
        "written": len(found),
        "window_p50_ms": _at(windows, 0.5),
        "window_p99_ms": _at(windows, 0.99),
        "window_max_ms": _at(windows, 1),
        "intent_p50_ms": _at(intents, 0.5),
        "intent_p99_ms": _at(intents, 0.99),
        "intent_max_ms": _at(intents, 1),
    }
    return Report([Result("last look to the write, 99 of 100", line["window_p99_ms"], "ms", 5)], line)


def _at(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 3)


async def _publish(found: list[tuple[float, float]], concurrency: int) -> None:
    """The engine itself, with a watch in its hand."""
    from regie.core import outside
    from regie.publishing.engine.publisher import Publisher

    looked = outside.running

    def look() -> float:
        moment = _since.get({})["look"] = looked()
        return moment

    async def written(_session: aiohttp.ClientSession, _context: SimpleNamespace, _sent: Any) -> None:
        since, now = _since.get({}), looked()
        if "intent" in since:
            found.append((now - since["look"], now - since.pop("intent")))

    async with Publisher(name="window", in_flight=concurrency).open() as publisher:
        commit = publisher.sender._commit

        async def timed(*args: Any, **more: Any) -> Any:
            _since.set({"intent": looked()})
            return await commit(*args, **more)

        publisher.sender._commit = timed  # type: ignore[method-assign]
        outside.running = look
        watch = aiohttp.TraceConfig()
        watch.on_request_chunk_sent.append(written)
        watch.freeze()
        publisher.sender.http._trace_configs.append(watch)
        await asyncio.wait_for(publisher.drain(), 600)
