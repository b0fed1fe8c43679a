"""Promising, moving, cancelling and settling deliveries. What the engine does at the hour is in ``engine/``."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from regie.accounts.models import Account
from regie.accounts.opening import capabilities_of
from regie.core import clock
from regie.core.errors import Problem
from regie.core.times import WallTime
from regie.networks import registry
from regie.networks.protocols import Deletes, ReadsLinks
from regie.people import audit
from regie.people.errors import NotAllowed
from regie.people.models import Member, User, Workspace
from regie.publishing import room
from regie.publishing.contents import ask_for_videos, has_video, steps_of_delivery
from regie.publishing.engine.record import UNFROZEN
from regie.publishing.engine.rewrite import drop
from regie.publishing.errors import AlreadyPlanned, NotNow, NotReady, StillLooking, TooLate
from regie.publishing.holds import DERIVED, FROZEN, holds_now
from regie.publishing.models import Attempt, Delivery, Freeze, Installation, Step
from regie.publishing.states import MOVABLE, State, may_follow
from regie.studio.checks import why_not
from regie.studio.models import Campaign, Post, Variant

GRACE = timedelta(minutes=1)  # the minute that a person chose is over only when the next begins
SOON = timedelta(seconds=5)
RECOMPUTED_AT_ONCE = 1000
SECOND_CLICK = timedelta(seconds=10)
LOOKED_AT_BY = "regie_publishing"  # the channel on which publishers listen


# Promising


@transaction.atomic
def schedule(*, post: Post, at: WallTime, by: Member, late_minutes: int | None = None) -> list[Delivery]:
    """Promise every variant of a post to its account at a wall-clock time in a zone, or none of them.

    ``late_minutes``: how late it may still go out by itself; None: as the workspace says.
    Returns the deliveries in the order of the post's variants; one is held when its account or workspace is frozen.
    Raises NotAllowed; NotReady with sentences for each variant that cannot go out as it is; TooLate for a time that
    has passed; AlreadyPlanned when a variant is promised for that very time.
    """
    by.must("schedule", post)
    if at.utc < clock.now() - GRACE:
        raise TooLate(_("This time has passed. Choose a later one, or publish now."))
    return _promise(post, at, by=by, late_minutes=late_minutes, did="post.scheduled")


@transaction.atomic
def schedule_again(*, post: Post, at: WallTime, by: Member, late_minutes: int, only: Collection[int]) -> list[Delivery]:
    """One more date of a rule, for some of the post's variants. As ``schedule``; the audit trail has the rule."""
    by.must("schedule", post)
    if at.utc < clock.now() - GRACE:
        raise TooLate(_("This time has passed. Choose a later one, or publish now."))
    return _promise(post, at, by=by, late_minutes=late_minutes, did=None, only=only)


@transaction.atomic
def publish_now(*, post: Post, by: Member, late_minutes: int | None = None) -> list[Delivery]:
    """As ``schedule``, for this moment. A second click while the first one's deliveries are young is AlreadyPlanned."""
    by.must("publish", post)
    _must_not_be_a_second_click(post)
    return _promise(post, _this_moment(post.workspace), by=by, late_minutes=late_minutes, did="post.published_now")


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
    try:
        with transaction.atomic():
            Delivery.objects.bulk_create(deliveries)
    except IntegrityError as exc:
        if "delivery_once_per_occurrence" not in str(exc):
            raise
        raise AlreadyPlanned(_("This post is already planned for that account at this very time.")) from None
    Step.objects.bulk_create(step for delivery in deliveries for step in _steps(delivery))
    for delivery in deliveries:
        begin_making(delivery)
    if did:
        audit.record(by=by, did=did, to=post, at=at.local.isoformat(), zone=at.zone, deliveries=len(deliveries))
    _wake(deliveries)
    return deliveries


def _must_be_ready(variants: list[Variant]) -> None:
    if not variants:
        raise NotReady(_("Choose at least one account for this post."), {})
    reasons = {variant: why for variant in variants if (why := why_not(variant))}
    if reasons:
        said = " ".join(f"{variant.account}: {' '.join(why)}" for variant, why in reasons.items())
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
    _set_time(delivery, at)
    return delivery


