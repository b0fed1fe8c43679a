"""Holding what has not been sent, and letting it go."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, Value
from django.db.models.functions import Least
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from regie.accounts.models import Account
from regie.core import clock
from regie.people import audit
from regie.people.errors import NotAllowed
from regie.people.models import Member, User, Workspace
from regie.publishing.errors import NotNow, StillLooking
from regie.publishing.holds import DERIVED, FROZEN, holds_now
from regie.publishing.models import Delivery, Freeze, Installation, Step
from regie.publishing.services.rows import GRACE, MAYBE_SINCE_BACKUP, has_parts_out, in_doubt, wake_publishers
from regie.publishing.states import WAITING, State
from regie.studio.models import Campaign, Post

Covered = Account | Campaign | Workspace | None


def _place(thing: Covered) -> dict[str, Any]:
    place: dict[str, Any] = {"workspace_id": _workspace_of(thing), "account": None, "campaign": None}
    if isinstance(thing, Account):
        place["account"] = thing
    elif isinstance(thing, Campaign):
        place["campaign"] = thing
    return place


def _workspace_of(thing: Covered) -> int | None:
    if isinstance(thing, (Account, Campaign)):
        return thing.workspace_id
    return thing.pk if thing is not None else None


def covered(freeze: Freeze) -> Q:
    """The deliveries a freeze is about."""
    if freeze.account_id is not None:
        return Q(account=freeze.account_id)
    if freeze.campaign_id is not None:
        return Q(variant__post__campaign=freeze.campaign_id)
    return Q(workspace=freeze.workspace_id) if freeze.workspace_id is not None else Q()


def _must(by: Member | User, verb: str, workspace_id: int | None) -> None:
    """A workspace's freeze asks for the role there; the installation's for an operator."""
    if workspace_id is None:
        user = by.user if isinstance(by, Member) else by
        if not user.is_operator:
            raise NotAllowed(verb)
    elif not isinstance(by, Member) or by.workspace_id != workspace_id:
        raise NotAllowed(verb)
    else:
        by.must(verb)


def freeze(thing: Covered, *, why: str, by: Member | User) -> Freeze:
    """Holds everything not yet sent: of an account, a campaign, a workspace, or (None, for operators) everywhere.

    The freeze itself is there first, in a transaction of its own: from then on no publisher begins any of it, however
    long it takes to hold a hundred thousand deliveries. What is being sent finishes. Freezing again what is frozen
    gives the freeze there is.
    """
    place = _place(thing)
    _must(by, "freeze", place["workspace_id"])
    told = {"why": why[:300], "by": by.user if isinstance(by, Member) else by, "at": clock.now()}
    with transaction.atomic():
        made, is_new = Freeze.objects.get_or_create(lifted_at=None, **place, defaults=told)
        if is_new:
            audit.record(by=by, did="frozen", to=thing, workspace=made.workspace_id, why=why)
    hold_what_is_frozen()
    return made


HOLD_FROZEN = """
WITH accounts AS MATERIALIZED (
    SELECT a.id FROM accounts_account a JOIN publishing_freeze f ON f.lifted_at IS NULL AND f.campaign_id IS NULL
        AND (f.account_id = a.id
            OR (f.account_id IS NULL AND (f.workspace_id = a.workspace_id OR f.workspace_id IS NULL)))
), variants AS MATERIALIZED (
    SELECT v.id FROM publishing_freeze f JOIN studio_post p ON p.campaign_id = f.campaign_id
    JOIN studio_variant v ON v.post_id = p.id WHERE f.lifted_at IS NULL
), theirs AS (
    SELECT d.id, d.state, d.holds FROM accounts JOIN publishing_delivery d ON d.account_id = accounts.id
    UNION ALL SELECT d.id, d.state, d.holds FROM variants JOIN publishing_delivery d ON d.variant_id = variants.id
), covered AS (
    SELECT d.id FROM publishing_delivery d WHERE d.id IN (
        SELECT t.id FROM theirs t
        WHERE t.state IN ('held', 'scheduled', 'preparing', 'claimed', 'by_hand') AND NOT ('frozen' = ANY(t.holds)))
    ORDER BY d.id FOR UPDATE
)
UPDATE publishing_delivery d
SET state = 'held', holds = array_append(d.holds, 'frozen'), lease = NULL, leased_until = NULL
FROM covered WHERE d.id = covered.id
    AND d.state IN ('held', 'scheduled', 'preparing', 'claimed', 'by_hand') AND NOT ('frozen' = ANY(d.holds))
