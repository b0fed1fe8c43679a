"""The sandbox itself: its limits, its memory, and the vendor's lexicons."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from regie.networks.bluesky.connector import Bluesky as Connector
from regie.networks.data import Login, Outgoing, Picture, Ref
from regie_sandbox.bluesky.app import Bluesky, handle_of
from regie_sandbox.frame import World
from regie_sandbox.registry import network
from regie_sandbox.server import serve

Makes = Callable[..., Outgoing]


async def test_a_whole_conversation_is_as_the_lexicons_say(
    lexicons: object, bluesky: Bluesky, connector: Connector, outgoing: Makes, picture: Picture
) -> None:
    """Every call is checked by the fixture at the end; here the conversation, and that there was something to check."""
    post = await connector.commit(outgoing("Bonjour @lea.test https://example.org #été", pictures=(picture,)), {})
    reply = bluesky.say(by="Léa", text="Oui", to=post.remote_id)
    bluesky.say(by="Bob", text="Voyez", to=post.remote_id, kind="quote")
    await connector.messages(cursor="")
    liked = await connector.like(Ref(remote_id=reply))
    await connector.unlike(Ref(remote_id=reply), liked)
    await connector.post_samples([Ref(remote_id=post.remote_id)])
    await connector.account_samples()
    await connector.own_posts(since=outgoing().planned_at)
    await connector.fetch(post.remote_id)
    await connector.delete(Ref(remote_id=post.remote_id))
    await connector.refresh()

    called = {call.nsid for call in bluesky.watched.calls}  # type: ignore[attr-defined]
    assert {
        "com.atproto.repo.uploadBlob",
        "com.atproto.repo.putRecord",
        "com.atproto.repo.getRecord",
        "com.atproto.repo.listRecords",
        "com.atproto.repo.deleteRecord",
        "com.atproto.server.refreshSession",
        "app.bsky.notification.listNotifications",
        "app.bsky.feed.getPosts",
        "app.bsky.actor.getProfile",
    } <= called


async def test_the_checker_sees_what_departs_from_a_lexicon(lexicons: object) -> None:
    check = lexicons.problems  # type: ignore[attr-defined]
    good = {"$type": "app.bsky.feed.post", "text": "a", "createdAt": "2030-01-01T00:00:00Z"}
    assert check("app.bsky.feed.post", good) == []
    assert check("app.bsky.feed.post", {**good, "text": "a" * 301})
    assert check("app.bsky.feed.post", {**good, "createdAt": "yesterday"})
    assert check("app.bsky.feed.post", {**good, "embed": {"$type": "app.bsky.embed.gif"}})
    assert check("app.bsky.feed.post", {"text": "a"})
    assert check("app.bsky.feed.post", {**good, "poll": {}})


async def test_a_kept_world_remembers_after_a_restart(
    tmp_path: Path, http: aiohttp.ClientSession, outgoing: Makes, picture: Picture
) -> None:
    first = World(seed=7, data=tmp_path)
    bluesky = network("bluesky", first)
    running = await serve(first)
    ready = bluesky.ready_account()
    login = Login(server=ready["server"], remote_id=ready["remote_id"], credentials=ready["credentials"])
    post = await Connector(http, login).commit(outgoing("Avant", pictures=(picture,)), {})
    bluesky.like(by="Léa", post_id=post.remote_id)
    await running.close()

    second = World(seed=7, data=tmp_path)
    again = network("bluesky", second)
    running = await serve(second)
    login = Login(server=running.base["bluesky"], remote_id=login.remote_id, credentials=login.credentials)
    connector = Connector(http, login)
    assert (await connector.post_samples([Ref(remote_id=post.remote_id)]))[post.remote_id]["likes"] == 1
    assert (await connector.commit(outgoing("Avant", pictures=(picture,)), {})).remote_id == post.remote_id
    assert again.texts() == ["Avant"]
    assert len(second.ledger.of("bluesky", kind="post")) == 1
    await running.close()


async def test_a_listing_lags_but_a_record_asked_by_name_does_not(
    bluesky: Bluesky, world: World, connector: Connector, outgoing: Makes
) -> None:
    bluesky.faults.listing_lag = 60
    post = await connector.commit(outgoing(), {})
    assert (await connector.own_posts(since=outgoing().planned_at)).seen == ()
    assert (await connector.fetch(post.remote_id)).remote_id == post.remote_id
    world.clock.advance(timedelta(seconds=61))
    assert len((await connector.own_posts(since=outgoing().planned_at)).seen) == 1


async def test_a_text_that_comes_back_rewritten_is_still_one_post(
    bluesky: Bluesky, connector: Connector, outgoing: Makes
) -> None:
    bluesky.faults.rewrite = str.upper
    first = await connector.commit(outgoing("doucement"), {})
    assert (await connector.commit(outgoing("doucement"), {})).remote_id == first.remote_id
    assert bluesky.texts() == ["DOUCEMENT"]


async def test_a_second_create_under_one_key_falls_over_as_the_vendors_does(
    bluesky: Bluesky, http: aiohttp.ClientSession, login: Login
) -> None:
    record = {"$type": "app.bsky.feed.post", "text": "a", "createdAt": "2030-01-01T00:00:00Z"}
    body = {"repo": login.remote_id, "collection": "app.bsky.feed.post", "rkey": "3kabcdefghijk", "record": record}
    headers = {"Authorization": f"Bearer {login.credentials['access']}"}
    statuses = []
    for _ in range(2):
        url = f"{bluesky.base}/xrpc/com.atproto.repo.createRecord"
        async with http.post(url, json=body, headers=headers) as reply:
            statuses.append(reply.status)
    assert statuses == [200, 500]


async def test_an_unknown_question_and_a_missing_token_are_told_apart(
    bluesky: Bluesky, http: aiohttp.ClientSession, login: Login
) -> None:
    url = f"{bluesky.base}/xrpc/app.bsky.unheard.of"
    async with http.get(url) as reply:
        assert (reply.status, (await reply.json())["error"]) == (401, "AuthMissing")
    async with http.get(url, headers={"Authorization": f"Bearer {login.credentials['access']}"}) as reply:
        assert (reply.status, (await reply.json())["error"]) == (501, "MethodNotImplemented")


async def test_an_upload_beyond_the_servers_limit_is_refused(
    bluesky: Bluesky, http: aiohttp.ClientSession, login: Login, tmp_path: Path
) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"x" * 6 * 1024 * 1024)
    headers = {"Authorization": f"Bearer {login.credentials['access']}", "Content-Type": "image/png"}
    with path.open("rb") as content:
        url = f"{bluesky.base}/xrpc/com.atproto.repo.uploadBlob"
        async with http.post(url, data=content, headers=headers) as reply:
            assert (reply.status, (await reply.json())["error"]) == (413, "PayloadTooLarge")


@pytest.mark.parametrize(
    ("name", "handle"),
    [("Léa Petit", "lea-petit.test"), ("@bob.test", "bob.test"), ("Оля", "person-41e43b44f.test"), ("A", "a.test")],
)
def test_people_get_handles_from_their_names(name: str, handle: str) -> None:
    assert handle_of(name) == handle
