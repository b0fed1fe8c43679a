"""The embedded PostgreSQL, with the real programs: shared, left, killed at bad moments, upgraded."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from regie.core.embedded import EmbeddedError, ServerTooOld, check_server, ensure
from regie.core.embedded.cluster import trim_log
from regie.core.embedded.identity import Identity
from regie.core.embedded.places import Places
from regie.core.embedded.processes import has_open, pids

ROOT = os.geteuid() == 0
USER = """
import json, sys, time
from pathlib import Path
from regie.core.embedded import EmbeddedError, ensure
heard = []
began = time.monotonic()
try:
    running = ensure(Path(sys.argv[1]), major=int(sys.argv[2]), progress=heard.append)
except EmbeddedError as exc:
    print(json.dumps({"kind": exc.kind, "said": exc.said, "log": exc.log}), flush=True)
    sys.exit(1)
took = time.monotonic() - began
print(json.dumps({"url": running.url, "socket": running.socket, "heard": heard, "took": took}), flush=True)
sys.stdin.read()
running.close()
"""


class User:
    """Another process of the product."""

    def __init__(
        self, data: Path, *, major: int = 18, by: Identity | None = None, before: tuple[str, ...] = ()
    ) -> None:
        self.process = subprocess.Popen(
            [*before, sys.executable, "-c", USER, str(data), str(major)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            preexec_fn=by.becoming() if by else None,
        )

    def says(self) -> dict[str, str]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the process ended without a word"
        answer: dict[str, str] = json.loads(line)
        return answer

    def url(self) -> str:
        said = self.says()
        assert "url" in said, said
        return said["url"]

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def leave(self) -> None:
        self.process.communicate("")


def wait_until(happened: Callable[[], bool], seconds: float = 15.0) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.02)


def holders(path: Path) -> list[int]:
    return [pid for pid in pids() if has_open(pid, path)]


def servers(data: Path) -> list[int]:
    """The processes of PostgreSQL on this cluster."""
    return holders(Places(data).cluster)


def keeper(data: Path) -> int:
    (pid,) = holders(Places(data).keeper)
    return pid


def postmaster(data: Path, major: int = 18) -> int:
    """The process id that the server wrote down, or 0 while there is none."""
    with suppress(FileNotFoundError, IndexError):
        return int((Places(data).cluster_of(major) / "postmaster.pid").read_text().split()[0])
    return 0


def is_left(data: Path) -> bool:
    return not servers(data) and not holders(Places(data).keeper)


def write(url: str, note: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS notes (note text)")
        connection.execute("INSERT INTO notes VALUES (%s)", [note])


def notes(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT note FROM notes ORDER BY note")]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a stopped cluster of PostgreSQL 18 that holds one note."""
    data = tmp_path_factory.mktemp("template") / "data"
    with ensure(data) as running:
        write(running.url, "old")
    wait_until(lambda: is_left(data))
    return data


@pytest.fixture
def data(template: Path, tmp_path: Path) -> Iterator[Path]:
    """A fresh copy of the template; whoever still uses it at the end of the test is stopped."""
    copy = tmp_path / "data"
    subprocess.run(["cp", "-a", template, copy], check=True)
    yield copy
    wait_until(lambda: is_left(copy))


@pytest.fixture
def users() -> Iterator[Callable[..., User]]:
    started: list[User] = []

    def start(data: Path, **how: object) -> User:
        started.append(User(data, **how))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for user in started:
        user.kill()


def test_two_processes_share_one_server_and_the_last_one_stops_it(data: Path, users: Callable[..., User]) -> None:
    one, two = users(data), users(data)
    assert one.url() == two.url()
    first = postmaster(data)

    one.leave()
    time.sleep(2)
    assert first in servers(data)

    two.leave()
    wait_until(lambda: is_left(data))
    assert Places(data).read_state()["phase"] == "stopped"


def test_ten_processes_that_start_at_once_get_one_server(data: Path, users: Callable[..., User]) -> None:
    everybody = [users(data) for _ in range(10)]
    assert len({user.url() for user in everybody}) == 1
    assert len(holders(Places(data).keeper)) == 1


def test_a_user_that_is_killed_counts_as_gone(data: Path, users: Callable[..., User]) -> None:
    user = users(data)
    user.url()
    user.kill()
    wait_until(lambda: is_left(data))


def test_a_product_that_restarts_at_once_finds_the_same_server(data: Path) -> None:
    ensure(data).close()
    first = postmaster(data)
    with ensure(data):
        assert postmaster(data) == first


