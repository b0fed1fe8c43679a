"""Child processes that cannot outlive the tests, and a folder for them that root and others can share."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WORKDIR_PREFIX = "regie-real-"


class ServerFailed(Exception):
    """A server did not start; the text ends with the last lines it wrote."""


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


@contextlib.contextmanager
def workdir() -> Iterator[Path]:
    """An empty folder that is gone afterwards; those of sessions that were killed are swept away too.

    Servers that refuse to be root run as nobody and must be able to walk through it.
    """
    for old in Path(tempfile.gettempdir()).glob(f"{WORKDIR_PREFIX}*-*"):
        pid = old.name.removeprefix(WORKDIR_PREFIX).partition("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(old, ignore_errors=True)
    home = Path(tempfile.mkdtemp(prefix=f"{WORKDIR_PREFIX}{os.getpid()}-"))
    home.chmod(0o711)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def give_to_nobody(path: Path) -> Path:
    """Make a folder that the programs run ``as_nobody`` own."""
    path.mkdir(parents=True)
    if os.geteuid() == 0:
        shutil.chown(path, "nobody", "nogroup")
    return path


def reachable_by_nobody(tree: Path, into: Path) -> Path:
    """``tree``, or a copy of it in ``into`` when root keeps it in a folder that others may not enter."""
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in (tree, *tree.parents)):
        return tree
    copy = into / tree.name
    if not copy.exists():
        shutil.copytree(tree, copy, symlinks=True)
    return copy


def tied_to_us(command: Sequence[str], *, as_nobody: bool = False, on_our_death: str = "KILL") -> list[str]:
    """``command`` so that the kernel sends it a signal when we die, however we die.

    The signal comes for a death after the kernel was told of it, which takes the child some milliseconds: one whose
    parent is no longer us by then ends by itself. As root, ``as_nobody`` drops to that user first, for programs that
    refuse to be root.
    """
    identity = ["--reuid=nobody", "--regid=nogroup", "--clear-groups"] if as_nobody and os.geteuid() == 0 else []
    unless_orphaned = ["sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"', str(os.getpid())]
    return ["setpriv", f"--pdeathsig={on_our_death}", *identity, "--", *unless_orphaned, *command]


@dataclass
class Child:
    """One server process. What it writes goes to ``log``."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals = signal.SIGKILL

    @classmethod
    def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        home: Path,
        env: Mapping[str, str] | None = None,
        as_nobody: bool = False,
        stop_signal: signal.Signals = signal.SIGKILL,
        on_our_death: str = "KILL",
    ) -> "Child":
        """Start it in a session of its own, so that a Ctrl-C in the terminal reaches the tests first.

        It is killed at the end by default: nothing of it is kept, and some take seconds to say goodbye.
        """
        log = home / f"{name}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                tied_to_us(command, as_nobody=as_nobody, on_our_death=on_our_death),
                cwd=home,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(name, process, log, stop_signal)

    def wait_until(self, ready: Callable[[], bool], *, seconds: float = 60) -> None:
        """Return when ``ready`` says so. Raises ServerFailed when the process ends or time is up."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None:
                raise ServerFailed(f"{self.name} ended with {self.process.returncode}:\n{self.last_lines()}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.name} was not ready after {seconds} s:\n{self.last_lines()}")
            time.sleep(0.05)

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def last_lines(self) -> str:
        return "\n".join(self.said().splitlines()[-20:])

    def pause(self) -> None:
        """Freeze it: connections are accepted by the kernel and nothing answers."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Ask it to stop, and after five seconds make it, with all it started."""
        if self.process.poll() is None:
            self.resume()
            self.process.send_signal(self.stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def running(child: Child) -> Iterator[Child]:
    """``child``, stopped afterwards."""
    try:
        yield child
    finally:
        child.stop()
