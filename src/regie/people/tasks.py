"""Jobs about people."""

from __future__ import annotations

from contextlib import suppress

from django.db import transaction
from procrastinate.exceptions import AlreadyEnqueued

from regie.core import clock
from regie.core.threads import in_thread
from regie.people import push, telling
from regie.people.jobs import app


@app.periodic(cron="* * * * *")
@app.task(queue="mail", queueing_lock="people.mail_notices")
async def mail_notices(timestamp: int) -> None:
    await in_thread(telling.mail_urgent)


@app.periodic(cron="* * * * *")
@app.task(queue="mail", queueing_lock="people.push_notices")
async def push_notices(timestamp: int) -> None:
    await push.push_urgent()


def send_at_once() -> None:
    """A nudge: what cannot wait does not wait for the next minute, whose round finds what was missed."""
    now = int(clock.now().timestamp())
    for task in (mail_notices, push_notices):
        with suppress(AlreadyEnqueued), transaction.atomic():
            task.configure().defer(timestamp=now)


@app.periodic(cron="* * * * *")
@app.task(queue="upkeep", queueing_lock="people.take_up_jobs")
async def take_up_jobs(timestamp: int) -> None:
    """Jobs whose worker died are done again: every job may come twice without harm."""
    for job in await app.job_manager.get_stalled_jobs():
        await app.job_manager.retry_job(job)


@app.periodic(cron="41 3 * * *")
@app.task(queue="upkeep", queueing_lock="people.forget_jobs")
async def forget_jobs(timestamp: int) -> None:
    """Jobs that failed are kept for two weeks, for whoever looks into them."""
    await app.job_manager.delete_old_jobs(
        nb_hours=14 * 24, include_failed=True, include_cancelled=True, include_aborted=True
    )
