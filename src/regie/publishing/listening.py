"""What publishing does when a post changes: an account taken off it takes its waiting deliveries along, and a campaign
that it enters or leaves brings its freeze or takes it away."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from regie.people.models import Member
from regie.publishing import services
from regie.publishing.errors import NotNow
from regie.publishing.models import Delivery
from regie.publishing.services.changing import CANCELLABLE
from regie.studio.models import Post
from regie.studio.signals import post_changed


def register() -> None:
    post_changed.connect(follow_post, dispatch_uid="publishing.follow_post")


def follow_post(sender: type[Post], post: Post, by: Member, **_more: Any) -> None:
    """In the transaction of the save. What is already on its way goes on: it is settled like any other."""
    dropped = Delivery.objects.filter(variant__post=post, variant__dropped_at__isnull=False, state__in=CANCELLABLE)
    for delivery in dropped.order_by("pk"):
        with suppress(NotNow):  # it began to go out at this very moment
            services.cancel(delivery, by=by)
    services.follow_campaign(post)