def _set_time(delivery: Delivery, at: WallTime) -> None:
    """The time, or the next with room in the network's day, which the delivery then says."""
    fitting = at if delivery.variant.by_hand else _with_room(delivery, at)
    delivery.spread_from = None if fitting == at else at.utc
    delivery.local_at, delivery.zone = fitting.local, fitting.zone
    delivery.due_at = delivery.next_at = fitting.utc
    delivery.prepare_at = prepare_at(delivery)


def _with_room(delivery: Delivery, at: WallTime) -> WallTime:
    if room.daily(delivery.account) is None:
        return at
    posts = len(delivery.variant.document.parts)
    return room.fitting(delivery.account, at, posts=posts, but=[delivery.pk] if delivery.pk else ())


def prepare_at(delivery: Delivery) -> datetime | None:
    """When its uploads should begin: as long before the hour as they take on that account, with as much again."""
    variant, account = delivery.variant, delivery.account
    if variant.by_hand or not any(part.media for part in variant.document.parts):
        return None
    takes = account.video_seconds if has_video(variant.document) else account.prepare_seconds
    return delivery.next_at - timedelta(seconds=30 + 2 * takes)


def begin_making(delivery: Delivery) -> None:
    """Its videos are made to fit from now on, so that they are ready long before the hour."""
    if not delivery.variant.by_hand:
        ask_for_videos(delivery.variant.document, capabilities_of(delivery.account))


def _steps(delivery: Delivery) -> list[Step]:
    contents = steps_of_delivery(delivery)
    return [Step(delivery=delivery, position=number, content=content) for number, content in enumerate(contents)]


def _this_moment(workspace: Workspace) -> WallTime:
    return WallTime.at(clock.now(), workspace.zone)


def _wake(deliveries: Iterable[Delivery]) -> None:
    """Publishers look by themselves every second; what is due now they hear of at once, when this commits."""
    if any(d.state == State.SCHEDULED and d.next_at <= clock.now() + SOON for d in deliveries):
        wake_publishers()


def wake_publishers() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [LOOKED_AT_BY])


# Changing a promise


def _locked(delivery: Delivery, allowed: Iterable[State], said: str) -> Delivery:
    """The row, locked as it is now. Raises NotNow when its state is none of ``allowed``."""
    row = (
        Delivery.objects.select_for_update(of=("self",))
        .select_related("account", "variant__post", "workspace")
        .get(pk=delivery.pk)
    )
    if State(row.state) not in allowed:
        raise NotNow(said)
    return row


def _has_parts_out(row: Delivery) -> bool:
    return row.steps.filter(state=Step.State.PUBLISHED).exists()


def _in_doubt(row: Delivery) -> bool:
    """Whether an attempt may have been done, so that it must be found out before anything else is decided."""
    return row.steps.filter(state=Step.State.UNCLEAR).exists()


def _promise_again(row: Delivery, at: WallTime) -> None:
    """Back to waiting, or held when something holds it now."""
    _set_time(row, at)
    row.holds = holds_now(row.variant, row.account)
    row.state = State.HELD if row.holds else State.SCHEDULED
    row.problem, row.problem_facts, row.to_tell, row.look_at, row.looks, row.tries = "", {}, False, None, 0, 0
    row.lease, row.leased_until, row.publisher = None, None, ""
    _save_unless_taken(row)
    begin_making(row)
    _wake([row])


def _save_unless_taken(row: Delivery) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as exc:
        if "delivery_once_per_occurrence" not in str(exc):
            raise
        raise AlreadyPlanned(_("This post is already planned for that account at this very time.")) from None


@transaction.atomic
def move(delivery: Delivery, *, at: WallTime, by: Member, late_minutes: int | None = None) -> Delivery:
    """Another time, and patience, for a delivery that has not begun. None: its patience stays as it is.

    Raises NotAllowed, TooLate, AlreadyPlanned, NotNow.
    """
    by.must("schedule", delivery)
    if at.utc < clock.now() - GRACE:
        raise TooLate(_("This time has passed. Choose a later one, or publish now."))
    row = _locked(delivery, MOVABLE, _("It can no longer be moved: it is on its way, or was settled meanwhile."))
    before = row.due_at
    row.late_minutes = row.late_minutes if late_minutes is None else late_minutes
    _promise_again(row, at)
    audit.record(
        by=by, did="delivery.moved", to=row, label=_label(row), before=before.isoformat(), after=row.due_at.isoformat()
    )
    return row


