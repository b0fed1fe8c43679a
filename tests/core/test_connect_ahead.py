"""A connection that is opened before there is anything to say on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from regie.core.outside import connect_ahead, session


@dataclass
class Server:
    address: str = ""
    lines: list[tuple[str, int]] = field(default_factory=list)  # on which each request came


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    there = Server()

    async def hear(request: web.Request) -> web.Response:
        assert request.transport is not None
        there.lines.append(request.transport.get_extra_info("peername"))
        return web.Response(text="heard")

    app = web.Application()
    app.router.add_post("/", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    there.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield there
    await runner.cleanup()


async def test_what_is_said_afterwards_goes_over_it(server: Server) -> None:
    async with session([server.address]) as http:
        lines = [await connect_ahead(http, server.address) for _ in range(2)]
        ours = set()
        for line in lines:
            assert line is not None
            assert line.transport is not None
            ours.add(line.transport.get_extra_info("sockname"))
            line.release()
        for _ in range(2):
            async with http.post(server.address, data=b"hello") as answer:
                assert await answer.text() == "heard"
    assert len(ours) == 2
    assert set(server.lines) <= ours


async def test_where_nobody_is_and_where_nobody_may_go_there_is_none(server: Server) -> None:
    async with session(["http://127.0.0.1:9"]) as http:
        assert await connect_ahead(http, "http://127.0.0.1:9") is None
        assert await connect_ahead(http, server.address) is None
