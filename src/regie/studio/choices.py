"""What an account may choose for an option whose choices only its network knows: boards, playlists, flairs.

Asked while a person chooses, outside any transaction and for a few seconds at most, and remembered shortly: the form is
drawn many times while one post is written. What was chosen keeps its name while the network is away.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from django.core.cache import cache
from django.utils.translation import gettext as _

from regie.accounts.budgets import must_have_room
from regie.accounts.models import Account
from regie.accounts.opening import login_of
from regie.accounts.services import refresh_token
from regie.accounts.talk import talk
from regie.core.sealed import CannotOpen
from regie.core.sentences import in_words
from regie.networks import registry
from regie.networks.capabilities import Choice, Option
from regie.networks.errors import NetworkError, TokenExpired
from regie.networks.protocols import Chooses

KEPT = 300  # seconds
NAMES_KEPT = 30 * 86_400
PATIENCE = 10.0  # seconds that a person waits

Chosen = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """The choices; or ``problem``, a sentence that says why they are not known. Neither: not asked yet."""

    choices: tuple[Choice, ...] | None = None
    problem: str = ""


def known(account: Account, option: Option, chosen: Chosen) -> Known:
    """Without asking the network."""
    return Known(cache.get(_key(account, option, chosen)))


def ask(account: Account, option: Option, chosen: Chosen) -> Known:
    """What the network says now, or why it did not; raises nothing. ``chosen``: the account's other options so far."""
    if account.state != Account.State.CONNECTED:
        return Known(problem=_("This account has to be connected first."))
    network = registry.connector(account.network).name
    try:
        found = _asked(account, option, chosen)
    except NetworkError as exc:
        return Known(problem=in_words(exc.sentence, exc.facts))
    except TimeoutError:
        return Known(problem=_("{network} takes too long to answer.").format(network=network))
    except CannotOpen:
        return Known(problem=_("This account has to be connected again."))
    cache.set(_key(account, option, chosen), found, KEPT)
    cache.set_many({_name_key(account, option, one.value): one.label for one in found}, NAMES_KEPT)
    return Known(found)


def name_of(account: Account, option: Option, value: str) -> str:
    """How the network called a choice when it was last asked; the value itself when we never heard."""
    return str(cache.get(_name_key(account, option, value), value))


def _asked(account: Account, option: Option, chosen: Chosen) -> tuple[Choice, ...]:
    async def go(http: aiohttp.ClientSession) -> tuple[Choice, ...]:
        connector = registry.connector(account.network)(http, login)
        assert isinstance(connector, Chooses)
        await must_have_room(account, connector, "read")
        async with asyncio.timeout(PATIENCE):
            return await connector.choices(option.name, chosen=chosen)

    login = login_of(account)
    try:
        return talk(go)
    except TokenExpired:
        if not asyncio.run(refresh_token(account.pk)):
            raise
        account.refresh_from_db()
        login = login_of(account)
        return talk(go)


def _key(account: Account, option: Option, chosen: Chosen) -> str:
    before = chosen.get(option.after, "") if option.after else ""
    return f"choices:{account.pk}:{option.name}:{_short(before)}"


def _name_key(account: Account, option: Option, value: str) -> str:
    return f"choice:{account.pk}:{option.name}:{_short(value)}"


def _short(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:24]
