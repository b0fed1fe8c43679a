"""Promising a post: for a time, for this moment, or for one more date of a rule."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from regie.core import clock
from regie.core.times import WallTime
from regie.people import audit
from regie.people.models import Member
from regie.publishing.contents import steps_of_delivery
from regie.publishing.errors import AlreadyPlanned, NotReady
from regie.publishing.holds import holds_now
from regie.publishing.models import Delivery, Step
from regie.publishing.services.rows import begin_making, must_be_to_come, planned_once, set_time, this_moment, wake
from regie.publishing.states import State
from regie.studio.checks import why_not
from regie.studio.models import Post, Variant

SECOND_CLICK = timedelta(seconds=10)


@transaction.atomic
def schedule(*, post: Post, at: WallTime, by: Member, late_minutes: int | None = None) -> list[Delivery]:
    """Promise every variant of a post to its account at a wall-clock time in a zone, or none of them.

    ``late_minutes``: how late it may still go out by itself; None: as the workspace says.
    Returns the deliveries in the order of the post's variants; one is held when its account or workspace is frozen.
    Raises NotAllowed; NotReady with sentences for each variant that cannot go out as it is; TooLate for a time that
    has passed; AlreadyPlanned when a variant is promised for that very time.
    """
    by.must("schedule", post)
    must_be_to_come(at)
    return _promise(post, at, by=by, late_minutes=late_minutes, did="post.scheduled")


@transaction.atomic
def schedule_again(*, post: Post, at: WallTime, by: Member, late_minutes: int, only: Collection[int]) -> list[Delivery]:
    """One more date of a rule, for some of the post's variants. As ``schedule``; the audit trail has the rule."""
    by.must("schedule", post)
    must_be_to_come(at)
    return _promise(post, at, by=by, late_minutes=late_minutes, did=None, only=only)


@transaction.atomic
def publish_now(*, post: Post, by: Member, late_minutes: int | None = None) -> list[Delivery]:
    """As ``schedule``, for this moment. A second click while the first one's deliveries are young is AlreadyPlanned."""
    by.must("publish", post)
    _must_not_be_a_second_click(post)
    return _promise(post, this_moment(post.workspace), by=by, late_minutes=late_minutes, did="post.published_now")


def _must_not_be_a_second_click(post: Post) -> None:
    """Held until the transaction ends, so that of two clicks at the same moment one sees the other."""
    Post.objects.select_for_update().get(pk=post.pk)
    young = Delivery.objects.filter(variant__post=post, due_at__gt=clock.now() - SECOND_CLICK, due_at__lte=clock.now())
    if young.exclude(state__in=(State.CANCELLED, State.REFUSED)).exists():
        raise AlreadyPlanned(_("This post was sent off a few seconds ago. Look at its deliveries first."))


def _promise(
    post: Post,
    at: WallTime,
    *,
    by: Member,
    late_minutes: int | None,
    did: str | None,
    only: Collection[int] | None = None,
) -> list[Delivery]:
    late_minutes = post.workspace.late_minutes if late_minutes is None else late_minutes
    wanted = post.variants.filter(dropped_at=None)
    variants = list(
        (wanted if only is None else wanted.filter(pk__in=only))
        .select_related("account", "post")
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    _must_be_ready(variants)
    deliveries = [_delivery(variant, at, by=by, late_minutes=late_minutes) for variant in variants]
    with planned_once():
        Delivery.objects.bulk_create(deliveries)
    Step.objects.bulk_create(step for delivery in deliveries for step in _steps(delivery))
    for delivery in deliveries:
        begin_making(delivery)
    if did:
        audit.record(by=by, did=did, to=post, at=at.local.isoformat(), zone=at.zone, deliveries=len(deliveries))
    wake(deliveries)
    return deliveries


def _must_be_ready(variants: list[Variant]) -> None:
    if not variants:
        raise NotReady(_("Choose at least one account for this post."), {})
    reasons = {variant: why for variant in variants if (why := why_not(variant))}
    if reasons:
        said = " ".join(f"{variant.account.in_full}: {' '.join(why)}" for variant, why in reasons.items())
        raise NotReady(said, reasons)


def _delivery(variant: Variant, at: WallTime, *, by: Member, late_minutes: int) -> Delivery:
    holds = holds_now(variant, variant.account)
    delivery = Delivery(
        workspace_id=variant.post.workspace_id,
        variant=variant,
        account=variant.account,
        post_version=variant.post.version,
        state=State.HELD if holds else State.SCHEDULED,
        holds=holds,
        late_minutes=late_minutes,
        scheduled_by=by.user,
    )
    set_time(delivery, at)
    return delivery


def _steps(delivery: Delivery) -> list[Step]:
    contents = steps_of_delivery(delivery)
    return [Step(delivery=delivery, position=number, content=content) for number, content in enumerate(contents)]
