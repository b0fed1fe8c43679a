"""The calendar by month, week and list. Its state lives in the address: ?view=month&on=2030-03-01&account=&state=."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.formats import date_format, get_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_POST

from regie.accounts.models import Account
from regie.accounts.queries import accounts_for
from regie.core import clock
from regie.core.errors import Problem
from regie.core.times import WallTime
from regie.people.scope import MemberRequest, Scope
from regie.planner import queries
from regie.planner.drawing import Pen
from regie.planner.queries import Entry
from regie.publishing import services
from regie.publishing.models import Delivery
from regie.publishing.remarks import left_in_words
from regie.publishing.room import left_today
from regie.studio.campaigns import choices

VIEWS = ("month", "week", "list")
SHOWN = 5  # entries of a day before "+54 more"
LIST_DAYS = 14
MOST_ROOMS = 12  # accounts whose day is told below the calendar
STATES = (
    ("", gettext_lazy("All but cancelled")),
    ("open", gettext_lazy("Still to go out")),
    ("needs_me", gettext_lazy("Need a decision")),
    ("published", gettext_lazy("Published")),
    ("limited", pgettext_lazy("delivery", "Not public")),
    ("cancelled", gettext_lazy("Cancelled")),
    (queries.ELSEWHERE, gettext_lazy("Made elsewhere")),
)


class CalendarFilters(forms.Form):
    """What the calendar can be narrowed by. ``view`` and ``on`` travel along."""

    account = forms.TypedChoiceField(label=gettext_lazy("Account"), required=False, coerce=int, empty_value=None)
    state = forms.ChoiceField(label=gettext_lazy("State"), choices=STATES, required=False)
    campaign = forms.TypedChoiceField(label=gettext_lazy("Campaign"), required=False, coerce=int, empty_value=None)
    view = forms.CharField(required=False, widget=forms.HiddenInput)
    on = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, data: Mapping[str, Any], *, accounts: list[tuple[int, str]], campaigns: list[tuple[int, str]]
    ) -> None:
        super().__init__(data)
        if campaigns:
            self.fields["campaign"].choices = [("", _("All campaigns")), *campaigns]  # type: ignore[attr-defined]
        else:
            del self.fields["campaign"]
        self.fields["account"].choices = [("", _("All accounts")), *accounts]  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Hour:
    number: int
    cells: list[tuple[date, list[Entry]]]


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar. ``more``: how many entries are not drawn."""

    day: date
    entries: list[Entry]
    more: int
    today: bool
    past: bool
    outside: bool

    @property
    def iso(self) -> str:
        return self.day.isoformat()


@dataclass(frozen=True, slots=True)
class Span:
    """The days a view shows, and where its arrows lead."""

    since: date
    until: date
    before: date
    after: date
    title: str


@login_required
@require_GET
def calendar(request: HttpRequest) -> HttpResponse:
    context = _context(request, request.GET)
    template = "planner/_calendar.html" if getattr(request, "htmx", False) else "planner/calendar.html"
    return render(request, template, context)


