"""How fast the engine is beside a bare loop that sends the same requests: ``python benchmarks/publish.py``.

The database of DATABASE_URL is filled and emptied again: give it one of its own. A stand-in network in a process of its
own answers each request after a fixed latency. Prints one JSON line: deliveries per second of both, their ratio, and
this process's milliseconds of work per delivery, which other work on the machine disturbs less.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import time
from datetime import timedelta
from typing import Any

PORT = 18764
PERSON = {"id": "1", "username": "x", "acct": "x", "display_name": "X", "url": "http://127.0.0.1/@x"}
CREATED = "2030-01-01T00:00:00.000Z"


def network(port: int, latency: float) -> None:
    """Answers like Mastodon's POST /api/v1/statuses, and remembers nothing."""
    import uvloop
    from aiohttp import web

    count = 0

    async def status(request: web.Request) -> web.Response:
        nonlocal count
        await request.read()
        await asyncio.sleep(latency)
        count += 1
        body = json.dumps(
            {"id": str(count), "url": f"http://127.0.0.1:{port}/@x/{count}", "created_at": CREATED, "account": PERSON}
        )
        return web.Response(body=body.encode(), content_type="application/json")

    async def serve() -> None:
        app = web.Application()
        app.router.add_post("/api/v1/statuses", status)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, backlog=2048).start()
        await asyncio.Event().wait()

    uvloop.run(serve())


async def bare(deliveries: int, in_flight: int) -> float:
    """Seconds that aiohttp alone needs."""
    import aiohttp

    slots = asyncio.Semaphore(in_flight)
    url = f"http://127.0.0.1:{PORT}/api/v1/statuses"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=in_flight)) as http:

        async def one(number: int) -> None:
            async with slots, http.post(url, json={"status": f"Post {number}"}) as reply:
                json.loads(await reply.read())

        began = time.perf_counter()
        await asyncio.gather(*(one(number) for number in range(deliveries)))
        return time.perf_counter() - began


def fill(deliveries: int, accounts: int, workspaces: int) -> None:
    from regie.accounts.models import Account
    from regie.accounts.opening import seal_credentials
    from regie.core import clock
    from regie.people.models import Workspace
    from regie.publishing.models import Delivery, Step
    from regie.studio.models import Post, Variant

    places = [Workspace.objects.create(name=f"W{n}", slug=f"w{n}") for n in range(workspaces)]
    server = f"http://127.0.0.1:{PORT}"
    rows = Account.objects.bulk_create(
        Account(workspace=places[n % workspaces], network="mastodon", server=server, remote_id=str(n), name=f"A{n}")
        for n in range(accounts)
    )
    for row in rows:
        seal_credentials(row, {"access_token": f"token{row.pk}"})
    Account.objects.bulk_update(rows, ["sealed_credentials"])
    numbered = [(n, rows[n % accounts]) for n in range(deliveries)]
    posts = Post.objects.bulk_create(
        Post(workspace_id=row.workspace_id, content={"parts": [{"text": f"Post {n}"}]}) for n, row in numbered
    )
    variants = Variant.objects.bulk_create(
        Variant(post=post, account=row) for post, (_, row) in zip(posts, numbered, strict=True)
    )
    due = clock.now()
    waiting = Delivery.objects.bulk_create(
        Delivery(
            workspace_id=row.workspace_id,
            variant=variant,
            account=row,
            local_at=due.replace(tzinfo=None) + timedelta(microseconds=n),
            zone="UTC",
            due_at=due,
            next_at=due,
        )
        for variant, (n, row) in zip(variants, numbered, strict=True)
    )
    Step.objects.bulk_create(
        Step(delivery=one, position=0, content={"text": f"Post {n}", "media": []})
        for one, (n, _) in zip(waiting, numbered, strict=True)
    )


async def engine(deliveries: int, in_flight: int) -> float:
    """Seconds until all are out."""
    from regie.core.threads import in_thread
    from regie.publishing.engine.publisher import Publisher
    from regie.publishing.models import Delivery

    async with Publisher(name="bench", in_flight=in_flight).open() as publisher:
        stop = asyncio.Event()
        began = time.perf_counter()
        working = asyncio.create_task(publisher.work(stop))
        while await in_thread(Delivery.objects.exclude(state="published").count):  # noqa: ASYNC110 - the rows know
            await asyncio.sleep(0.1)
        took = time.perf_counter() - began
        stop.set()
        await working
    return took


def main() -> None:
    parse = argparse.ArgumentParser()
    parse.add_argument("--deliveries", type=int, default=10_000)
    parse.add_argument("--accounts", type=int, default=1000)
    parse.add_argument("--workspaces", type=int, default=50)
    parse.add_argument("--in-flight", type=int, default=400)
    parse.add_argument("--latency", type=float, default=0.2)
    given = parse.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regie.config.settings")
    os.environ["REGIE_ALLOWED_HOSTS_OUT"] = f"127.0.0.1:{PORT}"
    import django
    import uvloop

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("flush", verbosity=0, interactive=False)
    server = multiprocessing.get_context("spawn").Process(target=network, args=(PORT, given.latency), daemon=True)
    server.start()
    time.sleep(2)
    fill(given.deliveries, given.accounts, given.workspaces)
    figures: dict[str, Any] = {}
    for name, run in (("bare", bare), ("engine", engine)):
        worked = time.process_time()
        figures[name] = given.deliveries / uvloop.run(run(given.deliveries, given.in_flight))
        figures[f"{name}_cpu_ms"] = (time.process_time() - worked) * 1000 / given.deliveries
    figures["ratio"] = figures["engine"] / figures["bare"]
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))
    server.terminate()
    call_command("flush", verbosity=0, interactive=False)


if __name__ == "__main__":
    main()
