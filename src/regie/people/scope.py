"""What a person looks at: one workspace, or all their clients. Every query takes it, so nothing else can be reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from regie.people.models import Member, User, Workspace

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

ALL = "all"


@dataclass(frozen=True, slots=True)
class Scope:
    """``members``: every seat of the person. ``current``: the seat in the chosen workspace; None for all of them."""

    user: User
    members: tuple[Member, ...]
    current: Member | None = None

    @property
    def all(self) -> bool:
        return self.current is None

    @property
    def slug(self) -> str:
        return self.current.workspace.slug if self.current else ALL

    @property
    def label(self) -> str:
        return self.current.workspace.name if self.current else _("All my clients")

    @property
    def seats(self) -> tuple[Member, ...]:
        """The seats that count here: the current one, or all."""
        return (self.current,) if self.current else self.members

    def workspace_ids(self, verb: str = "view") -> list[int]:
        """The workspaces in view in which the person may do ``verb``."""
        return [seat.workspace_id for seat in self.seats if seat.may(verb)]

    def may(self, verb: str) -> bool:
        """Whether the person may do it in at least one workspace in view."""
        return any(seat.may(verb) for seat in self.seats)

    def member_in(self, workspace: Workspace | int) -> Member:
        """The person's seat in a workspace, also one outside the current view. Raises Http404 for a stranger."""
        wanted = workspace if isinstance(workspace, int) else workspace.pk
        for member in self.members:
            if member.workspace_id == wanted:
                return member
        raise Http404

    @classmethod
    def of(cls, user: User, slug: str = "") -> Scope:
        """``slug`` empty: the only workspace of somebody who has one, else all of them.

        Raises Http404 for a workspace that is not the person's, as for one that does not exist.
        """
        members = tuple(Member.objects.filter(user=user).select_related("workspace", "user"))
        if slug == "" and len(members) == 1:
            return cls(user, members, members[0])
        if slug in ("", ALL):
            return cls(user, members)
        for member in members:
            if member.workspace.slug == slug:
                return cls(user, members, member)
        raise Http404

    @classmethod
    def for_member(cls, member: Member) -> Scope:
        return cls(member.user, (member,), member)


class MemberRequest(HttpRequest):
    """A request of somebody signed in, after the scope middleware."""

    user: User
    scope: Scope
    htmx: HtmxDetails
