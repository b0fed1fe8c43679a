"""The pages of publishing: a post with its deliveries, a delivery's receipt, doing it by hand, and the actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from regie.core.errors import Problem
from regie.core.sentences import in_words
from regie.core.times import WallTime
from regie.people import lateness
from regie.people.models import Member
from regie.people.scope import MemberRequest, Scope
from regie.publishing import forms, pages, services
from regie.publishing.models import Delivery
from regie.publishing.states import State
from regie.studio import desk as desks
from regie.studio import posters
from regie.studio import queries as posts
from regie.studio import views as studio
from regie.studio.desk import Desk
from regie.studio.errors import InTheBin, Outdated
from regie.studio.models import Post

# A post


@login_required
@require_GET
def post(request: HttpRequest, pk: int) -> HttpResponse:
    """What was written, how it looks, and what became of it on each account."""
    found = _post(request, pk)
    member = _scope(request).member_in(found.workspace_id)
    desk = Desk(
        workspace=found.workspace,
        written=desks.written_from(found),
        post=found,
        version=found.version,
        preview=int(request.GET["preview"]) if request.GET.get("preview", "").isdigit() else None,
    )
    views = _deliveries(request, found, member)
    return render(
        request,
        "publishing/post.html",
        {
            "post": found,
            "desk": desk,
            "deliveries": views,
            "planned_accounts": {view.delivery.account_id for view in views},
            "may_write": member.may("write") and found.removed_at is None,
            "may_schedule": member.may("schedule"),
        },
    )


def _post(request: HttpRequest, pk: int) -> Post:
    return get_object_or_404(posts.every_post_for(_scope(request)), pk=pk)


def _deliveries(request: HttpRequest, found: Post, member: Member) -> list[pages.DeliveryView]:
    rows = pages.deliveries_seen(_scope(request)).filter(variant__post=found).order_by("-due_at", "account__name")
    return [pages.view_of(delivery, member) for delivery in rows]


# From the composer


@login_required
@require_POST
def schedule(request: HttpRequest) -> HttpResponse:
    """Keeps the post as it was typed, and promises it for the chosen time."""
    return schedule_with(
        request, lambda kept, at, by, late: services.schedule(post=kept, at=at, by=by, late_minutes=late)
    )


def schedule_with(
    request: HttpRequest, promise: Callable[[Post, WallTime, Member, int], list[Delivery]]
) -> HttpResponse:
    """Keeps the composer's post and promises it as ``promise(post, at, by, late_minutes)`` does, or says why not."""
    desk = studio.desk_from(request)
    member = _member(request, desk)
    member.must("schedule")
    given = {name: request.POST.get(name, "") for name in ("date", "time", "zone")}
    when = desks.when(**given)
    if when is None:
        return _back_to_composer(request, desk, _("Choose a date and a time, or publish now."))
    if not when.ok or when.at is None:
        return _back_to_composer(request, desk, when.said)
    at, late = when.at, lateness.read(request.POST.get("late"), desk.workspace.late_minutes)
    return _promise(request, desk, "schedule", lambda kept: promise(kept, at, member, late))


@login_required
@require_POST
def publish(request: HttpRequest) -> HttpResponse:
    """Keeps the post as it was typed, and promises it for this moment."""
    desk = studio.desk_from(request)
    _member(request, desk).must("publish")
    if said := _refused_now(desk):
        return _back_to_composer(request, desk, said)
    late = lateness.read(request.POST.get("late"), desk.workspace.late_minutes)
    member = _member(request, desk)
    return _promise(
        request, desk, "publish", lambda kept: services.publish_now(post=kept, by=member, late_minutes=late)
    )


def _refused_now(desk: Desk) -> str:
    """Why a network takes nothing of one of the accounts at this moment, where it wants to be asked first."""
    asked = (row.account for row in desk.rows if not row.given.by_hand and posters.presents(row.account))
    return next((f"{account.in_full}: {said}" for account in asked if (said := posters.ask(account).refusal)), "")


def _promise(request: HttpRequest, desk: Desk, plan: str, promise: Callable[[Post], list[Delivery]]) -> HttpResponse:
    try:
        kept = studio.save_desk(request, desk)
    except Outdated:
        return studio.conflict(request, desk, again=request.path, plan=plan)
    except InTheBin as exc:
        return studio.in_the_bin(request, desk, exc)
    desk.post, desk.version = kept, kept.version
    try:
        made = promise(kept)
    except Problem as problem:
        return _back_to_composer(request, desk, problem.said)
    said = ngettext("{n} delivery is planned.", "{n} deliveries are planned.", len(made)).format(n=len(made))
    messages.success(request, said)
    if later := [one for one in made if one.spread_from is not None]:
        messages.warning(request, _said_of_later(later))
    return redirect("studio:post", kept.pk)


