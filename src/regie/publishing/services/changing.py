"""Changing a promise until it is kept, and taking back what is out."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from regie.accounts.opening import capabilities_of
from regie.core import clock
from regie.core.errors import Problem
from regie.core.times import WallTime
from regie.networks import registry
from regie.networks.protocols import Deletes
from regie.people import audit
from regie.people.models import Member
from regie.publishing.contents import steps_of_delivery
from regie.publishing.engine.rewrite import drop
from regie.publishing.errors import NotNow, NotReady, TooLate
from regie.publishing.models import Attempt, Delivery, Step
from regie.publishing.services.rows import (
    GRACE,
    MAYBE_OUT,
    has_parts_out,
    in_doubt,
    label,
    locked,
    must_be_to_come,
    promise_again,
    publish,
    this_moment,
    wake_publishers,
)
from regie.publishing.states import MOVABLE, NEEDS_A_PERSON, State
from regie.studio.checks import why_not

CANCELLABLE = (*MOVABLE, State.PREPARING, State.CLAIMED)


@transaction.atomic
def move(delivery: Delivery, *, at: WallTime, by: Member, late_minutes: int | None = None) -> Delivery:
    """Another time, and patience, for a delivery that has not begun. None: its patience stays as it is.

    Raises NotAllowed, TooLate, AlreadyPlanned, NotNow.
    """
    by.must("schedule", delivery)
    must_be_to_come(at)
    row = locked(delivery, MOVABLE, _("It can no longer be moved: it is on its way, or was settled meanwhile."))
    before = row.due_at
    row.late_minutes = row.late_minutes if late_minutes is None else late_minutes
    promise_again(row, at)
    audit.record(
        by=by, did="delivery.moved", to=row, label=label(row), before=before.isoformat(), after=row.due_at.isoformat()
    )
    return row


@transaction.atomic
def cancel(delivery: Delivery, *, by: Member) -> Delivery:
    """It will not go out. Until the very moment of sending; what is partly out is finished or taken back instead, and
    what may be out is looked for: it is cancelled once it is known not to be there."""
    by.must("schedule", delivery)
    row = locked(delivery, CANCELLABLE, _("It is too late to cancel: it is on its way, or was settled meanwhile."))
    row.holds, row.lease, row.leased_until, row.look_at, row.to_tell = [], None, None, None, False
    if row.state not in NEEDS_A_PERSON and in_doubt(row):
        row.state, row.look_at, row.looks, row.called_off = State.UNCLEAR, clock.now(), 0, True
        row.problem, row.problem_facts = MAYBE_OUT, {}
    else:
        row.state = State.PARTLY if has_parts_out(row) else State.CANCELLED
    row.save()
    audit.record(by=by, did="delivery.cancelled", to=row, label=label(row))
    return row


@transaction.atomic
def undo_cancel(delivery: Delivery, *, by: Member) -> Delivery:
    """The promise as it was. Raises TooLate once its time has passed."""
    by.must("schedule", delivery)
    row = locked(delivery, (State.CANCELLED,), _("It is not cancelled."))
    if row.gone_at is not None:
        raise NotNow(_("It was out and was taken back: schedule the post again."))
    if row.due_at < clock.now() - GRACE:
        raise TooLate(_("Its time has passed. Choose a new one."))
    promise_again(row, WallTime(row.local_at, row.zone))
    audit.record(by=by, did="delivery.cancel_undone", to=row, label=label(row))
    return row


@transaction.atomic
def send_again(delivery: Delivery, *, by: Member) -> Delivery:
    """A refused or missed delivery goes out now, as its post reads now. Raises NotReady when it would be refused."""
    by.must("publish", delivery)
    row = locked(delivery, (State.REFUSED, State.MISSED), _("It is not waiting to be sent again."))
    if why := why_not(row.variant):
        raise NotReady(" ".join(why), {row.variant: why})
    promise_again(row, this_moment(row.workspace))
    audit.record(by=by, did="delivery.sent_again", to=row, label=label(row))
    return row


@transaction.atomic
def send_now(delivery: Delivery, *, by: Member) -> Delivery:
    """What waits, is held or was missed goes out now, as its post reads now; what still holds it goes on holding it."""
    by.must("publish", delivery)
    row = locked(delivery, MOVABLE, _("It is on its way already, or was settled meanwhile."))
    if why := why_not(row.variant):
        raise NotReady(" ".join(why), {row.variant: why})
    promise_again(row, this_moment(row.workspace))
    audit.record(by=by, did="delivery.sent_now", to=row, label=label(row))
    return row


@transaction.atomic
def let_go(delivery: Delivery, *, by: Member) -> Delivery:
    """One that was left held at the end of a freeze waits for its time again. Raises TooLate once that has passed."""
    by.must("schedule", delivery)
    row = locked(delivery, (State.HELD,), _("It is not held."))
    if row.due_at < clock.now() - GRACE:
        raise TooLate(_("Its time has passed. Choose a new one."))
    promise_again(row, WallTime(row.local_at, row.zone))
    audit.record(by=by, did="delivery.let_go", to=row, label=label(row))
    return row


@transaction.atomic
def finish_partly(delivery: Delivery, *, by: Member) -> Delivery:
    """Sends the parts that are missing, from where it stopped."""
    by.must("publish", delivery)
    row = locked(delivery, (State.PARTLY,), _("Nothing of it is missing."))
    if row.remove_at is not None:
        raise NotNow(_("It is being taken back."))
    if _has_all_its_parts(row):
        publish(row)
    else:
        promise_again(row, this_moment(row.workspace))
    audit.record(by=by, did="delivery.finished", to=row, label=label(row))
    return row


def _has_all_its_parts(row: Delivery) -> bool:
    """Whether its post says no more than what is out: what was refused was taken out of it. That is then dropped."""
    missing = list(row.steps.exclude(state__in=(Step.State.PUBLISHED, Step.State.DROPPED)))
    many = len(steps_of_delivery(row))
    if any(step.position < many for step in missing) or _tried_in_doubt(missing):
        return False
    for step in missing:
        drop(step)
    return True


def _tried_in_doubt(steps: list[Step]) -> bool:
    """Whether one of them was tried and may be out; one that went out after our backup at most is simply not sent."""
    doubted = [step for step in steps if step.state == Step.State.UNCLEAR]
    return Attempt.objects.filter(step__in=doubted, kind=Attempt.Kind.COMMIT, outcome__in=("", "unclear")).exists()


@transaction.atomic
def take_back(delivery: Delivery, *, by: Member) -> Delivery:
    """Deletes the parts that are out; a publisher does it at once, and the delivery is cancelled then."""
    by.must("publish", delivery)
    row = locked(delivery, (State.PARTLY,), _("Nothing of it is out alone."))
    return _remove(row, by=by, did="delivery.taken_back")


@transaction.atomic
def taken_back_there(delivery: Delivery, *, by: Member) -> Delivery:
    """A person deleted on the network what was out of it, where the network lets no program do that."""
    by.must("publish", delivery)
    row = locked(delivery, (State.PARTLY,), _("Nothing of it is out alone."))
    row.state, row.gone_at, row.remove_at = State.CANCELLED, clock.now(), None
    row.problem, row.problem_facts, row.to_tell, row.look_at = "", {}, False, None
    row.save()
    audit.record(by=by, did="delivery.taken_back", to=row, label=label(row))
    return row


@transaction.atomic
def leave_as_it_is(delivery: Delivery, *, by: Member) -> Delivery:
    """What is out of it is all that there will be: the parts that are missing are dropped."""
    by.must("publish", delivery)
    row = locked(delivery, (State.PARTLY,), _("Nothing of it is missing."))
    if row.remove_at is not None:
        raise NotNow(_("It is being taken back."))
    if not row.remote_id:  # its first part is not there
        raise NotNow(_("Its beginning is missing: send it, or delete what is out."))
    for step in row.steps.exclude(state__in=(Step.State.PUBLISHED, Step.State.DROPPED)):
        drop(step)
    publish(row)
    audit.record(by=by, did="delivery.left_as_it_is", to=row, label=label(row))
    return row


@transaction.atomic
def delete_published(delivery: Delivery, *, by: Member) -> Delivery:
    """Takes a published post off its network; a publisher does it at once and sets ``gone_at``."""
    by.must("publish", delivery)
    row = locked(delivery, (State.PUBLISHED,), _("It is not published."))
    if row.gone_at is not None:
        raise NotNow(_("It is no longer there."))
    return _remove(row, by=by, did="delivery.deleted")


def _remove(row: Delivery, *, by: Member, did: str) -> Delivery:
    can = capabilities_of(row.account)
    if not can.delete or not issubclass(registry.connector(row.account.network), Deletes):
        raise Problem(_("This network does not let us delete: do it there, it will show here."))
    published = row.accepted_at or row.sent_at
    if can.delete_within is not None and published is not None and clock.now() > published + can.delete_within:
        raise Problem(_("This network no longer lets us delete a post of that age: do it there."))
    row.remove_at, row.problem, row.problem_facts = clock.now(), "", {}
    row.save()
    wake_publishers()
    audit.record(by=by, did=did, to=row, label=label(row))
    return row
