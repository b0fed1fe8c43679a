"""Videos on Bluesky: handed to the video service, waited for, and out with their subtitles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from atproto import Client

from regie.networks.bluesky import videos
from regie.networks.bluesky.connector import Bluesky as Connector
from regie.networks.data import Captions, Login, Outgoing, Pending, Picture, Progress, Published, Ready, Video
from regie.networks.errors import Refused, SignInAgain, TryLater
from regie_sandbox.bluesky.app import Bluesky

Make = Callable[..., Outgoing]
Film = Callable[..., Video]
MOVIE = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(range(256)) * 400


@pytest.fixture
def speaks(http: aiohttp.ClientSession, login: Login, addressed: type[Connector]) -> Connector:
    return addressed(http, login)


@pytest.fixture
def film(tmp_path: Path) -> Film:
    def made(content: bytes = MOVIE, **more: Any) -> Video:
        path = tmp_path / "film.mp4"
        path.write_bytes(content)
        facts: dict[str, Any] = {"width": 720, "height": 1280, "seconds": 12.0, "size": len(content)}
        return Video(path=path, content_type="video/mp4", **facts, **more)

    return made


@pytest.fixture
def words(tmp_path: Path) -> Captions:
    path = tmp_path / "film.vtt"
    path.write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nBonjour\n")
    return Captions(path=path, content_type="text/vtt", size=path.stat().st_size, language="fr")


async def prepared(connector: Connector, what: Outgoing) -> Progress:
    progress: Progress = {}
    for _ in range(5):
        ready = await connector.prepare(what, progress)
        progress = ready.progress
        if isinstance(ready, Ready):
            return progress
    raise AssertionError("It is never ready.")


async def sent(connector: Connector, what: Outgoing) -> Published:
    return await connector.commit(what, await prepared(connector, what))


async def test_a_video_goes_out_once_it_is_prepared(
    speaks: Connector, bluesky: Bluesky, outgoing: Make, film: Film, words: Captions
) -> None:
    bluesky.videos.seconds = 30
    what = outgoing("Waves", videos=(film(alt="Waves on a beach", captions=words),))
    first = await speaks.prepare(what, {})
    assert isinstance(first, Pending)
    assert first.not_before is not None
    waiting = await speaks.prepare(what, first.progress)
    assert isinstance(waiting, Pending)
    assert bluesky.texts() == []
    bluesky.world.clock.advance(timedelta(seconds=31))
    ready = await speaks.prepare(what, waiting.progress)
    assert isinstance(ready, Ready)
    published = await speaks.commit(what, ready.progress)
    embed = bluesky.state.records[published.remote_id].value["embed"]
    assert (embed["alt"], embed["aspectRatio"]) == ("Waves on a beach", {"width": 720, "height": 1280})
    assert embed["video"]["size"] == len(MOVIE)
    assert [caption["lang"] for caption in embed["captions"]] == ["fr"]
    cid = embed["captions"][0]["file"]["ref"]["$link"]
    assert bluesky.world.files.get(f"bluesky-{cid}") == words.path.read_bytes()


async def test_the_same_bytes_sent_again_are_the_video_that_is_there(
    speaks: Connector, bluesky: Bluesky, outgoing: Make, film: Film
) -> None:
    await sent(speaks, outgoing("One", key="one", videos=(film(),)))
    await sent(speaks, outgoing("Two", key="two", videos=(film(),)))
    assert len(bluesky.state.jobs) == 1
    assert bluesky.texts() == ["One", "Two"]


async def test_an_upload_whose_answer_is_lost_goes_on(
    speaks: Connector, bluesky: Bluesky, outgoing: Make, film: Film
) -> None:
    bluesky.faults.will_lose_answer(method="POST")
    what = outgoing("Waves", videos=(film(),))
    with pytest.raises(TryLater):
        await speaks.prepare(what, {})
    await sent(speaks, what)
    assert (len(bluesky.state.jobs), bluesky.texts()) == (1, ["Waves"])


@pytest.fixture
def in_parts(bluesky: Bluesky, monkeypatch: pytest.MonkeyPatch) -> int:
    """Videos go in parts of so many bytes."""
    monkeypatch.setattr(videos, "LARGEST_WHOLE", 1000)
    bluesky.videos.part_bytes = 10_000
    return bluesky.videos.part_bytes


async def test_a_large_video_goes_in_parts(
    speaks: Connector, bluesky: Bluesky, outgoing: Make, film: Film, in_parts: int
) -> None:
    what = outgoing("Waves", videos=(film(),))
    first = await speaks.prepare(what, {})
    assert isinstance(first, Pending)
    assert (first.progress["parts"]["sent"], bluesky.state.jobs) == (8, {})  # eight between two visits to the database
    ready = await speaks.prepare(what, first.progress)
    assert isinstance(ready, Ready)
    published = await speaks.commit(what, ready.progress)
    cid = bluesky.state.records[published.remote_id].value["embed"]["video"]["ref"]["$link"]
    assert bluesky.world.files.get(f"bluesky-{cid}") == MOVIE


async def test_a_broken_connection_costs_one_part(
    speaks: Connector, bluesky: Bluesky, outgoing: Make, film: Film, in_parts: int
) -> None:
    what = outgoing("Waves", videos=(film(),))
    bluesky.faults.will_answer(503, path="uploadPart", after=3)
    broken = await speaks.prepare(what, {})
    assert isinstance(broken, Pending)
    (upload,) = bluesky.state.uploads.values()
    assert (broken.progress["parts"]["sent"], upload.parts) == (3, {1, 2, 3})
    bluesky.faults.will_lose_answer(path="finishUpload", method="POST")
    progress: Progress = broken.progress
    for _ in range(5):
        step = await speaks.prepare(what, progress)
        progress = step.progress
        if isinstance(step, Ready):
            break
    await speaks.commit(what, progress)
    assert (len(bluesky.state.uploads), len(bluesky.state.jobs), bluesky.texts()) == (1, 1, ["Waves"])


async def test_an_upload_that_the_service_forgot_begins_again_and_not_for_ever(
    speaks: Connector, bluesky: Bluesky, outgoing: Make, film: Film, in_parts: int
) -> None:
    what = outgoing("Waves", videos=(film(),))
    progress = (await speaks.prepare(what, {})).progress
    for _ in range(2):
        bluesky.state.uploads.clear()
        forgotten = await speaks.prepare(what, progress)
        assert isinstance(forgotten, Pending)
        progress = (await speaks.prepare(what, forgotten.progress)).progress
    bluesky.state.uploads.clear()
    with pytest.raises(Refused, match="unknown or aged out"):
        await speaks.prepare(what, progress)
    assert bluesky.texts() == []


async def test_a_video_that_the_service_cannot_prepare_is_refused_with_its_reason(
    speaks: Connector, bluesky: Bluesky, outgoing: Make, film: Film
) -> None:
    bluesky.videos.fails = "This is no video"
    with pytest.raises(Refused, match="This is no video"):
        await prepared(speaks, outgoing("Waves", videos=(film(),)))
    assert bluesky.texts() == []


async def test_no_more_videos_today_means_later(
    speaks: Connector, bluesky: Bluesky, outgoing: Make, film: Film
) -> None:
    bluesky.videos.left = 0
    with pytest.raises(TryLater, match="no more videos of this account today"):
        await speaks.prepare(outgoing("Waves", videos=(film(),)), {})


async def test_a_token_that_died_asks_a_person(
    speaks: Connector, bluesky: Bluesky, http: aiohttp.ClientSession, login: Login, outgoing: Make, film: Film
) -> None:
    dead = Connector(http, replace(login, credentials={**login.credentials, "access": "nonsense"}))
    with pytest.raises(SignInAgain):
        await dead.prepare(outgoing("Waves", videos=(film(),)), {})
    assert bluesky.state.jobs == {}


async def test_a_video_that_the_server_threw_away_is_handed_over_again(
    speaks: Connector, bluesky: Bluesky, outgoing: Make, film: Film
) -> None:
    what = outgoing("Waves", videos=(film(),))
    progress = await prepared(speaks, what)
    bluesky.state.blobs.clear()
    bluesky.state.jobs.clear()
    with pytest.raises(TryLater, match="still preparing the video"):
        await speaks.commit(what, progress)
    assert bluesky.texts() == []
    await speaks.commit(what, progress)
    assert bluesky.texts() == ["Waves"]


async def test_a_video_and_pictures_are_two_posts(
    speaks: Connector, outgoing: Make, film: Film, picture: Picture
) -> None:
    with pytest.raises(Refused, match="one video in a post"):
        await speaks.prepare(outgoing("x", videos=(film(),), pictures=(picture,)), {})


async def test_subtitles_too_long_for_the_network_are_refused(
    speaks: Connector, outgoing: Make, film: Film, words: Captions
) -> None:
    with pytest.raises(Refused, match="at most 20,000 bytes"):
        await prepared(speaks, outgoing("x", videos=(film(captions=replace(words, size=20_001)),)))


async def test_a_post_with_a_video_is_found_among_our_own(speaks: Connector, outgoing: Make, film: Film) -> None:
    what = outgoing("Waves", videos=(film(),))
    published = await sent(speaks, what)
    (seen,) = (await speaks.own_posts(since=what.planned_at.replace(year=2000))).seen
    assert (seen.remote_id, seen.media) == (published.remote_id, 1)


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
async def test_the_vendors_own_library_sends_a_video_and_sees_ours(
    speaks: Connector, bluesky: Bluesky, outgoing: Make, film: Film
) -> None:
    published = await sent(speaks, outgoing("Ours", videos=(film(alt="Waves"),)))

    def walk() -> None:
        ready, client = bluesky.ready_account("alice"), Client(base_url=f"{bluesky.base}/xrpc")
        client.login(ready["handle"], ready["password"])
        view = client.get_posts([published.remote_id]).posts[0]
        assert view.embed.py_type == "app.bsky.embed.video#view"
        assert view.embed.alt == "Waves"
        theirs = client.send_video("Theirs", MOVIE, "Waves too")
        assert client.get_posts([theirs.uri]).posts[0].record.embed.video.mime_type == "video/mp4"
        client.request.close()

    await asyncio.to_thread(walk)
