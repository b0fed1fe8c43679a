"""Google's own client library works against our sandbox, made from Google's own descriptions: a second witness."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from google.auth.exceptions import RefreshError
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError

from regie_sandbox.frame import World
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import in_thread

from .contract import ACCOUNTS, INFORMATION, PERFORMANCE, SPECS, V4
from .posting import NOW

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
Client = Callable[[str], Any]


@pytest.fixture
def place() -> Iterator[Any]:
    world = World(seed=7)
    world.clock.set(NOW)
    network: Any = sandbox_network("google_business", world)
    network.fetches = False
    with in_thread(world):
        yield network


@pytest.fixture
def client(place: Any) -> Iterator[Client]:
    """The library as everybody builds it, with another address."""
    made: list[Any] = []

    def make(name: str) -> Any:
        if not (SPECS / name).exists():
            pytest.skip(f"Google's description {name} is not at {SPECS}: set REGIE_SPECS")
        described = json.loads((SPECS / name).read_bytes())
        described |= {"rootUrl": f"{place.base}/", "baseUrl": f"{place.base}/"}
        ready = place.ready_account()
        credentials = Credentials(  # type: ignore[no-untyped-call]
            ready["credentials"]["access_token"],
            refresh_token=ready["credentials"]["refresh_token"],
            token_uri=f"{place.base}/token",
            client_id=ready["client_id"],
            client_secret=ready["client_secret"],
        )
        made.append(build_from_document(described, credentials=credentials))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_the_places_of_a_person_are_listed(place: Any, client: Client) -> None:
    (account,) = client(ACCOUNTS).accounts().list().execute()["accounts"]
    information = client(INFORMATION)
    listed = information.accounts().locations().list(parent=account["name"], readMask="name,title").execute()
    (one,) = listed["locations"]
    assert f"{account['name']}/{one['name']}" == place.ready_account()["remote_id"]
    assert information.locations().get(name=one["name"], readMask="title").execute() == {"title": "regie"}
    with pytest.raises(HttpError) as error:
        information.accounts().locations().list(parent=account["name"]).execute()
    assert error.value.status_code == 400


def test_a_post_is_made_read_back_changed_and_deleted(place: Any, client: Client) -> None:
    posts = client(V4).accounts().locations().localPosts()
    parent = place.ready_account()["remote_id"]
    body = {
        "topicType": "STANDARD",
        "languageCode": "fr",
        "summary": "Open on Sunday",
        "callToAction": {"actionType": "LEARN_MORE", "url": "https://shop.example/"},
        "media": [{"mediaFormat": "PHOTO", "sourceUrl": "https://shop.example/a.jpg"}],
    }
    made = posts.create(parent=parent, body=body).execute()
    assert (made["state"], made["summary"], place.texts()) == ("LIVE", "Open on Sunday", ["Open on Sunday"])
    assert posts.list(parent=parent).execute()["localPosts"] == [made]
    changed = posts.patch(name=made["name"], updateMask="summary", body={"summary": "Closed on Sunday"}).execute()
    assert (changed["summary"], changed["callToAction"]) == ("Closed on Sunday", body["callToAction"])
    assert posts.get(name=made["name"]).execute() == changed
    assert posts.delete(name=made["name"]).execute() == {}
    assert posts.list(parent=parent).execute() == {}


def test_a_review_is_read_answered_and_its_answer_taken_back(place: Any, client: Client) -> None:
    reviews = client(V4).accounts().locations().reviews()
    name = place.review(by="ana", text="Lovely", stars=4)
    listed = reviews.list(parent=place.ready_account()["remote_id"]).execute()
    assert (listed["averageRating"], listed["totalReviewCount"]) == (4, 1)
    assert [(one["name"], one["starRating"]) for one in listed["reviews"]] == [(name, "FOUR")]
    assert reviews.updateReply(name=name, body={"comment": "Thank you"}).execute()["comment"] == "Thank you"
    assert reviews.get(name=name).execute()["reviewReply"]["comment"] == "Thank you"
    reviews.deleteReply(name=name).execute()
    assert "reviewReply" not in reviews.get(name=name).execute()


def test_numbers_of_a_place(place: Any, client: Client) -> None:
    place.review(by="ana", text="Lovely", stars=4)
    place.world.clock.advance(timedelta(days=3))
    days = {
        f"dailyRange_{which}_{part}": value
        for which, day in (("startDate", 1), ("endDate", 4))
        for part, value in (("year", 2030), ("month", 3), ("day", day))
    }
    told = (
        client(PERFORMANCE)
        .locations()
        .fetchMultiDailyMetricsTimeSeries(
            location="locations/" + place.ready_account()["remote_id"].rpartition("/")[2],
            dailyMetrics=["BUSINESS_IMPRESSIONS_MOBILE_MAPS", "CALL_CLICKS"],
            **days,
        )
        .execute()
    )
    ((seen, calls),) = (one["dailyMetricTimeSeries"] for one in told["multiDailyMetricTimeSeries"])
    assert seen["timeSeries"]["datedValues"][0] == {"date": {"year": 2030, "month": 3, "day": 1}, "value": "1"}
    assert all("value" not in one for one in calls["timeSeries"]["datedValues"])
    assert len(calls["timeSeries"]["datedValues"]) == 2


def test_its_own_words_for_our_errors(place: Any, client: Client) -> None:
    posts = client(V4).accounts().locations().localPosts()
    parent = place.ready_account()["remote_id"]
    with pytest.raises(HttpError) as error:
        posts.create(parent=parent, body={"topicType": "STANDARD", "summary": "x" * 1501}).execute()
    assert error.value.status_code == 400
    assert error.value.error_details[0]["errorDetails"][0]["field"] == "summary"
    with pytest.raises(HttpError) as error:
        posts.get(name=f"{parent}/localPosts/1").execute()
    assert error.value.status_code == 404


def test_a_token_that_ran_out_is_renewed_by_the_library_itself(place: Any, client: Client) -> None:
    accounts = client(ACCOUNTS)
    assert place.expire_tokens() == 1
    assert len(accounts.accounts().list().execute()["accounts"]) == 1
    place.state.tokens.clear()
    with pytest.raises(RefreshError, match="expired or revoked"):
        accounts.accounts().list().execute()
