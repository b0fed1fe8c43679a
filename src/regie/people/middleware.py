"""Puts the person's scope on the request: ``/w/<workspace>/...`` or ``/w/all/...`` before any signed-in page.

The prefix is taken off before addresses are resolved and put back on every address that ``reverse`` makes, so two
browser tabs can stand in two workspaces, and no view or template repeats the workspace.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import get_script_prefix, set_script_prefix
from django.utils import timezone, translation

from regie.people.models import User
from regie.people.scope import Scope

PREFIX = re.compile(r"^/w/(?P<slug>[-\w]+)(?=/)")

Handler = Callable[[HttpRequest], HttpResponse]


def in_workspace(path: str, slug: str) -> str:
    """An address below a workspace, for e-mails, notices and jobs: no request is there to know it."""
    return f"/w/{slug}/{path.lstrip('/')}"


def without_workspace(path: str) -> str:
    """The same address for whoever opens it: for links in e-mails."""
    return PREFIX.sub("", path)


class ScopeMiddleware:
    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        before = get_script_prefix()
        match = PREFIX.match(request.path_info)
        slug = match["slug"] if match else ""
        if match:
            request.path_info = request.path_info[match.end() :]
        try:
            user = request.user
            if isinstance(user, User):
                timezone.activate(ZoneInfo(user.zone))
                translation.activate(user.language)
                request.LANGUAGE_CODE = user.language
                scope = Scope.of(user, slug)
                request.scope = scope  # type: ignore[attr-defined]
                set_script_prefix(f"/w/{scope.slug}/")
            elif match:
                return redirect(f"/account/login/?{urlencode({'next': request.get_full_path()}, safe='/')}")
            return self.get_response(request)
        finally:
            timezone.deactivate()
            set_script_prefix(before)
