"""A client library that somebody else wrote for Meta's Graph API works against our sandboxes: a second witness."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pyfacebook import FacebookError, GraphAPI

from regie_sandbox.frame import World
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import in_thread

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def served(slug: str) -> Iterator[Any]:
    network = sandbox_network(slug, World(seed=7))
    with in_thread(network.world):
        yield network


@pytest.fixture
def pages() -> Iterator[Any]:
    yield from served("facebook")


@pytest.fixture
def insta() -> Iterator[Any]:
    yield from served("instagram")


def client(network: Any, account: dict[str, Any]) -> GraphAPI:
    return GraphAPI(
        app_id=account["client_id"],
        app_secret=account["client_secret"],
        access_token=account["credentials"]["access_token"],
        base_url=f"{network.base}/",
        version="v25.0",
        ignore_version_check=True,
        sleep_on_rate_limit=False,
    )


def test_a_post_of_a_page_is_made_read_commented_on_measured_and_deleted(pages: Any) -> None:
    ready = pages.ready_account()
    api, page = client(pages, ready), ready["remote_id"]
    post = api.post_object(object_id=page, connection="feed", data={"message": "Good morning"})["id"]
    assert pages.texts() == ["Good morning"]
    assert api.get_object(object_id=post, fields="id,message,permalink_url")["message"] == "Good morning"
    comment = api.post_object(object_id=post, connection="comments", data={"message": "First"})["id"]
    listed = api.get_connection(object_id=post, connection="comments", fields="id,message")
    assert [one["id"] for one in listed["data"]] == [comment]
    pages.like(by="ana", post_id=post)
    told = api.get_connection(object_id=post, connection="insights", metric="post_media_view")
    assert told["data"][0]["values"] == [{"value": 8}]
    everything = api.get_full_connections(object_id=page, connection="published_posts", fields="id,message", count=None)
    assert [one["id"] for one in everything["data"]] == [post]
    assert api.delete_object(object_id=post)["success"] is True
    assert pages.texts() == []


def test_photos_wait_unseen_and_are_named_by_their_post(pages: Any, tmp_path: Path) -> None:
    ready = pages.ready_account()
    api, page = client(pages, ready), ready["remote_id"]
    path = tmp_path / "shop.jpg"
    Image.new("RGB", (120, 90), "teal").save(path)
    with path.open("rb") as file:
        photo = api.post_object(
            object_id=page, connection="photos", data={"published": "false"}, files={"source": file}
        )["id"]
    assert pages.texts() == []
    attached = {"message": "Look", "attached_media[0]": f'{{"media_fbid":"{photo}"}}'}
    post = api.post_object(object_id=page, connection="feed", data=attached)["id"]
    assert pages.state.posts[post].photos == [photo]


def test_a_container_is_made_asked_and_published(insta: Any) -> None:
    insta.fetches = False
    ready = insta.ready_account()
    api, user = client(insta, ready), ready["remote_id"]
    fields = {"image_url": "https://example.org/shop.jpg", "caption": "Bonjour"}
    container = api.post_object(object_id=user, connection="media", data=fields)["id"]
    assert api.get_object(object_id=container, fields="id,status_code")["status_code"] == "FINISHED"
    media = api.post_object(object_id=user, connection="media_publish", data={"creation_id": container})["id"]
    assert insta.posts() == [media]
    with pytest.raises(FacebookError) as again:
        api.post_object(object_id=user, connection="media_publish", data={"creation_id": container})
    assert again.value.code == 24
    assert insta.texts() == ["Bonjour"]


def test_its_own_words_for_our_errors(pages: Any) -> None:
    ready = pages.ready_account()
    ready["credentials"] = {"access_token": "EAAmade-up"}
    with pytest.raises(FacebookError) as error:
        client(pages, ready).get_object(object_id=ready["remote_id"], fields="id")
    assert error.value.code == 190