CANCELLABLE = (*MOVABLE, State.PREPARING, State.CLAIMED)


@transaction.atomic
def cancel(delivery: Delivery, *, by: Member) -> Delivery:
    """It will not go out. Until the very moment of sending; what is partly out is finished or taken back instead, and
    what may be out is looked for first."""
    by.must("schedule", delivery)
    row = _locked(delivery, CANCELLABLE, _("It is too late to cancel: it is on its way, or was settled meanwhile."))
    row.holds, row.lease, row.leased_until, row.look_at, row.to_tell = [], None, None, None, False
    if may_follow(row.state, State.UNCLEAR) and _in_doubt(row):
        row.state, row.look_at = State.UNCLEAR, clock.now()
    else:
        row.state = State.PARTLY if _has_parts_out(row) else State.CANCELLED
    row.save()
    audit.record(by=by, did="delivery.cancelled", to=row, label=_label(row))
    return row


@transaction.atomic
def undo_cancel(delivery: Delivery, *, by: Member) -> Delivery:
    """The promise as it was. Raises TooLate once its time has passed."""
    by.must("schedule", delivery)
    row = _locked(delivery, (State.CANCELLED,), _("It is not cancelled."))
    if row.gone_at is not None:
        raise NotNow(_("It was out and was taken back: schedule the post again."))
    if row.due_at < clock.now() - GRACE:
        raise TooLate(_("Its time has passed. Choose a new one."))
    _promise_again(row, WallTime(row.local_at, row.zone))
    audit.record(by=by, did="delivery.cancel_undone", to=row, label=_label(row))
    return row


@transaction.atomic
def send_again(delivery: Delivery, *, by: Member) -> Delivery:
    """A refused or missed delivery goes out now, as its post reads now. Raises NotReady when it would be refused."""
    by.must("publish", delivery)
    row = _locked(delivery, (State.REFUSED, State.MISSED), _("It is not waiting to be sent again."))
    if why := why_not(row.variant):
        raise NotReady(" ".join(why), {row.variant: why})
    _promise_again(row, _this_moment(row.workspace))
    audit.record(by=by, did="delivery.sent_again", to=row, label=_label(row))
    return row


@transaction.atomic
def send_now(delivery: Delivery, *, by: Member) -> Delivery:
    """What waits, is held or was missed goes out now, as its post reads now; what still holds it goes on holding it."""
    by.must("publish", delivery)
    row = _locked(delivery, MOVABLE, _("It is on its way already, or was settled meanwhile."))
    if why := why_not(row.variant):
        raise NotReady(" ".join(why), {row.variant: why})
    _promise_again(row, _this_moment(row.workspace))
    audit.record(by=by, did="delivery.sent_now", to=row, label=_label(row))
    return row


@transaction.atomic
def let_go(delivery: Delivery, *, by: Member) -> Delivery:
    """One that was left held at the end of a freeze waits for its time again. Raises TooLate once that has passed."""
    by.must("schedule", delivery)
    row = _locked(delivery, (State.HELD,), _("It is not held."))
    if row.due_at < clock.now() - GRACE:
        raise TooLate(_("Its time has passed. Choose a new one."))
    _promise_again(row, WallTime(row.local_at, row.zone))
    audit.record(by=by, did="delivery.let_go", to=row, label=_label(row))
    return row


@transaction.atomic
def finish_partly(delivery: Delivery, *, by: Member) -> Delivery:
    """Sends the parts that are missing, from where it stopped."""
    by.must("publish", delivery)
    row = _locked(delivery, (State.PARTLY,), _("Nothing of it is missing."))
    if row.remove_at is not None:
        raise NotNow(_("It is being taken back."))
    if _has_all_its_parts(row):
        _publish(row)
    else:
        _promise_again(row, _this_moment(row.workspace))
    audit.record(by=by, did="delivery.finished", to=row, label=_label(row))
    return row


