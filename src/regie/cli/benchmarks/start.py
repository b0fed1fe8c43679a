"""How long until the page can be used: on an empty folder, and at a second start."""

from __future__ import annotations

from regie.cli.benchmarks import Result
from regie.cli.benchmarks.installation import installation, wait_until_gone

BUDGET = "page usable in <= 10 s at a second start"


def run() -> list[Result]:
    with installation() as made:
        first = made.start()
        made.stop()
        wait_until_gone(made)
        second = made.start()
        _, stopping = made.stop()
    return [
        Result("first start, empty folder", round(first, 1), "s", 60),
        Result("second start", round(second, 1), "s", 10),
        Result("stop", round(stopping, 1), "s", 10),
    ]
