"""Containers, the visible call, and what a container says after a lost answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from regie.networks.capabilities import Format
from regie.networks.data import Draft, Pending, Picture, Poll, Published, Ready, Ref, Video
from regie.networks.errors import Gone, Refused, SignInAgain, TryLater, Unclear
from regie.networks.instagram.connector import Instagram as Connector
from regie.networks.instagram.publishing import MOST_LOOKS
from regie_sandbox.instagram.app import Instagram

from .posting import MOVIE, NOW, prepared, saying, signed_in

Make = Callable[..., Any]


async def publish(connector: Connector, what: Any) -> Published:
    published = await connector.commit(what, await prepared(connector, what))
    assert isinstance(published, Published)
    return published


async def test_a_picture_with_its_words_and_its_description(
    instagram: Instagram, connector: Connector, picture: Make
) -> None:
    published = await publish(connector, saying("Élégance 🇫🇷", pictures=(picture(alt="A teal window"),)))
    media = instagram.state.media[published.remote_id]
    assert (media.caption, media.alt, media.type, media.product) == ("Élégance 🇫🇷", "A teal window", "IMAGE", "FEED")
    assert published.url == f"{instagram.base}/p/{media.shortcode}/"
    assert published.at == NOW


async def test_nobody_sees_a_container(instagram: Instagram, connector: Connector, picture: Make) -> None:
    await prepared(connector, saying(pictures=(picture(),)))
    assert (instagram.texts(), instagram.world.ledger.entries) == ([], [])


async def test_a_carousel_keeps_pictures_and_videos_in_their_order(
    instagram: Instagram, connector: Connector, picture: Make, video: Make
) -> None:
    what = saying(
        "Three of them", pictures=(picture("a", place=0), picture("c", place=2)), videos=(video("b", place=1),)
    )
    published = await publish(connector, what)
    children = [instagram.state.media[one] for one in instagram.state.media[published.remote_id].children]
    assert [child.type for child in children] == ["IMAGE", "VIDEO", "IMAGE"]
    assert [entry.media for entry in instagram.world.ledger.entries] == [3]


@pytest.mark.parametrize("form", [Format.POST, Format.SHORT])
async def test_a_video_has_a_cover_of_our_own(
    instagram: Instagram, connector: Connector, picture: Make, video: Make, form: Format
) -> None:
    cover = picture("cover", width=1080, height=1920)
    what = saying("Walk with us", videos=(video(cover=cover, cover_at=2.5),), format=form)
    progress = await prepared(connector, what)
    kept = instagram.world.files.get(f"instagram-cover-{progress['container']}")
    assert kept == cover.path.read_bytes()


async def test_a_cover_is_refused_where_instagram_would_overlook_or_not_reach_it(
    instagram: Instagram, connector: Connector, picture: Make, video: Make
) -> None:
    cover = picture("cover")
    (objection,) = Connector.objections({}, Draft(text="", videos=2, covers=1))
    assert "a single video only" in objection.said
    assert Connector.objections({}, Draft(text="", videos=1, covers=1)) == ()
    with pytest.raises(Refused, match="REGIE_URL"):
        await connector.prepare(saying(videos=(video(cover=picture("c", public_url="")),)), {})
    cover.path.write_bytes(b"no picture")
    with pytest.raises(Refused, match="could not be fetched"):
        await connector.prepare(saying(videos=(video(cover=cover),)), {})
    assert instagram.state.containers == {}


async def test_a_reel_is_waited_for_and_has_its_cover(instagram: Instagram, connector: Connector, video: Make) -> None:
    instagram.processing_seconds = 20
    what = saying("Walk with us", videos=(video(cover_at=2.5),), format=Format.SHORT)
    outcome = await connector.prepare(what, {})
    while isinstance(outcome, Pending) and outcome.not_before is None:
        outcome = await connector.prepare(what, outcome.progress)
    assert isinstance(outcome, Pending)
    assert outcome.not_before is not None
    assert outcome.not_before > NOW
    instagram.world.clock.advance(timedelta(seconds=21))
    ready = await connector.prepare(what, outcome.progress)
    assert isinstance(ready, Ready)
    published = await connector.commit(what, ready.progress)
    assert isinstance(published, Published)
    assert instagram.state.media[published.remote_id].product == "REELS"
    assert "/reel/" in published.url
    assert len(instagram.state.containers) == 1


async def test_a_single_video_of_an_ordinary_post_shows_in_the_feed_too(
    instagram: Instagram, ours: Connector, video: Make
) -> None:
    await publish(ours, saying("Walk with us", videos=(video(),)))
    (container,) = instagram.state.containers.values()
    assert (container.kind, container.share_to_feed) == ("REELS", True)


async def test_collaborators_people_a_place_and_who_made_it_go_with_a_picture(
    instagram: Instagram, connector: Connector, picture: Make, way: str
) -> None:
    chosen = {
        "collaborators": ("@gael", "atelier.sud"),
        "people": ("@ines",),
        "place": "106377336067638",
        "made_with_ai": True,
        **({"paid_partnership": True} if way == "facebook" else {}),
    }
    await publish(connector, saying(pictures=(picture(),), options=chosen))
    (made,) = instagram.state.containers.values()
    assert (made.collaborators, made.people, made.place) == (["gael", "atelier.sud"], ["ines"], "106377336067638")
    assert (made.made_with_ai, made.paid_partnership) == (True, way == "facebook")


async def test_people_are_marked_in_the_first_picture_of_several_and_in_a_video_without_a_place(
    instagram: Instagram, ours: Connector, picture: Make, video: Make
) -> None:
    several = saying("Two", videos=(video(place=0),), pictures=(picture(place=1),), options={"people": ("ines",)})
    await publish(ours, several)
    assert [one.people for one in instagram.state.containers.values() if one.child] == [[], ["ines"]]
    assert [one.placed for one in instagram.state.containers.values() if one.child] == [[], ["ines"]]
    reel = saying(videos=(video("b"),), format=Format.SHORT, options={"people": ("ines",), "share_to_feed": True})
    await publish(ours, reel)
    made = list(instagram.state.containers.values())[-1]
    assert (made.people, made.placed, made.share_to_feed) == (["ines"], [], True)


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("#a " * 31, {}, "at most 30 words with #"),
        ("Hello", {"place": "Paris"}, "The place on Instagram is a number"),
        ("Hello", {"people": ("Atelier Nord",)}, "“Atelier Nord” is no username of Instagram"),
    ],
)
async def test_what_instagram_would_refuse_is_said_before_anything_is_sent(
    instagram: Instagram, ours: Connector, picture: Make, text: str, options: dict[str, Any], said: str
) -> None:
    (objection,) = Connector.objections({}, Draft(text=text, options=options, pictures=1))
    assert said in objection.said
    with pytest.raises(Refused, match=said):
        await prepared(ours, saying(text, pictures=(picture(),), options=options))
    assert not instagram.state.containers


def test_only_the_login_through_facebook_says_that_a_post_was_paid_for_and_tags_products() -> None:
    offered = {
        login: {one.name for one in Connector.can_on({"login": login}).options} for login in ("facebook", "instagram")
    }
    assert offered["facebook"] - offered["instagram"] == {"paid_partnership", "products"}


async def test_stories_of_a_picture_and_of_a_video(
    instagram: Instagram, connector: Connector, picture: Make, video: Make
) -> None:
    first = await publish(connector, saying("", pictures=(picture(width=1080, height=1920),), format=Format.STORY))
    second = await publish(connector, saying("", videos=(video(),), format=Format.STORY))
    products = {instagram.state.media[one.remote_id].product for one in (first, second)}
    assert products == {"STORY"}
    assert instagram.texts() == []
    assert [entry.kind for entry in instagram.world.ledger.entries] == ["story", "story"]


async def test_a_story_mentions_people_without_a_place(
    instagram: Instagram, connector: Connector, picture: Make, video: Make
) -> None:
    (offered,) = [one for one in connector.can.options if one.name == "people"]
    assert Format.STORY in offered.formats
    chosen = {"people": ("@ines", "atelier.sud")}
    still = saying("", pictures=(picture(width=1080, height=1920),), format=Format.STORY, options=chosen)
    first = await publish(connector, still)
    film = saying("", videos=(video(),), format=Format.STORY, options=chosen)
    second = await publish(connector, film)
    assert [instagram.state.media[one.remote_id].people for one in (first, second)] == [["ines", "atelier.sud"]] * 2
    assert [one.placed for one in instagram.state.containers.values()] == [[], []]
    assert [entry.remote_id for entry in instagram.world.ledger.of("instagram", kind="story")] == [
        first.remote_id,
        second.remote_id,
    ]


async def test_through_facebook_a_video_is_uploaded_and_needs_no_public_address(
    instagram: Instagram, connector: Connector, video: Make, way: str
) -> None:
    what = saying(videos=(video(public_url=""),), format=Format.SHORT)
    if way == "instagram":
        with pytest.raises(Refused, match="public address"):
            await prepared(connector, what)
        return
    await publish(connector, what)
    (container,) = instagram.state.containers.values()
    assert instagram.world.files.get(f"instagram-{container.id}") == MOVIE


@pytest.mark.parametrize("way", ["facebook"])
async def test_an_upload_goes_on_where_it_broke_off(instagram: Instagram, connector: Connector, video: Make) -> None:
    what = saying(videos=(video(),), format=Format.SHORT)
    first = await connector.prepare(what, {})
    assert isinstance(first, Pending)  # the container is written down before its file
    (container,) = instagram.state.containers.values()
    container.received, container.size = 300_000, len(MOVIE)
    instagram.world.files.put(f"instagram-{container.id}", MOVIE[:300_000])
    await prepared(connector, what, first.progress)
    assert instagram.world.files.get(f"instagram-{container.id}") == MOVIE
    assert list(instagram.state.containers) == [container.id]


async def test_an_upload_that_breaks_is_tried_later(instagram: Instagram, http: Any, video: Make) -> None:
    connector, what = await signed_in(http, instagram, "facebook"), saying(videos=(video(),), format=Format.SHORT)
    first = await connector.prepare(what, {})
    instagram.faults.will_drop(path="ig-api-upload")
    with pytest.raises(TryLater):
        await connector.prepare(what, first.progress)
    assert await prepared(connector, what, first.progress)


async def test_what_instagram_cannot_use_is_refused_with_its_reason(
    instagram: Instagram, ours: Connector, picture: Make, video: Make
) -> None:
    with pytest.raises(Refused, match="2207026"):
        await prepared(ours, saying(videos=(video(content=b"no video at all"),)))
    with pytest.raises(Refused, match="could not be fetched"):
        await prepared(ours, saying(pictures=(picture(public_url="http://127.0.0.1:9/none.jpg"),)))
    with pytest.raises(Refused, match="aspect ratio"):
        await prepared(ours, saying(pictures=(picture(width=500, height=1500),)))
    assert instagram.world.ledger.entries == []


async def test_what_does_not_exist_there_is_refused_before_anything_is_made(
    instagram: Instagram, ours: Connector, picture: Make, video: Make
) -> None:
    one, poll = picture(), Poll(options=("yes", "no"))
    for what in (
        saying(),
        saying(pictures=(one,), poll=poll),
        saying(pictures=(one,), sensitive=True),
        saying(pictures=(one,), visibility="private"),
        saying(pictures=(one,) * 11),
        saying(pictures=(one,), format=Format.SHORT),
        saying(pictures=(one,), videos=(video(),), format=Format.STORY),
        saying("#a " * 31, pictures=(one,)),
        saying("@a " * 21, pictures=(one,)),
    ):
        with pytest.raises(Refused):
            await ours.prepare(what, {})
    assert instagram.state.containers == {}


async def test_a_container_that_ran_out_is_made_again(instagram: Instagram, ours: Connector, picture: Make) -> None:
    what = saying(pictures=(picture(),))
    progress = await prepared(ours, what)
    instagram.world.clock.advance(timedelta(hours=25))
    what = replace(what, planned_at=what.planned_at + timedelta(hours=25))
    outcome = await ours.commit(what, progress)
    assert outcome == Pending(progress={})
    published = await ours.commit(what, outcome.progress)
    assert isinstance(published, Published)
    assert instagram.texts() == ["Good morning"]


async def test_processing_that_never_ends_ends(instagram: Instagram, ours: Connector, video: Make) -> None:
    instagram.processing_seconds = 10**6
    what = saying(videos=(video(),))
    looked = await ours.prepare(what, {})
    for _ in range(MOST_LOOKS - 1):
        looked = await ours.prepare(what, looked.progress)
        assert isinstance(looked, Pending)
    with pytest.raises(Refused, match="did not finish"):
        await ours.prepare(what, looked.progress)


async def test_the_daily_limit_is_waited_for(instagram: Instagram, ours: Connector, picture: Make) -> None:
    instagram.publish_limit = 1
    await publish(ours, saying(pictures=(picture(),)))
    what = saying("One too many", pictures=(picture(),))
    progress = await prepared(ours, what)
    with pytest.raises(TryLater) as later:
        await ours.commit(what, progress)
    assert later.value.not_before == NOW + timedelta(hours=1)
    assert (await ours.whoami()).limits["posts_today"] == 1


@pytest.mark.parametrize(
    ("code", "subcode", "error"),
    [
        (190, 463, SignInAgain),
        (10, 0, SignInAgain),
        (200, 0, SignInAgain),
        (4, 0, TryLater),
        (17, 0, TryLater),
        (32, 0, TryLater),
        (613, 0, TryLater),
        (80002, 2446079, TryLater),
        (9007, 2207027, TryLater),
        (24, 2207008, TryLater),
        (-1, 2207001, Unclear),
        (2, 0, Unclear),
        (4, 2207051, Refused),
        (25, 2207050, Refused),
        (368, 0, Refused),
    ],
)
async def test_each_error_is_named_after_what_to_do_next(
    instagram: Instagram, ours: Connector, picture: Make, code: int, subcode: int, error: type[Exception]
) -> None:
    what = saying(pictures=(picture(),))
    progress = await prepared(ours, what)
    body = {"message": "Because.", "type": "OAuthException", "code": code, "fbtrace_id": "A1"}
    body |= {"error_subcode": subcode} if subcode else {}
    instagram.faults.will_answer(400, body={"error": body}, method="POST")
    with pytest.raises(error) as raised:
        await ours.commit(what, progress)
    assert type(raised.value) is error
    assert instagram.texts() == []


async def test_the_usage_header_says_when_to_come_back(instagram: Instagram, ours: Connector, picture: Make) -> None:
    instagram.calls_per_hour = 1
    with pytest.raises(TryLater) as slowed:
        await prepared(ours, saying(pictures=(picture(),)))
    assert slowed.value.not_before is not None
    assert timedelta(minutes=50) < slowed.value.not_before - NOW <= timedelta(minutes=61)


# After a lost answer


async def lost(instagram: Instagram, connector: Connector, what: Any, fault: Callable[[], None]) -> dict[str, Any]:
    progress = await prepared(connector, what)
    fault()
    with pytest.raises(Unclear):
        await connector.commit(what, progress)
    return progress


async def test_after_a_lost_answer_the_container_tells_and_the_post_is_found(
    instagram: Instagram, connector: Connector, picture: Make
) -> None:
    await publish(connector, saying("Something else", pictures=(picture(),)))
    what = saying("Open today", pictures=(picture(),))
    progress = await lost(instagram, connector, what, lambda: instagram.faults.will_lose_answer(path="media_publish"))
    became = await connector.what_became_of(what, progress)
    assert isinstance(became, Published)
    assert became.remote_id == instagram.posts()[1]
    again = await connector.commit(replace(what, again=True), progress)  # nothing is ever published twice
    assert isinstance(again, Published)
    assert again.remote_id == became.remote_id
    assert instagram.texts() == ["Something else", "Open today"]


async def test_a_story_is_found_among_stories(instagram: Instagram, ours: Connector, picture: Make) -> None:
    what = saying("", pictures=(picture(),), format=Format.STORY)
    progress = await lost(instagram, ours, what, lambda: instagram.faults.will_lose_answer(path="media_publish"))
    became = await ours.what_became_of(what, progress)
    assert isinstance(became, Published)
    assert instagram.state.media[became.remote_id].product == "STORY"


async def test_what_was_not_published_may_be_but_not_while_the_call_may_be_under_way(
    instagram: Instagram, ours: Connector, picture: Make
) -> None:
    what = saying(pictures=(picture(),))
    progress = await lost(instagram, ours, what, lambda: instagram.faults.will_drop(path="media_publish"))
    with pytest.raises(TryLater) as wait:
        await ours.what_became_of(what, progress)
    assert wait.value.not_before == NOW + timedelta(minutes=1)
    instagram.world.clock.advance(timedelta(minutes=1))
    assert await ours.what_became_of(what, progress) is None
    assert isinstance(await ours.commit(what, progress), Published)
    assert instagram.texts() == ["Good morning"]


async def test_a_listing_that_lags_is_waited_for(instagram: Instagram, ours: Connector, picture: Make) -> None:
    instagram.faults.listing_lag = 4
    what = saying(pictures=(picture(),))
    progress = await lost(instagram, ours, what, lambda: instagram.faults.will_lose_answer(path="media_publish"))
    became = await ours.what_became_of(what, progress)
    assert isinstance(became, Pending)
    instagram.world.clock.advance(timedelta(seconds=5))
    assert isinstance(await ours.commit(replace(what, again=True), became.progress), Published)
    assert len(instagram.texts()) == 1


async def test_the_address_may_stay_unknown_and_the_post_is_out_all_the_same(
    instagram: Instagram, ours: Connector, picture: Make
) -> None:
    what = saying(pictures=(picture(),))
    progress = await prepared(ours, what)
    instagram.faults.will_answer(400, method="GET")
    published = await ours.commit(what, progress)
    assert isinstance(published, Published)
    assert (published.url, published.remote_id) == ("", instagram.posts()[0])


# Afterwards


async def test_the_first_comment_stands_under_the_post(
    instagram: Instagram, connector: Connector, picture: Make
) -> None:
    post = await publish(connector, saying(pictures=(picture(),)))
    what = saying("#linen #paris", reply_to=Ref(remote_id=post.remote_id, extra=post.extra))
    comment = await publish(connector, what)
    assert instagram.state.media[post.remote_id].comments == [comment.remote_id]
    found = await connector.what_became_of(what, {})
    assert isinstance(found, Published)
    assert found.remote_id == comment.remote_id


async def test_a_post_is_deleted_only_through_facebook(
    instagram: Instagram, connector: Connector, picture: Make, way: str
) -> None:
    post = await publish(connector, saying(pictures=(picture(),)))
    ref = Ref(remote_id=post.remote_id, extra=post.extra)
    assert Connector.can_on({"login": way}).delete is (way == "facebook")
    if way == "instagram":
        with pytest.raises(Refused, match="Facebook"):
            await connector.delete(ref)
        return
    await connector.delete(ref)
    await connector.delete(ref)
    assert instagram.texts() == []
    with pytest.raises(Gone):
        await connector.fetch(post.remote_id)


async def test_our_posts_are_listed_over_many_pages(instagram: Instagram, ours: Connector, picture: Make) -> None:
    instagram.publish_limit = 1000
    user = instagram.known_as(None)
    for nth in range(120):
        instagram.world.clock.set(NOW + timedelta(minutes=nth))
        instagram.post_by(user, f"Post {nth}")
    listing = await ours.own_posts(since=NOW)
    assert [seen.text for seen in listing.seen] == [f"Post {nth}" for nth in reversed(range(120))]
    assert listing.reaches_back_to == NOW
    later = await ours.own_posts(since=NOW + timedelta(minutes=100))
    assert len(later.seen) == 20


async def test_a_picture_that_moved_keeps_nothing_in_the_progress_that_changes(ours: Connector, picture: Make) -> None:
    """The address is new at each attempt; what was achieved stays good."""
    what = saying(pictures=(picture(),))
    progress = await prepared(ours, what)
    moved: Picture | Video = replace(picture("moved"), public_url="http://127.0.0.1:9/gone.jpg")
    assert isinstance(moved, Picture)
    assert isinstance(await ours.commit(replace(what, pictures=(moved,)), progress), Published)
