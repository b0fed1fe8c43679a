"""A proxy on loopback that loses, holds or spoils chosen HTTP/1.1 exchanges with a real server.

The worst moment for whoever publishes is the one after the server took the post and before it could say so;
``cut_answer`` is that moment, on demand. Everything no rule names passes through byte for byte, upgrades included.
"""

import asyncio
import contextlib
import http
import json
import re
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

LOOPBACK = "127.0.0.1"
HEAD_LIMIT = 1 << 20  # bytes of request line and headers; far above what any server here accepts
CHUNK = 1 << 16

BodyLength = int | Literal["chunked", "until_close"]


@dataclass(frozen=True)
class Reply:
    """An answer the proxy gives by itself, as a gateway in trouble would."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_bytes(self, *, to_head: bool) -> bytes:
        phrase = http.HTTPStatus(self.status).phrase
        headers = {"content-length": str(len(self.body)), **self.headers}
        head = f"HTTP/1.1 {self.status} {phrase}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        return head.encode("latin-1") + b"\r\n" + (b"" if to_head else self.body)


@dataclass(frozen=True)
class Fault:
    """What becomes of one exchange. Waits are in seconds."""

    name: str
    wait: float = 0  # before the server sees the request
    forward: bool = True  # whether the server sees it at all
    hold: float = 0  # between the server's answer and ours
    then: Literal["pass", "cut", "cut_midway"] | Reply = "pass"


@dataclass
class Rule:
    """A fault for the requests that match, as often as ``times`` says; None means until ``clear``."""

    fault: Fault
    method: str | None
    path: re.Pattern[str]
    times: int | None

    def matches(self, method: str, target: str) -> bool:
        return self.times != 0 and self.method in (None, method) and self.path.search(target) is not None


@dataclass(frozen=True)
class Exchange:
    """One request the proxy read; ``status`` is the *server*'s, None when it was not asked or fell silent."""

    method: str
    target: str
    status: int | None
    fault: str | None


@dataclass(frozen=True)
class Head:
    """The first line of a message and its headers, as read (``raw``) and understood."""

    raw: bytes
    first: list[str]
    headers: dict[str, str]

    @classmethod
    def parse(cls, raw: bytes) -> "Head":
        first, *lines = raw.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines if line)
        return cls(raw, first.split(" ", 2), {name.strip().lower(): value.strip() for name, _, value in pairs})

    @property
    def closes(self) -> bool:
        return "close" in self.headers.get("connection", "").lower() or "HTTP/1.0" in self.first

    @property
    def status(self) -> int:
        return int(self.first[1])

    def body_of_request(self) -> BodyLength:
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            return "chunked"
        return int(self.headers.get("content-length", 0))

    def body_of_answer(self, method: str) -> BodyLength:
        if method == "HEAD" or self.status in (204, 304):
            return 0
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            return "chunked"
        return int(self.headers["content-length"]) if "content-length" in self.headers else "until_close"


class _Cut(Exception):
    """The connection with the client ends here, without another word."""


@dataclass
class _Line:
    """One connection: both ends of a socket, as asyncio gives them."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def head(self) -> Head | None:
        """The next message's head, or None at the end of the connection."""
        try:
            return Head.parse(await self.reader.readuntil(b"\r\n\r\n"))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def close(self) -> None:
        """Send what is still to be sent, then close."""
        with contextlib.suppress(ConnectionError):
            self.writer.close()
            await self.writer.wait_closed()

    def drop(self) -> None:
        self.writer.transport.abort()


