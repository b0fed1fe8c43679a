"""What comes from Google, as far as we read it. Sources: the discovery documents named in NOTES.md."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from regie.networks.google import Entity


class Paged(Entity):
    next_page: str = Field(default="", alias="nextPageToken")


# Who it is


class Manager(Entity):
    """An account that holds locations. ``name``: ``accounts/{a}``."""

    name: str
    type: str = ""


class Managers(Paged):
    accounts: tuple[Manager, ...] = ()


class Address(Entity):
    lines: tuple[str, ...] = Field(default=(), alias="addressLines")
    locality: str = ""


class Metadata(Entity):
    maps_url: str = Field(default="", alias="mapsUri")


class Place(Entity):
    """``name``: ``locations/{l}``, without the account it is managed by."""

    name: str
    title: str = ""
    language: str = Field(default="", alias="languageCode")
    store_code: str = Field(default="", alias="storeCode")
    address: Address = Field(default=Address(), alias="storefrontAddress")
    metadata: Metadata = Metadata()


class Places(Paged):
    locations: tuple[Place, ...] = ()


# Posts


class Happening(Entity):
    title: str = ""


class LocalPost(Entity):
    """``state``: PROCESSING, LIVE or REJECTED; a newer version has more, none of which the public sees."""

    name: str
    summary: str = ""
    state: str = ""
    url: str = Field(default="", alias="searchUrl")
    created_at: datetime | None = Field(default=None, alias="createTime")
    event: Happening | None = None
    media: tuple[Entity, ...] = ()


class LocalPosts(Paged):
    posts: tuple[LocalPost, ...] = Field(default=(), alias="localPosts")


# Reviews


class Reviewer(Entity):
    name: str = Field(default="", alias="displayName")
    photo: str = Field(default="", alias="profilePhotoUrl")


class Reply(Entity):
    text: str = Field(default="", alias="comment")
    updated_at: datetime | None = Field(default=None, alias="updateTime")


class Review(Entity):
    """``name``: ``accounts/{a}/locations/{l}/reviews/{r}``; ``stars`` is a word, ONE to FIVE."""

    name: str
    reviewer: Reviewer = Reviewer()
    stars: str = Field(default="", alias="starRating")
    text: str = Field(default="", alias="comment")
    created_at: datetime | None = Field(default=None, alias="createTime")
    updated_at: datetime | None = Field(default=None, alias="updateTime")
    reply: Reply | None = Field(default=None, alias="reviewReply")


class Reviews(Paged):
    reviews: tuple[Review, ...] = ()
    total: int | None = Field(default=None, alias="totalReviewCount")


# Numbers


class Day(Entity):
    year: int = 0
    month: int = 0
    day: int = 0

    @property
    def date(self) -> date | None:
        try:
            return date(self.year, self.month, self.day)
        except ValueError:
            return None


class Dated(Entity):
    """``value`` is left out where it is zero."""

    day: Day = Field(default=Day(), alias="date")
    value: int | None = None


class Series(Entity):
    values: tuple[Dated, ...] = Field(default=(), alias="datedValues")


class Daily(Entity):
    metric: str = Field(default="", alias="dailyMetric")
    series: Series = Field(default=Series(), alias="timeSeries")


class Several(Entity):
    daily: tuple[Daily, ...] = Field(default=(), alias="dailyMetricTimeSeries")


class Performance(Entity):
    several: tuple[Several, ...] = Field(default=(), alias="multiDailyMetricTimeSeries")
