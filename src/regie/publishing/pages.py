"""What the pages of a delivery show: its moments, what may be done to it, and whether anything is under way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from regie.accounts.opening import capabilities_of
from regie.core import clock
from regie.media.models import File
from regie.networks import registry
from regie.networks.protocols import Deletes
from regie.people import lateness
from regie.people.models import Member
from regie.people.scope import Scope
from regie.publishing import editing
from regie.publishing.contents import COMMENT, steps_of_delivery
from regie.publishing.holds import KEPT, WHY
from regie.publishing.models import Attempt, Delivery, Edit, Step
from regie.publishing.services import can_look_again
from regie.publishing.states import LIMITED, MOVABLE, State
from regie.studio.models import first_line
from regie.studio.options import told

IN_FLIGHT = frozenset((State.PREPARING, State.CLAIMED, State.SENDING, State.PROCESSING))
SOON = timedelta(minutes=2)


def deliveries_seen(scope: Scope) -> QuerySet[Delivery]:
    """The deliveries of all the person's workspaces, with what a page draws of them."""
    attempts = Prefetch("attempts", Attempt.objects.order_by("number"))
    edits = Prefetch("edits", Edit.objects.order_by("number").select_related("by"))
    steps = Prefetch("steps", Step.objects.order_by("position").prefetch_related(attempts, edits))
    return (
        Delivery.objects.filter(workspace__in=[seat.workspace_id for seat in scope.members])
        .select_related("account", "variant__post", "variant__assignee", "workspace", "scheduled_by")
        .prefetch_related(steps)
    )


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of the receipt. ``after`` is how long after the promised time, in seconds; below zero: before it."""

    label: str | Promise
    at: datetime | None
    after: float | None


@dataclass(frozen=True, slots=True)
class StepView:
    step: Step
    text: str
    pictures: tuple[tuple[File | None, str], ...]
    attempts: tuple[Attempt, ...]
    edits: tuple[Edit, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    number: int = 0  # among several parts
    limited: bool = False  # the public does not see it
    changes_alone: bool = False  # it can be changed on the network by itself: a part, a first comment

    @property
    def is_comment(self) -> bool:
        return COMMENT in self.step.content

    @property
    def versions(self) -> list[dict[str, Any]]:
        """What it said, from the first on: {text, by, at, edit} each; ``edit`` None for what was published."""
        done = [edit for edit in self.edits if edit.state == Edit.State.DONE]
        first = done[0].before if done else self.step.content
        return [
            {"text": first.get("text", ""), "by": None, "at": self.step.published_at, "edit": None},
            *({"text": one.content.get("text", ""), "by": one.by, "at": one.ended_at, "edit": one} for one in done),
        ]

    @property
    def last_edit(self) -> Edit | None:
        """The newest change, when it is not simply done."""
        return self.edits[-1] if self.edits and self.edits[-1].state != Edit.State.DONE else None

    @property
    def shown(self) -> str:
        return LIMITED if self.limited and self.step.state == Step.State.PUBLISHED else self.step.state


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """A delivery as a page draws it. ``may``: which actions are offered to this person now."""

    delivery: Delivery
    may: frozenset[str]
    live: bool
    mark: str
    holds: tuple[str | Promise, ...]
    network: str
    no_edit: str = ""  # why what is out cannot be changed from here

    @property
    def steps(self) -> list[Step]:
        return [step for step in self.delivery.steps.all() if step.state != Step.State.DROPPED]

    @property
    def title(self) -> str:
        """The post's, or the first line of what its readers see by now: it may have been changed after publication."""
        post, steps = self.delivery.variant.post, self.steps
        return post.title or (first_line(str(steps[0].content.get("text", ""))) if steps else "") or str(post)

    @property
    def late_choices(self) -> list[tuple[int, str]]:
        return lateness.choices(self.delivery.late_minutes)

    @property
    def lacks_comment(self) -> bool:
        """All of the post is out, and its first comment is not."""
        missing = [step for step in self.steps if step.state != Step.State.PUBLISHED]
        return len(missing) == 1 and COMMENT in missing[0].content

    @property
    def backup_in_doubt(self) -> datetime | None:
        """The moment of the backup that we come from, when it may have gone out after that and nobody looked yet."""
        d = self.delivery
        if d.doubt_from is None or d.state in (State.PUBLISHED, State.CANCELLED):
            return None
        return d.doubt_from if any(_untried_since(step, d.doubt_from) for step in self.steps) else None

    @property
    def out(self) -> int:
        return sum(step.state == Step.State.PUBLISHED for step in self.steps)


