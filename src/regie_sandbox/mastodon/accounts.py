"""Accounts, timelines, notifications and their stream. Source: docs.joinmastodon.org/methods."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web

from regie_sandbox.mastodon.call import Call, allow, as_json, authed, token_of, truth
from regie_sandbox.mastodon.rules import Problem, not_found
from regie_sandbox.mastodon.state import Notification, Person, Status

if TYPE_CHECKING:
    from regie_sandbox.mastodon.app import Mastodon

One = TypeVar("One", Status, Notification)


def routes(server: Mastodon) -> list[web.RouteDef]:
    def read(do: Any, scope: str) -> Any:
        return authed(server, do, scope)

    return [
        web.get("/api/v1/accounts/verify_credentials", read(me, "read:accounts")),
        web.get("/api/v1/accounts/lookup", read(lookup, "read:accounts")),
        web.get("/api/v1/accounts/search", read(search, "read:accounts")),
        web.get("/api/v1/accounts/relationships", read(relationships, "read:follows")),
        web.get("/api/v1/accounts/{id}", read(account, "read:accounts")),
        web.get("/api/v1/accounts/{id}/statuses", read(statuses, "read:statuses")),
        web.get("/api/v1/accounts/{id}/followers", read(followers, "read:accounts")),
        web.get("/api/v1/accounts/{id}/following", read(following, "read:accounts")),
        web.post("/api/v1/accounts/{id}/follow", read(follow, "write:follows")),
        web.post("/api/v1/accounts/{id}/unfollow", read(unfollow, "write:follows")),
        web.get("/api/v1/timelines/home", read(home, "read:statuses")),
        web.get("/api/v1/timelines/public", read(everybody, "read:statuses")),
        web.get("/api/v1/notifications", read(notifications, "read:notifications")),
        web.get("/api/v1/notifications/{id}", read(notification, "read:notifications")),
        web.post("/api/v1/notifications/clear", read(clear, "write:notifications")),
        web.post("/api/v1/notifications/{id}/dismiss", read(dismiss, "write:notifications")),
        web.get("/api/v1/streaming/user", _stream(server)),
        web.get("/api/v1/streaming/user/notification", _stream(server)),
        web.get("/api/v1/streaming/health", _healthy),
    ]


async def me(call: Call) -> Any:
    return call.server.shows.own_account(call.me)


def _person(call: Call) -> Person:
    person = call.server.state.people.get(call.id)
    if person is None:
        raise not_found()
    return person


async def account(call: Call) -> Any:
    return call.server.shows.account(_person(call))


async def lookup(call: Call) -> Any:
    name = call.request.query.get("acct", "").lstrip("@").split("@")[0].lower()
    known = call.server.state.names.get(name)
    if known is None:
        raise not_found()
    return call.server.shows.account(call.server.state.people[known])


async def search(call: Call) -> Any:
    wanted = call.request.query.get("q", "").lstrip("@").split("@")[0].lower()
    people = [one for one in call.server.state.people.values() if wanted in one.username.lower()]
    return [call.server.shows.account(one) for one in people[:40]]


def _relationship(person: Person, viewer: Person) -> dict[str, Any]:
    off = ("requested", "requested_by", "blocking", "blocked_by", "muting", "muting_notifications", "notifying")
    return {
        "id": person.id,
        "following": person.id in viewer.following,
        "followed_by": viewer.id in person.following,
        "showing_reblogs": True,
        "languages": None,
        "note": "",
        "domain_blocking": False,
        "endorsed": False,
        **dict.fromkeys(off, False),
    }


async def relationships(call: Call) -> Any:
    known = (call.server.state.people.get(one) for one in call.request.query.getall("id[]", []))
    return [_relationship(one, call.me) for one in known if one is not None]


async def follow(call: Call) -> Any:
    call.server.follow(by=call.me.username, account=_person(call).id)
    return _relationship(_person(call), call.me)


async def unfollow(call: Call) -> Any:
    call.server.unfollow(by=call.me.username, account=_person(call).id)
    return _relationship(_person(call), call.me)


async def followers(call: Call) -> Any:
    people = call.server.state.people
    return [call.server.shows.account(people[one]) for one in sorted(_person(call).followers)[:80]]


async def following(call: Call) -> Any:
    people = call.server.state.people
    return [call.server.shows.account(people[one]) for one in sorted(_person(call).following)[:80]]


def _page(call: Call, rows: Sequence[One], fits: Callable[[One], bool], *, most: int) -> list[One]:
    """One page of ``rows`` (oldest first): newest first, with max_id, since_id and min_id as Mastodon means them."""
    query = call.request.query
    limit = max(1, min(int(query.get("limit", most // 2)), most))
    older, newer, just_newer = (int(query.get(name) or 0) for name in ("max_id", "since_id", "min_id"))
    if just_newer:
        found: list[One] = []
        for row in _after(rows, just_newer):
            if fits(row) and (not older or int(row.id) < older):
                found.append(row)
                if len(found) == limit:
                    break
        return found[::-1]
    found = []
    for row in reversed(rows):
        if newer and int(row.id) <= newer:
            break
        if (not older or int(row.id) < older) and fits(row):
            found.append(row)
            if len(found) == limit:
                break
    return found


def _after(rows: Sequence[One], cursor: int) -> Sequence[One]:
    start = len(rows)
    while start and int(rows[start - 1].id) > cursor:
        start -= 1
    return rows[start:]


def _with_links(call: Call, rows: Sequence[One], shown: list[Any]) -> web.Response:
    """A page with the Link header by which clients find the next."""
    headers = dict(call.headers)
    if rows:
        url = f"{call.server.base}{call.request.path}"
        older, newer = f'<{url}?max_id={rows[-1].id}>; rel="next"', f'<{url}?min_id={rows[0].id}>; rel="prev"'
        headers["Link"] = f"{older}, {newer}"
    return as_json(shown, headers=headers)


async def statuses(call: Call) -> Any:
    server, query, person = call.server, call.request.query, _person(call)
    rows = [server.state.statuses[one] for one in person.statuses]
    if truth(query.get("pinned")):
        rows = []

    def fits(status: Status) -> bool:
        return (
            server.may_see(status, call.me.id)
            and server.listed(status)
            and not (truth(query.get("exclude_reblogs")) and status.reblog_of_id)
            and not (truth(query.get("exclude_replies")) and status.in_reply_to_id)
            and not (truth(query.get("only_media")) and not status.media_ids)
        )

    page = _page(call, rows, fits, most=40)
    return _with_links(call, page, server.shows.many(page, call.me.id, server.now()))


async def home(call: Call) -> Any:
    server, seen = call.server, {*call.me.following, call.me.id}
    rows = list(server.state.statuses.values())

    def fits(status: Status) -> bool:
        return status.account_id in seen and server.may_see(status, call.me.id) and server.listed(status)

    page = _page(call, rows, fits, most=40)
    return _with_links(call, page, server.shows.many(page, call.me.id, server.now()))


async def everybody(call: Call) -> Any:
    server, rows = call.server, list(call.server.state.statuses.values())

    def fits(status: Status) -> bool:
        return status.visibility == "public" and status.reblog_of_id is None and server.listed(status)

    page = _page(call, rows, fits, most=40)
    return _with_links(call, page, server.shows.many(page, call.me.id, server.now()))


async def notifications(call: Call) -> Any:
    server, query = call.server, call.request.query
    wanted = {*query.getall("types[]", []), *query.getall("types", [])}
    unwanted = set(query.getall("exclude_types[]", []))
    rows = server.state.notifications.get(call.me.id, [])
    page = _page(call, rows, lambda one: (not wanted or one.type in wanted) and one.type not in unwanted, most=80)
    shown = [server.shows.notification(one, call.me.id, server.now()) for one in page]
    return _with_links(call, page, shown)


def _own(call: Call) -> Notification:
    for one in call.server.state.notifications.get(call.me.id, ()):
        if one.id == call.id:
            return one
    raise not_found()


async def notification(call: Call) -> Any:
    return call.server.shows.notification(_own(call), call.me.id, call.server.now())


async def dismiss(call: Call) -> Any:
    call.server.state.notifications[call.me.id].remove(_own(call))
    return {}


async def clear(call: Call) -> Any:
    call.server.state.notifications.pop(call.me.id, None)
    return {}


async def _healthy(_: web.Request) -> web.Response:
    return web.Response(text="OK")


def _stream(server: Mastodon) -> Any:
    from regie_sandbox.mastodon.app import across_threads

    async def stream(request: web.Request) -> web.StreamResponse:
        try:
            token = token_of(server, request)
            allow(token, "read:notifications")
        except Problem as exc:
            return as_json(exc.body, status=exc.status)
        events: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        hear = across_threads(asyncio.get_running_loop(), events.put_nowait)
        listeners = server.listeners.setdefault(token.account_id, [])
        listeners.append(hear)
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        try:
            await reply.prepare(request)
            await reply.write(b":)\n\n")
            with contextlib.suppress(ConnectionError):
                await _speak(server, token.account_id, events, reply)
        finally:
            listeners.remove(hear)
        return reply

    return stream


async def _speak(
    server: Mastodon, account_id: str, events: asyncio.Queue[tuple[str, str]], reply: web.StreamResponse
) -> None:
    while True:
        try:
            event, note_id = await asyncio.wait_for(events.get(), server.heartbeat)
        except TimeoutError:
            await reply.write(b":thump\n")
            continue
        note = next((one for one in server.state.notifications.get(account_id, ()) if one.id == note_id), None)
        if note is not None:
            shown = json.dumps(server.shows.notification(note, account_id, server.now()), ensure_ascii=False)
            await reply.write(f"event: {event}\ndata: {shown}\n\n".encode())
