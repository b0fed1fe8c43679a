"""Keeping what networks tell: numbers asked for on a timetable, and numbers that come as news."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import aiohttp
from django.db import transaction
from django.db.models import DateTimeField, Exists, OuterRef, Q
from django.db.models.functions import Coalesce

from regie.accounts.budgets import SavedForLater, ask_to_wait, asked_for_patience, must_have_room
from regie.accounts.models import Account
from regie.accounts.opening import connector_for, session
from regie.accounts.services import disconnect, note_problem, refresh_token
from regie.core import clock
from regie.core.sealed import CannotOpen
from regie.core.threads import in_thread
from regie.measure.models import Collection, Round, Sample
from regie.measure.timetable import ACCOUNT_EVERY, WEEKLY_UNTIL, next_after
from regie.networks import registry
from regie.networks.data import Ref, Samples
from regie.networks.errors import NetworkError, SignInAgain, TokenExpired
from regie.networks.metrics import METRICS
from regie.networks.protocols import Measures
from regie.publishing.models import Delivery
from regie.publishing.services import mark_gone
from regie.publishing.states import State

REACTIONS = ("likes", "shares", "replies", "quotes")
LEASE = timedelta(minutes=5)
PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=6)
POSTS_AT_ONCE = 25  # so that a window with little left is still used
ACCOUNTS_AT_ONCE = 200
OUT = (State.PUBLISHED, State.PARTLY)


# Who is due


def measured_networks() -> list[str]:
    return [slug for slug in registry.slugs() if issubclass(registry.connector(slug), Measures)]


def plan_what_is_new() -> None:
    """Every published delivery gets its timetable, every connected account its turn. Safe to repeat."""
    accounts = Account.objects.filter(state=Account.State.CONNECTED, network__in=measured_networks(), measuring=None)
    Round.objects.bulk_create((Round(account=account) for account in accounts[:1000]), ignore_conflicts=True)
    now = clock.now()
    when = Coalesce("accepted_at", "sent_at", "due_at", output_field=DateTimeField())
    fresh = Delivery.objects.annotate(out_at=when).filter(
        ~Q(remote_id=""), state__in=OUT, gone_at=None, collection=None, out_at__gt=now - WEEKLY_UNTIL
    )
    Collection.objects.bulk_create(
        (
            Collection(
                delivery_id=pk,
                account_id=account,
                published_at=out_at,
                next_at=next_after(out_at, now, stories=_has_stories(network)),
            )
            for pk, account, network, out_at in fresh.values_list("pk", "account_id", "account__network", "out_at")[
                :2000
            ]
        ),
        ignore_conflicts=True,
    )


def _has_stories(network: str) -> bool:
    return registry.connector(network).can.story


def due_accounts() -> list[int]:
    """Accounts with something to ask for now, those never asked before first."""
    now = clock.now()
    posts = Collection.objects.filter(account=OuterRef("account"), next_at__lte=now)
    due = Round.objects.filter(
        Q(next_at__lte=now) | Exists(posts),
        Q(not_before=None) | Q(not_before__lte=now),
        Q(leased_until=None) | Q(leased_until__lt=now),
        account__state=Account.State.CONNECTED,
    )
    return list(due.order_by("next_at").values_list("account_id", flat=True)[:ACCOUNTS_AT_ONCE])


def measure_soon(account: Account) -> None:
    """A newly connected account is measured at the next sweep."""
    if account.network in measured_networks():
        now = clock.now()
        defaults = {"next_at": now, "not_before": None, "history_at": now}
        Round.objects.update_or_create(account=account, defaults=defaults)


# Asking


async def collect(account_id: int) -> None:
    """Asks a network for an account's numbers and those of its posts that are due, and keeps them."""
    turn = await in_thread(take, account_id)
    if turn is None:
        return
    try:
        async with session(connections=2) as http:
            await _collect(turn, http)
    finally:
        await in_thread(give_back, account_id)


def take(account_id: int) -> Round | None:
    """The lease on an account's turn, or None when another has it."""
    now = clock.now()
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    won = Round.objects.filter(free, account=account_id, account__state=Account.State.CONNECTED).update(
        leased_until=now + LEASE
    )
    return Round.objects.select_related("account").get(account=account_id) if won else None


def give_back(account_id: int) -> None:
    Round.objects.filter(account=account_id).update(leased_until=None)


async def _collect(turn: Round, http: aiohttp.ClientSession, *, refreshed: bool = False) -> None:
    account = turn.account
    try:
        connector = await in_thread(connector_for, account, http)
        if not isinstance(connector, Measures):
            return None
        if turn.next_at <= clock.now():
            await must_have_room(account, connector, "read")
            await in_thread(store_of_account, turn, await connector.account_samples())
        while due := await in_thread(due_posts, account):
            refs = [_ref(delivery) for delivery in due]
            await must_have_room(account, connector, "read", times=len(refs))
            await in_thread(store_of_posts, due, await connector.post_samples(refs))
    except TokenExpired as exc:
        if not refreshed and await refresh_token(account.pk):
            fresh = await in_thread(Round.objects.select_related("account").get, account=account.pk)
            return await _collect(fresh, http, refreshed=True)
        await in_thread(put_off, turn, exc)
    except SavedForLater as exc:
        await in_thread(_come_back, turn, exc)
    except NetworkError as exc:
        await in_thread(put_off, turn, exc)
    except CannotOpen:
        return None  # the health check says so to people
    else:
        await in_thread(_went_well, turn)


