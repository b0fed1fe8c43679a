"""Our Mastodon connector on servers that somebody else wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from regie.networks.capabilities import MessageKind, Repeatable, Search
from regie.networks.data import Incoming, Login, Outgoing, Picture, Poll, Published, Ready, Ref
from regie.networks.errors import Refused, TryLater, Unclear
from regie.networks.mastodon.connector import Mastodon

from .servers import MastodonMock, Snac

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("real")]

BACK = "http://127.0.0.1:9/back"
LONG_AGO = timedelta(hours=1)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=20)
    ) as session:
        yield session


def outgoing(text: str, **more: Any) -> Outgoing:
    return Outgoing(**{"key": f"key of {text}", "text": text, "planned_at": datetime.now(UTC), **more})


async def publish(connector: Mastodon, what: Outgoing) -> Published:
    ready = await connector.prepare(what, {})
    assert isinstance(ready, Ready)
    published = await connector.commit(what, ready.progress)
    assert isinstance(published, Published)
    return published


async def signed_in(http: aiohttp.ClientSession, server: Snac, user: str) -> Mastodon:
    """By the way a person takes: registration, the server's own page, the code."""
    app = await Mastodon.register(http, server=server.url, redirect_uri=BACK, website="https://regie.example")
    signing_in = await Mastodon.start(http, server=server.url, app=app, redirect_uri=BACK)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(signing_in.url).query).items()}
    code = await asyncio.to_thread(server.sign_in, user, asked["client_id"], redirect_uri=BACK, state=signing_in.state)
    fruit = await Mastodon.finish(
        http, server=server.url, app=app, redirect_uri=BACK, query={"code": code}, secrets=signing_in.secrets
    )
    profile = fruit.profiles[0]
    return Mastodon(
        http,
        Login(
            server=server.url,
            remote_id=profile.remote_id,
            credentials=fruit.credentials,
            app=app,
            limits=profile.limits,
        ),
    )


@pytest.fixture
def photo(tmp_path: Path, picture: bytes) -> Picture:
    path = tmp_path / "photo.png"
    path.write_bytes(picture)
    return Picture(path=path, content_type="image/png", width=1, height=1, size=len(picture), alt="A grey gradient")


async def the_answer(connector: Mastodon, post: Published) -> Incoming:
    """snac delivers from a queue that it looks at every few seconds."""
    for _ in range(60):
        found = [one for one in (await connector.messages(cursor="")).messages if one.post_id == post.remote_id]
        if found:
            assert len(found) == 1
            return found[0]
        await asyncio.sleep(0.5)
    raise AssertionError("the answer never came")


async def test_on_snac_a_post_is_published_answered_and_counted(
    http: aiohttp.ClientSession, snac_behind_nginx: Snac, photo: Picture
) -> None:
    alice, bob = await signed_in(http, snac_behind_nginx, "alice"), await signed_in(http, snac_behind_nginx, "bob")
    can = Mastodon.can_on(alice._login.limits)
    assert (isinstance(can.repeat, Search), can.poll, can.delete) == (True, None, False)
    text = "Ouvert aujourd'hui 👩‍👩‍👧‍👦 https://example.org/a-long-way/to-go?x=1"
    post = await publish(alice, outgoing(text, pictures=(photo,)))
    listing = await alice.own_posts(since=datetime.now(UTC) - LONG_AGO)
    assert [(one.text, one.media) for one in listing.seen if one.remote_id == post.remote_id] == [(text, 1)]
    assert (await alice.fetch(post.remote_id)).remote_id == post.remote_id

    await publish(bob, outgoing("@alice Until when?", reply_to=Ref(remote_id=post.remote_id)))
    message = await the_answer(alice, post)
    assert message.kind is MessageKind.REPLY
    assert "Until when?" in message.text
    answer = await publish(alice, outgoing("Until six", reply_to=Ref(remote_id=message.remote_id, extra=message.extra)))
    listing = await alice.own_posts(since=datetime.now(UTC) - LONG_AGO)
    assert "Until six" in [one.text for one in listing.seen if one.remote_id == answer.remote_id]
    await alice.like(Ref(remote_id=message.remote_id))
    samples = await alice.post_samples([Ref(remote_id=post.remote_id)])
    assert samples[post.remote_id]["replies"] == 1
    assert set(await alice.account_samples()) == {"followers", "following", "posts"}


