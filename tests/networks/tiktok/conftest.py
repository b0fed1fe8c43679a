"""TikTok's sandbox, with every call held against TikTok's pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from regie.networks.data import Picture, Video
from regie.networks.tiktok.connector import TikTok as Connector
from regie_sandbox.frame import World
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import serve
from regie_sandbox.tiktok.app import TikTok

from .contract import Exchanges
from .posting import MOVIE, NOW, signed_in


@pytest.fixture
async def tiktok(world: World) -> AsyncIterator[TikTok]:
    """Its clock stands at 2030-03-01 09:00 UTC."""
    network = sandbox_network("tiktok", world)
    assert isinstance(network, TikTok)
    world.clock.set(NOW)
    exchanges = Exchanges()
    exchanges.watch(network)
    running = await serve(world)
    yield network
    await running.close()
    assert exchanges.problems == []


@pytest.fixture
async def plain(world: World) -> AsyncIterator[TikTok]:
    """The sandbox alone, for those who try what the pages forbid."""
    network = sandbox_network("tiktok", world)
    assert isinstance(network, TikTok)
    running = await serve(world)
    yield network
    await running.close()


@pytest.fixture
async def ours(http: aiohttp.ClientSession, tiktok: TikTok) -> Connector:
    return await signed_in(http, tiktok)


@pytest.fixture
def picture(tmp_path: Path, shelf: str) -> Callable[..., Picture]:
    """A real picture, which networks can fetch."""

    def make(name: str = "shop", width: int = 1080, height: int = 1080, **more: Any) -> Picture:
        path = tmp_path / f"{name}.jpg"
        Image.new("RGB", (width, height), "teal").save(path)
        return Picture(
            path=path,
            content_type="image/jpeg",
            width=width,
            height=height,
            size=path.stat().st_size,
            **{"public_url": f"{shelf}/{path.name}", **more},
        )

    return make


@pytest.fixture
def video(tmp_path: Path) -> Callable[..., Video]:
    """Bytes that begin as a video does: the sandbox looks no further."""

    def make(name: str = "walk", content: bytes = MOVIE, **more: Any) -> Video:
        path = tmp_path / f"{name}.mp4"
        path.write_bytes(content)
        return Video(
            path=path,
            content_type="video/mp4",
            width=1080,
            height=1920,
            size=len(content),
            **{"seconds": 12.0, **more},
        )

    return make
