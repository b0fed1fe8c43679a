"""The states of a delivery and what may follow what: one table, also enforced by the database and drawn in the docs."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    HELD = "held", _("Held")  # with reasons; leaves only when there is none left
    SCHEDULED = "scheduled", _("Scheduled")
    PREPARING = "preparing", _("Preparing")  # uploads ahead of time, invisible
    CLAIMED = "claimed", _("In line")  # a publisher has it, nothing said yet
    SENDING = "sending", _("Sending")
    PROCESSING = "processing", _("Processing")  # the network has it and is working on it
    PUBLISHED = "published", _("Published")
    PARTLY = "partly", _("Partly published")
    UNCLEAR = "unclear", _("Unclear")
    REFUSED = "refused", _("Refused")
    MISSED = "missed", _("Missed")
    BY_HAND = "by_hand", _("By hand")
    CANCELLED = "cancelled", _("Cancelled")


S = State

FOLLOWS: dict[State, frozenset[State]] = {
    S.HELD: frozenset((S.SCHEDULED, S.CANCELLED, S.MISSED, S.PARTLY, S.UNCLEAR)),
    S.SCHEDULED: frozenset((S.HELD, S.PREPARING, S.CLAIMED, S.BY_HAND, S.MISSED, S.PARTLY, S.CANCELLED, S.UNCLEAR)),
    S.PREPARING: frozenset((S.SCHEDULED, S.HELD, S.PARTLY, S.REFUSED, S.CANCELLED, S.UNCLEAR)),
    S.CLAIMED: frozenset(  # published: what was missing of it was taken out of the post
        (S.SCHEDULED, S.SENDING, S.PUBLISHED, S.HELD, S.BY_HAND, S.MISSED, S.PARTLY, S.CANCELLED, S.REFUSED, S.UNCLEAR)
    ),
    S.SENDING: frozenset((S.PUBLISHED, S.PROCESSING, S.PARTLY, S.UNCLEAR, S.REFUSED, S.SCHEDULED, S.MISSED, S.HELD)),
    S.PROCESSING: frozenset((S.SENDING, S.UNCLEAR)),  # asked again through sending, with what was achieved so far
    S.UNCLEAR: frozenset(  # refused when the network's no came after the lease had run out
        (S.PUBLISHED, S.PROCESSING, S.PARTLY, S.SCHEDULED, S.HELD, S.MISSED, S.REFUSED, S.CANCELLED)
    ),
    # From here on to unclear: people want it sent, and it may have gone out after the backup that we come from
    S.PARTLY: frozenset((S.SCHEDULED, S.HELD, S.CANCELLED, S.PUBLISHED, S.UNCLEAR)),  # published: no more parts
    S.REFUSED: frozenset((S.SCHEDULED, S.HELD, S.CANCELLED, S.PUBLISHED, S.UNCLEAR)),
    S.MISSED: frozenset((S.SCHEDULED, S.HELD, S.CANCELLED, S.PUBLISHED, S.UNCLEAR)),
    S.BY_HAND: frozenset((S.PUBLISHED, S.MISSED, S.CANCELLED, S.SCHEDULED, S.HELD, S.UNCLEAR)),
    S.CANCELLED: frozenset((S.SCHEDULED, S.HELD, S.UNCLEAR)),  # undo
    S.PUBLISHED: frozenset(),  # what is out is out; ``gone_at`` says that it left again
}

BEGINNINGS = frozenset((S.SCHEDULED, S.HELD, S.UNCLEAR))
OPEN = frozenset((S.HELD, S.SCHEDULED, S.PREPARING, S.CLAIMED, S.SENDING, S.PROCESSING, S.UNCLEAR, S.BY_HAND))
WAITING = frozenset((S.SCHEDULED, S.PREPARING, S.CLAIMED))  # what a freeze can still hold
NEEDS_A_PERSON = frozenset((S.UNCLEAR, S.REFUSED, S.MISSED, S.PARTLY, S.BY_HAND))
LIMITED = "limited"
"""How a published delivery is shown that the public does not see. All that follows from being out holds for it: a
receipt, numbers, deleting, never being sent again. So it is no state of its own."""
MOVABLE = frozenset((S.HELD, S.SCHEDULED, S.MISSED, S.REFUSED, S.BY_HAND))


def may_follow(old: str, new: str) -> bool:
    return State(new) in FOLLOWS[State(old)]
