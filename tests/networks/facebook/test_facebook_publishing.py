"""Posts, photos, videos, Reels and stories of a Page, and what is found of them after a lost answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from regie.networks.capabilities import Format
from regie.networks.data import Draft, Pending, Poll, Published, Ref
from regie.networks.errors import Gone, Refused, SignInAgain, TryLater, Unclear
from regie.networks.facebook.connector import Facebook as Connector
from regie.networks.facebook.limits import locale_of
from regie_sandbox.facebook.app import Facebook

from .posting import MOVIE, NOW, prepared, publish, ref_to, saying

Make = Callable[..., Any]
MINUTE = timedelta(minutes=1)


async def test_a_text_with_its_address(facebook: Facebook, page: Connector) -> None:
    published = await publish(page, saying("Élégance 🇫🇷"))
    assert facebook.texts() == ["Élégance 🇫🇷"]
    assert published.url.startswith(f"{facebook.base}/")
    assert published.at == NOW


async def test_a_link_in_a_text_is_a_card_but_beside_pictures_it_is_none(
    facebook: Facebook, page: Connector, picture: Make
) -> None:
    first = await publish(page, saying("Read this: https://example.org/a?b=1."))
    second = await publish(page, saying("And https://example.org/c", pictures=(picture(),)))
    posts = facebook.state.posts
    assert posts[first.remote_id].link == "https://example.org/a?b=1"
    assert posts[second.remote_id].link == ""


async def test_photos_are_invisible_until_the_post_names_them(
    facebook: Facebook, page: Connector, picture: Make
) -> None:
    what = saying("Three of them", pictures=tuple(picture(name, alt=f"Photo {name}") for name in "abc"))
    progress = await prepared(page, what)
    assert (facebook.texts(), len(facebook.state.photos)) == ([], 3)
    published = await page.commit(what, progress)
    assert isinstance(published, Published)
    photos = facebook.state.posts[published.remote_id].photos
    assert [facebook.state.photos[one].alt for one in photos] == ["Photo a", "Photo b", "Photo c"]
    assert [entry.media for entry in facebook.world.ledger.entries] == [3]


async def test_an_upload_of_photos_goes_on_where_it_broke_off(
    facebook: Facebook, page: Connector, picture: Make
) -> None:
    what = saying(pictures=(picture("a"), picture("b")))
    progress = await prepared(page, saying(pictures=(picture("a"),)))
    await prepared(page, what, progress)
    assert len(facebook.state.photos) == 2


async def test_a_video_is_sent_in_pieces_and_seen_only_at_the_end(
    facebook: Facebook, page: Connector, video: Make
) -> None:
    what = saying("Walk with us", videos=(video(),))
    progress = await prepared(page, what)
    assert (facebook.texts(), facebook.world.ledger.entries) == ([], [])
    published = await page.commit(what, progress)
    assert isinstance(published, Published)
    assert facebook.world.files.get(f"facebook-{published.remote_id}") == MOVIE
    assert facebook.texts() == ["Walk with us"]


async def test_a_reel_has_three_phases(facebook: Facebook, page: Connector, video: Make) -> None:
    published = await publish(page, saying("Walk with us", videos=(video(),), format=Format.SHORT))
    reel = facebook.state.videos[published.remote_id]
    assert (reel.kind, reel.description, reel.received) == ("reel", "Walk with us", len(MOVIE))
    assert published.url == f"https://www.facebook.com/reel/{reel.id}/"


async def test_an_upload_of_a_reel_goes_on_where_it_broke_off(facebook: Facebook, page: Connector, video: Make) -> None:
    what = saying(videos=(video(),), format=Format.SHORT)
    first = await page.prepare(what, {})
    assert isinstance(first, Pending)  # its number is written down before its bytes are sent
    facebook.faults.will_drop(path="video-upload")
    with pytest.raises(TryLater):
        await page.prepare(what, first.progress)
    (reel,) = facebook.state.videos.values()
    reel.received, reel.size = 400_000, len(MOVIE)
    facebook.world.files.put(f"facebook-{reel.id}", MOVIE[:400_000])
    await prepared(page, what, first.progress)
    assert facebook.world.files.get(f"facebook-{reel.id}") == MOVIE


async def test_stories_of_a_photo_and_of_a_video(
    facebook: Facebook, page: Connector, picture: Make, video: Make
) -> None:
    first = await publish(page, saying("", pictures=(picture(),), format=Format.STORY))
    second = await publish(page, saying("", videos=(video(),), format=Format.STORY))
    assert facebook.known_as(None).stories == [first.remote_id, second.remote_id]
    assert facebook.texts() == []


async def test_a_video_in_a_story_says_where_it_is_and_who_made_it(
    facebook: Facebook, page: Connector, picture: Make, video: Make
) -> None:
    """A picture in a story has fields for neither."""
    there = {"place": "108127605875718"}
    told = {**there, "made_with_ai": True}
    story = await publish(page, saying("", videos=(video(),), format=Format.STORY, options=told))
    shown = facebook.state.posts[story.remote_id]
    assert (shown.story, shown.place, facebook.state.videos[shown.video].made_with_ai) == (True, there["place"], True)
    with pytest.raises(Refused, match="a picture in a story has no place"):
        await prepared(page, saying("", pictures=(picture(),), format=Format.STORY, options=there))
    assert not facebook.state.photos
    for_stories = {one.name for one in Connector.can.options if Format.STORY in (one.formats or tuple(Format))}
    assert for_stories == {"place", "made_with_ai"}


async def test_what_does_not_exist_there_is_refused_before_anything_is_made(
    facebook: Facebook, page: Connector, picture: Make, video: Make
) -> None:
    for what in (
        saying(poll=Poll(options=("yes", "no"))),
        saying(sensitive=True),
        saying(visibility="private"),
        saying(pictures=(picture(),), videos=(video(),)),
        saying(videos=(video(), video())),
        saying(pictures=(picture(),) * 11),
        saying(pictures=(picture(),), format=Format.SHORT),
        saying(format=Format.STORY),
    ):
        with pytest.raises(Refused):
            await page.prepare(what, {})
    assert (facebook.state.photos, facebook.state.videos) == ({}, {})


async def test_a_file_that_is_no_video_is_refused_with_its_reason(page: Connector, video: Make) -> None:
    with pytest.raises(Refused, match="format that we don't support"):
        await prepared(page, saying(videos=(video(content=b"no video at all"),)))


@pytest.mark.parametrize(
    ("code", "subcode", "error"),
    [
        (190, 463, SignInAgain),
        (200, 0, SignInAgain),
        (4, 0, TryLater),
        (32, 0, TryLater),
        (80001, 0, TryLater),
        (1, 0, Unclear),
        (2, 0, Unclear),
        (368, 0, Refused),
        (506, 0, Refused),
    ],
)
async def test_each_error_is_named_after_what_to_do_next(
    facebook: Facebook, page: Connector, code: int, subcode: int, error: type[Exception]
) -> None:
    body = {"message": "Because.", "type": "OAuthException", "code": code, "fbtrace_id": "A1"}
    body |= {"error_subcode": subcode} if subcode else {}
    facebook.faults.will_answer(400, body={"error": body}, method="POST")
    with pytest.raises(error) as raised:
        await page.commit(saying(), {})
    assert type(raised.value) is error
    assert facebook.texts() == []


# After a lost answer


@pytest.mark.parametrize("kind", ["text", "photos", "video", "reel", "story", "video story"])
async def test_what_was_taken_is_found_once_with_its_words_and_its_media(
    facebook: Facebook, page: Connector, picture: Make, video: Make, kind: str
) -> None:
    what = {
        "text": saying("Open today"),
        "photos": saying("Open today", pictures=(picture("a"), picture("b"))),
        "video": saying("Open today", videos=(video(),)),
        "reel": saying("Open today", videos=(video(),), format=Format.SHORT),
        "story": saying("", pictures=(picture(),), format=Format.STORY),
        "video story": saying("", videos=(video(),), format=Format.STORY),
    }[kind]
    progress = await prepared(page, what)
    facebook.faults.will_lose_answer(method="POST")
    with pytest.raises(Unclear):
        await page.commit(what, progress)
    listing = await page.own_posts(since=NOW - MINUTE)
    (seen,) = listing.seen
    assert (seen.text, seen.media) == (what.text, len(what.media))
    assert seen.remote_id == facebook.world.ledger.entries[0].remote_id
    if what.videos:  # whoever asks again gets the same
        again = await page.commit(what, progress)
        assert isinstance(again, Published)
        assert len(facebook.world.ledger.entries) == 1


async def test_what_was_not_taken_is_in_no_list(facebook: Facebook, page: Connector, video: Make) -> None:
    what = saying(videos=(video(),), format=Format.SHORT)
    progress = await prepared(page, what)
    facebook.faults.will_drop(method="POST")
    with pytest.raises(Unclear):
        await page.commit(what, progress)
    assert (await page.own_posts(since=NOW - MINUTE)).seen == ()


async def test_our_posts_are_listed_over_many_pages(facebook: Facebook, page: Connector) -> None:
    for nth in range(120):
        facebook.world.clock.set(NOW + nth * MINUTE)
        facebook.does._born(facebook.known_as(None), f"Post {nth}")
    listing = await page.own_posts(since=NOW)
    assert [seen.text for seen in listing.seen] == [f"Post {nth}" for nth in reversed(range(120))]
    assert listing.reaches_back_to == NOW


# Beside the text


async def test_a_link_of_its_own_goes_before_the_address_in_the_text(facebook: Facebook, page: Connector) -> None:
    what = saying("See https://example.org/a", options={"link": "https://example.org/b", "countries": ("fr", "BE")})
    post = facebook.state.posts[(await publish(page, what)).remote_id]
    assert (post.link, post.countries) == ("https://example.org/b", ["FR", "BE"])


@pytest.mark.parametrize("form", [Format.POST, Format.SHORT])
async def test_a_video_has_a_title_countries_and_says_who_made_it(
    facebook: Facebook, page: Connector, video: Make, form: Format
) -> None:
    chosen = {"title": "Linen", "countries": ("FR",), "made_with_ai": True}
    published = await publish(page, saying("Walk with us", videos=(video(),), format=form, options=chosen))
    film = facebook.state.videos[published.remote_id]
    assert (film.title, film.made_with_ai) == ("Linen", True)
    assert facebook.state.posts[film.post].countries == ["FR"]


async def test_a_post_and_a_reel_say_where_they_are(
    facebook: Facebook, page: Connector, picture: Make, video: Make
) -> None:
    there = {"place": "108127605875718"}
    shown = await publish(page, saying("At the mill", pictures=(picture(),), options=there))
    assert facebook.state.posts[shown.remote_id].place == "108127605875718"
    reel = await publish(page, saying("At the mill", videos=(video(),), format=Format.SHORT, options=there))
    assert facebook.state.posts[facebook.state.videos[reel.remote_id].post].place == "108127605875718"


@pytest.mark.parametrize("form", [Format.POST, Format.SHORT])
async def test_a_video_has_a_cover_of_our_own(
    facebook: Facebook, page: Connector, picture: Make, video: Make, form: Format
) -> None:
    """It goes with the other options, and is there before anybody sees the video."""
    cover = picture("cover")
    what = saying("Walk", videos=(video(cover=cover),), format=form, options={"countries": ("FR",), "title": "Linen"})
    progress = await prepared(page, what)
    assert await prepared(page, what, progress) == progress  # and is not sent again
    published = await page.commit(what, progress)
    assert isinstance(published, Published)
    assert facebook.world.files.get(f"facebook-cover-{published.remote_id}") == cover.path.read_bytes()
    film = facebook.state.videos[published.remote_id]
    assert (film.title, facebook.state.posts[film.post].countries) == ("Linen", ["FR"])


@pytest.mark.parametrize("form", [Format.POST, Format.SHORT])
async def test_a_video_has_its_subtitles_before_anybody_sees_it(
    facebook: Facebook, page: Connector, video: Make, captions: Make, form: Format
) -> None:
    words = captions()
    what = saying("Walk with us", videos=(video(captions=words),), format=form)
    progress = await prepared(page, what)
    (film,) = facebook.state.videos.values()
    assert (film.subtitles, film.subtitles_first, film.out_at) == ({"fr_FR": words.path.read_text()}, "fr_FR", None)
    film.subtitles.clear()
    assert await prepared(page, what, progress) == progress
    assert film.subtitles == {}  # what is there is not sent again


async def test_subtitles_that_facebook_does_not_take_are_refused_and_nothing_is_out(
    facebook: Facebook, page: Connector, video: Make, captions: Make
) -> None:
    for words, said in (
        (captions("no times"), "format that we don't support"),
        (captions("x" * 200_001), "at most 200"),
    ):
        with pytest.raises(Refused, match=said):
            await publish(page, saying("Walk", videos=(video(captions=words),)))
    assert facebook.texts() == []


@pytest.mark.parametrize(
    ("language", "locale"),
    [("fr", "fr_FR"), ("en", "en_US"), ("uk", "uk_UA"), ("fr-CA", "fr_CA"), ("zh-Hans", "zh_CN")],
)
def test_a_language_is_named_with_its_country(language: str, locale: str) -> None:
    assert locale_of(language) == locale


async def test_a_cover_that_is_no_picture_is_refused_and_nothing_is_out(
    facebook: Facebook, page: Connector, picture: Make, video: Make
) -> None:
    cover = picture("cover")
    cover.path.write_bytes(b"no picture")
    for form in (Format.POST, Format.SHORT):
        with pytest.raises(Refused, match=r"Use JPG or PNG"):
            await publish(page, saying("Walk", videos=(video(cover=cover),), format=form))
    assert facebook.texts() == []


async def test_who_paid_for_it_is_said_with_posts_and_videos(
    facebook: Facebook, page: Connector, picture: Make, video: Make
) -> None:
    mill = facebook.page_named("The mill").id
    for more in ({}, {"pictures": (picture(),)}, {"videos": (video(),)}, {"videos": (video(cover=picture("c")),)}):
        published = await publish(page, saying("With the mill", options={"sponsor": mill}, **more))
        film = facebook.state.videos.get(published.remote_id)
        assert facebook.state.posts[film.post if film else published.remote_id].sponsor == mill


async def test_a_page_is_asked_to_show_a_reel_too_before_it_is_out(
    facebook: Facebook, page: Connector, video: Make
) -> None:
    mill = facebook.page_named("The mill").id
    what = saying("Walk", videos=(video(),), format=Format.SHORT, options={"collaborators": (mill,)})
    await prepared(page, what)
    (reel,) = facebook.state.videos.values()
    assert (reel.collaborators, reel.out_at) == ([mill], None)


async def test_an_ordinary_video_has_no_place(facebook: Facebook, page: Connector, video: Make) -> None:
    """The vendor's file has the field for posts, Reels and stories, and none for videos."""
    options = {"place": "108127605875718"}
    (objection,) = Connector.objections({}, Draft(text="At the mill", options=options, videos=1))
    assert "a video has no place" in objection.said
    with pytest.raises(Refused, match="a video has no place"):
        await prepared(page, saying(videos=(video(),), options=options))
    assert not facebook.state.videos


