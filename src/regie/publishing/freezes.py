"""The pages of freezing: what is frozen, by whom and why; and lifting it with a decision for each delivery."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
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


@dataclass(slots=True)
class Answers:
    """What a person sent from the page, and what of it makes no sense: shown again, so that nothing is decided twice.

    ``decisions``: None where there are problems. ``rows``: delivery -> what is wrong with its decision.
    ``seen_at``: when the page was drawn that they had before their eyes.
    """

    data: QueryDict
    seen_at: datetime
    decisions: Decisions | None = None
    rows: dict[int, str] = field(default_factory=dict)
    still_to_come: str = ""

    @property
    def said(self) -> list[str]:
        return [*dict.fromkeys(self.rows.values()), *([self.still_to_come] if self.still_to_come else [])]


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


def _held_context(scope: Scope, found: Freeze, by: Member | User | None, sent: Answers | None = None) -> dict[str, Any]:
    now = clock.now()
    held = _held(scope, found) if found.lifted_at is None else Delivery.objects.none()
    groups = [
        _group("passed", held.filter(due_at__lt=now), sent),
        _group("still_to_come", held.filter(due_at__gte=now), sent),
    ]
    rows = [row for group in groups for row in group["rows"]]
    answers: list[tuple[Any, Any]] = held_shown.send(Freeze, rows=rows)
    known = {pk: said for _receiver, told in answers for pk, said in told.items()}
    for row in rows:
        row.known = known.get(row.pk, "")
    return {
        "frozen": found,
        "groups": groups,
        "may_lift": by is not None,
        "seen_at": (sent.seen_at if sent else now).isoformat(),
        "many": sum(group["many"] for group in groups),
    }


def _group(name: str, held: QuerySet[Delivery], sent: Answers | None) -> dict[str, Any]:
    """The first of them to be drawn, with what was sent about each, and how many they are."""
    many = held.count()
    rows: list[Any] = list(held[:SHOWN]) if sent is None else _drawn_again(held, sent.data)
    for row in rows:
        row.sent = _sent(row, sent)
    return {
        "name": name,
        "rows": rows,
        "many": many,
        "more": max(0, many - len(rows)),
        "choices": _choices(name),
        "chosen": sent.data.get(name, "") if sent else "",
        "problem": sent.still_to_come if sent and name == "still_to_come" else "",
    }


def _drawn_again(held: QuerySet[Delivery], data: QueryDict) -> list[Delivery]:
    """The first ones, and whatever else was decided on while it was among them."""
    return [row for number, row in enumerate(held) if number < SHOWN or data.get(f"do-{row.pk}")]


def _sent(row: Delivery, sent: Answers | None) -> dict[str, str]:
    """The fields of a delivery. One that was promised since the page was drawn stays held unless it is decided on."""
    if sent is None:
        return {"time": f"{row.local_at:%H:%M}"}
    do = sent.data.get(f"do-{row.pk}")
    if do is None and row.created_at > sent.seen_at:
        do = "hold"
    return {
        "do": do or "",
        "date": sent.data.get(f"date-{row.pk}", ""),
        "time": sent.data.get(f"time-{row.pk}", f"{row.local_at:%H:%M}"),
        "problem": sent.rows.get(row.pk, ""),
    }


def _choices(group: str) -> list[tuple[str, Any]]:
    words = {**WORDS, "keep": ASK} if group == "passed" else WORDS
    return [(do, words[do]) for do in CHOICES]


def _lift(request: HttpRequest, scope: Scope, found: Freeze, by: Member | User) -> HttpResponse:
    seats = {seat.workspace_id: seat for seat in scope.members}
    sent = _answers(request.POST, {row.pk: row for row in _held(scope, found)})
    problems = sent.said
    if sent.decisions is not None:
        try:
            made = resuming.resume(found, sent.decisions, by=by, seat_in=seats.get)
        except NotAllowed:
            raise
        except Problem as problem:
            problems = [problem.said]
        else:
            _say(request, made)
            return redirect("publishing:freezes")
    found.refresh_from_db(fields=["lifted_at", "lifted_by"])
    context = _held_context(scope, found, by, sent) | {"problems": problems}
    return render(request, "publishing/resume.html", context, status=422)


def _answers(data: QueryDict, held: dict[int, Delivery]) -> Answers:
    """Problems: nothing was chosen for what is still to come, or a date makes no sense."""
    now = clock.now()
    sent = Answers(data, seen_at=_seen_at(data, now))
    on: dict[int, Decision] = {}
    for pk, row in held.items():
        try:
            decision = _decision(data, row)
        except Problem as problem:
            sent.rows[pk] = problem.said
        else:
            if decision is not None:
                on[pk] = decision
    coming, passed = _do(data.get("still_to_come", "")), _do(data.get("passed", "") or "keep")
    decided = {*on, *sent.rows}
    if coming is None and any(
        row.due_at >= now and pk not in decided and row.created_at <= sent.seen_at for pk, row in held.items()
    ):
        sent.still_to_come = _("Choose what happens to the deliveries that are still to come.")
    if not sent.said:
        sent.decisions = Decisions(on=on, still_to_come=coming or "hold", passed=passed or "keep", seen_at=sent.seen_at)
    return sent


def _seen_at(data: QueryDict, now: datetime) -> datetime:
    try:
        found = parse_datetime(data.get("seen_at", ""))
    except ValueError:
        found = None
    return found if found is not None and found.tzinfo is not None else now


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
