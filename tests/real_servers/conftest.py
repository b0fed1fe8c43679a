"""Fixtures for tests against real servers: started once for the session, skipped when not installed.

Mark such tests with ``pytestmark = [pytest.mark.real, pytest.mark.xdist_group("real")]``: then one worker runs them all
and each server starts once. With CI or REGIE_REQUIRE_REAL in the environment a server that is missing is a failure.
"""

import io
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TypeVar

import pytest
from PIL import Image

from . import install, servers
from .servers import BlueskyNetwork, MastodonMock, Snac

T = TypeVar("T")


def started(server: str, start: AbstractContextManager[T]) -> Iterator[T]:
    """A running server for a fixture; when it is not installed, a skip, or a failure where one is required."""
    problem = install.missing(server)
    if problem is not None:
        if os.environ.get("CI") or os.environ.get("REGIE_REQUIRE_REAL"):
            pytest.fail(problem, pytrace=False)
        pytest.skip(problem)
    with start as running:
        yield running


@pytest.fixture(scope="session")
def picture() -> bytes:
    """A small PNG that every server takes."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize((64, 48)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="session")
def _bluesky() -> Iterator[BlueskyNetwork]:
    yield from started("bluesky", servers.run_bluesky())


@pytest.fixture(scope="session")
def snac() -> Iterator[Snac]:
    """snac as it is: it closes every connection without saying so."""
    yield from started("snac", servers.run_snac(behind_nginx=False))


@pytest.fixture(scope="session")
def _snac_behind_nginx() -> Iterator[Snac]:
    yield from started("snac", servers.run_snac(behind_nginx=True))


@pytest.fixture(scope="session")
def _mastodon_mock() -> Iterator[MastodonMock]:
    yield from started("mastodon-mock", servers.run_mastodon_mock())


@pytest.fixture
def bluesky_network(_bluesky: BlueskyNetwork) -> Iterator[BlueskyNetwork]:
    """Bluesky's PLC, PDS and AppView; accounts stay for the session, so choose a handle nobody else has."""
    _bluesky.proxy.clear()
    yield _bluesky
    _bluesky.proxy.clear()


@pytest.fixture
def snac_behind_nginx(_snac_behind_nginx: Snac) -> Iterator[Snac]:
    """snac as people run it."""
    assert _snac_behind_nginx.proxy is not None
    _snac_behind_nginx.proxy.clear()
    yield _snac_behind_nginx
    _snac_behind_nginx.proxy.clear()


@pytest.fixture
def mastodon_mock(_mastodon_mock: MastodonMock) -> MastodonMock:
    """Strict about Mastodon's limits; as new for every test."""
    _mastodon_mock.proxy.clear()
    _mastodon_mock.reset()
    return _mastodon_mock