def _has_all_its_parts(row: Delivery) -> bool:
    """Whether its post says no more than what is out: what was refused was taken out of it. That is then dropped."""
    missing = list(row.steps.exclude(state__in=(Step.State.PUBLISHED, Step.State.DROPPED)))
    many = len(steps_of_delivery(row))
    if any(step.position < many or step.state == Step.State.UNCLEAR for step in missing):
        return False
    for step in missing:
        drop(step)
    return True


@transaction.atomic
def take_back(delivery: Delivery, *, by: Member) -> Delivery:
    """Deletes the parts that are out; a publisher does it at once, and the delivery is cancelled then."""
    by.must("publish", delivery)
    row = _locked(delivery, (State.PARTLY,), _("Nothing of it is out alone."))
    return _remove(row, by=by, did="delivery.taken_back")


@transaction.atomic
def delete_published(delivery: Delivery, *, by: Member) -> Delivery:
    """Takes a published post off its network; a publisher does it at once and sets ``gone_at``."""
    by.must("publish", delivery)
    row = _locked(delivery, (State.PUBLISHED,), _("It is not published."))
    if row.gone_at is not None:
        raise NotNow(_("It is no longer there."))
    return _remove(row, by=by, did="delivery.deleted")


def _remove(row: Delivery, *, by: Member, did: str) -> Delivery:
    can = capabilities_of(row.account)
    if not can.delete or not issubclass(registry.connector(row.account.network), Deletes):
        raise Problem(_("This network does not let us delete: do it there, it will show here."))
    published = row.accepted_at
    if can.delete_within is not None and published is not None and clock.now() > published + can.delete_within:
        raise Problem(_("This network no longer lets us delete a post of that age: do it there."))
    row.remove_at, row.problem, row.problem_facts = clock.now(), "", {}
    row.save()
    wake_publishers()
    audit.record(by=by, did=did, to=row, label=_label(row))
    return row


# Settling


@transaction.atomic
def settle_there(delivery: Delivery, *, link: str, by: Member) -> Delivery:
    """A person found an unclear one on the network; ``link`` is its address or its id there, the receipt.

    The parts of a thread that are missing then go out. Raises AlreadyPlanned when that post is another delivery's.
    """
    by.must("publish", delivery)
    row = _locked(delivery, (State.UNCLEAR,), _("It is no longer unclear."))
    step = row.steps.exclude(state=Step.State.PUBLISHED).order_by("position").first()
    if step is not None:
        _mark_published(row, step, link)
    if row.steps.exclude(state=Step.State.PUBLISHED).exists():
        row.state, row.look_at, row.to_tell = State.PARTLY, None, False
        row.save()
    else:
        _publish(row)
    audit.record(by=by, did="delivery.settled_there", to=row, label=_label(row), link=link[:300])
    return row


@transaction.atomic
def settle_absent(delivery: Delivery, *, by: Member) -> Delivery:
    """A person looked, and an unclear one is not there: it waits as missed, to be sent again or let go.

    Raises NotNow while the call may still be under way: what is not there yet could appear.
    """
    by.must("publish", delivery)
    row = _locked(delivery, (State.UNCLEAR,), _("It is no longer unclear."))
    if Attempt.objects.filter(step__delivery=row, ended_at=None, deadline__gt=clock.now()).exists():
        raise NotNow(_("It may still be on its way there. Look again in two minutes."))
    row.steps.filter(state=Step.State.UNCLEAR).update(state=Step.State.WAITING)
    row.state = State.PARTLY if _has_parts_out(row) else State.MISSED
    row.look_at, row.to_tell, row.problem, row.problem_facts = None, False, "", {}
    row.lease, row.leased_until = None, None
    row.save()
    audit.record(by=by, did="delivery.settled_absent", to=row, label=_label(row))
    return row


@transaction.atomic
def done_by_hand(delivery: Delivery, *, link: str, by: Member) -> Delivery:
    """A person published it; ``link`` is the receipt, from which metrics follow. The assignee may say so too."""
    if by.user_id != delivery.variant.assignee_id or by.workspace_id != delivery.workspace_id:
        by.must("publish", delivery)
    row = _locked(
        delivery, (State.BY_HAND, State.MISSED, State.REFUSED), _("Nobody is waiting for this to be done by hand.")
    )
    for step in row.steps.all():
        if step.position == 0:
            _mark_published(row, step, link)
        else:
            Step.objects.filter(pk=step.pk).update(state=Step.State.PUBLISHED, published_at=clock.now())
    _publish(row)
    audit.record(by=by, did="delivery.done_by_hand", to=row, label=_label(row), link=link[:300])
    return row


