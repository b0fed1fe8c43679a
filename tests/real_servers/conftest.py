"""Fixtures for tests against real servers: started once for the session, skipped when not installed.

Mark such tests with ``pytestmark = [pytest.mark.real, pytest.mark.xdist_group("real")]``: then one worker runs them all
and each server starts once. With CI or REGIE_REQUIRE_REAL in the environment a server that is missing is a failure.
"""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
import requests
from atproto import Client
from mastodon import Mastodon
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from . import install, servers
from .processes import CHROMIUM, workdir
from .product import MovableClock, Place, Roles, connect_by_oauth, mastodon_statuses
from .servers import BlueskyAccount, BlueskyNetwork, MastodonMock, Snac

if TYPE_CHECKING:
    from regie.people.models import Member

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


# -- the product before these servers


@pytest.fixture
def reaches(settings: Any) -> Callable[[str], None]:
    """Lets the product talk to an inner address: ``reaches("http://localhost:8801")``."""

    def allow(address: str) -> None:
        settings.ALLOWED_HOSTS_OUT = [*settings.ALLOWED_HOSTS_OUT, address]

    return allow


@pytest.fixture
def ours_on_bluesky(
    bluesky_network: BlueskyNetwork,
    settings: Any,
    reaches: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> BlueskyNetwork:
    """The product takes this network for Bluesky."""
    from regie.networks.bluesky.connector import Bluesky

    monkeypatch.setattr(Bluesky, "addresses", replace(Bluesky.addresses, plc=bluesky_network.plc_url))
    monkeypatch.setattr(Bluesky, "default_server", bluesky_network.pds_url)
    settings.NETWORKS = {**settings.NETWORKS, "bluesky": bluesky_network.pds_url}
    reaches(bluesky_network.pds_url)
    reaches(bluesky_network.plc_url)
    return bluesky_network


@pytest.fixture
def roles(transactional_db: None) -> Iterator[Roles]:
    """Starts processes of the product on the tests' database."""
    with workdir() as home:
        started = Roles(home)
        try:
            yield started
        finally:
            started.stop()


@pytest.fixture
def movable_clock() -> Iterator[MovableClock]:
    from regie.core import clock

    ours = MovableClock()
    clock.ask_instead(ours)
    yield ours
    clock.ask_instead(None)


@pytest.fixture
def mastodon_client() -> Iterator[Callable[[str, str], Mastodon]]:
    """The independent witness: ``mastodon_client(url, token)``.

    One connection a request: bare snac hangs up on a kept one without saying so, which is the product's to bear.
    """
    with requests.Session() as session:
        session.headers["Connection"] = "close"
        yield lambda url, token: Mastodon(
            access_token=token, api_base_url=url, ratelimit_method="throw", session=session
        )


@pytest.fixture
def bluesky_client(bluesky_network: BlueskyNetwork) -> Iterator[Callable[[BlueskyAccount], Client]]:
    """The independent witness; reaches the PDS beside the proxy, so no fault is spent on it."""
    with ExitStack() as stack:

        def signed_in(account: BlueskyAccount) -> Client:
            client = Client(base_url=f"http://localhost:{bluesky_network.proxy.upstream_port}")
            stack.callback(client.request.close)
            client.login(account.handle, account.password)
            return client

        yield signed_in


@pytest.fixture
def place_on_bluesky(
    ours_on_bluesky: BlueskyNetwork, alice: Member, bluesky_client: Callable[[BlueskyAccount], Client]
) -> Place:
    """Knows our key for ever."""
    from regie.accounts import sign_in

    known = ours_on_bluesky.create_account(f"p{secrets.token_hex(5)}.test")
    witness = bluesky_client(known)
    fields = {"handle": known.handle, "password": known.password}
    account = sign_in.with_secret(network="bluesky", fields=fields, by=alice).accounts[0]

    def there() -> list[tuple[str, str]]:
        kept = witness.com.atproto.repo.list_records({"repo": known.did, "collection": "app.bsky.feed.post"})
        return [(one.value.text, one.uri) for one in reversed(kept.records)]

    def leads(link: str, uri: str) -> bool:
        return link.endswith(f"/profile/{known.did}/post/{uri.rpartition('/')[2]}")

    return Place(account, ours_on_bluesky.proxy, "putRecord", there, leads)


@pytest.fixture
def place_on_snac(
    snac_behind_nginx: Snac,
    alice: Member,
    reaches: Callable[[str], None],
    mastodon_client: Callable[[str, str], Mastodon],
) -> Place:
    """Knows no key: what became of a post has to be looked up."""
    reaches(snac_behind_nginx.url)
    witness = mastodon_client(snac_behind_nginx.url, snac_behind_nginx.token("alice"))
    long_ago = f"Long ago {secrets.token_hex(6)}"  # nothing is surely absent before we see further back than we sent
    witness.status_post(long_ago)
    snac_behind_nginx.make_older(long_ago)
    before = len(mastodon_statuses(witness))  # other tests posted as alice too

    def sign_in_there(client_id: str, redirect_uri: str, state: str) -> str:
        return snac_behind_nginx.sign_in("alice", client_id, redirect_uri=redirect_uri, state=state)

    account = connect_by_oauth(snac_behind_nginx.url, alice, sign_in_there)
    assert snac_behind_nginx.proxy is not None
    snac_behind_nginx.proxy.clear()
    return Place(account, snac_behind_nginx.proxy, r"/api/v1/statuses$", lambda: mastodon_statuses(witness)[before:])


@pytest.fixture
def place_on_mock(
    mastodon_mock: MastodonMock,
    alice: Member,
    reaches: Callable[[str], None],
    mastodon_client: Callable[[str, str], Mastodon],
) -> Place:
    """Knows our key for an hour."""
    reaches(mastodon_mock.url)
    witness = mastodon_client(mastodon_mock.url, mastodon_mock.tokens["alice"])
    account = connect_by_oauth(mastodon_mock.url, alice, lambda *_: mastodon_mock.code("alice"))
    mastodon_mock.proxy.clear()
    return Place(account, mastodon_mock.proxy, r"/api/v1/statuses$", lambda: mastodon_statuses(witness))


@pytest.fixture(params=["bluesky", "snac", "mock"])
def place(request: pytest.FixtureRequest) -> Place:
    """Each network in turn."""
    found: Place = request.getfixturevalue(f"place_on_{request.param}")
    return found


# -- a person before the product


@pytest.fixture
def house(transactional_db: None, settings: Any, until_all_is_answered: Callable[[LiveServer], None]) -> Iterator[str]:
    """The product's web server on 127.0.0.1, which Bluesky wants of an app on loopback; yields its address."""
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "127.0.0.1"]
    server = LiveServer("127.0.0.1")
    settings.PUBLIC_URL = server.url
    try:
        yield server.url
    finally:
        until_all_is_answered(server)
        server.stop()


@pytest.fixture
def page(house: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """Chromium. Nothing may go wrong unseen on a page of ours."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's loop runs in this thread
    problems: list[str] = []

    def note(problem: str, where: str) -> None:
        if where.startswith(house):
            problems.append(f"{where}: {problem}")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            page = browser.new_page(locale="en-GB")
            page.set_default_timeout(30_000)
            page.on("pageerror", lambda error: note(str(error), page.url))
            page.on("console", lambda said: note(said.text, said.location["url"]) if said.type == "error" else None)
            yield page
        finally:
            browser.close()
    assert problems == []
