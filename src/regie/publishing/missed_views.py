"""The list of what was missed, and one decision for many of them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import cast
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from regie.core import clock
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
    user = _scope(request).user
    soon = (clock.now() + timedelta(hours=1)).astimezone(ZoneInfo(user.zone))
    initial = {"date": soon.date(), "time": soon.time().replace(minute=0), "zone": user.zone, "apart": 15}
    return _page(request, AgainForm(initial=initial), number=request.GET.get("page"))


def _page(request: HttpRequest, form: AgainForm, *, number: str | None, ticked: Collection[int] = ()) -> HttpResponse:
    """``ticked``: chosen already, when the page is drawn again because of what the form says."""
    scope = _scope(request)
    for name in list(form.errors)[:1]:  # below the list: the page opens there
        form.fields[name].widget.attrs["autofocus"] = True
    context = {
        "page": Paginator(deciding.missed_for(scope), PER_PAGE).get_page(number),
        "form": form,
        "ticked": ticked,
        "may_decide": scope.may("schedule"),
        "may_publish": scope.may("publish"),
    }
    return render(request, "publishing/missed.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def decide(request: HttpRequest, action: str) -> HttpResponse:
    """``send``, ``plan`` or ``cancel`` for the chosen ones. GET, by the pager or a reload: the list."""
    scope = _scope(request)
    if action not in SAID:
        raise Http404
    if request.method == "GET":
        return redirect(f"{reverse('publishing:missed')}?{request.GET.urlencode()}")
    if not scope.may("publish" if action == "send" else "schedule"):
        raise NotAllowed(action)
    numbers = {int(n) for n in request.POST.getlist("delivery") if n.isascii() and n.isdigit() and len(n) < 18}
    if deliveries_for(scope).filter(pk__in=numbers).count() < len(numbers):
        raise Http404
    chosen = list(deciding.missed_for(scope).filter(pk__in=numbers)[: deciding.AT_ONCE])
    form = AgainForm(request.POST) if action == "plan" else None
    if not chosen:
        messages.info(request, _("They were settled meanwhile.") if numbers else _("Choose at least one."))
    elif form is not None and not form.is_valid():
        return _page(request, form, number=request.POST.get("page"), ticked=numbers)
    else:
        _tell(request, action, _decided(action, chosen, scope, form))
    return redirect("publishing:missed")


def _tell(request: HttpRequest, action: str, done: deciding.Done) -> None:
    if done.many:
        messages.success(request, SAID[action](done.many).format(n=done.many))
    if done.looked_for:
        messages.info(request, _looked_for(done.looked_for))
    for said in done.problems:
        messages.error(request, said)


def _looked_for(n: int) -> str:
    said = ngettext(
        "{n} may have gone out after the backup that was restored: we look for it first.",
        "{n} may have gone out after the backup that was restored: we look for them first.",
        n,
    )
    return said.format(n=n)


def _decided(action: str, chosen: list[Delivery], scope: Scope, form: AgainForm | None) -> deciding.Done:
    if form is not None:
        apart = timedelta(minutes=form.cleaned_data["apart"])
        return deciding.plan_again(chosen, scope, at=form.wall_time(), apart=apart)
    return deciding.send_now(chosen, scope) if action == "send" else deciding.let_go(chosen, scope)


SAID = {
    "send": lambda n: ngettext("{n} is on its way.", "{n} are on their way.", n),
    "plan": lambda n: ngettext("{n} is planned again.", "{n} are planned again.", n),
    "cancel": lambda n: ngettext("{n} was let go.", "{n} were let go.", n),
}


def _scope(request: HttpRequest) -> Scope:
    return cast(MemberRequest, request).scope
