"""Jobs about people."""

from __future__ import annotations

from regie.core.threads import in_thread
from regie.people import telling
from regie.people.jobs import app


@app.periodic(cron="* * * * *")
@app.task(queue="mail", queueing_lock="people.mail_notices")
async def mail_notices(timestamp: int) -> None:
    await in_thread(telling.mail_urgent)
