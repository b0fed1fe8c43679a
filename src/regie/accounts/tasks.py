"""Jobs that keep accounts connected."""

from __future__ import annotations

from contextlib import suppress

from procrastinate.exceptions import AlreadyEnqueued

from regie.accounts import avatars, queries, services
from regie.accounts.models import Account
from regie.core.threads import in_thread
from regie.people.jobs import app


@app.periodic(cron="* * * * *")
@app.task(queue="upkeep", queueing_lock="accounts.refresh_tokens")
async def refresh_tokens(timestamp: int) -> None:
    for account_id in await in_thread(queries.to_refresh):
        with suppress(AlreadyEnqueued):
            await refresh.configure(queueing_lock=f"refresh:{account_id}").defer_async(account_id=account_id)


@app.task(queue="upkeep")
async def refresh(account_id: int) -> None:
    await services.refresh_token(account_id)


@app.task(queue="upkeep")
async def fetch_avatar(account_id: int) -> None:
    await avatars.fetch(account_id)


def ask_for_avatar(account: Account, **_: object) -> None:
    """An account was connected: its picture may be new."""
    if not account.avatar_source:
        return
    with suppress(AlreadyEnqueued):
        fetch_avatar.configure(queueing_lock=f"avatar:{account.pk}").defer(account_id=account.pk)


@app.periodic(cron="*/15 * * * *")
@app.task(queue="upkeep", queueing_lock="accounts.check")
async def check_accounts(timestamp: int) -> None:
    for account in await in_thread(queries.to_check):
        await services.check_health(account)


@app.periodic(cron="23 6 * * *")
@app.task(queue="upkeep", queueing_lock="accounts.warn_of_endings")
async def warn_of_endings(timestamp: int) -> None:
    """Once a day; a day that was missed is made up for by the next."""
    await in_thread(services.warn_of_endings)
