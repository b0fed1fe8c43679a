"""What the planner does when a post goes: its rules end with it, and when it changes: new accounts join its rules."""

from __future__ import annotations

from typing import Any

from regie.people.models import Member
from regie.planner import recurring
from regie.planner.models import Recurrence
from regie.studio.models import Post
from regie.studio.signals import post_changed, post_removed


def register() -> None:
    post_changed.connect(follow, dispatch_uid="planner.follow")
    post_removed.connect(stop, dispatch_uid="planner.stop")


def follow(sender: type[Post], post: Post, by: Member, **_more: Any) -> None:
    """The next round of ``recurring.extend`` promises the dates to accounts that were added."""
    Recurrence.objects.filter(post=post, stopped_at=None).update(made_until=None, tried_at=None)


def stop(sender: type[Post], post: Post, by: Member, **_more: Any) -> None:
    for row in Recurrence.objects.filter(post=post, stopped_at=None):
        recurring.stop(row, by=by)
