"""X's own client library works against our sandbox: a second witness, beside the description that it is made from."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
import requests
from xdk import Client
from xdk.media.models import AppendUploadRequest, InitializeUploadRequest, UploadRequest
from xdk.posts.models import CreateRequest, HideReplyRequest
from xdk.users.models import LikePostRequest

from regie.networks.data import Login, Picture, Ref, Video
from regie.networks.x.connector import X as Connector
from regie_sandbox.frame import World
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import in_thread

from .posting import outgoing, publish

BACK = "https://regie.example/back"


@pytest.fixture
def x() -> Iterator[Any]:
    """In a thread of its own: the library waits for its answers."""
    network = sandbox_network("x", World(seed=7))
    with in_thread(network.world):
        yield network


@pytest.fixture
def vendor(x: Any) -> Client:
    return Client(base_url=x.base, access_token=x.ready_account()["credentials"]["access_token"])


def test_a_post_is_made_read_answered_measured_hidden_and_deleted(x: Any, vendor: Client) -> None:
    made = vendor.posts.create(CreateRequest(text="Good morning & <b>")).data
    assert x.texts() == ["Good morning & <b>"]
    found = vendor.posts.get_by_id(made.id, post_fields=["created_at", "public_metrics", "non_public_metrics"])
    assert found.data.text == "Good morning &amp; &lt;b&gt;"
    assert found.data.created_at
    reply = x.say(by="ana", text="Until when?", to=made.id)
    me = vendor.users.get_me(user_fields=["public_metrics"]).data
    assert (me.username, me.public_metrics.post_count) == ("regie", 1)
    (page,) = list(vendor.users.get_mentions(me.id, expansions=["author_id", "referenced_posts"]))
    assert [(one.id, one.author_id) for one in page.data] == [(reply, x.user("ana").id)]
    answered = vendor.posts.create(CreateRequest(text="Until six", reply={"in_reply_to_tweet_id": reply})).data
    assert x.post(answered.id).reply_to == reply
    assert vendor.posts.hide_reply(reply, HideReplyRequest(hidden=True)).data.hidden
    assert x.post(reply).hidden
    x.like(by="ben", post_id=made.id)
    told = vendor.posts.get_by_ids([made.id], post_fields=["public_metrics"]).data[0].public_metrics
    assert (told.like_count, told.reply_count, told.repost_count) == (1, 1, 0)
    assert vendor.posts.delete(made.id).data.deleted
    assert x.texts() == ["Until six"]


def test_what_a_plan_forbids_is_forbidden_to_the_library_too(x: Any, vendor: Client) -> None:
    me, theirs = vendor.users.get_me().data, x.say(by="ana", text="Nice weather")
    with pytest.raises(requests.HTTPError):
        vendor.users.like_post(me.id, LikePostRequest(tweet_id=theirs))
    x.ready_app().plan = "enterprise"
    assert vendor.users.like_post(me.id, LikePostRequest(tweet_id=theirs)).data.liked


def test_files_are_uploaded_whole_and_in_segments(
    x: Any, vendor: Client, pictures: Callable[[int], tuple[Picture, ...]], videos: Callable[[int], tuple[Video, ...]]
) -> None:
    content = base64.b64encode(pictures(1)[0].path.read_bytes()).decode()
    picture = vendor.media.upload(UploadRequest(media=content, media_category="tweet_image")).data
    film = videos(1)[0].path.read_bytes()
    begun = vendor.media.initialize_upload(
        InitializeUploadRequest(media_type="video/mp4", total_bytes=len(film), media_category="tweet_video")
    ).data
    for nth in range(0, len(film), 400_000):
        block = base64.b64encode(film[nth : nth + 400_000]).decode()
        vendor.media.append_upload(begun.id, AppendUploadRequest(media=block, segment_index=nth // 400_000))
    assert vendor.media.finalize_upload(begun.id).data.processing_info.state == "succeeded"
    assert vendor.media.get_upload_status(begun.id, command="STATUS").data.processing_info.state == "succeeded"
    assert x.world.files.get(f"x-{begun.id}") == film
    for text, media in (("A picture", picture.id), ("A film", begun.id)):
        vendor.posts.create(CreateRequest(text=text, media={"media_ids": [media]}))
    assert [x.state.media[x.post(one).media[0]].kind for one in x.posts()] == ["photo", "video"]


def test_the_library_signs_in_and_refreshes(x: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # it wants https, which a loopback port has not
    app = x.ready_app()
    vendor = Client(
        base_url=x.base,
        client_id=app.client_id,
        client_secret=app.client_secret,
        redirect_uri=BACK,
        scope=["tweet.read", "tweet.write", "users.read", "offline.access"],
        authorization_base_url=f"{x.base}/i",
    )
    page = vendor.get_authorization_url()
    form = {**dict(parse_qsl(urlsplit(page).query)), "username": "regie", "decision": "allow"}
    answer = requests.post(page.split("?")[0], data=form, allow_redirects=False, timeout=5)
    token = vendor.fetch_token(answer.headers["Location"])
    assert token["refresh_token"]
    vendor.posts.create(CreateRequest(text="Signed in"))
    assert x.texts() == ["Signed in"]
    fresh = vendor.refresh_token()
    assert fresh["access_token"] != token["access_token"]


async def test_the_library_reads_what_our_connector_wrote(x: Any, vendor: Client) -> None:
    ready = x.ready_account()
    login = Login(server=ready["server"], remote_id=ready["remote_id"], credentials=ready["credentials"])
    async with aiohttp.ClientSession() as http:
        connector = Connector(http, login)
        first = await publish(connector, outgoing("one of two"))
        second = await publish(connector, outgoing("two of two", reply_to=Ref(remote_id=first.remote_id)))
    shown = vendor.posts.get_by_id(second.remote_id, expansions=["referenced_posts"]).data
    assert [(one.type, one.id) for one in shown.referenced_posts] == [("replied_to", first.remote_id)]


def test_who_asks_in_the_old_names_is_answered_in_them(x: Any) -> None:
    post = x.publish(x.user("regie"), "Good morning")
    token = x.ready_account()["credentials"]["access_token"]
    asked = {"ids": post.id, "tweet.fields": "public_metrics,created_at"}
    answer = requests.get(
        f"{x.base}/2/tweets", params=asked, headers={"Authorization": f"Bearer {token}"}, timeout=5
    ).json()
    (shown,) = answer["data"]
    assert shown["edit_history_tweet_ids"] == [post.id]
    assert "retweet_count" in shown["public_metrics"]
