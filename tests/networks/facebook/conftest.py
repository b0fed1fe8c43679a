"""Facebook's sandbox, with every call held against Meta's description of its Graph API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from graph_contract import Exchanges
from PIL import Image

from regie.networks.data import AppKeys, Captions, Login, Picture, Video
from regie.networks.facebook.connector import Facebook as Connector
from regie_sandbox.facebook.app import Facebook
from regie_sandbox.frame import World
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import serve

from .posting import MOVIE, NOW


@pytest.fixture
async def facebook(world: World) -> AsyncIterator[Facebook]:
    """Its clock stands at 2030-03-01 09:00 UTC."""
    network = sandbox_network("facebook", world)
    assert isinstance(network, Facebook)
    world.clock.set(NOW)
    exchanges = Exchanges(network, lambda _, kind: kind)
    running = await serve(world)
    yield network
    await running.close()
    assert exchanges.problems() == []


@pytest.fixture
async def page(http: aiohttp.ClientSession, facebook: Facebook) -> Connector:
    """The ready Page, with our app's proof on every call."""
    ready = facebook.ready_account()
    app = AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"])
    login = Login(server=ready["server"], remote_id=ready["remote_id"], credentials=ready["credentials"], app=app)
    profile = await Connector(http, login).whoami()
    return Connector(http, replace(login, limits=profile.limits))


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., Picture]:
    def make(name: str = "shop", **more: Any) -> Picture:
        path = tmp_path / f"{name}.jpg"
        Image.new("RGB", (120, 90), "teal").save(path)
        size = path.stat().st_size
        return Picture(path=path, content_type="image/jpeg", width=120, height=90, size=size, **more)

    return make


@pytest.fixture
def captions(tmp_path: Path) -> Callable[..., Captions]:
    def make(text: str = "1\n00:00:00,000 --> 00:00:02,000\nBonjour\n", language: str = "fr") -> Captions:
        path = tmp_path / f"walk-{language}.srt"
        path.write_text(text)
        return Captions(path=path, content_type="application/x-subrip", size=path.stat().st_size, language=language)

    return make


@pytest.fixture
def video(tmp_path: Path) -> Callable[..., Video]:
    """Bytes that begin as a video does: the sandbox looks no further."""

    def make(name: str = "walk", content: bytes = MOVIE, **more: Any) -> Video:
        path = tmp_path / f"{name}.mp4"
        path.write_bytes(content)
        return Video(
            path=path, content_type="video/mp4", width=1080, height=1920, size=len(content), seconds=12.0, **more
        )

    return make
