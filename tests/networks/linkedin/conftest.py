"""LinkedIn's sandbox, with every request and every answer held against what we know of LinkedIn's API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from regie.networks.data import AppKeys, Document, Login, Picture, Video
from regie.networks.linkedin.connector import LinkedIn as Connector
from regie_sandbox.frame import World
from regie_sandbox.server import serve

from .linkedin_contract import Recorded
from .posting import MOVIE, NOW


@pytest.fixture
async def linkedin(world: World) -> AsyncIterator[Recorded]:
    """Its clock stands at 2030-03-01 09:00 UTC."""
    network = Recorded(world)
    network.part_bytes = 256 * 1024
    world.clock.set(NOW)
    running = await serve(world)
    yield network
    await running.close()
    assert network.problems() == []


async def signed_in(http: aiohttp.ClientSession, ready: dict[str, Any], **limits: Any) -> Connector:
    app = AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"])
    login = Login(
        server=ready["server"], remote_id=ready["remote_id"], credentials=ready["credentials"], app=app, limits=limits
    )
    profile = await Connector(http, login).whoami()
    return Connector(http, replace(login, limits={**profile.limits, **limits}))


@pytest.fixture
async def page(http: aiohttp.ClientSession, linkedin: Recorded) -> Connector:
    """The ready Page."""
    ready = linkedin.ready_account()
    return await signed_in(http, ready, member=ready["member"])


@pytest.fixture
async def member(http: aiohttp.ClientSession, linkedin: Recorded) -> Connector:
    """Who administers it, through an app that may publish for them only."""
    return await signed_in(http, linkedin.ready_account()["profile"])


@pytest.fixture
async def creator(http: aiohttp.ClientSession, linkedin: Recorded) -> Connector:
    """The same person, through the app that may read."""
    ready = linkedin.ready_account()
    return await signed_in(http, {**ready, "remote_id": ready["member"]})


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., Picture]:
    def make(name: str = "shop", **more: Any) -> Picture:
        path = tmp_path / f"{name}.jpg"
        Image.new("RGB", (120, 90), "teal").save(path)
        size = path.stat().st_size
        return Picture(path=path, content_type="image/jpeg", width=120, height=90, size=size, **more)

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


@pytest.fixture
def document(tmp_path: Path) -> Callable[..., Document]:
    def make(name: str = "menu.pdf", **more: Any) -> Document:
        path = tmp_path / name
        path.write_bytes(b"%PDF-1.7\n" + b"x" * 900)
        return Document(path=path, content_type="application/pdf", size=909, name=name, pages=3, **more)

    return make