def _context(request: HttpRequest, asked: QueryDict, *, moved: int | None = None) -> dict[str, Any]:
    scope = _scope(request)
    zone = scope.user.zone
    today = clock.now().astimezone(ZoneInfo(zone)).date()
    view = asked.get("view", "") if asked.get("view") in VIEWS else "month"
    on = _date(asked.get("on", ""), today)
    only_day = view == "list" and asked.get("days") == "1"
    span = _span(view, on, only_day=only_day)
    there = list(accounts_for(scope))
    accounts = [(account.pk, account.in_full) for account in there]
    given = {**asked.dict(), "view": view, "on": on.isoformat()}
    filters = CalendarFilters(given, accounts=accounts, campaigns=choices(scope))
    narrowed = filters.cleaned_data if filters.is_valid() else {}
    found = queries.entries(
        scope,
        since=span.since,
        until=span.until,
        zone=zone,
        account=narrowed.get("account"),
        state=narrowed.get("state", ""),
        campaign=narrowed.get("campaign"),
    )
    days = _days(
        span, queries.by_day(found), today=today, month=on.month if view == "month" else 0, all_=view != "month"
    )
    kept = {key: value for key in ("account", "state", "campaign") if (value := narrowed.get(key))}
    return {
        "view": view,
        "on": on,
        "today": today,
        "span": span,
        "days": days,
        "hours": _hours(days) if view == "week" else [],
        "filters": filters,
        "narrowed": bool(kept),
        "total": len(found),
        "links": _links(view, on, span, today, kept, only_day=only_day),
        "zone": zone,
        "query": asked.urlencode(),
        "may_write": scope.may("write"),
        "may_move": (may_move := frozenset(scope.workspace_ids("schedule"))),
        "pen": Pen(may_move=may_move, named=scope.all, moved=moved),
        "weekdays": [date_format(span.since + timedelta(days=n), "D") for n in range(7)],
        "only_day": only_day,
        "rooms": _rooms(there, narrowed.get("account"), today, zone),
    }


def _rooms(accounts: list[Account], only: int | None, today: date, zone: str) -> list[str]:
    """What is left of the day of accounts whose network counts by the day, where that is worth a word."""
    wanted = [a for a in accounts if a.state == Account.State.CONNECTED and only in (None, a.pk)]
    end = datetime.combine(today + timedelta(days=1), datetime.min.time(), ZoneInfo(zone))
    rooms = sorted(left_today(wanted, until=end), key=lambda room: room.left)
    return [left_in_words(room, now=True) for room in rooms if room.is_short][:MOST_ROOMS]


def _date(text: str, otherwise: date) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return otherwise
    return found if 2000 <= found.year <= 2200 else otherwise


def _first_of_week(day: date) -> date:
    """The first day of its week, as the reader's language begins weeks."""
    begins = (int(get_format("FIRST_DAY_OF_WEEK")) - 1) % 7  # Django: 0 is Sunday; Python: 0 is Monday
    return day - timedelta(days=(day.weekday() - begins) % 7)


def _span(view: str, on: date, *, only_day: bool) -> Span:
    if view == "month":
        first = on.replace(day=1)
        after = (first + timedelta(days=32)).replace(day=1)
        since = _first_of_week(first)
        until = _first_of_week(after - timedelta(days=1)) + timedelta(days=6)
        before = (first - timedelta(days=1)).replace(day=1)
        return Span(since, until, before, after, date_format(first, "YEAR_MONTH_FORMAT"))
    if view == "week":
        since = _first_of_week(on)
        week = timedelta(days=7)
        return Span(
            since, since + timedelta(days=6), since - week, since + week, _title(since, since + timedelta(days=6))
        )
    length = timedelta(days=1 if only_day else LIST_DAYS)
    last = on + length - timedelta(days=1)
    title = date_format(on, "l j F Y") if only_day else _title(on, last)
    return Span(on, last, on - length, on + length, title)


def _title(first: date, last: date) -> str:
    return f"{date_format(first, 'j F')} – {date_format(last, 'j F Y')}"


def _days(span: Span, there: Mapping[date, list[Entry]], *, today: date, month: int, all_: bool) -> list[Day]:
    days = []
    for number in range((span.until - span.since).days + 1):
        day = span.since + timedelta(days=number)
        entries = there.get(day, [])
        shown = entries if all_ or len(entries) <= SHOWN + 1 else entries[:SHOWN]
        outside = bool(month) and day.month != month
        days.append(Day(day, shown, len(entries) - len(shown), day == today, day < today, outside))
    return days


