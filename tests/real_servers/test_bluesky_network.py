"""Bluesky's own servers do what Bluesky does, seen through a client that is not ours."""

import contextlib
import re
import secrets
from collections.abc import Callable, Iterator

import httpx
import pytest
from atproto import Client, models
from atproto_client.exceptions import BadRequestError, NetworkError

from .servers import BlueskyNetwork, eventually

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("real")]

LOST = (NetworkError, httpx.TransportError)  # atproto wraps some of what httpx raises
CREATE_RECORD = r"/com\.atproto\.repo\.createRecord"


Newcomer = Callable[[], Client]


@pytest.fixture
def newcomer(bluesky_network: BlueskyNetwork) -> Iterator[Newcomer]:
    """Opens an account that nobody else has, and signs it in."""
    with contextlib.ExitStack() as stack:

        def open_account() -> Client:
            account = bluesky_network.create_account(f"a{secrets.token_hex(5)}.test")
            client = Client(base_url=bluesky_network.pds_url)
            stack.callback(client.request.close)
            client.login(account.handle, account.password)
            return client

        yield open_account


def posts_of(client: Client) -> list[str]:
    """The texts in the account's own repository, whatever the AppView knows of them."""
    assert client.me is not None
    listed = client.com.atproto.repo.list_records({"repo": client.me.did, "collection": "app.bsky.feed.post"})
    return [record.value.text for record in listed.records]


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # atproto's way of uploading
def test_a_post_with_a_picture_is_read_back_with_its_alt_text(newcomer: Newcomer, picture: bytes) -> None:
    alice = newcomer()
    sent = alice.send_image("Good morning", picture, image_alt="A grey gradient")

    post = eventually(lambda: alice.get_posts([sent.uri]).posts)[0]
    assert post.record.text == "Good morning"
    assert isinstance(post.embed, models.AppBskyEmbedImages.View)
    assert post.embed.images[0].alt == "A grey gradient"
    assert httpx.get(post.embed.images[0].thumb).headers["content-type"].startswith("image/")


def test_replies_and_likes_are_counted(newcomer: Newcomer) -> None:
    alice = newcomer()
    bob = newcomer()
    post = alice.send_post("Any questions?")
    ref = models.create_strong_ref(post)
    bob.send_post("One!", reply_to=models.AppBskyFeedPost.ReplyRef(parent=ref, root=ref))
    bob.like(post.uri, post.cid)

    def counts() -> tuple[int | None, int | None]:
        seen = alice.get_posts([post.uri]).posts
        return (seen[0].reply_count, seen[0].like_count) if seen else (None, None)

    eventually(lambda: counts() == (1, 1))
    thread = alice.get_post_thread(post.uri).thread
    assert isinstance(thread, models.AppBskyFeedDefs.ThreadViewPost)
    assert [reply.post.record.text for reply in thread.replies or []] == ["One!"]


def test_301_characters_are_refused(newcomer: Newcomer) -> None:
    alice = newcomer()
    alice.send_post("x" * 300)
    with pytest.raises(BadRequestError):
        alice.send_post("x" * 301)


def test_an_answer_lost_after_the_pds_took_the_post_leaves_the_post_there(
    bluesky_network: BlueskyNetwork, newcomer: Newcomer
) -> None:
    alice = newcomer()
    bluesky_network.proxy.cut_answer("POST", CREATE_RECORD)
    with pytest.raises(LOST):
        alice.send_post("Did it go out?")
    assert posts_of(alice) == ["Did it go out?"]
    cut = [one for one in bluesky_network.proxy.seen if one.fault]
    assert [(re.search(CREATE_RECORD, one.target) is not None, one.status) for one in cut] == [(True, 200)]


def test_a_request_lost_before_the_pds_saw_it_leaves_no_post(
    bluesky_network: BlueskyNetwork, newcomer: Newcomer
) -> None:
    alice = newcomer()
    bluesky_network.proxy.cut_before("POST", CREATE_RECORD)
    with pytest.raises(LOST):
        alice.send_post("Did it go out?")
    assert posts_of(alice) == []


def test_the_pds_is_back_with_everything_after_an_outage(bluesky_network: BlueskyNetwork, newcomer: Newcomer) -> None:
    alice = newcomer()
    alice.send_post("Before")
    with bluesky_network.down(), pytest.raises(LOST):
        alice.send_post("During")
    alice.send_post("After")
    assert posts_of(alice) == ["After", "Before"]


def test_a_frozen_network_keeps_its_clients_waiting(bluesky_network: BlueskyNetwork, newcomer: Newcomer) -> None:
    alice = newcomer()
    with bluesky_network.frozen(), pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{bluesky_network.pds_url}/xrpc/_health", timeout=0.3)
    alice.send_post("Thawed")
    assert posts_of(alice) == ["Thawed"]


def test_did_documents_and_metadata_name_the_address_that_can_fail(bluesky_network: BlueskyNetwork) -> None:
    account = bluesky_network.create_account(f"a{secrets.token_hex(5)}.test")
    document = httpx.get(f"{bluesky_network.plc_url}/{account.did}").json()
    assert document["service"][0]["serviceEndpoint"] == bluesky_network.pds_url
    metadata = httpx.get(f"{bluesky_network.pds_url}/.well-known/oauth-authorization-server").json()
    assert metadata["issuer"] == bluesky_network.pds_url
    assert bluesky_network.pds_url == f"http://localhost:{bluesky_network.proxy.port}"
