"""What people-related services refuse, each with a sentence for the person."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from regie.core.errors import Problem


class NotAllowed(PermissionDenied):
    """The member's role does not give this verb, or the thing is another workspace's."""

    def __init__(self, verb: str, *, role: str = "") -> None:
        super().__init__(_("Your role in this workspace does not allow this. Ask an owner or a manager."))
        self.verb, self.role = verb, role


class LastOwner(Problem):
    """A workspace keeps at least one owner."""


class InvitationOver(Problem):
    """The invitation was used, withdrawn, or has expired."""


class ForSomebodyElse(Problem):
    """The invitation went to another address than those of the person who opened it."""


class AlreadyHere(Problem):
    """The person who is invited has a seat in the workspace."""
