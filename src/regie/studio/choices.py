"""What an account may choose for an option whose choices only its network knows: boards, playlists, flairs, products.

Asked while a person chooses, outside any transaction and for a few seconds at most, and remembered shortly: the form is
drawn many times while one post is written. What was chosen keeps its name: while the network is away, and on its
receipt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.core.cache import cache

from regie.accounts.models import Account
from regie.core.sealed import CannotOpen
from regie.networks.capabilities import Choice, Option
from regie.networks.errors import NetworkError
from regie.networks.protocols import Chooses, Connector, Searches
from regie.studio.asking import answer, why
from regie.studio.models import ChoiceName

KEPT = 300  # seconds
LONGEST = 300  # characters of a value or a name

Chosen = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """The choices; or ``problem``, a sentence that says why they are not known. Neither: not asked yet."""

    choices: tuple[Choice, ...] | None = None
    problem: str = ""


def known(account: Account, option: Option, chosen: Chosen, words: str = "") -> Known:
    """Without asking the network."""
    return Known(cache.get(_key(account, option, chosen, words)))


def ask(account: Account, option: Option, chosen: Chosen, words: str = "") -> Known:
    """What the network says now, or why it did not; raises nothing. ``chosen``: the account's other options so far;
    ``words``: what a person typed, for an option that is ``searched``."""
    try:
        found = _asked(account, option, chosen, words)
    except (NetworkError, TimeoutError, CannotOpen) as exc:
        return Known(problem=why(account, exc))
    cache.set(_key(account, option, chosen, words), found, KEPT)
    _keep_names(account, option, found)
    return Known(found)


def names_of(account: Account, option: Option, values: Iterable[str]) -> dict[str, str]:
    """How the network called its choices when it was last asked; one that we never heard of is left out."""
    wanted = tuple(values)
    rows = ChoiceName.objects.filter(account=account, option=option.name, value__in=wanted) if wanted else ()
    return {row.value: row.label for row in rows}


def _keep_names(account: Account, option: Option, found: Iterable[Choice]) -> None:
    by_value = {one.value: one.label[:LONGEST] for one in found if len(one.value) <= LONGEST}
    ChoiceName.objects.bulk_create(
        [ChoiceName(account=account, option=option.name, value=value, label=by_value[value]) for value in by_value],
        update_conflicts=True,
        unique_fields=["account", "option", "value"],
        update_fields=["label"],
    )


def _asked(account: Account, option: Option, chosen: Chosen, words: str) -> tuple[Choice, ...]:
    async def what(connector: Connector) -> tuple[Choice, ...]:
        if option.searched:
            assert isinstance(connector, Searches)
            return await connector.search(option.name, words)
        assert isinstance(connector, Chooses)
        return await connector.choices(option.name, chosen=chosen)

    return answer(account, what)


def _key(account: Account, option: Option, chosen: Chosen, words: str) -> str:
    before = words if option.searched else chosen.get(option.after, "") if option.after else ""
    return f"choices:{account.pk}:{option.name}:{_short(before)}"


def _short(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:24]