def _untried_since(step: Step, backup: datetime) -> bool:
    tried = (one.began_at > backup for one in step.attempts.all() if one.kind == Attempt.Kind.COMMIT)
    return step.state == Step.State.UNCLEAR and not any(tried)


def view_of(delivery: Delivery, member: Member) -> DeliveryView:
    return DeliveryView(
        delivery=delivery,
        may=frozenset(_offered(delivery, member)),
        live=is_live(delivery),
        mark=mark(delivery),
        holds=tuple(WHY.get(hold, hold) for hold in delivery.holds),
        network=registry.connector(delivery.account.network).name,
        no_edit=_no_edit(delivery),
    )


def _no_edit(delivery: Delivery) -> str:
    """For those that are out; the rest is changed in the composer."""
    is_out = delivery.state == State.PUBLISHED and delivery.gone_at is None and delivery.remove_at is None
    return editing.why_not(delivery) or "" if is_out else ""


def _offered(delivery: Delivery, member: Member) -> Iterable[str]:
    """What the delivery's state and the member's role allow: names of actions in ``views.ACTIONS``."""
    state = State(delivery.state)
    if member.may("schedule"):
        if state in MOVABLE:
            yield "move"
        if state in MOVABLE or state in (State.PREPARING, State.CLAIMED):
            yield "cancel"
        if state == State.HELD and KEPT in delivery.holds and delivery.due_at > clock.now():
            yield "let-go"
        if state == State.CANCELLED and delivery.gone_at is None and delivery.due_at > clock.now():
            yield "undo-cancel"
    assigned = delivery.variant.assignee_id == member.user_id
    waits = state == State.BY_HAND or (state == State.MISSED and delivery.variant.by_hand)
    if waits and (assigned or member.may("publish")):
        yield "done"
    if not member.may("publish"):
        return
    if state in (State.REFUSED, State.MISSED):
        yield "send-again"
    if state == State.HELD and KEPT in delivery.holds:
        yield "send-now"
    if state == State.UNCLEAR:
        yield from ("there", "absent")
    if state == State.PARTLY and delivery.remove_at is None:
        yield from ("finish", "leave", "take-back" if _can_delete(delivery) else "taken-back")
    if delivery.shown == LIMITED and delivery.gone_at is None and delivery.remove_at is None:
        yield "made-public"
    if can_look_again(delivery):
        yield "look-again"
    if state == State.PUBLISHED and editing.why_not(delivery) is None:
        yield "edit"
    if state == State.PUBLISHED and delivery.gone_at is None and delivery.remove_at is None and _can_delete(delivery):
        yield "delete"


def _can_delete(delivery: Delivery) -> bool:
    can = capabilities_of(delivery.account)
    if not can.delete or not issubclass(registry.connector(delivery.account.network), Deletes):
        return False
    out = delivery.accepted_at or delivery.sent_at  # the latter of what is partly out
    return can.delete_within is None or out is None or clock.now() < out + can.delete_within


def is_live(delivery: Delivery) -> bool:
    """Whether something may change within seconds, so that the page asks again."""
    if delivery.state in IN_FLIGHT or (delivery.remove_at is not None and delivery.gone_at is None):
        return True
    if any(edit.is_open and not edit.asks_a_person for step in delivery.steps.all() for edit in step.edits.all()):
        return True
    if delivery.state == State.SCHEDULED:
        return delivery.next_at <= clock.now() + SOON
    if delivery.state == State.PUBLISHED and delivery.visible_at is None and delivery.accepted_at is not None:
        return clock.now() < delivery.accepted_at + SOON
    return delivery.state == State.UNCLEAR


