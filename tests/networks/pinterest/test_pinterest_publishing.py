"""Pins with a picture, several, a video; edits, deletions, boards, and what Pinterest says no to."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image

from regie.networks.capabilities import Choice
from regie.networks.data import Outgoing, Pending, Picture, Published, Ready, Ref, Video
from regie.networks.errors import Gone, Refused, SignInAgain, TokenExpired, TryLater
from regie.networks.pinterest import publishing
from regie.networks.pinterest.connector import Pinterest as Connector
from regie_sandbox.pinterest.app import Pinterest
from regie_sandbox.pinterest.state import Pin

Pictures = Callable[..., Picture]
Videos = Callable[..., Video]


def saying(board: str, text: str = "Good morning", **more: Any) -> Outgoing:
    options = {"board": board, **more.pop("options", {})}
    return Outgoing(**{"key": "k1", "text": text, "planned_at": datetime.now(UTC), "options": options, **more})


async def prepared(connector: Connector, what: Outgoing) -> dict[str, Any]:
    """Until it is ready, with as many looks as it takes."""
    achieved: dict[str, Any] = {}
    for _ in range(10):
        outcome = await connector.prepare(what, achieved)
        achieved = dict(outcome.progress)
        if isinstance(outcome, Ready):
            return achieved
    raise AssertionError("It is never ready.")


async def published(connector: Connector, what: Outgoing) -> Published:
    out = await connector.commit(what, await prepared(connector, what))
    assert isinstance(out, Published)
    return out


def pin_of(pinterest: Pinterest, out: Published) -> Pin:
    return pinterest.state.pins[out.remote_id]


async def test_a_picture_with_all_that_goes_with_it(
    connector: Connector, pinterest: Pinterest, board: str, picture: Pictures
) -> None:
    (section, *_) = pinterest.state.boards[board].sections
    options = {"title": "Our window", "link": "https://shop.example/window", "board_section": section}
    what = saying(board, options=options, pictures=(picture(alt="A teal window"),))
    out = await published(connector, what)
    pin = pin_of(pinterest, out)
    assert (pin.title, pin.description, pin.link) == ("Our window", "Good morning", "https://shop.example/window")
    assert (pin.board, pin.section, pin.alt, pin.files) == (board, section, "A teal window", ["image/jpeg"])
    assert out.url == f"https://www.pinterest.com/pin/{out.remote_id}/"
    assert (out.limited, Connector.id_of(out.url)) == ("", out.remote_id)
    assert out.at is not None
    assert abs(out.at - datetime.now(UTC)) < timedelta(seconds=5)


async def test_the_pictures_arrive_byte_for_byte(
    connector: Connector, recorder: Any, board: str, picture: Pictures
) -> None:
    shop, door = picture("shop.jpg", place=1), picture("door.png", place=0)
    await published(connector, saying(board, pictures=(shop, door)))
    (sent,) = [seen.request for seen in recorder.seen if seen.method == "POST"]
    items = sent["media_source"]["items"]
    assert [one["content_type"] for one in items] == ["image/png", "image/jpeg"]
    assert [base64.b64decode(one["data"]) for one in items] == [door.path.read_bytes(), shop.path.read_bytes()]


async def test_a_large_picture_arrives_whole(
    connector: Connector, recorder: Any, board: str, picture: Pictures
) -> None:
    large = picture("noise.png")
    Image.effect_noise((1600, 1600), 90).save(large.path)
    assert large.path.stat().st_size > 2_000_000
    await published(connector, saying(board, pictures=(large,)))
    (sent,) = [seen.request for seen in recorder.seen if seen.method == "POST"]
    assert base64.b64decode(sent["media_source"]["data"]) == large.path.read_bytes()


async def test_descriptions_of_several_pictures_are_one_and_have_one_limit(
    connector: Connector, pinterest: Pinterest, board: str, picture: Pictures
) -> None:
    pictures = (picture("a.jpg", alt="A door", place=0), picture("b.jpg", alt="A garden", place=1))
    out = await published(connector, saying(board, pictures=pictures))
    assert pin_of(pinterest, out).alt == "A door\nA garden"
    long = (picture("a.jpg", alt="x" * 250), picture("b.jpg", alt="x" * 250))
    with pytest.raises(Refused, match="500"):
        await published(connector, saying(board, pictures=long))


async def test_a_video_is_handed_over_before_the_hour_and_shown_once_it_is_worked_on(
    connector: Connector, pinterest: Pinterest, board: str, video: Videos
) -> None:
    pinterest.processing_seconds = 3600
    what = saying(board, videos=(video(alt="A walk", cover_at=2.6),))
    handed = await connector.prepare(what, {})
    assert isinstance(handed, Pending)
    assert set(handed.progress) == {"media_id", "looks"}  # nothing that the storage asked for is kept
    waiting = await connector.prepare(what, handed.progress)
    assert isinstance(waiting, Pending)
    assert waiting.not_before is not None
    assert isinstance(await connector.commit(what, waiting.progress), Pending)
    assert pinterest.texts() == []

    (upload,) = pinterest.state.uploads.values()
    upload.ready_at = pinterest.now()
    ready = await connector.prepare(what, waiting.progress)
    assert isinstance(ready, Ready)
    out = await connector.commit(what, ready.progress)
    assert isinstance(out, Published)
    pin = pin_of(pinterest, out)
    assert (pin.video, pin.cover, pin.alt) == (upload.id, "frame at 2 s", "A walk")


async def test_a_picture_of_ours_stands_for_a_video(
    connector: Connector, pinterest: Pinterest, board: str, video: Videos, picture: Pictures
) -> None:
    out = await published(connector, saying(board, videos=(video(cover=picture("cover.png")),)))
    assert pin_of(pinterest, out).cover == "image/png"


async def test_an_upload_that_breaks_off_begins_anew(
    connector: Connector, pinterest: Pinterest, board: str, video: Videos
) -> None:
    what = saying(board, videos=(video(),))
    pinterest.faults.will_drop(path="/storage/")
    with pytest.raises(TryLater):
        await connector.prepare(what, {})
    assert (await published(connector, what)).remote_id
    assert pinterest.texts() == ["Good morning"]


async def test_the_storage_that_says_no_is_asked_again_later_and_too_large_is_too_large(
    connector: Connector, pinterest: Pinterest, board: str, video: Videos
) -> None:
    what = saying(board, videos=(video(),))
    pinterest.faults.will_answer(403, path="/storage/", body="<Error><Code>AccessDenied</Code></Error>")
    with pytest.raises(TryLater):
        await connector.prepare(what, {})
    pinterest.faults.will_answer(400, path="/storage/", body="<Error><Code>EntityTooLarge</Code></Error>")
    with pytest.raises(Refused, match="too large"):
        await connector.prepare(what, {})


async def test_a_video_that_is_none_is_refused(connector: Connector, board: str, video: Videos) -> None:
    with pytest.raises(Refused, match="MP4"):
        await prepared(connector, saying(board, videos=(video(b"not a film at all" * 100),)))


async def test_a_video_whose_work_never_ends_is_given_up(
    connector: Connector, pinterest: Pinterest, board: str, video: Videos
) -> None:
    pinterest.processing_seconds = 3600
    what = saying(board, videos=(video(),))
    handed = await connector.prepare(what, {})
    with pytest.raises(Refused, match="did not finish"):
        await connector.prepare(what, {**handed.progress, "looks": publishing.MOST_LOOKS})


async def test_a_video_that_pinterest_forgot_is_handed_over_again(
    connector: Connector, pinterest: Pinterest, board: str, video: Videos
) -> None:
    what = saying(board, videos=(video(),))
    handed = await connector.prepare(what, {})
    pinterest.state.uploads.clear()
    forgotten = await connector.prepare(what, handed.progress)
    assert (type(forgotten), dict(forgotten.progress)) == (Pending, {})


async def test_what_pinterest_does_not_have_is_refused(
    connector: Connector, board: str, video: Videos, picture: Pictures
) -> None:
    for what in (
        saying(board),
        saying(board, pictures=(picture(),), videos=(video(place=1),)),
        saying("", pictures=(picture(),)),
        saying(board, pictures=(picture(),), reply_to=Ref(remote_id="1")),
    ):
        with pytest.raises(Refused):
            await connector.prepare(what, {})


async def test_limits_are_the_vendors(connector: Connector, board: str, picture: Pictures) -> None:
    shop = (picture(),)
    await published(connector, saying(board, "x" * 800, options={"title": "x" * 100}, pictures=shop))
    for wrong in (
        saying(board, "x" * 801, pictures=shop),
        saying(board, options={"title": "x" * 101}, pictures=shop),
        saying(board, options={"link": "https://a.example/" + "x" * 2048}, pictures=shop),
        saying(board, options={"link": "shop.example"}, pictures=shop),
    ):
        with pytest.raises(Refused):
            await published(connector, wrong)


async def test_a_file_that_lies_about_its_type_is_refused(connector: Connector, board: str, picture: Pictures) -> None:
    with pytest.raises(Refused, match="image"):
        await published(connector, saying(board, pictures=(picture("a.png", content_type="image/jpeg"),)))


async def test_boards_and_their_sections_are_offered(connector: Connector, pinterest: Pinterest, board: str) -> None:
    regie = pinterest.person("regie")
    pinterest.board(regie, "Drafts", privacy="SECRET")
    pinterest.board(regie, "Ad-only Pins", privacy="PROTECTED").ads_only = True
    more = [pinterest.board(regie, f"Board {nth}").id for nth in range(260)]
    boards = await connector.choices("board", chosen={})
    assert boards[0] == Choice(board, "Ideas")
    assert [one.value for one in boards] == [board, *more]
    sections = await connector.choices("board_section", chosen={"board": board})
    assert [one.label for one in sections] == ["Kitchen", "Garden"]
    assert await connector.choices("board_section", chosen={}) == ()


async def test_a_board_that_is_gone_is_refused(connector: Connector, board: str, picture: Pictures) -> None:
    with pytest.raises(Refused, match="Board not found"):
        await published(connector, saying("12345", pictures=(picture(),)))
    with pytest.raises(Gone):
        await connector.choices("board_section", chosen={"board": "12345"})


async def test_an_edit_changes_words_link_and_board_and_takes_away_what_is_no_longer_said(
    connector: Connector, pinterest: Pinterest, board: str, picture: Pictures
) -> None:
    shop = (picture(),)
    out = await published(
        connector, saying(board, options={"title": "Window", "link": "https://shop.example"}, pictures=shop)
    )
    other = pinterest.board(pinterest.person("regie"), "Doors").id
    what = saying(other, "Open until seven", options={"title": "Door"}, pictures=shop)
    edited = await connector.edit(Ref(remote_id=out.remote_id), what, {})
    pin = pin_of(pinterest, edited)
    assert (pin.id, pin.title, pin.description, pin.link, pin.board) == (
        out.remote_id, "Door", "Open until seven", "", other,
    )  # fmt: skip


async def test_on_trial_access_a_pin_is_out_but_nobody_sees_it(
    signed_in: Callable[..., Connector], pinterest: Pinterest, picture: Pictures, video: Videos
) -> None:
    connector = signed_in(trial=True)
    board = pinterest.ready_account()["trial"]["options"]["board"]
    out = await published(connector, saying(board, pictures=(picture(),)))
    assert out.limited
    assert pinterest.texts() == []
    assert (await connector.fetch(out.remote_id)).limited
    profile = await connector.whoami()
    assert profile.limits["trial"] is True
    can = Connector.can_on(profile.limits)
    assert (can.video, can.post_metrics) == (None, ())
    assert await connector.post_samples([Ref(remote_id=out.remote_id)]) == {out.remote_id: {}}  # it is not gone
    assert set(await connector.account_samples()) == set(can.account_metrics)
    with pytest.raises(Refused, match="trial"):
        await connector.prepare(saying(board, videos=(video(),)), {})


async def test_an_app_on_trial_access_that_asks_for_public_pins_hears_what_to_do(
    signed_in: Callable[..., Connector], pinterest: Pinterest, board: str, picture: Pictures
) -> None:
    connector = signed_in()
    for app in pinterest.state.apps.values():
        app.access = "trial"
    with pytest.raises(Refused, match="Standard access"):
        await published(connector, saying(board, pictures=(picture(),)))


async def test_pins_are_found_again_whatever_the_order_of_the_list(
    connector: Connector, pinterest: Pinterest, board: str, picture: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "PAGE", 10)
    now = pinterest.now()
    for nth in range(30):  # three pages, oldest first in the list as the sandbox turns it round
        old = pinterest.pin_by(pinterest.person("regie"), f"Pin {nth}")
        old.made_at = now - timedelta(days=nth + 2)
    out = await published(connector, saying(board, pictures=(picture(), picture("b.jpg"))))
    listing = await connector.own_posts(since=now - timedelta(hours=1))
    assert [(one.remote_id, one.text, one.media) for one in listing.seen] == [(out.remote_id, "Good morning", 2)]
    assert listing.reaches_back_to == now - timedelta(hours=1)


async def test_of_a_list_that_is_too_long_nothing_is_said_to_be_missing(
    connector: Connector, pinterest: Pinterest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "MOST_PAGES", 1)
    monkeypatch.setattr(publishing, "PAGE", 10)
    now = pinterest.now()
    for nth in range(30):
        pinterest.pin_by(pinterest.person("regie"), f"Pin {nth}").made_at = now - timedelta(minutes=30 - nth)
    listing = await connector.own_posts(since=now - timedelta(days=9))
    assert listing.reaches_back_to == min(one.created_at for one in listing.seen)
    assert len(listing.seen) == 10


async def test_numbers_are_those_the_vendor_tells(
    connector: Connector, pinterest: Pinterest, board: str, picture: Pictures, video: Videos
) -> None:
    still = await published(connector, saying(board, pictures=(picture(),), options={"link": "https://shop.example"}))
    moving = await published(connector, saying(board, videos=(video(),)))
    for out in (still, moving):
        pinterest.like(by="ana", post_id=out.remote_id)
        pinterest.share(by="ben", post_id=out.remote_id)
        pinterest.say(by="ben", text="Lovely", to=out.remote_id)
    refs = [Ref(remote_id=one) for one in (still.remote_id, moving.remote_id, "999")]
    found = await connector.post_samples(refs)
    common = {"views": 7, "likes": 1, "replies": 1, "saves": 1, "clicks": 1}
    assert found == {
        still.remote_id: {**common, "link_clicks": 1, "video_views": None},
        moving.remote_id: {**common, "link_clicks": 0, "video_views": 3},
    }
    pinterest.state.pins[still.remote_id].made_at -= timedelta(days=100)
    old = (await connector.post_samples(refs[:1]))[still.remote_id]
    assert (old["views"], old["saves"]) == (7, None)  # the analytics no longer reach back to its beginning


async def test_the_accounts_last_whole_day(connector: Connector, pinterest: Pinterest, board: str) -> None:
    pin = pinterest.pin_by(pinterest.person("regie"), "Yesterday")
    pinterest.like(by="ana", post_id=pin.id)
    pin.made_at -= timedelta(days=1)
    pinterest.follow(by="ana", account="regie")
    assert await connector.account_samples() == {
        "followers": 1, "following": 0, "posts": 1, "views_day": 7, "interactions_day": 2,
    }  # fmt: skip
    pinterest.faults.will_answer(403, path="/analytics")
    assert (await connector.account_samples())["views_day"] is None


async def test_a_rate_limit_says_when(
    connector: Connector, pinterest: Pinterest, board: str, picture: Pictures
) -> None:
    pinterest.calls_per_minute = 1
    await connector.whoami()
    with pytest.raises(TryLater) as slowed:
        await published(connector, saying(board, pictures=(picture(),)))
    assert slowed.value.not_before is not None
    assert timedelta(seconds=50) < slowed.value.not_before - datetime.now(UTC) <= timedelta(seconds=61)


async def test_a_token_that_ran_out_is_refreshed_and_one_taken_back_asks_a_person(
    signed_in: Callable[..., Connector], pinterest: Pinterest, board: str, picture: Pictures
) -> None:
    what = saying(board, pictures=(picture(),))
    past = str(int((datetime.now(UTC) - timedelta(hours=1)).timestamp()))
    credentials = {**pinterest.ready_account()["credentials"], "expires_at": past}
    pinterest.expire_tokens()
    with pytest.raises(TokenExpired):
        await signed_in(credentials=credentials).commit(what, {})
    with pytest.raises(SignInAgain):
        await signed_in().commit(what, {})


async def test_a_missing_permission_is_named(
    signed_in: Callable[..., Connector], pinterest: Pinterest, board: str, picture: Pictures
) -> None:
    connector = signed_in()
    token = pinterest.state.tokens[pinterest.ready_account()["credentials"]["access_token"]]
    token.scopes.remove("pins:write")
    with pytest.raises(SignInAgain, match="permission"):
        await connector.commit(saying(board, pictures=(picture(),)), {})


@pytest.mark.parametrize(
    ("url", "remote_id"),
    [
        ("https://www.pinterest.com/pin/1099511627776000845/", "1099511627776000845"),
        ("https://fr.pinterest.com/pin/1099511627776000845", "1099511627776000845"),
        ("https://www.pinterest.co.uk/pin/a-teal-window--123456/?lp=true", "123456"),
        ("https://pin.it/4xYz", None),
        ("https://www.pinterest.com/regie/ideas/", None),
        ("https://evil.example/pinterest.com/pin/1/", None),
    ],
)
def test_the_address_of_a_pin_tells_which_it_is(url: str, remote_id: str | None) -> None:
    assert Connector.id_of(url) == remote_id