"""
"""From the freezes to what they cover: every sweep asks, and a frozen account is not worth a look at a million rows."""


def hold_what_is_frozen() -> int:
    """Holds whatever a freeze in force covers. Returns how many it held."""
    if not Freeze.objects.filter(lifted_at=None).exists():
        return 0
    with connection.cursor() as cursor:
        cursor.execute(HOLD_FROZEN)
        return int(cursor.rowcount)


def must_lift(freeze: Freeze, by: Member | User) -> None:
    """Raises NotAllowed when the person may not lift it."""
    _must(by, "lift", freeze.workspace_id)


@transaction.atomic
def lift(freeze: Freeze, *, by: Member | User) -> list[Delivery]:
    """Ends a freeze. What is still to come waits for its time; what has passed is missed, for people to decide.

    Returns the deliveries that became missed (or partly). Raises NotAllowed, NotNow, StillLooking.
    """
    _must(by, "lift", freeze.workspace_id)
    row = Freeze.objects.select_for_update().get(pk=freeze.pk)
    if row.lifted_at is not None:
        raise NotNow(_("It was lifted already."))
    _must_have_looked(row)
    hold_what_is_frozen()  # what slipped in since the last sweep
    row.lifted_at, row.lifted_by = clock.now(), by.user if isinstance(by, Member) else by
    row.save(update_fields=["lifted_at", "lifted_by"])
    missed = release(covered(row), FROZEN, passed_is_missed=True)
    audit.record(by=by, did="freeze.lifted", to=row, workspace=row.workspace_id, missed=len(missed))
    wake_publishers()
    return missed


def _must_have_looked(freeze: Freeze) -> None:
    looking = Delivery.objects.filter(covered(freeze), state=State.UNCLEAR, look_at__isnull=False).count()
    if (
        looking
        and freeze.workspace_id is None
        and Installation.objects.filter(restored_at__gte=freeze.at - GRACE).exists()
    ):
        raise StillLooking(
            _(
                "We are still finding out on the networks what became of {count} deliveries. Try again in a minute."
            ).format(count=looking)
        )


def release(about: Q, hold: str, *, passed_is_missed: bool) -> list[Delivery]:
    """Takes one reason off the held deliveries; those with none left wait again, or are missed when too late.

    passed_is_missed: any time that has passed is too late, so that nothing goes out by surprise; otherwise each
    delivery's own patience counts. Returns those that became missed (or partly, with parts out).
    """
    now, late = clock.now(), []
    rows = (
        Delivery.objects.select_for_update(of=("self",))
        .filter(about, state=State.HELD, holds__contains=[hold])
        .select_related("account", "variant__post")
        .order_by("pk")
    )
    for row in rows:
        row.holds = sorted({*row.holds} - DERIVED | {*holds_now(row.variant, row.account)})
        if row.holds:
            row.save(update_fields=["holds"])
            continue
        patience = timedelta(0) if passed_is_missed else timedelta(minutes=row.late_minutes)
        if row.due_at + patience < now and in_doubt(row):
            row.state, row.look_at = State.UNCLEAR, now
        elif row.due_at + patience < now:
            row.state = State.PARTLY if has_parts_out(row) else State.MISSED
            row.to_tell = True
            late.append(row)
        else:
            row.state = State.SCHEDULED
        row.save(update_fields=["state", "holds", "look_at", "to_tell"])
    return late


def follow_campaign(post: Post) -> None:
    """The post may have another campaign now: its freeze holds it, and one that is no longer its own lets it go."""
    if Freeze.objects.filter(campaign__isnull=False, lifted_at=None, workspace=post.workspace_id).exists():
        hold_what_is_frozen()
        release(Q(variant__post=post), FROZEN, passed_is_missed=True)


def everything_is_frozen() -> bool:
    """The whole installation, as after a restore: then nothing of ours is said anywhere."""
    return Freeze.objects.filter(workspace=None, account=None, campaign=None, lifted_at=None).exists()


@transaction.atomic
def start_frozen_after_restore(*, backed_up_at: datetime) -> Freeze:
    """A restored or copied database: a new installation, frozen, that first finds out what went out without it.

    What was due since the backup, or was being sent or looked for in it, becomes unclear: the engine looks for it on
    its network and sends nothing, until an operator lifts the freeze. What people may have sent since (missed, refused
    or partly out in the backup, or to be done by hand) stays what it is with its parts in doubt: they are looked for
    before they are sent.
    """
    now = clock.now()
    Installation.objects.update_or_create(pk=1, defaults={"key": uuid.uuid4(), "restored_at": now})
    made, _new = Freeze.objects.get_or_create(
        workspace=None,
        account=None,
        campaign=None,
        lifted_at=None,
        defaults={"why": gettext_noop("Restored from a backup."), "at": now},
    )
    waiting = Q(state__in=[State.HELD, *WAITING], due_at__lte=now)
    under_way = Delivery.objects.filter(state__in=[State.SENDING, State.UNCLEAR])  # its next part may be out as well
    doubtful = Delivery.objects.filter(waiting, variant__by_hand=False) | under_way
    ids = list(doubtful.values_list("pk", flat=True))
    Delivery.objects.filter(pk__in=ids).update(
        state=State.UNCLEAR,
        holds=[],
        lease=None,
        leased_until=None,
        look_at=now,
        looks=0,
        doubt_from=Least("doubt_from", Value(backed_up_at)),
        next_at=now,  # it may have gone out until this moment
        problem=MAYBE_SINCE_BACKUP,
        problem_facts={},
    )
    first = Step.objects.filter(
        delivery__in=ids, state__in=[Step.State.WAITING, Step.State.SENDING, Step.State.PROCESSING]
    )
    first.update(state=Step.State.UNCLEAR)
    _doubt_what_people_may_have_sent(backed_up_at, now)
    held = hold_what_is_frozen()
    audit.record(by=None, did="restored", backed_up_at=backed_up_at.isoformat(), unclear=len(ids), held=held)
    return made


def _doubt_what_people_may_have_sent(backed_up_at: datetime, now: datetime) -> None:
    """What was theirs to decide in the backup, and further parts of what is being worked on: it stays what it is."""
    theirs = Q(state__in=[State.MISSED, State.REFUSED, State.PARTLY, State.PROCESSING, State.BY_HAND])
    by_hand = Q(state__in=[State.HELD, *WAITING], due_at__lte=now, variant__by_hand=True)
    ids = list(Delivery.objects.filter(theirs | by_hand).values_list("pk", flat=True))
    Delivery.objects.filter(pk__in=ids).update(doubt_from=Least("doubt_from", Value(backed_up_at)))
    unsent = Step.objects.filter(delivery__in=ids, state__in=[Step.State.WAITING, Step.State.REFUSED])
    unsent.update(state=Step.State.UNCLEAR)
