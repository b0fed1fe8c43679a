"""How fast the engine is beside a bare loop that sends the same requests, and how late posts leave.

An installation of its own in a temporary folder: the embedded database, a sandbox process that answers after a fixed
latency, and publishers as ``regie publisher`` starts them. All deliveries fall due at the same moment; then a bare
``aiohttp`` loop sends as many of the same requests to the same sandbox. The ratio of the two rates is the figure, as
it depends less on the machine than either.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import time
from collections import Counter
from dataclasses import dataclass, replace

from regie.cli.benchmarks import Report, Result
from regie.cli.benchmarks.house import House, Planned, in_a_house

BUDGET = "ratio to a bare loop >= 0.85; late p50 <= 1 s and p99 <= 5 s for 1,000 due at once; 0 lost, 0 doubled"
LATENESS = 1000  # up to so many deliveries the lateness has a budget; with more it shows how long the queue was
COLLECTS = (20_000, 20, 20)  # as the publisher
ALONE = 2.0  # seconds: one delivery of a workspace beside thousands of another


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--deliveries", type=int, default=10_000, help="due at the same moment (10000)")
    parser.add_argument("--accounts", type=int, default=1000, help="over so many accounts (1000)")
    parser.add_argument("--workspaces", type=int, default=50, help="in so many workspaces (50)")
    parser.add_argument("--concurrency", type=int, default=400, help="calls under way at once (400)")
    parser.add_argument("--latency", type=float, default=200, help="milliseconds until the network answers (200)")
    parser.add_argument("--publishers", type=int, default=1, help="publisher processes, sharing the concurrency (1)")
    parser.add_argument("--planned", type=int, default=0, help="deliveries planned for later days (0)")
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many (3)")
    parser.add_argument("--reel", action="store_true", help="prepared Reels on Instagram instead of texts on Mastodon")
    parser.add_argument(
        "--fairness",
        action="store_true",
        help="all but one in one workspace, that one in another; try --workspaces 2: few accounts meet their quotas",
    )


@dataclass(frozen=True, slots=True)
class Round:
    """One round. ``rate`` and ``bare_rate``: posts per second (None of Reels, which have no bare loop);
    ``late``: seconds from due to accepted, in order;
    ``cpu_ms``: the publishers' processor time per delivery; ``alone``: lateness of the one with a workspace to itself.
    """

    rate: float
    bare_rate: float | None
    cpu_ms: float
    late: tuple[float, ...]
    alone: float

    @property
    def ratio(self) -> float | None:
        return self.rate / self.bare_rate if self.bare_rate else None

    def late_at(self, share: float) -> float:
        return self.late[min(len(self.late) - 1, int(len(self.late) * share))]


def run(arguments: argparse.Namespace) -> Report:
    return in_a_house(_measure, arguments)


def _measure(house: House, given: argparse.Namespace) -> Report:
    network = "instagram" if given.reel else "mastodon"
    house.make_accounts(network, given.accounts, workspaces=given.workspaces, film=given.reel)
    house.plan_for_later(given.planned)
    house.latency(network, given.latency / 1000)
    house.start_publishers(given.publishers, in_flight=max(1, given.concurrency // given.publishers))
    rounds = [_round(house, given, number) for number in range(given.rounds)]
    middle = sorted(rounds, key=lambda one: one.ratio or one.rate)[len(rounds) // 2]
    texts = Counter(entry["text"] for entry in house.ledger(network))
    wanted = house.texts_due()
    lost = sum(text not in texts for text in wanted)
    doubled = sum(texts[text] - 1 for text in wanted if texts[text] > 1)
    return _report(middle, given, house.settings(), lost=lost, doubled=doubled)


def _round(house: House, given: argparse.Namespace, number: int) -> Round:
    alone = 1 if given.fairness else 0
    planned = house.plan_prepared(given.deliveries) if given.reel else house.plan(given.deliveries, alone=alone)
    worked = house.publishers_cpu()
    house.wait_until_out(planned)
    worked = house.publishers_cpu() - worked
    late = house.lateness(planned)
    lonely = house.lateness(replace(planned, first=planned.last)) if alone else (0.0,)
    return Round(
        rate=len(late) / max(late),
        bare_rate=None if given.reel else given.deliveries / _bare(house, planned, given.concurrency, number),
        cpu_ms=worked * 1000 / len(late),
        late=late,
        alone=lonely[0],
    )


def _bare(house: House, planned: Planned, concurrency: int, number: int) -> float:
    """Seconds that ``aiohttp`` alone needs for the same requests."""
    import uvloop

    requests = [
        (url, {**headers, "Idempotency-Key": f"bare-{number}-{nth}"}, {"status": f"Bare {number} {nth}"})
        for nth, (url, headers) in enumerate(house.requests(planned))
    ]
    gc.collect()
    gc.freeze()  # as the publisher does: the loop shall not pay for what this process has loaded
    kept = gc.get_threshold()
    gc.set_threshold(*COLLECTS)
    try:
        return uvloop.run(_send_all(requests, concurrency))
    finally:
        gc.set_threshold(*kept)
        gc.unfreeze()


async def _send_all(requests: list[tuple[str, dict[str, str], dict[str, str]]], concurrency: int) -> float:
    import aiohttp

    waiting = iter(requests)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as http:

        async def sender() -> None:
            for url, headers, body in waiting:
                async with http.post(url, json=body, headers=headers) as reply:
                    json.loads(await reply.read())
                    reply.raise_for_status()

        began = time.perf_counter()
        await asyncio.gather(*(sender() for _ in range(concurrency)))
        return time.perf_counter() - began


def _report(middle: Round, given: argparse.Namespace, database: dict[str, str], *, lost: int, doubled: int) -> Report:
    figures = {
        "rate": round(middle.rate, 1),
        "bare_rate": round(middle.bare_rate, 1) if middle.bare_rate else None,
        "ratio": round(middle.ratio, 3) if middle.ratio else None,
        "cpu_ms": round(middle.cpu_ms, 3),
        "late_p50_s": round(middle.late_at(0.5), 3),
        "late_p95_s": round(middle.late_at(0.95), 3),
        "late_p99_s": round(middle.late_at(0.99), 3),
        "lost": lost,
        "doubled": doubled,
        "deliveries": given.deliveries,
    }
    results = [Result("lost", lost, "deliveries", 0), Result("doubled", doubled, "posts", 0)]
    if given.deliveries <= LATENESS:
        results.append(Result("late, half of them", figures["late_p50_s"], "s", 1))
        results.append(Result("late, 99 of 100", figures["late_p99_s"], "s", 5))
    elif given.fairness:
        figures["alone_s"] = round(middle.alone, 3)
        results.append(Result("the one of another workspace", figures["alone_s"], "s", ALONE))
    elif middle.ratio:
        results.append(Result("ratio to a bare loop", round(middle.ratio, 3), "", 0.85, more_is_better=True))
    settings = {name: value for name, value in vars(given).items() if name not in ("json", "deliveries")}
    return Report(results, figures | {"settings": settings | database})
