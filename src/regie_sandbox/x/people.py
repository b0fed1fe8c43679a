"""Accounts and direct messages. Source: openapi 2.167."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from regie_sandbox.x.call import Call, authed
from regie_sandbox.x.rules import DAY, QUARTER, forbidden, invalid, not_found
from regie_sandbox.x.shown import Shows, asked, not_there
from regie_sandbox.x.state import Direct

if TYPE_CHECKING:
    from regie_sandbox.x.app import X


def routes(net: X) -> list[web.RouteDef]:
    read, direct = ("tweet.read", "users.read"), ("dm.read", "tweet.read", "users.read")
    write = ("dm.write", "tweet.read", "users.read")
    return [
        web.get("/2/users/me", authed(net, me, *read, limit=75)),
        web.get("/2/users/by/username/{username}", authed(net, by_name, *read)),
        web.get("/2/users/by", authed(net, by_names, *read)),
        web.get("/2/users/{id}", authed(net, one, *read)),
        web.get("/2/dm_events", authed(net, events, *direct, limit=15, per=QUARTER)),
        web.delete("/2/dm_events/{id}", authed(net, delete, "dm.read", "dm.write", limit=300)),
        web.post("/2/dm_conversations/with/{id}/messages", authed(net, to_person, *write, limit=1440, per=DAY)),
        web.post("/2/dm_conversations/{id}/messages", authed(net, to_conversation, *write, limit=1440, per=DAY)),
    ]


def _shows(call: Call) -> Shows:
    return Shows(call.net, call.me.id, asked(call.query))


async def me(call: Call) -> Any:
    shows = _shows(call)
    return _as_asked(call, shows, shows.user(call.me))


async def one(call: Call) -> Any:
    shows = _shows(call)
    return _as_asked(call, shows, shows.user(call.net.user_by_id(call.id)))


async def by_name(call: Call) -> Any:
    known = call.net.state.names.get(call.request.match_info["username"].lower())
    if known is None:
        raise not_found("user", call.request.match_info["username"])
    shows = _shows(call)
    return _as_asked(call, shows, shows.user(call.net.state.users[known]))


async def by_names(call: Call) -> Any:
    names = [name for name in call.query.get("usernames", "").split(",") if name]
    if not 1 <= len(names) <= 100:
        raise invalid("The `usernames` query parameter must have between 1 and 100 items")
    shows, state = _shows(call), call.net.state
    ids = {name: state.names.get(name.lower()) for name in names}
    rows = [shows.user(state.users[known]) for known in ids.values() if known is not None]
    gone = [not_there("user", name) for name, known in ids.items() if known is None]
    return shows.named({**({"data": rows} if rows else {}), **({"errors": gone} if gone else {})})


def _as_asked(_: Call, shows: Shows, user: Any) -> Any:
    return shows.named({"data": user})


async def events(call: Call) -> Any:
    """Newest first, of the last thirty days."""
    limit = int(call.query.get("max_results") or 100)
    if not 1 <= limit <= 100:
        raise invalid(f"The `max_results` query parameter value [{limit}] is not between 1 and 100")
    shows = _shows(call)
    rows = [row for row in reversed(call.net.state.directs) if call.me.id in row.conversation.split("-")]
    token = call.query.get("pagination_token", "")
    first = int(token.removeprefix("page00000000000000")) if token else 0
    some, rest = rows[first : first + limit], rows[first + limit :]
    body: dict[str, Any] = {"data": [shows.direct(row) for row in some]} if some else {}
    if "sender_id" in shows.wish.expand and some:
        senders = dict.fromkeys(row.sender for row in some)
        body["includes"] = {"users": [shows.user(call.net.state.users[who]) for who in senders]}
    body["meta"] = {
        "result_count": len(some),
        **({"next_token": f"page00000000000000{first + limit}"} if rest else {}),
    }
    return shows.named(body)


async def to_person(call: Call) -> Any:
    return await _send(call, call.net.conversation(call.me.id, call.net.user_by_id(call.id).id))


async def to_conversation(call: Call) -> Any:
    return await _send(call, call.id)


async def _send(call: Call, conversation: str) -> Any:
    fields = await call.json(("text", "attachments"))
    there = any(row.conversation == conversation for row in call.net.state.directs)
    if call.me.id not in conversation.split("-") or not (
        there or call.request.path.startswith("/2/dm_conversations/w")
    ):
        raise forbidden("You do not have permission to DM one or more participants.")
    text = str(fields.get("text") or "")
    if not text:
        raise invalid("At least one of text, attachments is required.")
    sent: Direct = call.net.direct(call.me, conversation, text)
    return 201, {"data": {"dm_conversation_id": conversation, "dm_event_id": sent.id}}


async def delete(call: Call) -> Any:
    found = next((row for row in call.net.state.directs if row.id == call.id and row.sender == call.me.id), None)
    if found is None:
        raise not_found("dm_event", call.id)
    call.net.state.directs.remove(found)
    return {"data": {"deleted": True}}
