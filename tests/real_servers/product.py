"""The product as its customers run it (web server, publisher and worker processes), and places to publish to."""

from __future__ import annotations

import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from .processes import Child

if TYPE_CHECKING:
    from regie.accounts.models import Account
    from regie.people.models import Member
    from regie.publishing.models import Delivery

    from .proxy import FaultyProxy

T = TypeVar("T")


def apart(do: Callable[[], T]) -> T:
    """Runs product code in a thread of its own: Playwright's loop runs in this one, and the product starts loops."""

    def call() -> T:
        from django.db import connections

        try:
            return do()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


@dataclass
class Roles:
    """Processes of the product on the tests' database: ``regie publisher``, ``regie worker``."""

    home: Path
    started: list[Child] = field(default_factory=list)

    def start(self, role: str) -> Child:
        """Returns at once. SIGTERM stops it, as a deploy does; it is killed after five seconds at the test's end."""
        name = f"{role}-{len(self.started)}"
        command = [sys.executable, "-m", "regie.cli", role]
        child = Child.start(name, command, home=self.home, env=environment(), stop_signal=signal.SIGTERM)
        self.started.append(child)
        return child

    def publisher(self) -> Child:
        """Returns when it has reported to the database."""
        from regie.publishing.models import Publisher

        child = self.start("publisher")
        child.wait_until(lambda: Publisher.objects.filter(name__contains=f":{child.process.pid}:").exists(), seconds=40)
        return child

    def stop(self) -> None:
        for child in self.started:
            child.stop()


def environment() -> dict[str, str]:
    """The tests' settings, as an operator gives them to a process."""
    from django.conf import settings

    from regie.networks.bluesky.connector import Bluesky

    at = settings.DATABASES["default"]
    who = f"{quote(at['USER'])}:{quote(at['PASSWORD'], safe='')}"
    where = urlencode({name: value for name, value in (("host", at["HOST"]), ("port", at["PORT"])) if value})
    given = {
        "DATABASE_URL": f"postgresql://{who}@/{at['NAME']}?{where}",
        "REGIE_URL": settings.PUBLIC_URL,
        "REGIE_ALLOWED_HOSTS_OUT": ",".join(one for one in settings.ALLOWED_HOSTS_OUT if one),
    }
    if "bluesky" in settings.NETWORKS:
        given["REGIE_NETWORKS__BLUESKY__API_URL"] = settings.NETWORKS["bluesky"]
        given["REGIE_NETWORKS__BLUESKY__PLC_URL"] = Bluesky.addresses.plc
    return given


class MovableClock:
    """The real clock, which a test may put forward instead of waiting."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, **by: float) -> None:
        self.ahead += timedelta(**by)


@dataclass
class Place:
    """An account of ours on a network, what stands before that network, and a witness that is not ours.

    write:  path of the one call that makes a post visible
    there:  what is on the network by the independent client, oldest first: (text, link)
    leads:  whether our link leads to the post that the client told of
    """

    account: Account
    proxy: FaultyProxy
    write: str
    there: Callable[[], Sequence[tuple[str, str]]]
    leads: Callable[[str, str], bool] = lambda ours, theirs: ours == theirs

    def texts(self) -> list[str]:
        return [text for text, _ in self.there()]

    def calls(self) -> list[tuple[int | None, str | None]]:
        """(the server's status, the fault) of each visible call so far."""
        return [
            (one.status, one.fault)
            for one in self.proxy.seen
            if re.search(self.write, one.target) and one.method in ("POST", "PUT")
        ]


def connect_by_oauth(server: str, member: Member, sign_in_there: Callable[[str, str, str], str]) -> Account:
    """Connects a Mastodon account; ``sign_in_there(client_id, redirect_uri, state)`` gives the code."""
    from regie.accounts import sign_in

    asked = parse_qs(urlsplit(sign_in.begin(network="mastodon", typed_server=server, hint="", by=member)).query)
    state = asked["state"][0]
    code = sign_in_there(asked["client_id"][0], asked["redirect_uri"][0], state)
    came_back = sign_in.finish(network="mastodon", query={"code": code, "state": state}, user=member.user)
    return came_back.accounts[0]


@contextmanager
def watching(delivery: Delivery) -> Iterator[list[tuple[float, str]]]:
    """Every state the delivery is seen in, with the moment (``time.time``), looked at each 20 ms by another thread."""
    seen: list[tuple[float, str]] = []
    over = threading.Event()

    def look() -> None:
        from django.db import connections

        rows = type(delivery).objects.filter(pk=delivery.pk).values_list("state", flat=True)
        while not over.wait(0.02):
            state = rows.get()
            if not seen or seen[-1][1] != state:
                seen.append((time.time(), state))
        connections.close_all()

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def plain(html: str) -> str:
    """What a person reads of a status's HTML."""
    import html as entities

    return entities.unescape(re.sub(r"<[^>]+>", "", html)).strip()


def mastodon_statuses(client: Any) -> list[tuple[str, str]]:
    """An account's own statuses, oldest first: (text, link)."""
    found = client.account_statuses(client.account_verify_credentials().id, limit=40)
    return [(plain(one.content), one.url) for one in reversed(found)]
