"""The outermost and innermost layers around a view: readiness without a database, and problems made sentences."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from regie.core.errors import Problem
from regie.web import health, metrics
from regie.web.errors import database_away

Handler = Callable[[HttpRequest], HttpResponse]


class HealthMiddleware:
    """Before sessions, hosts and everything else: three addresses for machines that watch.

    ``/healthz``: 200 when a request could be answered. ``/readyz``: 200 when the whole installation does its work, or
    503 with the reasons. ``/metrics``: numbers for Prometheus, for whom ``metrics.may_read`` lets in; 404 for others.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = {"/healthz": _healthz, "/readyz": _readyz, "/metrics": _metrics}.get(request.path_info)
        if answer is None:
            return self.get_response(request)
        try:
            return answer(request)
        except (OperationalError, InterfaceError):
            return JsonResponse({"ready": False, "why": ["database"]}, status=503)


def _healthz(_request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"ready": True})


def _readyz(_request: HttpRequest) -> HttpResponse:
    why = health.not_ready()
    return JsonResponse({"ready": not why, "why": why}, status=503 if why else 200)


def _metrics(request: HttpRequest) -> HttpResponse:
    if not metrics.may_read(request):
        return HttpResponse("", status=404, content_type="text/plain")
    return HttpResponse(metrics.text(), content_type=metrics.CONTENT_TYPE)


class ProblemMiddleware:
    """A Problem that a view did not handle becomes its sentence, where the person was: nothing typed is lost."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        if isinstance(exception, OperationalError):
            return database_away(request)
        if not isinstance(exception, Problem):
            return None
        if getattr(request, "htmx", False):
            response = HttpResponse(exception.said, status=422, content_type="text/plain; charset=utf-8")
            response["HX-Reswap"] = "none"
            return response
        back = request.headers.get("Referer", "")
        if request.method == "POST" and url_has_allowed_host_and_scheme(back, {request.get_host()}):
            messages.error(request, exception.said)
            return HttpResponse(status=303, headers={"Location": back})
        return render(request, "400.html", {"said": exception.said}, status=exception.status)
