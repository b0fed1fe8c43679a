"""What account services refuse."""

from __future__ import annotations

from regie.core.errors import Problem


class CannotConnect(Problem):
    """The network or the server would not let us in; ``said`` tells why, and what to do."""


class SignInOver(Problem):
    """The sign-in took too long, was used already, or began in another browser."""