def _said_of_later(later: list[Delivery]) -> str:
    """Which of them go out at the next free moment, as their network takes no more that day."""
    named = "; ".join(
        f"{one.account.in_full}: {date_format(one.due_at.astimezone(ZoneInfo(one.zone)), 'j F, H:i')}"
        for one in later[:5]
    )
    return _("All posts of that day are taken on some accounts; there it goes out later: {accounts}.").format(
        accounts=named + (" …" if len(later) > 5 else "")
    )


def _back_to_composer(request: HttpRequest, desk: Desk, said: str) -> HttpResponse:
    """The composer as it was typed, with the reason on top. Nothing typed is lost."""
    messages.error(request, said)
    return studio.composer(request, desk, status=422)


def _member(request: HttpRequest, desk: Desk) -> Member:
    return _scope(request).member_in(desk.workspace)


# A delivery


@login_required
@require_GET
def delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """The receipt. Its address can be given to anybody in the team."""
    found, member = _delivery(request, pk)
    return render(request, "publishing/delivery.html", _receipt(found, member))


def _receipt(found: Delivery, member: Member) -> dict[str, Any]:
    return {
        "view": pages.view_of(found, member),
        "moments": pages.moments(found),
        "latency": pages.seconds_between(found.sent_at, found.accepted_at),
        "lateness": pages.seconds_between(found.due_at, found.sent_at),
        "steps": pages.steps_of(found),
        "may_measure": member.may("measure"),
        "may_read_inbox": member.may("read_inbox"),
    }


@login_required
@require_GET
def row(request: HttpRequest, pk: int) -> HttpResponse:
    """The delivery's line, for a page that asks while something is under way. 204 when ``mark`` is still true."""
    found, member = _delivery(request, pk)
    view = pages.view_of(found, member)
    if view.mark == request.GET.get("mark"):
        return HttpResponse(status=204)
    return render(request, "publishing/_delivery.html", {"view": view, "alone": "alone" in request.GET})


@login_required
@require_GET
def live(request: HttpRequest, pk: int) -> HttpResponse:
    """The receipt's page while something is under way: 204, or the whole of it anew."""
    found, member = _delivery(request, pk)
    context = _receipt(found, member)
    if context["view"].mark == request.GET.get("mark"):
        return HttpResponse(status=204)
    return render(request, "publishing/_receipt.html", context)


@login_required
@require_GET
def by_hand(request: HttpRequest, pk: int) -> HttpResponse:
    """Text, pictures and steps for whoever publishes it, made for a phone."""
    found, member = _delivery(request, pk)
    view, steps = pages.view_of(found, member), pages.steps_of(found)
    has_files = any(one.pictures for one in steps)
    return render(request, "publishing/by_hand.html", {"view": view, "steps": steps, "has_files": has_files})


def _delivery(request: HttpRequest, pk: int) -> tuple[Delivery, Member]:
    found = get_object_or_404(pages.deliveries_seen(_scope(request)), pk=pk)
    return found, _scope(request).member_in(found.workspace_id)


# Actions

Action = Callable[[HttpRequest, Delivery, Member], tuple[str, str]]
"""Does it, and returns what to say, with the address of its undo or ""."""


@login_required
@require_POST
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """One of ACTIONS; then back to where the person was."""
    found, member = _delivery(request, pk)
    if action not in ACTIONS:
        raise Http404
    said, undo = ACTIONS[action](request, found, member)
    messages.success(request, said, extra_tags=f"undo:{undo}" if undo else "")
    return redirect(_where_from(request, found))


def _where_from(request: HttpRequest, found: Delivery) -> str:
    back = request.POST.get("back", "")
    if back and url_has_allowed_host_and_scheme(back, {request.get_host()}) and back.startswith("/"):
        return back
    return reverse("publishing:delivery", args=[found.pk])


def _unless_looked_for(row: Delivery, said: str) -> str:
    """What may be out already, as an answer was lost or since a backup, is looked for."""
    return in_words(row.problem, row.problem_facts) if row.state == State.UNCLEAR else said


def _move(request: HttpRequest, found: Delivery, member: Member) -> tuple[str, str]:
    form = forms.MoveForm(request.POST)
    if not form.is_valid():
        raise Problem(" ".join(str(said) for errors in form.errors.values() for said in errors))
    before = found.local_at, found.zone
    late = lateness.read(request.POST.get("late"), found.late_minutes)
    moved = services.move(found, at=form.wall_time(), by=member, late_minutes=late)
    undo = reverse("publishing:move-back", args=[found.pk, before[0].strftime("%Y-%m-%dT%H:%M:%S"), before[1]])
    return _unless_looked_for(moved, _("Moved.")), undo


