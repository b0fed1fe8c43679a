"""Mastodon.py, which somebody else wrote, works on the sandbox: what we learn there is worth something."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import aiohttp
import mastodon as mastodon_py
import pytest

from regie.networks.data import Outgoing, Picture, Published, Ready
from regie.networks.mastodon.connector import Mastodon as Connector
from regie_sandbox.mastodon.app import Mastodon

OOB = "urn:ietf:wg:oauth:2.0:oob"


def client(server: Mastodon, name: str = "regie", **more: Any) -> Any:
    token = server.ready_account(name)["credentials"]["access_token"]
    return mastodon_py.Mastodon(access_token=token, api_base_url=server.base, ratelimit_method="throw", **more)


async def test_it_publishes_reads_back_replies_likes_and_measures(mastodon: Mastodon, picture: Picture) -> None:
    def walk() -> None:
        regie, ana = client(mastodon), client(mastodon, "ana")
        media = regie.media_post(
            picture.path.read_bytes(), "image/png", description="A teal window", focus=(0.5, -0.25)
        )
        post = regie.status_post("Open today https://example.org/", media_ids=[media], visibility="public")
        assert regie.status(post.id).media_attachments[0].description == "A teal window"
        reply = ana.status_reply(post, "Until when?")
        ana.status_favourite(post)
        ana.status_reblog(post)
        seen = regie.status(post.id)
        assert (seen.favourites_count, seen.reblogs_count, seen.replies_count) == (1, 1, 1)
        assert [one.id for one in regie.status_context(post.id).descendants] == [reply.id]
        assert sorted(one.type for one in regie.notifications()) == ["favourite", "mention", "reblog"]
        assert [one.id for one in regie.account_statuses(regie.me().id)] == [post.id]

    await asyncio.to_thread(walk)


async def test_it_edits_deletes_polls_and_honours_the_key(mastodon: Mastodon) -> None:
    def walk() -> None:
        regie, ana = client(mastodon), client(mastodon, "ana")
        first = regie.status_post("once", idempotency_key="k")
        assert regie.status_post("once", idempotency_key="k").id == first.id
        regie.status_update(first, "changed")
        assert regie.status_source(first).text == "changed"
        assert len(regie.status_history(first)) == 2
        poll = regie.make_poll(["a", "b"], expires_in=3600)
        asked = regie.status_post("?", poll=poll)
        ana.poll_vote(asked.poll, [1])
        assert regie.poll(asked.poll).votes_count == 1
        regie.status_delete(first)
        with pytest.raises(mastodon_py.MastodonNotFoundError):
            regie.status(first)
        with pytest.raises(mastodon_py.MastodonAPIError, match="500"):
            regie.status_post("x" * 501)

    await asyncio.to_thread(walk)


async def test_it_registers_and_signs_in(mastodon: Mastodon, http: aiohttp.ClientSession) -> None:
    def register() -> tuple[str, str]:
        made: tuple[str, str] = mastodon_py.Mastodon.create_app("test", api_base_url=mastodon.base, scopes=["read"])
        return made

    client_id, secret = await asyncio.to_thread(register)
    fields = {"client_id": client_id, "redirect_uri": OOB, "scope": "read", "username": "regie"}
    async with http.post(f"{mastodon.base}/oauth/authorize", data={**fields, "decision": "authorize"}) as page:
        code = (await page.text()).split("<code>")[1].split("</code>")[0]

    def sign_in() -> None:
        api = mastodon_py.Mastodon(client_id=client_id, client_secret=secret, api_base_url=mastodon.base)
        api.log_in(code=code, scopes=["read"], allow_http=True)
        assert api.me().username == "regie"
        assert api.instance_v2().configuration.statuses.max_characters == 500
        assert api.instance_nodeinfo().software.name == "mastodon"
        with pytest.raises(mastodon_py.MastodonAPIError, match="outside the authorized scopes"):
            api.status_post("not allowed to")
        api.revoke_access_token(allow_http=True)

    await asyncio.to_thread(sign_in)


async def test_it_hears_the_stream(mastodon: Mastodon) -> None:
    mastodon.heartbeat = 0.2  # the client ends between two heartbeats
    heard: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    connected = asyncio.Event()

    class Listener(mastodon_py.StreamListener):
        def handle_heartbeat(self) -> None:
            loop.call_soon_threadsafe(connected.set)

        def on_notification(self, notification: Any) -> None:
            loop.call_soon_threadsafe(heard.put_nowait, notification.status.account.acct)

        def on_abort(self, err: Any) -> None:
            pass

    handle = await asyncio.to_thread(lambda: client(mastodon).stream_user(Listener(), run_async=True))
    await asyncio.wait_for(connected.wait(), 5)
    mastodon.say(by="ana", text="hello", to="regie", kind="mention")
    assert await asyncio.wait_for(heard.get(), 5) == "ana"
    await asyncio.to_thread(handle.close)


async def test_what_our_connector_publishes_it_reads_back(
    mastodon: Mastodon, connector: Connector, picture: Picture
) -> None:
    text = "Ouvert aujourd'hui 👩‍👩‍👧‍👦 مرحبا https://example.org/"
    what = Outgoing(key="k", text=text, planned_at=datetime.now(UTC), pictures=(picture,), language="fr")
    ready = await connector.prepare(what, {})
    assert isinstance(ready, Ready)
    published = await connector.commit(what, ready.progress)
    assert isinstance(published, Published)

    def read_back() -> Any:
        return client(mastodon).status(published.remote_id)

    seen = await asyncio.to_thread(read_back)
    assert (seen.language, seen.media_attachments[0].description) == ("fr", "A teal window")
    assert "👩‍👩‍👧‍👦 مرحبا" in seen.content
