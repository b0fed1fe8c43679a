"""What planning can say no to."""

from __future__ import annotations

from regie.core.errors import Problem


class NoDates(Problem):
    """A rule without a date that is still to come."""
