"""The proxy itself, before a small server of our own, asked by the client the product uses."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from .proxy import Exchange, FaultyProxy


@dataclass
class Echo:
    """A server that remembers what reached it."""

    port: int = 0
    got: list[tuple[str, str, bytes]] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.got.append((request.method, request.path, body))
        self.reached.set()
        if request.path == "/ws":
            return await self._websocket(request)
        if request.path == "/chunks":
            answer = web.StreamResponse()
            await answer.prepare(request)
            for piece in (b"one ", b"two ", b"three"):
                await answer.write(piece)
            return answer
        if request.path == "/nothing":
            return web.Response(status=204)
        if request.path == "/goodbye":
            goodbye = web.Response(body=b"last words")
            goodbye.force_close()
            return goodbye
        return web.Response(body=b"you said " + body)

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(f"you said {message.data}")
        return socket


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    server = Echo()
    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    yield server
    await runner.cleanup()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[FaultyProxy]:
    with FaultyProxy(echo.port) as running:
        yield running


@pytest.fixture
async def client(proxy: FaultyProxy) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(proxy.url) as session:
        yield session


async def say(client: aiohttp.ClientSession, text: str, path: str = "/say", **more: float) -> str:
    timeout = aiohttp.ClientTimeout(total=more.get("within", 5))
    async with client.post(path, data=text.encode(), timeout=timeout) as answer:
        return await answer.text()


async def test_what_no_rule_names_passes_unchanged(client: aiohttp.ClientSession, proxy: FaultyProxy) -> None:
    assert await say(client, "hello") == "you said hello"
    assert await say(client, "x" * 900_000) == "you said " + "x" * 900_000
    assert [one.status for one in proxy.seen] == [200, 200]


@pytest.mark.parametrize(
    ("path", "body"), [("/chunks", b"one two three"), ("/nothing", b""), ("/goodbye", b"last words")]
)
async def test_every_kind_of_body_ends_where_it_should(client: aiohttp.ClientSession, path: str, body: bytes) -> None:
    for _ in range(2):  # a second time, for a connection left out of step would show it here
        async with client.get(path) as answer:
            assert await answer.read() == body
    async with client.head("/say") as answer:
        assert answer.status == 200


async def test_a_chunked_request_arrives_whole(client: aiohttp.ClientSession, echo: Echo) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a" * 100_000
        yield b"b"

    async with client.post("/say", data=pieces(), expect100=True) as answer:
        assert answer.status == 200
    assert echo.got[-1][2] == b"a" * 100_000 + b"b"


async def test_a_websocket_passes_through(client: aiohttp.ClientSession) -> None:
    async with client.ws_connect("/ws") as socket:
        await socket.send_str("hello")
        assert await socket.receive_str(timeout=5) == "you said hello"


async def test_a_request_cut_before_never_reaches_the_server(
    client: aiohttp.ClientSession, proxy: FaultyProxy, echo: Echo
) -> None:
    proxy.cut_before("POST", "/say")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await say(client, "lost")
    assert echo.got == []
    assert proxy.seen == [Exchange("POST", "/say", None, "cut_before")]


async def test_an_answer_cut_leaves_the_work_done_and_the_client_in_the_dark(
    client: aiohttp.ClientSession, proxy: FaultyProxy, echo: Echo
) -> None:
    proxy.cut_answer("POST", "/say")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await say(client, "published?")
    assert echo.got == [("POST", "/say", b"published?")]
    assert proxy.seen == [Exchange("POST", "/say", 200, "cut_answer")]


async def test_an_answer_cut_midway_shows_its_status_and_not_its_end(
    client: aiohttp.ClientSession, proxy: FaultyProxy
) -> None:
    proxy.cut_midway()
    async with client.post("/say", data=b"0123456789") as answer:
        assert answer.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()


async def test_a_rule_is_spent_after_its_times_and_spares_other_requests(
    client: aiohttp.ClientSession, proxy: FaultyProxy
) -> None:
    proxy.reply(503, "POST", r"/say$", times=2)
    assert await say(client, "hello", "/other") == "you said hello"
    async with client.get("/say") as answer:
        assert answer.status == 200
    answers = [await say(client, "hello") for _ in range(3)]
    assert answers == ["", "", "you said hello"]


async def test_a_gateway_may_lose_the_answer_to_work_that_was_done(
    client: aiohttp.ClientSession, proxy: FaultyProxy, echo: Echo
) -> None:
    proxy.reply(502, body={"error": "bad gateway"}, headers={"retry-after": "7"}, forward=True)
    async with client.post("/say", data=b"hello") as answer:
        assert (answer.status, answer.headers["retry-after"]) == (502, "7")
        assert await answer.json() == {"error": "bad gateway"}
    assert echo.got == [("POST", "/say", b"hello")]


async def test_a_late_request_arrives_although_the_client_gave_up(
    client: aiohttp.ClientSession, proxy: FaultyProxy, echo: Echo
) -> None:
    proxy.delay(0.2)
    with pytest.raises(TimeoutError):
        await say(client, "late", within=0.05)
    assert echo.got == []
    await asyncio.wait_for(echo.reached.wait(), timeout=5)
    assert echo.got == [("POST", "/say", b"late")]


async def test_a_held_answer_keeps_the_client_waiting_for_work_that_is_done(
    client: aiohttp.ClientSession, proxy: FaultyProxy, echo: Echo
) -> None:
    proxy.hold_answer(0.2)
    started = time.monotonic()
    assert await say(client, "hello") == "you said hello"
    assert time.monotonic() - started >= 0.2
    proxy.hold_answer(5)
    with pytest.raises(TimeoutError):
        await say(client, "again", within=0.1)
    assert len(echo.got) == 2


async def test_a_refusing_proxy_keeps_its_port_and_takes_up_again(
    client: aiohttp.ClientSession, proxy: FaultyProxy
) -> None:
    assert await say(client, "before") == "you said before"
    with proxy.refusing():
        for _ in range(2):  # the first may still find the connection that was dropped
            with pytest.raises(aiohttp.ClientConnectionError):
                await say(client, "during")
        with pytest.raises(aiohttp.ClientConnectorError):
            await say(client, "during")
    assert await say(client, "after") == "you said after"


async def test_a_server_that_hangs_up_between_requests_is_seen_to_hang_up(proxy: FaultyProxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"GET /goodbye HTTP/1.1\r\nhost: x\r\n\r\n")
    async with asyncio.timeout(5):
        assert (await reader.read()).endswith(b"last words")  # read to the end: the proxy closed as the server did
    writer.close()
    await writer.wait_closed()


async def test_a_server_that_is_not_there_looks_like_a_dropped_connection(proxy: FaultyProxy) -> None:
    with FaultyProxy(1) as before_nothing:
        async with aiohttp.ClientSession(before_nothing.url) as client:
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await say(client, "hello")


async def test_clearing_forgets_rules_and_what_was_seen(client: aiohttp.ClientSession, proxy: FaultyProxy) -> None:
    proxy.cut_before(times=None)
    for _ in range(2):
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await say(client, "lost")
    proxy.clear()
    assert proxy.seen == []
    assert await say(client, "hello") == "you said hello"