def test_the_end_of_the_keeper_ends_the_server_and_ensure_brings_it_back(data: Path) -> None:
    with ensure(data) as running:
        write(running.url, "committed")
        os.kill(keeper(data), signal.SIGKILL)
        wait_until(lambda: not running.alive())
        wait_until(lambda: not servers(data))

        with ensure(data) as again:
            assert again.url == running.url
            assert running.alive()
            assert notes(again.url) == ["committed", "old"]


def test_a_postmaster_that_is_killed_comes_back_by_itself(data: Path) -> None:
    with ensure(data) as running:
        write(running.url, "committed")
        first = postmaster(data)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: first not in servers(data) and running.alive() and postmaster(data) not in (0, first))
        assert notes(running.url) == ["committed", "old"]


def test_what_was_committed_outlives_everybody_killed_at_once(data: Path, users: Callable[..., User]) -> None:
    user = users(data)
    write(user.url(), "committed")
    everybody = [user.process.pid, keeper(data), *servers(data)]
    for pid in everybody:
        os.kill(pid, signal.SIGKILL)
    user.kill()

    with ensure(data) as running:
        assert notes(running.url) == ["committed", "old"]


def test_a_pid_that_belongs_to_somebody_else_by_now_is_neither_believed_nor_harmed(data: Path) -> None:
    owner = Places(data).cluster_of(18).stat().st_uid
    bystander = subprocess.Popen(["sleep", "60"], user=owner)
    try:
        pid_file = Places(data).cluster_of(18) / "postmaster.pid"
        pid_file.write_text(f"{bystander.pid}\n{Places(data).cluster_of(18)}\n{int(time.time())}\n5432\n/nowhere\n\n\n")
        with ensure(data) as running:
            assert notes(running.url) == ["old"]
        wait_until(lambda: is_left(data))
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_server_that_somebody_started_by_hand_is_stopped_cleanly_first(data: Path) -> None:
    """It holds none of our locks: its folder and its program tell."""
    from regie.core.embedded import binaries

    cluster = Places(data).cluster_of(18)
    owner = cluster.stat().st_uid
    by_hand = subprocess.Popen(
        [
            binaries(18) / "postgres",
            "-D",
            cluster,
            "-c",
            "listen_addresses=",
            "-c",
            f"unix_socket_directories=@regie-{os.getpid()}",
        ],
        stderr=subprocess.DEVNULL,
        cwd="/",
        preexec_fn=Identity(owner, owner, capability=2 if ROOT else None).becoming(),
    )
    try:
        wait_until(lambda: "ready" in "".join(path.read_text() for path in cluster.glob("postmaster.pid")))
        with ensure(data) as running:
            assert notes(running.url) == ["old"]
            assert by_hand.wait(5) == 0
    finally:
        by_hand.kill()
        by_hand.wait()


def test_a_slow_start_is_waited_for_and_told(data: Path, users: Callable[..., User]) -> None:
    cluster = Places(data).cluster_of(18)
    slow = cluster / "slow.conf"
    os.mkfifo(slow)
    os.chown(slow, cluster.stat().st_uid, cluster.stat().st_gid)
    with (cluster / "postgresql.conf").open("a") as settings:
        settings.write("include = 'slow.conf'\n")  # the server blocks here until somebody writes

    user = users(data)
    time.sleep(10)
    assert user.process.poll() is None
    writer = os.open(slow, os.O_WRONLY)
    (cluster / "quick.conf").touch()
    (cluster / "quick.conf").chmod(0o644)
    (cluster / "quick.conf").rename(slow)  # read a second time, it is an ordinary file
    os.close(writer)
    said = user.says()
    assert any("getting ready" in sentence for sentence in said["heard"])
    assert notes(said["url"]) == ["old"]


def test_only_the_password_opens_the_door_and_nothing_shows_it(data: Path) -> None:
    with ensure(data) as running:
        password = Places(data).read_password()
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(running.url.replace(f":{password}@", "@"))
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(running.url.replace(password, "guess"))
        assert password not in repr(running)
        assert password not in Places(data).log.read_text()
        assert stat.S_IMODE(Places(data).password.stat().st_mode) == 0o600
        with psycopg.connect(running.url) as connection:
            listening = connection.execute("SHOW listen_addresses").fetchone()
            zone = connection.execute("SHOW timezone").fetchone()
            folded = connection.execute("SELECT lower('ÉTÉ'), length('é')").fetchone()
        assert (listening, zone, folded) == (("",), ("UTC",), ("été", 1))


