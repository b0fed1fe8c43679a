"""The vendor's own library against our sandbox: as with the real thing, without knowing the difference."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Callable, Iterator

import httpx
import libipld
import pytest
from atproto import Client, client_utils, models
from atproto_client.exceptions import BadRequestError, UnauthorizedError
from PIL import Image

from regie.networks.bluesky.connector import Bluesky as Connector
from regie.networks.data import Outgoing, Picture, Ref
from regie_sandbox.bluesky.app import Bluesky
from regie_sandbox.bluesky.cbor import encoded

SignsIn = Callable[[str], Client]
# The library hands httpx its uploads in a way that httpx no longer likes.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.fixture
def image() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((64, 48)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def client(bluesky: Bluesky) -> Iterator[Callable[[], Client]]:
    """Makes clients that are closed at the end."""
    with contextlib.ExitStack() as stack:

        def made() -> Client:
            client = Client(base_url=f"{bluesky.base}/xrpc")
            stack.callback(client.request.close)
            return client

        yield made


@pytest.fixture
def signed_in(bluesky: Bluesky, client: Callable[[], Client]) -> Callable[[str], Client]:
    def signed_in(name: str) -> Client:
        ready, made = bluesky.ready_account(name), client()
        made.login(ready["handle"], ready["password"])
        return made

    return signed_in


async def test_it_posts_a_picture_answers_likes_and_reads_back(signed_in: SignsIn, image: bytes) -> None:
    def walk() -> None:
        alice, bob = signed_in("alice"), signed_in("bob")
        bob.follow(alice.me.did)
        text = client_utils.TextBuilder().text("Voici ").tag("#été", "été").text(" ").link("ici", "https://example.org")
        post = alice.send_image(text, image, "Un dégradé", image_aspect_ratio=None, langs=["fr"])
        ref = models.create_strong_ref(post)
        bob.send_post("Joli !", reply_to=models.AppBskyFeedPost.ReplyRef(root=ref, parent=ref))
        bob.like(post.uri, post.cid)
        bob.repost(post.uri, post.cid)

        thread = alice.get_post_thread(post.uri).thread
        assert thread.post.record.text == "Voici #été ici"
        counts = (thread.post.like_count, thread.post.repost_count, thread.post.reply_count)
        assert counts == (1, 1, 1)
        assert [answer.post.record.text for answer in thread.replies] == ["Joli !"]
        picture = thread.post.embed.images[0]
        assert (picture.alt, httpx.get(picture.fullsize).content) == ("Un dégradé", image)

        notices = alice.app.bsky.notification.list_notifications().notifications
        assert [notice.reason for notice in notices] == ["repost", "like", "reply", "follow"]
        assert bob.get_timeline().feed[0].post.record.text in ("Joli !", "Voici #été ici")
        assert alice.get_profile("alice.test").followers_count == 1
        assert alice.get_likes(post.uri).likes[0].actor.handle == "bob.test"
        assert alice.delete_post(post.uri)
        assert alice.get_author_feed("alice.test").feed == []

    await asyncio.to_thread(walk)


async def test_it_reads_what_our_connector_wrote(
    signed_in: SignsIn, connector: Connector, outgoing: Callable[..., Outgoing], picture: Picture
) -> None:
    published = await connector.commit(outgoing("Bonjour https://example.org", pictures=(picture,)), {})

    def read() -> None:
        (post,) = signed_in("bob").get_posts([published.remote_id]).posts
        assert post.record.text == "Bonjour https://example.org"
        assert post.record.facets[0].features[0].uri == "https://example.org"
        assert post.embed.images[0].alt == picture.alt
        assert (post.embed.images[0].aspect_ratio.width, post.cid) == (64, published.extra["cid"])

    await asyncio.to_thread(read)


async def test_it_meets_the_vendors_refusals(
    bluesky: Bluesky, signed_in: SignsIn, client: Callable[[], Client]
) -> None:
    def walk() -> None:
        alice = signed_in("alice")
        with pytest.raises(BadRequestError, match="grapheme too big"):
            alice.send_post("a" * 301)
        record = {"$type": "app.bsky.feed.post", "text": "x", "createdAt": "yesterday"}
        body = {"repo": alice.me.did, "collection": "app.bsky.feed.post", "record": record}
        with pytest.raises(BadRequestError, match="Invalid datetime"):
            alice.com.atproto.repo.create_record(body)
        with pytest.raises(UnauthorizedError):
            client().login("alice.test", "wrong")
        with pytest.raises(UnauthorizedError):
            alice.com.atproto.repo.delete_record(
                {"repo": bluesky.person("bob").did, "collection": "app.bsky.feed.post", "rkey": "3kabcdefghijk"}
            )

    await asyncio.to_thread(walk)


async def test_it_makes_the_same_identifiers_as_we_do(
    bluesky: Bluesky, connector: Connector, outgoing: Callable[..., Outgoing]
) -> None:
    """The library's own decoder agrees that our identifier is that of the record."""
    published = await connector.commit(outgoing("Été 👋 #a", language="fr"), {})
    record = bluesky.state.records[published.remote_id].value
    assert libipld.decode_dag_cbor(encoded(record)) == record
    assert libipld.decode_cid(published.extra["cid"])["codec"] == 0x71


async def test_a_new_account_opened_by_it_can_post(bluesky: Bluesky, client: Callable[[], Client]) -> None:
    def walk() -> None:
        dora = client()
        data = {"handle": "dora.test", "email": "dora@example.org", "password": "a good one"}
        dora.com.atproto.server.create_account(data)
        dora.login("dora.test", "a good one")
        dora.send_post("Hello")

    await asyncio.to_thread(walk)
    assert bluesky.texts("dora") == ["Hello"]


async def test_it_writes_and_reads_direct_messages_in_the_same_conversation_as_we(
    bluesky: Bluesky, signed_in: SignsIn, connector: Connector, outgoing: Callable[..., Outgoing]
) -> None:
    me = bluesky.ready_account()["remote_id"]

    def asks() -> str:
        lea = signed_in("lea").with_bsky_chat_proxy()
        with contextlib.closing(lea.request):
            convo = lea.chat.bsky.convo.get_convo_for_members({"members": [me]}).convo
            lea.chat.bsky.convo.send_message({"convo_id": convo.id, "message": {"text": "Vous êtes ouverts ?"}})
            return str(convo.id)

    def reads(convo: str) -> list[str]:
        lea = signed_in("lea").with_bsky_chat_proxy()
        with contextlib.closing(lea.request):
            assert [one.id for one in lea.chat.bsky.convo.list_convos().convos] == [convo]
            return [one.text for one in lea.chat.bsky.convo.get_messages({"convo_id": convo}).messages]

    convo = await asyncio.to_thread(asks)
    (message,) = (await connector.messages(cursor="")).messages
    assert (message.text, message.extra["convo"]) == ("Vous êtes ouverts ?", convo)
    answer = outgoing("Oui", reply_to=Ref(remote_id=message.remote_id, extra=message.extra))
    await connector.commit(answer, (await connector.prepare(answer, {})).progress)
    assert await asyncio.to_thread(reads, convo) == ["Oui", "Vous êtes ouverts ?"]
