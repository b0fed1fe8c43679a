"""What ``regie bench`` measures. Each module has a ``BUDGET`` in words, and ``run()`` that returns its Results.

These work from the wheel: each makes an installation of its own in a temporary folder, and leaves nothing behind.
"""

from __future__ import annotations

from dataclasses import dataclass


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
