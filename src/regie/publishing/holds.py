"""Why a delivery is held: the words, and which of them hold at this moment."""

from __future__ import annotations

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from regie.accounts.models import Account
from regie.publishing.models import Freeze
from regie.studio.models import Variant

FROZEN = "frozen"
RECONNECT = "reconnect"
PAUSED = "paused"
KEPT = "kept"

WHY: dict[str, str | Promise] = {
    FROZEN: _("Everything is frozen here until somebody lifts the freeze."),
    RECONNECT: _("The account needs to be connected again."),
    PAUSED: _("The account is paused."),
    KEPT: _("Somebody left it held when a freeze was lifted. It waits for a decision."),
}

DERIVED = frozenset((FROZEN, RECONNECT, PAUSED))  # can be told from freezes and accounts at any moment
OF_ACCOUNT = {Account.State.BROKEN: RECONNECT, Account.State.REMOVED: RECONNECT, Account.State.PAUSED: PAUSED}


def active_freezes(account: Account, campaign_id: int | None) -> Q:
    """The freezes in force that cover an account's post: its own, its campaign's, its workspace's, all."""
    wide = Q(account=None, campaign=None) & (Q(workspace=account.workspace_id) | Q(workspace=None))
    own = Q(account=account) | wide
    if campaign_id is not None:
        own |= Q(campaign=campaign_id)
    return Q(lifted_at=None) & own


def holds_now(variant: Variant, account: Account) -> list[str]:
    """The reasons for which a delivery of the variant would be held now. A person needs no working account."""
    holds = [FROZEN] if Freeze.objects.filter(active_freezes(account, variant.post.campaign_id)).exists() else []
    if not variant.by_hand and (held := OF_ACCOUNT.get(Account.State(account.state))):
        holds.append(held)
    return holds
