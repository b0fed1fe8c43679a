"""A publisher's portions of what networks allow: asked before each call, and the network's own word believed.

The count is shared by all processes (``accounts/budgets.py``). Here it is a subtraction while a portion is in hand;
portions of many accounts are fetched in one visit, and what is left of them goes back when their lease has run out.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from regie.accounts import budgets
from regie.accounts.budgets import LOW, Ask, Granted, Need, Priority, Word, ask_for, gift, key_of, needs
from regie.networks.capabilities import Quota
from regie.networks.data import Pending, Published
from regie.networks.errors import NetworkError, TryLater
from regie.publishing.engine.batches import Batches
from regie.publishing.engine.database import Database, as_json, sql
from regie.publishing.engine.work import Speaker

TAKE, GIVE, HEARD = sql(budgets.TAKE), sql(budgets.GIVE), sql(budgets.HEARD)
WAIT = sql(
    """
UPDATE accounts_account a SET not_before = greatest(a.not_before, r.until)
FROM (SELECT account_id, max(until) AS until FROM jsonb_to_recordset(%(waits)s::jsonb)
        AS r(account_id bigint, until timestamptz) GROUP BY account_id ORDER BY account_id) r
WHERE a.id = r.account_id
"""
)
LONG_AGO = datetime.min.replace(tzinfo=UTC)
TURNS = 3  # others of this process may be quicker to spend what we fetched


@dataclass(slots=True)
class Hand:
    """The portion of one quota that this process holds. ``until``: its lease."""

    key: str
    name: str
    points: int = 0
    slice: int = 0
    until: datetime = LONG_AGO


@dataclass(slots=True)
class Line:
    """What one call of one account draws from."""

    quotas: tuple[Quota, ...]
    draws: tuple[tuple[Need, Hand], ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """A network's word to leave an account alone."""

    account_id: int
    until: datetime


@dataclass(slots=True)
class Window:
    """What a network said: ``left`` of ``most`` until ``resets_at``."""

    most: int
    left: int
    resets_at: datetime


