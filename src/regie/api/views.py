"""The page where people make tokens, and the description of the API for those who write programs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from regie.api import application, queries, services
from regie.api.docs import subjects_of
from regie.api.forms import TokenForm
from regie.core import clock
from regie.people.scope import MemberRequest
from regie.people.views import settings_tabs


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: MemberRequest) -> HttpResponse:
    """Lists tokens and makes them. The secret is in this one answer and nowhere else, so it is not redirected."""
    member = request.scope.current
    form = TokenForm(request.POST or None) if member else None
    secret = ""
    if request.method == "POST" and member and form and form.is_valid():
        days = form.cleaned_data["lasts"]
        ends = clock.now() + timedelta(days=int(days)) if days else None
        _token, secret = services.create_token(name=form.cleaned_data["name"], by=member, expires_at=ends)
        form = TokenForm()
    context: dict[str, Any] = {
        "tabs": settings_tabs(request, "api:tokens"),
        "member": member,
        "tokens": queries.tokens_for(request.scope),
        "form": form,
        "secret": secret,
    }
    response = render(request, "api/tokens.html", context, status=422 if form and form.errors else 200)
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_POST
def revoke(request: MemberRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(queries.tokens_for(request.scope), pk=pk)
    services.revoke_token(token, by=request.scope.member_in(token.workspace_id))
    messages.success(request, _("The token “%(name)s” no longer opens anything.") % {"name": token.name})
    return redirect("api:tokens")


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return JsonResponse(application.schema())


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The operations, drawn from the description itself: no script, nothing from another host."""
    schema = application.schema()
    context = {
        "layout": "shell.html" if request.user.is_authenticated else "plain.html",
        "subjects": subjects_of(schema),
        "about": schema["info"],
        "root": request.build_absolute_uri(application.ROOT),
    }
    return render(request, "api/docs.html", context)


@csrf_exempt
def nothing_here(request: HttpRequest) -> HttpResponse:
    said = _("There is no such address in the API: see /api/v1/docs.")
    return JsonResponse({"error": "not_found", "said": said, "details": None}, status=404)
