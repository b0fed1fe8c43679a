"""Reading tokens: one's own, and those of the workspaces whose people one manages."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from regie.api.models import ApiToken
from regie.people.scope import Scope


def tokens_for(scope: Scope) -> QuerySet[ApiToken]:
    """Those not revoked, newest first."""
    mine = Q(member__in=[seat.pk for seat in scope.seats])
    managed = Q(workspace__in=scope.workspace_ids("manage_people"))
    return ApiToken.objects.filter(mine | managed, revoked_at=None).select_related("member__user", "workspace")
