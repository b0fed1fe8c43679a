"""Uploads that go on where they broke off, the visible call, and what a video says after a lost answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from regie.networks.capabilities import Choice, Format
from regie.networks.data import Captions, Draft, Pending, Picture, Poll, Published, Ref
from regie.networks.errors import Gone, Refused, SignInAgain, TokenExpired, TryLater, Unclear
from regie.networks.youtube import wire
from regie.networks.youtube.connector import YouTube as Connector
from regie.networks.youtube.publishing import MOST_LOOKS
from regie_sandbox.google.wire import Trouble
from regie_sandbox.youtube.app import YouTube

from .posting import MOVIE, NOW, prepared, publish, saying, signed_in

Make = Callable[..., Any]


async def test_a_video_with_all_that_is_said_of_it(youtube: YouTube, connector: Connector, video: Make) -> None:
    options = {
        "title": "Élégance 🇫🇷",
        "tags": ("autumn", "long walk"),
        "category": "26",
        "made_for_kids": "no",
        "made_with_ai": True,
        "paid_partnership": True,
        "notify": True,
    }
    published = await publish(connector, saying("Walk with us", videos=(video(),), options=options, language="fr"))
    film = youtube.state.videos[published.remote_id]
    assert (film.title, film.description, film.tags, film.category) == (
        "Élégance 🇫🇷", "Walk with us", ["autumn", "long walk"], "26",
    )  # fmt: skip
    assert (film.privacy, film.kids, film.synthetic, film.paid, film.notify) == ("public", False, True, True, True)
    assert (film.language, film.audio_language) == ("fr", "fr")
    assert youtube.world.files.get(f"youtube-{film.id}") == MOVIE
    assert (published.url, published.at, published.limited) == (f"{youtube.base}/watch?v={film.id}", NOW, "")


async def test_nobody_sees_it_before_the_hour(youtube: YouTube, connector: Connector, video: Make) -> None:
    progress = await prepared(connector, saying(videos=(video(),), options={"privacy": "unlisted"}))
    film = youtube.state.videos[progress["video"]]
    assert (film.privacy, youtube.texts(), youtube.world.ledger.entries) == ("private", [], [])
    assert not film.notify  # nobody asked for it


async def test_the_visible_call_is_one_and_coming_twice_changes_nothing(
    youtube: YouTube, connector: Connector, video: Make
) -> None:
    what = saying(videos=(video(),))
    progress = await prepared(connector, what)
    first, again = [await connector.commit(what, progress) for _ in range(2)]
    assert isinstance(first, Published)
    assert isinstance(again, Published)
    assert first.remote_id == again.remote_id
    assert [entry.kind for entry in youtube.world.ledger.entries] == ["post"]


async def test_a_short_is_a_video_with_another_address(youtube: YouTube, connector: Connector, video: Make) -> None:
    published = await publish(connector, saying(videos=(video(width=1080, height=1920),), format=Format.SHORT))
    assert published.url == f"{youtube.base}/shorts/{published.remote_id}"


async def test_cover_subtitles_and_playlist_are_there_before_the_hour(
    youtube: YouTube, connector: Connector, video: Make, cover: Picture, captions: Captions
) -> None:
    (playlist,) = await connector.choices("playlist", chosen={})
    what = saying(videos=(video(cover=cover, captions=captions),), options={"playlist": playlist.value})
    progress = await prepared(connector, what)
    film = youtube.state.videos[progress["video"]]
    (caption,) = [youtube.state.captions[one] for one in film.captions]
    assert film.cover == "image/jpeg"
    assert youtube.world.files.get(f"youtube-cover-{film.id}") == cover.path.read_bytes()
    assert (caption.language, youtube.world.files.get(f"youtube-caption-{caption.id}")) == (
        "fr", captions.path.read_bytes(),
    )  # fmt: skip
    assert [one.video for one in youtube.state.playlists[playlist.value].entries] == [film.id]


@pytest.mark.parametrize("lost", ["/thumbnails/set", "/captions", "/playlistItems"])
async def test_what_belongs_to_it_is_there_once_though_an_answer_was_lost(
    youtube: YouTube, connector: Connector, video: Make, cover: Picture, captions: Captions, lost: str
) -> None:
    (playlist,) = await connector.choices("playlist", chosen={})
    what = saying(videos=(video(cover=cover, captions=captions),), options={"playlist": playlist.value})
    youtube.faults.will_lose_answer(path=lost, method="POST")
    begun = (await connector.prepare(what, {})).progress
    uploaded = (await connector.prepare(what, begun)).progress
    with pytest.raises(TryLater):
        await connector.prepare(what, uploaded)
    await prepared(connector, what, uploaded)
    film = youtube.state.videos[uploaded["video"]]
    assert len(film.captions) == 1
    assert [one.video for one in youtube.state.playlists[playlist.value].entries] == [film.id]


async def test_playlists_and_categories_are_offered(youtube: YouTube, connector: Connector) -> None:
    youtube.playlist(youtube.channel("regie").id, "Spring")
    assert [one.label for one in await connector.choices("playlist", chosen={})] == ["All of it", "Spring"]
    categories = await connector.choices("category", chosen={})
    assert Choice("26", "Howto & Style") in categories
    assert "Movies" not in {one.label for one in categories}  # nobody may choose it


# Uploads


async def test_an_upload_goes_in_pieces(
    youtube: YouTube, connector: Connector, video: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "CHUNK", 2 * wire.STEP)
    what = saying(videos=(video(),))
    progress = await prepared(connector, what)
    assert youtube.world.files.get(f"youtube-{progress['video']}") == MOVIE


async def test_a_larger_file_goes_in_pieces_of_eight_mebibytes(
    youtube: YouTube, connector: Connector, video: Make
) -> None:
    content = MOVIE * 10
    progress = await prepared(connector, saying(videos=(video(content=content),)))
    assert wire.CHUNK < len(content) < 2 * wire.CHUNK
    assert youtube.world.files.get(f"youtube-{progress['video']}") == content


async def test_an_upload_goes_on_where_it_broke_off(
    youtube: YouTube, connector: Connector, video: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "CHUNK", wire.STEP)
    what = saying(videos=(video(),))
    begun = await connector.prepare(what, {})
    assert isinstance(begun, Pending)  # its place is written down before its first byte
    youtube.faults.will_drop(method="PUT", path="/upload/")  # the question how far it came
    with pytest.raises(TryLater):
        await connector.prepare(what, begun.progress)
    youtube.faults.waiting.clear()
    youtube.faults.will_lose_answer(method="PUT", path="/upload/", after=2)
    with pytest.raises(TryLater):
        await connector.prepare(what, begun.progress)
    (session,) = youtube.state.sessions.values()
    assert 0 < session.received < len(MOVIE)
    progress = await prepared(connector, what, begun.progress)
    assert youtube.world.files.get(f"youtube-{progress['video']}") == MOVIE
    assert len(youtube.state.videos) == len(youtube.state.sessions) == 1


async def test_when_the_answer_to_the_last_piece_is_lost_there_is_still_one_video(
    youtube: YouTube, connector: Connector, video: Make
) -> None:
    what = saying(videos=(video(),))
    begun = await connector.prepare(what, {})
    youtube.faults.will_lose_answer(method="PUT", path="/upload/", after=1)
    with pytest.raises(TryLater):
        await connector.prepare(what, begun.progress)
    progress = await prepared(connector, what, begun.progress)
    assert list(youtube.state.videos) == [progress["video"]]


async def test_a_web_page_in_answer_to_the_last_piece_is_asked_about(
    youtube: YouTube, connector: Connector, video: Make
) -> None:
    what = saying(videos=(video(),))
    begun = await connector.prepare(what, {})
    youtube.faults.will_do_but_answer(200, method="PUT", path="/upload/", body="<html>Welcome</html>")
    youtube.faults.waiting[-1].after = 1  # the first is the question how far it came
    with pytest.raises(Unclear):
        await connector.prepare(what, begun.progress)
    progress = await prepared(connector, what, begun.progress)
    assert list(youtube.state.videos) == [progress["video"]]


async def test_an_upload_whose_place_is_forgotten_begins_anew(
    youtube: YouTube, connector: Connector, video: Make
) -> None:
    what = saying(videos=(video(),))
    begun = await connector.prepare(what, {})
    youtube.state.sessions.clear()
    again = await connector.prepare(what, begun.progress)
    assert (isinstance(again, Pending), again.progress) == (True, {})
    assert (await prepared(connector, what))["video"] in youtube.state.videos


async def test_a_video_is_waited_for_until_it_can_be_watched(
    youtube: YouTube, connector: Connector, video: Make
) -> None:
    youtube.processing_seconds = 20
    what, progress = saying(videos=(video(),)), dict[str, Any]()
    for _ in range(3):
        outcome = await connector.prepare(what, progress)
        progress = dict(outcome.progress)
    assert isinstance(outcome, Pending)
    assert outcome.not_before is not None
    assert outcome.not_before > NOW
    youtube.world.clock.advance(timedelta(seconds=21))
    assert (await prepared(connector, what, progress))["video"] == progress["video"]
    youtube.processing_seconds = 10**6
    endless = await connector.prepare(what, {**(await connector.prepare(what, {})).progress})
    with pytest.raises(Refused, match="did not finish"):
        await connector.prepare(what, {**endless.progress, "looks": MOST_LOOKS})


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"failure": "codec"}, "codec"), ({"rejection": "duplicate"}, "duplicate"), ({"failure": "invalidFile"}, "inv")],
)
async def test_what_youtube_cannot_use_is_refused_with_its_reason(
    youtube: YouTube, connector: Connector, video: Make, change: dict[str, str], reason: str
) -> None:
    content = b"no video at all" if reason == "inv" else MOVIE
    what = saying(videos=(video(content=content),))
    begun = (await connector.prepare(what, {})).progress
    uploaded = (await connector.prepare(what, begun)).progress
    for name, value in change.items():
        setattr(youtube.state.videos[uploaded["video"]], name, value)
    with pytest.raises(Refused, match=reason):
        await connector.prepare(what, uploaded)
    assert youtube.world.ledger.entries == []


# Who sees it


async def test_what_an_unaudited_app_publishes_is_never_called_published(
    youtube: YouTube, connector: Connector, video: Make
) -> None:
    youtube.make_app().verified = False
    published = await publish(connector, saying(videos=(video(),)))
    assert "API audit" in published.limited
    assert youtube.texts() == []
    assert (await connector.fetch(published.remote_id)).limited


async def test_a_private_setting_that_is_refused_leaves_it_private(
    youtube: YouTube, connector: Connector, video: Make
) -> None:
    what = saying(videos=(video(),))
    progress = await prepared(connector, what)
    body = Trouble(403, "forbiddenPrivacySetting", "The request attempts to set an invalid privacy setting.").body
    youtube.faults.will_answer(403, method="PUT", body=body)
    published = await connector.commit(what, progress)
    assert isinstance(published, Published)
    assert "API audit" in published.limited


async def test_private_and_unlisted_are_as_they_were_chosen(
    youtube: YouTube, connector: Connector, video: Make
) -> None:
    private = await publish(connector, saying("For us", videos=(video(),), options={"privacy": "private"}))
    unlisted = await publish(connector, saying("With the link", videos=(video(),), options={"privacy": "unlisted"}))
    assert "private" in private.limited
    assert unlisted.limited == ""
    assert youtube.texts() == ["With the link"]


# After a lost answer


async def test_the_video_says_what_became_of_a_lost_call(youtube: YouTube, connector: Connector, video: Make) -> None:
    what = saying(videos=(video(),))
    progress = await prepared(connector, what)
    youtube.faults.will_lose_answer(method="PUT")
    with pytest.raises(Unclear):
        await connector.commit(what, progress)
    found = await connector.what_became_of(what, progress)
    assert isinstance(found, Published)
    assert found.remote_id == progress["video"]
    assert youtube.texts() == ["Good morning"]


async def test_one_that_never_arrived_may_be_sent_again_after_a_minute(
    youtube: YouTube, connector: Connector, video: Make
) -> None:
    what = saying(videos=(video(),))
    progress = await prepared(connector, what)
    youtube.faults.will_drop(method="PUT")
    with pytest.raises(Unclear):
        await connector.commit(what, progress)
    with pytest.raises(TryLater, match="may still be publishing"):
        await connector.what_became_of(what, progress)
    youtube.world.clock.advance(timedelta(minutes=2))
    assert await connector.what_became_of(what, progress) is None
    await connector.commit(what, progress)
    assert youtube.texts() == ["Good morning"]


async def test_a_first_comment_whose_answer_was_lost_is_found(
    youtube: YouTube, connector: Connector, video: Make
) -> None:
    post = await publish(connector, saying(videos=(video(),)))
    what = saying("Ask us anything", reply_to=Ref(remote_id=post.remote_id, extra=post.extra))
    youtube.faults.will_lose_answer(method="POST")
    with pytest.raises(Unclear):
        await connector.commit(what, {})
    found = await connector.comment_found(what)
    assert found is not None
    assert youtube.state.comments[found.remote_id].text == "Ask us anything"
    other = replace(what, text="Something else")
    with pytest.raises(TryLater):
        await connector.what_became_of(other, {})
    youtube.world.clock.advance(timedelta(minutes=2))
    assert await connector.what_became_of(other, {}) is None


# What is refused


async def test_what_does_not_exist_there_is_refused_before_anything_is_sent(
    youtube: YouTube, connector: Connector, video: Make, cover: Picture
) -> None:
    one = video()
    for what in (
        saying(),
        saying(pictures=(cover,)),
        saying(videos=(one, one)),
        saying(videos=(one,), poll=Poll(options=("yes", "no"))),
        saying(videos=(one,), content_warning="Spoiler"),
        saying(videos=(one,), format=Format.STORY),
        saying(videos=(one,), options={"title": ""}),
        saying(videos=(one,), options={"made_for_kids": ""}),
        saying(videos=(one,), reply_to=Ref(remote_id="x", extra={"kind": "video"})),
    ):
        with pytest.raises(Refused):
            await connector.prepare(what, {})
    assert (youtube.state.videos, youtube.state.sessions) == ({}, {})


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("5 < 6", {}),
        ("fine", {"title": "a > b"}),
        ("fine", {"tags": ("<b>",)}),
        ("fine", {"tags": tuple(f"{n:02} " + "x" * 46 for n in range(10))}),
    ],
)
async def test_what_youtube_would_refuse_is_said_beforehand_and_refused(
    youtube: YouTube, connector: Connector, video: Make, text: str, options: dict[str, Any]
) -> None:
    said = saying(text, videos=(video(),), options=options)
    assert connector.objections({}, Draft(text=text, options=said.options, videos=1)) != ()
    assert connector.objections({}, Draft(text="fine", options={"tags": ("a", "b c")}, videos=1)) == ()
    with pytest.raises(Refused, match="invalid"):
        await connector.prepare(said, {})


async def test_a_description_is_counted_in_bytes(youtube: YouTube, connector: Connector, video: Make) -> None:
    with pytest.raises(Refused, match="description"):
        await connector.prepare(saying("é" * 2501, videos=(video(),)), {})
    await publish(connector, saying("é" * 2500, videos=(video(),)))


async def test_a_channel_that_is_not_confirmed_takes_a_quarter_of_an_hour(youtube: YouTube, http: Any) -> None:
    youtube.channel("regie").long_uploads = False
    connector = await signed_in(http, youtube)
    limits = (await connector.whoami()).limits
    video = connector.can_on(limits).video
    assert video is not None
    assert video.longest == timedelta(minutes=15)


async def test_a_cover_that_is_not_allowed_says_so(
    youtube: YouTube, connector: Connector, video: Make, cover: Picture
) -> None:
    youtube.channel("regie").long_uploads = False
    with pytest.raises(Refused, match="thumbnails"):
        await prepared(connector, saying(videos=(video(cover=cover),)))


# Quotas, permissions


async def test_a_used_up_day_begins_anew_at_midnight_on_the_pacific_coast(
    youtube: YouTube, connector: Connector, video: Make
) -> None:
    youtube.uploads_a_day = 1
    await publish(connector, saying(videos=(video(),)))
    with pytest.raises(TryLater, match="allows in a day") as slowed:
        await connector.prepare(saying(videos=(video(),)), {})
    assert slowed.value.not_before == NOW.replace(hour=8) + timedelta(days=1)  # 09:00 UTC is 01:00 there
    youtube.uploads_a_day, youtube.units_a_day = None, 0
    with pytest.raises(TryLater, match="allows in a day"):
        await connector.messages(cursor="")


@pytest.mark.parametrize("reason", ["uploadLimitExceeded", "rateLimitExceeded"])
async def test_too_many_uploads_wait(youtube: YouTube, connector: Connector, video: Make, reason: str) -> None:
    body = Trouble(400 if reason.startswith("upload") else 403, reason, "Too many").body
    youtube.faults.will_answer(body["error"]["code"], method="POST", body=body)
    with pytest.raises(TryLater) as slowed:
        await connector.prepare(saying(videos=(video(),)), {})
    assert slowed.value.not_before is not None
    assert slowed.value.not_before > NOW


@pytest.mark.parametrize(
    ("reason", "status", "raised"),
    [
        ("insufficientPermissions", 403, SignInAgain),
        ("authenticatedUserAccountSuspended", 403, SignInAgain),
        ("youtubeSignupRequired", 401, SignInAgain),
        ("required", 401, SignInAgain),
        ("authError", 401, TokenExpired),
        ("accessNotConfigured", 403, Refused),
        ("forbidden", 403, Refused),
    ],
)
async def test_each_refusal_says_what_to_do(
    youtube: YouTube, connector: Connector, video: Make, reason: str, status: int, raised: type[Exception]
) -> None:
    youtube.faults.will_answer(status, method="POST", body=Trouble(status, reason, "No").body)
    with pytest.raises(raised):
        await connector.prepare(saying(videos=(video(),)), {})


# Afterwards


async def test_editing_changes_words_and_keeps_what_was_not_touched(
    youtube: YouTube, connector: Connector, video: Make, cover: Picture
) -> None:
    options = {"tags": ("autumn",), "made_with_ai": True}
    published = await publish(connector, saying("Until six", videos=(video(),), options=options))
    ref = Ref(remote_id=published.remote_id, extra=published.extra)
    film = youtube.state.videos[published.remote_id]
    film.license, film.public_stats = "creativeCommon", False
    await connector.edit(ref, replace(saying("Until seven"), options={}), {})
    assert (film.description, film.title, film.tags, film.synthetic) == ("Until seven", "A walk", ["autumn"], True)
    assert (film.license, film.public_stats, film.privacy) == ("creativeCommon", False, "public")
    what = saying("Until eight", videos=(video(cover=cover),), options={"title": "New", "privacy": "unlisted"})
    edited = await connector.edit(ref, what, {})
    assert (film.description, film.title, film.tags, film.synthetic) == ("Until eight", "New", [], False)
    assert (film.privacy, film.cover, edited.remote_id) == ("unlisted", "image/jpeg", film.id)


async def test_a_file_uploaded_for_an_edit_does_not_stay_behind(
    youtube: YouTube, connector: Connector, video: Make
) -> None:
    published = await publish(connector, saying(videos=(video(),)))
    what = saying("Anew", videos=(video(),))
    progress = await prepared(connector, what)
    await connector.edit(Ref(remote_id=published.remote_id, extra=published.extra), what, progress)
    assert list(youtube.state.videos) == [published.remote_id]


async def test_what_was_deleted_is_gone(youtube: YouTube, connector: Connector, video: Make) -> None:
    published = await publish(connector, saying(videos=(video(),)))
    ref = Ref(remote_id=published.remote_id, extra=published.extra)
    await connector.delete(ref)
    await connector.delete(ref)
    with pytest.raises(Gone):
        await connector.fetch(published.remote_id)
    with pytest.raises(Gone):
        await connector.edit(ref, saying(), {})


async def test_own_posts_are_those_that_others_can_see_page_by_page(
    youtube: YouTube, connector: Connector, video: Make
) -> None:
    await prepared(connector, saying("A draft", videos=(video(),)))
    channel = youtube.channel("regie")
    for number in range(60):
        youtube.film(channel, f"Number {number}")
        youtube.world.clock.advance(timedelta(seconds=30))
    listing = await connector.own_posts(since=NOW - timedelta(hours=1))
    assert [one.text for one in listing.seen] == [f"Number {number}" for number in reversed(range(60))]
    recent = await connector.own_posts(since=NOW + timedelta(minutes=27, seconds=30))
    assert [one.text for one in recent.seen] == [f"Number {number}" for number in (59, 58, 57, 56, 55)]
    assert recent.reaches_back_to == NOW + timedelta(minutes=27, seconds=30)


@pytest.mark.parametrize(
    ("url", "remote_id"),
    [
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=3", "dQw4w9WgXcQ"),
        ("https://youtu.be/dQw4w9WgXcQ?si=x", "dQw4w9WgXcQ"),
        ("https://m.youtube.com/shorts/dQw4w9WgXcQ", "dQw4w9WgXcQ"),
        ("https://www.youtube.com/live/dQw4w9WgXcQ", "dQw4w9WgXcQ"),
        ("https://www.youtube.com/@regie", None),
        ("https://example.org/watch?v=dQw4w9WgXcQ", None),
        ("https://www.youtube.com/watch?v=short", None),
    ],
)
def test_the_address_that_a_person_copied_says_which_video(url: str, remote_id: str | None) -> None:
    assert Connector.id_of(url) == remote_id


async def test_a_place_for_a_file_elsewhere_is_never_sent_our_token(
    youtube: YouTube, connector: Connector, video: Make, http: aiohttp.ClientSession
) -> None:
    """Only the query of the address that Google names is kept: the host is ours to choose."""
    elsewhere = {"Location": "http://127.0.0.1:9/upload/youtube/v3/videos?uploadType=resumable&upload_id=theirs"}
    youtube.faults.will_answer(200, method="POST", headers=elsewhere, body={})
    begun = await connector.prepare(saying(videos=(video(),)), {})
    assert "127.0.0.1" not in str(begun.progress)
