"""Jobs of publishing beside the engine: the row is the promise, the job a nudge."""

from __future__ import annotations

from procrastinate.exceptions import AlreadyEnqueued

from regie.core.threads import in_thread
from regie.people.jobs import app
from regie.publishing import clearing, edit_calls


@app.periodic(cron="* * * * *")
@app.task(queue="publishing", queueing_lock="publishing.edits")
async def edits(timestamp: int) -> None:
    """Every minute: edits that wait for their time, and what a lost job left behind."""
    for pk in await in_thread(edit_calls.waiting_edits):
        try:
            await work_on_edit.configure(queueing_lock=f"edit:{pk}").defer_async(edit_id=pk)
        except AlreadyEnqueued:
            continue


@app.task(queue="publishing", priority=10)
async def work_on_edit(edit_id: int) -> None:
    await edit_calls.work_on(edit_id)


@app.periodic(cron="11 4 * * *")
@app.task(queue="upkeep", queueing_lock="publishing.forget_removed_files")
async def forget_removed_files(timestamp: int) -> None:
    """Once a day; a day that was missed is made up for by the next."""
    await in_thread(clearing.forget_removed_files)
