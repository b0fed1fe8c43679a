"""The pages of campaigns."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from regie.core.errors import Problem
from regie.people.errors import NotAllowed
from regie.people.models import Member
from regie.people.scope import MemberRequest, Scope
from regie.studio import campaigns as services
from regie.studio import queries
from regie.studio.forms import CampaignForm
from regie.studio.models import Campaign, Post

PAGE = 50


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def campaigns(request: HttpRequest) -> HttpResponse:
    """All of them, and the form for a new one where one client is in view."""
    scope = _scope(request)
    form = CampaignForm(request.POST or None)
    if request.method == "POST":
        if scope.current is None:
            raise Http404
        scope.current.must("write")
        if _saved(form, None, scope.current) is not None:
            messages.success(request, _("The campaign is there: choose it for your posts."))
            return redirect("studio:campaigns")
    page = Paginator(services.with_counts(services.campaigns_for(scope)), PAGE).get_page(request.GET.get("page"))
    may_write = scope.current is not None and scope.current.may("write")
    context = {"page": page, "form": form if may_write else None, "may_write": may_write, "open": bool(form.errors)}
    return render(request, "studio/campaigns.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def campaign(request: HttpRequest, pk: int) -> HttpResponse:
    """Its plan, to change; its posts are in the list of posts."""
    found, member = _campaign(request, pk)
    form = CampaignForm(request.POST or None, initial=_plan_of(found))
    if request.method == "POST":
        member.must("write", found)
        if _saved(form, found, member) is not None:
            messages.success(request, _("Saved."))
            return redirect("studio:campaign", found.pk)
        found.refresh_from_db()
    context: dict[str, Any] = {
        "campaign": found,
        "form": form if member.may("write") else None,
        "may_freeze": member.may("freeze"),
        "many": Post.objects.filter(campaign=found, removed_at=None).count(),
    }
    return render(request, "studio/campaign.html", context, status=422 if form.errors else 200)


def _saved(form: CampaignForm, found: Campaign | None, member: Member) -> Campaign | None:
    """None: the form says why."""
    if not form.is_valid():
        return None
    try:
        return services.save(campaign=found, plan=services.Plan(**form.cleaned_data), by=member)
    except Problem as problem:
        form.add_error(None, problem.said)
        return None


def _plan_of(found: Campaign) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ("name", "colour", "starts_on", "ends_on")}


@login_required
@require_POST
def archive(request: HttpRequest, pk: int) -> HttpResponse:
    found, member = _campaign(request, pk)
    services.archive(found, by=member)
    undo = reverse("studio:put_back_campaign", args=[found.pk])
    messages.success(request, _("The campaign is in the archive."), extra_tags=f"undo:{undo}")
    return redirect("studio:campaigns")


@login_required
@require_POST
def put_back(request: HttpRequest, pk: int) -> HttpResponse:
    found, member = _campaign(request, pk)
    services.put_back(found, by=member)
    messages.success(request, _("The campaign is offered again."))
    return redirect("studio:campaign", found.pk)


@login_required
@require_POST
def assign(request: HttpRequest) -> HttpResponse:
    """The chosen posts of the list, into a campaign or out of theirs."""
    scope = _scope(request)
    if not scope.may("write"):
        raise NotAllowed("write")
    number = request.POST.get("campaign", "")
    if number and not (number.isascii() and number.isdigit() and len(number) < 18):
        raise Http404
    chosen = get_object_or_404(services.campaigns_for(scope), pk=int(number)) if number else None
    wanted = {int(n) for n in request.POST.getlist("post") if n.isascii() and n.isdigit() and len(n) < 18}
    changed = 0
    for post in queries.posts_for(scope).filter(pk__in=wanted):
        changed += services.assign([post], chosen, by=scope.member_in(post.workspace_id))
    said = ngettext("{n} post has changed its campaign.", "{n} posts have changed their campaign.", changed)
    messages.success(request, said.format(n=changed))
    return redirect("studio:posts")


def _campaign(request: HttpRequest, pk: int) -> tuple[Campaign, Member]:
    found = get_object_or_404(services.every_campaign_for(_scope(request)), pk=pk)
    return found, _scope(request).member_in(found.workspace_id)


def _scope(request: HttpRequest) -> Scope:
    return cast(MemberRequest, request).scope
