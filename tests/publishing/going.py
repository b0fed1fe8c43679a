"""What tests of deliveries do all the time: let time go by, and look how far one has come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from regie.media import making
from regie.media.models import Rendition
from regie.publishing.models import Delivery

if TYPE_CHECKING:
    from tests.conftest import Clock


def state_of(delivery: Delivery) -> str:
    """As the row says now; the delivery is read anew."""
    delivery.refresh_from_db()
    return delivery.state


def fit() -> None:
    """The worker's part: videos and sounds are made to fit."""
    for rendition in Rendition.objects.exclude(state=Rendition.State.READY):
        asyncio.run(making.make(rendition.pk))


def later(clock: Clock, publish_due: Callable[[], None], times: int = 12) -> None:
    """The engine runs every twenty seconds, and the worker in between."""
    for _ in range(times):
        publish_due()
        clock.advance(seconds=20)
        fit()


def until_published(delivery: Delivery, clock: Clock, publish_due: Callable[[], None]) -> None:
    until("published", delivery, clock, publish_due)


def until(state: str, delivery: Delivery, clock: Clock, publish_due: Callable[[], None]) -> None:
    """Fails with the delivery's problem when it does not come to that within some quarter of an hour."""
    for _ in range(40):
        publish_due()
        if state_of(delivery) == state:
            return
        clock.advance(seconds=20)
    raise AssertionError(f"It is {delivery.state}: {delivery.problem}")
