"""What the inbox refuses, each with a sentence for the person."""

from __future__ import annotations

from regie.core.errors import Changed, Problem


class CannotAnswer(Problem):
    """The text does not fit, the account cannot answer, or the time to answer is over."""


class AnsweredMeanwhile(Changed):
    """Somebody else answered since the person opened the message: show theirs before sending a second one."""


class CannotReach(Problem):
    """The network did not take a like, hide or delete a comment, or could not be asked."""