def _mark_published(row: Delivery, step: Step, link: str) -> None:
    step.remote_id, step.url = receipt_from(row.account, link)
    step.state, step.published_at = Step.State.PUBLISHED, clock.now()
    step.save()
    if step.position == 0:
        row.remote_id, row.url = step.remote_id, step.url


def _publish(row: Delivery) -> None:
    now = clock.now()
    row.state, row.problem, row.problem_facts, row.to_tell = State.PUBLISHED, "", {}, False
    row.sent_at, row.accepted_at = row.sent_at or now, now
    row.holds, row.lease, row.leased_until, row.look_at, row.looks = [], None, None, now, 0
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as exc:
        if "delivery_owns_its_post" not in str(exc):
            raise
        raise AlreadyPlanned(_("This link belongs to another delivery of the same account.")) from None


def receipt_from(account: Account, link: str) -> tuple[str, str]:
    """The network's id and the address, from what a person pasted: a link, or an id. Raises Problem when empty."""
    link = link.strip()
    if not link:
        raise Problem(_("Paste the link of the post."))
    connector = registry.connector(account.network)
    is_link = link.startswith(("http://", "https://"))
    known = connector.id_of(link, author=account.remote_id) if is_link and issubclass(connector, ReadsLinks) else None
    return (known or link)[:300], link[:500] if is_link else ""


@transaction.atomic
def made_public(delivery: Delivery, *, by: Member) -> Delivery:
    """A person let the public see what the network had taken without showing it. Raises NotAllowed, NotNow."""
    by.must("publish", delivery)
    row = _locked(delivery, (State.PUBLISHED,), _("It is not published."))
    if not row.limited:
        raise NotNow(_("The public sees it already."))
    row.limited = ""
    row.save(update_fields=["limited"])
    audit.record(by=by, did="delivery.made_public", to=row, label=_label(row))
    return row


@transaction.atomic
def mark_gone(delivery: Delivery) -> None:
    """The network said that a published post is no longer there."""
    if Delivery.objects.filter(pk=delivery.pk, gone_at=None).update(gone_at=clock.now(), look_at=None):
        audit.record(by=None, did="delivery.gone", to=delivery, label=_label(delivery))


def _label(row: Delivery) -> str:
    return f"{row.variant.post} · {row.account}"[:200]


# Freezing

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


@transaction.atomic
def freeze(thing: Covered, *, why: str, by: Member | User) -> Freeze:
    """Holds everything not yet sent: of an account, a campaign, a workspace, or (None, for operators) everywhere.

    One UPDATE; what is being sent finishes, and a publisher that has claimed more finds that it may not send it.
    Freezing again what is frozen gives the freeze there is.
    """
    place = _place(thing)
    _must(by, "freeze", place["workspace_id"])
    there = Freeze.objects.filter(lifted_at=None, **place).first()
    if there is not None:
        return there
    made = Freeze.objects.create(why=why[:300], by=by.user if isinstance(by, Member) else by, at=clock.now(), **place)
    held = hold_what_is_frozen()
    audit.record(by=by, did="frozen", to=thing, workspace=made.workspace_id, why=why, held=held)
    return made


HOLD_FROZEN = f"""
WITH covered AS (
    SELECT d.id FROM publishing_delivery d
    WHERE d.state IN ('held', 'scheduled', 'preparing', 'claimed', 'by_hand')
        AND NOT ('frozen' = ANY(d.holds)) AND NOT {UNFROZEN}
    ORDER BY d.id FOR UPDATE
)
UPDATE publishing_delivery d
SET state = 'held', holds = array_append(d.holds, 'frozen'), lease = NULL, leased_until = NULL
FROM covered WHERE d.id = covered.id
"""  # noqa: S608 - constants of ours


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
        if row.due_at + patience < now and _in_doubt(row):
            row.state, row.look_at = State.UNCLEAR, now
        elif row.due_at + patience < now:
            row.state = State.PARTLY if _has_parts_out(row) else State.MISSED
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


