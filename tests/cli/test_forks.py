"""Roles are forks of a process that has loaded everything: what makes that safe, tried in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

from regie.cli.benchmarks.installation import eventually

LOADED = """
import os
from regie.cli.forks import load
load()
from django.db import connections
tasks = os.listdir("/proc/self/task")
sockets = [link for link in map(read, os.listdir("/proc/self/fd")) if link.startswith("socket:")]
print(len(tasks), len(sockets), sum(one.connection is not None for one in connections.all(initialized_only=True)))
"""
READ = """
def read(fd):
    import os
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return ""
"""
ORPHAN = """
import os, sys
from regie.core.parent import die_with_parent
die_with_parent(os.getpid())  # nobody is their own parent: as if ours had gone before the kernel knew
print("still here")
"""
PARENT = """
import os, signal, sys, time
from regie.cli.forks import fork

def live():
    os.write(int(sys.argv[1]), f"{os.environ['REGIE_ROLE']} {os.getpid()}\\n".encode())
    time.sleep(60)
    return 0

lock = os.open("/dev/null", os.O_RDONLY)
signal.signal(signal.SIGTERM, lambda *_: None)  # ours; a fork must not keep it
child = fork("sleeper", live, closing=[lock])
print(child.pid, lock, flush=True)
child.join()
print(child.exitcode, flush=True)
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_loading_starts_no_thread_and_opens_no_connection() -> None:
    done = run(READ + LOADED)
    assert done.stdout.split() == ["1", "0", "0"], done.stderr


def test_one_whose_parent_went_too_early_to_be_noticed_ends() -> None:
    done = run(ORPHAN)
    assert (done.returncode, done.stdout) == (1, "")


def is_gone(pid: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_fork_has_its_name_and_neither_our_signals_nor_our_lock_and_dies_with_us() -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        reading, writing = os.pipe()
        with subprocess.Popen(
            [sys.executable, "-c", PARENT, str(writing)], stdout=subprocess.PIPE, text=True, pass_fds=[writing]
        ) as parent:
            os.close(writing)
            assert parent.stdout is not None
            pid, lock = map(int, parent.stdout.readline().split())
            with os.fdopen(reading) as told:
                assert told.readline() == f"sleeper {pid}\n"
            assert Path(f"/proc/{pid}/cmdline").read_text().startswith("regie sleeper")
            assert not Path(f"/proc/{pid}/fd/{lock}").exists()
            assert os.getsid(pid) == pid  # Ctrl-C in our terminal does not reach it
            if how == signal.SIGTERM:
                os.kill(pid, signal.SIGTERM)
                assert parent.stdout.readline() == f"{-signal.SIGTERM}\n"
            else:
                parent.kill()
                assert eventually(partial(is_gone, pid), 10)
