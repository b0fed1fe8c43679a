"""What the engine holds in its hands: an account with its connector, a delivery, its steps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

import aiohttp
import orjson
from django.conf import settings

from regie.accounts.models import Account
from regie.accounts.opening import app_keys
from regie.accounts.services import disconnect
from regie.core.sealed import sealer
from regie.core.threads import in_thread
from regie.networks import registry
from regie.networks.capabilities import Capabilities, Repeatable
from regie.networks.data import AppKeys, Login, Outgoing, Ref
from regie.networks.errors import SignInAgain
from regie.networks.protocols import Publishes
from regie.publishing.contents import COMMENT
from regie.publishing.engine.database import Row

LEASE = timedelta(seconds=settings.PUBLISHER_LEASE)
CALL = timedelta(seconds=settings.PUBLISHER_CALL)  # a network may take so long to answer
SPEAK_WITHIN = CALL / 4  # from writing the intent down to the first byte
DEADLINE = CALL * 1.5  # after this a call can no longer be under way: it is cut off at SPEAK_WITHIN + CALL
K = TypeVar("K")
V = TypeVar("V")
FOR_EVER = timedelta(days=3650)
APP_KEYS_KEPT = 60.0  # seconds
CANNOT_OPEN = "This installation cannot open the stored sign-in (the sealing key changed). Connect it again."

ACCOUNT_COLUMNS = """a.id AS account_id, a.workspace_id, a.network, a.server, a.remote_id AS account_remote_id,
    a.limits, a.state AS account_state, a.sealed_credentials, a.prepare_seconds"""


class Shared(Generic[K, V]):
    """What many lanes ask for at the same moment: they share one question, and its answer for some seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: dict[K, tuple[float, asyncio.Task[V]]] = {}

    async def get(self, key: K, ask: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Raises what ``ask`` raises; that is not kept."""
        now = asyncio.get_running_loop().time()
        kept = self._kept.get(key)
        if kept is None or now - kept[0] > self._seconds or _failed(kept[1]):
            self._kept = {one: there for one, there in self._kept.items() if now - there[0] <= self._seconds}
            kept = self._kept[key] = (now, asyncio.create_task(ask()))
        return kept[1].result() if kept[1].done() else await asyncio.shield(kept[1])


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


class Apps(Shared[tuple[str, str], "AppKeys | None"]):
    """Our registrations at vendors, opened once a minute at most."""

    def __init__(self) -> None:
        super().__init__(APP_KEYS_KEPT)

    async def of(self, network: str, server: str) -> AppKeys | None:
        return await self.get((network, server), lambda: in_thread(app_keys, network, server))


@dataclass(slots=True, kw_only=True)
class Speaker:
    """An account, its credentials open, and the connector that speaks for it."""

    account_id: int
    workspace_id: int
    network: str
    server: str
    remote_id: str
    connected: bool
    can: Capabilities
    connector: Publishes | Any
    prepare_seconds: float


async def speaker_of(row: Row, http: aiohttp.ClientSession, apps: Apps) -> Speaker:
    """Opens an account. ``row`` has ACCOUNT_COLUMNS. Raises sealed.CannotOpen."""
    make = registry.connector(row["network"])
    connected = row["account_state"] == "connected"
    connector = None
    if connected:
        sealed, context = bytes(row["sealed_credentials"]), f"account:{row['account_id']}"
        login = Login(
            server=row["server"],
            remote_id=row["account_remote_id"],
            credentials=sealer().open_json(sealed, context=context),
            app=await apps.of(row["network"], row["server"]),
            limits=row["limits"],
        )
        connector = make(http, login)
    return Speaker(
        account_id=row["account_id"],
        workspace_id=row["workspace_id"],
        network=row["network"],
        server=row["server"],
        remote_id=row["account_remote_id"],
        connected=connected,
        can=_can_on(row["network"], orjson.dumps(row["limits"])),
        connector=connector,
        prepare_seconds=row["prepare_seconds"],
    )


async def say_disconnected(account_id: int, because: SignInAgain) -> None:
    """Says so on the account, and tells the people who can connect it again."""
    await in_thread(lambda: disconnect(Account.objects.get(pk=account_id), because))


@lru_cache(maxsize=1024)
def _can_on(network: str, limits: bytes) -> Capabilities:
    """Accounts of one kind can do the same, and are claimed again and again."""
    return registry.connector(network).can_on(orjson.loads(limits))


@dataclass(slots=True, kw_only=True)
class Step:
    """One part, as the row says. ``attempts``: how many there were; ``first_at``: when the first
    commit began that may have been done; from then on its content and its key stay as they are."""

    id: int
    position: int
    key: str
    content: dict[str, Any]
    state: str
    progress: dict[str, Any]
    prepared: bool
    remote_id: str
    extra: dict[str, Any]
    attempts: int
    first_at: datetime | None
    outgoing: Outgoing | None = None  # made a moment ahead

    @property
    def is_out(self) -> bool:
        return self.state == "published"

    @property
    def is_comment(self) -> bool:
        """The first comment under the post, which the network does not list among the posts."""
        return COMMENT in self.content

    @property
    def in_doubt(self) -> bool:
        """It may be out: an attempt was not answered, and nobody has found out yet."""
        return self.state == "unclear"


STEPS = """
    SELECT jsonb_agg(jsonb_build_object(
        'id', s.id, 'position', s.position, 'key', s.key, 'content', s.content, 'state', s.state,
        'progress', s.progress, 'prepared', s.prepared_at IS NOT NULL, 'remote_id', s.remote_id, 'extra', s.extra,
        'attempts', (SELECT coalesce(max(number), 0) FROM publishing_attempt t WHERE t.step_id = s.id),
        'first_at', (SELECT min(began_at) FROM publishing_attempt t WHERE t.step_id = s.id AND t.kind = 'commit'
                     AND t.outcome NOT IN ('later', 'refused', 'sign_in'))
    ) ORDER BY s.position) AS steps
    FROM publishing_step s WHERE s.state <> 'dropped' AND s.delivery_id = """


@dataclass(kw_only=True)
class Delivery:
    """A claimed delivery. ``lease`` is the token under which we may change it."""

    id: int
    lease: UUID | None
    state: str
    due_at: datetime
    next_at: datetime
    late_minutes: int
    tries: int
    steps: list[Step]
    by_hand: bool = False
    late: bool = False
    post_version: int = 0
    content: dict[str, Any] | None = None  # what the post says now, when it was saved since it was promised
    looks: int = 0
    sent_at: datetime | None = None
    doubt_from: datetime | None = None  # of the backup that we come from
    frozen: bool = False
    called_off: bool = False  # nothing more of it is sent, whatever is found

    @property
    def latest(self) -> datetime:
        """After this it is not sent without asking a person."""
        return self.due_at + timedelta(minutes=self.late_minutes)

    @property
    def has_parts_out(self) -> bool:
        return any(step.is_out for step in self.steps)

    @property
    def in_doubt(self) -> bool:
        return any(step.in_doubt for step in self.steps)

    @cached_property
    def missed(self) -> str:
        return "partly" if self.has_parts_out else "missed"

    def answers(self, step: Step) -> Ref | None:
        """What a step replies to: the part before it, in the thread of the first; a first comment, the post itself."""
        if step.position == 0:
            return None
        first = self.steps[0]
        before = first if step.is_comment else self.steps[step.position - 1]
        return Ref(remote_id=before.remote_id, root_id=first.remote_id, extra=before.extra, root_extra=first.extra)


def delivery_of(row: Row) -> Delivery:
    """From a row of a claim: its own columns, and ``steps`` as STEPS gives them."""
    wanted = Delivery.__dataclass_fields__
    given = {name: row[name] for name in wanted if name in row and name != "steps"}
    return Delivery(**given, steps=[_step(step) for step in row["steps"] or ()])


def _step(row: Row) -> Step:
    first_at = row["first_at"]
    return Step(**{**row, "first_at": datetime.fromisoformat(first_at) if first_at else None})


def repeat_until(can: Capabilities, first_at: datetime | None, now: datetime) -> datetime | None:
    """Until when the network takes a repeat for the same post; None when never, or no longer."""
    if not isinstance(can.repeat, Repeatable):
        return None
    until = (first_at or now) + (FOR_EVER if can.repeat.for_ is None else can.repeat.for_ - DEADLINE)
    return until if until > now else None


def may_repeat(can: Capabilities, step: Step, now: datetime) -> bool:
    """Whether the network takes a repeat for the same post. Of what was tried after the backup that we come from we do
    not know how it was said, and from that some networks know it again (Bluesky): it is looked for first."""
    return step.first_at is not None and repeat_until(can, step.first_at, now) is not None