async def test_on_snac_an_edit_is_seen_and_a_deletion_refused(
    http: aiohttp.ClientSession, snac_behind_nginx: Snac
) -> None:
    alice = await signed_in(http, snac_behind_nginx, "alice")
    post = await publish(alice, outgoing("Until sixx"))
    await alice.edit(Ref(remote_id=post.remote_id), outgoing("Until six sharp"), {})
    listing = await alice.own_posts(since=datetime.now(UTC) - LONG_AGO)
    assert [one.text for one in listing.seen if one.remote_id == post.remote_id] == ["Until six sharp"]
    with pytest.raises(Refused, match="no way to delete"):
        await alice.delete(Ref(remote_id=post.remote_id))


async def test_bare_snac_never_loses_one_of_forty_posts(http: aiohttp.ClientSession, snac: Snac) -> None:
    alice = await signed_in(http, snac, "alice")
    for number in range(40):
        await publish(alice, outgoing(f"number {number}"))
    listing = await alice.own_posts(since=datetime.now(UTC) - LONG_AGO)
    found = [one.text for one in listing.seen if one.text.startswith("number")]
    assert sorted(found) == sorted(f"number {number}" for number in range(40))


async def test_an_answer_lost_behind_nginx_is_unclear_and_then_found(
    http: aiohttp.ClientSession, snac_behind_nginx: Snac
) -> None:
    alice = await signed_in(http, snac_behind_nginx, "alice")
    assert snac_behind_nginx.proxy is not None
    snac_behind_nginx.proxy.cut_answer("POST", "/api/v1/statuses")
    with pytest.raises(Unclear):
        await publish(alice, outgoing("Did it go out, really?"))
    listing = await alice.own_posts(since=datetime.now(UTC) - LONG_AGO)
    assert [one.text for one in listing.seen].count("Did it go out, really?") == 1


@pytest.fixture
async def on_mock(http: aiohttp.ClientSession, mastodon_mock: MastodonMock) -> Mastodon:
    login = Login(server=mastodon_mock.url, credentials={"access_token": mastodon_mock.tokens["alice"]})
    profile = await Mastodon(http, login).whoami()
    return Mastodon(http, replace(login, remote_id=profile.remote_id, limits=profile.limits))


async def test_on_the_mock_everything_is_as_on_mastodon(on_mock: Mastodon, photo: Picture) -> None:
    assert isinstance(Mastodon.can_on(on_mock._login.limits).repeat, Repeatable)
    post = await publish(on_mock, outgoing("Look", pictures=(photo,), language="fr"))
    poll = Poll(options=("a", "b"), lasts=timedelta(days=1))
    asked = await publish(on_mock, outgoing("Which?", poll=poll, reply_to=Ref(remote_id=post.remote_id)))
    listing = await on_mock.own_posts(since=datetime.now(UTC) - LONG_AGO)
    assert {(one.text, one.media, one.reply_to_id) for one in listing.seen} == {
        ("Look", 1, ""),
        ("Which?", 0, post.remote_id),
    }
    await on_mock.like(Ref(remote_id=asked.remote_id))
    assert (await on_mock.post_samples([Ref(remote_id=asked.remote_id)]))[asked.remote_id]["likes"] == 1
    await on_mock.edit(Ref(remote_id=post.remote_id), outgoing("Look here"), {})
    for one in (asked, post, post):
        await on_mock.delete(Ref(remote_id=one.remote_id))
    assert (await on_mock.own_posts(since=datetime.now(UTC) - LONG_AGO)).seen == ()
    with pytest.raises(Refused):
        await publish(on_mock, outgoing("x" * 501))


async def test_on_the_mock_a_lost_answer_is_asked_again_with_its_key(
    on_mock: Mastodon, mastodon_mock: MastodonMock
) -> None:
    mastodon_mock.proxy.cut_answer("POST", "/api/v1/statuses")
    what = outgoing("Once", repeat_until=datetime.now(UTC) + LONG_AGO)
    with pytest.raises(TryLater):
        await publish(on_mock, what)
    await publish(on_mock, what)
    assert [one.text for one in (await on_mock.own_posts(since=datetime.now(UTC) - LONG_AGO)).seen] == ["Once"]
