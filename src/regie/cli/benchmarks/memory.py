"""How much memory all roles hold together when idle, PostgreSQL included; the demo with its sandbox networks too."""

from __future__ import annotations

import time

from regie.cli.benchmarks import Result
from regie.cli.benchmarks.installation import installation

BUDGET = "all roles together <= 500 MB (PSS) when idle, demo included"
SETTLE_SECONDS = 20


def run() -> list[Result]:
    return [
        Result("all roles and PostgreSQL, idle", round(_held(demo=False)), "MB", 500),
        Result("demo: the same and the sandbox networks", round(_held(demo=True)), "MB", 500),
    ]


def _held(*, demo: bool) -> float:
    with installation(demo=demo) as made:
        made.start()
        time.sleep(SETTLE_SECONDS)
        return made.pss()
