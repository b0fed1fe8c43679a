"""Pieces that several subjects share: numbers of things, pages of lists, wall-clock times."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from ninja import Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, NaiveDatetime

from regie.core.times import WallTime, zones

M = TypeVar("M", bound=Model)
T = TypeVar("T")
LARGEST = 2**63 - 1

Number = Annotated[int, Field(ge=1, le=LARGEST)]


class Given(BaseModel):
    """What a program sends: a name that we do not know is a mistake, not a detail."""

    model_config = ConfigDict(extra="forbid")


class Paging(BaseModel):
    page: int = Field(1, ge=1, le=100_000)
    size: int = Field(50, ge=1, le=200, description="How many on a page.")


Pages = Annotated[Paging, Query()]


class Page(BaseModel, Generic[T]):
    items: list[T]
    page: int
    more: bool = Field(description="Whether there is a next page.")


def page_of(rows: QuerySet[M], paging: Paging) -> tuple[list[M], bool]:
    """The rows of one page, and whether more follow. Nothing is counted: lists can be long."""
    first = (paging.page - 1) * paging.size
    found = list(rows[first : first + paging.size + 1])
    return found[: paging.size], len(found) > paging.size


def _known(zone: str) -> str:
    if zone and zone not in zones():
        raise ValueError(_("This is not a time zone we know."))
    return zone


def _near(moment: datetime) -> datetime:
    if not 2000 <= moment.year <= 2200:
        raise ValueError(_("This is not a year we can plan for."))
    return moment


Zone = Annotated[str, AfterValidator(_known), Field(max_length=64)]
Wall = Annotated[NaiveDatetime, AfterValidator(_near)]
Moment = Annotated[datetime, AfterValidator(_near)]


class When(Given):
    local_at: Wall = Field(description="What the clock on the wall shows, as 2030-03-01T09:15.")
    zone: Zone = Field("", description="IANA name; empty: the workspace's.")

    def at(self, zone: str) -> WallTime:
        """The time meant; ``zone`` is the workspace's."""
        return WallTime(self.local_at, self.zone or zone)
