"""Reading accounts: only what the scope's person may see."""

from __future__ import annotations

from django.db.models import QuerySet

from regie.accounts.models import Account
from regie.people.scope import Scope


def accounts_for(scope: Scope, verb: str = "view") -> QuerySet[Account]:
    """The accounts of the workspaces in view where the person may do ``verb``; removed ones are left out."""
    return (
        Account.objects.filter(workspace__in=scope.workspace_ids(verb))
        .exclude(state=Account.State.REMOVED)
        .select_related("workspace")
    )
