"""Who may do what: the one table. ``docs/guide`` shows the same to people, made from this."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    MANAGER = "manager", _("Manager")
    EDITOR = "editor", _("Editor")
    COMMUNITY = "community", _("Community")
    ANALYST = "analyst", _("Analyst")
    GUEST = "guest", _("Guest reviewer")


O, M, E, C, A, G = Role.OWNER, Role.MANAGER, Role.EDITOR, Role.COMMUNITY, Role.ANALYST, Role.GUEST  # noqa: E741

MAY: dict[str, frozenset[Role]] = {
    # verb                        who
    "view": frozenset((O, M, E, C, A, G)),  # posts, calendar, receipts
    "write": frozenset((O, M, E)),  # drafts, media
    "schedule": frozenset((O, M, E)),  # promise to publish, move, cancel
    "publish": frozenset((O, M, E)),  # now, send again, settle an unclear one, by hand
    "freeze": frozenset((O, M, E, C)),  # anybody on duty may hold everything; lifting asks for "lift"
    "lift": frozenset((O, M)),
    "read_inbox": frozenset((O, M, E, C, A)),
    "answer": frozenset((O, M, C)),  # reply, like, done, assign
    "measure": frozenset((O, M, E, C, A)),
    "connect": frozenset((O, M)),  # accounts: connect, reconnect, pause, remove
    "manage_people": frozenset((O, M)),  # invite, change roles, remove: a manager those below manager
    "manage_workspace": frozenset((O,)),  # name, zone, owners
    "read_audit": frozenset((O, M)),
}


def may(role: str, verb: str) -> bool:
    """Whether the role gives the verb. An unknown verb is a mistake in the code: KeyError."""
    return Role(role) in MAY[verb]
