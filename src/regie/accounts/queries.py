"""Reading accounts: only what the scope's person may see."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F, Q, QuerySet

from regie.accounts.models import Account
from regie.core import clock
from regie.people.scope import Scope


def accounts_for(scope: Scope, verb: str = "view") -> QuerySet[Account]:
    """The accounts of the workspaces in view where the person may do ``verb``; removed ones are left out."""
    return (
        Account.objects.filter(workspace__in=scope.workspace_ids(verb))
        .exclude(state=Account.State.REMOVED)
        .select_related("workspace")
    )


def to_refresh() -> list[int]:
    """Accounts whose token wants trading, soonest to expire first."""
    due = Account.objects.filter(
        refresh_at__lte=clock.now(), state__in=[Account.State.CONNECTED, Account.State.PAUSED]
    ).order_by("refresh_at")
    return list(due.values_list("pk", flat=True)[:500])


def to_check(*, every: timedelta = timedelta(hours=6)) -> list[Account]:
    """Connected accounts whose network has not answered us well for a while."""
    quiet = Q(checked_at=None) | Q(checked_at__lt=clock.now() - every)
    return list(
        Account.objects.filter(quiet, state=Account.State.CONNECTED).order_by(F("checked_at").asc(nulls_first=True))[
            :50
        ]
    )


WARNED = timedelta(days=14)


def ending_soon(accounts: QuerySet[Account]) -> list[Account]:
    """Those that stop working within two weeks unless a person connects them again, the first to end first."""
    alive = [Account.State.CONNECTED, Account.State.PAUSED]
    now = clock.now()
    soon = accounts.filter(state__in=alive, reconnect_by__gt=now, reconnect_by__lte=now + WARNED)
    return list(soon.select_related("workspace").order_by("reconnect_by", "pk"))
