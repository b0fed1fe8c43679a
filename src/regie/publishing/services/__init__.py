"""Promising, moving, cancelling and settling deliveries. What the engine does at the hour is in ``engine/``."""

from __future__ import annotations

from regie.publishing.services.changing import (
    cancel,
    delete_published,
    finish_partly,
    leave_as_it_is,
    let_go,
    move,
    send_again,
    send_now,
    take_back,
    taken_back_there,
    undo_cancel,
)
from regie.publishing.services.freezing import (
    Covered,
    covered,
    everything_is_frozen,
    follow_campaign,
    freeze,
    hold_what_is_frozen,
    lift,
    must_lift,
    release,
    start_frozen_after_restore,
)
from regie.publishing.services.promising import publish_now, schedule, schedule_again
from regie.publishing.services.rows import prepare_at
from regie.publishing.services.settling import (
    can_look_again,
    done_by_hand,
    look_again,
    made_public,
    mark_gone,
    no_longer_there,
    seen_by_all,
    settle_absent,
    settle_there,
)
from regie.publishing.services.zones import recompute_due_times, recompute_some

__all__ = [
    "Covered",
    "can_look_again",
    "cancel",
    "covered",
    "delete_published",
    "done_by_hand",
    "everything_is_frozen",
    "finish_partly",
    "follow_campaign",
    "freeze",
    "hold_what_is_frozen",
    "leave_as_it_is",
    "let_go",
    "lift",
    "look_again",
    "made_public",
    "mark_gone",
    "move",
    "must_lift",
    "no_longer_there",
    "prepare_at",
    "publish_now",
    "recompute_due_times",
    "recompute_some",
    "release",
    "schedule",
    "schedule_again",
    "seen_by_all",
    "send_again",
    "send_now",
    "settle_absent",
    "settle_there",
    "start_frozen_after_restore",
    "take_back",
    "taken_back_there",
    "undo_cancel",
]
