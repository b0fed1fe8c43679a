"""What studio services refuse, each with a sentence for the person."""

from __future__ import annotations

from regie.core.errors import Changed, Problem


class Outdated(Changed):
    """Somebody saved the post since this page was opened. ``version`` is what is there now."""

    def __init__(self, said: str, *, version: int) -> None:
        super().__init__(said)
        self.version = version


class InTheBin(Problem):
    """Somebody put the post in the bin since this page was opened. Nothing was kept."""


class StillPromised(Problem):
    """The post has deliveries that are under way or planned: they are cancelled first."""


class NoSuchOption(Problem):
    """The account's network has no option of that name."""


class NoSuchAccount(Problem):
    """An account that is not there, or is another workspace's."""
