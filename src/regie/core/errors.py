"""Errors that a person can read."""

from __future__ import annotations


class Problem(Exception):
    """Something a person asked for that cannot be done as it is. ``said`` says what to do, in their language.

    ``status`` is that of the page with the sentence.
    """

    status = 400

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class Changed(Problem):
    """Somebody else changed it since the person opened it: show theirs beside what is there now."""
