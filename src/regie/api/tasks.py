"""Jobs of the API."""

from __future__ import annotations

from regie.api import services
from regie.core.threads import in_thread
from regie.people.jobs import app


@app.periodic(cron="23 * * * *")
@app.task(queue="upkeep", queueing_lock="api.forget_answers")
async def forget_answers(timestamp: int) -> None:
    await in_thread(services.forget_answers)
