"""Campaigns: posts that belong together for a time."""

from __future__ import annotations

from datetime import date

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_noop as _
from ninja import Router, Status
from pydantic import BaseModel, Field

from regie.api.errors import COMMON
from regie.api.shapes import Given, Number, Page, Pages, page_of
from regie.api.tokens import ApiRequest
from regie.studio import campaigns as services
from regie.studio.models import Campaign

router = Router(tags=["campaigns"])


class CampaignIn(Given):
    name: str = Field(min_length=1, max_length=120)
    colour: str = Field(services.FIRST_COLOUR, pattern=r"^#[0-9a-fA-F]{6}$")
    starts_on: date | None = None
    ends_on: date | None = Field(None, description="Its last day.")


class CampaignOut(BaseModel):
    id: int
    name: str
    colour: str
    starts_on: date | None
    ends_on: date | None
    archived: bool


def campaign_out(row: Campaign) -> CampaignOut:
    return CampaignOut(
        id=row.pk,
        name=row.name,
        colour=row.colour,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        archived=row.archived_at is not None,
    )


def _campaign(request: ApiRequest, pk: int) -> Campaign:
    return get_object_or_404(services.campaigns_for(request.auth.scope), pk=pk)


@router.get("/campaigns", response={200: Page[CampaignOut], **COMMON}, summary=_("List the campaigns"))
def campaigns(request: ApiRequest, paging: Pages) -> Page[CampaignOut]:
    """By name, archived ones too."""
    rows, more = page_of(services.campaigns_for(request.auth.scope).order_by("name", "pk"), paging)
    return Page(items=[campaign_out(row) for row in rows], page=paging.page, more=more)


@router.post("/campaigns", response={201: CampaignOut, **COMMON}, summary=_("Create a campaign"))
def create(request: ApiRequest, given: CampaignIn) -> Status[CampaignOut]:
    """Posts are put into it one by one: ``campaign`` of a post."""
    plan = services.Plan(**given.model_dump())
    return Status(201, campaign_out(services.save(campaign=None, plan=plan, by=request.auth.member)))


@router.put("/campaigns/{pk}", response={200: CampaignOut, **COMMON}, summary=_("Change a campaign"))
def change(request: ApiRequest, pk: Number, given: CampaignIn) -> CampaignOut:
    """All of it is replaced."""
    plan = services.Plan(**given.model_dump())
    return campaign_out(services.save(campaign=_campaign(request, pk), plan=plan, by=request.auth.member))


@router.post("/campaigns/{pk}/archive", response={200: CampaignOut, **COMMON}, summary=_("Archive a campaign"))
def archive(request: ApiRequest, pk: Number) -> CampaignOut:
    """It is no longer offered; its posts keep it."""
    row = _campaign(request, pk)
    services.archive(row, by=request.auth.member)
    return campaign_out(_campaign(request, pk))


@router.post("/campaigns/{pk}/put-back", response={200: CampaignOut, **COMMON}, summary=_("Undo the archiving"))
def put_back(request: ApiRequest, pk: Number) -> CampaignOut:
    """It is offered again, if no other took its name."""
    row = _campaign(request, pk)
    services.put_back(row, by=request.auth.member)
    return campaign_out(row)
