"""Posts that come again: the rule, its dates, and changing one, the rest or all of them."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_noop as _
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from regie.api.errors import COMMON
from regie.api.once import Key, once
from regie.api.shapes import Given, Number, Page, Pages, Zone, page_of
from regie.api.tokens import ApiRequest
from regie.people import lateness
from regie.people.models import Member
from regie.planner import queries, recurring, rules
from regie.planner.models import Recurrence
from regie.planner.recurring import MOST_COUNT, Pattern, pattern_of
from regie.studio import queries as posts

router = Router(tags=["recurrences"])

Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2200, 12, 31))]
Rule = Annotated[str, Field(max_length=rules.LONGEST, description="RRULE of whole dates: FREQ=WEEKLY;BYDAY=MO,TH")]


class RecurrenceIn(Given):
    rule: Rule
    first_on: Day = Field(description="The rule begins to count here.")
    local_time: time = Field(description="What the clock on the wall shows, as 09:15.")
    zone: Zone = Field("", description="IANA name; empty: the workspace's.")
    until: Day | None = Field(None, description="The last date it can have. Not together with count.")
    count: int | None = Field(None, ge=1, le=MOST_COUNT, description="How many dates it has, with those left out.")
    late_minutes: int | None = Field(None, ge=0, le=lateness.LONGEST, description="None: as the workspace says.")


class RecurrenceChange(Given):
    since: Day | None = Field(None, description="From this date on; None: every date that has not begun.")
    own_text: bool = Field(False, description="With since: the rest gets a copy of the post, to be changed apart.")
    rule: Rule | None = None
    local_time: time | None = None
    zone: Zone = Field("", description="Empty: as it was.")
    until: Day | None = Field(None, description="Neither this nor count: its end stays as it was.")
    count: int | None = Field(None, ge=1, le=MOST_COUNT)
    endless: bool = Field(False, description="It has no end any more.")
    late_minutes: int | None = Field(None, ge=0, le=lateness.LONGEST)


class DateIn(Given):
    date: Day


class RecurrenceOut(BaseModel):
    id: int
    post: int
    rule: str
    said: str = Field(description="The rule in words.")
    first_on: date
    local_time: time
    zone: str
    until: date | None
    count: int | None
    exceptions: list[date] = Field(description="Dates that are left out.")
    late_minutes: int
    next_on: date | None = Field(description="The next date it has, whether its delivery is made already or not.")
    problem: str = Field(description="Why its next dates could not be promised; empty when all is well.")
    stopped_at: datetime | None


class DateOut(BaseModel):
    date: date
    deliveries: list[int]


class RecurrenceWhole(RecurrenceOut):
    dates: list[DateOut] = Field(description="Those whose deliveries are made, two months ahead.")


class Copied(BaseModel):
    post: int = Field(description="The copy, planned for that date alone.")


def _facts(row: Recurrence) -> dict[str, object]:
    names = ("rule", "first_on", "local_time", "zone", "until", "count", "exceptions", "late_minutes", "problem")
    return {
        "id": row.pk,
        "post": row.post_id,
        "said": rules.in_words(row.rule, row.first_on),
        "next_on": recurring.next_date(row) if row.stopped_at is None else None,
        "stopped_at": row.stopped_at,
        **{name: getattr(row, name) for name in names},
    }


def _whole(row: Recurrence) -> RecurrenceWhole:
    dates = [
        DateOut(date=one.day, deliveries=[delivery.pk for delivery in one.deliveries])
        for one in queries.dates_to_come(row)
    ]
    return RecurrenceWhole.model_validate({**_facts(row), "dates": dates})


def _row(request: ApiRequest, pk: int) -> tuple[Recurrence, Member]:
    return get_object_or_404(queries.recurrences_seen(request.auth.scope), pk=pk), request.auth.member


class Which(BaseModel):
    ended: bool = Field(False, description="Those that have ended, instead of those that go on.")


@router.get("/recurrences", response={200: Page[RecurrenceOut], **COMMON}, summary=_("List what comes again"))
def recurrences(request: ApiRequest, paging: Pages, wanted: Annotated[Which, Query()]) -> Page[RecurrenceOut]:
    """Those that go on, the next one first; or those that have ended."""
    rows, more = page_of(queries.recurrences(request.auth.scope, ended=wanted.ended), paging)
    return Page(items=[RecurrenceOut.model_validate(_facts(row)) for row in rows], page=paging.page, more=more)


@router.post("/posts/{pk}/repeat", response={201: RecurrenceWhole, **COMMON}, summary=_("Let a post come again"))
def create(request: ApiRequest, pk: Number, given: RecurrenceIn, key: Key = "") -> Status[RecurrenceWhole]:
    """Each date is a delivery of its own, promised two months ahead."""

    def do() -> RecurrenceWhole:
        member = request.auth.member
        post = get_object_or_404(posts.posts_for(request.auth.scope), pk=pk)
        late = given.late_minutes if given.late_minutes is not None else member.workspace.late_minutes
        pattern = Pattern(
            rule=rules.checked(given.rule),
            first_on=given.first_on,
            local_time=given.local_time.replace(tzinfo=None, microsecond=0),
            zone=given.zone or member.workspace.zone,
            until=given.until,
            count=given.count,
            late_minutes=late,
        )
        return _whole(recurring.begin(post=post, pattern=pattern, by=member))

    return once(request, key, RecurrenceWhole, do, status=201)


@router.get("/recurrences/{pk}", response={200: RecurrenceWhole, **COMMON}, summary=_("One rule and its dates"))
def recurrence(request: ApiRequest, pk: Number) -> RecurrenceWhole:
    """With the deliveries that are made for its next dates."""
    return _whole(_row(request, pk)[0])


@router.patch("/recurrences/{pk}", response={200: RecurrenceWhole, **COMMON}, summary=_("Change a rule"))
def change(request: ApiRequest, pk: Number, given: RecurrenceChange) -> RecurrenceWhole:
    """What is left out stays. With ``since``, the answer is the rule of the rest: the old one ends before that date."""
    row, member = _row(request, pk)
    pattern = _changed(pattern_of(row), given)
    if given.since is None:
        return _whole(recurring.change_all(row, pattern=pattern, by=member))
    return _whole(recurring.change_rest(row, since=given.since, pattern=pattern, by=member, copy=given.own_text))


def _changed(before: Pattern, given: RecurrenceChange) -> Pattern:
    ends = given.endless or given.until is not None or given.count is not None
    return Pattern(
        rule=rules.checked(given.rule) if given.rule is not None else before.rule,
        first_on=before.first_on,
        local_time=given.local_time.replace(tzinfo=None, microsecond=0) if given.local_time else before.local_time,
        zone=given.zone or before.zone,
        until=given.until if ends else before.until,
        count=given.count if ends else before.count,
        late_minutes=before.late_minutes if given.late_minutes is None else given.late_minutes,
    )


@router.post("/recurrences/{pk}/skip", response={200: RecurrenceWhole, **COMMON}, summary=_("Leave a date out"))
def skip(request: ApiRequest, pk: Number, given: DateIn) -> RecurrenceWhole:
    """An exception of the rule: its deliveries are cancelled."""
    row, member = _row(request, pk)
    return _whole(recurring.skip(row, given.date, by=member))


@router.post("/recurrences/{pk}/take-in", response={200: RecurrenceWhole, **COMMON}, summary=_("Take a date in again"))
def take_in(request: ApiRequest, pk: Number, given: DateIn) -> RecurrenceWhole:
    """The undo of leaving it out."""
    row, member = _row(request, pk)
    return _whole(recurring.take_in(row, given.date, by=member))


@router.post("/recurrences/{pk}/own-text", response={200: Copied, **COMMON}, summary=_("Give a date its own text"))
def own_text(request: ApiRequest, pk: Number, given: DateIn) -> Copied:
    """A copy of the post is planned for that date, and the rule leaves it out."""
    row, member = _row(request, pk)
    return Copied(post=recurring.detach(row, given.date, by=member).pk)


@router.post("/recurrences/{pk}/stop", response={200: RecurrenceOut, **COMMON}, summary=_("End a rule"))
def stop(request: ApiRequest, pk: Number) -> RecurrenceOut:
    """What has not begun is cancelled; what is out stays."""
    row, member = _row(request, pk)
    recurring.stop(row, by=member)
    row.refresh_from_db()
    return RecurrenceOut.model_validate(_facts(row))
