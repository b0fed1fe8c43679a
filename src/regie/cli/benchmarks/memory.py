"""How much memory all roles hold together when idle, PostgreSQL included."""

from __future__ import annotations

import time

from regie.cli.benchmarks import Result
from regie.cli.benchmarks.installation import installation

BUDGET = "all roles together <= 500 MB (PSS) when idle"
SETTLE_SECONDS = 20


def run() -> list[Result]:
    with installation() as made:
        made.start()
        time.sleep(SETTLE_SECONDS)
        held = made.pss()
    return [Result("all roles and PostgreSQL, idle", round(held), "MB", 500)]
