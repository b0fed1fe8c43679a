"""What comes from Pinterest, as far as we read it. Source: the description of API v5, 5.23.0."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Entity(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, frozen=True)


Moment = Annotated[datetime, AfterValidator(lambda at: at if at.tzinfo else at.replace(tzinfo=UTC))]
"""Pinterest writes UTC without saying so."""

Item = TypeVar("Item", bound=Entity)


class Said(Entity):
    """The vendor's error."""

    code: int = 0
    message: str = ""


class Page(Entity, Generic[Item]):
    """A part of a list; with ``bookmark`` there is more."""

    items: tuple[Item, ...]
    bookmark: str | None = None


class Me(Entity):
    id: str = ""
    username: str = ""
    business_name: str | None = None
    account_type: str = ""
    profile_image: str | None = ""
    follower_count: int | None = None
    following_count: int | None = None
    pin_count: int | None = None


class Board(Entity):
    id: str
    name: str
    privacy: str = "PUBLIC"
    is_ads_only: bool = False


class Section(Entity):
    id: str
    name: str


class Media(Entity):
    """``items``: the pictures of a carousel."""

    media_type: str = ""
    items: tuple[Entity, ...] = ()


class Counts(Entity):
    """Since the Pin was made. Told for Pins made after 2023-03-20, to those who may know it."""

    impression: int | None = None
    save: int | None = None
    pin_click: int | None = None
    clickthrough: int | None = None
    reaction: int | None = None
    comment: int | None = None


class PinMetrics(Entity):
    lifetime_metrics: Counts = Counts()


class Pin(Entity):
    id: str
    created_at: Moment | None = None
    title: str | None = None
    description: str | None = None
    board_id: str | None = ""
    media: Media | None = None
    pin_metrics: PinMetrics | None = None


class Upload(Entity):
    """Where a video is to be sent, and the fields of the form it goes with."""

    media_id: str
    upload_url: str = Field(default="", repr=False)
    upload_parameters: Mapping[str, str] = Field(default_factory=dict, repr=False)


class Uploaded(Entity):
    """``status``: registered, processing, succeeded, failed."""

    media_id: str
    status: str = ""


class Numbers(Entity):
    """Those of the analytics that we ask for."""

    shown: float | None = Field(default=None, alias="IMPRESSION")
    engaged: float | None = Field(default=None, alias="ENGAGEMENT")
    saved: float | None = Field(default=None, alias="SAVE")
    watched: float | None = Field(default=None, alias="VIDEO_MRC_VIEW")


class Day(Entity):
    date: str
    data_status: str = ""
    metrics: Numbers = Numbers()


class Metrics(Entity):
    daily_metrics: tuple[Day, ...] = ()
    summary_metrics: Numbers = Numbers()


class Analytics(Entity):
    """``all``: not split by anything."""

    all: Metrics = Metrics()


class Token(Entity):
    """Lives thirty days; its refresh token sixty, and is traded for a fresh one each time."""

    access_token: str = Field(repr=False)
    refresh_token: str = Field(default="", repr=False)
    expires_in: int | None = None
    refresh_token_expires_in: int | None = None
    scope: str = ""
