"""Jobs that keep accounts connected."""

from __future__ import annotations

from procrastinate.exceptions import AlreadyEnqueued

from regie.accounts import queries, services
from regie.core.threads import in_thread
from regie.people.jobs import app


@app.periodic(cron="* * * * *")
@app.task(queue="upkeep", queueing_lock="accounts.refresh_tokens")
async def refresh_tokens(timestamp: int) -> None:
    for account_id in await in_thread(queries.to_refresh):
        try:
            await refresh.configure(queueing_lock=f"refresh:{account_id}").defer_async(account_id=account_id)
        except AlreadyEnqueued:
            continue


@app.task(queue="upkeep")
async def refresh(account_id: int) -> None:
    await services.refresh_token(account_id)


@app.periodic(cron="*/15 * * * *")
@app.task(queue="upkeep", queueing_lock="accounts.check")
async def check_accounts(timestamp: int) -> None:
    for account in await in_thread(queries.to_check):
        await services.check_health(account)
