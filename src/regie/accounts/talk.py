"""A few words with a network from sync code (a page, a command): one event loop, one guarded session, then closed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp

from regie.accounts.opening import session

T = TypeVar("T")


def talk(what: Callable[[aiohttp.ClientSession], Awaitable[T]]) -> T:
    """Runs ``what(http)`` to its end. Never inside a transaction: a network may take seconds to answer."""

    async def with_session() -> T:
        async with session(connections=4) as http:
            return await what(http)

    return asyncio.run(with_session())
