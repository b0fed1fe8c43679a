"""Our own posts, and what people say to us: mentions, answers, direct messages. Source: openapi 2.167, NOTES.md."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Listing, Messages, Outgoing, Person, Published, Ref, Seen
from regie.networks.errors import Refused, TokenExpired, TryLater, Unclear
from regie.networks.finding import comment_among, since_of
from regie.networks.x import limits
from regie.networks.x.entities import DirectEvent, DirectEvents, Entities, Includes, Media, Post, Posts, User
from regie.networks.x.wire import NETWORK, Wire, parsed, site_of

PAGE, MOST_PAGES = 100, 32  # X shows the newest 3,200 posts of an account
FIRST = 50  # messages at the first reading
SHOWS_WITHIN = timedelta(minutes=2)  # a minute to be listed, and one for the call itself
RECENT = 100  # ids of direct messages that are remembered
OF_POST = "created_at,conversation_id,attachments,entities,note_post,public_metrics"
BESIDE = "author_id,referenced_posts,in_reply_to_user_id,attachments.media_keys"
OF_USER = "profile_image_url"
OF_MEDIA = "url,preview_image_url"
OF_EVENT = "created_at,dm_conversation_id,text,attachments,event_type"


async def own_posts(wire: Wire, *, since: datetime) -> Listing:
    """With answers and threads; without what we only passed on."""
    asked = {
        "max_results": str(PAGE),
        "start_time": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "exclude": "retweets",
        "post.fields": "created_at,attachments,entities,note_post",
        "expansions": "referenced_posts",
    }
    seen: list[Post] = []
    reaches, network_now = since, None
    for _ in range(MOST_PAGES):
        answer = await wire.get(f"/2/users/{wire.me}/tweets", asked)
        page = parsed(answer, Posts)
        network_now = network_now or answer.date
        seen += page.data
        if not page.meta.next_token:
            break
        asked = {**asked, "pagination_token": page.meta.next_token}
    else:
        reaches = min((post.created_at for post in seen if post.created_at is not None), default=since)
    rows = tuple(row for post in seen for row in _as_seen(wire, post))
    return Listing(seen=rows, reaches_back_to=reaches, network_now=network_now)


async def comment_found(wire: Wire, outgoing: Outgoing, to: Ref) -> Published | None:
    """Our answer with the same words: answers are in the listing of posts."""
    since = since_of(outgoing)
    listing = await own_posts(wire, since=since)
    if listing.reaches_back_to > since:
        raise Unclear("{network} does not list the account's comments far enough back.", network=NETWORK)
    under = [seen for seen in listing.seen if seen.reply_to_id == to.remote_id]
    return comment_among(under, outgoing, network=NETWORK, now=listing.network_now, shows_within=SHOWS_WITHIN)


def _as_seen(wire: Wire, post: Post) -> list[Seen]:
    """One row per text that may have been sent: X puts the names of those answered before an answer's text."""
    if post.created_at is None:
        return []
    whole = words_of(post)
    texts = [whole]
    if post.referring("replied_to") and whole.startswith("@"):
        bare = _without_names(whole)
        texts += [bare] if bare != whole else []
    return [
        Seen(
            remote_id=post.id,
            url=f"{site_of(wire.server)}/{wire.login.limits.get('username') or 'i/web'}/status/{post.id}",
            text=text,
            media=len(post.attachments.media_keys or ()),
            created_at=post.created_at,
            reply_to_id=post.referring("replied_to"),
        )
        for text in texts
    ]


def _without_names(text: str) -> str:
    words = text.split(" ")
    while len(words) > 1 and words[0].startswith("@"):
        words.pop(0)
    return " ".join(words)


def words_of(post: Post) -> str:
    """The text as it was written: links as they were, without X's own link to the files, ``<`` as one sign."""
    text, entities = (
        (post.note.text, post.note.entities) if post.note and post.note.text else (post.text, post.entities)
    )
    return _plain(text, (entities, post.entities))


def _plain(text: str, entities: Sequence[Entities | None]) -> str:
    text = as_written(text)  # before the links, whose own signs are not X's to change
    for found in entities:
        for link in (found.urls if found is not None else None) or ():
            if not link.url:
                continue
            if link.media_key:
                text = text.replace(f" {link.url}", "").replace(link.url, "")
            elif link.expanded_url:
                text = text.replace(link.url, link.expanded_url)
    return text


