"""What people type where a server is asked for, and what answers there."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from django.test import Client

from regie.accounts.errors import CannotConnect
from regie.accounts.models import Account
from regie.accounts.services import server_of
from regie.core import outside
from regie.core.outside import Guard, InnerAddress, is_inner

from .walking import HERE

if TYPE_CHECKING:
    from tests.conftest import Sandbox


@contextmanager
def server(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Iterator[str]:
    """Something on a loopback port that answers everything in one way."""
    up, down, port = Event(), Event(), 0

    async def serve() -> None:
        nonlocal port
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        up.set()
        await asyncio.to_thread(down.wait)
        await runner.cleanup()

    thread = Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    up.wait(10)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        down.set()
        thread.join(10)


def said_about(client: Client, typed: str) -> str:
    answer = client.post(f"{HERE}/connect/mastodon/", {"server": typed})
    assert answer.status_code == 422
    assert not Account.objects.exists()
    return str(answer.context["said"] or answer.context["form"].errors)


@pytest.mark.parametrize(
    "typed",
    [
        "mastodon.social",
        "https://mastodon.social/",
        "MASTODON.social",
        "@me@mastodon.social",
        "https://mastodon.social/@me",
    ],
)
def test_one_server_has_one_spelling(typed: str) -> None:
    assert server_of("mastodon", typed) == "https://mastodon.social"


def test_a_server_with_letters_of_its_language_is_found() -> None:
    assert server_of("mastodon", "é.example:8443") == "https://xn--9ca.example:8443"


@pytest.mark.parametrize(
    "typed",
    ["file:///etc/passwd", "https://user:secret@mastodon.social", "ftp://x.example", "https://", "a b", "x:99999"],
)
def test_what_is_no_server_is_said_at_once(typed: str) -> None:
    with pytest.raises(CannotConnect, match="not a server's address"):
        server_of("mastodon", typed)


def test_a_token_does_not_cross_the_internet_in_the_open() -> None:
    with pytest.raises(CannotConnect, match="https"):
        server_of("mastodon", "http://mastodon.social")


def test_nothing_typed_asks_for_a_name(owner: Client, settings: Any) -> None:
    settings.NETWORKS = {}
    with pytest.raises(CannotConnect, match="Name the server"):
        server_of("mastodon", " ")
    assert "required" in said_about(owner, "")


def test_a_server_that_does_not_exist_is_said(owner: Client) -> None:
    assert "could not be reached" in said_about(owner, "no-such-server.invalid")


@pytest.mark.parametrize("inner", ["https://127.0.0.1", "https://localhost", "https://[::1]", "https://10.0.0.7:8443"])
def test_an_inner_address_is_not_asked(owner: Client, inner: str) -> None:
    assert "could not be reached" in said_about(owner, inner)


def test_another_port_of_an_allowed_host_is_not_asked(owner: Client, mastodon: Sandbox) -> None:
    asked = False

    async def notice(_: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked = True
        return web.json_response({})

    with server(notice) as other:
        said_about(owner, other.replace("http:", "https:"))
        said_about(owner, other)
    assert not asked


def test_a_page_for_people_is_no_network(owner: Client, settings: Any) -> None:
    async def html(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<!doctype html><h1>Welcome</h1>", content_type="text/html")

    with server(html) as base:
        settings.ALLOWED_HOSTS_OUT = [base]
        said = said_about(owner, base)
    assert said
    assert "<" not in said


def test_a_server_that_sends_us_elsewhere_is_not_followed(owner: Client, settings: Any) -> None:
    asked: list[str] = []

    async def remember(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.json_response({"client_id": "x", "client_secret": "y"})

    with server(remember) as inner:

        async def redirect(_: web.Request) -> web.StreamResponse:
            return web.Response(status=302, headers={"Location": f"{inner}/api/v1/apps"})

        with server(redirect) as base:
            settings.ALLOWED_HOSTS_OUT = [base]
            assert said_about(owner, base)
    assert asked == []


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::",
     "64:ff9b::7f00:1", "64:ff9b::10.0.0.1"],
)  # fmt: skip
def test_every_spelling_of_an_inner_address_is_inner(address: str) -> None:
    assert is_inner(address)
    with pytest.raises(InnerAddress):
        Guard().check(address, 443)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"])
def test_a_public_address_is_not(address: str) -> None:
    assert not is_inner(address)
    Guard().check(address, 443)


def test_what_the_operator_named_is_allowed_on_its_port_only() -> None:
    guard = Guard(["http://10.0.0.5:8080", "sandbox.lan", "192.168.0.9"])
    guard.check("10.0.0.5", 8080)
    guard.check("192.168.0.9", 9999)
    with pytest.raises(InnerAddress):
        guard.check("10.0.0.5", 80)
    assert guard.allows_name("SANDBOX.lan", 1)


class Rebinding(AbstractResolver):
    """A name that leads inside when the connection is made, whatever it said when it was looked up before."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        return None


def test_a_name_that_turns_inward_is_refused_where_the_connection_is_made() -> None:
    asked = False

    async def notice(_: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked = True
        return web.Response()

    async def go(url: str) -> None:
        async with outside.session() as http:
            assert isinstance(http.connector, aiohttp.TCPConnector)
            http.connector._resolver = Rebinding()
            await http.get(url)

    with server(notice) as base:
        port = base.rpartition(":")[2]
        with pytest.raises(aiohttp.ClientConnectorError) as refused:
            asyncio.run(go(f"http://rebound.example:{port}/"))
    assert isinstance(refused.value.os_error, InnerAddress)
    assert not asked
