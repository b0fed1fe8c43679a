"""The list of what was missed, and one decision for many of them."""

from __future__ import annotations

from datetime import timedelta
from typing import cast
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from regie.core import clock
from regie.core.errors import Problem
from regie.people.errors import NotAllowed
from regie.people.scope import MemberRequest, Scope
from regie.publishing import missed as deciding
from regie.publishing.forms import AgainForm
from regie.publishing.models import Delivery
from regie.publishing.queries import deliveries_for

PER_PAGE = 50


@login_required
@require_GET
def missed(request: HttpRequest) -> HttpResponse:
    """What did not go out in time, the oldest first. Nothing of it goes out by itself."""
    scope = _scope(request)
    soon = (clock.now() + timedelta(hours=1)).astimezone(ZoneInfo(scope.user.zone))
    form = AgainForm(
        initial={"date": soon.date(), "time": soon.time().replace(minute=0), "zone": scope.user.zone, "apart": 15}
    )
    page = Paginator(deciding.missed_for(scope), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "publishing/missed.html",
        {"page": page, "form": form, "may_decide": scope.may("schedule"), "may_publish": scope.may("publish")},
    )


@login_required
@require_POST
def decide(request: HttpRequest, action: str) -> HttpResponse:
    """``send``, ``plan`` or ``cancel`` for the chosen ones."""
    scope = _scope(request)
    if action not in SAID:
        raise Http404
    if not scope.may("publish" if action == "send" else "schedule"):
        raise NotAllowed(action)
    numbers = {int(n) for n in request.POST.getlist("delivery") if n.isascii() and n.isdigit() and len(n) < 18}
    if deliveries_for(scope).filter(pk__in=numbers).count() < len(numbers):
        raise Http404
    chosen = list(deciding.missed_for(scope).filter(pk__in=numbers)[: deciding.AT_ONCE])
    done = _decided(request, action, chosen, scope)
    if done.many:
        messages.success(request, SAID[action](done.many).format(n=done.many))
    if done.looked_for:
        messages.info(request, _looked_for(done.looked_for))
    for said in done.problems:
        messages.error(request, said)
    if not chosen:
        messages.info(request, _("Choose at least one."))
    return redirect("publishing:missed")


def _looked_for(n: int) -> str:
    said = ngettext(
        "{n} may have gone out after the backup that was restored: we look for it first.",
        "{n} may have gone out after the backup that was restored: we look for them first.",
        n,
    )
    return said.format(n=n)


def _decided(request: HttpRequest, action: str, chosen: list[Delivery], scope: Scope) -> deciding.Done:
    if action == "send":
        return deciding.send_now(chosen, scope)
    if action == "cancel":
        return deciding.let_go(chosen, scope)
    form = AgainForm(request.POST)
    if not form.is_valid():
        raise Problem(" ".join(str(said) for errors in form.errors.values() for said in errors))
    return deciding.plan_again(chosen, scope, at=form.wall_time(), apart=timedelta(minutes=form.cleaned_data["apart"]))


SAID = {
    "send": lambda n: ngettext("{n} is on its way.", "{n} are on their way.", n),
    "plan": lambda n: ngettext("{n} is planned again.", "{n} are planned again.", n),
    "cancel": lambda n: ngettext("{n} was let go.", "{n} were let go.", n),
}


def _scope(request: HttpRequest) -> Scope:
    return cast(MemberRequest, request).scope
