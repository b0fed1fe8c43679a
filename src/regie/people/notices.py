"""Telling people, once each, in the app and by e-mail when it cannot wait. Later apps register their kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db import transaction

from regie.people.models import Notice, User, Workspace

Facts = Mapping[str, Any]
_SENTENCES: dict[str, Callable[[Facts], str]] = {}


def kind(name: str, sentence: Callable[[Facts], str]) -> None:
    """Registers a kind of notice: ``sentence`` makes the text from the facts, in the active language."""
    _SENTENCES[name] = sentence


def sentence(notice: Notice) -> str:
    """What the person reads, in the active language."""
    made = _SENTENCES.get(notice.kind)
    return made(notice.facts) if made else notice.kind


def tell(
    users: Iterable[User],
    *,
    workspace: Workspace | int,
    kind: str,
    key: str,
    facts: Facts | None = None,
    path: str = "",
    urgent: bool = False,
) -> None:
    """Tells each person once per ``key``; telling again changes nothing.

    Rows now; ``urgent``: e-mail and browsers by a job at once after the transaction, as each person chose.
    """
    workspace_id = workspace if isinstance(workspace, int) else workspace.pk
    if urgent:
        transaction.on_commit(_send_at_once, robust=True)
    Notice.objects.bulk_create(
        (
            Notice(
                user=user,
                workspace_id=workspace_id,
                kind=kind,
                key=key,
                facts=dict(facts or {}),
                path=path,
                urgent=urgent,
            )
            for user in users
        ),
        ignore_conflicts=True,
    )


def _send_at_once() -> None:
    from regie.people.tasks import send_at_once

    send_at_once()


def members_who_may(workspace: Workspace | int, verb: str) -> list[User]:
    """The people of a workspace whose role gives ``verb``."""
    from regie.people.permissions import MAY

    workspace_id = workspace if isinstance(workspace, int) else workspace.pk
    return list(
        User.objects.filter(
            memberships__workspace_id=workspace_id, memberships__role__in=MAY[verb], is_active=True
        ).distinct()
    )