class FaultyProxy:
    """Stands before one server on loopback, on a port of its own that it keeps while it refuses connections.

    Rules are asked in the order they were given; the first that matches is spent. ``method`` is exact, ``path`` a
    regular expression searched in the request target (``/xrpc/x?y=z``). All methods may be called from any thread.

        with FaultyProxy(port_of_the_server) as proxy:
            proxy.cut_answer("POST", "/api/v1/statuses")
            ...  # the server has the post, the client an error
            assert proxy.seen[-1].status == 200
    """

    def __init__(self, upstream_port: int, *, port: int = 0) -> None:
        self.upstream_port = upstream_port
        self._holder = _bound(port)
        self.port: int = self._holder.getsockname()[1]
        self._rules: list[Rule] = []
        self._seen: list[Exchange] = []
        self._lock = threading.Lock()
        self._lines: set[_Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"faulty-proxy-{self.port}", daemon=True)

    # -- life

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> Self:
        self._thread.start()
        self._call(self._listen())
        return self

    def stop(self) -> None:
        """Stop for good; connections are dropped and the port is given back."""
        self._call(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._holder.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # -- weather

    def refuse(self) -> None:
        """Refuse connections and drop the open ones, as a server that is down does."""
        self._call(self._shut())

    def accept(self) -> None:
        """End ``refuse``."""
        self._call(self._listen())

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """``refuse`` inside the block."""
        self.refuse()
        try:
            yield
        finally:
            self.accept()

    def cut_before(self, method: str | None = None, path: str = "", *, times: int | None = 1) -> None:
        """Read the request and drop the connection; the server never sees it."""
        self.add(Fault("cut_before", forward=False, then="cut"), method, path, times=times)

    def cut_answer(self, method: str | None = None, path: str = "", *, times: int | None = 1) -> None:
        """Let the server do its work and answer, then drop the connection without passing on a byte."""
        self.add(Fault("cut_answer", then="cut"), method, path, times=times)

    def cut_midway(self, method: str | None = None, path: str = "", *, times: int | None = 1) -> None:
        """Pass on the answer's headers and half of the first piece of its body, then drop the connection."""
        self.add(Fault("cut_midway", then="cut_midway"), method, path, times=times)

    def delay(self, seconds: float, method: str | None = None, path: str = "", *, times: int | None = 1) -> None:
        """Hand the request on late. A client that gives up meanwhile does not stop it from arriving."""
        self.add(Fault("delay", wait=seconds), method, path, times=times)

    def hold_answer(self, seconds: float, method: str | None = None, path: str = "", *, times: int | None = 1) -> None:
        """Let the server do its work at once, and pass its answer on late."""
        self.add(Fault("hold_answer", hold=seconds), method, path, times=times)

    def reply(
        self,
        status: int,
        method: str | None = None,
        path: str = "",
        *,
        body: Any = b"",
        headers: Mapping[str, str] | None = None,
        forward: bool = False,
        times: int | None = 1,
    ) -> None:
        """Answer in the server's place; with ``forward`` the server did its work and its answer is thrown away.

        ``body`` is bytes, or anything json can write (content-type is then application/json).
        """
        kind = {} if isinstance(body, bytes) else {"content-type": "application/json"}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = Reply(status, data, {**kind, **(headers or {})})
        self.add(Fault("reply", forward=forward, then=answer), method, path, times=times)

    def add(self, fault: Fault, method: str | None = None, path: str = "", *, times: int | None = 1) -> None:
        """Give a rule; see the class."""
        with self._lock:
            self._rules.append(Rule(fault, method, re.compile(path), times))

    def clear(self) -> None:
        """Forget every rule and everything seen, and accept connections again."""
        with self._lock:
            self._rules.clear()
            self._seen.clear()
        self.accept()

    @property
    def seen(self) -> list[Exchange]:
        """What went through since the start or ``clear``, in the order the exchanges ended."""
        with self._lock:
            return list(self._seen)

    # -- the loop's side

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._on_client, sock=_bound(self.port), limit=HEAD_LIMIT)

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        client = _Line(reader, writer)
        try:
            await self._converse(client)
            await client.close()
        except (_Cut, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client is told by the dropped connection, as it would be by a real network
        finally:
            client.drop()
            self._tasks.discard(task)

    async def _converse(self, client: _Line) -> None:
        """Carry one client's requests, on one connection to the server, until either end closes."""
        upstream: _Line | None = None
        try:
            while (request := await _next_request(client, upstream)) is not None:
                fault = self._fault_for(request)
                await asyncio.sleep(fault.wait)
                if fault.forward and upstream is None:
                    upstream = _Line(*await asyncio.open_connection(LOOPBACK, self.upstream_port, limit=HEAD_LIMIT))
                if "upgrade" in request.headers and fault.name == "none" and upstream is not None:
                    self._note(request, None, fault)
                    await _tunnel(request, client, upstream)
                    return
                if not await self._exchange(request, fault, client, upstream):
                    return
        finally:
            if upstream is not None:
                upstream.drop()

    async def _exchange(self, request: Head, fault: Fault, client: _Line, upstream: _Line | None) -> bool:
        """One request and its answer; False when the connection ends with it."""
        status: int | None = None
        try:
            body = await _request_body(request, client)
            answer: Head | None = None
            if fault.forward and upstream is not None:
                await upstream.send(request.raw + body)
                answer = await _answer_head(upstream)
                status = answer.status
        finally:
            self._note(request, status, fault)
        sink = _sink_for(fault, request, client)
        if answer is not None and upstream is not None:
            await self._pass_on(answer, request, fault, upstream, sink)
        if fault.then == "cut":
            raise _Cut
        if isinstance(fault.then, Reply):
            await asyncio.sleep(fault.hold)
            await client.send(fault.then.as_bytes(to_head=request.first[0] == "HEAD"))
        ended = answer is not None and (answer.closes or answer.body_of_answer(request.first[0]) == "until_close")
        return not (ended or request.closes)

    async def _pass_on(self, answer: Head, request: Head, fault: Fault, upstream: _Line, sink: "Sink") -> None:
        if fault.then in ("pass", "cut_midway"):
            await asyncio.sleep(fault.hold)
        await sink(answer.raw)
        await _copy(answer.body_of_answer(request.first[0]), upstream.reader, sink)
        if fault.then == "cut_midway":
            raise _Cut  # the answer had no body to cut in two

    def _fault_for(self, request: Head) -> Fault:
        with self._lock:
            for rule in self._rules:
                if rule.matches(request.first[0], request.first[1]):
                    if rule.times is not None:
                        rule.times -= 1
                    return rule.fault
        return Fault("none")

    def _note(self, request: Head, status: int | None, fault: Fault) -> None:
        name = None if fault.name == "none" else fault.name
        with self._lock:
            self._seen.append(Exchange(request.first[0], request.first[1], status, name))


Sink = Callable[[bytes], Awaitable[None]]


def _bound(port: int) -> socket.socket:
    """A socket bound to loopback and not listening.

    Two such sockets may share a port as long as neither listens before both are bound, which is how the proxy keeps
    its port while it refuses connections.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((LOOPBACK, port))
    return bound


async def _next_request(client: _Line, upstream: _Line | None) -> Head | None:
    """The client's next request, or None when the client or the server hung up while nothing was being said."""
    if upstream is None:
        return await client.head()
    asked = asyncio.ensure_future(client.head())
    hung_up = asyncio.ensure_future(upstream.reader.read(1))
    try:
        await asyncio.wait({asked, hung_up}, return_when=asyncio.FIRST_COMPLETED)
        return asked.result() if asked.done() else None
    finally:
        for waiting in (asked, hung_up):
            waiting.cancel()
        await asyncio.gather(asked, hung_up, return_exceptions=True)


async def _request_body(request: Head, client: _Line) -> bytes:
    if request.headers.get("expect", "").lower() == "100-continue":
        await client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = bytearray()

    async def keep(piece: bytes) -> None:
        body.extend(piece)

    await _copy(request.body_of_request(), client.reader, keep)
    return bytes(body)


async def _answer_head(upstream: _Line) -> Head:
    """The server's final answer; interim ones (100, 103) are dropped, for we sent our own 100."""
    while True:
        answer = await upstream.head()
        if answer is None:
            raise _Cut  # the server hung up: so do we
        if answer.status >= 200:
            return answer


def _sink_for(fault: Fault, request: Head, client: _Line) -> Sink:
    """Where the server's answer goes: to the client, half of it, or nowhere."""
    if fault.then == "pass":
        return client.send
    if fault.then == "cut_midway":
        return _halfway(client)

    async def nowhere(piece: bytes) -> None:
        """Read the answer to its end, so that the server has certainly done its work."""

    return nowhere


def _halfway(client: _Line) -> Sink:
    passed_head = False

    async def send(piece: bytes) -> None:
        nonlocal passed_head
        if passed_head:
            await client.send(piece[: len(piece) // 2])
            await client.close()
            raise _Cut
        passed_head = True
        await client.send(piece)

    return send


async def _copy(body: BodyLength, reader: asyncio.StreamReader, sink: Sink) -> None:
    if body == "chunked":
        await _copy_chunks(reader, sink)
    elif body == "until_close":
        while piece := await reader.read(CHUNK):
            await sink(piece)
    else:
        await _copy_exactly(body, reader, sink)


async def _copy_exactly(left: int, reader: asyncio.StreamReader, sink: Sink) -> None:
    while left:
        piece = await reader.read(min(left, CHUNK))
        if not piece:
            raise _Cut
        left -= len(piece)
        await sink(piece)


async def _copy_chunks(reader: asyncio.StreamReader, sink: Sink) -> None:
    """Copy a chunked body with its framing, trailers included."""
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        if size == 0:
            while line != b"\r\n":
                await sink(line)
                line = await reader.readuntil(b"\r\n")
            await sink(line)
            return
        await sink(line + await reader.readexactly(size + 2))


async def _tunnel(request: Head, client: _Line, upstream: _Line) -> None:
    """Carry bytes both ways until one end closes, as for a websocket."""
    await upstream.send(request.raw)

    async def carry(source: _Line, target: _Line) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await source.reader.read(CHUNK):
                await target.send(piece)

    ways = [asyncio.ensure_future(carry(client, upstream)), asyncio.ensure_future(carry(upstream, client))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
