"""Posts: written, checked, promised."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_noop as _
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from regie.accounts.opening import capabilities_of
from regie.api.deliveries import DeliveryOut, delivery_out
from regie.api.errors import COMMON, Theirs
from regie.api.once import Key, once
from regie.api.shapes import LARGEST, Given, Number, Page, Pages, When, page_of
from regie.api.tokens import ApiRequest
from regie.people import lateness
from regie.publishing import services as publishing
from regie.publishing.models import Delivery
from regie.studio import checks, options, queries, services
from regie.studio.campaigns import campaigns_for
from regie.studio.content import Content
from regie.studio.desk import written_from
from regie.studio.errors import Outdated
from regie.studio.models import Post

router = Router(tags=["posts"])


class VariantIn(Given):
    account: Number
    content: Content | None = Field(None, description="None: the post's own.")
    by_hand: bool = Field(False, description="A person publishes it and pastes the link.")
    assignee: Number | None = Field(None, description="Who does it by hand: a user of the workspace.")


class PostIn(Given):
    content: Content
    title: str = Field("", max_length=200, description="For the team; never published.")
    campaign: Number | None = Field(None, description="The campaign it belongs to.")
    on: list[VariantIn] = Field(default_factory=list, max_length=200, description="The accounts it is meant for.")


class PostChange(Given):
    version: int = Field(ge=1, le=2**31 - 1, description="The version that this change was made from.")
    content: Content | None = None
    title: str | None = Field(None, max_length=200)
    campaign: int | None = Field(None, ge=0, le=LARGEST, description="0: none any more.")
    on: list[VariantIn] | None = Field(None, max_length=200)


class VariantOut(BaseModel):
    account: int
    content: Content | None
    by_hand: bool
    assignee: int | None


class PostOut(BaseModel):
    id: int
    title: str
    campaign: int | None
    content: Content
    on: list[VariantOut]
    version: int
    author: str
    created_at: datetime
    updated_at: datetime


class FindingOut(BaseModel):
    level: str = Field(description="stop: it cannot go out like this; advice: it can.")
    said: str
    part: int | None = Field(description="Which part of the thread, from 0; None: the whole.")


class AccountCheck(BaseModel):
    account: int
    ready: bool
    price: float = Field(description="What the network charges for publishing it there, about, in US dollars.")
    findings: list[FindingOut]


class Check(BaseModel):
    ready: bool = Field(description="Whether it can go out on every account, and there is at least one.")
    price: float = Field(description="What the networks charge for it in all, about, in US dollars.")
    accounts: list[AccountCheck]


class ScheduleIn(When):
    late_minutes: int | None = Field(
        None,
        ge=0,
        le=lateness.LONGEST,
        description="Later than this, a person is asked. None: as the workspace says.",
    )


class PublishIn(Given):
    late_minutes: int | None = Field(None, ge=0, le=lateness.LONGEST, description="None: as the workspace says.")


class Promised(BaseModel):
    deliveries: list[DeliveryOut]


def post_out(post: Post) -> PostOut:
    variants = sorted((v for v in post.variants.all() if v.dropped_at is None), key=lambda variant: variant.pk)
    return PostOut(
        id=post.pk,
        title=post.title,
        campaign=post.campaign_id,
        content=post.document,
        on=[
            VariantOut(
                account=v.account_id,
                content=v.document if v.content is not None else None,
                by_hand=v.by_hand,
                assignee=v.assignee_id,
            )
            for v in variants
        ],
        version=post.version,
        author=str(post.author or ""),
        created_at=post.created_at,
        updated_at=post.updated_at,
    )


def _on(variants: list[VariantIn]) -> dict[int, services.Given]:
    return {v.account: services.Given(v.content, v.by_hand, v.assignee) for v in variants}


def _must_be_ours(request: ApiRequest, campaign: int | None) -> None:
    """404 for a campaign that is not the workspace's."""
    if campaign:
        get_object_or_404(campaigns_for(request.auth.scope), pk=campaign)


def _post(request: ApiRequest, pk: int) -> Post:
    return get_object_or_404(queries.posts_for(request.auth.scope), pk=pk)


class PostFilter(BaseModel):
    text: str = Field("", max_length=200)
    state: str = Field(
        "",
        max_length=20,
        description="draft, planned, needs_me, published (what the public sees), limited (what "
        "it does not), or a delivery's state",
    )
    account: Number | None = None
    campaign: Number | None = None


@router.get("/posts", response={200: Page[PostOut], **COMMON}, summary=_("List the posts"))
def posts(request: ApiRequest, paging: Pages, wanted: Annotated[PostFilter, Query()]) -> Page[PostOut]:
    """The latest change first; those in the bin are left out."""
    found = queries.matching(queries.posts_for(request.auth.scope), **wanted.model_dump())
    rows, more = page_of(found.prefetch_related("variants").order_by("-updated_at", "-pk"), paging)
    return Page(items=[post_out(row) for row in rows], page=paging.page, more=more)


