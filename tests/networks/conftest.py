"""A sandbox world on loopback for each test, and a plain HTTP session such as the product hands to connectors."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import cast

import aiohttp
import pytest
from aiohttp import web
from PIL import Image

from regie.networks.data import Picture, Video
from regie_sandbox.frame import Network, World
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import serve

MOVIE = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(range(256)) * 4000  # a megabyte


@pytest.fixture
def world() -> World:
    return World(seed=7)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=10, sock_connect=5)
    ) as session:
        yield session


async def _served(slug: str, world: World) -> AsyncIterator[Network]:
    network = sandbox_network(slug, world)
    running = await serve(world)
    yield network
    await running.close()


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[str]:
    """Where networks that fetch files themselves find those of ``tmp_path``: an address without a trailing slash."""
    app = web.Application()
    app.add_routes([web.static("/", tmp_path)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
def pictures(tmp_path: Path, shelf: str) -> Callable[[int], tuple[Picture, ...]]:
    def make(number: int) -> tuple[Picture, ...]:
        found = []
        for nth in range(number):
            path = tmp_path / f"{nth}.jpg"
            Image.new("RGB", (120, 90), (nth * 20 % 255, 128, 128)).save(path)
            found.append(
                Picture(
                    path=path,
                    content_type="image/jpeg",
                    width=120,
                    height=90,
                    size=path.stat().st_size,
                    alt=f"Picture {nth}",
                    public_url=f"{shelf}/{nth}.jpg",
                    place=nth,
                )
            )
        return tuple(found)

    return make


@pytest.fixture
def videos(tmp_path: Path, shelf: str) -> Callable[[int], tuple[Video, ...]]:
    """Bytes that begin as a video does: the sandbox looks no further."""

    def make(number: int) -> tuple[Video, ...]:
        found = []
        for nth in range(number):
            path = tmp_path / f"{nth}.mp4"
            path.write_bytes(MOVIE)
            found.append(
                Video(
                    path=path,
                    content_type="video/mp4",
                    width=1080,
                    height=1920,
                    size=len(MOVIE),
                    seconds=12.0,
                    public_url=f"{shelf}/{nth}.mp4",
                    place=nth,
                )
            )
        return tuple(found)

    return make


@pytest.fixture
async def instagram(world: World) -> AsyncIterator[Network]:
    """Instagram's sandbox, served."""
    async for network in _served("instagram", world):
        yield network


@pytest.fixture
async def youtube(world: World) -> AsyncIterator[Network]:
    """YouTube's sandbox, served."""
    async for network in _served("youtube", world):
        yield network


@pytest.fixture
async def google_business(world: World) -> AsyncIterator[Network]:
    """Google Business Profile's sandbox, served."""
    async for network in _served("google_business", world):
        yield network


@pytest.fixture
async def mastodon(world: World) -> AsyncIterator[Network]:
    """Mastodon's sandbox, served."""
    async for network in _served("mastodon", world):
        yield network


@pytest.fixture
async def bluesky(world: World) -> AsyncIterator[Network]:
    """Bluesky's sandbox, served."""
    async for network in _served("bluesky", world):
        yield network


@pytest.fixture
async def telegram(world: World) -> AsyncIterator[Network]:
    """Telegram's sandbox, served."""
    async for network in _served("telegram", world):
        yield network


@pytest.fixture
async def tiktok(world: World) -> AsyncIterator[Network]:
    """TikTok's sandbox, served."""
    async for network in _served("tiktok", world):
        yield network


@pytest.fixture
async def x(world: World) -> AsyncIterator[Network]:
    """X's sandbox, served."""
    async for network in _served("x", world):
        yield network


# What works, for docs/networks.md: see src/regie/networks/table.py


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Notes which network a test that shows something is about: the parameter ``slug`` or ``net``, or its folder."""
    shown = [name for mark in item.iter_markers("shows") for name in mark.args]
    if shown:
        given = getattr(item, "callspec", None)
        params = given.params if given is not None else {}
        slug = params.get("slug") or params.get("net") or item.path.parent.name
        item.user_properties.append(("shows", [str(slug), *shown]))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """``CAPABILITIES_SHOWN`` names a file: a test that passed and shows something adds lines (slug, what, test)."""
    place = os.environ.get("CAPABILITIES_SHOWN")
    if place is None or report.when != "call" or not report.passed or "PYTEST_XDIST_WORKER" in os.environ:
        return
    for name, told in report.user_properties:
        if name == "shows":
            slug, *shown = cast(list[str], told)
            with Path(place).open("a") as lines:
                lines.writelines(f"{slug}\t{one}\t{report.nodeid}\n" for one in shown)
