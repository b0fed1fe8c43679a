"""Jobs about people."""

from __future__ import annotations

from regie.core.threads import in_thread
from regie.people import telling
from regie.people.jobs import app


@app.periodic(cron="* * * * *")
@app.task(queue="mail", queueing_lock="people.mail_notices")
async def mail_notices(timestamp: int) -> None:
    await in_thread(telling.mail_urgent)


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
