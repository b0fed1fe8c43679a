"""News, events and offers; what Google looks at first, what it rejects; changing and deleting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from regie.networks.data import Draft, Outgoing, Pending, Picture, Published
from regie.networks.errors import Gone, Refused, Unclear
from regie.networks.google_business.connector import GoogleBusiness as Connector
from regie_sandbox.google_business.app import GoogleBusiness

from .posting import EVENT, NOW, let_pass, publish, ref_to, saying, signed_in

HOUR = timedelta(hours=1)
OFFER = {**EVENT, "topic": "offer", "coupon": "LIN10", "terms": "One each.", "link": "https://shop.example/"}


def said(google: GoogleBusiness) -> dict[str, Any]:
    (post,) = google.state.posts.values()
    return post.said


async def test_news_with_a_picture_a_button_and_the_language_of_the_place(
    google: GoogleBusiness, connector: Connector, pictures: Callable[[int], tuple[Picture, ...]]
) -> None:
    (picture,) = pictures(1)
    options = {"button": "order", "link": "https://shop.example/"}
    published = await publish(connector, saying(pictures=(picture,), options=options))
    assert said(google) == {
        "topicType": "STANDARD",
        "languageCode": "fr",
        "summary": "Good morning",
        "callToAction": {"actionType": "ORDER", "url": "https://shop.example/"},
        "media": [{"mediaFormat": "PHOTO", "sourceUrl": picture.public_url}],
    }
    assert published.url.startswith(f"{google.base}/posts/")
    assert published.at == NOW


async def test_a_link_alone_is_a_button_to_learn_more(google: GoogleBusiness, connector: Connector) -> None:
    await publish(connector, saying(options={"link": "https://shop.example/"}, language="en"))
    assert said(google)["callToAction"] == {"actionType": "LEARN_MORE", "url": "https://shop.example/"}
    assert said(google)["languageCode"] == "en"


async def test_an_event_has_its_title_and_hours_by_the_clock_of_the_place(
    google: GoogleBusiness, connector: Connector
) -> None:
    await publish(connector, saying("Come in", options={**EVENT, "button": "call"}))
    assert said(google)["topicType"] == "EVENT"
    assert said(google)["callToAction"] == {"actionType": "CALL"}
    assert said(google)["event"] == {
        "title": "Open day",
        "schedule": {
            "startDate": {"year": 2030, "month": 3, "day": 9},
            "startTime": {"hours": 10, "minutes": 0},
            "endDate": {"year": 2030, "month": 3, "day": 9},
            "endTime": {"hours": 18, "minutes": 30},
        },
    }
    (one,) = (await connector.own_posts(since=NOW - HOUR)).seen
    assert one.options == {"title": "Open day"}


async def test_an_offer_has_its_code_its_terms_and_where_it_is_redeemed(
    google: GoogleBusiness, connector: Connector
) -> None:
    await publish(connector, saying("Ten off", options=OFFER))
    assert said(google)["offer"] == {
        "couponCode": "LIN10", "redeemOnlineUrl": "https://shop.example/", "termsConditions": "One each.",
    }  # fmt: skip
    assert said(google)["event"]["title"] == "Open day"
    assert "callToAction" not in said(google)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"title": "Open day"}, "choose which it is"),
        ({"coupon": "LIN10"}, "belong to an offer"),
        ({**EVENT, "title": ""}, "needs a title"),
        ({**EVENT, "ends": ""}, "a day and an hour"),
        ({**EVENT, "starts": "soon"}, "a day and an hour"),
        ({**EVENT, "ends": EVENT["starts"]}, "ends before it begins"),
        ({"button": "book"}, "needs a link"),
        ({"button": "call", "link": "https://shop.example/"}, "leads to no link"),
        ({**OFFER, "button": "shop"}, "a button of its own"),
    ],
)
async def test_what_does_not_go_together_is_said_before_anything_is_asked(
    google: GoogleBusiness, connector: Connector, options: dict[str, str], why: str
) -> None:
    (objection, *_) = Connector.objections({}, Draft(text="Good morning", options=options))
    assert why in objection.said
    with pytest.raises(Refused, match=why):
        await connector.prepare(saying(options=options), {})
    assert google.state.posts == {}


async def test_a_picture_without_a_public_address_goes_nowhere(
    google: GoogleBusiness, connector: Connector, pictures: Callable[[int], tuple[Picture, ...]]
) -> None:
    (picture,) = pictures(1)
    with pytest.raises(Refused, match="REGIE_URL"):
        await connector.commit(saying(pictures=(replace(picture, public_url=""),)), {})
    with pytest.raises(Refused, match="could not be fetched"):
        await connector.commit(saying(pictures=(replace(picture, public_url=f"{google.base}/nowhere.jpg"),)), {})
    assert google.state.posts == {}


# What Google looks at itself


async def test_what_google_looks_at_is_asked_about_until_it_shows_and_made_once(
    google: GoogleBusiness, connector: Connector
) -> None:
    google.processing_seconds = 20
    outcome = await connector.commit(saying(), {})
    looks = 0
    while isinstance(outcome, Pending):
        assert outcome.not_before is not None
        google.world.clock.set(outcome.not_before)
        outcome = await connector.commit(saying(), outcome.progress)
        looks += 1
    assert (outcome.limited, google.texts(), len(google.state.posts)) == ("", ["Good morning"], 1)
    assert outcome.url
    assert looks == 4  # after 3, 8, 18 and 38 seconds


async def test_what_google_looks_at_for_long_is_not_called_published_and_later_is(
    google: GoogleBusiness, connector: Connector
) -> None:
    google.processing_seconds = 3600
    outcome = await connector.commit(saying(), {})
    while isinstance(outcome, Pending):
        google.world.clock.advance(timedelta(minutes=1))
        outcome = await connector.commit(saying(), outcome.progress)
    assert "nobody sees it yet" in outcome.limited
    assert outcome.url == ""
    let_pass(google, HOUR)
    seen = await connector.fetch(outcome.remote_id)
    assert (seen.limited, bool(seen.url)) == ("", True)


async def test_what_google_rejects_is_refused_at_once_or_after_its_look(
    google: GoogleBusiness, connector: Connector
) -> None:
    with pytest.raises(Refused, match="breaks its rules"):
        await connector.commit(saying("Call 03 20 00 00 00"), {})
    google.processing_seconds = 5
    outcome = await connector.commit(saying("Call 03 20 00 00 01"), {})
    assert isinstance(outcome, Pending)
    google.world.clock.advance(timedelta(seconds=10))
    with pytest.raises(Refused, match="breaks its rules"):
        await connector.commit(saying("Call 03 20 00 00 01"), outcome.progress)
    listed = (await connector.own_posts(since=NOW - HOUR)).seen
    assert len(listed) == 2
    assert "rejected it" in (await connector.fetch(listed[0].remote_id)).limited


async def test_a_look_that_fails_refuses_nothing(google: GoogleBusiness, connector: Connector) -> None:
    google.processing_seconds = 3600
    outcome = await connector.commit(saying(), {})
    assert isinstance(outcome, Pending)
    google.faults.will_answer(200, body="<html>Welcome</html>")
    with pytest.raises(Unclear):
        await connector.commit(saying(), outcome.progress)
    google.state.posts.clear()
    with pytest.raises(Gone):
        await connector.commit(saying(), outcome.progress)


# What is out


async def test_an_edit_says_it_anew_and_takes_away_what_is_no_longer_said(
    google: GoogleBusiness, connector: Connector, pictures: Callable[[int], tuple[Picture, ...]]
) -> None:
    what = saying(pictures=pictures(1), options={"button": "shop", "link": "https://shop.example/"})
    published = await publish(connector, what)
    edited = await connector.edit(ref_to(published), saying("Good evening", pictures=what.pictures), {})
    assert edited.remote_id == published.remote_id
    assert (said(google)["summary"], "callToAction" in said(google)) == ("Good evening", False)
    assert len(said(google)["media"]) == 1
    for _ in range(2):  # the same again changes nothing
        await connector.edit(ref_to(published), saying("Good night"), {})
    assert [entry.kind for entry in google.world.ledger.of(google.slug)] == ["post", "edit", "edit"]


async def test_an_event_is_moved(google: GoogleBusiness, connector: Connector) -> None:
    published = await publish(connector, saying(options=EVENT))
    google.processing_seconds = 60
    edited = await connector.edit(ref_to(published), saying(options={**EVENT, "ends": "2030-03-09T20:00"}), {})
    assert said(google)["event"]["schedule"]["endTime"] == {"hours": 20, "minutes": 0}
    assert "still looking" in edited.limited


async def test_what_is_gone_is_gone(google: GoogleBusiness, connector: Connector) -> None:
    published = await publish(connector, saying())
    for _ in range(2):
        await connector.delete(ref_to(published))
    with pytest.raises(Gone):
        await connector.fetch(published.remote_id)
    with pytest.raises(Gone):
        await connector.edit(ref_to(published), saying("Good evening"), {})
    assert google.texts() == []


async def test_own_posts_are_those_of_this_place_page_by_page(
    http: aiohttp.ClientSession, google: GoogleBusiness, connector: Connector
) -> None:
    for number in range(120):
        let_pass(google, timedelta(minutes=1))
        await connector.commit(_numbered(number), {})
    await publish(await signed_in(http, google, "Vélo Club"), saying("Elsewhere"))
    listing = await connector.own_posts(since=NOW)
    assert [one.text for one in listing.seen] == [f"News {number}" for number in reversed(range(120))]
    assert listing.reaches_back_to == NOW
    few = await connector.own_posts(since=NOW + timedelta(minutes=119))
    assert [one.text for one in few.seen] == ["News 119", "News 118"]


def _numbered(number: int) -> Outgoing:
    return saying(f"News {number}", key=f"k{number}")


async def test_a_list_in_another_order_is_read_to_its_end(google: GoogleBusiness, connector: Connector) -> None:
    for number in range(3):
        let_pass(google, timedelta(minutes=1))
        await connector.commit(_numbered(number), {})
    (place,) = google.state.places.values()
    place.posts.insert(0, place.posts.pop())
    listing = await connector.own_posts(since=NOW)
    assert [one.text for one in listing.seen] == ["News 2", "News 1", "News 0"]


async def test_a_lost_answer_is_found_in_the_list_once_it_shows_there(
    google: GoogleBusiness, connector: Connector
) -> None:
    google.faults.will_lose_answer(method="POST")
    with pytest.raises(Unclear):
        await connector.commit(saying(), {})
    google.faults.listing_lag = 60
    assert (await connector.own_posts(since=NOW - HOUR)).seen == ()
    google.world.clock.advance(timedelta(minutes=2))
    (one,) = (await connector.own_posts(since=NOW - HOUR)).seen
    found = await connector.fetch(one.remote_id)
    assert isinstance(found, Published)
    assert (one.text, found.remote_id) == ("Good morning", one.remote_id)
