"""``regie up`` and ``regie demo``: starts every role on this machine, keeps them alive, stops them cleanly.

The supervisor loads everything once and forks the roles, itself running none of it: so a start takes seconds, and
the memory is shared. Roles die with it, even by ``kill -9`` (the kernel tells them); the embedded database stops when
its last user is gone.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.context import ForkProcess
from pathlib import Path

from regie.cli.django import database_up, tell
from regie.cli.errors import Stop
from regie.cli.forks import fork, load
from regie.cli.main import main
from regie.cli.roles import require_free_port
from regie.cli.setup import static_files_are_ready
from regie.config.env import env
from regie.config.first_start import is_loopback
from regie.core import embedded
from regie_sandbox.registry import slugs

STOP_SECONDS = 35  # a publisher finishes what it is sending within 30
PAUSE_SECONDS = 0.2
LONGEST_BACKOFF_SECONDS = 30.0


@dataclass
class Role:
    """One child process, started again when it ends by itself: at once, then ever more slowly.

    command: what one types after ``regie``. lock: the open file that makes us the only supervisor, not for a child.
    """

    command: tuple[str, ...]
    lock: int
    process: ForkProcess | None = None
    failures: int = 0
    start_at: float = 0.0
    started_at: float = field(default=0.0)

    @property
    def name(self) -> str:
        return self.command[0]

    def start(self) -> None:
        self.process = fork(self.name, partial(main, self.command), closing=[self.lock])
        self.started_at = time.monotonic()

    def look(self) -> None:
        """Notices an end, and starts it again when its pause is over."""
        if self.process is not None and (code := self.process.exitcode) is not None:
            long_lived = time.monotonic() - self.started_at > 60
            self.failures = 1 if long_lived else self.failures + 1
            pause = min(0.5 * 2 ** (self.failures - 1), LONGEST_BACKOFF_SECONDS)
            tell(f"The {self.name} ended ({code}). Starting it again in {pause:g} s.")
            self.process, self.start_at = None, time.monotonic() + pause
        if self.process is None and time.monotonic() >= self.start_at:
            self.start()

    def send(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.exitcode is None and self.process.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)


def run(*, demo: bool) -> int:
    """Starts everything, prints where it is, and waits for SIGINT or SIGTERM. Raises Stop before anything runs."""
    if demo:
        _demo_environment()
    settings = env()
    with _only_one(settings.data) as lock:
        require_free_port(settings.host, settings.port)
        if demo:
            for port in range(settings.sandbox_port, settings.sandbox_port + 1 + len(slugs())):
                require_free_port("127.0.0.1", port, variable="REGIE_SANDBOX_PORT")
        with _stop_signals() as asked, database_up() as running:
            return _run(asked, running, lock, demo=demo)


def _run(asked: list[int], running: embedded.Running | None, lock: int, *, demo: bool) -> int:
    began = time.monotonic()
    tell("Preparing ...")
    if not _prepare(asked, lock):
        return 0
    roles = list(_roles(lock, demo=demo))
    try:
        if demo and not _once("demo-data", asked, lock):  # plays on the sandbox's ports: the sandbox starts after it
            return 0
        for role in roles:
            if role.process is None:
                role.start()
        if _wait_until_ready(asked, roles):
            _welcome(demo=demo, seconds=time.monotonic() - began)
        while not asked:
            for role in roles:
                role.look()
            running = _database_again(running)
            time.sleep(PAUSE_SECONDS)
    finally:
        _stop(roles)
    return 0


def _prepare(asked: list[int], lock: int) -> bool:
    """Brings the installation up to date, and loads everything; False when somebody asked us to stop meanwhile.

    In this order only when there is something to make that the settings look at: the first start, and an upgrade.
    """
    if up_to_date := static_files_are_ready():
        load()
    if not _once("setup", asked, lock):
        return False
    if not up_to_date:
        load()
    return True


def _roles(lock: int, *, demo: bool) -> Iterator[Role]:
    if demo:
        data = str(env().data / "sandbox")
        yield Role(("sandbox", "--port", str(env().sandbox_port), "--data", data, "--live", "--quiet"), lock)
    for name in ("web", "publisher", "worker"):
        yield Role((name,), lock)


def _demo_environment() -> None:
    """What makes an installation a demo: data of its own, and leave to call the sandbox networks on this machine."""
    os.environ.setdefault("REGIE_DATA", str(Path.home() / ".local" / "share" / "regie-demo"))
    os.environ["REGIE_DEMO"] = "1"
    sandbox = env().sandbox_port
    addresses = [f"127.0.0.1:{sandbox + nth}" for nth in range(1, len(slugs()) + 1)]
    addresses += [address.replace("127.0.0.1", "localhost") for address in addresses]
    os.environ["REGIE_ALLOWED_HOSTS_OUT"] = ",".join([env().allowed_hosts_out, *addresses])
    for nth, slug in enumerate(slugs(), start=1):
        os.environ.setdefault(f"REGIE_NETWORKS__{slug.upper()}__API_URL", f"http://127.0.0.1:{sandbox + nth}")
    for name in ("PLC_URL", "VIDEO_URL"):
        os.environ.setdefault(f"REGIE_NETWORKS__BLUESKY__{name}", os.environ["REGIE_NETWORKS__BLUESKY__API_URL"])
    env.cache_clear()


@contextmanager
def _only_one(data: Path) -> Iterator[int]:
    """Two supervisors on one data folder would fight over it. Yields the open file that holds the lock."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (data / "supervisor.lock").open("w")
    except OSError as exc:
        raise Stop(f"{data} cannot be written ({exc.strerror}). Choose another folder with REGIE_DATA.") from exc
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise Stop(
                f"Régie already runs with the data in {data}. Stop it first, or set REGIE_DATA and REGIE_PORT."
            ) from exc
        yield file.fileno()


@contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """A list that fills when somebody asks us to stop; a second request does not wait for anything."""
    asked: list[int] = []

    def note(number: int, _: object) -> None:
        asked.append(number)
        if len(asked) > 1:
            raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # HUP: the terminal was closed
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _once(command: str, asked: list[int], lock: int) -> bool:
    """A command of ours that must succeed before anything else starts; it says itself what is wrong.

    Returns False when somebody asked us to stop meanwhile.
    """
    role = Role((command,), lock)
    role.start()
    assert role.process is not None  # started just now
    while role.process.exitcode is None:
        if asked:
            _stop([role])
            return False
        time.sleep(0.02)
    if role.process.exitcode:
        raise Stop(f"`regie {command}` did not succeed ({role.process.exitcode}); see above.")
    return True


def _wait_until_ready(asked: list[int], roles: list[Role]) -> bool:
    address = f"http://{_loopback(env().host)}:{env().port}/healthz"
    while not asked:
        for role in roles:
            role.look()
        if _answers(address):
            return True
        time.sleep(0.1)
    return False


def _loopback(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as reply:  # noqa: S310
            return bool(reply.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _database_again(running: embedded.Running | None) -> embedded.Running | None:
    """Brings the embedded server back when somebody killed it; the roles reconnect by themselves."""
    if running is None or running.alive():
        return running
    tell("The database is gone. Starting it again ...")
    try:
        fresh = embedded.ensure(env().data, progress=tell)
    except embedded.EmbeddedError as exc:
        tell(str(exc))
        time.sleep(1)
        return running
    running.close()
    return fresh


def _welcome(*, demo: bool, seconds: float) -> None:
    if not is_loopback(env().host) and not env().url:
        tell(
            f"REGIE_HOST={env().host} lets other machines in, and they are refused until REGIE_URL says under which "
            f"address they come: REGIE_URL=http://<name or address of this machine>:{env().port}"
        )
    lines = ["", f"  Régie is ready: {env().public_url}", f"  Data: {env().data}"]
    if demo:
        lines.append("  Sign in: demo@example.org / demo")
    lines += [f"  Ready in {seconds:.1f} s. Ctrl-C stops everything.", ""]
    tell("\n".join(lines))


def _stop(roles: list[Role]) -> None:
    """Asks all to stop, waits, and insists. The sandbox goes last, so that what is being sent still gets its answer."""
    try:
        for last in (False, True):
            _end([role for role in roles if (role.name == "sandbox") is last])
    except KeyboardInterrupt:  # asked again: do not wait for anything
        for role in roles:
            role.send(signal.SIGKILL)


def _end(roles: list[Role]) -> None:
    for role in roles:
        role.send(signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    for role in roles:
        if role.process is None:
            continue
        role.process.join(max(0.0, deadline - time.monotonic()))
        if role.process.exitcode is None:
            tell(f"The {role.name} does not stop by itself; ending it.")
            role.process.kill()
            role.process.join()
