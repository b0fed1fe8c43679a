"""Reviews with their stars, the owner's answers, and the numbers of a place."""

from __future__ import annotations

from datetime import timedelta

import pytest

from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Ref
from regie.networks.errors import Gone, Refused, TryLater
from regie.networks.google_business.connector import GoogleBusiness as Connector
from regie.networks.google_business.measuring import ACCOUNT_METRICS
from regie_sandbox.google_business.app import GoogleBusiness

from .posting import NOW, let_pass, publish, ref_to, saying


def ref_of(message: Incoming) -> Ref:
    return Ref(remote_id=message.remote_id, root_id=message.conversation_id, extra=message.extra)


async def test_a_review_has_its_stars_even_without_words(google: GoogleBusiness, connector: Connector) -> None:
    google.review(by="Ana Petit", text="", stars=2)
    (message,) = (await connector.messages(cursor="")).messages
    assert (message.kind, message.text, message.extra["stars"]) == (MessageKind.REVIEW, "", 2)
    assert (message.by.name, message.said_at) == ("Ana Petit", NOW)
    assert message.by.avatar_url.startswith(google.base)


async def test_a_review_that_is_written_anew_comes_again_under_its_id(
    google: GoogleBusiness, connector: Connector
) -> None:
    google.review(by="ana", text="Closed at noon!", stars=1)
    first = await connector.messages(cursor="")
    let_pass(google, timedelta(days=2))
    google.review(by="ben", text="Lovely", stars=5)
    google.review(by="ana", text="They called me back.", stars=4)
    again = await connector.messages(cursor=first.cursor)
    told = {message.remote_id: (message.text, message.extra["stars"], message.said_at) for message in again.messages}
    assert told[first.messages[0].remote_id] == ("They called me back.", 4, NOW)
    assert len(told) == 2
    assert (await connector.messages(cursor=again.cursor)).messages == ()


async def test_more_reviews_than_a_page_holds_are_read_back_to_what_we_know(
    google: GoogleBusiness, connector: Connector
) -> None:
    google.review(by="ana", text="First", stars=5)
    known = (await connector.messages(cursor="")).cursor
    for number in range(120):
        let_pass(google, timedelta(minutes=10))
        google.review(by=f"person {number}", text=f"Review {number}", stars=5)
    told = [message.text for message in (await connector.messages(cursor=known)).messages]
    assert told == [f"Review {number}" for number in range(120)]
    assert len((await connector.messages(cursor="")).messages) == 50


async def test_an_answer_is_written_once_and_taken_back(google: GoogleBusiness, connector: Connector) -> None:
    google.review(by="ana", text="Closed at noon!", stars=1)
    before = await connector.messages(cursor="")
    to = ref_of(before.messages[0])
    let_pass(google, timedelta(minutes=1))
    google.faults.will_lose_answer(method="PUT")
    with pytest.raises(TryLater):
        await publish(connector, saying("We are sorry.", reply_to=to))
    published = await publish(connector, saying("We are sorry.", reply_to=to))
    assert [(entry.kind, entry.text) for entry in google.world.ledger.of(google.slug)][1:] == [
        ("reply", "We are sorry."),
    ]
    (ours,) = (await connector.messages(cursor=before.cursor)).messages
    assert (ours.remote_id, ours.text, ours.by.remote_id) == (
        published.remote_id, "We are sorry.", connector._wire.place,
    )  # fmt: skip
    assert (ours.conversation_id, ours.by.name) == (to.remote_id, "regie")
    for _ in range(2):
        await connector.delete(ref_to(published))
    assert all(not one.reply for one in google.state.reviews.values())


async def test_an_answer_that_stands_there_is_not_replaced_without_a_word(
    google: GoogleBusiness, connector: Connector
) -> None:
    google.review(by="ana", text="Closed at noon!", stars=1)
    (message,) = (await connector.messages(cursor="")).messages
    first = await publish(connector, saying("We are sorry.", reply_to=ref_of(message)))
    with pytest.raises(Refused, match="takes one only"):
        await publish(connector, saying("Sorry!", reply_to=ref_of(message)))
    await connector.edit(ref_to(first), saying("We are very sorry."), {})
    assert [one.reply for one in google.state.reviews.values()] == ["We are very sorry."]


async def test_a_review_that_its_author_took_back_is_gone(google: GoogleBusiness, connector: Connector) -> None:
    google.review(by="ana", text="Closed at noon!", stars=1)
    (message,) = (await connector.messages(cursor="")).messages
    google.state.reviews.clear()
    with pytest.raises(Gone):
        await publish(connector, saying("We are sorry.", reply_to=ref_of(message)))


async def test_under_a_post_nothing_can_be_said(google: GoogleBusiness, connector: Connector) -> None:
    published = await publish(connector, saying())
    with pytest.raises(Refused, match="only reviews are answered"):
        await publish(connector, saying("First", reply_to=ref_to(published)))


async def test_an_answer_is_as_long_as_google_takes_it(google: GoogleBusiness, connector: Connector) -> None:
    google.review(by="ana", text="Closed at noon!", stars=1)
    (message,) = (await connector.messages(cursor="")).messages
    with pytest.raises(Refused, match="too long"):
        await publish(connector, saying("é" * 2049, reply_to=ref_of(message)))
    await publish(connector, saying("é" * 2048, reply_to=ref_of(message)))


# Numbers


async def test_numbers_are_those_of_the_newest_day_that_google_has_counted(
    google: GoogleBusiness, connector: Connector
) -> None:
    post = await publish(connector, saying())
    for name in ("ana", "ben"):
        google.like(by=name, post_id=post.remote_id)
    google.share(by="ana", post_id=post.remote_id)
    google.review(by="ana", text="Lovely", stars=5)
    assert await connector.account_samples() == {**dict.fromkeys(ACCOUNT_METRICS), "reviews": 1}
    let_pass(google, timedelta(days=4))
    assert await connector.account_samples() == {
        "reviews": 1,
        "views_day": 7,
        "website_clicks_day": 2,
        "calls_day": 0,  # the day is counted, and Google leaves zeros out
        "directions_day": 1,
    }
    assert await connector.post_samples([ref_to(post)]) == {}


async def test_what_google_does_not_tell_is_none_and_never_zero(google: GoogleBusiness, connector: Connector) -> None:
    google.review(by="ana", text="Lovely", stars=5)
    let_pass(google, timedelta(days=4))

    def without_calls(one: object) -> object:
        if isinstance(one, dict):
            kept = {name: without_calls(value) for name, value in one.items()}
            return {**kept, "timeSeries": {}} if one.get("dailyMetric") == "CALL_CLICKS" else kept
        return [without_calls(value) for value in one] if isinstance(one, list) else one

    google.faults.alter = without_calls
    samples = await connector.account_samples()
    assert (samples["calls_day"], samples["website_clicks_day"]) == (None, 0)
    google.faults.alter = None
    google.faults.will_answer(403, path=":fetchMultiDailyMetricsTimeSeries")
    assert (await connector.account_samples())["views_day"] is None
    google.state.places[google.known_as(None).id].verified = False
    assert (await connector.account_samples())["reviews"] is None
