"""Asking networks for messages: one reader at a time per queue, never inside a transaction."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
from django.db.models import Exists, OuterRef, Q

from regie.accounts.budgets import SavedForLater, ask_to_wait, asked_for_patience, must_have_room
from regie.accounts.models import Account
from regie.accounts.opening import connector_for, login_of, session
from regie.accounts.services import disconnect, note_problem, refresh_token
from regie.community.arriving import accounts_of, store
from regie.community.models import Inbox, InboxAccount
from regie.core import clock
from regie.core.sealed import CannotOpen
from regie.core.threads import in_thread
from regie.networks import registry
from regie.networks.capabilities import Arrival
from regie.networks.errors import NetworkError, SignInAgain, TokenExpired
from regie.networks.protocols import Connector, Converses, SharesInbox

EVERY = timedelta(seconds=55)  # a minute's sweep finds it due again
EVERY_WHEN_LISTENING = timedelta(minutes=5)  # the open line tells of news; this catches what it missed
LEASE = timedelta(minutes=2)
MOST_PAGES = 20  # in one go: a long absence is caught up over several
LONGEST_WAIT = timedelta(minutes=30)
AT_ONCE = 200


# Which queues there are


def join(account: Account) -> Inbox | None:
    """Gives an account its queue; None when its network has none, or its credentials cannot be opened."""
    connector = registry.connector(account.network)
    if not issubclass(connector, Converses):
        return None
    key = f"account:{account.pk}"
    if issubclass(connector, SharesInbox):
        try:
            key = connector.inbox_key(login_of(account))
        except CannotOpen:
            return None
    inbox, made = Inbox.objects.get_or_create(network=account.network, key=key)
    InboxAccount.objects.update_or_create(account=account, defaults={"inbox": inbox})
    if not made:
        Inbox.objects.filter(pk=inbox.pk).update(next_at=clock.now(), listen_at=clock.now(), failures=0)
    return inbox


def join_those_without() -> None:
    """For accounts that came another way than by connecting: a restored backup, the demo's history."""
    without = Account.objects.filter(state=Account.State.CONNECTED, inbox_account=None)
    for account in without.filter(network__in=conversing())[:AT_ONCE]:
        join(account)


def conversing() -> list[str]:
    return [slug for slug in registry.slugs() if issubclass(registry.connector(slug), Converses)]


def readable(network: str) -> bool:
    """Whether its queues can be read whenever we like, also while it brings us its news."""
    return Arrival.POLL in registry.connector(network).can.arrival


def is_served() -> Exists:
    """A queue with at least one connected account."""
    return Exists(InboxAccount.objects.filter(inbox=OuterRef("pk"), account__state=Account.State.CONNECTED))


def due_inboxes() -> list[int]:
    """Queues to ask now, those that waited longest first; those that somebody reads are left out."""
    join_those_without()
    now = clock.now()
    free = Q(reader=None) | Q(reading_until__lt=now)
    # News for an app are held back until the vendor has reviewed it, and what nobody took is brought to no one again:
    # where a queue can be read at any time, it is read besides.
    brought = Q(webhook="") | Q(network__in=[slug for slug in conversing() if readable(slug)])
    due = Inbox.objects.filter(free, brought, is_served(), next_at__lte=now).order_by("next_at")
    return list(due.values_list("pk", flat=True)[:AT_ONCE])


# One reader at a time


def take(inbox_id: int, reader: uuid.UUID) -> Inbox | None:
    """The lease on a queue, or None when another reads it. A dead reader's lease runs out."""
    now = clock.now()
    free = Q(reader=None) | Q(reading_until__lt=now) | Q(reader=reader)
    won = Inbox.objects.filter(free, pk=inbox_id).update(reader=reader, reading_until=now + LEASE)
    return Inbox.objects.get(pk=inbox_id) if won else None


def give_back(inbox_id: int, reader: uuid.UUID) -> None:
    Inbox.objects.filter(pk=inbox_id, reader=reader).update(reader=None, reading_until=None)


@asynccontextmanager
async def reading(inbox_id: int) -> AsyncIterator[Inbox | None]:
    reader = uuid.uuid4()
    try:
        yield await in_thread(take, inbox_id, reader)
    finally:
        await asyncio.shield(in_thread(give_back, inbox_id, reader))


# Asking


def speaker(inbox: Inbox, http: aiohttp.ClientSession) -> tuple[Account, Connector] | None:
    """A connected account of the queue and the connector that speaks for it; None when none can."""
    for account in accounts_of(inbox):
        try:
            return account, connector_for(account, http)
        except CannotOpen:
            continue
    return None


async def read(inbox_id: int) -> int:
    """Asks a queue for what is new until there is no more. Returns how many messages arrived; 0 when another reads."""
    async with reading(inbox_id) as inbox:
        if inbox is None:
            return 0
        async with session(connections=2) as http:
            return await _read(inbox, http)


async def _read(inbox: Inbox, http: aiohttp.ClientSession, *, refreshed: bool = False) -> int:
    found = await in_thread(speaker, inbox, http)
    if found is None:
        return 0
    account, connector = found
    if not isinstance(connector, Converses):
        return 0
    fresh = 0
    try:
        for _ in range(MOST_PAGES):
            await must_have_room(account, connector, "read")
            page = await connector.messages(cursor=inbox.cursor)
            fresh += await in_thread(store, inbox, page)
            if not page.more:
                break
    except TokenExpired as exc:
        if not refreshed and await refresh_token(account.pk):
            return fresh + await _read(inbox, http, refreshed=True)
        await in_thread(note_trouble, inbox, account, exc)
    except SavedForLater as exc:
        await in_thread(read_later, inbox, exc)
    except NetworkError as exc:
        await in_thread(note_trouble, inbox, account, exc)
    else:
        await in_thread(note_read, inbox, account)
    return fresh


def note_read(inbox: Inbox, account: Account) -> None:
    """It went well: ask again in a minute, or later while an open line tells of news."""
    now = clock.now()
    row = Inbox.objects.get(pk=inbox.pk)
    listening = row.listening_until is not None and row.listening_until > now
    pause = EVERY_WHEN_LISTENING if listening else EVERY
    Inbox.objects.filter(pk=inbox.pk).update(read_at=now, next_at=now + pause, failures=0)
    if inbox.failures and account.problem:
        Account.objects.filter(pk=account.pk, problem=account.problem).update(problem="", problem_facts={})


def read_later(inbox: Inbox, saved: SavedForLater) -> None:
    """Nothing is wrong: what the network allows is used up, or kept for publishing."""
    until = max(saved.not_before or clock.now(), clock.now() + EVERY)
    Inbox.objects.filter(pk=inbox.pk).update(next_at=until, listen_at=until)


def note_trouble(inbox: Inbox, account: Account, problem: NetworkError) -> None:
    """Wait as long as the network says, else longer each time. A dead token disconnects the account."""
    if isinstance(problem, SignInAgain):
        disconnect(account, problem)
    else:
        note_problem(account, problem)
    now = clock.now()
    if problem.not_before is not None and asked_for_patience(problem):
        ask_to_wait(account.pk, problem.not_before)
    wait = min(EVERY * 2 ** min(inbox.failures, 6), LONGEST_WAIT)
    until = max(problem.not_before or now, now + EVERY) if problem.not_before else now + wait
    Inbox.objects.filter(pk=inbox.pk).update(next_at=until, listen_at=until, failures=inbox.failures + 1)
