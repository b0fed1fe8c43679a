"""What every page of the shell shows around its content."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from regie.people.models import Notice
from regie.people.scope import Scope
from regie.web import navigation


def shell(request: HttpRequest) -> dict[str, Any]:
    """``scope``, ``navigation``, ``unread_notices``; nothing more than two queries, and none for strangers."""
    scope: Scope | None = getattr(request, "scope", None)
    if scope is None:
        return {"demo": settings.DEMO}
    match = request.resolver_match
    return {
        "demo": settings.DEMO,
        "scope": scope,
        "navigation": navigation.for_scope(
            scope,
            namespace=match.namespace if match else "",
            view=match.view_name if match else "",
            counts={},
        ),
        "unread_notices": Notice.objects.filter(user=scope.user, read_at=None).count(),
    }
