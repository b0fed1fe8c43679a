"""The line under every connector: one request is one request, whatever a server does with its connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest
from pydantic import BaseModel

from regie.networks.errors import Refused, Unclear
from regie.networks.line import Answer, LostOnTheWay, Reader, ask

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


@pytest.mark.parametrize(
    ("said", "until"),
    [
        ("90", datetime(2030, 3, 1, 9, 1, 30, tzinfo=UTC)),
        ("Fri, 01 Mar 2030 09:15:00 GMT", datetime(2030, 3, 1, 9, 15, tzinfo=UTC)),
        ("Fri, 01 Mar 2030 10:15:00 +0100", datetime(2030, 3, 1, 9, 15, tzinfo=UTC)),
        ("9" * 30, None),
        ("soon", None),
        ("", None),
    ],
)
def test_when_to_come_again_is_read_in_seconds_and_as_a_date(said: str, until: datetime | None) -> None:
    headers = {"date": "Fri, 01 Mar 2030 09:00:00 GMT", "retry-after": said}
    assert Answer(method="GET", url="https://example.org/", status=429, headers=headers).retry_at == until


class Made(BaseModel):
    id: str


def test_what_cannot_be_read_was_refused_after_a_question_and_is_in_doubt_after_a_write() -> None:
    page = Answer(method="POST", url="https://example.org/", status=200, body=b"<p>token=s3cret</p>")
    reader = Reader("Example")
    with pytest.raises(Refused) as refused:
        reader.parsed(page, Made)
    with pytest.raises(Unclear) as unclear:
        reader.written(page, Made)
    assert (refused.value.answer, unclear.value.answer) == (page, page)
    assert refused.value.__suppress_context__  # the parser's own words quote what came
    assert unclear.value.__suppress_context__
    good = Answer(method="POST", url="https://example.org/", status=200, body=b'{"id": "7"}')
    assert reader.parsed(good, Made) == reader.written(good, Made) == Made(id="7")
