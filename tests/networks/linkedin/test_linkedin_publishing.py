"""Everything that LinkedIn takes, and what happens on bad days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from regie.networks.capabilities import NobodyKnows, Search
from regie.networks.data import (
    Captions,
    Document,
    Draft,
    Login,
    Options,
    Pending,
    Picture,
    Poll,
    Published,
    Ready,
    Ref,
    Video,
)
from regie.networks.errors import Gone, Refused, SignInAgain, TryLater, Unclear
from regie.networks.linkedin.connector import LinkedIn as Connector

from .linkedin_contract import Recorded
from .posting import MOVIE, NOW, prepared, publish, ref_to, saying

Pictures = Callable[..., Picture]
Videos = Callable[..., Video]
Documents = Callable[..., Document]


def body_of(linkedin: Recorded, published: Published) -> Any:
    return linkedin.state.posts[published.remote_id].body


# Formats


async def test_one_picture_with_its_description(linkedin: Recorded, page: Connector, picture: Pictures) -> None:
    published = await publish(page, saying("Our shop", pictures=(picture(alt="A teal door"),)))
    media = body_of(linkedin, published)["content"]["media"]
    assert media["altText"] == "A teal door"
    assert linkedin.world.files.get(media["id"]) == picture().path.read_bytes()
    assert published.url == f"{linkedin.base}/feed/update/{published.remote_id}/"


async def test_several_pictures_in_their_order(linkedin: Recorded, page: Connector, picture: Pictures) -> None:
    several = tuple(picture(f"p{nth}", alt=f"Picture {nth}", place=nth) for nth in range(3))
    published = await publish(page, saying("Three", pictures=several))
    images = body_of(linkedin, published)["content"]["multiImage"]["images"]
    assert [one["altText"] for one in images] == ["Picture 0", "Picture 1", "Picture 2"]


async def test_a_link_is_a_card_with_what_we_say_of_it(linkedin: Recorded, page: Connector, picture: Pictures) -> None:
    options = {"link": "https://example.com/menu", "title": "The menu", "description": "All of it"}
    published = await publish(page, saying("Look", options=options, pictures=(picture(),)))
    article = body_of(linkedin, published)["content"]["article"]
    assert article.pop("thumbnail").startswith("urn:li:image:")
    assert article == {"source": "https://example.com/menu", "title": "The menu", "description": "All of it"}


async def test_a_document_goes_under_its_title(linkedin: Recorded, page: Connector, document: Documents) -> None:
    named = await publish(page, saying("Read", documents=(document(title="The menu"),)))
    plain = await publish(page, saying("Read again", documents=(document(),)))
    titles = [body_of(linkedin, one)["content"]["media"]["title"] for one in (named, plain)]
    assert titles == ["The menu", "menu.pdf"]
    assert body_of(linkedin, named)["content"]["media"]["id"].startswith("urn:li:document:")


@pytest.mark.parametrize(
    ("lasts", "duration"),
    [(1, "ONE_DAY"), (2, "THREE_DAYS"), (3, "THREE_DAYS"), (7, "SEVEN_DAYS"), (8, "FOURTEEN_DAYS")],
)
async def test_a_poll_lasts_the_next_longer_time(
    linkedin: Recorded, page: Connector, lasts: int, duration: str
) -> None:
    poll = Poll(options=("Tea", "Coffee"), question="What do you drink?", lasts=timedelta(days=lasts))
    published = await publish(page, saying("Tell us", poll=poll))
    assert body_of(linkedin, published)["content"]["poll"] == {
        "question": "What do you drink?",
        "options": [{"text": "Tea"}, {"text": "Coffee"}],
        "settings": {"duration": duration},
    }


async def test_a_page_chooses_its_audience_and_stops_reposts(linkedin: Recorded, page: Connector) -> None:
    tags = ("urn:li:geo:105015875", "urn:li:industry:96", "fr_FR")
    published = await publish(page, saying(options={"audience": tags, "no_resharing": True}))
    body = body_of(linkedin, published)
    assert body["isReshareDisabledByAuthor"] is True
    assert body["distribution"]["targetEntities"] == [
        {
            "geoLocations": ["urn:li:geo:105015875"],
            "industries": ["urn:li:industry:96"],
            "interfaceLocales": [{"language": "fr", "country": "FR"}],
        }
    ]


async def test_a_member_speaks_to_their_connections_only(linkedin: Recorded, member: Connector) -> None:
    published = await publish(member, saying(options={"privacy": "CONNECTIONS"}))
    assert body_of(linkedin, published)["visibility"] == "CONNECTIONS"
    assert linkedin.state.posts[published.remote_id].author.startswith("urn:li:person:")


@pytest.mark.parametrize(
    "draft",
    [
        Draft(text="", options={"link": "https://example.com"}),
        Draft(text="", options={"link": "https://example.com", "title": "T"}, videos=1),
        Draft(text="", options={"link": "https://example.com", "title": "T"}, pictures=2),
        Draft(text="", options={"description": "Of nothing"}),
        Draft(text="", pictures=1, poll=True),
        Draft(text="", options={"audience": ("urn:li:geo:1", "everybody")}),
        Draft(text="", options={"audience": ("urn:li:company:1",)}),
    ],
)
def test_what_does_not_go_together_is_said_beforehand(draft: Draft) -> None:
    assert len(Connector.objections({"kind": "page"}, draft)) == 1


def test_nothing_is_said_against_what_goes_together() -> None:
    link: Options = {"link": "https://example.com", "title": "T", "description": "D", "audience": ("fr_FR",)}
    assert Connector.objections({"kind": "page"}, Draft(text="Look", options=link, pictures=1)) == ()
    assert len(Connector.objections({"kind": "profile"}, Draft(text="Look", options=link, pictures=1))) == 1


# Videos


async def test_a_video_goes_up_in_parts_with_cover_and_subtitles(
    linkedin: Recorded, page: Connector, video: Videos, picture: Pictures, tmp_path: Path
) -> None:
    words = tmp_path / "walk.srt"
    words.write_text("1\n00:00:00,000 --> 00:00:02,000\nBonjour\n")
    captions = Captions(path=words, content_type="application/x-subrip", size=words.stat().st_size, language="fr")
    film = video(cover=picture("cover"), captions=captions)
    published = await publish(page, saying("A walk", videos=(film,), options={"title": "Along the river"}))
    media = body_of(linkedin, published)["content"]["media"]
    asset = linkedin.state.assets[media["id"]]
    parts = [linkedin.world.files.get(f"{asset.urn}/{nth}") for nth in sorted(asset.parts)]
    assert b"".join(part for part in parts if part is not None) == film.path.read_bytes()
    assert len(parts) == 6
    assert set(asset.brought) == {"captions", "thumbnail"}
    assert "Bonjour" in asset.brought["captions"]
    assert media["title"] == "Along the river"
    assert published.remote_id.startswith("urn:li:ugcPost:")


async def test_parts_and_pictures_of_megabytes_go_up_too(
    linkedin: Recorded, page: Connector, video: Videos, picture: Pictures
) -> None:
    linkedin.part_bytes = 4 * 1024 * 1024
    large = picture("large")
    large.path.write_bytes(large.path.read_bytes() + bytes(3_000_000))
    film = video(content=MOVIE * 4, cover=replace(large, size=3_000_000))
    published = await publish(page, saying("A walk", videos=(film,)))
    asset = linkedin.state.assets[body_of(linkedin, published)["content"]["media"]["id"]]
    assert (len(asset.parts), asset.size) == (2, len(MOVIE) * 4)
    assert await publish(page, saying("Large", pictures=(replace(large, size=3_000_000),)))


async def test_an_upload_that_broke_off_goes_on_where_it_was(
    linkedin: Recorded, page: Connector, video: Videos
) -> None:
    what = saying("A walk", videos=(video(),))
    begun = await page.prepare(what, {})
    assert isinstance(begun, Pending)
    linkedin.faults.will_answer(503, path="/dms-uploads/", method="PUT", after=3)
    half = await page.prepare(what, begun.progress)
    assert isinstance(half, Pending)
    assert len(half.progress["video"]["done"]) == 3
    uploaded = [one for one in linkedin.seen if one.verb == "PUT"]
    assert await prepared(page, what, half.progress)
    assert len([one for one in linkedin.seen if one.verb == "PUT"]) == len(uploaded) + 3
    assert len(linkedin.state.assets) == 1


async def test_an_outage_before_anything_arrived_is_tried_later(
    linkedin: Recorded, page: Connector, picture: Pictures
) -> None:
    linkedin.faults.will_answer(503, path="/rest/images")
    with pytest.raises(TryLater):
        await page.prepare(saying(pictures=(picture(),)), {})


async def test_addresses_that_ran_out_are_asked_for_again_but_not_for_ever(
    linkedin: Recorded, page: Connector, video: Videos
) -> None:
    what = saying("A walk", videos=(video(),))
    linkedin.faults.will_answer(403, path="/dms-uploads/", method="PUT")
    assert await prepared(page, what)
    assert len(linkedin.state.assets) == 2
    linkedin.faults.will_answer(403, path="/dms-uploads/", method="PUT", times=9)
    with pytest.raises(Refused):
        await prepared(page, what)


async def test_files_are_waited_for_until_linkedin_is_done(
    linkedin: Recorded, page: Connector, picture: Pictures
) -> None:
    linkedin.processing_seconds = 30
    what = saying(pictures=(picture(),))
    waiting = await page.prepare(what, {})
    assert isinstance(waiting, Pending)
    assert isinstance(await page.commit(what, waiting.progress), Pending)
    assert linkedin.texts() == []
    linkedin.world.clock.advance(timedelta(seconds=31))
    ready = await page.prepare(what, waiting.progress)
    assert isinstance(ready, Ready)
    assert len(linkedin.state.assets) == 1


async def test_an_app_that_may_not_ask_after_its_files_publishes_all_the_same(
    linkedin: Recorded, member: Connector, picture: Pictures
) -> None:
    linkedin.faults.will_answer(403, path="/rest/images/")
    published = await publish(member, saying(pictures=(picture(),)))
    assert "media" in body_of(linkedin, published)["content"]


async def test_a_file_that_linkedin_cannot_use_is_refused(
    linkedin: Recorded, page: Connector, picture: Pictures
) -> None:
    liar = picture()
    liar.path.write_bytes(b"MZ this is a program")
    with pytest.raises(Refused):
        await page.prepare(saying(pictures=(replace(liar, size=20),)), {})


async def test_our_token_goes_to_no_other_host(linkedin: Recorded, page: Connector, picture: Pictures) -> None:
    def elsewhere(value: Any) -> Any:
        if isinstance(value, dict) and "uploadUrl" in value.get("value", {}):
            return {"value": {**value["value"], "uploadUrl": "http://127.0.0.1:9/dms-uploads/x"}}
        return value

    linkedin.faults.alter = elsewhere
    with pytest.raises(Refused, match="not its own"):
        await page.prepare(saying(pictures=(picture(),)), {})


# Lost answers


async def test_a_page_is_searched_and_a_member_is_asked(page: Connector, member: Connector) -> None:
    assert isinstance(Connector.can_on({"kind": "page"}).repeat, Search)
    can = Connector.can_on({"kind": "profile"})
    assert isinstance(can.repeat, NobodyKnows)
    assert (can.reads, can.answers, can.arrival) == (frozenset(), frozenset(), ())
    with pytest.raises(Refused):
        await member.own_posts(since=NOW)
    with pytest.raises(Refused):
        await member.fetch("urn:li:share:1")


async def test_what_was_accepted_though_its_answer_was_lost_is_found(linkedin: Recorded, page: Connector) -> None:
    text = "Élégance #Paris @[Acme](urn:li:organization:12) (50 % *off*) C# snake_case \\o/"
    linkedin.faults.will_lose_answer(path="/rest/posts")
    with pytest.raises(Unclear):
        await page.commit(saying(text), {"files": []})
    (seen,) = (await page.own_posts(since=NOW - timedelta(minutes=5))).seen
    assert (seen.text, seen.media, seen.created_at) == (text, 0, NOW)
    assert linkedin.texts() == ["Élégance #Paris Acme (50 % *off*) C# snake_case \\o/"]


async def test_each_kind_is_found_with_as_many_files_as_it_took(
    linkedin: Recorded, page: Connector, picture: Pictures, video: Videos, document: Documents
) -> None:
    card = {"link": "https://example.com", "title": "T"}
    poll = Poll(options=("Tea", "Coffee"), question="Which?")
    kinds: list[dict[str, Any]] = [
        {"poll": poll},
        {"options": card},
        {"options": card, "pictures": (picture(),)},
        {"pictures": (picture("a"), picture("b", place=1))},
        {"videos": (video(),)},
        {"documents": (document(),)},
    ]
    for nth, what in enumerate(kinds):
        await publish(page, saying(f"Post {nth}", **what))
    seen = sorted((await page.own_posts(since=NOW)).seen, key=lambda one: one.text)
    assert [one.media for one in seen] == [0, 0, 1, 2, 1, 1]
    assert [entry.media for entry in linkedin.world.ledger.of("linkedin")] == [0, 0, 1, 2, 1, 1]


async def test_older_posts_are_listed_page_by_page(linkedin: Recorded, page: Connector) -> None:
    for nth in range(60):
        linkedin.world.clock.set(NOW + timedelta(minutes=nth))
        await publish(page, saying(f"Post {nth}"))
    listing = await page.own_posts(since=NOW)
    assert [one.text for one in listing.seen] == [f"Post {nth}" for nth in reversed(range(60))]
    assert listing.reaches_back_to == NOW
    listing = await page.own_posts(since=NOW + timedelta(minutes=50))
    assert len(listing.seen) == 10


async def test_the_same_words_twice_are_refused_and_never_taken_for_success(
    linkedin: Recorded, page: Connector
) -> None:
    await publish(page, saying("Again"))
    with pytest.raises(Refused, match="only once"):
        await publish(page, saying("Again"))
    assert linkedin.texts() == ["Again"]


async def test_the_id_is_read_though_its_colons_are_hidden(linkedin: Recorded, page: Connector) -> None:
    told = {"x-restli-id": "urn%3Ali%3Ashare%3A12"}
    linkedin.faults.will_answer(201, headers=told, body="", path="/rest/posts", method="POST")
    assert (await publish(page, saying())).remote_id == "urn:li:share:12"


# What is out


async def test_editing_keeps_hashtags_and_mentions(linkedin: Recorded, page: Connector) -> None:
    published = await publish(page, saying("Until six"))
    await page.edit(ref_to(published), saying("Until #seven, says @[Acme](urn:li:organization:12)"), {})
    post = linkedin.state.posts[published.remote_id]
    assert post.commentary == r"Until {hashtag|\#|seven}, says @[Acme](urn:li:organization:12)"
    assert post.edited


async def test_a_members_post_is_edited_and_deleted_too(linkedin: Recorded, member: Connector) -> None:
    published = await publish(member, saying("Mine"))
    await member.edit(ref_to(published), saying("Mine still"), {})
    author = linkedin.state.posts[published.remote_id].author
    assert linkedin.texts(author) == ["Mine still"]
    await member.delete(ref_to(published))
    await member.delete(ref_to(published))
    assert linkedin.texts(author) == []


async def test_a_post_is_fetched_until_it_is_gone(page: Connector) -> None:
    published = await publish(page, saying())
    assert (await page.fetch(published.remote_id)).at == NOW
    await page.delete(ref_to(published))
    with pytest.raises(Gone):
        await page.fetch(published.remote_id)


# The vendor's own troubles


async def test_a_version_that_died_names_the_setting(
    linkedin: Recorded, page: Connector, monkeypatch: pytest.MonkeyPatch, http: aiohttp.ClientSession
) -> None:
    monkeypatch.setattr(Connector, "version", "202401")
    ready = linkedin.ready_account()
    old = Connector(http, Login(server=ready["server"], remote_id=ready["remote_id"], credentials=ready["credentials"]))
    with pytest.raises(TryLater, match="REGIE_NETWORKS__LINKEDIN__VERSION") as told:
        await old.commit(saying(), {"files": []})
    assert "202401" in told.value.said
    assert linkedin.texts() == []


async def test_what_is_counted_by_the_day_is_free_again_at_midnight(linkedin: Recorded, page: Connector) -> None:
    linkedin.faults.will_answer(429)
    with pytest.raises(TryLater) as told:
        await page.commit(saying(), {"files": []})
    assert told.value.not_before == NOW.replace(day=2, hour=0)


async def test_a_role_that_was_taken_away_is_told(linkedin: Recorded, page: Connector) -> None:
    linkedin.page_named("regie").roles.clear()
    with pytest.raises(SignInAgain, match="permission"):
        await page.commit(saying(), {"files": []})


def test_an_address_that_people_copied_names_the_post() -> None:
    read = Connector.id_of
    assert read("https://www.linkedin.com/feed/update/urn:li:share:7094637247487995904/") == (
        "urn:li:share:7094637247487995904"
    )
    assert read("https://www.linkedin.com/feed/update/urn%3Ali%3AugcPost%3A12?x=1") == "urn:li:ugcPost:12"
    assert read("https://www.linkedin.com/posts/acme_tea-activity-7094637247890620418-Ab1x") is None
    assert read("https://linkedin.com.example.com/feed/update/urn:li:share:1/") is None


async def test_a_comment_beyond_its_length_is_refused(page: Connector) -> None:
    post = await publish(page, saying())
    with pytest.raises(Refused, match="1250"):
        await page.prepare(saying("x" * 1251, reply_to=Ref(remote_id=post.remote_id)), {})
