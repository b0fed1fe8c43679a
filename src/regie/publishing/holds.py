"""Why a delivery is held: the words, and which of them hold at this moment."""

from __future__ import annotations

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from regie.accounts.models import Account
from regie.publishing.models import Freeze

FROZEN = "frozen"
RECONNECT = "reconnect"
PAUSED = "paused"

WHY: dict[str, str | Promise] = {
    FROZEN: _("Everything is frozen here until somebody lifts the freeze."),
    RECONNECT: _("The account needs to be connected again."),
    PAUSED: _("The account is paused."),
}

DERIVED = frozenset((FROZEN, RECONNECT, PAUSED))  # can be told from freezes and accounts at any moment
OF_ACCOUNT = {Account.State.BROKEN: RECONNECT, Account.State.REMOVED: RECONNECT, Account.State.PAUSED: PAUSED}


def active_freezes(account: Account) -> Q:
    """The freezes in force that cover an account: its own, its workspace's, the installation's."""
    own = Q(account=account) | Q(account=None, workspace=account.workspace_id) | Q(account=None, workspace=None)
    return Q(lifted_at=None) & own


def holds_now(account: Account, *, by_hand: bool = False) -> list[str]:
    """The reasons for which a delivery of the account would be held now. A person needs no working account."""
    holds = [FROZEN] if Freeze.objects.filter(active_freezes(account)).exists() else []
    if not by_hand and (held := OF_ACCOUNT.get(Account.State(account.state))):
        holds.append(held)
    return holds
