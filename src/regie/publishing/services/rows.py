"""What every change of a delivery shares: its row as it is now, its time, and the word to the publishers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from regie.accounts.opening import capabilities_of
from regie.core import clock
from regie.core.times import WallTime
from regie.people.models import Workspace
from regie.publishing import room
from regie.publishing.contents import ask_for_videos, has_video, steps_of_delivery
from regie.publishing.engine.database import CHANNEL
from regie.publishing.engine.rewrite import write_anew
from regie.publishing.errors import AlreadyPlanned, NotNow, TooLate
from regie.publishing.holds import holds_now
from regie.publishing.models import Attempt, Delivery, Step
from regie.publishing.states import State

GRACE = timedelta(minutes=1)  # the minute that a person chose is over only when the next begins
SOON = timedelta(seconds=5)
MAYBE_OUT = gettext_noop("It may be out already: Régie looks, and sends nothing more.")
MAYBE_SINCE_BACKUP = gettext_noop("It may have gone out after the backup that was restored: we look for it first.")


def must_be_to_come(at: WallTime) -> None:
    """Raises TooLate when the minute that a person chose is over."""
    if at.utc < clock.now() - GRACE:
        raise TooLate(_("This time has passed. Choose a later one, or publish now."))


def locked(delivery: Delivery, allowed: Iterable[State], said: str) -> Delivery:
    """The row, locked as it is now. Raises NotNow when its state is none of ``allowed``."""
    row = (
        Delivery.objects.select_for_update(of=("self",))
        .select_related("account", "variant__post", "workspace")
        .get(pk=delivery.pk)
    )
    if State(row.state) not in allowed:
        raise NotNow(said)
    return row


def label(row: Delivery) -> str:
    return f"{row.variant.post} · {row.account}"[:200]


def has_parts_out(row: Delivery) -> bool:
    return row.steps.filter(state=Step.State.PUBLISHED).exists()


def in_doubt(row: Delivery) -> bool:
    """Whether it may be out, so that it must be found out before anything else is decided. Of what people do by hand,
    and we never tried, they know more than a network tells."""
    doubted = row.steps.filter(state=Step.State.UNCLEAR)
    return (doubted.filter(attempts__isnull=False) if row.variant.by_hand else doubted).exists()


def in_doubt_since_backup(row: Delivery) -> bool:
    """Whether it may have gone out after the backup that we come from, and nobody has found out yet."""
    if row.doubt_from is None or not in_doubt(row):
        return False
    tried = Attempt.objects.filter(step=OuterRef("pk"), kind=Attempt.Kind.COMMIT, began_at__gt=row.doubt_from)
    return row.steps.filter(~Exists(tried), state=Step.State.UNCLEAR).exists()


def promise_again(row: Delivery, at: WallTime) -> None:
    """Back to waiting, or held when something holds it now.

    What may have gone out after the backup that we come from is looked for at once, and waits when it is not there.
    """
    set_time(row, at)
    row.problem, row.problem_facts, row.to_tell, row.look_at, row.looks, row.tries = "", {}, False, None, 0, 0
    row.lease, row.leased_until, row.publisher, row.called_off = None, None, "", False
    if in_doubt_since_backup(row):
        _say_what_the_post_says(row)
        row.state, row.holds, row.look_at, row.problem = State.UNCLEAR, [], clock.now(), MAYBE_SINCE_BACKUP
    else:
        row.holds = holds_now(row.variant, row.account)
        row.state = State.HELD if row.holds else State.SCHEDULED
    with planned_once():
        row.save()
    begin_making(row)
    wake([row])


def _say_what_the_post_says(row: Delivery) -> None:
    """What is looked for is what would be sent: people may have changed the post, as they may have done before."""
    said = Q(kind=Attempt.Kind.COMMIT) & ~Q(outcome__in=("later", "refused", "sign_in"))
    tried = Exists(Attempt.objects.filter(said, step=OuterRef("pk")))
    kept = row.steps.filter(Q(state=Step.State.PUBLISHED) | tried).values_list("position", flat=True)
    write_anew(row, steps_of_delivery(row), set(kept), doubted=True)
    row.post_version = row.variant.post.version


@contextmanager
def planned_once() -> Iterator[None]:
    """Around what writes deliveries with their times. Raises AlreadyPlanned when another of a variant has the time."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as exc:
        if "delivery_once_per_occurrence" not in str(exc):
            raise
        raise AlreadyPlanned(_("This post is already planned for that account at this very time.")) from None


def publish(row: Delivery) -> None:
    """It is out, as a person or its own parts say. Raises AlreadyPlanned when another delivery has that post."""
    now = clock.now()
    row.state, row.problem, row.problem_facts, row.to_tell = State.PUBLISHED, "", {}, False
    row.sent_at, row.accepted_at = row.sent_at or now, now
    row.holds, row.lease, row.leased_until, row.look_at, row.looks = [], None, None, now, 0
    save_with_its_post(row)


def save_with_its_post(row: Delivery) -> None:
    """Raises AlreadyPlanned when the post that it names as its own is another delivery's."""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as exc:
        if "delivery_owns_its_post" not in str(exc):
            raise
        raise AlreadyPlanned(_("This link belongs to another delivery of the same account.")) from None


def set_time(delivery: Delivery, at: WallTime) -> None:
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


def this_moment(workspace: Workspace) -> WallTime:
    """On the workspace's clock."""
    return WallTime.exactly(clock.now(), workspace.zone)


def wake(deliveries: Iterable[Delivery]) -> None:
    """Publishers look by themselves every second; what is due now they hear of at once, when this commits."""
    if any(d.state == State.SCHEDULED and d.next_at <= clock.now() + SOON for d in deliveries):
        wake_publishers()


def wake_publishers() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
