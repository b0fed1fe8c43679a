"""Jobs that collect numbers: the row decides, the job is a nudge."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.tasks import Task

from regie.core.threads import in_thread
from regie.measure import elsewhere, services
from regie.people.jobs import app


@app.periodic(cron="* * * * *")
@app.task(queue="measure", queueing_lock="measure.sweep")
async def sweep(timestamp: int) -> None:
    await in_thread(services.plan_what_is_new)
    await _defer(collect, "measure", await in_thread(services.due_accounts))
    await _defer(read_back, "elsewhere", await in_thread(elsewhere.due))


async def _defer(task: Task[..., Any, Any], lock: str, accounts: Iterable[int]) -> None:
    for account_id in accounts:
        try:
            await task.configure(queueing_lock=f"{lock}:{account_id}").defer_async(account_id=account_id)
        except AlreadyEnqueued:
            continue


@app.task(queue="measure")
async def collect(account_id: int) -> None:
    await services.collect(account_id)


@app.task(queue="measure", priority=-5)
async def read_back(account_id: int) -> None:
    await elsewhere.read(account_id)
