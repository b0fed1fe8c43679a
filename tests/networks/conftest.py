"""A sandbox world on loopback for each test, and a plain HTTP session such as the product hands to connectors."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from regie_sandbox.frame import Network, World
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import serve


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
