"""Error pages that help. Those for a broken product need neither database nor sign-in."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from regie.media.errors import NO_ROOM, DiskFull


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return HttpResponse(render_to_string("400.html"), status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "403.html", {"said": str(exception) if exception else ""}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Called while the exception is being handled: "no database" and "no room" are no faults, also in a middleware."""
    exc = sys.exc_info()[1]
    if isinstance(exc, OperationalError | InterfaceError):
        return database_away(request)
    if isinstance(exc, OSError) and exc.errno in NO_ROOM:  # the body of a request that had no place to arrive in
        return disk_full(request)
    return HttpResponse(render_to_string("500.html"), status=500)


def disk_full(request: HttpRequest) -> HttpResponse:
    """A script is told in words alone, as it shows them where the person is."""
    said = DiskFull.sentence()
    if request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate" or request.headers.get("HX-Request"):
        return HttpResponse(said, status=422, content_type="text/plain; charset=utf-8")
    return HttpResponse(render_to_string("400.html", {"said": said}), status=507)


def database_away(request: HttpRequest) -> HttpResponse:
    """The database does not answer: nothing was saved, nothing was lost; try again in a moment."""
    return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": "10"})
