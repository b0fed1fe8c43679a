"""A cluster of PostgreSQL: made, started, stopped, upgraded. Runs in the keeper only."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .errors import EmbeddedError, explain
from .identity import Identity
from .places import NAME, SOCKET_LIMIT, Places, binaries, is_private

PORT = "5432"  # only a part of the socket's name: nothing listens on the network
_LOG_LIMIT = 5 * 1024 * 1024  # bytes; one older log of this size is kept beside it
_STOP_SECONDS = 60.0

# For a machine that does other things too. Anything durable is on; statements and values stay out of the log.
_SETTINGS: dict[str, str] = {
    "listen_addresses": "",
    "port": PORT,
    "unix_socket_permissions": "0777",  # the folder around it is closed, and scram asks for the password
    "max_connections": "60",
    "shared_buffers": "64MB",
    "effective_cache_size": "256MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "max_logical_replication_workers": "0",
    "random_page_cost": "1.1",
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "min_wal_size": "32MB",
    "max_wal_size": "512MB",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
_SETTINGS_18 = {"io_method": "sync"}  # three processes fewer


class Tools:
    """The programs of one major version, run as the identity that owns the cluster.

    ``inherited`` is the cluster's lock, which every process started here carries for as long as it lives.
    """

    def __init__(self, places: Places, major: int, root: Path, identity: Identity, inherited: int) -> None:
        self.places, self.major, self.root = places, major, root
        self.identity, self.inherited = identity, inherited
        self.bin = binaries(major, root)
        self.data = places.cluster_of(major)

    def start(
        self, name: str, *args: str | Path, by: Identity | None = None, cwd: Path | str = "/", **env: str
    ) -> subprocess.Popen[bytes]:
        """Start a program with its words going to the log, dying with the keeper."""
        log = self.places.open(self.places.log, os.O_WRONLY | os.O_APPEND)
        try:
            return subprocess.Popen(
                [self.bin / name, *args],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=cwd,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", **env},
                pass_fds=(self.inherited,),
                preexec_fn=(by or self.identity).becoming(),
            )
        except subprocess.SubprocessError as exc:
            raise EmbeddedError(
                f"PostgreSQL cannot be started as {by or self.identity}. If this user id has no name, add a line for "
                "it to /etc/passwd; or set DATABASE_URL to a server of yours.",
                kind="root",
            ) from exc
        finally:
            os.close(log)

    def run(self, doing: str, name: str, *args: str | Path, cwd: Path | str = "/", **env: str) -> None:
        """Run a program that insists on a user with a name. Raises EmbeddedError with what it wrote."""
        since = log_size(self.places)
        if self.start(name, *args, by=self.identity.named(), cwd=cwd, **env).wait() != 0:
            raise explain(doing, self.places.tail(since), folder=str(self.places.home))

    def folder(self, path: Path) -> Path:
        """Make an empty folder for ``run``, replacing what a broken attempt left."""
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(mode=0o700)
        self.identity.named().borrow(path)
        return path


def log_size(places: Places) -> int:
    try:
        return places.log.stat().st_size
    except FileNotFoundError:
        return 0


def trim_log(places: Places) -> None:
    """Keep the log from growing without end. The server appends to the open file, so it is emptied, not renamed."""
    if log_size(places) > _LOG_LIMIT:
        older = places.log.with_suffix(".log.1")
        shutil.copyfile(places.log, older)
        older.chmod(0o600)
        os.truncate(places.log, 0)


def initialise(tools: Tools, target: Path, *, checksums: bool = True) -> None:
    """Make a cluster in ``target``: UTF-8, the password already set, scram over the socket and nothing else."""
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]  # the same on every system
    if tools.major < 17:
        locale = ["--locale=C.UTF-8"]
    tools.folder(target)
    handover = tools.places.home / "password.init"
    tools.places.write(handover, tools.places.read_password())
    tools.identity.named().borrow(handover)
    try:
        tools.run(
            "making a new database",
            "initdb",
            f"--pgdata={target}",
            f"--username={NAME}",
            f"--pwfile={handover}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-instructions",
            *_checksums(tools.major, on=checksums),
            *locale,
        )
    finally:
        handover.unlink()
    tools.identity.own(target)
    write_rules(target, tools.identity)


def _checksums(major: int, *, on: bool) -> list[str]:
    if on:
        return ["--data-checksums"]
    return ["--no-data-checksums"] if major >= 18 else []  # off unless asked for, before 18


def write_rules(target: Path, identity: Identity) -> None:
    """Who may connect: everybody with the password, through the socket."""
    rules = target / "pg_hba.conf"
    rules.write_text("local all all scram-sha-256\n")
    os.chown(rules, identity.uid, identity.gid)


def create(tools: Tools) -> None:
    """A first cluster, which appears under its name only when it is whole."""
    fresh = tools.data.with_name(f"{tools.major}.new")
    initialise(tools, fresh)
    move(fresh, tools.data)


def move(source: Path, target: Path) -> None:
    """Rename, and make sure that the new name survives a power cut."""
    source.rename(target)
    fd = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def socket_folder(places: Places, identity: Identity) -> Path:
    """A private folder for the socket, in the data folder when its path is short enough, else in a shared place.

    The caller is ``alone``. The folder noted by an earlier start is used again if it is still ours, so that the
    address stays the same.
    """
    noted = Path(str(places.read_state().get("socket", "/nowhere")))
    chosen = places.home / "run"
    if len(os.fsencode(chosen)) > SOCKET_LIMIT:
        owners = {os.geteuid(), identity.uid}
        chosen = noted if is_private(noted, owners) and noted.name.startswith("regie-") else _short_folder()
    chosen.mkdir(mode=0o700, exist_ok=True)
    for stale in chosen.glob(".s.PGSQL.*"):
        stale.unlink()  # the caller knows that nobody listens; the process id inside may be anybody's by now
    if os.geteuid() == 0:
        # The server owns the folder, our group may walk in: root may be without the right to ignore permissions.
        os.chown(chosen, identity.uid, os.getegid())
        chosen.chmod(0o710)
    return chosen


def _short_folder() -> Path:
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108 - mkdtemp makes a private folder there
        with suppress(OSError):
            made = Path(tempfile.mkdtemp(prefix="regie-", dir=parent))
            if len(os.fsencode(made)) <= SOCKET_LIMIT:
                return made
            made.rmdir()
    raise EmbeddedError(
        "The path of the data folder is too long for a socket, and no temporary folder can be written. "
        "Choose a shorter REGIE_DATA.",
        kind="permission",
    )


class Server:
    """A running postmaster, child of this process."""

    def __init__(self, tools: Tools, socket: Path) -> None:
        settings = _SETTINGS | (_SETTINGS_18 if tools.major >= 18 else {}) | {"unix_socket_directories": str(socket)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        trim_log(tools.places)
        self.tools, self.since = tools, log_size(tools.places)
        write_rules(tools.data, tools.identity)
        self.process = tools.start("postgres", "-D", tools.data, *options)

    @property
    def pid(self) -> int:
        return self.process.pid

    def status(self) -> str:
        """What the postmaster says of itself: "starting", "ready", "stopping", or "" before its first word."""
        with suppress(OSError, IndexError, ValueError):
            said = (self.tools.data / "postmaster.pid").read_text().splitlines()
            return said[7].strip() if int(said[0]) == self.pid else ""
        return ""

    def wait_ready(self, tell: Callable[[str], None]) -> None:
        """Wait for as long as the server lives and works at it: a recovery may take minutes.

        ``tell`` may raise when nobody wants the server any more; it is then stopped.
        Raises EmbeddedError with its last lines when it gives up.
        """
        try:
            self._wait_ready(tell)
        except BaseException:
            self.stop()
            raise

    def _wait_ready(self, tell: Callable[[str], None]) -> None:
        began = time.monotonic()
        while self.status() != "ready":
            if self.process.poll() is not None:
                raise explain("starting", self.tools.places.tail(self.since), folder=str(self.tools.data))
            waited = time.monotonic() - began
            if waited > 3:
                tell(f"The database is getting ready after a sudden stop ({waited:.0f} s). It has lost nothing.")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop as a careful person would: sessions ended, everything written. After a minute, as in a power cut."""
        for what, seconds in ((signal.SIGINT, _STOP_SECONDS), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
            if self.process.poll() is not None:
                return
            self.process.send_signal(what)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)