def as_written(text: str) -> str:
    """X says these three in HTML's way, and nothing else."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


async def messages(wire: Wire, *, cursor: str) -> Messages:
    """Mentions and answers since the last one, and direct messages, oldest first.

    cursor: JSON, ``{"mentions": newest id, "direct": [ids of the newest]}``
    """
    known = _read(cursor)
    fresh, newest = await _mentions(wire, since=str(known.get("mentions") or ""))
    before: list[str] = [str(one) for one in known.get("direct") or ()]
    direct, told = await _direct(wire, before, first="direct" not in known)
    fresh += direct
    fresh.sort(key=lambda one: (one.said_at, one.remote_id))
    now: dict[str, Any] = {"mentions": newest, **({"direct": told} if told is not None else {})}
    return Messages(messages=tuple(fresh), cursor=json.dumps(now, sort_keys=True))


def _read(cursor: str) -> Mapping[str, Any]:
    try:
        found = json.loads(cursor or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


async def _mentions(wire: Wire, *, since: str) -> tuple[list[Incoming], str]:
    """X shows the newest 800."""
    asked = {
        "max_results": str(PAGE if since else FIRST),
        "post.fields": OF_POST,
        "expansions": BESIDE,
        "user.fields": OF_USER,
        "media.fields": OF_MEDIA,
        **({"since_id": since} if since else {}),
    }
    found: list[Incoming] = []
    newest = since
    for _ in range(MOST_PAGES):
        page = parsed(await wire.get(f"/2/users/{wire.me}/mentions", asked), Posts)
        newest = max([newest, *(post.id for post in page.data)], key=_number)
        found += [one for post in page.data if (one := said_in(post, page.includes, wire.me, wire.server)) is not None]
        if not since or not page.meta.next_token:
            break
        asked = {**asked, "pagination_token": page.meta.next_token}
    return found, newest


def _number(post_id: str) -> int:
    return int(post_id) if post_id.isdigit() else 0


def said_in(post: Post, beside: Includes, me: str, server: str) -> Incoming | None:
    """What somebody's post says to us; None for our own."""
    if not post.author_id or post.author_id == me or post.created_at is None:
        return None
    by = next((one for one in beside.users if one.id == post.author_id), User(id=post.author_id))
    answered = post.referring("replied_to")
    to_us = bool(answered) and post.in_reply_to_user_id == me
    return Incoming(
        remote_id=post.id,
        kind=MessageKind.REPLY if to_us else MessageKind.MENTION,
        by=person(by, server),
        text=words_of(post),
        said_at=post.created_at,
        url=f"{site_of(server)}/{by.username or 'i/web'}/status/{post.id}",
        conversation_id=post.conversation_id or post.id,
        reply_to_id=answered,
        post_id=answered if to_us else "",
        pictures=_pictures(post.attachments.media_keys, beside.media),
        likes=post.public_metrics.like_count,
        extra={"kind": "post"},
    )


def person(user: User, server: str) -> Person:
    return Person(
        remote_id=user.id,
        name=user.name or user.username or user.id,
        handle=f"@{user.username}" if user.username else "",
        url=f"{site_of(server)}/{user.username}" if user.username else "",
        avatar_url=user.profile_image_url or "",
    )


def _pictures(keys: Sequence[str] | None, media: Sequence[Media]) -> tuple[str, ...]:
    shown = {one.media_key: one.url or one.preview_image_url for one in media}
    return tuple(url for key in keys or () if (url := shown.get(key)))


async def _direct(wire: Wire, before: Sequence[str], *, first: bool) -> tuple[list[Incoming], list[str] | None]:
    """Of the last thirty days, those that were not encrypted. None as the ids: X did not let us look this time."""
    if MessageKind.DIRECT not in limits.can_on(wire.login.limits).reads:
        return [], None
    found: list[Incoming] = []
    ids: list[str] = []
    try:
        if not first and await _newest(wire) in before:
            return [], list(before)
        async for page in _directs(wire):
            fresh = [one for one in page.data if one.id not in before]
            ids += [one.id for one in fresh]
            found += [one for event in fresh if (one := direct_said(event, page.includes, wire)) is not None]
            if first or len(fresh) < len(page.data):
                break
    except TokenExpired:
        raise
    except (Refused, TryLater):  # fifteen times in fifteen minutes, and only with the permission: mentions go on
        return [], list(before) if not first else None
    return found, [*ids, *before][:RECENT]


async def _newest(wire: Wire) -> str:
    """The id alone: each message shown costs money, and mostly there is no new one."""
    answer = await wire.get("/2/dm_events", {"event_types": "MessageCreate", "max_results": "1"})
    page = parsed(answer, DirectEvents)
    return page.data[0].id if page.data else ""


async def _directs(wire: Wire) -> AsyncIterator[DirectEvents]:
    """Pages, newest first."""
    asked = {
        "event_types": "MessageCreate",
        "max_results": str(FIRST),
        "dm_event.fields": OF_EVENT,
        "expansions": "sender_id,attachments.media_keys",
        "user.fields": OF_USER,
        "media.fields": OF_MEDIA,
    }
    for _ in range(MOST_PAGES):
        page = parsed(await wire.get("/2/dm_events", asked), DirectEvents)
        yield page
        if not page.meta.next_token:
            return
        asked = {**asked, "pagination_token": page.meta.next_token}


def direct_said(event: DirectEvent, beside: Includes, wire: Wire) -> Incoming | None:
    if event.sender_id == wire.me or event.created_at is None:
        return None
    by = next((one for one in beside.users if one.id == event.sender_id), User(id=event.sender_id))
    return Incoming(
        remote_id=event.id,
        kind=MessageKind.DIRECT,
        by=person(by, wire.server),
        text=as_written(event.text or ""),
        said_at=event.created_at,
        conversation_id=f"direct:{event.dm_conversation_id}",
        pictures=_pictures(event.attachments.media_keys, beside.media),
        extra={"kind": "direct", "conversation": event.dm_conversation_id},
    )


def moment(milliseconds: str) -> datetime:
    """X's older way to say a time."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(milliseconds or 0))
