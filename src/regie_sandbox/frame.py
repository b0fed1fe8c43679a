"""What every sandbox network stands on: one world with a clock, a seed and a ledger, and a class to subclass."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from aiohttp import web
from pydantic import TypeAdapter

from regie_sandbox.clock import Clock
from regie_sandbox.faults import Fault, Faults
from regie_sandbox.files import Files
from regie_sandbox.ledger import Entry, Ledger

if TYPE_CHECKING:
    from regie_sandbox.audience import Audience

__all__ = ["Clock", "Entry", "Fault", "Faults", "Files", "Ledger", "Network", "World"]


class World:
    """All networks of one sandbox process, with one clock, one seed, one ledger.

    data: a folder that keeps the state between starts; None: everything is forgotten at the end.
    """

    def __init__(self, *, seed: int = 1, data: Path | None = None) -> None:
        if data is not None:
            data.mkdir(parents=True, exist_ok=True)
        self.seed, self.data = seed, data
        self.rng = random.Random(seed)
        self.clock = Clock()
        self.files = Files(data / "files" if data is not None else None)
        self.ledger = Ledger(self.clock.now, data / "ledger.jsonl" if data is not None else None)
        self.networks: dict[str, Network] = {}
        self.audience: Audience | None = None  # there when the world is alive: see audience.py
        self.kept: dict[str, Callable[[], bytes]] = {}  # what else is written down beside the networks, by name
        self.changes = 0  # counts what may have changed state, so that only changes are written down

    def move_to(self, moment: datetime) -> None:
        """Stand at ``moment``. Going forward, the audience lives through what lies between."""
        if self.audience is not None and self.clock.is_standing and moment > self.clock.now():
            self.audience.play(until=moment)
        self.clock.set(moment)

    def rng_for(self, purpose: str) -> random.Random:
        """Dice of their own for one purpose, so that one more throw elsewhere changes nothing here."""
        return random.Random(f"{self.seed}:{purpose}")

    def save(self) -> None:
        """Write every network's state down, each file whole or not at all. Nothing without a folder."""
        if self.data is None:
            return
        for name, dump in {**{slug: one.dump for slug, one in self.networks.items()}, **self.kept}.items():
            path = self.data / f"{name}.json"
            fresh = path.with_suffix(".new")
            fresh.write_bytes(dump())
            fresh.replace(path)

    def close(self) -> None:
        self.save()
        self.ledger.close()


class Network(ABC):
    """One network of the world. A subclass keeps what it knows in ``state``, a dataclass of plain data that
    pydantic can write and read (no cycles, no bytes: those go to ``world.files``), made in its ``__init__`` before
    ``super().__init__(world)`` is called; addresses are made from ``base`` when asked, as ports change."""

    slug: ClassVar[str]
    state: Any
    keys_honoured = True  # where the vendor knows idempotency keys; False: a server that forgets them
    fetches = True  # whether it really fetches the addresses that it is given; False: they are believed

    def __init__(self, world: World) -> None:
        self.world = world
        self.base = ""  # http://127.0.0.1:port, set when it is served
        self.faults = Faults(world.rng_for(f"faults:{self.slug}"), self.vendor_error)
        world.networks[self.slug] = self
        if world.data is not None and (path := world.data / f"{self.slug}.json").exists():
            self.load(path.read_bytes())

    def dump(self) -> bytes:
        return TypeAdapter(type(self.state)).dump_json(self.state)

    def load(self, kept: bytes) -> None:
        self.state = TypeAdapter(type(self.state)).validate_json(kept)

    def vendor_error(self, status: int) -> tuple[Mapping[str, str], Any]:
        """Headers and JSON body with which this vendor says ``status``."""
        return {}, {"error": f"fault {status}"}

    @abstractmethod
    def app(self) -> web.Application:
        """The vendor's routes. The frame adds faults and the control routes."""

    @abstractmethod
    def ready_account(self, name: str = "regie") -> dict[str, Any]:
        """An account that can be used at once (made when missing): ``server``, ``remote_id``, ``handle``,
        ``credentials`` as our connector takes them (a dict), and what else a client of the vendor wants."""

    @abstractmethod
    def say(self, *, by: str, text: str, to: str | None = None, kind: str = "reply") -> str:
        """A person (made when missing) says something; returns its remote id.

        to: the post answered, or for ``kind="mention"`` and ``"direct"`` the account spoken to; None: a plain post.
        """

    @abstractmethod
    def like(self, *, by: str, post_id: str) -> None: ...

    @abstractmethod
    def follow(self, *, by: str, account: str) -> None: ...

    def expire_tokens(self) -> int:
        """Short-lived tokens end now, as if their time had run out. Returns how many; 0 where tokens do not end."""
        return 0

    def lets_edit(self) -> None:  # noqa: B027 - most networks have nothing to do here
        """The ready account may edit what is out from now on, where that needs a subscription."""

    def unfollow(self, *, by: str, account: str) -> bool:
        """Somebody leaves. False where the network knows no single followers."""
        return False

    def share(self, *, by: str, post_id: str) -> bool:
        """Somebody passes a post on. False where the network has no such thing."""
        return False

    @abstractmethod
    def texts(self, account: str | None = None) -> list[str]:
        """What an account (None: the ready one) visibly published, oldest first."""

    def posts(self, account: str | None = None) -> list[str]:
        """Remote ids that belong to ``texts``, in the same order."""
        return [e.remote_id for e in self.world.ledger.of(self.slug) if e.kind in ("post", "reply")]
