"""What people say to a Page: comments, posts that name it, messages. Sources: NOTES.md."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Messages, Person
from regie.networks.errors import Refused
from regie.networks.facebook.entities import Comment, Commented, Message, Post, Thread
from regie.networks.facebook.wire import NETWORK, Wire
from regie.networks.meta.cursor import Cursor, read_cursor
from regie.networks.meta.entities import Edge, From
from regie.networks.meta.wire import parsed

POSTS, COMMENTS, THREADS = 25, 50, 20
WINDOW = timedelta(hours=24)
INNER = "id,message,from,created_time,parent{id},permalink_url,like_count,user_likes,is_hidden"
UNDER = f"id,permalink_url,comments.filter(stream).limit({COMMENTS}){{{INNER}}}"
TAGGED = "id,message,from,created_time,permalink_url"


async def messages(wire: Wire, *, cursor: str) -> Messages:
    """Comments under the newest posts, posts that name us, messages, oldest first, as far as we may read."""
    known = read_cursor(cursor)
    fresh: list[Incoming] = []
    now: dict[str, Any] = {}
    for name, ask in (("comments", _comments), ("tagged", _tagged), ("direct", _direct)):
        mine = Cursor.model_validate(known.get(name) or {})
        try:
            found = await ask(wire)
        except Refused:
            if name == "comments":
                raise
            now[name] = known.get(name) or {}
            continue
        fresh += [one for one in found if mine.is_new(one)]
        now[name] = mine.after(found)
    fresh.sort(key=lambda one: (one.said_at, one.remote_id))
    return Messages(messages=tuple(fresh), cursor=json.dumps(now, sort_keys=True))


async def _comments(wire: Wire) -> list[Incoming]:
    answer = await wire.graph.get(f"/{wire.page}/published_posts", {"fields": UNDER, "limit": str(POSTS)})
    return [
        _comment_said(one, post)
        for post in parsed(answer, Edge[Commented], network=NETWORK).data
        for one in (post.comments.data if post.comments else ())
        if one.created_time is not None and not (one.author and one.author.id == wire.page)
    ]


def _comment_said(one: Comment, post: Commented) -> Incoming:
    assert one.created_time is not None
    return Incoming(
        remote_id=one.id,
        kind=MessageKind.COMMENT,
        by=person_of(one.author),
        text=one.message or "",
        said_at=one.created_time,
        url=one.permalink_url or post.permalink_url or "",
        conversation_id=post.id,
        reply_to_id=one.parent.id if one.parent else post.id,
        post_id=post.id,
        likes=one.like_count,
        liked_by_us=one.user_likes,
        extra={"kind": "comment"},
    )


def person_of(author: From | None) -> Person:
    """Facebook names people to an app only when they allow it."""
    if author is None:
        return Person(remote_id="", name=NETWORK, handle="")
    return Person(remote_id=author.id, name=author.name or NETWORK, handle=author.name)


async def _tagged(wire: Wire) -> list[Incoming]:
    answer = await wire.graph.get(f"/{wire.page}/tagged", {"fields": TAGGED, "limit": str(POSTS)})
    return [
        Incoming(
            remote_id=post.id,
            kind=MessageKind.MENTION,
            by=person_of(post.author),
            text=post.message or "",
            said_at=post.created_time,
            url=post.permalink_url or "",
            conversation_id=post.id,
            extra={"kind": "mention"},
        )
        for post in parsed(answer, Edge[Post], network=NETWORK).data
        if post.created_time is not None and not (post.author and post.author.id == wire.page)
    ]


async def _direct(wire: Wire) -> list[Incoming]:
    fields = "id,messages.limit(10){id,created_time,message,from}"
    params = {"platform": "messenger", "fields": fields, "limit": str(THREADS)}
    answer = await wire.graph.get(f"/{wire.page}/conversations", params)
    return [
        direct_said(one)
        for thread in parsed(answer, Edge[Thread], network=NETWORK).data
        for one in (thread.messages.data if thread.messages else ())
        if one.author is not None and one.author.id != wire.page
    ]


def direct_said(one: Message) -> Incoming:
    assert one.author is not None
    return Incoming(
        remote_id=one.id,
        kind=MessageKind.DIRECT,
        by=person_of(one.author),
        text=one.message or "",
        said_at=one.created_time,
        conversation_id=f"direct:{one.author.id}",
        answer_until=one.created_time + WINDOW,
        extra={"kind": "direct", "person": one.author.id},
    )
