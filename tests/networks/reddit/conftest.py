"""Reddit's sandbox, with every call held against PRAW's endpoints and recordings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import aiohttp
import pytest
from contracts import Recorder

from regie.networks.data import AppKeys, Login
from regie.networks.reddit.connector import Reddit as Connector
from regie_sandbox.frame import World
from regie_sandbox.reddit.app import Reddit
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import serve

from .contract import contract, noted
from .posting import NOW


@pytest.fixture
def recorder() -> Recorder:
    return Recorder(noted)


@pytest.fixture
async def reddit(world: World, recorder: Recorder) -> AsyncIterator[Reddit]:
    """Its clock stands at 2030-03-01 09:00 UTC, and so do its Date headers."""
    network = sandbox_network("reddit", world)
    assert isinstance(network, Reddit)
    world.clock.set(NOW)
    recorder.at(network)
    running = await serve(world)
    yield network
    await running.close()


@pytest.fixture(autouse=True)
def everything_said_was_seen_before(recorder: Recorder) -> Iterator[None]:
    yield
    if recorder.seen:
        found = {problem for seen in recorder.seen for problem in contract().problems(seen)}
        assert sorted(found) == []


@pytest.fixture
async def account(http: aiohttp.ClientSession, reddit: Reddit) -> Connector:
    """The ready account, which moderates r/regie_hq."""
    ready = reddit.ready_account()
    app = AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"])
    login = Login(server=ready["server"], remote_id=ready["remote_id"], credentials=ready["credentials"], app=app)
    profile = await Connector(http, login).whoami()
    return Connector(http, replace(login, limits=profile.limits))
