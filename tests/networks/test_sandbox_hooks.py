"""What the sandboxes bring to addresses outside: each delivery is noted, and none outlives the server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from regie_sandbox.frame import World
from regie_sandbox.graph.state import App
from regie_sandbox.hooks import Hooks
from regie_sandbox.instagram.app import Instagram
from regie_sandbox.server import LoopInThread, serve
from regie_sandbox.telegram.app import Telegram
from regie_sandbox.vk.app import Vk

PATIENCE = 20  # seconds, on a busy machine


@dataclass
class Door:
    """An address in a thread of its own, so that nothing of it is in the loop of the test."""

    url: str = ""
    answers: bool = True
    heard: threading.Event = field(default_factory=threading.Event)

    async def open(self) -> web.AppRunner:
        app = web.Application()
        app.add_routes([web.post("/hook", self.take)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        return runner

    async def take(self, request: web.Request) -> web.Response:
        await request.read()
        self.heard.set()
        if not self.answers:
            await asyncio.Event().wait()
        return web.Response(status=204)

    async def has_heard(self) -> bool:
        return await asyncio.to_thread(self.heard.wait, PATIENCE)


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    with LoopInThread("door") as there:
        runner = there.run(door.open())
        yield door
        there.run(runner.cleanup())


@pytest.fixture
async def served() -> AsyncIterator[tuple[Hooks, web.AppRunner]]:
    hooks, app = Hooks(), web.Application()
    app.cleanup_ctx.append(hooks.while_served)
    runner = web.AppRunner(app)
    await runner.setup()
    yield hooks, runner
    await runner.cleanup()


async def until(done: Callable[[], object]) -> None:
    for _ in range(PATIENCE * 100):
        if done():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("It was never brought.")


async def test_what_became_of_each_delivery_is_noted(door: Door, served: tuple[Hooks, web.AppRunner]) -> None:
    hooks, _ = served
    nobody = f"http://127.0.0.1:{unused_port()}/hook"
    await asyncio.to_thread(hooks.bring, door.url, b"{}", {})  # people speak from other threads
    await until(lambda: len(hooks.brought) == 1)
    hooks.bring(nobody, b"{}", {})
    await until(lambda: len(hooks.brought) == 2)
    assert hooks.brought == [(door.url, 204), (nobody, 0)]


async def test_nobody_hears_what_is_said_before_the_server_starts_or_after_it_stops(
    door: Door, served: tuple[Hooks, web.AppRunner]
) -> None:
    hooks, runner = served
    Hooks().bring(door.url, b"{}", {})
    hooks.bring(door.url, b"{}", {})
    await runner.cleanup()  # before the delivery begins
    hooks.bring(door.url, b"{}", {})
    await asyncio.sleep(0)
    assert (hooks.brought, door.heard.is_set()) == ([], False)


def of_meta(world: World, url: str) -> Callable[[], None]:
    net = Instagram(world)
    return lambda: net.bring(App(id="1", secret="s", name="Régie", callback_url=url), {"object": "instagram"})


def of_telegram(world: World, url: str) -> Callable[[], None]:
    net = Telegram(world)
    bot = net.state.bots[net.ready_account()["credentials"]["token"]]
    bot.webhook = url
    return lambda: net.news.tell(bot, "message", {"text": "Bonjour"})


def of_vk(world: World, url: str) -> Callable[[], None]:
    net = Vk(world)
    net.ready_account()
    (group, *_) = net.state.groups.values()
    group.servers.append({"url": url, "status": "ok", "secret_key": "", "wants": {"wall_reply_new"}})
    return lambda: net.callbacks.tell(group, {"type": "wall_reply_new"})


@pytest.mark.parametrize("network", [of_meta, of_telegram, of_vk])
async def test_a_delivery_under_way_ends_with_the_server(
    network: Callable[[World, str], Callable[[], None]], door: Door
) -> None:
    """Nothing is left for the loop to warn about: no task, and (as warnings are errors) no open connection."""
    door.answers, world, before = False, World(seed=1), asyncio.all_tasks()
    tell = network(world, door.url)
    running = await serve(world)
    tell()
    heard = await door.has_heard()
    await running.close()
    assert heard
    assert asyncio.all_tasks() == before
