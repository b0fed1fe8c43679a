"""What can go wrong on a network, named after what the caller does next."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regie.networks.line import Answer


class NetworkError(Exception):
    """``said`` is a sentence a customer can read; ``__cause__`` and ``answer`` keep the technical detail.

    TryLater     nothing left us, or the network said so: an outage, a rate limit; ``not_before`` when told
    TokenExpired the short-lived token ran out and nothing was done: refresh it, then the same again (a TryLater)
    Refused      this content (or this question) will not be taken as it is
    SignInAgain  the token is dead until a person reconnects the account
    Unclear      we asked and never heard back, so it may have happened

    ``said`` may hold ``{names}`` to be filled from ``facts``: the product translates the sentence before filling it,
    so pass ``TryLater("{network} could not be reached.", network=name)`` rather than an f-string.
    """

    def __init__(
        self, said: str, *, not_before: datetime | None = None, answer: Answer | None = None, **facts: str | int
    ) -> None:
        self.sentence, self.facts = said, facts
        self.said = said.format(**facts) if facts else said
        super().__init__(self.said)
        self.not_before, self.answer = not_before, answer


class TryLater(NetworkError):
    """Nothing happened there. Try the same again at ``not_before``, or after the caller's own pause."""


class TokenExpired(TryLater):
    """The access token ran out, as it does every hour or two: trade it for a fresh one, then the same again at once."""


class Refused(NetworkError):
    """The network read what we sent and will not have it. The same again gives the same answer."""


class Gone(Refused):
    """What we asked for was there once, or was never there: deleted, hidden from us, or a wrong id."""


class SignInAgain(NetworkError):
    """The network no longer knows this token: only a person can reconnect the account."""


class Unclear(NetworkError):
    """The request may have left us whole, and no answer came that settles whether it was done."""
