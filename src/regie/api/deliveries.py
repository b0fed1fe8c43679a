"""Deliveries and their receipts: what was promised, every moment of it, what a person decides; and the freeze."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from regie.accounts.queries import accounts_for
from regie.api.errors import COMMON
from regie.api.once import Key, once
from regie.api.shapes import Given, Moment, Number, Page, Pages, Wall, When, Zone, page_of
from regie.api.tokens import ApiRequest
from regie.core.errors import Problem
from regie.core.sentences import in_words
from regie.core.times import WallTime
from regie.people import lateness
from regie.people.errors import NotAllowed
from regie.people.models import Member
from regie.publishing import queries, resuming, services
from regie.publishing.holds import WHY
from regie.publishing.models import Attempt, Delivery, Freeze, Step
from regie.publishing.states import LIMITED, State
from regie.studio.campaigns import campaigns_for

router = Router(tags=["deliveries"])


class Hold(BaseModel):
    hold: str
    said: str


class DeliveryOut(BaseModel):
    id: int
    post: int
    account: int
    state: State
    holds: list[Hold] = Field(description="Why it is held; it leaves that state when none is left.")
    limited: str = Field(
        description="Why the public does not see what the network took (its state is published): a sentence for "
        "people; empty: it does."
    )
    problem: str = Field(description="A sentence for people, empty when all is well.")
    local_at: datetime = Field(description="Wall clock, as the person chose it.")
    zone: str
    late_minutes: int
    due_at: datetime
    spread_from: datetime | None = Field(description="When it was to go out, had the network taken more that day.")
    next_at: datetime = Field(description="due_at, or later when the network told us to wait.")
    claimed_at: datetime | None
    sent_at: datetime | None = Field(description="The visible call began.")
    accepted_at: datetime | None = Field(description="The network said yes.")
    visible_at: datetime | None = Field(description="We saw it there.")
    gone_at: datetime | None = Field(description="It is no longer there.")
    late_seconds: float | None = Field(description="From the promised moment to the beginning of the visible call.")
    latency_seconds: float | None = Field(description="From there to the network's yes.")
    remote_id: str
    link: str


class AttemptOut(BaseModel):
    number: int
    kind: str
    publisher: str
    fingerprint: str = Field(description="SHA-256 of exactly what was to be sent.")
    began_at: datetime
    ended_at: datetime | None
    outcome: str
    said: str
    answer: Any = Field(description="Status, headers that matter, body, seconds; secrets masked.")


class StepOut(BaseModel):
    position: int
    state: str
    content: dict[str, Any] = Field(description="Exactly what this step says.")
    remote_id: str
    link: str
    published_at: datetime | None
    attempts: list[AttemptOut]


class Receipt(DeliveryOut):
    steps: list[StepOut]


class MoveIn(When):
    late_minutes: int | None = Field(
        None, ge=0, le=lateness.LONGEST, description="Later than this, a person is asked. None: as it was."
    )


class Link(Given):
    link: str = Field(min_length=1, max_length=500, description="The post's address on the network, or its id there.")


def delivery_out(row: Delivery) -> DeliveryOut:
    return DeliveryOut(**_facts(row))


def receipt_of(row: Delivery) -> Receipt:
    steps = row.steps.prefetch_related("attempts").order_by("position")
    return Receipt(**_facts(row), steps=[_step(step) for step in steps])


def _facts(row: Delivery) -> dict[str, Any]:
    moments = ("due_at", "next_at", "claimed_at", "sent_at", "accepted_at", "visible_at", "gone_at")
    names = ("state", "local_at", "zone", "late_minutes", "spread_from", "remote_id", *moments)
    return {
        "id": row.pk,
        "post": row.variant.post_id,
        "account": row.account_id,
        "holds": [Hold(hold=hold, said=str(WHY.get(hold, hold))) for hold in row.holds],
        "problem": in_words(row.problem, row.problem_facts),
        "limited": in_words(row.limited) if row.shown == LIMITED else "",
        "late_seconds": _seconds(row.due_at, row.sent_at),
        "latency_seconds": _seconds(row.sent_at, row.accepted_at),
        "link": row.url,
        **{name: getattr(row, name) for name in names},
    }


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start is not None and end is not None else None


def _step(step: Step) -> StepOut:
    return StepOut(
        position=step.position,
        state=step.state,
        content=step.content,
        remote_id=step.remote_id,
        link=step.url,
        published_at=step.published_at,
        attempts=[_attempt(attempt) for attempt in step.attempts.all()],
    )


def _attempt(attempt: Attempt) -> AttemptOut:
    names = ("number", "kind", "publisher", "fingerprint", "began_at", "ended_at", "outcome", "answer")
    said = in_words(attempt.said, attempt.said_facts)
    return AttemptOut(said=said, **{name: getattr(attempt, name) for name in names})


def _deliveries(request: ApiRequest) -> QuerySet[Delivery]:
    return queries.deliveries_for(request.auth.scope)


def _delivery(request: ApiRequest, pk: int) -> Delivery:
    return get_object_or_404(_deliveries(request), pk=pk)


class DeliveryFilter(BaseModel):
    state: State | None = Field(None, description="published: what the public sees, unless limited says otherwise.")
    limited: bool | None = Field(
        None,
        description="true: only what its network took without showing it to the public; false: without that. Left out: "
        "every delivery, and with state=published only what the public sees.",
    )
    account: Number | None = None
    post: Number | None = None
    since: Moment | None = Field(None, description="Due at this moment or later.")
    until: Moment | None = Field(None, description="Due before this moment.")


@router.get("/deliveries", response={200: Page[DeliveryOut], **COMMON}, summary=_("List the deliveries"))
def deliveries(request: ApiRequest, paging: Pages, wanted: Annotated[DeliveryFilter, Query()]) -> Page[DeliveryOut]:
    """By their due time, the earliest first."""
    where = {
        "state": wanted.state,
        "account": wanted.account,
        "variant__post": wanted.post,
        "due_at__gte": wanted.since,
        "due_at__lt": wanted.until,
    }
    found = _deliveries(request).filter(**{name: value for name, value in where.items() if value is not None})
    limited = False if wanted.limited is None and wanted.state is State.PUBLISHED else wanted.limited
    if limited is not None:
        found = found.filter(queries.NOT_PUBLIC if limited else ~queries.NOT_PUBLIC)
    rows, more = page_of(found.order_by("due_at", "pk"), paging)
    return Page(items=[delivery_out(row) for row in rows], page=paging.page, more=more)


@router.get("/deliveries/{pk}", response={200: Receipt, **COMMON}, summary=_("The receipt of a delivery"))
def delivery(request: ApiRequest, pk: Number) -> Receipt:
    """Every moment, the link, the steps with exactly what each said, and every attempt with the network's answer."""
    return receipt_of(_delivery(request, pk))


