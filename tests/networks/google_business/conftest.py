"""Google Business Profile's sandbox, with every request and every answer held against Google's descriptions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from google_contract import Exchange

from regie.networks.google_business.connector import GoogleBusiness as Connector
from regie_sandbox.frame import World
from regie_sandbox.google_business.app import GoogleBusiness
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import serve

from .contract import problems, recording
from .posting import NOW, signed_in


@pytest.fixture
async def google(world: World) -> AsyncIterator[GoogleBusiness]:
    network = sandbox_network("google_business", world)
    assert isinstance(network, GoogleBusiness)
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
async def connector(http: aiohttp.ClientSession, google: GoogleBusiness) -> Connector:
    return await signed_in(http, google)