@router.post("/posts", response={201: PostOut, **COMMON}, summary=_("Write a post"))
def create(request: ApiRequest, given: PostIn, key: Key = "") -> Status[PostOut]:
    """A draft: nothing goes out until it is scheduled or published."""

    def do() -> PostOut:
        member = request.auth.member
        _must_be_ours(request, given.campaign)
        written = services.Written(
            content=given.content, on=_on(given.on), title=given.title, campaign=given.campaign or services.NONE
        )
        return post_out(services.save(post=None, workspace=member.workspace, written=written, version=0, by=member))

    return once(request, key, PostOut, do, status=201)


@router.get("/posts/{pk}", response={200: PostOut, **COMMON}, summary=_("One post"))
def post(request: ApiRequest, pk: Number) -> PostOut:
    """With its text, and what differs on each account."""
    return post_out(_post(request, pk))


@router.patch("/posts/{pk}", response={200: PostOut, **COMMON}, summary=_("Change a post"))
def change(request: ApiRequest, pk: Number, given: PostChange) -> PostOut:
    """What is left out stays. With an old ``version`` nothing changes: 409, and ``details.theirs`` is what is there."""
    there, member = _post(request, pk), request.auth.member
    before = written_from(there)
    written = services.Written(
        content=given.content or before.content,
        on=_on(given.on) if given.on is not None else before.on,
        title=given.title if given.title is not None else before.title,
        campaign=given.campaign if given.campaign is not None else services.SAME,
    )
    _must_be_ours(request, given.campaign)
    try:
        saved = services.save(post=there, workspace=member.workspace, written=written, version=given.version, by=member)
    except Outdated as exc:
        raise Theirs(exc.said, post_out(_post(request, pk))) from exc
    return post_out(saved)


@router.delete("/posts/{pk}", response={204: None, **COMMON}, summary=_("Put a post in the bin"))
def delete(request: ApiRequest, pk: Number) -> Status[None]:
    """Refused while a delivery of it is still to go out or needs a decision. What is published stays where it is, and
    so does its proof."""
    services.remove(posts=[_post(request, pk)], by=request.auth.member)
    return Status(204, None)


@router.post("/posts/{pk}/check", response={200: Check, **COMMON}, summary=_("What stands in the way of a post"))
def check(request: ApiRequest, pk: Number) -> Check:
    """For each account: what stops it, and what would make it better. Nothing is changed."""
    found = _post(request, pk)
    rows = [_check(found, variant) for variant in found.variants.filter(dropped_at=None).select_related("account")]
    price = round(sum(row.price for row in rows), 4)
    return Check(ready=bool(rows) and all(row.ready for row in rows), price=price, accounts=rows)


def _check(found: Post, variant: Any) -> AccountCheck:
    content = variant.document
    files = checks.files_of(content, found.workspace_id)
    findings = checks.look_at(content, variant.account, files, by_hand=variant.by_hand)
    can = capabilities_of(variant.account)
    charged = Decimal(0) if variant.by_hand else options.price(content, can, variant.account, files)
    return AccountCheck(
        account=variant.account_id,
        price=float(charged),
        ready=all(finding.level is not checks.Level.STOP for finding in findings),
        findings=[FindingOut(level=str(one.level), said=one.said, part=one.part) for one in findings],
    )


def _promised(deliveries: list[Delivery]) -> Promised:
    return Promised(deliveries=[delivery_out(row) for row in deliveries])


@router.post("/posts/{pk}/schedule", response={200: Promised, **COMMON}, summary=_("Schedule a post"))
def schedule(request: ApiRequest, pk: Number, given: ScheduleIn, key: Key = "") -> Status[Promised]:
    """Promises it to all its accounts at a wall-clock time in a zone, or to none of them."""

    def do() -> Promised:
        member = request.auth.member
        at = given.at(member.workspace.zone)
        return _promised(
            publishing.schedule(post=_post(request, pk), at=at, by=member, late_minutes=given.late_minutes)
        )

    return once(request, key, Promised, do)


@router.post("/posts/{pk}/publish", response={200: Promised, **COMMON}, summary=_("Publish a post now"))
def publish(request: ApiRequest, pk: Number, given: PublishIn | None = None, key: Key = "") -> Status[Promised]:
    """Promises it for this moment; a publisher sends it. Ask the deliveries what became of it."""

    def do() -> Promised:
        patience = given.late_minutes if given is not None else None
        return _promised(publishing.publish_now(post=_post(request, pk), by=request.auth.member, late_minutes=patience))

    return once(request, key, Promised, do)
