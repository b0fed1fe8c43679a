"""Open lines to networks that tell of news at once: streams and long polls, each held by one worker.

``listen`` runs beside the queue in ``regie worker``. A lease on the queue's row says who holds its line: a worker that
dies loses its lines within a minute, and another takes them over. Nothing is lost meanwhile: the sweep reads too.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from django.db import DatabaseError
from django.db.models import Q

from regie.accounts.budgets import SavedForLater, must_have_room
from regie.accounts.models import Account
from regie.accounts.opening import session
from regie.community.arriving import store
from regie.community.models import Inbox
from regie.community.reading import (
    EVERY_WHEN_LISTENING,
    give_back,
    is_served,
    note_read,
    note_trouble,
    read,
    read_later,
    speaker,
    take,
)
from regie.core import clock
from regie.core.threads import in_thread
from regie.networks import registry
from regie.networks.errors import NetworkError, Refused
from regie.networks.protocols import LongPolls, Streams

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
ROUND = 15.0  # seconds between two looks at which lines are free, and renewals of our own
MOST_LINES = 500  # of one worker
HOLD = 25  # seconds a long poll is held back by the network
ENDED = timedelta(seconds=5)  # a stream that ended is opened again soon
NO_STREAM = timedelta(hours=12)  # a server that offers none is asked again half a day later
CALM = 1.0  # seconds in which news gather before they are read together


async def listen(stop: asyncio.Event, *, every: float = ROUND) -> None:
    """Holds the lines that are free until ``stop``; returns within a second or two of it."""
    ours, lines = uuid.uuid4(), dict[int, asyncio.Task[None]]()
    try:
        while not stop.is_set():
            try:
                await _one_round(ours, lines)
            except DatabaseError:
                log.warning("The database is away: the open lines wait for it.", exc_info=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), every)
    finally:
        for task in lines.values():
            task.cancel()
        await asyncio.gather(*lines.values(), return_exceptions=True)
        with contextlib.suppress(DatabaseError):
            await in_thread(release, ours, None)


async def _one_round(ours: uuid.UUID, lines: dict[int, asyncio.Task[None]]) -> None:
    ended = [pk for pk, task in lines.items() if task.done()]
    for pk in ended:
        _report(lines.pop(pk))
    if ended:
        await in_thread(release, ours, ended)
    held = set(await in_thread(renew, ours))
    for pk in [pk for pk in lines if pk not in held]:
        lines.pop(pk).cancel()
    if free := MOST_LINES - len(lines):
        for pk in await in_thread(claim, ours, free):
            lines[pk] = asyncio.create_task(_hold(pk), name=f"line-{pk}")


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.error("A line ended with a mistake of ours", exc_info=problem)


# Who holds which line


def listening_networks() -> list[str]:
    return [slug for slug in registry.slugs() if issubclass(registry.connector(slug), Streams | LongPolls)]


def claim(ours: uuid.UUID, most: int) -> list[int]:
    """Takes up to ``most`` free lines. Two workers never get the same: each is a conditional UPDATE."""
    now = clock.now()
    free = Q(listener=None) | Q(listening_until__lt=now)
    wanted = Inbox.objects.filter(
        free, is_served(), network__in=listening_networks(), listen_at__lte=now, webhook=""
    ).order_by("listen_at")
    return [
        pk
        for pk in wanted.values_list("pk", flat=True)[:most]
        if Inbox.objects.filter(free, pk=pk).update(listener=ours, listening_until=now + LEASE)
    ]


def renew(ours: uuid.UUID) -> list[int]:
    """Keeps our lines for another minute, but not those that no connected account needs or a webhook replaced."""
    mine = Inbox.objects.filter(is_served(), listener=ours, webhook="")
    kept = list(mine.values_list("pk", flat=True))
    Inbox.objects.filter(pk__in=kept, listener=ours).update(listening_until=clock.now() + LEASE)
    return kept


def release(ours: uuid.UUID, only: Iterable[int] | None) -> None:
    """Gives our lines back: all of them, or ``only`` some."""
    mine = Inbox.objects.filter(listener=ours)
    if only is not None:
        mine = mine.filter(pk__in=list(only))
    mine.update(listener=None, listening_until=None)


def open_again(inbox_id: int, after: timedelta) -> None:
    Inbox.objects.filter(pk=inbox_id).update(listen_at=clock.now() + after)


# One line


async def _hold(inbox_id: int) -> None:
    async with session(connections=2) as http:
        inbox = await in_thread(Inbox.objects.get, pk=inbox_id)
        found = await in_thread(speaker, inbox, http)
        if found is None:
            return await in_thread(open_again, inbox_id, EVERY_WHEN_LISTENING)
        account, connector = found
        try:
            if isinstance(connector, LongPolls):
                await _long_poll(inbox_id, account, connector)
            elif isinstance(connector, Streams):
                await _stream(inbox_id, connector)
        except SavedForLater as exc:
            await in_thread(read_later, inbox, exc)
        except Refused as exc:  # this server has no stream: reading each minute goes on
            log.info("%s", exc)
            await in_thread(open_again, inbox_id, NO_STREAM)
        except NetworkError as exc:
            await in_thread(partial(note_trouble, inbox, account, exc))


async def _long_poll(inbox_id: int, account: Account, connector: LongPolls) -> None:
    """The network holds its answer back until there is news. We are the queue's one reader all the while."""
    reader = uuid.uuid4()
    try:
        while (inbox := await in_thread(take, inbox_id, reader)) is not None:
            if not await in_thread(_still_connected, account):
                return
            await must_have_room(account, connector, "read")
            page = await connector.next_messages(cursor=inbox.cursor, seconds=HOLD)
            await in_thread(store, inbox, page)
            await in_thread(note_read, inbox, account)
        await in_thread(open_again, inbox_id, ENDED)
    finally:
        await asyncio.shield(in_thread(give_back, inbox_id, reader))


def _still_connected(account: Account) -> bool:
    return Account.objects.filter(pk=account.pk, state=Account.State.CONNECTED).exists()


async def _stream(inbox_id: int, connector: Streams) -> None:
    """Each sign of news wakes the reader; signs that come while it reads are one more reading."""
    news = asyncio.Event()
    reader = asyncio.create_task(_read_on(inbox_id, news))
    try:
        async for _ in connector.stream():
            news.set()
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
    await in_thread(open_again, inbox_id, ENDED)


async def _read_on(inbox_id: int, news: asyncio.Event) -> None:
    while True:
        await news.wait()
        await asyncio.sleep(CALM)
        news.clear()
        try:
            await read(inbox_id)
        except DatabaseError:
            log.warning("The database is away: the sweep reads later.", exc_info=True)
