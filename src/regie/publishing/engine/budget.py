"""What a network lets an account do in a window of time: asked before sending, and the network's own word believed.

Every lane is held by one publisher at a time, so counting here is counting for the account. What a network says of the
rest of its window is kept in ``accounts.Budget``, where readers of the same account look too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from regie.networks.capabilities import Quota
from regie.networks.data import Pending, Published
from regie.networks.errors import NetworkError
from regie.publishing.engine.batches import Batches
from regie.publishing.engine.database import Database, as_json, sql
from regie.publishing.engine.work import Speaker

REMEMBERED = timedelta(hours=24)
LOW = 0.1  # of a window: what is left is worth writing down
RESERVE = 0  # publishing comes first and may use the last of it

KEEP = sql(
    """
INSERT INTO accounts_budget (account_id, name, most, "left", resets_at)
SELECT DISTINCT ON (r.account_id) r.account_id, 'requests', r.most, r."left", r.resets_at
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(account_id bigint, most int, "left" int, resets_at timestamptz)
ORDER BY r.account_id, r.resets_at DESC, r."left"
ON CONFLICT (account_id, name) DO UPDATE
SET most = excluded.most, "left" = excluded."left", resets_at = excluded.resets_at
"""
)
LOOK = sql('SELECT most, "left", resets_at FROM accounts_budget WHERE account_id = %(account)s AND resets_at > MOMENT')


@dataclass(slots=True)
class Window:
    """What a network said: ``left`` of ``most`` until ``resets_at``."""

    most: int
    left: int
    resets_at: datetime


class Budgets:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._sent: dict[tuple[int, str], deque[datetime]] = {}
        self._said: dict[int, Window] = {}
        self._known: set[int] = set()
        self.notes: Batches[tuple[int, Window], None] = Batches(self._keep, gather=0.1)

    async def learn(self, speaker: Speaker) -> None:
        """Reads what other processes heard of this account, the first time we meet it."""
        if speaker.account_id in self._known or not speaker.can.quotas:
            return
        self._known.add(speaker.account_id)
        for row in await self._database.rows(LOOK, account=speaker.account_id):
            self._said[speaker.account_id] = Window(row["most"], row["left"], row["resets_at"])

    def wait_until(self, speaker: Speaker, now: datetime) -> datetime | None:
        """None: go ahead, it is counted. Otherwise: nothing is left until then."""
        said = self._said.get(speaker.account_id)
        if said is not None and said.left <= RESERVE and said.resets_at > now:
            return said.resets_at
        for quota in speaker.can.quotas:
            if (until := self._full_until(speaker, quota, now)) is not None:
                return until
        for quota in speaker.can.quotas:
            self._sent[speaker.account_id, quota.name].extend([now] * _points(quota))
        return None

    def _full_until(self, speaker: Speaker, quota: Quota, now: datetime) -> datetime | None:
        sent = self._sent.setdefault((speaker.account_id, quota.name), deque())
        while sent and sent[0] <= now - min(quota.per, REMEMBERED):
            sent.popleft()
        points = _points(quota)
        if not points or len(sent) + points <= quota.limit:
            return None
        return sent[len(sent) + points - quota.limit - 1] + quota.per

    def hear(self, speaker: Speaker, outcome: Published | Pending | NetworkError, now: datetime) -> None:
        """Takes the network's own word from an answer's headers."""
        answer = None if isinstance(outcome, Pending) else outcome.answer
        window = window_in(answer.headers, now) if answer is not None else None
        if window is None:
            return
        self._said[speaker.account_id] = window
        if window.left <= max(1, window.most * LOW):
            self.notes.put((speaker.account_id, window))

    async def _keep(self, notes: Sequence[tuple[int, Window]]) -> Sequence[None]:
        rows = [
            {"account_id": account, "most": window.most, "left": window.left, "resets_at": window.resets_at}
            for account, window in notes
        ]
        await self._database.rows(KEEP, rows=as_json(rows))
        return [None] * len(notes)


def _points(quota: Quota) -> int:
    return dict(quota.cost).get("publish", 0)


def window_in(headers: Mapping[str, str], now: datetime) -> Window | None:
    """From X-RateLimit-* (Mastodon: ISO date) or RateLimit-* (Bluesky: epoch seconds). None when they are not there."""
    for prefix in ("x-ratelimit-", "ratelimit-"):
        try:
            most, left = int(headers[f"{prefix}limit"]), int(headers[f"{prefix}remaining"])
            reset = _moment(headers[f"{prefix}reset"], now)
        except (KeyError, ValueError):
            continue
        return Window(most, left, reset)
    return None


def _moment(text: str, now: datetime) -> datetime:
    """An ISO date, an epoch, or seconds from now."""
    if text.isdigit():
        seconds = int(text)
        return datetime.fromtimestamp(seconds, UTC) if seconds > 10**9 else now + timedelta(seconds=seconds)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