def _hours(days: list[Day]) -> list[Hour]:
    """The week as a table: one row per hour, one cell per day."""
    there: dict[tuple[date, int], list[Entry]] = {}
    for day in days:
        for entry in day.entries:
            there.setdefault((day.day, entry.at.hour), []).append(entry)
    return [Hour(hour, [(day.day, there.get((day.day, hour), [])) for day in days]) for hour in range(24)]


def _links(view: str, on: date, span: Span, today: date, kept: dict[str, Any], *, only_day: bool) -> dict[str, str]:
    def link(**changes: Any) -> str:
        query = QueryDict(mutable=True)
        query.update({"view": view, "on": on.isoformat(), **kept, **({"days": "1"} if only_day else {}), **changes})
        return f"{reverse('planner:calendar')}?{query.urlencode()}"

    return {
        "before": link(on=span.before.isoformat()),
        "after": link(on=span.after.isoformat()),
        "today": link(on=today.isoformat()),
        "day": link(view="list", days="1", on=""),
        "reset": f"{reverse('planner:calendar')}?view={view}&on={on.isoformat()}",
        **{name: link(view=name).replace("&days=1", "") for name in VIEWS},
    }


@login_required
@require_POST
def move(request: HttpRequest) -> HttpResponse:
    """Moves a delivery to another day, or to a date and time, and draws the calendar again.

    ``date`` alone keeps its time on its own clocks; ``hour`` changes the hour as the reader sees it; ``time`` and
    ``zone`` set both, from the dialog.
    """
    scope = _scope(request)
    seen = Delivery.objects.filter(workspace__in=[seat.workspace_id for seat in scope.members])
    pk = request.POST.get("delivery", "")
    delivery = get_object_or_404(seen, pk=int(pk) if pk.isdigit() and len(pk) < 18 else 0)
    member = scope.member_in(delivery.workspace_id)
    before = delivery.local_at, delivery.zone
    try:
        moved = services.move(delivery, at=_wanted(request, delivery, scope.user.zone), by=member)
    except Problem as problem:
        return _refused(request, problem.said)
    undo = reverse("publishing:move-back", args=[moved.pk, before[0].strftime("%Y-%m-%dT%H:%M:%S"), before[1]])
    local = moved.due_at.astimezone(ZoneInfo(scope.user.zone))
    said = _("Moved to {when}.").format(when=date_format(local, "l j F, H:i"))
    messages.success(request, said, extra_tags=f"undo:{undo}")
    asked = QueryDict(request.POST.get("query", ""))
    if not getattr(request, "htmx", False):
        return redirect(f"{reverse('planner:calendar')}?{asked.urlencode()}")
    asked_again = {**_context(request, asked, moved=moved.pk), "moved": moved.pk, "with_messages": True}
    return render(request, "planner/_calendar.html", asked_again)


def _wanted(request: HttpRequest, delivery: Delivery, zone: str) -> WallTime:
    data = request.POST
    try:
        day = date.fromisoformat(data.get("date", ""))
        if data.get("time"):
            chosen = datetime.combine(day, datetime.strptime(data["time"][:5], "%H:%M").time())  # noqa: DTZ007 - naive
            return WallTime(chosen, data.get("zone") or zone)
    except ValueError:
        raise Problem(_("This is not a date, a time and a time zone we know.")) from None
    shown = delivery.due_at.astimezone(ZoneInfo(zone))
    by = timedelta(days=(day - shown.date()).days)
    hour = data.get("hour", "")
    if hour.isdigit() and int(hour) < 24:
        by += timedelta(hours=int(hour) - shown.hour)
    return WallTime(delivery.local_at + by, delivery.zone)


def _refused(request: HttpRequest, said: str) -> HttpResponse:
    if getattr(request, "htmx", False):
        return HttpResponse(said, status=422, headers={"HX-Reswap": "none"}, content_type="text/plain")
    messages.error(request, said)
    return redirect(f"{reverse('planner:calendar')}?{request.POST.get('query', '')}")


def _scope(request: HttpRequest) -> Scope:
    return cast(MemberRequest, request).scope
