"""The ground of every sandbox network, tried with the smallest network there can be: a guest book."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from regie_sandbox.frame import Network, World
from regie_sandbox.server import Running, in_thread, serve


@dataclass
class Pages:
    lines: list[str] = field(default_factory=list)
    likes: dict[str, int] = field(default_factory=dict)


class GuestBook(Network):
    slug = "guestbook"
    state: Pages

    def __init__(self, world: World) -> None:
        self.state = Pages()
        super().__init__(world)

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.post("/lines", self.write), web.get("/lines", self.read)])
        return app

    async def write(self, request: web.Request) -> web.Response:
        text = self.faults.rewritten((await request.json())["text"])
        return web.json_response({"id": self.say(by="regie", text=text)})

    async def read(self, _: web.Request) -> web.Response:
        return web.json_response(self.state.lines)

    def ready_account(self, name: str = "regie") -> dict[str, Any]:
        return {"server": self.base, "remote_id": name, "handle": name, "credentials": {"token": "t"}}

    def say(self, *, by: str, text: str, to: str | None = None, kind: str = "reply") -> str:
        self.state.lines.append(text)
        remote_id = str(len(self.state.lines))
        self.world.ledger.accepted(network=self.slug, account=by, remote_id=remote_id, text=text)
        return remote_id

    def like(self, *, by: str, post_id: str) -> None:
        self.state.likes[post_id] = self.state.likes.get(post_id, 0) + 1

    def follow(self, *, by: str, account: str) -> None:
        self.state.likes[account] = 1

    def texts(self, account: str | None = None) -> list[str]:
        return self.state.lines


@pytest.fixture
async def running(world: World) -> AsyncIterator[Running]:
    GuestBook(world)
    running = await serve(world, control_port=0)
    yield running
    await running.close()


@pytest.fixture
def book(running: Running) -> GuestBook:
    book = running.world.networks["guestbook"]
    assert isinstance(book, GuestBook)
    return book


async def _write(http: aiohttp.ClientSession, book: GuestBook, text: str) -> int:
    async with http.post(f"{book.base}/lines", json={"text": text}) as reply:
        await reply.read()
        return reply.status


async def test_a_lost_answer_was_accepted_all_the_same(http: aiohttp.ClientSession, book: GuestBook) -> None:
    book.faults.will_lose_answer(path="/lines", method="POST")
    with pytest.raises(aiohttp.ClientError):
        await _write(http, book, "hello")
    assert [entry.text for entry in book.world.ledger.entries] == book.texts() == ["hello"]
    assert await _write(http, book, "again") == 200


async def test_a_dropped_request_was_not_accepted(http: aiohttp.ClientSession, book: GuestBook) -> None:
    book.faults.will_drop()
    with pytest.raises(aiohttp.ClientError):
        await _write(http, book, "hello")
    assert book.texts() == []


async def test_a_fault_waits_for_the_request_it_is_meant_for(http: aiohttp.ClientSession, book: GuestBook) -> None:
    book.faults.will_answer(503, method="POST", times=2)
    async with http.get(f"{book.base}/lines") as reply:
        assert reply.status == 200
    assert [await _write(http, book, "x") for _ in range(3)] == [503, 503, 200]


async def test_an_answer_can_be_a_page(http: aiohttp.ClientSession, book: GuestBook) -> None:
    book.faults.will_answer(200, body="<html>parked</html>")
    async with http.get(f"{book.base}/lines") as reply:
        assert (reply.content_type, await reply.text()) == ("text/html", "<html>parked</html>")


async def test_a_gateway_can_give_up_on_what_was_done(http: aiohttp.ClientSession, book: GuestBook) -> None:
    book.faults.will_do_but_answer(504)
    assert await _write(http, book, "hello") == 504
    assert book.texts() == ["hello"]


async def test_random_faults_come_from_the_seed(http: aiohttp.ClientSession, book: GuestBook) -> None:
    book.faults.rates = {"503": 0.5}
    codes = [await _write(http, book, "x") for _ in range(30)]
    assert {200, 503} == set(codes)
    again = GuestBook(World(seed=7))
    again.faults.rates = {"503": 0.5}
    expected = [503 if again.faults.rng.random() < 0.5 else 200 for _ in range(30)]
    assert codes == expected


async def test_text_can_come_back_rewritten(http: aiohttp.ClientSession, book: GuestBook) -> None:
    book.faults.rewrite = str.upper
    await _write(http, book, "quiet")
    assert book.texts() == ["QUIET"]
    book.faults.clear()
    await _write(http, book, "quiet")
    assert book.texts()[-1] == "quiet"


async def test_the_date_header_shows_the_worlds_clock(http: aiohttp.ClientSession, book: GuestBook) -> None:
    book.world.clock.set(datetime(2030, 3, 1, 9, 0, tzinfo=UTC))
    async with http.get(f"{book.base}/lines") as reply:
        assert reply.headers["Date"] == "Fri, 01 Mar 2030 09:00:00 GMT"


async def test_the_sandbox_is_steered_over_http(http: aiohttp.ClientSession, running: Running, book: GuestBook) -> None:
    async def post(where: str, **body: Any) -> Any:
        async with http.post(where, json=body) as reply:
            assert reply.status == 200, await reply.text()
            return await reply.json()

    await post(f"{book.base}/_sandbox/faults", kind="answer", status=429, headers={"Retry-After": "7"}, times=1)
    assert await _write(http, book, "hello") == 429
    said = await post(f"{book.base}/_sandbox/say", by="ana", text="bonjour")
    await post(f"{book.base}/_sandbox/like", by="ana", post_id=said["id"])
    clock = await post(f"{running.control}/_sandbox/clock", set="2030-01-01T00:00:00Z", advance_seconds=60)
    assert clock["now"] == "2030-01-01T00:01:00+00:00"
    async with http.get(f"{running.control}/_sandbox") as reply:
        assert (await reply.json())["networks"]["guestbook"]["api_url"] == book.base
    async with http.get(f"{book.base}/_sandbox/ledger") as reply:
        assert [line["text"] for line in await reply.json()] == ["bonjour"]
    async with http.post(f"{book.base}/_sandbox/faults", json={"kind": "nonsense"}) as reply:
        assert reply.status == 400


async def test_a_world_with_a_folder_remembers(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    first = World(data=tmp_path)
    book = GuestBook(first)
    running = await serve(first)
    await _write(http, book, "kept")
    await running.close()
    with (tmp_path / "ledger.jsonl").open("ab") as ledger:
        ledger.write(b'{"cut')  # as a kill in the middle of a line leaves it

    second = World(data=tmp_path)
    assert GuestBook(second).texts() == ["kept"]
    assert [entry.text for entry in second.ledger.entries] == ["kept"]
    second.close()


async def test_the_ledger_has_an_entry_before_anybody_saves(tmp_path: Path) -> None:
    book = GuestBook(World(data=tmp_path))
    book.say(by="ana", text="here")
    assert b'"here"' in (tmp_path / "ledger.jsonl").read_bytes()
    book.world.close()


def test_the_clock_stands_walks_and_comes_back() -> None:
    clock = World().clock
    clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    assert clock.now() == clock.now() == datetime(2030, 1, 1, tzinfo=UTC)
    clock.advance(timedelta(days=1))
    clock.run()
    assert timedelta(0) <= clock.now() - datetime(2030, 1, 2, tzinfo=UTC) < timedelta(seconds=5)
    clock.real()
    assert clock.is_real


def test_a_caller_that_is_not_async_gets_a_world_in_a_thread(world: World) -> None:
    GuestBook(world)
    with in_thread(world) as running:
        assert running.base["guestbook"].startswith("http://127.0.0.1:")