@pytest.mark.parametrize(
    ("options", "pictures", "said"),
    [
        ({"link": "https://example.org/"}, 1, "a link and pictures or videos cannot go together"),
        ({"place": "the mill"}, 0, "The place on Facebook is a number"),
        ({"sponsor": "the mill"}, 0, "A Page on Facebook is named by its number here"),
        ({"countries": ("France",)}, 0, "“FRANCE” is no country"),
    ],
)
async def test_what_a_page_would_refuse_is_said_before_anything_is_sent(
    facebook: Facebook, page: Connector, picture: Make, options: dict[str, Any], pictures: int, said: str
) -> None:
    (objection,) = Connector.objections({}, Draft(text="Hello", options=options, pictures=pictures))
    assert said in objection.said
    with pytest.raises(Refused, match=said):
        await prepared(page, saying(pictures=(picture(),) * pictures, options=options))
    assert not facebook.state.photos


# Afterwards


async def test_the_first_comment_stands_under_posts_and_videos(
    facebook: Facebook, page: Connector, video: Make
) -> None:
    for what in (saying(), saying(videos=(video(),), format=Format.SHORT)):
        post = await publish(page, what)
        comment = await publish(page, saying("#linen", reply_to=ref_to(post)))
        assert facebook.state.comments[comment.remote_id].under == post.remote_id