@router.post("/deliveries/{pk}/move", response={200: DeliveryOut, **COMMON}, summary=_("Move a delivery"))
def move(request: ApiRequest, pk: Number, given: MoveIn) -> DeliveryOut:
    """To another wall-clock time. Only one that has not begun."""
    row, member = _delivery(request, pk), request.auth.member
    return delivery_out(services.move(row, at=given.at(row.zone), by=member, late_minutes=given.late_minutes))


Verb = Callable[..., Delivery]


def _plain(path: str, verb: Verb, summary: str, description: str, *, sends: bool = False) -> None:
    """Adds an operation that takes nothing but the delivery. ``sends``: it listens to Idempotency-Key."""
    words: dict[str, Any] = {
        "response": {200: DeliveryOut, **COMMON},
        "summary": summary,
        "description": description,
        "operation_id": f"delivery_{path.replace('-', '_')}",
    }

    def do(request: ApiRequest, pk: int) -> DeliveryOut:
        return delivery_out(verb(_delivery(request, pk), by=request.auth.member))

    if sends:

        @router.post(f"/deliveries/{{pk}}/{path}", **words)
        def act_once(request: ApiRequest, pk: Number, key: Key = "") -> Status[DeliveryOut]:
            return once(request, key, DeliveryOut, lambda: do(request, pk))

    else:

        @router.post(f"/deliveries/{{pk}}/{path}", **words)
        def act(request: ApiRequest, pk: Number) -> DeliveryOut:
            return do(request, pk)


