"""The line under every connector: one request is one request, whatever a server does with its connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from regie.networks.line import LostOnTheWay, ask

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Rude:
    """Answers each connection once, then closes it without having said so, as snac does."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.answers = True

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        await reader.readexactly(length)
        self.requests.append(head.split(b"\r\n")[0])
        if self.answers:
            writer.write(ANSWER)
            await writer.drain()
        writer.close()


@pytest.fixture
async def rude() -> AsyncIterator[tuple[Rude, str]]:
    behaviour = Rude()
    server = await asyncio.start_server(behaviour.talk, "127.0.0.1", 0)
    yield behaviour, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    server.close()
    await server.wait_closed()


async def test_a_fresh_request_never_meets_a_connection_that_was_closed_behind_our_back(
    http: aiohttp.ClientSession, rude: tuple[Rude, str]
) -> None:
    behaviour, url = rude
    for _ in range(20):
        assert (await ask(http, "POST", url, fresh=True, json={"a": 1})).status == 200
    assert len(behaviour.requests) == 20


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_what_is_sent_once_arrives_once(http: aiohttp.ClientSession, rude: tuple[Rude, str], method: str) -> None:
    behaviour, url = rude
    await ask(http, "GET", url)  # leaves a connection behind, which the server has closed
    await ask(http, method, url)
    assert [line.split()[0].decode() for line in behaviour.requests] == ["GET", method]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_what_was_lost_on_the_way_is_not_sent_again(
    http: aiohttp.ClientSession, rude: tuple[Rude, str], method: str
) -> None:
    behaviour, url = rude
    behaviour.answers = False
    with pytest.raises(LostOnTheWay, match=f"{method} http"):
        await ask(http, method, url, json={"a": 1})
    assert len(behaviour.requests) == 1