def mark(delivery: Delivery) -> str:
    """Changes when anything a page shows of the delivery does: a page that has the same mark needs nothing new."""
    facts: list[Any] = [
        delivery.state,
        delivery.due_at,
        delivery.next_at,
        delivery.holds,
        delivery.problem,
        delivery.limited,
        delivery.spread_from,
        delivery.visible_at,
        delivery.gone_at,
        delivery.remove_at,
        is_live(delivery),
    ]
    for step in delivery.steps.all():
        facts += [step.state, step.remote_id, len(step.attempts.all())]
        facts += [(edit.number, edit.state, edit.problem, edit.asks_a_person) for edit in step.edits.all()]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def moments(delivery: Delivery) -> list[Moment]:
    """The receipt, from promise to sight, each with how far it was from the promised time."""
    lines: list[tuple[str | Promise, datetime | None]] = [
        (_("Promised for"), delivery.due_at),
        (_("Claimed by a publisher"), delivery.claimed_at),
        (_("Sent"), delivery.sent_at),
        (_("Accepted by the network"), delivery.accepted_at),
        (_("Seen on the network"), delivery.visible_at),
        (_("No longer there"), delivery.gone_at),
    ]
    return [
        Moment(label, at, (at - delivery.due_at).total_seconds() if at and number else None)
        for number, (label, at) in enumerate(lines)
        if at is not None or (number < 4 and delivery.state != State.PUBLISHED)
    ]


def seconds_between(earlier: datetime | None, later: datetime | None) -> float | None:
    return (later - earlier).total_seconds() if earlier and later else None


def steps_of(delivery: Delivery) -> list[StepView]:
    """The parts as they were, or will be, sent. Files in one query."""
    steps = _as_they_would_go(delivery)
    numbers = {number for step in steps for use in step.content.get("media", []) for number in _numbers(use)}
    files = File.objects.filter(workspace=delivery.workspace_id).in_bulk(numbers) if numbers else {}
    can = capabilities_of(delivery.account)
    many = sum(COMMENT not in step.content for step in steps) > 1
    return [
        StepView(
            step=step,
            text=step.content.get("text", ""),
            pictures=tuple(one for use in step.content.get("media", []) for one in _files_of(use, files)),
            attempts=tuple(step.attempts.all()) if step.pk else (),
            edits=tuple(step.edits.all()) if step.pk else (),
            options=tuple(told(delivery.account, can, step.content.get("options", {}), step.content.get("names", {}))),
            number=number if many else 0,
            limited=delivery.shown == LIMITED,
            changes_alone=bool(step.remote_id) and (can.edit_comment if COMMENT in step.content else many),
        )
        for number, step in enumerate(steps, 1)
    ]


def _numbers(use: dict[str, Any]) -> list[int]:
    """A file, and what goes with it: its cover, its subtitles."""
    return [use[name] for name in ("file", "cover", "captions") if use.get(name)]


def _files_of(use: dict[str, Any], files: dict[int, File]) -> list[tuple[File | None, str]]:
    beside = [files[number] for number in _numbers(use)[1:] if number in files]
    return [_picture(use, files), *((file, file.alt) for file in beside)]


NOT_BEGUN = frozenset((State.HELD, State.SCHEDULED, State.BY_HAND, State.MISSED))


def _as_they_would_go(delivery: Delivery) -> list[Step]:
    """The steps; of a delivery that has not begun, with what its post says now: the engine sends that."""
    steps = list(delivery.steps.all())
    if delivery.state not in NOT_BEGUN or any(_has_begun(step) for step in steps):
        return steps
    contents = steps_of_delivery(delivery)
    if len(contents) != len(steps):
        return [Step(delivery=delivery, position=number, content=content) for number, content in enumerate(contents)]
    for step, content in zip(steps, contents, strict=True):
        step.content = content
    return steps


def _has_begun(step: Step) -> bool:
    """As far as we know: one that is in doubt since a restore was perhaps never tried."""
    return step.state != Step.State.WAITING and bool(step.state != Step.State.UNCLEAR or step.attempts.all())


def _picture(use: dict[str, Any], files: dict[int, File]) -> tuple[File | None, str]:
    file = files.get(use["file"])
    alt = use.get("alt")
    return file, alt if alt is not None else (file.alt if file else "")
