"""What we publish on X, and what we say when that goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from regie.networks.capabilities import Answering
from regie.networks.data import Captions, Draft, Login, Pending, Picture, Poll, Ready, Ref, Video
from regie.networks.errors import Gone, Refused, SignInAgain, TokenExpired, TryLater
from regie.networks.x import media
from regie.networks.x.connector import X as Connector
from regie_sandbox.x.app import X

from .posting import outgoing, publish, ref_to

HOUR = timedelta(hours=1)


async def test_a_text_goes_out_with_its_receipt(connector: Connector, x: X) -> None:
    published = await publish(connector, outgoing("Bonjour à tous"))
    assert x.texts() == ["Bonjour à tous"]
    assert published.url == f"{x.base}/regie/status/{published.remote_id}"
    assert connector.id_of(published.url) == published.remote_id
    assert published.at is not None
    assert (await connector.fetch(published.remote_id)).remote_id == published.remote_id


@pytest.mark.parametrize(
    ("url", "post_id"),
    [
        ("https://x.com/regie/status/2080761390344937796", "2080761390344937796"),
        ("https://twitter.com/regie/status/12/photo/1", "12"),
        ("https://x.com/i/web/status/12", "12"),
        ("https://x.com/regie", None),
    ],
)
def test_a_link_that_a_person_copied_is_read(url: str, post_id: str | None) -> None:
    assert Connector.id_of(url) == post_id


async def test_four_pictures_go_out_with_their_descriptions(
    connector: Connector, x: X, pictures: Callable[[int], tuple[Picture, ...]]
) -> None:
    published = await publish(connector, outgoing("Look", pictures=pictures(4)))
    there = [x.state.media[one] for one in x.post(published.remote_id).media]
    assert [(one.kind, one.alt, one.width) for one in there] == [("photo", f"Picture {n}", 120) for n in range(4)]


async def test_people_are_tagged_by_their_user_names(
    connector: Connector, x: X, pictures: Callable[[int], tuple[Picture, ...]]
) -> None:
    ana = x.user("ana")
    what = outgoing("Look", pictures=pictures(1), options={"people": ("@Ana",)})
    assert x.post((await publish(connector, what)).remote_id).people == [ana.id]
    with pytest.raises(Refused, match="nobody_here"):
        await publish(connector, replace(what, options={"people": ("ana", "nobody_here")}))


async def test_a_picture_of_its_own_stands_for_a_video(
    connector: Connector,
    x: X,
    pictures: Callable[[int], tuple[Picture, ...]],
    videos: Callable[[int], tuple[Video, ...]],
) -> None:
    (video,) = videos(1)
    published = await publish(connector, outgoing("Film", videos=(replace(video, cover=pictures(1)[0]),)))
    there = x.post(published.remote_id)
    assert (len(there.media), x.state.media[there.cover].kind) == (1, "photo")


async def test_sensitive_files_are_covered_whatever_they_are(
    connector: Connector,
    x: X,
    pictures: Callable[[int], tuple[Picture, ...]],
    videos: Callable[[int], tuple[Video, ...]],
) -> None:
    for what in (outgoing("Wounds", pictures=pictures(2), sensitive=True), outgoing("Film", videos=videos(1))):
        await publish(connector, replace(what, sensitive=True))
    await publish(connector, outgoing("Flowers", pictures=pictures(1)))
    shown = [[x.state.media[one] for one in x.post(which).media] for which in x.posts()]
    assert sorted([(one.alt, one.warnings) for some in shown for one in some]) == [
        ("", ["other"]),
        ("Picture 0", []),
        ("Picture 0", ["other"]),
        ("Picture 1", ["other"]),
    ]


async def test_a_place_and_the_words_of_a_video_are_said(
    connector: Connector, x: X, videos: Callable[[int], tuple[Video, ...]]
) -> None:
    options = {"place": "5a110d312052166f", "title": "A walk", "description": "Along the sea"}
    published = await publish(connector, outgoing("Film", videos=videos(1), options=options))
    there = x.post(published.remote_id)
    assert (there.place, there.media_words) == ("5a110d312052166f", ["A walk", "Along the sea"])
    (refused,) = Connector.objections({}, Draft(text="Film", options={"place": "Lyon"}))
    assert refused.said == "“Lyon” is no place of X's: write its id."


async def test_work_that_never_ends_is_given_up(
    connector: Connector, x: X, videos: Callable[[int], tuple[Video, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "MOST_LOOKS", 5)
    x.processing_seconds = 10**6
    with pytest.raises(Refused, match="did not finish"):
        await publish(connector, outgoing("Film", videos=videos(1)))
    assert x.texts() == []


def moving(tmp_path: Path) -> Picture:
    path = tmp_path / "wave.gif"
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("teal", "white", "black")]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=80, loop=0)
    return Picture(path=path, content_type="image/gif", width=64, height=48, size=path.stat().st_size, alt="A wave")


async def test_a_gif_that_moves_goes_alone(
    connector: Connector, x: X, tmp_path: Path, pictures: Callable[[int], tuple[Picture, ...]]
) -> None:
    published = await publish(connector, outgoing("Hello", pictures=(moving(tmp_path),)))
    (there,) = [x.state.media[one] for one in x.post(published.remote_id).media]
    assert (there.kind, there.alt) == ("animated_gif", "A wave")
    with pytest.raises(Refused, match="one animated GIF"):
        await connector.prepare(outgoing("Both", pictures=(*pictures(1), replace(moving(tmp_path), place=1))), {})


async def test_a_video_goes_out_in_segments_with_its_subtitles(
    connector: Connector,
    x: X,
    videos: Callable[[int], tuple[Video, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(media, "SEGMENT", 300_000)
    track = tmp_path / "fr.srt"
    track.write_text("1\n00:00:00,000 --> 00:00:02,000\nBonjour\n")
    spoken = Captions(path=track, content_type="application/x-subrip", size=track.stat().st_size, language="fr-CA")
    (video,) = videos(1)
    published = await publish(connector, outgoing("Film", videos=(replace(video, captions=spoken),)))
    (there,) = [x.state.media[one] for one in x.post(published.remote_id).media]
    assert (there.kind, len(there.segments), there.total) == ("video", 4, video.size)
    assert x.world.files.get(f"x-{there.id}") == video.path.read_bytes()
    assert list(there.subtitles) == ["FR"]


async def test_a_broken_connection_costs_one_segment(
    connector: Connector, x: X, videos: Callable[[int], tuple[Video, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "SEGMENT", 300_000)
    x.faults.will_answer(503, path="/append", after=2)
    what = outgoing("Film", videos=videos(1))
    waiting = await connector.prepare(what, {})
    assert isinstance(waiting, Pending)
    assert waiting.progress["media"][0]["segments"] == 2
    (there,) = x.state.media.values()
    assert sorted(there.segments) == [0, 1]
    ready = await connector.prepare(what, waiting.progress)
    assert isinstance(ready, Ready)
    assert len(x.state.media) == 1


async def test_without_any_progress_a_broken_connection_is_said(
    connector: Connector, x: X, videos: Callable[[int], tuple[Video, ...]]
) -> None:
    x.faults.will_answer(503, path="/initialize")
    with pytest.raises(TryLater):
        await connector.prepare(outgoing("Film", videos=videos(1)), {})


async def test_a_long_upload_comes_back_now_and_then_to_be_remembered(
    connector: Connector, videos: Callable[[int], tuple[Video, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "SEGMENT", 50_000)
    what = outgoing("Film", videos=videos(1))
    progress: dict[str, Any] = {}
    visits = 0
    while isinstance(step := await connector.prepare(what, progress), Pending):
        progress, visits = dict(step.progress), visits + 1
    assert visits == 1  # 21 segments, 16 at once


async def test_a_video_that_x_works_on_is_waited_for(
    connector: Connector, x: X, videos: Callable[[int], tuple[Video, ...]]
) -> None:
    x.world.clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    x.processing_seconds = 20
    what = outgoing("Film", videos=videos(1))
    waiting = await connector.prepare(what, {})
    assert isinstance(waiting, Pending)
    assert waiting.not_before == datetime(2030, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert isinstance(await connector.prepare(what, waiting.progress), Pending)
    x.world.clock.advance(timedelta(seconds=21))
    ready = await connector.prepare(what, waiting.progress)
    assert isinstance(ready, Ready)
    await connector.commit(what, ready.progress)
    assert len(x.state.media) == 1


async def test_a_video_that_x_cannot_read_is_refused(connector: Connector, x: X, tmp_path: Path) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"not a film")
    video = Video(path=path, content_type="video/mp4", width=640, height=480, size=10, seconds=3.0)
    with pytest.raises(Refused, match="could not read the video"):
        await connector.prepare(outgoing("Film", videos=(video,)), {})
    assert x.texts() == []


async def test_a_file_that_x_forgot_is_brought_again(
    connector: Connector, x: X, videos: Callable[[int], tuple[Video, ...]]
) -> None:
    what = outgoing("Film", videos=videos(1))
    x.processing_seconds = 60
    waiting = await connector.prepare(what, {})
    assert isinstance(waiting, Pending)
    x.state.media.clear()
    x.processing_seconds = 0
    again = await connector.prepare(what, waiting.progress)
    assert isinstance(again, Pending)
    ready = await connector.prepare(what, again.progress)
    assert isinstance(ready, Ready)
    old = {"media": [{**ready.progress["media"][0], "until": "2020-01-01T00:00:00+00:00"}]}
    fresh = await connector.prepare(what, old)
    assert isinstance(fresh, Ready)
    assert fresh.progress["media"][0]["id"] != ready.progress["media"][0]["id"]


async def test_a_file_that_x_forgets_each_time_is_given_up(
    connector: Connector, x: X, videos: Callable[[int], tuple[Video, ...]]
) -> None:
    x.faults.will_answer(404, path="/finalize", times=10)
    with pytest.raises(Refused, match="did not finish"):
        await publish(connector, outgoing("Film", videos=videos(1)))


async def test_pictures_keep_their_places_when_an_upload_breaks_off(
    connector: Connector, x: X, pictures: Callable[[int], tuple[Picture, ...]]
) -> None:
    what = outgoing("Two", pictures=pictures(2))
    ready = await connector.prepare(what, {})
    assert isinstance(ready, Ready)
    first, second = ready.progress["media"]
    x.faults.will_answer(503, path="/media/upload")
    old = {"media": [{**first, "until": "2020-01-01T00:00:00+00:00"}, second]}
    waiting = await connector.prepare(what, old)
    assert isinstance(waiting, Pending)
    ready = await connector.prepare(what, waiting.progress)
    assert isinstance(ready, Ready)
    assert [one["id"] == second["id"] for one in ready.progress["media"]] == [False, True]
    there = [x.state.media[one["id"]].alt for one in ready.progress["media"]]
    assert there == ["Picture 0", "Picture 1"]


async def test_a_poll_has_its_options_and_its_end(connector: Connector, x: X) -> None:
    poll = Poll(options=("Oui", "Non"), lasts=timedelta(days=1))
    there = x.post((await publish(connector, outgoing("Alors ?", poll=poll))).remote_id)
    assert there.poll is not None
    assert (there.poll.options, there.poll.minutes) == (["Oui", "Non"], 1440)
    with pytest.raises(Refused, match="one answer"):
        await publish(connector, outgoing("Et ?", poll=replace(poll, multiple=True)))


async def test_options_reach_the_post(connector: Connector, x: X) -> None:
    chosen = {
        "reply_settings": "mentionedUsers",
        "community": "1493446837214187523",
        "share_with_followers": True,
        "made_with_ai": True,
        "paid_partnership": True,
    }
    published = await publish(connector, outgoing("Hello", options=chosen))
    there = x.post(published.remote_id)
    assert (there.reply_settings, there.community, there.shared) == ("mentionedUsers", chosen["community"], True)
    assert (there.made_with_ai, there.paid_partnership) == (True, True)
    second = await publish(connector, outgoing("and on", options=chosen, reply_to=ref_to(published)))
    assert (x.post(second.remote_id).reply_settings, x.post(second.remote_id).community) == ("everyone", "")


async def test_a_quote_needs_an_enterprise_plan(connector: Connector, enterprise: Connector, x: X) -> None:
    first = await publish(connector, outgoing("First"))
    what = outgoing("Look at this", options={"quote": f"https://x.com/regie/status/{first.remote_id}"})
    there = x.post((await publish(enterprise, what)).remote_id)
    assert there.quotes == first.remote_id
    x.ready_app().plan = "pay-per-use"
    with pytest.raises(Refused, match="your app's plan"):
        await publish(connector, replace(what, text="Again"))


def test_what_a_plan_forbids_is_not_declared() -> None:
    poor, rich = Connector.can_on({"username": "regie"}), Connector.can_on({"plan": "enterprise"})
    assert Answering.LIKE not in poor.answers
    assert Answering.LIKE in rich.answers
    names = {option.name for option in rich.options} - {option.name for option in poor.options}
    assert names == {"quote"}
    assert Answering.HIDE not in Connector.can_on({"scopes": ["tweet.read"]}).answers


def test_x_objects_before_it_is_asked() -> None:
    def said(limits: dict[str, Any], text: str = "Hello", **more: Any) -> list[str]:
        return [one.said for one in Connector.objections(limits, Draft(text=text, **more))]

    assert said({}, "$TSLA and $AAPL") == ["X takes one cashtag ($) per post from an app."]
    assert said({"plan": "enterprise"}, "$TSLA and $AAPL") == []
    assert said({}, "$5 and $TSLA") == []
    assert said({}, options={"quote": "https://x.com/regie/status/12"}) == []
    assert said({}, options={"quote": "https://x.com/regie/status/12"}, pictures=1) != []
    assert said({}, options={"quote": "https://a.example"}) != []
    assert said({}, options={"community": "Gardeners"}) != []
    assert said({}, options={"people": ("ana", "@ben")}) == []
    assert said({}, options={"people": ("a name with spaces",)}) != []
    assert said({}, options={"share_with_followers": True}) != []
    assert said({}, options={"share_with_followers": True, "community": "12"}) == []


def test_a_link_makes_a_post_dearer() -> None:
    assert Connector.price(Draft(text="Hello")) == Decimal("0.015")
    assert Connector.price(Draft(text="Hello https://a.example")) == Decimal("0.200")
    assert Connector.price(Draft(text="Hello example.com")) == Decimal("0.200")


async def test_the_same_text_twice_is_refused_with_what_to_do(connector: Connector, x: X) -> None:
    await publish(connector, outgoing("Twice"))
    with pytest.raises(Refused, match="change it"):
        await publish(connector, outgoing("Twice"))
    assert x.texts() == ["Twice"]


async def test_premium_accounts_write_long_posts(x: X, http: aiohttp.ClientSession, login: Login) -> None:
    x.user("regie").subscription = "Premium"
    profile = await Connector(http, login).whoami()
    connector = Connector(http, replace(login, limits=profile.limits))
    assert connector.can_on(profile.limits).text.longest == 25_000
    long = "mot " * 1000 + "fin"
    await publish(connector, outgoing(long))
    listing = await connector.own_posts(since=datetime.now(UTC) - HOUR)
    assert [one.text for one in listing.seen] == [long]


async def test_a_text_comes_back_from_the_listing_as_it_was_written(connector: Connector, x: X) -> None:
    text = "Voir https://a.example/x?a=1&copy=2 & <b> : www.example.com/é, merci"
    first = await publish(connector, outgoing(text))
    shown = x.post(first.remote_id).text
    assert shown == text
    listing = await connector.own_posts(since=datetime.now(UTC) - HOUR)
    assert [one.text for one in listing.seen] == [text.replace("www.example.com", "http://www.example.com")]


async def test_a_post_with_pictures_is_found_by_its_text(
    connector: Connector, pictures: Callable[[int], tuple[Picture, ...]]
) -> None:
    await publish(connector, outgoing("Deux photos", pictures=pictures(2)))
    await publish(connector, outgoing("", pictures=pictures(1)))
    listing = await connector.own_posts(since=datetime.now(UTC) - HOUR)
    assert [(one.text, one.media) for one in listing.seen] == [("", 1), ("Deux photos", 2)]


async def test_the_whole_list_is_read_however_long(connector: Connector, x: X) -> None:
    for nth in range(130):
        x.publish(x.user("regie"), f"number {nth}")
    listing = await connector.own_posts(since=datetime.now(UTC) - HOUR)
    assert len(listing.seen) == 130


async def test_deleting_twice_is_done(connector: Connector, x: X) -> None:
    published = await publish(connector, outgoing())
    await connector.delete(ref_to(published))
    assert x.texts() == []
    await connector.delete(ref_to(published))
    with pytest.raises(Gone):
        await connector.fetch(published.remote_id)


async def test_an_answer_to_a_post_that_is_gone_is_refused(connector: Connector) -> None:
    with pytest.raises(Refused, match="deleted or not visible"):
        await publish(connector, outgoing("Hello?", reply_to=Ref(remote_id="12")))


SAID: dict[str, tuple[int, dict[str, Any], type[Exception], str]] = {
    "no credit": (402, {"title": "CreditsDepleted", "detail": "no credits"}, Refused, "no credits left"),
    "usage": (429, {"type": "https://api.x.com/2/problems/usage-capped", "title": "Usage"}, Refused, "allowance"),
    "not enrolled": (403, {"type": "about:blank", "reason": "client-not-enrolled", "title": "x"}, Refused, "plan"),
    "not summoned": (
        403,
        {"detail": "Reply to this conversation is not allowed because you have not been mentioned", "title": "x"},
        Refused,
        "named this account",
    ),
    "its own words": (403, {"detail": "Your account is temporarily locked.", "title": "Forbidden"}, Refused, "locked"),
    "older words": (403, {"errors": [{"message": "Status is a duplicate.", "code": 187}]}, Refused, "change it"),
    "dead": (401, {"title": "Unauthorized", "status": 401}, SignInAgain, "connect this account again"),
}


@pytest.mark.parametrize("what", SAID)
async def test_what_x_says_becomes_what_a_person_can_do(connector: Connector, x: X, what: str) -> None:
    status, body, kind, words = SAID[what]
    x.faults.will_answer(status, body=body, method="POST", path="/2/tweets")
    with pytest.raises(kind, match=words):
        await publish(connector, outgoing())


async def test_a_token_whose_time_is_over_is_traded_and_not_given_up(
    x: X, http: aiohttp.ClientSession, login: Login
) -> None:
    now = int(datetime.now(UTC).timestamp())
    old = {**login.credentials, "refresh_token": "r", "issued_at": str(now - 7201)}
    x.faults.will_answer(401)
    with pytest.raises(TokenExpired):
        await publish(Connector(http, replace(login, credentials=old)), outgoing())
    x.faults.will_answer(401)
    with pytest.raises(SignInAgain):
        await publish(Connector(http, replace(login, credentials={**old, "issued_at": str(now)})), outgoing())


async def test_x_says_when_the_quarter_of_an_hour_is_over(connector: Connector, x: X) -> None:
    x.world.clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    for nth in range(100):
        await connector.commit(outgoing(f"number {nth}"), {})
    with pytest.raises(TryLater) as slowed:
        await connector.commit(outgoing("one too many"), {})
    assert slowed.value.not_before == datetime(2030, 1, 1, 0, 15, 1, tzinfo=UTC)
    assert len(x.texts()) == 100
