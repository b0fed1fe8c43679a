"""What the account has said, what is said to it, and likes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from pydantic import ValidationError

from regie.networks.bluesky import chat
from regie.networks.bluesky.models import (
    Author,
    Notification,
    Notifications,
    PostRecord,
    Posts,
    PostView,
    Records,
    Written,
)
from regie.networks.bluesky.publishing import delete, permalink, pictures_in, strong_ref
from regie.networks.bluesky.tid import encoded, moment_of
from regie.networks.bluesky.wire import LIKE, NETWORK, POST, Xrpc, error_name, parsed, parts_of
from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Json, Listing, Messages, Person, Ref, Seen
from regie.networks.errors import Refused

MOST_PAGES = 50
PAGE = 100
POSTS_AT_ONCE = 25  # lexicon app.bsky.feed.getPosts
OVERLAP = timedelta(minutes=30)
"""Notifications are in the order of the posts' own clocks: one that travelled long can come in behind the cursor."""

SAME_SECOND = timedelta(seconds=1)  # within its second, our own key says nothing of the time

KIND = {"reply": MessageKind.REPLY, "mention": MessageKind.MENTION, "quote": MessageKind.MENTION}


async def own_posts(xrpc: Xrpc, *, since: datetime, web: str) -> Listing:
    """The account's posts as its own server holds them: complete at once, without the AppView.

    The order is that of record keys, which hold the moment their writer chose; a post whose writer set its clock back
    may come late in it and is then left out.
    """
    seen: list[Seen] = []
    cursor, now = "", None
    for _ in range(MOST_PAGES):
        params = {"repo": xrpc.did, "collection": POST, "limit": str(PAGE)}
        answer = await xrpc.query("com.atproto.repo.listRecords", params | ({"cursor": cursor} if cursor else {}))
        now, page = now or answer.date, parsed(Records, answer)
        for kept in page.records:
            one = _seen(kept.uri, kept.cid, kept.value, web=web)
            if (moment_of(parts_of(kept.uri)[2]) or one.created_at) < since - SAME_SECOND:
                return Listing(seen=tuple(seen), reaches_back_to=since, network_now=now)
            if one.created_at >= since:
                seen.append(one)
        if not page.cursor or not page.records:
            return Listing(seen=tuple(seen), reaches_back_to=since, network_now=now)
        cursor = page.cursor
    return Listing(seen=tuple(seen), reaches_back_to=seen[-1].created_at if seen else since, network_now=now)


def _seen(uri: str, cid: str, value: Mapping[str, Any], *, web: str) -> Seen:
    record = _record_in(value)
    return Seen(
        remote_id=uri,
        url=permalink(uri, web=web),
        text=record.text,
        media=pictures_in(record),
        created_at=_aware(record.created_at) or moment_of(parts_of(uri)[2]) or datetime.min.replace(tzinfo=UTC),
        reply_to_id=record.reply.parent.uri if record.reply else "",
        extra={"cid": cid} | ({"root": record.reply.root.model_dump()} if record.reply else {}),
    )


def _record_in(value: Mapping[str, Any]) -> PostRecord:
    """Anybody may write anything into a record: what does not parse is an empty one."""
    try:
        return PostRecord.model_validate(value)
    except ValidationError:
        return PostRecord(text=value["text"]) if isinstance(value.get("text"), str) else PostRecord()