def _cancel(_request: HttpRequest, found: Delivery, member: Member) -> tuple[str, str]:
    row = services.cancel(found, by=member)
    undo = reverse("publishing:act", args=[found.pk, "undo-cancel"]) if row.state != State.UNCLEAR else ""
    return _unless_looked_for(row, _("Cancelled.")), undo


def _undo_cancel(_request: HttpRequest, found: Delivery, member: Member) -> tuple[str, str]:
    return _unless_looked_for(services.undo_cancel(found, by=member), _("It is planned again.")), ""


def _send_again(_request: HttpRequest, found: Delivery, member: Member) -> tuple[str, str]:
    return _unless_looked_for(services.send_again(found, by=member), _("It is on its way again.")), ""


def _send_now(_request: HttpRequest, found: Delivery, member: Member) -> tuple[str, str]:
    return _unless_looked_for(services.send_now(found, by=member), _("It is on its way.")), ""


def _let_go(_request: HttpRequest, found: Delivery, member: Member) -> tuple[str, str]:
    services.let_go(found, by=member)
    return _("It goes out at its time."), ""


def _there(request: HttpRequest, found: Delivery, member: Member) -> tuple[str, str]:
    services.settle_there(found, link=request.POST.get("link", ""), by=member)
    return _("Settled: it is there."), ""


def _absent(_request: HttpRequest, found: Delivery, member: Member) -> tuple[str, str]:
    services.settle_absent(found, by=member)
    return _("Settled: it is not there. Send it again, or let it go."), ""


def _finish(_request: HttpRequest, found: Delivery, member: Member) -> tuple[str, str]:
    row = services.finish_partly(found, by=member)
    return _unless_looked_for(row, _("The missing parts are on their way.")), ""


def _take_back(_request: HttpRequest, found: Delivery, member: Member) -> tuple[str, str]:
    services.take_back(found, by=member)
    return _("What is out is being deleted."), ""


def _taken_back(_request: HttpRequest, found: Delivery, member: Member) -> tuple[str, str]:
    services.taken_back_there(found, by=member)
    return _("Settled: nothing of it is out any more."), ""


def _leave(_request: HttpRequest, found: Delivery, member: Member) -> tuple[str, str]:
    services.leave_as_it_is(found, by=member)
    return _("It stays as it is, and counts as published."), ""


def _done(request: HttpRequest, found: Delivery, member: Member) -> tuple[str, str]:
    services.done_by_hand(found, link=request.POST.get("link", ""), by=member)
    return _("Done: it counts as published."), ""


def _delete(_request: HttpRequest, found: Delivery, member: Member) -> tuple[str, str]:
    services.delete_published(found, by=member)
    return _("It is being deleted on its network."), ""


def _made_public(_request: HttpRequest, found: Delivery, member: Member) -> tuple[str, str]:
    services.made_public(found, by=member)
    return _("It counts as published now."), ""


def _look_again(_request: HttpRequest, found: Delivery, member: Member) -> tuple[str, str]:
    services.look_again(found, by=member)
    return _("The network is being asked: what it says will show here."), ""


ACTIONS: dict[str, Action] = {
    "move": _move,
    "cancel": _cancel,
    "undo-cancel": _undo_cancel,
    "send-again": _send_again,
    "send-now": _send_now,
    "let-go": _let_go,
    "there": _there,
    "absent": _absent,
    "finish": _finish,
    "take-back": _take_back,
    "taken-back": _taken_back,
    "leave": _leave,
    "done": _done,
    "made-public": _made_public,
    "look-again": _look_again,
    "delete": _delete,
}


@login_required
@require_POST
def move_back(request: HttpRequest, pk: int, local_at: str, zone: str) -> HttpResponse:
    """The undo of a move: the time and zone it had."""
    found, member = _delivery(request, pk)
    date, _t, time = local_at.partition("T")
    form = forms.MoveForm({"date": date, "time": time, "zone": zone})
    if not form.is_valid():
        raise Http404
    services.move(found, at=form.wall_time(), by=member)
    messages.success(request, _("It is back at its time."))
    return redirect(_where_from(request, found) if request.POST.get("back") else _referred(request, found))


def _referred(request: HttpRequest, found: Delivery) -> str:
    """Where the undo was pressed."""
    back = request.headers.get("Referer", "")
    if back and url_has_allowed_host_and_scheme(back, {request.get_host()}):
        return back
    return reverse("publishing:delivery", args=[found.pk])


def _scope(request: HttpRequest) -> Scope:
    return cast(MemberRequest, request).scope
