"""Our Bluesky connector on the vendor's own PDS and AppView."""

from __future__ import annotations

import asyncio
import http.server
import secrets
import threading
import urllib.parse
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import pytest
from atproto import Client, models
from PIL import Image
from playwright.sync_api import sync_playwright

from regie.networks.bluesky.connector import Bluesky
from regie.networks.bluesky.sign_in import Addresses
from regie.networks.capabilities import MessageKind
from regie.networks.data import AppKeys, Login, Outgoing, Picture, Published, Ref, SignedIn
from regie.networks.errors import Gone, Refused, SignInAgain, TryLater, Unclear

from .pages import consent_on_pds
from .processes import CHROMIUM
from .servers import BlueskyAccount, BlueskyNetwork, eventually

pytestmark = [
    pytest.mark.real,
    pytest.mark.xdist_group("real"),
    # The library hands httpx its uploads in a way that httpx no longer likes.
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),
]

T = TypeVar("T")
FOR_EVER = datetime.max.replace(tzinfo=UTC)


@pytest.fixture
async def http_session() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=20, sock_connect=5)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout) as session:
        yield session


@pytest.fixture
def account(bluesky_network: BlueskyNetwork) -> BlueskyAccount:
    return bluesky_network.create_account(f"c{secrets.token_hex(5)}.test")


@pytest.fixture
def addressed(bluesky_network: BlueskyNetwork, monkeypatch: pytest.MonkeyPatch) -> type[Bluesky]:
    monkeypatch.setattr(Bluesky, "addresses", Addresses(plc=bluesky_network.plc_url))
    monkeypatch.setattr(Bluesky, "default_server", bluesky_network.pds_url)
    return Bluesky


def login_of(signed: SignedIn, app: AppKeys | None = None) -> Login:
    (profile,) = signed.profiles
    return Login(server=profile.server, remote_id=profile.remote_id, credentials=signed.credentials, app=app)


@pytest.fixture
async def connector(http_session: aiohttp.ClientSession, addressed: type[Bluesky], account: BlueskyAccount) -> Bluesky:
    fields = {"handle": account.handle, "password": account.password}
    return Bluesky(http_session, login_of(await addressed.sign_in(http_session, server="", fields=fields)))


@pytest.fixture
def client(bluesky_network: BlueskyNetwork) -> Iterator[Callable[[BlueskyAccount], Client]]:
    """The independent witness: the vendor's library, signed in."""
    with ExitStack() as stack:

        def made(account: BlueskyAccount) -> Client:
            client = Client(base_url=f"{bluesky_network.pds_url}/xrpc")
            stack.callback(client.request.close)
            client.login(account.handle, account.password)
            return client

        yield made


def outgoing(text: str, *, key: str = "one", **more: Any) -> Outgoing:
    planned = datetime.now(UTC).replace(microsecond=0)
    return Outgoing(key=key, text=text, **{"planned_at": planned, "repeat_until": FOR_EVER, **more})


async def publish(connector: Bluesky, step: Outgoing) -> Published:
    return await connector.commit(step, (await connector.prepare(step, {})).progress)


@pytest.fixture
def picture_file(tmp_path: Path) -> Picture:
    path = tmp_path / "picture.png"
    Image.linear_gradient("L").resize((64, 48)).save(path)
    return Picture(
        path=path, content_type="image/png", width=64, height=48, size=path.stat().st_size, alt="Un dégradé gris"
    )


