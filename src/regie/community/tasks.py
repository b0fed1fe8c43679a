"""Jobs of the inbox: each sweep finds what waits in the rows, each job does one thing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.tasks import Task

from regie.community import arriving, avatars, reading, sending, webhooks
from regie.core.threads import in_thread
from regie.people.jobs import app


@app.periodic(cron="* * * * *")
@app.task(queue="community", queueing_lock="community.sweep")
async def sweep(timestamp: int) -> None:
    """Every minute: queues to read, webhooks to arrange, answers to send, and what a lost job left behind."""
    await _defer(read_inbox, "read", "inbox_id", await in_thread(reading.due_inboxes))
    await _defer(arrange_webhook, "webhook", "inbox_id", await in_thread(webhooks.to_arrange))
    await _defer(work_on_answer, "answer", "answer_id", await in_thread(sending.waiting_answers))
    await _defer(work_on_intake, "intake", "intake_id", await in_thread(webhooks.waiting_intakes))
    await in_thread(arriving.link_late_posts)


async def _defer(task: Task[..., Any, Any], lock: str, name: str, rows: Iterable[int]) -> None:
    for pk in rows:
        try:
            await task.configure(queueing_lock=f"{lock}:{pk}").defer_async(**{name: pk})
        except AlreadyEnqueued:
            continue


@app.task(queue="community")
async def read_inbox(inbox_id: int) -> None:
    await reading.read(inbox_id)


@app.task(queue="community")
async def arrange_webhook(inbox_id: int) -> None:
    await webhooks.arrange(inbox_id)


@app.task(queue="community", priority=10)
async def work_on_answer(answer_id: int) -> None:
    await sending.work_on(answer_id)


@app.task(queue="community", priority=5)
async def work_on_intake(intake_id: int) -> None:
    await in_thread(webhooks.work_on, intake_id)


@app.periodic(cron="* * * * *")
@app.task(queue="community", queueing_lock="community.avatars")
async def fetch_avatars(timestamp: int) -> None:
    await avatars.fetch_waiting()


@app.periodic(cron="17 3 * * *")
@app.task(queue="upkeep", queueing_lock="community.forget")
async def forget(timestamp: int) -> None:
    await in_thread(webhooks.forget_old_intakes)
