"""News for bots: a queue each, given out by long poll or brought to a webhook.

Everything here may be called from another thread than the server's: only waking up goes to the server's loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp

from regie_sandbox.telegram.state import KEPT_UPDATES, BotRow, Json
from regie_sandbox.telegram.wire import Params, Refusal, bad

LONGEST_WAIT = 50.0
ATTEMPTS = 6
FIRST_PAUSE = 0.2  # seconds; twice as long after each failure
SECRET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


class News:
    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._loop: asyncio.AbstractEventLoop | None = None
        self._polls: dict[int, asyncio.Future[bool]] = {}  # bot -> who waits; False tells it to give way
        self._couriers: dict[int, asyncio.Task[None]] = {}
        self._http: aiohttp.ClientSession | None = None
        self.deliver_twice = False  # each webhook delivery comes a second time

    async def start(self, bots: list[BotRow]) -> None:
        self._loop = asyncio.get_running_loop()
        for bot in bots:
            self._wake(bot)

    async def stop(self) -> None:
        self._loop = None
        for courier in self._couriers.values():
            courier.cancel()
        await asyncio.gather(*self._couriers.values(), return_exceptions=True)
        self._couriers.clear()
        if self._http is not None:
            await self._http.close()
            self._http = None

    def tell(self, bot: BotRow, kind: str, what: Json) -> None:
        if not bot.wants(kind):
            return
        bot.queue.append({"update_id": bot.next_update, kind: what})
        bot.next_update += 1
        if len(bot.queue) > KEPT_UPDATES:
            del bot.queue[: KEPT_UPDATES // 10]
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake, bot)

    def _wake(self, bot: BotRow) -> None:
        if self._loop is None:
            return  # said while the server was stopping
        poll = self._polls.get(bot.id)
        if poll is not None and not poll.done():
            poll.set_result(True)
        courier = self._couriers.get(bot.id)
        if bot.webhook and bot.queue and (courier is None or courier.done()):
            self._couriers[bot.id] = self._loop.create_task(self._deliver(bot))

    # Long poll.

    async def get(self, bot: BotRow, params: Params) -> list[Json]:
        if bot.webhook:
            raise Refusal(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the "
                "webhook first",
            )
        self._give_way(bot)
        allowed = params.json("allowed_updates")
        if allowed is not None:
            bot.allowed = list(allowed) or None
        _forget(bot, params.number("offset"))
        limit = min(max(params.number("limit") or 100, 1), 100)
        wait = min(float(params.number("timeout") or 0), LONGEST_WAIT)
        if not bot.queue and wait > 0 and not await self._wait(bot, wait):
            raise Refusal(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
            )
        return bot.queue[:limit]

    def _give_way(self, bot: BotRow) -> None:
        """The newest poll wins: the one that waits is told so."""
        waiting = self._polls.pop(bot.id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(False)

    async def _wait(self, bot: BotRow, seconds: float) -> bool:
        """Until there is news or time is up: True. False when another poll took over."""
        mine: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._polls[bot.id] = mine
        try:
            async with asyncio.timeout(seconds):
                return await mine
        except TimeoutError:
            return True
        finally:
            if self._polls.get(bot.id) is mine:
                del self._polls[bot.id]

    # Webhook.

    def set_webhook(self, bot: BotRow, params: Params) -> bool:
        url, secret = params.text("url"), params.text("secret_token")
        if url and not url.startswith(("https://", "http://127.", "http://localhost")):
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        if len(secret) > 256 or not SECRET.issuperset(secret):
            raise bad("secret token contains unallowed characters")
        allowed = params.json("allowed_updates")
        if allowed is not None:
            bot.allowed = list(allowed) or None
        bot.webhook, bot.secret, bot.error = url, secret, ""
        bot.max_connections = min(max(params.number("max_connections") or 40, 1), 100)
        self._give_way(bot)
        if params.yes("drop_pending_updates"):
            bot.queue.clear()
        self._wake(bot)
        return True

    def webhook_info(self, bot: BotRow) -> Json:
        info: Json = {"url": bot.webhook, "has_custom_certificate": False, "pending_update_count": len(bot.queue)}
        if bot.webhook:
            info |= {"max_connections": bot.max_connections, "ip_address": "127.0.0.1"}
        if bot.allowed:
            info["allowed_updates"] = bot.allowed
        if bot.error:
            info |= {"last_error_date": bot.error_at, "last_error_message": bot.error}
        return info

    async def _deliver(self, bot: BotRow) -> None:
        """One update after the other; one that is refused again and again is given up."""
        failures = 0
        while bot.webhook and bot.queue:
            update = bot.queue[0]
            problem = await self._bring(bot, update)
            if problem and (failures := failures + 1) < ATTEMPTS:
                bot.error, bot.error_at = problem, self._now()
                await asyncio.sleep(FIRST_PAUSE * 2 ** (failures - 1))
                continue
            failures = 0
            if bot.queue and bot.queue[0] is update:
                del bot.queue[0]

    async def _bring(self, bot: BotRow, update: Json) -> str:
        """What went wrong with a delivery, or ""."""
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        headers = {"X-Telegram-Bot-Api-Secret-Token": bot.secret} if bot.secret else {}
        problem = ""
        for _ in range(2 if self.deliver_twice else 1):
            problem = await _post(self._http, bot.webhook, update, headers)
        return problem


async def _post(http: aiohttp.ClientSession, url: str, update: Any, headers: dict[str, str]) -> str:
    try:
        async with http.post(url, json=update, headers=headers, allow_redirects=False) as reply:
            if 200 <= reply.status < 300:
                return ""
            return f"Wrong response from the webhook: {reply.status} {reply.reason}"
    except aiohttp.ClientError:
        return "Connection refused"
    except TimeoutError:
        return "Read timeout expired"


def _forget(bot: BotRow, offset: int | None) -> None:
    """Updates below ``offset`` are confirmed; a negative one keeps only so many of the newest."""
    if offset is None or offset == 0:
        return
    if offset < 0:
        del bot.queue[:offset]
        return
    keep = next((place for place, update in enumerate(bot.queue) if update["update_id"] >= offset), len(bot.queue))
    del bot.queue[:keep]
