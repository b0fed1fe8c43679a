"""The Callback API: news brought to addresses, each of which answered with the community's word before.

People speak from other threads than the server's: deliveries go out one after the other on the server's own loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from aiohttp import web

from regie_sandbox.vk.state import Group

ATTEMPTS, PAUSE = 3, 0.2  # seconds, twice as long each time; then VK holds the address for broken
Json = dict[str, Any]


class Callbacks:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: asyncio.Queue[tuple[Group, Json, Json]] = asyncio.Queue()

    async def while_served(self, _: web.Application) -> AsyncIterator[None]:
        self._loop, self._waiting = asyncio.get_running_loop(), asyncio.Queue()
        courier = self._loop.create_task(self._deliver())
        yield
        self._loop = None
        courier.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await courier

    def code(self, group: Group) -> str:
        return hashlib.sha256(f"{self._seed}:word:{group.id}".encode()).hexdigest()[:8]

    def ask_for_the_word(self, group: Group, server: Json) -> None:
        event = {"type": "confirmation", "group_id": group.id, "event_id": secrets.token_hex(20), "v": "5.199"}
        self._send(group, server, event)

    def tell(self, group: Group, told: Json) -> None:
        for server in group.servers:
            if server["status"] == "ok" and told["type"] in server["wants"]:
                self._send(group, server, told)

    def _send(self, group: Group, server: Json, event: Json) -> None:
        if self._loop is not None:
            body = event | ({"secret": server["secret_key"]} if server["secret_key"] else {})
            self._loop.call_soon_threadsafe(self._waiting.put_nowait, (group, server, body))

    async def _deliver(self) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
            while True:
                group, server, event = await self._waiting.get()
                asks = event["type"] == "confirmation"
                good = await self._brought(http, server["url"], event, self.code(group) if asks else "ok")
                if asks or not good:
                    server["status"] = "ok" if good else "failed"

    async def _brought(self, http: aiohttp.ClientSession, url: str, event: Json, wanted: str) -> bool:
        for attempt in range(ATTEMPTS):
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with http.post(url, json=event, allow_redirects=False) as reply:
                    if reply.status == 200 and (await reply.text()).strip() == wanted:
                        return True
            await asyncio.sleep(PAUSE * 2**attempt)
        return False