def has_checksums(tools: Tools) -> bool:
    """Whether a cluster checks its pages; both sides of an upgrade must agree."""
    said = subprocess.run(
        [tools.bin / "pg_controldata", "-D", tools.data],
        check=True,
        capture_output=True,
        text=True,
        env={"LC_ALL": "C"},
        pass_fds=(tools.inherited,),
        preexec_fn=tools.identity.becoming(),
    ).stdout
    found = re.search(r"checksum version:\s+(\d+)", said)
    return found is not None and found[1] != "0"


def upgrade(old: Tools, new: Tools, socket: Path, tell: Callable[[str], None]) -> None:
    """Bring a cluster to a newer major version, by copying: until the new one is whole, the old one is untouched.

    The new cluster grows as ``18.new`` and gets its name at the very end; the old one is then kept as ``16.old``
    until the next start that succeeds. Broken off anywhere before, the next start begins again from the old one.
    """
    tell(
        f"Upgrading the database from PostgreSQL {old.major} to {new.major}. The old one stays as it is until the end."
    )
    _must_have_room(old)
    server = Server(old, socket)  # pg_upgrade wants a cluster that was stopped cleanly, also after a power cut
    server.wait_ready(tell)
    server.stop()
    fresh = new.data.with_name(f"{new.major}.new")
    initialise(new, fresh, checksums=has_checksums(old))
    work = new.folder(new.places.home / "upgrade")
    for lent in (old.data, fresh, socket):
        new.identity.named().borrow(lent)
    try:
        new.run(
            "upgrading the database",
            "pg_upgrade",
            *("--old-bindir", old.bin, "--new-bindir", new.bin),
            *("--old-datadir", old.data, "--new-datadir", fresh),
            *("--old-port", PORT, "--new-port", PORT),
            *("--username", NAME, "--socketdir", socket, "--copy"),
            cwd=work,
            PGPASSWORD=new.places.read_password(),
        )
    except EmbeddedError as exc:
        raise EmbeddedError(
            f"The database could not be upgraded to PostgreSQL {new.major}. The old one is unharmed: the Régie you had "
            f"before still works with it. {exc.said}",
            kind=exc.kind if exc.kind != "failed" else "upgrade",
            log=exc.log,
        ) from exc
    finally:
        for lent in (old.data, fresh, socket):
            new.identity.own(lent)
        shutil.rmtree(work, ignore_errors=True)
    move(fresh, new.data)
    set_aside(old)


def set_aside(old: Tools) -> None:
    """Keep an upgraded cluster out of the way, until the new one has proved itself."""
    aside = old.data.with_name(f"{old.major}.old")
    shutil.rmtree(aside, ignore_errors=True)
    move(old.data, aside)


def drop_old(places: Places) -> None:
    """Remove clusters set aside by an earlier start."""
    for aside in places.home.glob("*.old"):
        shutil.rmtree(aside, ignore_errors=True)


def _must_have_room(old: Tools) -> None:
    size = sum(found.lstat().st_size for found in old.data.rglob("*"))
    free = shutil.disk_usage(old.places.home).free
    if free < size * 1.2:
        raise EmbeddedError(
            f"The upgrade needs {size * 1.2 / 1e6:.0f} MB of free space on the disk that holds {old.places.home}, and "
            f"there are {free / 1e6:.0f} MB. Free some space, then start again: the old database is unharmed.",
            kind="disk_full",
        )
