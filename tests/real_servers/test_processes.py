"""What the harness promises about processes and installation, whatever servers are installed."""

import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import psutil
import pytest

from . import install
from .conftest import started
from .install import CannotInstall, Part
from .processes import Child, ServerFailed, running, tied_to_us, workdir
from .servers import BlueskyNetwork, MastodonMock, Snac, eventually

STARTS_A_CHILD_AND_WAITS = """
import sys, time
from pathlib import Path
from real_servers.processes import Child
child = Child.start("sleeper", ["sleep", "60"], home=Path(sys.argv[1]))
print(child.process.pid, flush=True)
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def listens_on(process: psutil.Process) -> set[str]:
    """Its addresses; none for one that has ended since, as those that a server starts for a moment do."""
    try:
        found = process.net_connections("inet")
    except psutil.NoSuchProcess:
        return set()
    return {connection.laddr.ip for connection in found if connection.status == psutil.CONN_LISTEN}


def test_a_child_dies_with_a_session_that_is_killed(tmp_path: Path) -> None:
    path = {**os.environ, "PYTHONPATH": str(install.HERE.parent)}
    command = [sys.executable, "-c", STARTS_A_CHILD_AND_WAITS, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=path) as session:
        assert session.stdout is not None
        child = int(session.stdout.readline())
        assert is_alive(child)
        session.send_signal(signal.SIGKILL)
    eventually(lambda: not is_alive(child))


def test_a_child_whose_session_was_gone_before_the_kernel_knew_of_it_does_not_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    command = tied_to_us(["touch", str(ran)])
    stranger = subprocess.run(["sh", "-c", '"$@"; exit $?', "stranger", *command], check=False)  # its child, not ours
    assert (stranger.returncode, ran.exists()) == (1, False)
    subprocess.run(command, check=True)
    assert ran.exists()


def test_stopping_takes_along_what_the_child_started_and_wakes_a_paused_one(tmp_path: Path) -> None:
    command = ["sh", "-c", "sleep 60 & echo $!; wait"]
    with running(Child.start("family", command, home=tmp_path)) as child:
        child.wait_until(lambda: child.said().endswith("\n"))
        grandchild = int(child.said())
        child.pause()
    assert child.process.returncode is not None
    eventually(lambda: not is_alive(grandchild))


def test_a_server_that_ends_early_says_why(tmp_path: Path) -> None:
    with (
        running(Child.start("broken", ["sh", "-c", "echo no database; exit 3"], home=tmp_path)) as child,
        pytest.raises(ServerFailed, match=r"broken ended with 3:\nno database"),
    ):
        child.wait_until(lambda: False)


def test_folders_of_killed_sessions_are_swept_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with subprocess.Popen(["true"]) as gone:
        pass
    left, ours = tmp_path / f"regie-real-{gone.pid}-x", tmp_path / f"regie-real-{os.getpid()}-x"
    left.mkdir()
    ours.mkdir()
    with workdir() as home:
        assert (left.exists(), ours.exists(), home.parent) == (False, True, tmp_path)
    assert not home.exists()


def test_a_part_is_installed_once_and_again_when_its_pins_change(tmp_path: Path) -> None:
    pins = tmp_path / "pins.txt"
    calls: list[Path] = []
    pins.write_text("thing==1")
    part = Part("thing", (pins,), calls.append)
    part.ensure(tmp_path)
    assert part.ensure(tmp_path) == "thing: already there"
    pins.write_text("thing==2")
    assert not part.is_installed(tmp_path)
    part.ensure(tmp_path)
    assert len(calls) == 2


def test_a_part_that_failed_counts_as_missing(tmp_path: Path) -> None:
    def fail(into: Path) -> None:
        raise CannotInstall("no such package")

    part = Part("thing", ("1",), fail)
    with pytest.raises(CannotInstall):
        part.ensure(tmp_path)
    assert not part.is_installed(tmp_path)


def test_what_is_missing_is_said_with_the_line_that_installs_it(tmp_path: Path) -> None:
    line = install.missing("snac", tmp_path)
    assert line is not None
    assert line.endswith("python scripts/real_servers.py install snac")


def test_every_server_is_known_to_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install.main(["check", "--into", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert all(server in said for server in install.SERVERS)


@pytest.mark.parametrize("required", ["CI", "REGIE_REQUIRE_REAL", None])
def test_a_missing_server_skips_a_test_and_fails_it_where_it_is_required(
    required: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CI", "REGIE_REQUIRE_REAL"):
        monkeypatch.delenv(name, raising=False)
    if required is not None:
        monkeypatch.setenv(required, "1")
    monkeypatch.setenv("REGIE_REAL_SERVERS", str(tmp_path))
    outcome = pytest.skip.Exception if required is None else pytest.fail.Exception
    with pytest.raises(outcome, match=r"snac is not installed .* install snac"):
        next(started("snac", nullcontext()))


@pytest.mark.real
@pytest.mark.xdist_group("real")
def test_nothing_listens_beyond_loopback(
    bluesky_network: BlueskyNetwork, snac: Snac, snac_behind_nginx: Snac, mastodon_mock: MastodonMock
) -> None:
    family = psutil.Process().children(recursive=True)
    listening = {address for process in family for address in listens_on(process)}
    assert listening == {"127.0.0.1"}
