"""What publishing does when a post changes: an account taken off it takes its waiting deliveries along."""

from __future__ import annotations

from typing import Any

from regie.people.models import Member
from regie.publishing import services
from regie.publishing.models import Delivery
from regie.publishing.states import MOVABLE
from regie.studio.models import Post
from regie.studio.signals import post_changed


def register() -> None:
    post_changed.connect(cancel_dropped, dispatch_uid="publishing.cancel_dropped")


def cancel_dropped(sender: type[Post], post: Post, by: Member, **_more: Any) -> None:
    """In the transaction of the save. What is already on its way goes on: it is settled like any other."""
    waiting = Delivery.objects.filter(variant__post=post, variant__dropped_at__isnull=False, state__in=MOVABLE)
    for delivery in waiting:
        services.cancel(delivery, by=by)
