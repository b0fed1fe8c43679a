"""Updates that Telegram brings by itself: setting the address, and reading what arrives there.

Source: https://core.telegram.org/bots/api#setwebhook. While a webhook is set, getUpdates is refused.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping

from regie.networks.data import Login, Messages
from regie.networks.errors import Refused
from regie.networks.telegram.api import Bot
from regie.networks.telegram.reading import WANTED, understood

HEADER = "x-telegram-bot-api-secret-token"


async def set_webhook(bot: Bot, *, url: str, secret: str) -> None:
    """Ask for updates at ``url``. ``secret``: 1 to 256 of A-Z a-z 0-9 _ -, which then comes with each delivery."""
    await bot.ask(bool, "setWebhook", {"url": url, "secret_token": secret, "allowed_updates": list(WANTED)})


async def delete_webhook(bot: Bot) -> None:
    """Back to getUpdates. What waits in the queue stays there."""
    await bot.ask(bool, "deleteWebhook")


def received(login: Login, *, body: bytes, headers: Mapping[str, str], secret: str) -> Messages:
    """One delivery in our words. ``cursor`` is "": what is answered with 200 is never delivered again.

    Raises Refused when the secret is missing or wrong, or the body is not an update.
    """
    given = next((value for name, value in headers.items() if name.lower() == HEADER), "")
    if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
        raise Refused("This delivery does not carry the secret that Telegram was given.")
    try:
        update = json.loads(body)
    except ValueError:
        raise Refused("This delivery is not an update of Telegram's.") from None
    if not isinstance(update, dict) or "update_id" not in update:
        raise Refused("This delivery is not an update of Telegram's.")
    return understood(
        [update],
        bot_id=login.credentials.get("token", "").partition(":")[0],
        bot_username=str(login.limits.get("bot_username", "")),
    )