_plain("cancel", services.cancel, _("Cancel a delivery"), "It will not go out. Until the moment of sending.")
_plain("undo-cancel", services.undo_cancel, _("Undo the cancelling"), "The promise as it was, if its time is to come.")
_plain(
    "send-again",
    services.send_again,
    _("Send a refused or missed one again"),
    "It goes out now, as its post reads now.",
    sends=True,
)
_plain("settle-absent", services.settle_absent, _("Say that an unclear one is not there"), "It then waits as missed.")
_plain("finish", services.finish_partly, _("Send what is missing"), "From where a thread stopped.", sends=True)
_plain("take-back", services.take_back, _("Take back what is partly out"), "A publisher deletes it at once.")
_plain(
    "taken-back",
    services.taken_back_there,
    _("Say that what was partly out was deleted there"),
    "For networks that let no program delete.",
)
_plain(
    "leave",
    services.leave_as_it_is,
    _("Leave as it is what is partly out"),
    "What is out counts as published; the rest does not go out.",
)
_plain(
    "send-now",
    services.send_now,
    _("Send one that waits now"),
    "What waits, was left held or was missed goes out now, as its post reads now.",
    sends=True,
)
_plain(
    "let-go",
    services.let_go,
    _("Let one that was left held go out at its time"),
    "After a freeze was lifted and it was left held.",
)
_plain(
    "made-public",
    services.made_public,
    _("Say that the public sees it now"),
    "For one that its network took without showing it.",
)
_plain(
    "look-again",
    services.look_again,
    _("Look again whether the public sees it"),
    "For one that its network took without showing it: a publisher asks there. Régie does so by itself after 5 "
    "minutes, an hour, a day and a week.",
)
_plain("delete", services.delete_published, _("Delete a published one"), "A publisher takes it off its network.")


@router.post(
    "/deliveries/{pk}/settle-there", response={200: DeliveryOut, **COMMON}, summary=_("Say where an unclear one is")
)
def settle_there(request: ApiRequest, pk: Number, given: Link) -> DeliveryOut:
    """A person found it on the network: ``link`` becomes its receipt."""
    return delivery_out(services.settle_there(_delivery(request, pk), link=given.link, by=request.auth.member))


@router.post(
    "/deliveries/{pk}/done-by-hand", response={200: DeliveryOut, **COMMON}, summary=_("Say that it was done by hand")
)
def done_by_hand(request: ApiRequest, pk: Number, given: Link) -> DeliveryOut:
    """A person published it: ``link`` becomes its receipt, and its numbers follow."""
    return delivery_out(services.done_by_hand(_delivery(request, pk), link=given.link, by=request.auth.member))


class Bar(BaseModel):
    upto_seconds: float | None = Field(description="None: later than the last of the others.")
    sent: int


class PunctualityOut(BaseModel):
    days: int
    sent: int = Field(description="By a publisher; work by hand is left out.")
    within_a_minute: float | None = Field(description="Part of them, from 0 to 1.")
    p50_seconds: float | None = Field(description="From the promised moment to the visible call: half are faster.")
    p95_seconds: float | None
    p99_seconds: float | None
    latency_seconds: float | None = Field(description="From the call to the network's yes, the median.")
    missed: int
    bars: list[Bar] = Field(description="A histogram: each counts what the bar before does not.")


class Days(BaseModel):
    days: int = Field(30, ge=1, le=366)


@router.get("/punctuality", response={200: PunctualityOut, **COMMON}, summary=_("How punctual the posts were"))
def punctuality(request: ApiRequest, wanted: Annotated[Days, Query()]) -> PunctualityOut:
    """Of the promises of the last days, how long after its moment each was sent."""
    rows = Delivery.objects.filter(workspace__in=request.auth.scope.workspace_ids())
    found = queries.histogram(rows, days=wanted.days)
    edges = [*queries.EDGES, None]
    return PunctualityOut(
        days=found.days,
        sent=found.sent,
        within_a_minute=found.within_a_minute,
        p50_seconds=found.p50,
        p95_seconds=found.p95,
        p99_seconds=found.p99,
        latency_seconds=found.latency,
        missed=found.missed,
        bars=[Bar(upto_seconds=edge, sent=many) for edge, many in zip(edges, found.counts, strict=True)],
    )


class FreezeIn(Given):
    why: str = Field(min_length=1, max_length=300)
    account: Number | None = Field(None, description="Only this account.")
    campaign: Number | None = Field(None, description="Only this campaign. Neither: the whole workspace.")


