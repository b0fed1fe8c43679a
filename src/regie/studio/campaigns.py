"""Campaigns: posts that belong together for a time, with a name and a colour. Reading and writing them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from regie.core import clock
from regie.core.errors import Problem
from regie.people import audit
from regie.people.models import Member
from regie.people.scope import Scope
from regie.studio.models import Campaign, Post
from regie.studio.signals import post_changed

COLOUR = re.compile(r"#[0-9a-f]{6}")
FIRST_COLOUR = "#0f766e"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a person says of a campaign. ``colour``: #rrggbb."""

    name: str
    colour: str = FIRST_COLOUR
    starts_on: date | None = None
    ends_on: date | None = None


def campaigns_for(scope: Scope, verb: str = "view") -> QuerySet[Campaign]:
    """The campaigns of the workspaces in view where the person may do ``verb``; archived ones too."""
    return Campaign.objects.filter(workspace__in=scope.workspace_ids(verb)).select_related("workspace")


def every_campaign_for(scope: Scope) -> QuerySet[Campaign]:
    """In any of the person's workspaces, whatever is in view: for links that were kept."""
    return Campaign.objects.filter(workspace__in=[seat.workspace_id for seat in scope.members]).select_related(
        "workspace"
    )


def with_counts(campaigns: QuerySet[Campaign]) -> QuerySet[Campaign]:
    """``many``: its posts, those in the bin left out. The running ones first, by their end."""
    many = Count("posts", filter=Q(posts__removed_at=None))
    return campaigns.annotate(many=many).order_by("archived_at", "ends_on", "name", "pk")


def choices(scope: Scope) -> list[tuple[int, str]]:
    """(number, name) of what a list can be narrowed to; with the client's name when all are in view."""
    found = campaigns_for(scope).filter(archived_at=None)
    return [(one.pk, f"{one.name} · {one.workspace}" if scope.all else one.name) for one in found]


@transaction.atomic
def save(*, campaign: Campaign | None, plan: Plan, by: Member) -> Campaign:
    """A new campaign in the member's workspace, or another plan for one.

    Raises NotAllowed; Problem for an empty or taken name, an unknown colour, an end before the beginning.
    """
    by.must("write", campaign)
    _must_make_sense(plan)
    row = campaign or Campaign(workspace=by.workspace)
    row.name, row.colour = plan.name.strip()[:120], plan.colour.lower()
    row.starts_on, row.ends_on = plan.starts_on, plan.ends_on
    _save_unless_taken(row)
    audit.record(by=by, did="campaign.changed" if campaign is not None else "campaign.created", to=row)
    return row


def _save_unless_taken(row: Campaign) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as exc:
        if "campaign_name_once" not in str(exc):
            raise
        raise Problem(_("There is a campaign of this name already.")) from None


def _must_make_sense(plan: Plan) -> None:
    if not plan.name.strip():
        raise Problem(_("Give the campaign a name."))
    if not COLOUR.fullmatch(plan.colour.lower()):
        raise Problem(_("A colour is written as #rrggbb."))
    if plan.starts_on and plan.ends_on and plan.ends_on < plan.starts_on:
        raise Problem(_("A campaign cannot end before it begins."))


@transaction.atomic
def archive(campaign: Campaign, *, by: Member) -> None:
    """Out of the lists to choose from; its posts keep it."""
    by.must("write", campaign)
    if Campaign.objects.filter(pk=campaign.pk, archived_at=None).update(archived_at=clock.now()):
        audit.record(by=by, did="campaign.archived", to=campaign)


@transaction.atomic
def put_back(campaign: Campaign, *, by: Member) -> None:
    """The undo of ``archive``. Raises Problem when another campaign took the name meanwhile."""
    by.must("write", campaign)
    if campaign.archived_at is not None:
        campaign.archived_at = None
        _save_unless_taken(campaign)
        audit.record(by=by, did="campaign.put_back", to=campaign)


@transaction.atomic
def assign(posts: Iterable[Post], campaign: Campaign | None, *, by: Member) -> int:
    """Puts posts into a campaign, or (None) into none. Returns how many it changed.

    What is planned follows at once: into a frozen campaign it is held, out of one it waits again or is missed.
    """
    if campaign is not None:
        by.must("write", campaign)
    changed = 0
    for post in posts:
        by.must("write", post)
        if post.campaign_id != (campaign.pk if campaign else None):
            post.campaign = campaign
            post.save(update_fields=["campaign"])
            audit.record(by=by, did="campaign.given", to=post, campaign=campaign.name if campaign else "")
            post_changed.send(Post, post=post, by=by)
            changed += 1
    return changed
