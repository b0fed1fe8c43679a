"""Jobs of the calendar: the rows say what is to be made, the job is a nudge."""

from __future__ import annotations

from regie.core.threads import in_thread
from regie.people.jobs import app
from regie.planner import recurring


@app.periodic(cron="*/5 * * * *")
@app.task(queue="upkeep", queueing_lock="planner.extend")
async def extend(timestamp: int) -> None:
    """Posts that come again are promised two months ahead."""
    await in_thread(recurring.extend)