async def test_a_post_is_read_back_answered_liked_and_counted(
    connector: Bluesky,
    account: BlueskyAccount,
    bluesky_network: BlueskyNetwork,
    client: Callable[[BlueskyAccount], Client],
    picture_file: Picture,
) -> None:
    reader_account = await asyncio.to_thread(bluesky_network.create_account, f"r{secrets.token_hex(5)}.test")
    reader = await asyncio.to_thread(client, reader_account)
    text = f"Été 👨‍👩‍👧 @{reader_account.handle} https://example.org #soldes"
    step = outgoing(text, pictures=(picture_file,), language="fr")
    published = await publish(connector, step)

    def read_and_answer() -> Any:
        (post,) = eventually(lambda: reader.get_posts([published.remote_id]).posts)
        ref = models.create_strong_ref(post)
        reader.send_post("Magnifique !", reply_to=models.AppBskyFeedPost.ReplyRef(root=ref, parent=ref))
        reader.like(post.uri, post.cid)
        return post

    post = await asyncio.to_thread(read_and_answer)
    assert (post.record.text, post.record.langs, post.cid) == (text, ["fr"], published.extra["cid"])
    assert (post.embed.images[0].alt, post.embed.images[0].aspect_ratio.width) == (picture_file.alt, 64)
    features = [facet.features[0] for facet in post.record.facets]
    assert features[0].did == reader_account.did
    assert (features[1].uri, features[2].tag) == ("https://example.org", "soldes")

    message = (await until(lambda: connector.messages(cursor=""), lambda read: len(read.messages) == 1)).messages[0]
    assert (message.kind, message.text, message.post_id) == (MessageKind.REPLY, "Magnifique !", published.remote_id)
    assert message.by.handle == reader_account.handle

    reference = Ref(remote_id=message.remote_id, extra=message.extra)
    answer = await publish(connector, outgoing("Merci !", key="answer", reply_to=reference))
    liked = await connector.like(reference)
    assert await connector.like(reference) == liked
    thread = await asyncio.to_thread(
        lambda: eventually(lambda: reader.get_post_thread(published.remote_id).thread.replies[0].replies)
    )
    assert [one.post.uri for one in thread] == [answer.remote_id]

    refs = [Ref(remote_id=published.remote_id)]
    samples = await until(lambda: connector.post_samples(refs), lambda read: read[published.remote_id]["likes"] == 1)
    assert samples[published.remote_id] == {"likes": 1, "shares": 0, "replies": 1, "quotes": 0}
    assert (await connector.account_samples())["posts"] in (1, 2)  # the AppView counts a moment later
    assert [one.remote_id for one in (await connector.own_posts(since=step.planned_at)).seen] == sorted(
        (published.remote_id, answer.remote_id), reverse=True
    )
    await connector.unlike(reference, liked)
    await connector.delete(refs[0])
    with pytest.raises(Gone):
        await connector.fetch(published.remote_id)


async def until(ask: Callable[[], Any], fine: Callable[[Any], bool], *, seconds: float = 10) -> Any:
    """What the network says once it is as it should be: its AppView comes a moment after."""
    for _ in range(int(seconds / 0.1)):
        if fine(said := await ask()):
            return said
        await asyncio.sleep(0.1)
    raise AssertionError(f"still {said!r}")


async def test_the_same_again_is_the_same_post_and_another_text_is_refused(connector: Bluesky) -> None:
    step = outgoing("Une seule fois")
    first = await publish(connector, step)
    assert (await publish(connector, step)).remote_id == first.remote_id
    with pytest.raises(Refused, match="already holds another post"):
        await publish(connector, replace(step, text="Autre chose"))
    # Written a little differently (here: in another language), it is recognised by reading it back.
    assert (await publish(connector, replace(step, language="fr"))).remote_id == first.remote_id
    assert len((await connector.own_posts(since=step.planned_at)).seen) == 1


async def test_an_answer_lost_after_the_post_was_taken_ends_as_one_post(
    connector: Bluesky, bluesky_network: BlueskyNetwork
) -> None:
    step = outgoing("Perdu en route")
    ready = await connector.prepare(step, {})
    bluesky_network.proxy.cut_answer(path="putRecord")
    with pytest.raises(TryLater):
        await connector.commit(step, ready.progress)
    published = await connector.commit(step, ready.progress)
    assert [one.remote_id for one in (await connector.own_posts(since=step.planned_at)).seen] == [published.remote_id]

    never = outgoing("Jamais deux fois", key="two", repeat_until=None)
    bluesky_network.proxy.cut_answer(path="putRecord")
    with pytest.raises(Unclear):
        await connector.commit(never, (await connector.prepare(never, {})).progress)


async def test_a_server_that_is_down_is_later_and_nothing_was_sent(
    connector: Bluesky, bluesky_network: BlueskyNetwork
) -> None:
    step = outgoing("Plus tard")
    ready = await connector.prepare(step, {})
    with bluesky_network.down(), pytest.raises(TryLater):
        await connector.commit(step, ready.progress)
    assert (await connector.own_posts(since=step.planned_at)).seen == ()
    await connector.commit(step, ready.progress)


@pytest.mark.parametrize("text", ["👨‍👩‍👧‍👦" * 100 + "é" * 200, "ב" * 300, "🇫🇷" * 300])
async def test_the_server_counts_as_we_do(connector: Bluesky, text: str) -> None:
    await publish(connector, outgoing(text))
    with pytest.raises(Refused, match="grapheme too big"):
        await publish(connector, outgoing(text + "a", key="two"))


async def test_a_picture_over_the_declared_limit_is_refused(connector: Bluesky, picture_file: Picture) -> None:
    Image.effect_noise((1300, 1300), 100).save(picture_file.path)
    with pytest.raises(Refused, match="blob too big"):
        await publish(connector, outgoing("Trop grand", pictures=(picture_file,)))


