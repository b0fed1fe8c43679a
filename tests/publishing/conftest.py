"""Promises of this folder's tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from regie.core import clock as product_clock
from regie.core.times import WallTime
from regie.people.models import Member
from regie.publishing import services
from regie.publishing.models import Delivery
from regie.studio.models import Post


@pytest.fixture
def promise(bob: Member) -> Callable[..., Delivery]:
    """Schedules the first variant of a post: ``promise(post)`` for now, ``promise(post, "09:30")`` for later today."""

    def make(post: Post, wall: str | None = None, **more: int) -> Delivery:
        moment = product_clock.now()
        if wall is not None:
            hour, minute = (int(part) for part in wall.split(":"))
            moment = moment.replace(hour=hour, minute=minute)
        return services.schedule(post=post, at=WallTime.at(moment, "Europe/Paris"), by=bob, **more)[0]

    return make
