"""The pages of freezing: what is frozen, by whom and why; and lifting it with a decision for each delivery."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from regie.accounts.queries import accounts_for
from regie.core import clock
from regie.core.errors import Problem
from regie.people.errors import NotAllowed
from regie.people.models import Member, User
from regie.people.scope import MemberRequest, Scope
from regie.publishing import forms, queries, resuming, services
from regie.publishing.models import Delivery, Freeze
from regie.publishing.resuming import CHOICES, Decision, Decisions, Do
from regie.publishing.signals import held_shown
from regie.studio.campaigns import campaigns_for

SHOWN = 200
PAST = 20
WORDS = {
    "keep": gettext_lazy("Goes out at its time"),
    "now": gettext_lazy("Send now"),
    "move": gettext_lazy("Move"),
    "cancel": gettext_lazy("Cancel the delivery"),
    "hold": gettext_lazy("Leave held"),
}
ASK = gettext_lazy("Ask me: it is missed")


@login_required
@require_safe
def freezes(request: HttpRequest) -> HttpResponse:
    """Those in force, with what each holds, and the last ones that were lifted."""
    scope = _scope(request)
    there = [_row(scope, one) for one in queries.freezes_for(scope)]
    over = queries.every_freeze_for(scope).exclude(lifted_at=None).order_by("-lifted_at")[:PAST]
    context = {
        "freezes": there,
        "over": over,
        "places": _places(scope) if scope.may("freeze") else [],
        "chosen": request.GET.get("what", ""),
    }
    return render(request, "publishing/freezes.html", context)


def _row(scope: Scope, one: Freeze) -> dict[str, Any]:
    return {"freeze": one, "held": _held(scope, one).count(), "may_lift": _lifter(scope, one) is not None}


def _held(scope: Scope, one: Freeze) -> Any:
    """What it holds, in the workspaces of the person."""
    return resuming.held_by(one).filter(workspace__in=[seat.workspace_id for seat in scope.members])


def _lifter(scope: Scope, one: Freeze) -> Member | User | None:
    """As whom the person may lift it."""
    if one.workspace_id is None:
        return scope.user if scope.user.is_operator else None
    seat = scope.member_in(one.workspace_id)
    return seat if seat.may("lift") else None


def _places(scope: Scope) -> list[tuple[str, list[tuple[str, str]]]]:
    """(group, its (value, name)) of what can be frozen here."""
    seats = [seat for seat in scope.seats if seat.may("freeze")]
    campaigns = campaigns_for(scope, "freeze").filter(archived_at=None)
    groups = [
        (_("Clients"), [(f"workspace:{seat.workspace_id}", str(seat.workspace)) for seat in seats]),
        (_("Campaigns"), [(f"campaign:{one.pk}", str(one)) for one in campaigns]),
        (_("Accounts"), [(f"account:{one.pk}", one.in_full) for one in accounts_for(scope, "freeze")]),
    ]
    return [(label, rows) for label, rows in groups if rows]


@login_required
@require_POST
def freeze(request: HttpRequest) -> HttpResponse:
    """Holds what ``what`` names ("campaign:7"), or without it everything in view."""
    scope = _scope(request)
    why = request.POST.get("why", "").strip()
    if not scope.may("freeze"):
        raise NotAllowed("freeze")
    if not why:
        messages.error(request, _("Say why: your colleagues will ask."))
        return redirect("publishing:freezes")
    for thing, member in _meant(scope, request.POST.get("what", "")):
        services.freeze(thing, why=why, by=member)
    messages.success(request, _("Frozen: nothing of it goes out until somebody lifts the freeze."))
    return redirect("publishing:freezes")


def _meant(scope: Scope, what: str) -> list[tuple[services.Covered, Member]]:
    kind, _colon, number = what.partition(":")
    if not what:
        return [(seat.workspace, seat) for seat in scope.seats if seat.may("freeze")]
    if not (number.isascii() and number.isdigit() and len(number) < 18):
        raise Http404
    if kind == "workspace":
        seat = scope.member_in(int(number))
        return [(seat.workspace, seat)]
    if kind not in ("campaign", "account"):
        raise Http404
    rows: Any = campaigns_for(scope) if kind == "campaign" else accounts_for(scope)
    thing = get_object_or_404(rows, pk=int(number))
    return [(thing, scope.member_in(thing.workspace_id))]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """What a freeze holds, each for a decision; POST lifts it as decided."""
    scope = _scope(request)
    wide = Scope(scope.user, scope.members)  # its link works whatever is in view
    found = get_object_or_404(queries.every_freeze_for(wide), pk=pk)
    by = _lifter(wide, found)
    if request.method == "POST" and found.lifted_at is None:
        if by is None:
            raise NotAllowed("lift")
        return _lift(request, wide, found, by)
    return render(request, "publishing/resume.html", _held_context(wide, found, by))


def _held_context(scope: Scope, found: Freeze, by: Member | User | None) -> dict[str, Any]:
    now = clock.now()
    held = _held(scope, found) if found.lifted_at is None else Delivery.objects.none()
    rows: list[Any] = list(held[: SHOWN + 1])
    answers: list[tuple[Any, Any]] = held_shown.send(Freeze, rows=rows)
    known = {pk: said for _receiver, told in answers for pk, said in told.items()}
    for row in rows:
        row.known = known.get(row.pk, "")
    past, coming = [row for row in rows if row.due_at < now], [row for row in rows if row.due_at >= now]
    return {
        "frozen": found,
        "groups": [
            {"name": "passed", "rows": past[:SHOWN], "choices": _choices("passed")},
            {"name": "still_to_come", "rows": coming[:SHOWN], "choices": _choices("still_to_come")},
        ],
        "more": max(0, held.count() - SHOWN) if len(rows) > SHOWN else 0,
        "may_lift": by is not None,
        "seen_at": now.isoformat(),
        "many": len(rows),
    }


def _choices(group: str) -> list[tuple[str, Any]]:
    words = {**WORDS, "keep": ASK} if group == "passed" else WORDS
    return [(do, words[do]) for do in CHOICES]


def _lift(request: HttpRequest, scope: Scope, found: Freeze, by: Member | User) -> HttpResponse:
    seats = {seat.workspace_id: seat for seat in scope.members}
    try:
        decisions = _decisions(request.POST, {row.pk: row for row in _held(scope, found)})
        made = resuming.resume(found, decisions, by=by, seat_in=seats.get)
    except Problem as problem:
        messages.error(request, problem.said)
        return redirect("publishing:resume", found.pk)
    _say(request, made)
    return redirect("publishing:freezes")


def _decisions(data: QueryDict, held: dict[int, Delivery]) -> Decisions:
    """Raises Problem when nothing was chosen for what is still to come, or a date makes no sense."""
    coming, passed = _do(data.get("still_to_come", "")), _do(data.get("passed", "") or "keep")
    on = {pk: decision for pk, row in held.items() if (decision := _decision(data, row)) is not None}
    now = clock.now()
    if coming is None and any(row.due_at >= now and pk not in on for pk, row in held.items()):
        raise Problem(_("Choose what happens to the deliveries that are still to come."))
    seen_at = parse_datetime(data.get("seen_at", "")) or now
    return Decisions(on=on, still_to_come=coming or "hold", passed=passed or "keep", seen_at=seen_at)


def _do(word: str) -> Do | None:
    return cast(Do, word) if word in CHOICES and word != "move" else None


def _decision(data: QueryDict, row: Delivery) -> Decision | None:
    word = data.get(f"do-{row.pk}", "")
    if word != "move":
        chosen = _do(word)
        return Decision(chosen) if chosen else None
    fields = {name: data.get(f"{name}-{row.pk}", "") for name in ("date", "time")}
    form = forms.MoveForm({**fields, "zone": row.zone})
    if not form.is_valid():
        raise Problem(_("“{post}” is to be moved: choose a date and a time.").format(post=row.variant.post))
    return Decision("move", form.wall_time())


def _say(request: HttpRequest, made: resuming.Resumed) -> None:
    messages.success(request, _("The freeze is lifted."))
    if made.missed:
        said = ngettext(
            "{n} delivery waits for you as missed.", "{n} deliveries wait for you as missed.", len(made.missed)
        )
        messages.info(request, said.format(n=len(made.missed)))
    for said in dict.fromkeys(made.problems.values()):
        messages.error(request, said)


def _scope(request: HttpRequest) -> Scope:
    return cast(MemberRequest, request).scope
