"""Today, search, notices: what belongs to no single app."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from regie.core import clock
from regie.people.middleware import in_workspace
from regie.people.models import Notice
from regie.people.notices import sentence
from regie.people.queries import notices_of
from regie.people.scope import MemberRequest
from regie.people.views import settings_tabs
from regie.web import charts, health, queries

PER_PAGE = 30


@login_required
@require_safe
def today(request: MemberRequest) -> HttpResponse:
    """What needs the person, what goes out next, and what came in."""
    return render(request, "web/today.html", queries.today(request.scope))


@login_required
@require_safe
def health_page(request: MemberRequest) -> HttpResponse:
    """How publishing is, here and (for operators) underneath."""
    found = health.health(request.scope)
    context = {
        "tabs": settings_tabs(request, "web:health"),
        "health": found,
        "states": [(state, many) for state, many in found.states.items() if many],
        "chart": charts.punctuality(found.punctuality),
        "bars": charts.punctuality_rows(found.punctuality),
        "operator": request.user.is_operator,
    }
    return render(request, "web/health.html", context)


@login_required
@require_safe
def search(request: MemberRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    return render(request, "web/search.html", {"text": text, "groups": queries.search(request.scope, text)})


@login_required
@require_safe
def notices(request: MemberRequest) -> HttpResponse:
    page = Paginator(notices_of(request.scope).order_by("-created_at", "-pk"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    rows = [{"notice": notice, "sentence": sentence(notice)} for notice in page]
    return render(
        request, "web/notices.html", {"page": page, "rows": rows, "old_before": clock.now() - timedelta(days=1)}
    )


@login_required
@require_POST
def open_notice(request: MemberRequest, pk: int) -> HttpResponse:
    """Marks it as read and leads to where it can be acted on."""
    notice = get_object_or_404(Notice.objects.select_related("workspace"), pk=pk, user=request.user)
    if notice.read_at is None:
        notice.read_at = clock.now()
        notice.save(update_fields=["read_at"])
    return redirect(in_workspace(notice.path, notice.workspace.slug))


@login_required
@require_POST
def read_all_notices(request: MemberRequest) -> HttpResponse:
    notices_of(request.scope).filter(read_at=None).update(read_at=clock.now())
    return redirect("web:notices")
