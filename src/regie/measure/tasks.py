"""Jobs that collect numbers: the row decides, the job is a nudge."""

from __future__ import annotations

from procrastinate.exceptions import AlreadyEnqueued

from regie.core.threads import in_thread
from regie.measure import services
from regie.people.jobs import app


@app.periodic(cron="* * * * *")
@app.task(queue="measure", queueing_lock="measure.sweep")
async def sweep(timestamp: int) -> None:
    await in_thread(services.plan_what_is_new)
    for account_id in await in_thread(services.due_accounts):
        try:
            await collect.configure(queueing_lock=f"measure:{account_id}").defer_async(account_id=account_id)
        except AlreadyEnqueued:
            continue


@app.task(queue="measure")
async def collect(account_id: int) -> None:
    await services.collect(account_id)
