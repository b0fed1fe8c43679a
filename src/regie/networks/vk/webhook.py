"""VK's Callback API: telling it our address, and reading what it brings there.

Source: https://dev.vk.com/en/api/callback/getting-started and the schema (callback, groups) of API 5.199. VK asks each
new address for a word, which it told us before: it stands in the address, so that whoever answers has it at hand.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from regie.networks.data import Login, Messages
from regie.networks.errors import Refused, TryLater
from regie.networks.vk import reading
from regie.networks.vk.entities import Callback, CallbackServer, CallbackServerMade, Code, Items, Response
from regie.networks.vk.wire import NETWORK, VERSION, Wire, parsed

TITLE = "Regie"  # 14 characters at most
THANKS = "ok"
WANTED = (*reading.WANTED, "wall_reply_edit")
CONFIRMING, PAUSE = 5, 1.0  # so often, with so many seconds between, we look whether VK has asked for the word
_WORD = re.compile(r"[0-9A-Za-z]{1,64}")


async def set_webhook(wire: Wire, *, url: str, secret: str) -> None:
    """``secret``: at most 50 characters. Raises TryLater while VK has not confirmed the address."""
    known = next((one for one in await _servers(wire) if _is_at(one, url)), None)
    if known is None or known.status != "ok" or known.secret_key != secret:
        known = await _told(wire, known, url=url, secret=secret)
    await wire.ask(
        "groups.setCallbackSettings",
        community=True,
        group_id=wire.group,
        server_id=known.id,
        api_version=VERSION,
        **dict.fromkeys(WANTED, True),
    )
    await _must_be_confirmed(wire, known)


async def _told(wire: Wire, known: CallbackServer | None, *, url: str, secret: str) -> CallbackServer:
    """VK's word for the community changes from time to time: a new or changed address needs the one of now."""
    answer = await wire.ask("groups.getCallbackConfirmationCode", community=True, group_id=wire.group)
    fields: dict[str, Any] = {
        "group_id": wire.group,
        "url": f"{url}?confirm={parsed(answer, Response[Code]).response.code}",
        "title": TITLE,
        "secret_key": secret,
    }
    if known is not None:
        await wire.ask("groups.editCallbackServer", community=True, server_id=known.id, **fields)
        return known
    made = await wire.ask("groups.addCallbackServer", community=True, **fields)
    return CallbackServer(id=parsed(made, Response[CallbackServerMade]).response.server_id)


async def _must_be_confirmed(wire: Wire, server: CallbackServer) -> None:
    for attempt in range(CONFIRMING):
        if any(one.id == server.id and one.status == "ok" for one in await _servers(wire)):
            return
        if attempt < CONFIRMING - 1:
            await asyncio.sleep(PAUSE)
    raise TryLater("{network} has not yet confirmed the address to which it is to bring news.", network=NETWORK)


async def delete_webhook(wire: Wire) -> None:
    """Every address of Régie's at this community; none is fine."""
    for one in await _servers(wire):
        if one.title == TITLE:
            await wire.ask("groups.deleteCallbackServer", community=True, group_id=wire.group, server_id=one.id)


async def _servers(wire: Wire) -> tuple[CallbackServer, ...]:
    answer = await wire.ask("groups.getCallbackServers", community=True, group_id=wire.group)
    return parsed(answer, Response[Items[CallbackServer]]).response.items


def _is_at(server: CallbackServer, url: str) -> bool:
    return server.url.partition("?")[0] == url


def confirmation(*, body: bytes, query: Mapping[str, str]) -> str | None:
    """VK's own word, from the address; nothing else is ever said back."""
    try:
        asked = Callback.model_validate_json(body).type == "confirmation"
    except ValidationError:
        return None
    word = query.get("confirm", "")
    return word if asked and _WORD.fullmatch(word) else None


def received(login: Login, *, body: bytes, secret: str) -> Messages:
    """One delivery. Who wrote is a number only: ``completed`` asks for the names. Raises Refused for another's."""
    try:
        told = Callback.model_validate(json.loads(body))
    except ValueError:  # pydantic's among them
        raise Refused("{network} brought something that is no news.", network=NETWORK) from None
    if not secret or not hmac.compare_digest(told.secret.encode(), secret.encode()):
        raise Refused("This delivery does not carry the secret that {network} was given.", network=NETWORK)
    if str(told.group_id) != login.remote_id:
        raise Refused("{network} brought the news of another community.", network=NETWORK)
    found = reading.told(f"-{login.remote_id}", (told,), {})
    return Messages(messages=tuple(found), cursor="", gone=reading.taken_back((told,)))


async def completed(wire: Wire, news: Messages) -> Messages:
    """The same with the names of those who wrote."""
    people = await reading.people(wire, {int(one.by.remote_id) for one in news.messages})
    named: list[Any] = [replace(one, by=reading.person(int(one.by.remote_id), people)) for one in news.messages]
    return replace(news, messages=tuple(named))
