"""Requests to the outside, guarded: inner addresses are refused where the connection is made, so no name can rebind.

A person can type an address (a Mastodon server, a feed). Nothing that they type may reach loopback, private or
link-local addresses, unless the operator named it in ``REGIE_ALLOWED_HOSTS_OUT`` or set it as a network's address.
"""

from __future__ import annotations

import asyncio
import math
import socket
import time
from collections.abc import Iterable
from contextvars import ContextVar
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, AbstractStreamWriter, ResolveResult
from aiohttp.connector import Connection
from aiohttp.resolver import ThreadedResolver
from aiohttp.tracing import Trace
from yarl import URL

from regie import __version__

USER_AGENT = f"Regie/{__version__}"
NAT64 = IPv6Network("64:ff9b::/96")  # a gateway turns the last four bytes into an IPv4 address
TIMEOUT = aiohttp.ClientTimeout(total=60, connect=10, sock_connect=10, sock_read=30)


speak_until: ContextVar[float] = ContextVar("speak_until", default=math.inf)
"""On ``running()``: after this moment no request of the context may begin to be written."""


def running() -> float:
    """Seconds on a clock that nobody sets, and that runs on while this machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class TooLateToSpeak(aiohttp.ConnectionTimeoutError):
    """We were interrupted, or connecting took too long: not a byte was written."""


class InnerAddress(OSError):
    """The address is inside our own network, and nobody allowed it."""


def is_inner(address: str) -> bool:
    """Whether an IP address is anything but plainly public (loopback, private, link-local, shared, mapped, ...)."""
    ip = ip_address(address.split("%", 1)[0])
    if isinstance(ip, IPv6Address):
        translated = IPv4Address(int(ip) & 0xFFFFFFFF) if ip in NAT64 else None
        ip = ip.ipv4_mapped or ip.sixtofour or translated or ip
    return not ip.is_global or ip.is_multicast


class Guard:
    """Knows which inner places are allowed. ``allowed`` holds ``host``, ``host:port`` or whole addresses (URLs)."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = {pair for entry in allowed if (pair := _host_and_port(entry))}

    def allows_name(self, host: str, port: int) -> bool:
        return (host.lower(), port) in self._allowed or (host.lower(), None) in self._allowed

    def note(self, address: str, port: int) -> None:
        """An allowed name led to this address."""
        self._allowed.add((address, port))

    def check(self, address: str, port: int) -> None:
        """Raises InnerAddress."""
        if is_inner(address) and not self.allows_name(address, port):
            raise InnerAddress(f"{address} is an inner address. See REGIE_ALLOWED_HOSTS_OUT.")

    def make_socket(self, found: Any) -> socket.socket:
        """For aiohttp, at the moment of connecting: the last look at where the request really goes."""
        family, kind, protocol, _, where = found
        self.check(str(where[0]), int(where[1]))
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made


class _Resolver(AbstractResolver):
    def __init__(self, guard: Guard) -> None:
        self._guard, self._real = guard, ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._real.resolve(host, port, family)
        if self._guard.allows_name(host, port):
            for one in found:
                self._guard.note(one["host"], port)
        return found

    async def close(self) -> None:
        await self._real.close()


def _too_late() -> bool:
    return running() > speak_until.get()


class _Request(aiohttp.ClientRequest):
    """The last that happens before words are written is a look at how late it is: then nothing is awaited but the write
    (before Python 3.12 in a task of its own, which a busy loop begins later)."""

    async def write_bytes(
        self, writer: AbstractStreamWriter, conn: Connection, content_length: int | None = None
    ) -> None:
        if _too_late() and conn.protocol is not None:  # the head of the request waits for its body: nothing is out
            conn.protocol.set_exception(TooLateToSpeak())
            conn.close()
            return
        await super().write_bytes(writer, conn, content_length)


class _Connector(aiohttp.TCPConnector):
    """The same for requests without a body."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own
    ) -> Connection:
        made = await super().connect(req, traces, timeout)
        if _too_late():
            made.close()
            raise TooLateToSpeak
        return made


async def connect_ahead(http: aiohttp.ClientSession, address: str) -> Connection | None:
    """A connection to the server at ``address``, for a request that is about to come: released, it waits for that.

    None when there is none to be had; the request itself will say why.
    """
    assert http.connector is not None
    request = _Request("HEAD", URL(address), loop=asyncio.get_running_loop(), session=http)  # never written
    try:
        return await http.connector.connect(request, [], TIMEOUT)
    except (aiohttp.ClientError, OSError, TimeoutError):
        return None


def session(
    allowed: Iterable[str] = (), *, connections: int = 100, timeout: aiohttp.ClientTimeout = TIMEOUT
) -> aiohttp.ClientSession:
    """A guarded session: no cookies, no proxy, no environment, at most ``connections`` at once. Close it after use."""
    guard = Guard(allowed)
    connector = _Connector(
        limit=connections,
        resolver=_Resolver(guard),
        socket_factory=guard.make_socket,
        ttl_dns_cache=60,
        keepalive_timeout=15,
    )
    return aiohttp.ClientSession(
        connector=connector,
        request_class=_Request,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=timeout,
        headers={"User-Agent": USER_AGENT},
        trust_env=False,
        auto_decompress=True,
    )


def _host_and_port(entry: str) -> tuple[str, int | None] | None:
    entry = entry.strip().lower()
    if not entry:
        return None
    parts = urlsplit(entry if "//" in entry else f"//{entry}")
    if parts.hostname is None:
        return None
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.hostname, parts.port or default
