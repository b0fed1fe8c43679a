"""Pages of posts that come again: begun from the composer, listed, looked at date by date, changed, stopped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from regie.core.errors import Problem
from regie.core.times import WallTime
from regie.people.models import Member
from regie.people.scope import MemberRequest, Scope
from regie.planner import queries, recurring
from regie.planner.forms import ChangeForm, RepeatForm
from regie.planner.models import Recurrence
from regie.publishing import views as publishing
from regie.publishing.models import Delivery
from regie.studio.models import Post

PER_PAGE = 25


@login_required
@require_POST
def schedule(request: HttpRequest) -> HttpResponse:
    """The composer's *Schedule*: once, or again and again when a rule was chosen."""
    if not request.POST.get("repeat"):
        return publishing.schedule(request)
    return publishing.schedule_with(request, _begin(request))


def _begin(request: HttpRequest) -> Callable[[Post, WallTime, Member, int], list[Delivery]]:
    def begin(post: Post, at: WallTime, by: Member, late_minutes: int) -> list[Delivery]:
        pattern = RepeatForm(request.POST).pattern(at, late_minutes=late_minutes)
        row = recurring.begin(post=post, pattern=pattern, by=by)
        return list(Delivery.objects.filter(occurrence__recurrence=row).select_related("account"))

    return begin


@login_required
@require_GET
def recurrences(request: HttpRequest) -> HttpResponse:
    """Those that go on, the next one first; ``?ended=1``: those that have ended."""
    scope, ended = _scope(request), request.GET.get("ended") == "1"
    page = Paginator(queries.recurrences(scope, ended=ended), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "planner/recurrences.html",
        {"page": page, "lines": queries.lines(page.object_list), "ended": ended, "may_write": scope.may("write")},
    )


@login_required
@require_GET
def recurrence(request: HttpRequest, pk: int) -> HttpResponse:
    """One rule: its dates that are to come, what was left out, and the form that changes it."""
    row, member = _row(request, pk)
    return render(request, "planner/recurrence.html", _context(row, member))


def _context(row: Recurrence, member: Member, form: ChangeForm | None = None) -> dict[str, Any]:
    open_ = row.stopped_at is None
    return {
        "row": row,
        "dates": queries.dates_to_come(row),
        "left_out": [day for day in row.exceptions if day >= recurring.today_in(row.zone)],
        "form": form or ChangeForm(None, row=row),
        "may_change": open_ and member.may("schedule"),
        "may_write": member.may("write"),
    }


@login_required
@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """The rule, its time or its end: for all dates that have not begun, or from one date on."""
    row, member = _row(request, pk)
    form = ChangeForm(request.POST, row=row)
    member.must("schedule", row)
    if not form.is_valid():
        return render(request, "planner/recurrence.html", _context(row, member, form), status=422)
    try:
        row, said = _changed(row, form, member)
    except Problem as problem:
        row.refresh_from_db()
        if row.stopped_at is not None:
            raise  # it was ended meanwhile: there is no form any more
        form.add_error(None, problem.said)
        return render(request, "planner/recurrence.html", _context(row, member, form), status=422)
    messages.success(request, said)
    return redirect("planner:recurrence", row.pk)


def _changed(row: Recurrence, form: ChangeForm, member: Member) -> tuple[Recurrence, str]:
    """The rule that goes on, and what to say. Raises Problem."""
    pattern, since = form.changed(), form.cleaned_data["since"]
    if since is None:
        row = recurring.change_all(row, pattern=pattern, by=member)
        return row, _("Changed, for all dates that have not begun.")
    row = recurring.change_rest(row, since=since, pattern=pattern, by=member)
    return row, _("Changed, from {date} on.").format(date=date_format(since, "j F Y"))


@login_required
@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    row, member = _row(request, pk)
    cancelled = recurring.stop(row, by=member)
    said = ngettext("Ended: {n} delivery was cancelled.", "Ended: {n} deliveries were cancelled.", cancelled)
    messages.success(request, said.format(n=cancelled))
    return redirect("planner:recurrence", row.pk)


@login_required
@require_POST
def act(request: HttpRequest, pk: int, on: str, action: str) -> HttpResponse:
    """One date: ``skip`` it, ``take-in`` again, give it (``own-text``) or it and the rest (``rest-text``) a text of
    its own, which opens the copy in the composer."""
    row, member = _row(request, pk)
    try:
        day = date.fromisoformat(on)
    except ValueError:
        raise Http404 from None
    said = date_format(day, "l j F Y")
    if action == "skip":
        recurring.skip(row, day, by=member)
        undo = reverse("planner:recurrence-date", args=[row.pk, on, "take-in"])
        messages.success(request, _("{date} is left out.").format(date=said), extra_tags=f"undo:{undo}")
    elif action == "take-in":
        recurring.take_in(row, day, by=member)
        messages.success(request, _("{date} is planned again.").format(date=said))
    elif action == "own-text":
        copy = recurring.detach(row, day, by=member)
        messages.success(request, _("This copy is for {date} alone. It is planned already.").format(date=said))
        return redirect("studio:edit", copy.pk)
    elif action == "rest-text":
        rest = recurring.change_rest(row, since=day, pattern=recurring.pattern_of(row), by=member, copy=True)
        messages.success(request, _("This copy is for {date} and after. It is planned already.").format(date=said))
        return redirect("studio:edit", rest.post_id)
    else:
        raise Http404
    return redirect("planner:recurrence", row.pk)


def _row(request: HttpRequest, pk: int) -> tuple[Recurrence, Member]:
    row = get_object_or_404(queries.recurrences_seen(_scope(request)), pk=pk)
    return row, _scope(request).member_in(row.workspace_id)


def _scope(request: HttpRequest) -> Scope:
    return cast(MemberRequest, request).scope
