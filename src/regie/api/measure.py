"""Samples: what the networks said, number by number."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.utils.translation import gettext_noop as _
from ninja import Query, Router
from pydantic import BaseModel, Field

from regie.api.errors import COMMON
from regie.api.shapes import Moment, Number, Page, Pages, page_of
from regie.api.tokens import ApiRequest
from regie.measure.models import Sample

router = Router(tags=["measure"])


class SampleOut(BaseModel):
    account: int
    delivery: int | None = Field(description="None: of the account itself.")
    metric: str
    value: int | None = Field(description="None: the network did not say. Zero: it said zero.")
    at: datetime


class SampleFilter(BaseModel):
    account: Number | None = Field(None, description="Without a delivery: the account's own numbers.")
    delivery: Number | None = None
    metric: str = Field("", max_length=40)
    since: Moment | None = None
    until: Moment | None = Field(None, description="Before this moment.")


@router.get("/samples", response={200: Page[SampleOut], **COMMON}, summary=_("The numbers that networks told"))
def samples(request: ApiRequest, paging: Pages, wanted: Annotated[SampleFilter, Query()]) -> Page[SampleOut]:
    """The earliest first, of one delivery, of one account itself, or of everything here."""
    request.auth.member.must("measure")
    where = {
        "workspace__in": request.auth.scope.workspace_ids("measure"),
        "account": wanted.account,
        "delivery": wanted.delivery,
        "metric": wanted.metric or None,
        "at__gte": wanted.since,
        "at__lt": wanted.until,
    }
    found = Sample.objects.filter(**{name: value for name, value in where.items() if value is not None})
    if wanted.account is not None and wanted.delivery is None:
        found = found.filter(delivery=None)
    rows, more = page_of(found.order_by("at", "pk"), paging)
    return Page(items=[sample_out(row) for row in rows], page=paging.page, more=more)


def sample_out(row: Sample) -> SampleOut:
    return SampleOut(account=row.account_id, delivery=row.delivery_id, metric=row.metric, value=row.value, at=row.at)
