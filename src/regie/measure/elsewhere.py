"""Posts that an account's network lists and that we did not publish: older than its connection, or made elsewhere.

They are read back when an account is connected, and once a day from then on, so that the calendar is whole and reading
twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection as Some
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import aiohttp
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from regie.accounts.budgets import SavedForLater, must_have_room
from regie.accounts.models import Account
from regie.accounts.opening import connector_for, session
from regie.accounts.services import refresh_token
from regie.core import clock
from regie.core.sealed import CannotOpen
from regie.core.threads import in_thread
from regie.measure.models import MadeElsewhere, Round
from regie.measure.services import ACCOUNTS_AT_ONCE, POSTS_AT_ONCE, give_back, latest_with, put_off, reactions_in, take
from regie.networks import registry
from regie.networks.data import Listing, Ref, Samples, Seen
from regie.networks.errors import NetworkError, TokenExpired, TryLater
from regie.networks.protocols import ListsOwn, Measures
from regie.publishing.models import Delivery, Step

BACK = timedelta(days=90)  # how far an account's past is read
EVERY = timedelta(days=1)
OVERLAP = timedelta(days=7)  # read once more: what was taken away or made public meanwhile is noticed
MEASURED_FOR = timedelta(days=30)
LONGEST_TEXT = 2000
WEB = ("https://", "http://")  # an address that a server made up leads nowhere else


def listing_networks() -> list[str]:
    """Those that tell which posts an account has."""
    return [slug for slug in registry.slugs() if issubclass(registry.connector(slug), ListsOwn)]


def due() -> list[int]:
    """Accounts whose posts are to be listed now."""
    now = clock.now()
    rows = Round.objects.filter(
        Q(not_before=None) | Q(not_before__lte=now),
        Q(leased_until=None) | Q(leased_until__lt=now),
        history_at__lte=now,
        account__state=Account.State.CONNECTED,
        account__network__in=listing_networks(),
    )
    return list(rows.order_by("history_at").values_list("account_id", flat=True)[:ACCOUNTS_AT_ONCE])


def not_ours() -> QuerySet[MadeElsewhere]:
    """All of them but those that a delivery says by now are its own (a doubt that was settled since)."""
    ours = Delivery.objects.filter(account=OuterRef("account"), remote_id=OuterRef("remote_id"))
    return MadeElsewhere.objects.filter(~Exists(ours))


async def read(account_id: int) -> None:
    """Lists an account's posts, keeps those that are not ours, and asks for the numbers of the newest."""
    turn = await in_thread(take, account_id)
    if turn is None:
        return
    try:
        async with session(connections=2) as http:
            await _read(turn, http)
    finally:
        await in_thread(give_back, account_id)


async def _read(turn: Round, http: aiohttp.ClientSession, *, refreshed: bool = False) -> None:
    account, now = turn.account, clock.now()
    try:
        connector = await in_thread(connector_for, account, http)
        if not isinstance(connector, ListsOwn):
            return None
        since = now - BACK if turn.history_to is None else turn.history_to - OVERLAP
        await must_have_room(account, connector, "read")
        await in_thread(keep, turn, await connector.own_posts(since=since), since)
        if isinstance(connector, Measures) and (rows := await in_thread(_to_measure, account)):
            await must_have_room(account, connector, "read", times=len(rows))
            refs = [Ref(remote_id=row.remote_id, extra=row.extra) for row in rows]
            await in_thread(_measured, rows, await connector.post_samples(refs))
    except TokenExpired as exc:
        if not refreshed and await refresh_token(account.pk):
            fresh = await in_thread(Round.objects.select_related("account").get, account=account.pk)
            return await _read(fresh, http, refreshed=True)
        await in_thread(put_off, turn, exc)
    except SavedForLater as exc:
        await in_thread(_next, turn, exc.not_before or now + EVERY, None)
    except TryLater as exc:
        await in_thread(put_off, turn, exc)
    except NetworkError as exc:  # most often a permission that is missing; whether the sign-in is dead, others find out
        await in_thread(_next, turn, now + EVERY, exc)
    except CannotOpen:  # the health check says so to people
        await in_thread(_next, turn, now + EVERY, None)


def _next(turn: Round, at: datetime, problem: NetworkError | None) -> None:
    said, facts = (problem.sentence, dict(problem.facts)) if problem else ("", {})
    Round.objects.filter(pk=turn.pk).update(history_at=at, history_problem=said, history_facts=facts)


@transaction.atomic
def keep(turn: Round, listing: Listing, since: datetime) -> None:
    """What is listed and not ours. What is no longer listed, as far back as the listing reaches, is gone."""
    account, now = turn.account, clock.now()
    seen = {one.remote_id: one for one in listing.seen if not one.reply_to_id}
    ours = _ours(account, seen)
    fresh = [_row(account, one) for one in seen.values() if one.remote_id not in ours]
    MadeElsewhere.objects.bulk_create(
        fresh, update_conflicts=True, unique_fields=["account", "remote_id"], update_fields=["url", "text", "gone_at"]
    )
    there = MadeElsewhere.objects.filter(account=account)
    there.filter(remote_id__in=ours).delete()
    reached = max(since, listing.reaches_back_to)
    there.filter(published_at__gte=reached, gone_at=None).exclude(remote_id__in=list(seen)).update(gone_at=now)
    Round.objects.filter(pk=turn.pk).update(
        history_to=listing.network_now or now,
        history_from=turn.history_from or reached,
        history_at=now + EVERY,
        history_problem="",
        history_facts={},
    )


def _ours(account: Account, ids: Some[str]) -> set[str]:
    steps = Step.objects.filter(delivery__account=account, remote_id__in=list(ids)).values_list("remote_id", flat=True)
    rows = Delivery.objects.filter(account=account, remote_id__in=list(ids)).values_list("remote_id", flat=True)
    return {*steps, *rows}


def _row(account: Account, seen: Seen) -> MadeElsewhere:
    return MadeElsewhere(
        workspace_id=account.workspace_id,
        account=account,
        remote_id=seen.remote_id[:300],
        url=seen.url[:500] if seen.url.startswith(WEB) else "",
        text=seen.text[:LONGEST_TEXT],
        media=seen.media,
        published_at=seen.created_at,
        extra=dict(seen.extra),
    )


def _to_measure(account: Account) -> list[MadeElsewhere]:
    now = clock.now()
    rows = not_ours().filter(account=account, gone_at=None, published_at__gte=now - MEASURED_FOR)
    waits = Q(measured_at=None) | Q(measured_at__lte=now - EVERY)
    return list(rows.filter(waits).order_by("-published_at", "pk")[:POSTS_AT_ONCE])


def _measured(rows: Sequence[MadeElsewhere], told: Mapping[str, Samples]) -> None:
    """The last numbers. One that the network leaves out keeps what it had."""
    now = clock.now()
    for row in rows:
        row.measured_at, row.latest = now, latest_with(row.latest, told.get(row.remote_id, {}), now)
        row.reactions = reactions_in(row.latest)
    MadeElsewhere.objects.bulk_update(rows, ["measured_at", "latest", "reactions"])
