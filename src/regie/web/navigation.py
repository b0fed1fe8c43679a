"""The left-hand navigation: what exists, and what the person may see of it. Nothing leads nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from regie.people.scope import Scope


@dataclass(frozen=True, slots=True)
class Place:
    """``verb``: what the role must give, somewhere in view. ``under``: view names' namespace that light it up."""

    label: Promise
    view: str
    icon: str
    verb: str = "view"
    under: str = ""


GROUPS: tuple[tuple[Promise | str, tuple[Place, ...]], ...] = (
    ("", (Place(_("Today"), "web:today", "sun"),)),
    (_("Plan"), (Place(_("Calendar"), "planner:calendar", "calendar", under="planner"),)),
    (
        _("Create"),
        (
            Place(_("Posts"), "studio:posts", "edit", under="studio"),
            Place(_("Media"), "media:library", "photo", under="media"),
            Place(_("Campaigns"), "studio:campaigns", "flag"),
        ),
    ),
    (_("Engage"), (Place(_("Inbox"), "community:inbox", "inbox", verb="read_inbox", under="community"),)),
    (_("Measure"), (Place(_("Numbers"), "measure:overview", "chart-line", verb="measure", under="measure"),)),
    (
        "",
        (
            Place(_("Accounts"), "accounts:accounts", "plug", under="accounts"),
            Place(_("Settings"), "people:settings", "settings", under="people"),
        ),
    ),
)

# A phone's bar has room for four: these first, where the person may go there.
PHONE = ("web:today", "planner:calendar", "studio:posts", "community:inbox")

NAMED = 3
"""So many frozen clients are named on every page; the others are counted."""


def for_scope(scope: Scope, *, namespace: str, view: str, counts: dict[str, int]) -> list[dict[str, Any]]:
    """Groups of ``{label, items: [{label, view, url, icon, count, current}]}`` for the shell."""
    groups: list[dict[str, Any]] = []
    for label, places in GROUPS:
        items = [
            {
                "label": place.label,
                "view": place.view,
                "url": url,
                "icon": place.icon,
                "count": counts.get(place.view, 0),
                "current": place.view == view or (bool(place.under) and place.under == namespace),
            }
            for place in places
            if scope.may(place.verb) and (url := _address(place.view))
        ]
        if items:
            groups.append({"label": label, "items": items})
    return groups


def for_phone(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same places, the most wanted first."""
    items = [item for group in groups for item in group["items"]]
    return sorted(items, key=lambda item: PHONE.index(item["view"]) if item["view"] in PHONE else len(PHONE))


def _address(view: str) -> str:
    try:
        return reverse(view)
    except NoReverseMatch:
        return ""


def counts(scope: Scope) -> dict[str, int]:
    """What waits for the person, by the view of the place that shows it."""
    from regie.community.models import Message

    return {
        "community:inbox": Message.objects.filter(
            workspace__in=scope.workspace_ids("read_inbox"), state=Message.State.OPEN, ours=False
        ).count()
    }


def freeze(scope: Scope) -> dict[str, Any] | None:
    """What is frozen as a whole of what is in view, and where to change it; None: nothing is, and the person cannot.

    ``on``: nothing of what is in view goes out. ``some``: otherwise, the freezes of the workspaces that are frozen,
    for the first NAMED of which there is room; ``more``: how many there are beside those.
    """
    from regie.publishing.models import Freeze

    seen = scope.workspace_ids()
    found = list(
        Freeze.objects.filter(Q(workspace__in=seen) | Q(workspace=None), account=None, campaign=None, lifted_at=None)
        .select_related("by", "workspace")
        .order_by("at", "pk")
    )
    everywhere = next((one for one in found if one.workspace_id is None), None)
    frozen = {one.workspace_id for one in found}
    on = everywhere is not None or (bool(seen) and frozen.issuperset(seen))
    may = on or any(seat.may("freeze") and seat.workspace_id not in frozen for seat in scope.seats)
    if not (found or may):
        return None
    some = [] if on else found
    # Of clients frozen one after the other: nothing goes out since the last of them, and each has reasons of its own.
    told = everywhere or (found[-1] if on and len({(one.why, one.by_id) for one in found}) == 1 else None)
    return {
        "on": on,
        "since": (everywhere or found[-1]).at if on else None,
        "who": str(told.by or "") if told else "",
        "why": told.said if told else "",
        "some": some[:NAMED],
        "more": len(some[NAMED:]),
        "url": _address("publishing:freezes" if on else "publishing:freeze"),
        "all_url": _address("publishing:freezes"),
        "can": may,
    }
