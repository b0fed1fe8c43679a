"""YouTube's sandbox, with every request and every answer held against Google's descriptions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from google_contract import Exchange
from PIL import Image

from regie.networks.data import Captions, Picture, Video
from regie.networks.youtube.connector import YouTube as Connector
from regie_sandbox.frame import World
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import serve
from regie_sandbox.youtube.app import YouTube

from .contract import problems, recording
from .posting import MOVIE, NOW, signed_in


@pytest.fixture
async def youtube(world: World) -> AsyncIterator[YouTube]:
    network = sandbox_network("youtube", world)
    assert isinstance(network, YouTube)
    world.clock.set(NOW)
    seen: list[Exchange] = []
    make = network.app

    def app() -> Any:
        made = make()
        made.middlewares.append(recording(seen))
        return made

    network.app = app  # type: ignore[method-assign]
    running = await serve(world)
    yield network
    await running.close()
    assert problems(seen) == []


@pytest.fixture
async def connector(http: aiohttp.ClientSession, youtube: YouTube) -> Connector:
    return await signed_in(http, youtube)


@pytest.fixture
def video(tmp_path: Path) -> Callable[..., Video]:
    """Bytes that begin as a video does: the sandbox looks no further."""

    def make(name: str = "walk", content: bytes = MOVIE, **more: Any) -> Video:
        path = tmp_path / f"{name}.mp4"
        path.write_bytes(content)
        return Video(
            path=path,
            content_type="video/mp4",
            **{"width": 1920, "height": 1080, "size": len(content), "seconds": 12.0, **more},
        )

    return make


@pytest.fixture
def cover(tmp_path: Path) -> Picture:
    path = tmp_path / "cover.jpg"
    Image.new("RGB", (1280, 720), "teal").save(path)
    return Picture(path=path, content_type="image/jpeg", width=1280, height=720, size=path.stat().st_size)


@pytest.fixture
def captions(tmp_path: Path) -> Captions:
    path = tmp_path / "walk.srt"
    path.write_text("1\n00:00:00,000 --> 00:00:02,000\nBonjour\n")
    return Captions(path=path, content_type="application/x-subrip", size=path.stat().st_size, language="fr")
