"""Error pages that help. Those for a broken product need neither database nor sign-in."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return HttpResponse(render_to_string("400.html"), status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "403.html", {"said": str(exception) if exception else ""}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Called while the exception is being handled: one that says "no database", also from a middleware, is no fault."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return database_away(request)
    return HttpResponse(render_to_string("500.html"), status=500)


def database_away(request: HttpRequest) -> HttpResponse:
    """The database does not answer: nothing was saved, nothing was lost; try again in a moment."""
    return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": "10"})