async def test_a_wrong_password_and_a_dead_token_have_their_own_ways_out(
    connector: Bluesky, http_session: aiohttp.ClientSession, account: BlueskyAccount
) -> None:
    with pytest.raises(Refused, match="app password"):
        await Bluesky.sign_in(http_session, server="", fields={"handle": account.handle, "password": "guess"})
    dead = replace(connector._xrpc.login, credentials={"access": "x", "refresh": "y", "did": account.did})
    with pytest.raises(SignInAgain):
        await Bluesky(http_session, dead).whoami()
    with pytest.raises(SignInAgain):
        await Bluesky(http_session, dead).refresh()


async def test_a_session_is_refreshed_and_ended(
    connector: Bluesky, http_session: aiohttp.ClientSession, account: BlueskyAccount
) -> None:
    signed = await connector.refresh()
    assert signed.expires_at is not None
    assert signed.expires_at > datetime.now(UTC) + timedelta(hours=1)
    again = Bluesky(http_session, login_of(signed))
    assert (await again.whoami()).handle == account.handle
    await again.revoke()
    with pytest.raises(SignInAgain):
        await again.refresh()


# OAuth


def with_session(work: Callable[[aiohttp.ClientSession], Awaitable[T]]) -> T:
    """Run async work in a thread of its own: Playwright keeps this thread's loop."""

    async def done() -> T:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            return await work(session)

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(lambda: asyncio.run(done())).result(60)


@pytest.fixture
def back() -> Iterator[str]:
    """A page of ours to come back to."""

    class Welcome(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name http.server looks for
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"Welcome back")

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Welcome) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/accounts/bluesky/back"
        server.shutdown()


def sign_in_as_a_person(url: str, account: BlueskyAccount, *, allow: bool = True) -> dict[str, str]:
    """The vendor's own pages in Chromium; returns what comes back in the address."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            page = browser.new_page()
            page.goto(url)
            consent_on_pds(page, account.handle, account.password, allow=allow)
            return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page.url).query))
        finally:
            browser.close()


@pytest.mark.browser
def test_an_account_connected_on_the_vendors_own_page_publishes_refreshes_and_leaves(
    addressed: type[Bluesky], bluesky_network: BlueskyNetwork, account: BlueskyAccount, back: str
) -> None:
    server = bluesky_network.pds_url
    app = with_session(lambda session: addressed.register(session, server=server, redirect_uri=back, website=back))
    begun = with_session(
        lambda session: addressed.start(session, server=server, app=app, redirect_uri=back, hint=account.handle)
    )
    query = sign_in_as_a_person(begun.url, account)
    assert query["state"] == begun.state

    async def walk(session: aiohttp.ClientSession) -> None:
        signed = await addressed.finish(
            session, server=server, app=app, redirect_uri=back, query=query, secrets=begun.secrets
        )
        assert (signed.profiles[0].remote_id, signed.profiles[0].server) == (account.did, server)
        assert signed.scopes == ("atproto", "transition:generic", "transition:chat.bsky")
        login = login_of(signed, app)
        step = outgoing("Par la grande porte")
        published = await publish(addressed(session, login), step)
        assert (await publish(addressed(session, login), step)).remote_id == published.remote_id

        fresh = await addressed(session, login).refresh()
        again = addressed(session, replace(login, credentials=fresh.credentials))
        assert (await again.whoami()).handle == account.handle
        with pytest.raises(SignInAgain):
            await addressed(session, login).refresh()  # the old refresh token, a second time
        with pytest.raises(SignInAgain):
            await again.refresh()  # which ends the whole session

    with_session(walk)


@pytest.mark.browser
def test_a_session_ended_by_us_is_dead_and_a_refusal_on_the_page_is_told(
    addressed: type[Bluesky], bluesky_network: BlueskyNetwork, account: BlueskyAccount, back: str
) -> None:
    server = bluesky_network.pds_url
    app = with_session(lambda session: addressed.register(session, server=server, redirect_uri=back, website=back))

    async def begin(session: aiohttp.ClientSession) -> Any:
        return await addressed.start(session, server=server, app=app, redirect_uri=back, hint=account.handle)

    async def end(session: aiohttp.ClientSession) -> None:
        signed = await addressed.finish(
            session, server=server, app=app, redirect_uri=back, query=query, secrets=begun.secrets
        )
        connector = addressed(session, login_of(signed, app))
        await connector.revoke()
        await connector.revoke()
        with pytest.raises(SignInAgain):
            await connector.refresh()

    begun = with_session(begin)
    query = sign_in_as_a_person(begun.url, account)
    with_session(end)

    begun = with_session(begin)
    query = sign_in_as_a_person(begun.url, account, allow=False)
    with pytest.raises(Refused, match="Access was not granted"):
        with_session(end)