def test_a_statement_that_fails_leaves_no_value_in_the_log(data: Path) -> None:
    with ensure(data) as running, psycopg.connect(running.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE once (token text UNIQUE)")
        connection.execute("INSERT INTO once VALUES ('s3cret-token')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO once VALUES ('s3cret-token')")
    log = Places(data).log.read_text()
    assert "duplicate key" in log
    assert "s3cret-token" not in log


def test_a_long_path_gets_a_short_private_socket(template: Path, tmp_path: Path, users: Callable[..., User]) -> None:
    data = tmp_path / ("a-long-name-" * 8) / "data"
    data.parent.mkdir()
    subprocess.run(["cp", "-a", template, data], check=True)
    with ensure(data) as running:
        assert notes(running.url) == ["old"]
        other = users(data)
        assert other.url() == running.url
        other.kill()
        mode = stat.S_IMODE(Path(running.socket).stat().st_mode)
        assert mode & 0o027 == 0
        first = running.socket
    wait_until(lambda: len(holders(Places(data).users)) == 1)
    os.kill(keeper(data), signal.SIGKILL)
    with ensure(data) as running:
        assert running.socket == first
    wait_until(lambda: is_left(data))
    assert not Path(first).exists()


@pytest.mark.skipif(not ROOT, reason="needs root")
def test_root_keeps_its_closed_folders_closed(template: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    subprocess.run(["cp", "-a", template, closed / "data"], check=True)
    parents = [closed, *closed.parents]
    before = [(folder, folder.stat().st_mode, folder.stat().st_uid) for folder in parents]
    with ensure(closed / "data") as running:
        assert notes(running.url) == ["old"]
        assert Path(f"/proc/{postmaster(closed / 'data')}").stat().st_uid not in (0, 65534)
    assert [(folder, folder.stat().st_mode, folder.stat().st_uid) for folder in parents] == before
    wait_until(lambda: is_left(closed / "data"))


@pytest.mark.skipif(not ROOT, reason="needs root")
@pytest.mark.parametrize(
    "missing",
    [
        "-dac_read_search,-sys_ptrace,-sys_admin",  # a container of Docker, as far as it matters here
        "-setuid,-setgid,-sys_admin",  # ids cannot be changed: a namespace
    ],
)
def test_root_in_a_container_with_fewer_rights(
    missing: str, template: Path, tmp_path: Path, users: Callable[..., User]
) -> None:
    copied, fresh = tmp_path / "copied", tmp_path / "fresh"
    subprocess.run(["cp", "-a", template, copied], check=True)
    before = ("setpriv", "--bounding-set", missing, "--inh-caps", missing)
    assert notes(users(copied, before=before).url()) == ["old"]
    write(users(fresh, before=before).url(), "new")


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A temporary folder whose parents let everybody through, which pytest's do not."""
    made = Path(tempfile.mkdtemp(prefix="regie-test-"))
    made.chmod(0o755)
    yield made
    wait_until(lambda: is_left(made / "data"))
    shutil.rmtree(made)


@pytest.mark.parametrize("uid", [65534, 61999], ids=["with a name", "without a name"])
def test_an_ordinary_user_needs_nothing_special(uid: int, reachable: Path, users: Callable[..., User]) -> None:
    """As root we become that user, keeping only the right to read Python, which may live in root's closed home."""
    by = Identity(uid, uid, capability=2) if ROOT else None
    if ROOT:
        os.chown(reachable, uid, uid)
    user = users(reachable / "data", by=by)
    write(user.url(), "mine")
    assert (reachable / "data/postgres/18").stat().st_uid == (uid if ROOT else os.geteuid())
    user.kill()
    wait_until(lambda: is_left(reachable / "data"))
    assert notes(users(reachable / "data", by=by).url()) == ["mine"]


@pytest.mark.skipif(not ROOT, reason="needs root")
def test_what_root_does_in_somebodys_folder_stays_theirs(reachable: Path, users: Callable[..., User]) -> None:
    os.chown(reachable, 65534, 65534)
    (reachable / "data").mkdir()
    os.chown(reachable / "data", 65534, 65534)
    write(users(reachable / "data").url(), "by root")
    everything = [reachable / "data", *(reachable / "data").rglob("*")]
    assert {path.lstat().st_uid for path in everything} == {65534}


@pytest.fixture(scope="module")
def template16(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("template16") / "data"
    with ensure(data, major=16) as running:
        write(running.url, "from 16")
        with psycopg.connect(running.url) as connection:
            assert connection.info.server_version // 10000 == 16
    wait_until(lambda: is_left(data))
    return data


@pytest.fixture
def data16(template16: Path, tmp_path: Path) -> Iterator[Path]:
    copy = tmp_path / "data"
    subprocess.run(["cp", "-a", template16, copy], check=True)
    yield copy
    wait_until(lambda: is_left(copy))


def test_a_cluster_of_16_becomes_one_of_18_with_its_rows(data16: Path) -> None:
    heard: list[str] = []
    with ensure(data16, progress=heard.append) as running:
        assert notes(running.url) == ["from 16"]
        with psycopg.connect(running.url) as connection:
            assert connection.info.server_version // 10000 == 18
    assert any("Upgrading" in said for said in heard)
    assert (data16 / "postgres/16.old").exists(), "kept until the next start that succeeds"
    wait_until(lambda: is_left(data16))

    with ensure(data16) as running:
        assert notes(running.url) == ["from 16"]
    assert sorted(path.name for path in (data16 / "postgres").iterdir() if path.is_dir()) == ["18", "run"]


@pytest.mark.parametrize("moment", ["18.new/PG_VERSION", "18.new/pg_upgrade_output.d"])
def test_an_upgrade_that_is_killed_leaves_the_old_cluster_usable(
    moment: str, data16: Path, users: Callable[..., User]
) -> None:
    user = users(data16)
    wait_until(lambda: (data16 / "postgres" / moment).exists(), 20)
    user.kill()  # first, or it would start another keeper
    os.kill(keeper(data16), signal.SIGKILL)
    assert not (data16 / "postgres/18").exists()

    with ensure(data16, major=16) as running:
        assert notes(running.url) == ["from 16"]
    wait_until(lambda: is_left(data16))
    with ensure(data16) as running:
        assert notes(running.url) == ["from 16"]


def test_data_of_a_newer_version_are_refused_and_left_alone(data: Path) -> None:
    with pytest.raises(EmbeddedError, match="Start the newer Régie again") as caught:
        ensure(data, major=16)
    assert caught.value.kind == "too_new"
    with ensure(data) as running:
        assert notes(running.url) == ["old"]


def test_a_folder_that_cannot_be_used_says_who_should_run_it(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    with pytest.raises(EmbeddedError, match="choose another folder") as caught:
        ensure(tmp_path / "data")
    assert caught.value.kind == "permission"


def test_settings_that_the_server_refuses_are_shown(data: Path) -> None:
    with (Places(data).cluster_of(18) / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(EmbeddedError, match="no_such_setting"):
        ensure(data)


@pytest.mark.skipif(not ROOT, reason="mounting a small disk needs root")
def test_a_full_disk_says_so_and_loses_nothing(template: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", disk], check=True)
    data = disk / "data"
    try:
        subprocess.run(["cp", "-a", template, data], check=True)
        filler = disk / "filler"
        filler.touch()
        subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=64k"], stderr=subprocess.DEVNULL, check=False)
        with pytest.raises(EmbeddedError, match=r"disk that holds .* is full") as caught:
            ensure(data)
        assert caught.value.kind == "disk_full"
        filler.unlink()
        with ensure(data) as running:
            assert notes(running.url) == ["old"]
        wait_until(lambda: is_left(data))
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_the_log_cannot_grow_without_end(tmp_path: Path) -> None:
    places = Places(tmp_path)
    with places.log.open("ab", buffering=0) as log:
        log.write(b"x" * 6_000_000)
        trim_log(places)
        log.write(b"the server goes on\n")
    assert places.log.read_text() == "the server goes on\n"
    assert (tmp_path / "postgres.log.1").stat().st_size == 6_000_000


def test_a_good_server_passes(data: Path) -> None:
    with ensure(data) as running:
        check_server(running.url)


def test_an_old_server_is_named_with_its_version() -> None:
    with OldServer() as url, pytest.raises(ServerTooOld, match="PostgreSQL 15; Régie needs 16"):
        check_server(url)


@pytest.mark.parametrize(
    "url", ["postgresql://u:s3cret@127.0.0.1:1/x", "postgresql://u:p@s3cret:x@/y", "host=/nowhere password=s3cret"]
)
def test_a_server_that_is_not_there_is_reported_without_the_password(url: str) -> None:
    with pytest.raises(EmbeddedError, match="DATABASE_URL") as caught:
        check_server(url)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None or "s3cret" not in str(caught.value.__cause__)


class OldServer:
    """Greets like PostgreSQL 15, as far as a client needs to learn the version."""

    def __enter__(self) -> str:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._greet)
        self.thread.start()
        return f"postgresql://alice@127.0.0.1:{self.listening.getsockname()[1]}/x?sslmode=disable"

    def __exit__(self, *exc: object) -> None:
        self.thread.join()
        self.listening.close()

    def _greet(self) -> None:
        def message(kind: bytes, body: bytes) -> bytes:
            return kind + struct.pack("!i", len(body) + 4) + body

        client, _ = self.listening.accept()
        with client:
            client.recv(4096)
            greeting = message(b"R", struct.pack("!i", 0))
            greeting += message(b"S", b"server_version\x0015.8\x00") + message(b"S", b"server_encoding\x00UTF8\x00")
            client.sendall(greeting + message(b"S", b"client_encoding\x00UTF8\x00") + message(b"Z", b"I"))
            while client.recv(4096):
                pass
