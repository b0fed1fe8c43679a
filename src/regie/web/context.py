"""What every page of the shell shows around its content."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from regie.people.queries import notices_of
from regie.people.scope import Scope
from regie.web import navigation


def shell(request: HttpRequest) -> dict[str, Any]:
    """What shell.html reads: see README.md. A handful of queries, and none for strangers."""
    scope: Scope | None = getattr(request, "scope", None)
    if scope is None:
        return {"demo": settings.DEMO}
    match = request.resolver_match
    groups = navigation.for_scope(
        scope,
        namespace=match.namespace if match else "",
        view=match.view_name if match else "",
        counts=navigation.counts(scope),
    )
    return {
        "demo": settings.DEMO,
        "scope": scope,
        "navigation": groups,
        "phone_navigation": navigation.for_phone(groups),
        "notices_count": notices_of(scope).filter(read_at=None).count(),
        "notices_url": _address("web:notices"),
        "create_url": _address("studio:new") if scope.may("write") else "",
        "search_url": _address("web:search"),
        "search_text": request.GET.get("q", "") if match and match.view_name == "web:search" else "",
        "freeze": navigation.freeze(scope),
        "user_links": [{"label": _("Your account"), "url": _address("people:me"), "icon": "user-circle"}],
        "shortcuts": [
            {"keys": keys, "label": label, "url": url}
            for keys, view, label in (
                ("g t", "web:today", _("Today")),
                ("g c", "planner:calendar", _("Calendar")),
                ("g p", "studio:posts", _("Posts")),
                ("g i", "community:inbox", _("Inbox")),
            )
            if (url := _address(view))
        ],
    }


def _address(view: str) -> str:
    try:
        return reverse(view)
    except NoReverseMatch:
        return ""
