"""The audit trail: call ``record`` inside the transaction of the change it tells about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from regie.people.models import AuditEntry, Member, User, Workspace

PRODUCT = "Régie"

_WORDS: dict[str, Promise] = {
    "workspace.created": _("created the workspace"),
    "workspace.changed": _("changed the workspace"),
    "member.invited": _("invited"),
    "member.joined": _("joined"),
    "member.role_changed": _("changed the role of"),
    "member.removed": _("removed the member"),
    "invitation.withdrawn": _("withdrew the invitation of"),
}


def name_acts(acts: Mapping[str, Promise]) -> None:
    """For later apps: how their acts read, as in "Alice scheduled the post"."""
    _WORDS.update(acts)


def words(entry: AuditEntry) -> str:
    """What was done, in the reader's language."""
    return str(_WORDS.get(entry.did, entry.did))


def record(
    *,
    did: str,
    by: Member | User | None,
    to: models.Model | None = None,
    workspace: Workspace | int | None = None,
    label: str = "",
    **facts: Any,
) -> None:
    """Writes who did what. ``by`` None: the product itself. ``facts`` hold no secret and are JSON."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("An audit entry belongs in the transaction of what it tells about.")
    user = by.user if isinstance(by, Member) else by
    where = workspace if workspace is not None else getattr(to, "workspace_id", None)
    if where is None and isinstance(by, Member):
        where = by.workspace_id
    if isinstance(to, Workspace):
        where = to.pk
    AuditEntry.objects.create(
        workspace_id=where.pk if isinstance(where, Workspace) else where,
        user=user,
        who=str(user) if user else PRODUCT,
        did=did,
        what=to._meta.model_name or "" if to is not None else "",
        what_id=to.pk if to is not None else None,
        label=(label or (str(to) if to is not None else ""))[:200],
        facts=facts,
    )
