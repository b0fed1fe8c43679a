"""How long until the page can be used: on an empty folder, and at a second start; of the product and of the demo."""

from __future__ import annotations

from regie.cli.benchmarks import Result
from regie.cli.benchmarks.installation import installation, wait_until_gone

BUDGET = "page usable in <= 10 s at a second start, demo included"


def run() -> list[Result]:
    return [*_starts("", demo=False, first_budget=60), *_starts("demo: ", demo=True, first_budget=180)]


def _starts(front: str, *, demo: bool, first_budget: float) -> list[Result]:
    with installation(demo=demo) as made:
        first = made.start()
        made.stop()
        wait_until_gone(made)
        second = made.start()
        _, stopping = made.stop()
    return [
        Result(f"{front}first start, empty folder", round(first, 1), "s", first_budget),
        Result(f"{front}second start", round(second, 1), "s", 10),
        Result(f"{front}stop", round(stopping, 1), "s", 10),
    ]
