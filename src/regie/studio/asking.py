"""One question to an account's network while a person writes: outside any transaction, for a few seconds at most."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from regie.accounts.budgets import must_have_room
from regie.accounts.models import Account
from regie.accounts.opening import login_of
from regie.accounts.services import refresh_token
from regie.accounts.talk import talk
from regie.core.sealed import CannotOpen
from regie.core.sentences import in_words
from regie.networks import registry
from regie.networks.errors import NetworkError, SignInAgain, TokenExpired
from regie.networks.protocols import Connector

PATIENCE = 10.0  # seconds that a person waits

T = TypeVar("T")


def answer(account: Account, what: Callable[[Connector], Awaitable[T]]) -> T:
    """What the network says. Raises NetworkError, TimeoutError, CannotOpen: ``why`` has the words for them."""

    async def go(http: aiohttp.ClientSession) -> T:
        connector = registry.connector(account.network)(http, login)
        await must_have_room(account, connector, "read")
        async with asyncio.timeout(PATIENCE):
            return await what(connector)

    if account.state != Account.State.CONNECTED:
        raise SignInAgain(gettext_noop("This account has to be connected first."))
    login = login_of(account)
    try:
        return talk(go)
    except TokenExpired:
        if not asyncio.run(refresh_token(account.pk)):
            raise
        account.refresh_from_db()
        login = login_of(account)
        return talk(go)


def why(account: Account, problem: NetworkError | TimeoutError | CannotOpen) -> str:
    """Why there is no answer, a sentence for people."""
    if isinstance(problem, NetworkError):
        return in_words(problem.sentence, problem.facts)
    if isinstance(problem, CannotOpen):
        return _("This account has to be connected again.")
    return _("{network} takes too long to answer.").format(network=registry.connector(account.network).name)
