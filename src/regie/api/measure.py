"""Samples: what the networks said, number by number; and the posts of an account that were made elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_noop as _
from ninja import Query, Router
from pydantic import BaseModel, Field

from regie.accounts.queries import accounts_for
from regie.api.errors import COMMON
from regie.api.shapes import Moment, Number, Page, Pages, page_of
from regie.api.tokens import ApiRequest
from regie.measure.elsewhere import not_ours
from regie.measure.models import MadeElsewhere, Sample

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


class MadeElsewhereOut(BaseModel):
    remote_id: str
    url: str
    text: str
    media: int = Field(description="How many pictures and videos.")
    published_at: datetime
    gone_at: datetime | None = Field(description="When the network no longer listed it.")
    numbers: dict[str, int | None] = Field(description="As last told, once a day for a month; for who may measure.")


@router.get(
    "/accounts/{pk}/made-elsewhere",
    response={200: Page[MadeElsewhereOut], **COMMON},
    summary=_("An account's posts that were made elsewhere"),
)
def made_elsewhere(request: ApiRequest, pk: Number, paging: Pages) -> Page[MadeElsewhereOut]:
    """The newest first: from before the account was connected, or made in the network's own app. Read once a day."""
    found = get_object_or_404(accounts_for(request.auth.scope), pk=pk)
    rows, more = page_of(not_ours().filter(account=found).order_by("-published_at", "-pk"), paging)
    measures = request.auth.member.may("measure")
    return Page(items=[_elsewhere_out(row, numbers=measures) for row in rows], page=paging.page, more=more)


def _elsewhere_out(row: MadeElsewhere, *, numbers: bool) -> MadeElsewhereOut:
    names = ("remote_id", "url", "text", "media", "published_at", "gone_at")
    told = {name: value for name, (value, _at) in row.latest.items()} if numbers else {}
    return MadeElsewhereOut(**{name: getattr(row, name) for name in names}, numbers=told)


def sample_out(row: Sample) -> SampleOut:
    return SampleOut(account=row.account_id, delivery=row.delivery_id, metric=row.metric, value=row.value, at=row.at)
