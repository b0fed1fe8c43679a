"""Threads' sandbox, with every call held against the vendor's collection of requests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from regie.networks.data import AppKeys, Login
from regie.networks.threads.connector import Threads as Connector
from regie_sandbox.frame import World
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import serve
from regie_sandbox.threads.app import Threads

from .contract import Exchanges
from .posting import NOW


@pytest.fixture
async def threads(world: World) -> AsyncIterator[Threads]:
    """Its clock stands at 2030-03-01 09:00 UTC."""
    network = sandbox_network("threads", world)
    assert isinstance(network, Threads)
    world.clock.set(NOW)
    exchanges = Exchanges(network)
    running = await serve(world)
    yield network
    await running.close()
    assert exchanges.problems() == []


@pytest.fixture
async def account(http: aiohttp.ClientSession, threads: Threads) -> Connector:
    """The ready account, as it is after a look at itself."""
    ready = threads.ready_account()
    app = AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"])
    login = Login(server=ready["server"], remote_id=ready["remote_id"], credentials=ready["credentials"], app=app)
    profile = await Connector(http, login).whoami()
    return Connector(http, replace(login, limits=profile.limits))
