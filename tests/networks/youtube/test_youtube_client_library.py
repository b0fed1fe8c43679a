"""Google's own client library works against our sandbox, made from Google's own description: a second witness."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.auth.exceptions import RefreshError
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaFileUpload
from PIL import Image

from regie_sandbox.frame import World
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import in_thread

from .contract import FILES, SPECS
from .posting import MOVIE, NOW

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
Client = Callable[..., Any]


@pytest.fixture
def tube() -> Iterator[Any]:
    world = World(seed=7)
    world.clock.set(NOW)
    network = sandbox_network("youtube", world)
    with in_thread(world):
        yield network


@pytest.fixture
def client(tube: Any) -> Iterator[Client]:
    """The library as everybody builds it, with another address: uploads follow ``rootUrl``."""
    made: list[Any] = []

    def make(name: str, *, token: str = "") -> Any:
        if not (SPECS / name).exists():
            pytest.skip(f"Google's description {name} is not at {SPECS}: set REGIE_SPECS")
        described = json.loads((SPECS / name).read_bytes())
        described |= {"rootUrl": f"{tube.base}/", "baseUrl": f"{tube.base}/"}
        ready = tube.ready_account()
        credentials = Credentials(  # type: ignore[no-untyped-call]
            token or ready["credentials"]["access_token"],
            refresh_token=ready["credentials"]["refresh_token"],
            token_uri=f"{tube.base}/token",
            client_id=ready["client_id"],
            client_secret=ready["client_secret"],
        )
        made.append(build_from_document(described, credentials=credentials))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def data(client: Client) -> Any:
    return client(FILES[0])


@pytest.fixture
def movie(tmp_path: Path) -> str:
    path = tmp_path / "walk.mp4"
    path.write_bytes(MOVIE)
    return str(path)


BODY = {
    "snippet": {"title": "A walk", "description": "Walk with us", "categoryId": "22", "tags": ["autumn"]},
    "status": {"privacyStatus": "public", "selfDeclaredMadeForKids": False},
}


def test_a_video_goes_up_in_pieces_and_is_read_back(tube: Any, data: Any, movie: str) -> None:
    media = MediaFileUpload(movie, mimetype="video/mp4", chunksize=256 * 1024, resumable=True)
    request = data.videos().insert(part="snippet,status", body=BODY, media_body=media)
    answer, shares = None, []
    while answer is None:
        status, answer = request.next_chunk()
        shares += [status.progress()] if status else []
    assert len(shares) == 3
    assert tube.texts() == ["Walk with us"]
    assert tube.world.files.get(f"youtube-{answer['id']}") == MOVIE
    (found,) = (
        data.videos().list(part="snippet,status,statistics,processingDetails", id=answer["id"]).execute()["items"]
    )
    assert (found["snippet"]["title"], found["status"]["uploadStatus"]) == ("A walk", "processed")
    assert found["processingDetails"]["processingStatus"] == "succeeded"
    (listed,) = _uploads(data)
    assert listed["contentDetails"]["videoId"] == answer["id"]


def _uploads(data: Any) -> list[Any]:
    (channel,) = data.channels().list(part="contentDetails", mine=True).execute()["items"]
    playlist = channel["contentDetails"]["relatedPlaylists"]["uploads"]
    return list(data.playlistItems().list(part="contentDetails", playlistId=playlist).execute()["items"])


def test_a_video_in_one_request_with_its_cover_and_subtitles(tube: Any, data: Any, movie: str, tmp_path: Path) -> None:
    film = data.videos().insert(
        part="snippet,status", body=BODY, media_body=MediaFileUpload(movie, mimetype="video/mp4")
    ).execute()["id"]  # fmt: skip
    cover, words = tmp_path / "cover.png", tmp_path / "walk.vtt"
    Image.new("RGB", (640, 360), "teal").save(cover)
    words.write_text("WEBVTT\n")
    data.thumbnails().set(videoId=film, media_body=MediaFileUpload(str(cover), mimetype="image/png")).execute()
    snippet = {"snippet": {"videoId": film, "language": "fr", "name": ""}}
    for resumable in (False, True):
        media = MediaFileUpload(str(words), mimetype="application/octet-stream", resumable=resumable)
        body = {"snippet": {**snippet["snippet"], "name": "second" if resumable else ""}}
        data.captions().insert(part="snippet", body=body, media_body=media).execute()
    listed = data.captions().list(part="snippet", videoId=film).execute()["items"]
    assert [one["snippet"]["name"] for one in listed] == ["", "second"]
    assert tube.state.videos[film].cover == "image/png"


def test_comments_are_written_read_hidden_and_deleted(tube: Any, data: Any, movie: str) -> None:
    media = MediaFileUpload(movie, mimetype="video/mp4")
    film = data.videos().insert(part="snippet,status", body=BODY, media_body=media).execute()["id"]
    said = {"snippet": {"videoId": film, "topLevelComment": {"snippet": {"textOriginal": "Ask us"}}}}
    thread = data.commentThreads().insert(part="snippet", body=said).execute()
    answer = {"snippet": {"parentId": thread["id"], "textOriginal": "Anything"}}
    reply = data.comments().insert(part="snippet", body=answer).execute()
    theirs = tube.say(by="ana", text="Spam", to=film)
    channel = tube.ready_account()["remote_id"]
    found = data.commentThreads().list(part="snippet,replies", allThreadsRelatedToChannelId=channel).execute()["items"]
    texts = {one["id"]: one["snippet"]["topLevelComment"]["snippet"]["textDisplay"] for one in found}
    assert texts == {thread["id"]: "Ask us", theirs: "Spam"}
    assert [one["id"] for thread in found for one in thread.get("replies", {}).get("comments", ())] == [reply["id"]]
    data.comments().setModerationStatus(id=theirs, moderationStatus="heldForReview").execute()
    asked = {"allThreadsRelatedToChannelId": channel, "moderationStatus": "heldForReview"}
    (held,) = data.commentThreads().list(part="snippet,replies", **asked).execute()["items"]
    assert (held["id"], held["snippet"]["isPublic"]) == (theirs, False)
    data.comments().setModerationStatus(id=theirs, moderationStatus="rejected").execute()
    assert tube.state.comments[theirs].hidden
    assert data.commentThreads().list(part="snippet", **asked).execute()["items"] == []
    data.comments().delete(id=reply["id"]).execute()
    assert reply["id"] not in tube.state.comments


def test_numbers_of_a_video_and_a_channel(tube: Any, data: Any, client: Client, movie: str) -> None:
    media = MediaFileUpload(movie, mimetype="video/mp4")
    film = data.videos().insert(part="snippet,status", body=BODY, media_body=media).execute()["id"]
    tube.like(by="ana", post_id=film)
    tube.follow(by="ana", account=tube.ready_account()["remote_id"])
    (video,) = data.videos().list(part="statistics", id=film).execute()["items"]
    (channel,) = data.channels().list(part="statistics", mine=True).execute()["items"]
    assert (video["statistics"]["likeCount"], channel["statistics"]["subscriberCount"]) == ("1", "1")
    tube.world.clock.advance(timedelta(days=3))
    reports = client(FILES[1])
    asked = {"ids": "channel==MINE", "startDate": "2030-03-01", "endDate": "2030-03-04"}
    told = (
        reports.reports().query(**asked, metrics="views,likes", dimensions="video", filters=f"video=={film}").execute()
    )
    assert told["rows"] == [[film, 9, 1]]
    daily = reports.reports().query(**asked, metrics="views,subscribersGained", dimensions="day").execute()
    assert daily["rows"][0] == ["2030-03-01", 9, 1]


def test_its_own_words_for_our_errors(tube: Any, data: Any, movie: str) -> None:
    body = {**BODY, "snippet": {**BODY["snippet"], "title": "<b>"}}  # type: ignore[dict-item]
    media = MediaFileUpload(movie, mimetype="video/mp4", resumable=True)
    with pytest.raises(HttpError) as error:
        data.videos().insert(part="snippet,status", body=body, media_body=media).execute()
    assert (error.value.status_code, error.value.error_details[0]["reason"]) == (400, "invalidTitle")
    with pytest.raises(HttpError) as error:
        data.videos().update(part="status", body={"id": "none", "status": {"privacyStatus": "public"}}).execute()
    assert (error.value.status_code, error.value.error_details[0]["reason"]) == (404, "videoNotFound")


def test_a_token_that_ran_out_is_renewed_by_the_library_itself(tube: Any, data: Any, client: Client) -> None:
    assert tube.expire_tokens() == 1
    (channel,) = data.channels().list(part="id", mine=True).execute()["items"]
    assert channel["id"] == tube.ready_account()["remote_id"]
    made_up = client(FILES[0], token="ya29.made-up")
    assert made_up.channels().list(part="id", mine=True).execute()["items"] == [channel]
    tube.state.tokens.clear()
    with pytest.raises(RefreshError, match="expired or revoked"):
        data.channels().list(part="id", mine=True).execute()
