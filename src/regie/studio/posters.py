"""In whose name a post goes out, where a network wants people to see it while they write: its connector ``Presents``.

Asked when that part of the composer is seen, and remembered for a moment. What the network says of the account's limits
on that occasion is kept with the account, so that the choices are those of now.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.core.cache import cache

from regie.accounts.models import Account
from regie.accounts.services import keep_limits
from regie.core.sealed import CannotOpen
from regie.core.sentences import in_words
from regie.networks import registry
from regie.networks.data import Poster
from regie.networks.errors import NetworkError
from regie.networks.protocols import Connector, Presents
from regie.studio.asking import answer, why

KEPT = 60  # seconds


@dataclass(frozen=True, slots=True)
class Standing:
    """An account as its post will show it. ``poster`` None: not asked, or (``problem``) not answered.

    news: the network said something of its limits that was not known
    """

    account: Account
    poster: Poster | None = None
    problem: str = ""
    news: bool = False

    @property
    def name(self) -> str:
        return (self.poster.name if self.poster is not None else "") or self.account.name

    @property
    def handle(self) -> str:
        return (self.poster.handle if self.poster is not None else "") or self.account.handle

    @property
    def refusal(self) -> str:
        """Why nothing can be posted at this moment."""
        return in_words(self.poster.problem, self.poster.facts) if self.poster is not None else ""

    @property
    def is_asked(self) -> bool:
        return self.poster is not None or bool(self.problem)


def presents(account: Account) -> bool:
    return issubclass(registry.connector(account.network), Presents)


def known(account: Account) -> Standing:
    """Without asking the network."""
    return Standing(account, cache.get(_key(account)))


def ask(account: Account) -> Standing:
    """What the network says now, or a moment ago; raises nothing. One that wants none of this is not asked."""
    there = known(account)
    if there.poster is not None or not presents(account):
        return there
    try:
        poster = answer(account, _poster)
    except (NetworkError, TimeoutError, CannotOpen) as exc:
        return Standing(account, problem=why(account, exc))
    news = keep_limits(account, poster.limits)
    poster = replace(poster, limits={})
    cache.set(_key(account), poster, KEPT)
    return Standing(account, poster, news=news or bool(poster.problem))


async def _poster(connector: Connector) -> Poster:
    assert isinstance(connector, Presents)
    return await connector.poster()


def _key(account: Account) -> str:
    return f"poster:{account.pk}"