@transaction.atomic
def start_frozen_after_restore(*, backed_up_at: datetime) -> Freeze:
    """A restored or copied database: a new installation, frozen, that first finds out what went out without it.

    What was due since the backup, or was being sent in it, becomes unclear: the engine looks for it on its network and
    sends nothing, until an operator lifts the freeze.
    """
    now = clock.now()
    Installation.objects.update_or_create(pk=1, defaults={"key": uuid.uuid4(), "restored_at": now})
    made, _new = Freeze.objects.get_or_create(
        workspace=None,
        account=None,
        campaign=None,
        lifted_at=None,
        defaults={"why": "Restored from a backup.", "at": now},
    )
    waiting = Q(state__in=[State.HELD, State.SCHEDULED, State.PREPARING, State.CLAIMED], due_at__lte=now)
    doubtful = Delivery.objects.filter(waiting, variant__by_hand=False) | Delivery.objects.filter(state=State.SENDING)
    ids = list(doubtful.values_list("pk", flat=True))
    Delivery.objects.filter(pk__in=ids).update(
        state=State.UNCLEAR,
        holds=[],
        lease=None,
        leased_until=None,
        look_at=now,
        looks=0,
        sent_at=backed_up_at,
        next_at=now,  # it may have gone out until this moment
    )
    first = Step.objects.filter(
        delivery__in=ids, state__in=[Step.State.WAITING, Step.State.SENDING, Step.State.PROCESSING]
    )
    first.update(state=Step.State.UNCLEAR)
    held = hold_what_is_frozen()
    audit.record(by=None, did="restored", backed_up_at=backed_up_at.isoformat(), unclear=len(ids), held=held)
    return made


# What the network tells afterwards


def no_longer_there(*, account_id: int, remote_ids: Collection[str]) -> int:
    """The network says that posts are gone: deleted there, or hidden from the public. Returns how many were ours."""
    rows = Delivery.objects.filter(account=account_id, remote_id__in=remote_ids, state=State.PUBLISHED, gone_at=None)
    return rows.update(gone_at=clock.now(), look_at=None)


def seen_by_all(*, account_id: int, remote_ids: Collection[str]) -> int:
    """The network shows posts to the public that it had taken without doing so. Returns how many were ours."""
    if not remote_ids:
        return 0
    rows = Delivery.objects.filter(account=account_id, remote_id__in=remote_ids, state=State.PUBLISHED)
    return rows.exclude(limited="").update(limited="")


# Zone rules


def recompute_due_times() -> int:
    """Derives ``due_at`` again from the wall time, as zone rules may have changed. Returns how many moved."""
    moved = 0
    last: int | None = 0
    while last is not None:
        some, last = recompute_some(after=last)
        moved += some
    return moved


def recompute_some(*, after: int) -> tuple[int, int | None]:
    """The same for the next few beyond a number. Returns how many moved, and where to go on: None when all are done."""
    rows = Delivery.objects.filter(pk__gt=after, state__in=[State.HELD, State.SCHEDULED], due_at__gt=clock.now())
    some = list(rows.order_by("pk").values_list("pk", "local_at", "zone", "due_at")[:RECOMPUTED_AT_ONCE])
    moved = 0
    for pk, local_at, zone, due_at in some:
        meant = WallTime(local_at, zone).utc
        if meant != due_at:
            moved += _move_due(pk, due_at, meant)
    return moved, some[-1][0] if len(some) == RECOMPUTED_AT_ONCE else None


@transaction.atomic
def _move_due(pk: int, was: datetime, meant: datetime) -> int:
    row = Delivery.objects.select_for_update(of=("self",)).select_related("account", "variant__post").get(pk=pk)
    if row.due_at != was or row.state not in (State.HELD, State.SCHEDULED):
        return 0
    row.due_at = row.next_at = meant
    row.prepare_at = prepare_at(row)
    row.save(update_fields=["due_at", "next_at", "prepare_at"])
    audit.record(
        by=None, did="delivery.zone_changed", to=row, label=_label(row), before=was.isoformat(), after=meant.isoformat()
    )
    return 1
