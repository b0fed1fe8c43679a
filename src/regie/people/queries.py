"""Reading people: only what the scope's person may see."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from regie.people.models import AuditEntry, Invitation, Member, Notice
from regie.people.scope import Scope


def members_of(scope: Scope, search: str = "") -> QuerySet[Member]:
    found = Member.objects.filter(workspace__in=scope.workspace_ids())
    if search:
        found = found.filter(Q(user__name__icontains=search) | Q(user__email__icontains=search))
    return found.select_related("user", "workspace").order_by("workspace__name", "user__name", "pk")


def invitations_of(scope: Scope) -> QuerySet[Invitation]:
    return Invitation.objects.filter(
        workspace__in=scope.workspace_ids("manage_people"), accepted_at=None
    ).select_related("workspace", "invited_by")


def audit_of(scope: Scope, search: str = "") -> QuerySet[AuditEntry]:
    found = AuditEntry.objects.filter(workspace__in=scope.workspace_ids("read_audit")).select_related("workspace")
    if search:
        found = found.filter(Q(who__icontains=search) | Q(did__icontains=search) | Q(label__icontains=search))
    return found.order_by("-at", "-pk")


def notices_of(scope: Scope) -> QuerySet[Notice]:
    return Notice.objects.filter(user=scope.user, workspace__in=scope.workspace_ids()).select_related("workspace")