class Budgets:
    """One process's portions. Nothing is asked, and nothing computed, for networks without quotas."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hands: dict[tuple[str, str], Hand] = {}
        self._lines: dict[tuple[int, str], Line] = {}
        self._old: deque[Hand] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._takes: Batches[Ask, Granted] = Batches(self._take, gather=0.002)
        self._gives: Batches[Mapping[str, Any], None] = Batches(self._give, gather=0.1)
        self._notes: Batches[Word | Wait, None] = Batches(self._keep, gather=0.1)

    async def finish(self) -> None:
        """Gives back what is left, and waits until all is written."""
        for hand in self._hands.values():
            self._put_back(hand)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for batches in (self._takes, self._gives, self._notes):
            await batches.finish()

    # Asking

    async def expect(self, speaker: Speaker, calls: int, call: str = "publish") -> None:
        """So many are about to come: fetches a portion for all of them, in one visit with other accounts'."""
        line = self._line(speaker, call)
        if not line.draws:
            return
        now = self._database.moment()
        if any(hand.points < need.points or hand.until <= now for need, hand in line.draws):
            await self._fetch(speaker, line, 1, calls, Priority.PUBLISH)

    async def wait_until(
        self, speaker: Speaker, call: str = "publish", *, calls: int = 1, priority: Priority = Priority.PUBLISH
    ) -> datetime | None:
        """None: go ahead, it is counted. Otherwise: nothing is left until then."""
        line = self._line(speaker, call)
        if not line.draws:
            return None
        now = self._database.moment()
        for _turn in range(TURNS):
            if _spend(line, calls, now):
                return None
            if (until := await self._fetch(speaker, line, calls, 0, priority)) is not None:
                return until
        return now + timedelta(seconds=1)

    def _line(self, speaker: Speaker, call: str) -> Line:
        line = self._lines.get((speaker.account_id, call))
        if line is None or line.quotas is not speaker.can.quotas:
            draws = tuple((need, self._hand(speaker, need)) for need in needs(speaker.can.quotas, call))
            line = self._lines[speaker.account_id, call] = Line(speaker.can.quotas, draws)
        return line

    def _hand(self, speaker: Speaker, need: Need) -> Hand:
        key = key_of(speaker.account_id, need.quota, speaker.connector)
        return self._hands.setdefault((key, need.quota.name), Hand(key, need.quota.name))

    async def _fetch(self, speaker: Speaker, line: Line, calls: int, known: int, priority: Priority) -> datetime | None:
        """Fills the hands that are short. Returns until when one of them stays so."""
        now = self._database.moment()
        short = [(need, hand) for need, hand in line.draws if hand.points < need.points * calls or hand.until <= now]
        asked = [
            self._takes.put(
                ask_for(
                    speaker.account_id,
                    need,
                    speaker.connector,
                    want=need.want(calls, known),
                    least=min(need.points * calls, need.quota.limit),
                    priority=priority,
                )
            )
            for need, _hand in short
        ]
        until = None
        for (need, hand), granted in zip(short, await asyncio.gather(*asked), strict=True):
            if granted.granted:
                self._fill(hand, need, granted)
            if granted.free_at is not None:
                until = max(until or granted.free_at, granted.free_at)
        return until

    def _fill(self, hand: Hand, need: Need, granted: Granted) -> None:
        if hand.points and hand.slice != granted.slice:
            self._put_back(hand)
        hand.points += granted.granted
        hand.slice, hand.until = granted.slice, self._database.moment() + timedelta(seconds=need.lease)
        self._old.append(hand)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(need.lease + 1, self._give_back_old)

    async def _take(self, asks: Sequence[Ask]) -> Sequence[Granted]:
        rows = await self._database.rows(TAKE, asks=as_json([ask.row(number) for number, ask in enumerate(asks)]))
        found = {row["number"]: row for row in rows}
        return [Granted(**{name: found[n][name] for name in Granted.__dataclass_fields__}) for n in range(len(asks))]

    # Giving back

    def _give_back_old(self) -> None:
        now, self._timer = self._database.moment(), None
        kept = deque[Hand]()
        for hand in self._old:
            if hand.until <= now:
                self._put_back(hand)
            elif hand.points:
                kept.append(hand)
        self._old = kept
        if kept:
            self._timer = asyncio.get_running_loop().call_later(5, self._give_back_old)

    def _put_back(self, hand: Hand) -> None:
        if hand.points:
            granted = Granted(granted=hand.points, slice=hand.slice, remaining=0, free_at=None)
            self._gives.put(gift(hand.key, hand.name, granted, hand.points))
            hand.points = 0

    async def _give(self, gifts: Sequence[Mapping[str, Any]]) -> Sequence[None]:
        await self._database.rows(GIVE, gifts=as_json(gifts))
        return [None] * len(gifts)

    # Hearing

    def hear(self, speaker: Speaker, outcome: Published | Pending | NetworkError, now: datetime) -> None:
        """Takes the network's own word from an answer's headers, and its wish to be left alone."""
        answer = None if isinstance(outcome, Pending) else outcome.answer
        if answer is None:
            return
        window = window_in(answer.headers, now)
        quota = quota_meant(speaker.can.quotas, window, now) if window is not None else None
        if window is not None and quota is not None:
            self._hear_window(speaker, quota, window)
            if window.left <= 0:
                return
        if isinstance(outcome, TryLater) and outcome.not_before is not None and answer.status == 429:
            self._notes.put(Wait(speaker.account_id, outcome.not_before))

    def _hear_window(self, speaker: Speaker, quota: Quota, window: Window) -> None:
        """All are told when little is left, or when the network allows something else than it is declared to."""
        key = key_of(speaker.account_id, quota, speaker.connector)
        hand = self._hands.get((key, quota.name))
        if hand is not None:
            hand.points = min(hand.points, window.left)
        if window.left > max(1, window.most * LOW) and window.most == quota.limit:
            return
        self._notes.put(
            Word(
                key=key,
                name=quota.name,
                account_id=None if quota.shared else speaker.account_id,
                most=window.most,
                seconds=quota.per.total_seconds(),
                left=window.left - (hand.points if hand is not None else 0),
                resets_at=window.resets_at,
            )
        )

    async def _keep(self, notes: Sequence[Word | Wait]) -> Sequence[None]:
        if words := [note.row() for note in notes if isinstance(note, Word)]:
            await self._database.rows(HEARD, words=as_json(words))
        if waits := [{"account_id": w.account_id, "until": w.until} for w in notes if isinstance(w, Wait)]:
            await self._database.rows(WAIT, waits=as_json(waits))
        return [None] * len(notes)


def _spend(line: Line, calls: int, now: datetime) -> bool:
    for need, hand in line.draws:
        if hand.points < need.points * calls or hand.until <= now:
            return False
    for need, hand in line.draws:
        hand.points -= need.points * calls
    return True


def window_in(headers: Mapping[str, str], now: datetime) -> Window | None:
    """From X-RateLimit-* (Mastodon: ISO date) or RateLimit-* (Bluesky: epoch seconds). None when they are not there."""
    for prefix in ("x-ratelimit-", "ratelimit-", "x-rate-limit-"):
        try:
            most, left = int(headers[f"{prefix}limit"]), int(headers[f"{prefix}remaining"])
            reset = _moment(headers[f"{prefix}reset"], now)
        except (KeyError, ValueError):
            continue
        return Window(most, left, reset)
    return None


def quota_meant(quotas: Sequence[Quota], window: Window, now: datetime) -> Quota | None:
    """Which of the declared quotas the headers speak of: that with their limit, or the shortest that lasts so long."""
    possible = [quota for quota in quotas if window.resets_at - now <= quota.per + timedelta(minutes=1)]
    return min(possible, key=lambda quota: (quota.limit != window.most, quota.per), default=None)


def _moment(text: str, now: datetime) -> datetime:
    """An ISO date, an epoch, or seconds from now."""
    if text.isdigit():
        seconds = int(text)
        return datetime.fromtimestamp(seconds, UTC) if seconds > 10**9 else now + timedelta(seconds=seconds)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
