"""Jobs of the library: making videos fit, and clearing away what nobody finished sending."""

from __future__ import annotations

from contextlib import suppress

from django.db import transaction
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import JobDeferrer

from regie.core.threads import in_thread
from regie.media import arriving, making
from regie.people.jobs import app

AT_ONCE = 2  # videos made at the same time over all workers: each takes two processors


@app.task(queue="media")
async def make_rendition(rendition_id: int) -> None:
    await making.make(rendition_id)


def ask(rendition_id: int) -> None:
    """Nudges a worker. In a savepoint: a nudge that is there already must not take the caller's work with it."""
    with suppress(AlreadyEnqueued), transaction.atomic():
        _in_line(rendition_id).defer(rendition_id=rendition_id)


def _in_line(rendition_id: int) -> JobDeferrer:
    return make_rendition.configure(
        queueing_lock=f"rendition:{rendition_id}", lock=f"media.film:{rendition_id % AT_ONCE}"
    )


@app.periodic(cron="* * * * *")
@app.task(queue="upkeep", queueing_lock="media.sweep")
async def sweep(timestamp: int) -> None:
    await in_thread(arriving.forget_the_abandoned)
    for rendition_id in await in_thread(making.overdue):
        with suppress(AlreadyEnqueued):
            await _in_line(rendition_id).defer_async(rendition_id=rendition_id)
