"""What ``regie bench`` measures.

Each module has a ``BUDGET`` in words, and ``run()`` that returns its Results. One with settings of its own declares
them, ``options(parser)``, and its ``run(arguments)`` returns a Report. They work from the wheel: each makes an
installation of its own in a temporary folder, and leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """One figure beside its budget. ``good`` says whether it is kept."""

    what: str
    value: float
    unit: str
    budget: float
    more_is_better: bool = False

    @property
    def good(self) -> bool:
        return self.value >= self.budget if self.more_is_better else self.value <= self.budget


@dataclass(frozen=True, slots=True)
class Report:
    """What a benchmark found. ``line``: what ``--json`` prints for it, alone and on one line."""

    results: Sequence[Result]
    line: Mapping[str, Any] = field(default_factory=dict)
