"""``regie bench chaos``, a short bad time from a fixed seed. Long ones by hand: docs/decisions/0010-chaos.md."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

KEYS = ["deliveries", "kills", "restarts", "lost", "doubled", "stuck", "unclear", "unclear_allowed"]


@pytest.mark.xdist_group("installation")
def test_nothing_is_lost_or_doubled_in_a_short_bad_time() -> None:
    settings = {"deliveries": "80", "minutes": "0.1", "seed": "5", "publishers": "2", "lease": "2", "call": "6"}
    options = [word for name, value in settings.items() for word in (f"--{name}", value)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("REGIE_", "DJANGO_"))}
    done = subprocess.run(
        [sys.executable, "-m", "regie.cli", "bench", "chaos", *options, "--json"],
        env=kept,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    assert list(found) == KEYS
    assert found["deliveries"] == 80
    assert found["kills"] >= 1
    assert found["restarts"] >= 1
    assert (found["lost"], found["doubled"], found["stuck"]) == (0, 0, 0)
    assert found["unclear"] <= found["unclear_allowed"]