class FreezeOut(BaseModel):
    id: int
    account: int | None
    campaign: int | None
    everywhere: bool = Field(description="Of the whole installation: only its operators lift it.")
    why: str
    at: datetime
    lifted_at: datetime | None


class NotFollowed(BaseModel):
    delivery: int
    said: str


class Lifted(BaseModel):
    freeze: FreezeOut
    missed: list[DeliveryOut] = Field(description="Their time passed meanwhile: a person decides.")
    problems: list[NotFollowed] = Field(description="Decisions that could not be followed: they stay held.")


class DecisionIn(Given):
    delivery: Number
    do: resuming.Do
    local_at: Wall | None = Field(None, description='For "move": what the clock on the wall shows.')
    zone: Zone = Field("", description="IANA name; empty: the delivery's.")


class LiftIn(Given):
    still_to_come: Literal["keep", "now", "cancel", "hold"] = Field(
        "keep",
        description="What becomes of those whose time is still to come: keep it, or hold until somebody decides.",
    )
    passed: Literal["keep", "now", "cancel", "hold"] = Field(
        "keep", description="Of the others. keep: they are missed."
    )
    decisions: list[DecisionIn] = Field(default_factory=list, max_length=1000, description="For single ones.")


def freeze_out(row: Freeze) -> FreezeOut:
    return FreezeOut(
        id=row.pk,
        account=row.account_id,
        campaign=row.campaign_id,
        everywhere=row.workspace_id is None,
        why=row.why,
        at=row.at,
        lifted_at=row.lifted_at,
    )


def _freezes(member: Member) -> QuerySet[Freeze]:
    return Freeze.objects.filter(Q(workspace=member.workspace_id) | Q(workspace=None))


@router.get("/freezes", response={200: list[FreezeOut], **COMMON}, summary=_("The freezes in force"))
def freezes(request: ApiRequest) -> list[FreezeOut]:
    """Those that hold something here, the installation's too."""
    return [freeze_out(row) for row in queries.freezes_for(request.auth.scope)]


@router.post("/freeze", response={200: FreezeOut, **COMMON}, summary=_("Hold everything"))
def freeze(request: ApiRequest, given: FreezeIn) -> FreezeOut:
    """Nothing more goes out: of an account, a campaign or the workspace. Freezing what is frozen changes nothing."""
    member = request.auth.member
    if given.campaign is not None:
        campaign = get_object_or_404(campaigns_for(request.auth.scope), pk=given.campaign)
        return freeze_out(services.freeze(campaign, why=given.why, by=member))
    if given.account is None:
        return freeze_out(services.freeze(member.workspace, why=given.why, by=member))
    account = get_object_or_404(accounts_for(request.auth.scope), pk=given.account)
    return freeze_out(services.freeze(account, why=given.why, by=member))


@router.post("/freeze/{pk}/lift", response={200: Lifted, **COMMON}, summary=_("Lift a freeze"))
def lift(request: ApiRequest, pk: Number, given: LiftIn | None = None) -> Lifted:
    """As decided. Without a word: what is still to come waits for its time; what has passed is missed."""
    member = request.auth.member
    row = get_object_or_404(_freezes(member), pk=pk)
    if row.workspace_id is None:  # a token reaches one workspace, whoever its member is
        raise NotAllowed("lift", role=member.role)
    seats = {member.workspace_id: member}
    made = resuming.resume(row, _decisions(given or LiftIn.model_validate({}), row), by=member, seat_in=seats.get)
    row.refresh_from_db()
    return Lifted(
        freeze=freeze_out(row),
        missed=[delivery_out(one) for one in made.missed],
        problems=[NotFollowed(delivery=one, said=said) for one, said in made.problems.items()],
    )


def _decisions(given: LiftIn, freeze: Freeze) -> resuming.Decisions:
    zones = dict(resuming.held_by(freeze).values_list("pk", "zone"))
    on = {
        one.delivery: resuming.Decision(
            one.do, WallTime(one.local_at, one.zone or zones.get(one.delivery, "UTC")) if one.local_at else None
        )
        for one in given.decisions
    }
    if any(decision.do == "move" and decision.at is None for decision in on.values()):
        raise Problem(gettext("Say to when it is moved."))
    return resuming.Decisions(on=on, still_to_come=given.still_to_come, passed=given.passed)
