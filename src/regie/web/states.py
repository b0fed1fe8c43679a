"""The word, icon and tone of every state a person can see: one table, so that a state looks the same everywhere.

Tones are those of regie.css: neutral, info, wait, good, warn, bad, accent. Keys are the values kept in tables.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Words = str | Promise  # a lazy translation is a Promise until it is drawn


@dataclass(frozen=True)
class Look:
    """How a state is drawn. ``hint`` is a sentence that says what it means, or empty."""

    word: Words
    icon: str
    tone: str
    hint: Words = ""


DELIVERY: dict[str, Look] = {
    "held": Look(
        pgettext_lazy("delivery", "Held"),
        "hand-stop",
        "wait",
        _("It waits for something: an approval, a right, the end of a freeze."),
    ),
    "scheduled": Look(pgettext_lazy("delivery", "Scheduled"), "calendar-time", "info", _("It goes out by itself.")),
    "preparing": Look(
        pgettext_lazy("delivery", "Preparing"),
        "cloud-upload",
        "info",
        _("Files are on their way to the network; nothing is visible yet."),
    ),
    "claimed": Look(pgettext_lazy("delivery", "In line"), "hourglass", "info", _("A publisher has it in hand.")),
    "sending": Look(pgettext_lazy("delivery", "Sending"), "send", "info", _("It is being sent at this moment.")),
    "processing": Look(
        pgettext_lazy("delivery", "Processing"), "progress", "info", _("The network has it and is working on it.")
    ),
    "published": Look(
        pgettext_lazy("delivery", "Published"), "circle-check", "good", _("The network confirmed that it is out.")
    ),
    "limited": Look(
        pgettext_lazy("delivery", "Not public"),
        "eye-off",
        "warn",
        _("The network took it, but does not show it to the public."),
    ),
    "partly": Look(
        pgettext_lazy("delivery", "Partly published"),
        "circle-half-2",
        "warn",
        _("Some parts are out: finish it, or delete what is out."),
    ),
    "unclear": Look(
        pgettext_lazy("delivery", "Unclear"),
        "help-circle",
        "warn",
        _("We sent it and heard nothing back. We look on the network before anything is sent again."),
    ),
    "refused": Look(
        pgettext_lazy("delivery", "Refused"), "circle-x", "bad", _("The network did not take it as it is.")
    ),
    "missed": Look(
        pgettext_lazy("delivery", "Missed"),
        "clock-exclamation",
        "bad",
        _("It is later than allowed: decide whether it still goes out."),
    ),
    "by_hand": Look(
        pgettext_lazy("delivery", "By hand"), "hand-click", "accent", _("A person publishes it and pastes the link.")
    ),
    "cancelled": Look(
        pgettext_lazy("delivery", "Cancelled"), "circle-minus", "neutral", _("It was called off and does not go out.")
    ),
    "elsewhere": Look(
        pgettext_lazy("delivery", "Made elsewhere"),
        "external-link",
        "neutral",
        _("It was published without Régie: before the account was connected, or in the network’s own app."),
    ),
}

MESSAGE: dict[str, Look] = {
    "new": Look(pgettext_lazy("message", "New"), "point-filled", "accent", _("Nobody has looked at it yet.")),
    "open": Look(pgettext_lazy("message", "Open"), "message-circle", "info", _("It waits for an answer.")),
    "assigned": Look(pgettext_lazy("message", "Assigned"), "user-check", "info", _("Somebody takes care of it.")),
    "answered": Look(pgettext_lazy("message", "Answered"), "message-reply", "good"),
    "done": Look(pgettext_lazy("message", "Done"), "checks", "good"),
    "snoozed": Look(pgettext_lazy("message", "Later"), "clock-pause", "wait"),
    "hidden": Look(pgettext_lazy("message", "Hidden"), "eye-off", "neutral"),
    "spam": Look(pgettext_lazy("message", "Spam"), "ban", "neutral"),
    "gone": Look(pgettext_lazy("message", "Gone"), "trash", "neutral", _("It was deleted on the network.")),
    "sending": Look(pgettext_lazy("message", "Sending"), "send", "info"),
    "sent": Look(pgettext_lazy("message", "Sent"), "check", "good"),
    "unclear": Look(pgettext_lazy("message", "Unclear"), "help-circle", "warn"),
    "refused": Look(pgettext_lazy("message", "Refused"), "circle-x", "bad"),
}

ACCOUNT: dict[str, Look] = {
    "connected": Look(pgettext_lazy("account", "Connected"), "plug-connected", "good"),
    "paused": Look(
        pgettext_lazy("account", "Paused"), "player-pause", "wait", _("Nothing is sent or read until you resume it.")
    ),
    "broken": Look(
        pgettext_lazy("account", "Needs reconnecting"),
        "plug-connected-x",
        "bad",
        _("The network no longer accepts our key: connect the account again."),
    ),
    "troubled": Look(pgettext_lazy("account", "In trouble"), "alert-triangle", "warn"),
    "removed": Look(pgettext_lazy("account", "Removed"), "trash", "neutral"),
}

POST: dict[str, Look] = {
    "idea": Look(pgettext_lazy("post", "Idea"), "bulb", "accent"),
    "draft": Look(pgettext_lazy("post", "Draft"), "pencil", "neutral"),
    "waiting": Look(pgettext_lazy("post", "Waits for approval"), "hourglass", "wait"),
    "changes": Look(pgettext_lazy("post", "Changes asked"), "message-reply", "warn"),
    "approved": Look(pgettext_lazy("post", "Approved"), "circle-check", "good"),
    "scheduled": Look(pgettext_lazy("post", "Scheduled"), "calendar-time", "info"),
    "published": Look(pgettext_lazy("post", "Published"), "circle-check", "good"),
    "archived": Look(pgettext_lazy("post", "Archived"), "archive", "neutral"),
}

RENDITION: dict[str, Look] = {
    "waiting": Look(pgettext_lazy("rendition", "Waits its turn"), "hourglass", "wait"),
    "making": Look(pgettext_lazy("rendition", "Being made"), "loader-2", "info"),
    "ready": Look(pgettext_lazy("rendition", "Ready"), "circle-check", "good"),
    "failed": Look(pgettext_lazy("rendition", "Not made"), "circle-x", "bad"),
}

EDIT: dict[str, Look] = {
    "waiting": Look(pgettext_lazy("edit", "On its way"), "clock", "info", _("A worker tells the network in a moment.")),
    "asking": Look(pgettext_lazy("edit", "Being changed"), "send", "info"),
    "done": Look(pgettext_lazy("edit", "Changed"), "circle-check", "good"),
    "unclear": Look(pgettext_lazy("edit", "Unclear"), "help-circle", "warn"),
    "refused": Look(pgettext_lazy("edit", "Not changed"), "circle-x", "bad"),
}

KINDS: dict[str, dict[str, Look]] = {
    "delivery": DELIVERY,
    "message": MESSAGE,
    "account": ACCOUNT,
    "post": POST,
    "rendition": RENDITION,
    "edit": EDIT,
}


def look(state: str, kind: str = "delivery") -> Look:
    """The look of a state. One that the table does not know is drawn with its own name, so that nothing hides.

    Raises KeyError for an unknown kind: that is a mistake in a template.
    """
    unknown = Look(state.replace("_", " ").capitalize() or "-", "circle", "neutral")
    return KINDS[kind].get(state, unknown)
