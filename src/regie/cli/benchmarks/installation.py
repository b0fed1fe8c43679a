"""A throw-away installation: ``regie up`` or ``regie demo`` in a folder of its own, watched as a person would."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from regie_sandbox.registry import slugs

PATIENCE_SECONDS = 300.0  # the first start of a demo, on a busy machine


def free_port(*, in_a_row: int = 1) -> int:
    """The first of that many that were free a moment ago."""
    while True:
        with contextlib.ExitStack() as probes:
            try:
                first = 0
                for nth in range(in_a_row):
                    probe = probes.enter_context(socket.socket())
                    probe.bind(("127.0.0.1", first + nth if nth else 0))
                    first = first or int(probe.getsockname()[1])
            except (OSError, OverflowError):
                continue
            return first


class Installation:
    """``folder`` holds ``data`` and ``log``. ``more`` is added to the environment of every command."""

    def __init__(self, folder: Path, *, demo: bool = False, **more: str) -> None:
        self.folder, self.data, self.log = folder, folder / "data", folder / "log"
        self.what = "demo" if demo else "up"
        self.port = free_port()
        self.more = {"REGIE_SANDBOX_PORT": str(free_port(in_a_row=1 + len(slugs())))} | more if demo else more
        self.python = sys.executable
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def environment(self) -> dict[str, str]:
        ours = {"REGIE_DATA": str(self.data), "REGIE_PORT": str(self.port), "PYTHONUNBUFFERED": "1"}
        unwanted = ("REGIE_", "DATABASE_URL", "DJANGO_", "PYTEST_", "COV_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
        return kept | ours | self.more

    def command(self, *arguments: str) -> list[str]:
        return [self.python, "-m", "regie.cli", *arguments]

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """One command of ours, to its end."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment() | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def begin(self) -> None:
        """Starts ``regie up``, or ``regie demo``, and returns at once."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(self.what),
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start(self) -> float:
        """Starts it, and waits until its first page can be used. Returns the seconds that took."""
        began = time.monotonic()
        self.begin()
        self.wait_for_page()
        return time.monotonic() - began

    def wait_for_page(self, path: str = "/") -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if self.process is not None and self.process.poll() is not None:
                raise RuntimeError(f"`regie {self.what}` ended ({self.process.returncode}):\n{self.log.read_text()}")
            with contextlib.suppress(OSError), self.open(path) as answer:
                answer.read()
                return
            time.sleep(0.05)
        raise RuntimeError(f"No page within {PATIENCE_SECONDS:g} s:\n{self.log.read_text()}")

    def open(self, path: str = "/", **headers: str) -> Any:
        """An answer of the web server, redirects followed. Raises OSError (HTTPError for 400 and above)."""
        asking = urllib.request.Request(f"{self.url}{path}", headers=headers)  # noqa: S310 - http by construction
        return urllib.request.urlopen(asking, timeout=10)  # noqa: S310

    def stop(self, number: signal.Signals = signal.SIGINT) -> tuple[int, float]:
        """Asks it to stop. Returns its exit code and the seconds that took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE_SECONDS)
        self.process = None
        return code, time.monotonic() - began

    def processes(self) -> dict[int, str]:
        """Every process that works with this data folder, PostgreSQL included: pid to command line."""
        marks = (f"REGIE_DATA={self.data}".encode() + b"\0", str(self.data).encode())
        found = {}
        for path in Path("/proc").iterdir():
            if path.name.isdigit() and int(path.name) != os.getpid():
                with contextlib.suppress(OSError):
                    line = (path / "cmdline").read_bytes()
                    if (line and marks[0] in (path / "environ").read_bytes()) or marks[1] in line:
                        found[int(path.name)] = line.replace(b"\0", b" ").decode(errors="replace").strip()
        parents = {pid: parent_of(pid) for pid in _pids()}
        while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
            for pid in more:
                with contextlib.suppress(OSError):
                    line = Path(f"/proc/{pid}/cmdline").read_bytes()
                    found[pid] = line.replace(b"\0", b" ").decode(errors="replace").strip()
                parents.pop(pid)
        return found

    def pids(self, part: str) -> list[int]:
        """The processes whose command line holds ``part``, oldest first."""
        return sorted(pid for pid, line in self.processes().items() if part in line)

    def pss(self) -> float:
        """Megabytes of memory, what is shared counted once (proportional set size), over all processes."""
        return sum(_pss_of(pid) for pid in self.processes()) / 1024


def parent_of(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _pss_of(pid: int) -> int:
    """Kilobytes; 0 for a process that is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


@contextlib.contextmanager
def installation(*, demo: bool = False) -> Iterator[Installation]:
    """In a temporary folder; stopped and removed at the end."""
    with tempfile.TemporaryDirectory(prefix="regie-bench-") as folder:
        made = Installation(Path(folder), demo=demo)
        try:
            yield made
        finally:
            if made.process is not None:
                made.stop()
            wait_until_gone(made)


def eventually(true: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> bool:
    """Whether it becomes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.1)
    return False


def wait_until_gone(made: Installation, seconds: float = 10.0) -> dict[int, str]:
    """Waits for the database to follow its last user. Returns what is left."""
    deadline = time.monotonic() + seconds
    while (left := made.processes()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left
