"""Instagram's sandbox through both logins, with every call held against Meta's description of its Graph API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from graph_contract import Exchanges
from PIL import Image

from regie.networks.data import Picture, Video
from regie.networks.instagram.connector import Instagram as Connector
from regie_sandbox.frame import World
from regie_sandbox.graph.base import Call
from regie_sandbox.instagram.app import Instagram
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import serve

from .posting import MOVIE, NOW, signed_in


def _name_of(call: Call, kind: str) -> str:
    """The description tells apart what Instagram's own login can do."""
    only = {"IGUser": "IGUserForIGOnlyAPI", "IGMedia": "IGMediaForIGOnlyAPI"}
    return only.get(kind, kind) if call.way == "instagram" else kind


@pytest.fixture
async def instagram(world: World) -> AsyncIterator[Instagram]:
    """Its clock stands at 2030-03-01 09:00 UTC."""
    network = sandbox_network("instagram", world)
    assert isinstance(network, Instagram)
    world.clock.set(NOW)
    exchanges = Exchanges(network, _name_of)
    running = await serve(world)
    yield network
    await running.close()
    assert exchanges.problems() == []


@pytest.fixture(params=["instagram", "facebook"])
def way(request: pytest.FixtureRequest) -> str:
    """Through which login."""
    return str(request.param)


@pytest.fixture
async def connector(http: aiohttp.ClientSession, instagram: Instagram, way: str) -> Connector:
    return await signed_in(http, instagram, way)


@pytest.fixture
async def ours(http: aiohttp.ClientSession, instagram: Instagram) -> Connector:
    """Through Instagram's own login, where it does not matter."""
    return await signed_in(http, instagram, "instagram")


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
def video(tmp_path: Path, shelf: str) -> Callable[..., Video]:
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
            **{"seconds": 12.0, "public_url": f"{shelf}/{path.name}", **more},
        )

    return make
