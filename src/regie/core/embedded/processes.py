"""Finding and stopping what is left of an earlier PostgreSQL, without ever trusting a process id.

A process id in a file may belong to anybody by now. A process is ours when it holds our lock file open, which the
kernel tells in ``/proc/<pid>/fd``, or when it is a ``postgres`` that works in our cluster's folder. The signal then
goes through a pidfd that was opened before the check, so it cannot reach a newcomer with the same number.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from .errors import EmbeddedError
from .places import Places

_PATIENCE = ((0.0, signal.SIGINT), (20.0, signal.SIGQUIT), (30.0, signal.SIGKILL))  # seconds waited, what to send then


def lock(fd: int, *, shared: bool = False) -> bool:
    """Try to take a lock; False when somebody else has it."""
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def has_open(pid: int, path: Path) -> bool:
    """Whether a process holds this very file open. False for processes that we may not look into."""
    target = path.stat()
    with suppress(OSError), os.scandir(f"/proc/{pid}/fd") as entries:
        for entry in entries:
            with suppress(OSError):
                found = entry.stat()
                if (found.st_dev, found.st_ino) == (target.st_dev, target.st_ino):
                    return True
    return False


def works_in(pid: int, cluster: Path) -> bool:
    """Whether a process is a PostgreSQL whose current folder is this cluster."""
    with suppress(OSError):
        program = Path(f"/proc/{pid}/exe").readlink().name.removesuffix(" (deleted)")
        return program == "postgres" and Path(f"/proc/{pid}/cwd").samefile(cluster)
    return False


def began_with(pid: int, cluster: Path) -> bool:
    """Whether a process is the one that wrote ``postmaster.pid``: its name, its owner and the second it began.

    For a root without CAP_SYS_PTRACE (Docker's default), who may not look into the folders of another user's process.
    """
    with suppress(OSError, ValueError, IndexError):
        noted = (cluster / "postmaster.pid").read_text().splitlines()
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
        ticks = int(rest.split()[19])  # starttime, field 22 of proc(5): clock ticks since boot
        began_at = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")
        owned = Path(f"/proc/{pid}").stat().st_uid == cluster.stat().st_uid
        return name.endswith("(postgres") and owned and int(noted[0]) == pid and abs(began_at - int(noted[2])) < 3
    return False


def pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit() and int(path.name) != os.getpid()]


def parent_of(pid: int) -> int:
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def send(pid: int, what: signal.Signals, is_ours: Callable[[int], bool]) -> None:
    """Signal a process that passes ``is_ours`` after its number was pinned."""
    with suppress(ProcessLookupError, PermissionError):
        pinned = os.pidfd_open(pid)
        try:
            if is_ours(pid):
                signal.pidfd_send_signal(pinned, what)
        finally:
            os.close(pinned)


def _leftovers(places: Places) -> tuple[list[int], Callable[[int], bool]]:
    clusters = [path.parent for path in places.home.glob("*/PG_VERSION")]

    def is_ours(pid: int) -> bool:
        return has_open(pid, places.cluster) or any(works_in(pid, dir_) or began_with(pid, dir_) for dir_ in clusters)

    return [pid for pid in pids() if is_ours(pid)], is_ours


def _stop_leftovers(places: Places, fd: int, tell: Callable[[str], None]) -> bool:
    """Stop every process that still works on our cluster. True once the lock is ours and nothing is left."""
    began, steps = time.monotonic(), list(_PATIENCE)
    while True:
        found, is_ours = _leftovers(places)
        if lock(fd) and not found:
            return True
        waited = time.monotonic() - began
        if steps and waited >= steps[0][0]:
            _, what = steps.pop(0)
            for pid in found:
                # The first among them ends its children itself, and cleanly; later everybody is told.
                if what != signal.SIGINT or parent_of(pid) not in found:
                    send(pid, what, is_ours)
        if not steps and waited > 40.0:
            return False
        tell("Waiting for the database server of an earlier start to stop.")
        time.sleep(0.05)


@contextmanager
def alone(places: Places, tell: Callable[[str], None]) -> Iterator[int]:
    """Hold the cluster with no process of PostgreSQL left on it; yields the lock's file, for its processes to inherit.

    Leaving the block closes our copy: from then on the lock lives as long as the last process that inherited it.
    Raises EmbeddedError when a process cannot be stopped.
    """
    fd = places.open(places.cluster)
    try:
        if not _stop_leftovers(places, fd, tell):
            raise EmbeddedError(
                f"Another PostgreSQL works on {places.home} and does not stop. Stop it, then start again.",
                kind="in_use",
            )
        for major in places.majors():
            # Nobody works here any more, so whatever process id this file names is not PostgreSQL's.
            (places.cluster_of(major) / "postmaster.pid").unlink(missing_ok=True)
        yield fd
    finally:
        os.close(fd)


def is_held(path: Path) -> bool:
    """Whether somebody holds this lock file exclusively. Changes nothing."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return False
    with closing(file):
        if not lock(file.fileno(), shared=True):
            return True
        fcntl.flock(file.fileno(), fcntl.LOCK_UN)
        return False