def _aware(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


async def messages(xrpc: Xrpc, *, cursor: str, web: str) -> Messages:
    """Replies, mentions, quotes and direct messages since ``cursor``, once each, oldest first.

    The cursor holds the newest moment seen and short names of what was seen within OVERLAP before it, so that reading
    on finds late comers without telling anything twice, and the newest revision of the direct messages. Source:
    app.bsky.notification.listNotifications.
    """
    at, known, revision = _opened(cursor)
    floor = at - OVERLAP if at else None
    found = await _notifications(xrpc, floor=floor)
    fresh = {one.uri: one for one in reversed(found) if _short(one.uri) not in known}  # newest first: oldest wins
    newest = max((one.indexed_at for one in found), default=at)
    kept = known | {_short(one.uri): one.indexed_at for one in found}
    views = await post_views(xrpc, list(fresh))
    told = sorted(fresh.values(), key=lambda one: one.indexed_at)  # of one moment: as the vendor orders them
    said = [_incoming(one, views.get(one.uri), us=xrpc.did, web=web) for one in told]
    direct, revision = await chat.messages(xrpc, since=revision, web=web)
    if direct:
        said = sorted((*said, *direct), key=lambda one: one.said_at)
    return Messages(messages=tuple(said), cursor=_closed(newest, kept, revision))


async def _notifications(xrpc: Xrpc, *, floor: datetime | None) -> list[Notification]:
    """Newest first, back to ``floor``; without one, a single page."""
    found: list[Notification] = []
    cursor = ""
    for _ in range(MOST_PAGES if floor else 1):
        params = [("limit", str(PAGE)), *(("reasons", reason) for reason in KIND)]
        answer = await xrpc.query(
            "app.bsky.notification.listNotifications", [*params, *([("cursor", cursor)] if cursor else [])]
        )
        page = parsed(Notifications, answer)
        found += [one for one in page.notifications if one.reason in KIND and (not floor or one.indexed_at >= floor)]
        reached = floor is not None and any(one.indexed_at < floor for one in page.notifications)
        if reached or not page.cursor or not page.notifications:
            break
        cursor = page.cursor
    return found


def _short(uri: str) -> str:
    return blake2b(uri.encode(), digest_size=6).hexdigest()


def _opened(cursor: str) -> tuple[datetime | None, dict[str, datetime], str]:
    if not cursor:
        return None, {}, ""
    try:
        kept = json.loads(cursor)
        revision = str(kept.get("chat", ""))
        if "at" not in kept and revision:
            return None, {}, revision
        at = datetime.fromisoformat(kept["at"])
        return at, {name: at + timedelta(seconds=seconds) for name, seconds in kept["seen"].items()}, revision
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise Refused("This is not a place in {network}'s messages.", network=NETWORK) from exc


def _closed(at: datetime | None, known: Mapping[str, datetime], revision: str) -> str:
    kept: dict[str, Any] = {"chat": revision} if revision else {}
    if at is not None:
        seen = {name: round((when - at).total_seconds(), 3) for name, when in known.items() if when >= at - OVERLAP}
        kept |= {"at": at.isoformat(), "seen": dict(sorted(seen.items()))}
    return json.dumps(kept, separators=(",", ":")) if kept else ""


async def post_views(xrpc: Xrpc, uris: Sequence[str]) -> dict[str, PostView]:
    """Posts as the AppView shows them to us; those it does not show are left out."""
    views: dict[str, PostView] = {}
    for start in range(0, len(uris), POSTS_AT_ONCE):
        batch = uris[start : start + POSTS_AT_ONCE]
        answer = await xrpc.query("app.bsky.feed.getPosts", [("uris", uri) for uri in batch])
        views |= {view.uri: view for view in parsed(Posts, answer).posts}
    return views


def _incoming(one: Notification, view: PostView | None, *, us: str, web: str) -> Incoming:
    record = _record_in(one.record)
    root = record.reply.root if record.reply else None
    parent = record.reply.parent if record.reply else None
    ours = [ref.uri for ref in (root, parent) if ref is not None and ref.uri.startswith(f"at://{us}/")]
    return Incoming(
        remote_id=one.uri,
        kind=KIND[one.reason],
        by=_person(one.author, web=web),
        text=record.text,
        said_at=one.indexed_at,
        url=permalink(one.uri, web=web),
        conversation_id=root.uri if root else one.uri,
        reply_to_id=parent.uri if parent else "",
        post_id=ours[0] if ours else "",
        pictures=_pictures(view),
        likes=view.like_count if view else None,
        liked_by_us=bool(view.viewer.like) if view and view.viewer else None,
        extra={"cid": one.cid} | ({"root": root.model_dump()} if root else {}),
    )


def _person(author: Author, *, web: str) -> Person:
    return Person(
        remote_id=author.did,
        name=author.display_name or author.handle,
        handle=author.handle,
        url=f"{web}/profile/{author.did}",
        avatar_url=author.avatar,
    )


def _pictures(view: PostView | None) -> tuple[str, ...]:
    embed = view.embed.get("media", view.embed) if view else {}
    images = embed.get("images", []) if isinstance(embed, dict) else []
    return tuple(image["fullsize"] for image in images if isinstance(image, dict) and "fullsize" in image)


async def like(xrpc: Xrpc, ref: Ref) -> Json:
    """Likes a post. The like's key comes from the post's address, so a second like is the first one again."""
    rkey = like_key(ref.remote_id)
    uri = f"at://{xrpc.did}/{LIKE}/{rkey}"
    record = {
        "$type": LIKE,
        "subject": await strong_ref(xrpc, ref),
        "createdAt": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    body = {"repo": xrpc.did, "collection": LIKE, "rkey": rkey, "swapRecord": None, "record": record}
    try:
        answer = await xrpc.procedure("com.atproto.repo.putRecord", repeatable=True, json=body)
    except Refused as refused:
        if error_name(refused) != "InvalidSwap":
            raise
        return {"uri": uri}
    return {"uri": parsed(Written, answer, written="later").uri}


def like_key(uri: str) -> str:
    """A timestamp identifier made from a post's address alone."""
    digest = int.from_bytes(blake2b(uri.encode(), digest_size=8).digest(), "big")
    second = moment_of(parts_of(uri)[2]) or datetime(2024, 1, 1, tzinfo=UTC)
    return encoded(int(second.timestamp()) * 1_000_000 + (digest >> 10) % 1_000_000, digest & 1023)


async def unlike(xrpc: Xrpc, ref: Ref, liked: Json) -> None:
    await delete(xrpc, str(liked.get("uri") or f"at://{xrpc.did}/{LIKE}/{like_key(ref.remote_id)}"))