def due_posts(account: Account) -> list[Delivery]:
    """The account's deliveries whose numbers are due, longest waiting first; those gone are asked no more."""
    due = Collection.objects.filter(account=account, next_at__lte=clock.now()).order_by("next_at")
    rows = due.select_related("delivery").prefetch_related("delivery__steps")[:POSTS_AT_ONCE]
    return [row.delivery for row in rows]


def _ref(delivery: Delivery) -> Ref:
    first = next(iter(delivery.steps.all()), None)
    return Ref(remote_id=delivery.remote_id, extra=first.extra if first is not None else {})


@transaction.atomic
def store_of_account(turn: Round, samples: Samples) -> None:
    now = clock.now()
    known = _known(samples)
    Sample.objects.bulk_create(
        Sample(workspace_id=turn.account.workspace_id, account=turn.account, metric=name, value=value, at=now)
        for name, value in known.items()
    )
    turn.latest = latest_with(turn.latest, known, now)
    turn.next_at = now + ACCOUNT_EVERY
    turn.save(update_fields=["latest", "next_at"])
    Account.objects.filter(pk=turn.account_id).update(measured_at=now)


@transaction.atomic
def store_of_posts(asked: Sequence[Delivery], told: Mapping[str, Samples]) -> None:
    """Keeps the numbers of the posts that were asked for. One that the network leaves out is gone."""
    now, stories = clock.now(), bool(asked) and _has_stories(asked[0].account.network)
    rows = {row.pk: row for row in Collection.objects.select_for_update().filter(pk__in=asked).order_by("pk")}
    fresh: list[Sample] = []
    for delivery in asked:
        row = rows[delivery.pk]
        row.next_at = next_after(row.published_at, now, stories=stories)
        if (samples := told.get(delivery.remote_id)) is not None:
            fresh += _heard(row, delivery, samples, now)
        else:
            mark_gone(delivery)
            row.next_at = None
    _keep(fresh, rows.values())


@transaction.atomic
def hear(account: Account, told: Mapping[str, Samples]) -> None:
    """Numbers that came as news, by the remote id of a post: those of our own posts are kept."""
    if not told:
        return
    plan_what_is_new()
    now = clock.now()
    rows = (
        Collection.objects.select_for_update(of=("self",))
        .filter(account=account, delivery__remote_id__in=list(told))
        .select_related("delivery")
        .order_by("pk")
    )
    found = list(rows)
    _keep([one for row in found for one in _heard(row, row.delivery, told[row.delivery.remote_id], now)], found)


def _heard(row: Collection, delivery: Delivery, samples: Samples, now: datetime) -> list[Sample]:
    """What a network said of a post, for ``_keep``; its row now says the latest."""
    known = _known(samples)
    row.latest = latest_with(row.latest, known, now)
    row.reactions = reactions_in(row.latest)
    return [
        Sample(
            workspace_id=delivery.workspace_id,
            account_id=delivery.account_id,
            delivery=delivery,
            metric=name,
            value=value,
            at=now,
        )
        for name, value in known.items()
    ]


def _keep(samples: Iterable[Sample], rows: Iterable[Collection]) -> None:
    Sample.objects.bulk_create(samples)
    Collection.objects.bulk_update(rows, ["latest", "reactions", "next_at"])


def _known(samples: Samples) -> dict[str, int | None]:
    return {name: value for name, value in samples.items() if name in METRICS}


def latest_with(before: Mapping[str, object], samples: Samples, now: datetime) -> dict[str, object]:
    """The last number that was said for each metric: silence does not wipe it out, its age shows."""
    said = {name: [value, now.isoformat()] for name, value in samples.items() if value is not None}
    return {**before, **said}


def reactions_in(latest: Mapping[str, Sequence[object]]) -> int | None:
    """Likes, shares, replies and quotes together; None when the network told none of them."""
    told = [value for name in REACTIONS if name in latest and isinstance(value := latest[name][0], int)]
    return sum(told) if told else None


def _went_well(turn: Round) -> None:
    Round.objects.filter(pk=turn.pk).update(failures=0, not_before=None)


def _come_back(turn: Round, saved: SavedForLater) -> None:
    """Nothing is wrong: what the network allows is used up, or kept for publishing."""
    Round.objects.filter(pk=turn.pk).update(not_before=saved.not_before)


def put_off(turn: Round, problem: NetworkError) -> None:
    """As long as the network says, else longer each time. A dead token disconnects the account."""
    if isinstance(problem, SignInAgain):
        disconnect(turn.account, problem)
    else:
        note_problem(turn.account, problem)
    if problem.not_before is not None and asked_for_patience(problem):
        ask_to_wait(turn.account_id, problem.not_before)
    pause = min(PAUSE * 2 ** min(turn.failures, 8), LONGEST_PAUSE)
    until = problem.not_before or clock.now() + pause
    Round.objects.filter(pk=turn.pk).update(not_before=until, failures=turn.failures + 1)
