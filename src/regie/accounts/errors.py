"""What account services refuse."""

from __future__ import annotations

from regie.core.errors import Problem


class CannotConnect(Problem):
    """The network or the server would not let us in; ``said`` tells why, and what to do.

    ``workspace_slug``: of the client that the account was meant for, to begin again there; empty where no one left it.
    """

    def __init__(self, said: str, *, workspace_slug: str = "") -> None:
        super().__init__(said)
        self.workspace_slug = workspace_slug


class SignInOver(Problem):
    """The sign-in took too long, was used already, or began in another browser."""