async def test_a_comment_whose_answer_was_lost_is_found_under_its_post_or_known_to_be_absent(
    facebook: Facebook, page: Connector
) -> None:
    post = await publish(page, saying())
    comment = saying("#linen", reply_to=ref_to(post))
    with pytest.raises(TryLater):  # it may still be under way
        await page.comment_found(comment)
    facebook.world.clock.advance(5 * MINUTE)
    assert await page.comment_found(comment) is None
    facebook.world.clock.set(NOW)
    there = await publish(page, comment)
    found = await page.comment_found(comment)
    assert isinstance(found, Published)
    assert found.remote_id == there.remote_id


async def test_posts_and_videos_are_edited_and_deleted(facebook: Facebook, page: Connector, video: Make) -> None:
    for what in (saying("Until six"), saying("Until six", videos=(video(),))):
        post = await publish(page, what)
        edited = await page.edit(ref_to(post), saying("Until seven", options={"title": "Hours"}), {})
        assert edited.remote_id == post.remote_id
        assert facebook.texts() == ["Until seven"]
        assert [one.title for one in facebook.state.videos.values()] == ["Hours"] * len(what.videos)
        await page.delete(ref_to(post))
        await page.delete(ref_to(post))
        assert facebook.texts() == []
        with pytest.raises(Gone):
            await page.fetch(post.remote_id)


async def test_a_proof_of_our_app_goes_with_every_call(facebook: Facebook, page: Connector) -> None:
    next(iter(facebook.state.apps.values())).secret = "another"
    with pytest.raises(Refused, match="appsecret_proof"):
        await page.fetch("1")


async def test_an_answer_to_nobody_is_gone(page: Connector) -> None:
    with pytest.raises(Gone):
        await publish(page, saying("Hello?", reply_to=Ref(remote_id="123_456")))
