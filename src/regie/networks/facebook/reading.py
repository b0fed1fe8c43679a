"""What people say to a Page: comments, posts that name it, messages. Sources: NOTES.md."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from regie.networks.capabilities import MessageKind
from regie.networks.data import AppKeys, Incoming, Messages, Person
from regie.networks.errors import Refused
from regie.networks.facebook.entities import Comment, Commented, Film, Message, Post, Thread
from regie.networks.facebook.wire import NETWORK, Wire
from regie.networks.meta.answering import answer_until
from regie.networks.meta.cursor import AGAIN, Cursor, read_cursor
from regie.networks.meta.entities import Edge, From
from regie.networks.meta.wire import parsed

POSTS, COMMENTS, THREADS, REELS = 25, 50, 20, 10
MOST_PAGES = 20  # of comments under one post, when more than a page is new
NEWEST = "reverse_chronological"
INNER = "id,message,from,created_time,parent{id},permalink_url,like_count,user_likes,is_hidden"
HELD = "attachments{media_type,target}"
UNDER = f"id,permalink_url,{HELD},comments.filter(stream).order({NEWEST}).limit({COMMENTS}){{{INNER}}}"
TAGGED = "id,message,from,created_time,permalink_url"


async def messages(wire: Wire, *, cursor: str) -> Messages:
    """Comments under the newest posts, Reels and advertisements, posts that name us, messages, oldest first, as far as
    we may read."""
    known = read_cursor(cursor)
    fresh: list[Incoming] = []
    now: dict[str, Any] = {}
    for name, ask in (("comments", _comments), ("ads", _under_ads), ("tagged", _tagged), ("direct", _direct)):
        mine = Cursor.model_validate(known.get(name) or {})
        try:
            found = await ask(wire, mine.at - AGAIN if mine.at else None)
        except Refused:
            if name == "comments":
                raise
            now[name] = known.get(name) or {}
            continue
        fresh += [one for one in found if mine.is_new(one)]
        now[name] = mine.after(found)
    rows = {one.remote_id: one for one in reversed(fresh)}  # a post may be an advertisement too
    told = sorted(rows.values(), key=lambda one: (one.said_at, one.remote_id))
    return Messages(messages=tuple(told), cursor=json.dumps(now, sort_keys=True))


async def _comments(wire: Wire, since: datetime | None) -> list[Incoming]:
    answer = await wire.graph.get(f"/{wire.page}/published_posts", {"fields": UNDER, "limit": str(POSTS)})
    posts = parsed(answer, Edge[Commented], network=NETWORK).data
    return await _said_under(wire, [*posts, *await _reels_beside(wire, {post.id for post in posts})], since)


async def _reels_beside(wire: Wire, known: Collection[str]) -> list[Commented]:
    """The posts of the newest Reels that are not among those: what is said is read there, as webhooks tell it."""
    try:
        answer = await wire.graph.get(f"/{wire.page}/video_reels", {"fields": "id,post_id", "limit": str(REELS)})
        posts = [film.post_of(wire.page) for film in parsed(answer, Edge[Film], network=NETWORK).data]
    except Refused:
        return []
    return [shown for post in posts if post and post not in known and (shown := await _post(wire, post, UNDER))]


async def _post(wire: Wire, post: str, fields: str) -> Commented | None:
    """One of ours; None when we may not read it, or it is gone."""
    try:
        answer = await wire.graph.get(f"/{post}", {"fields": fields}, addressed=True)
    except Refused:
        return None
    return parsed(answer, Commented, network=NETWORK)


async def completed(wire: Wire, news: Messages) -> Messages:
    """A delivery names the post that shows a video, where we know the video: which it holds is asked."""
    posts = {one.post_id for one in news.messages if one.kind is MessageKind.COMMENT and one.post_id}
    shown = {post: await _post(wire, post, f"id,{HELD}") for post in sorted(posts)}
    ours = {post: one.ours for post, one in shown.items() if one is not None}
    return replace(
        news, messages=tuple(replace(one, post_id=ours.get(one.post_id, one.post_id)) for one in news.messages)
    )


async def _under_ads(wire: Wire, since: datetime | None) -> list[Incoming]:
    """Posts that are shown as advertisements only are in no other list."""
    params = {"fields": UNDER, "include_inline_create": "true", "limit": str(POSTS)}
    answer = await wire.graph.get(f"/{wire.page}/ads_posts", params)
    return await _said_under(wire, parsed(answer, Edge[Commented], network=NETWORK).data, since)


async def _said_under(wire: Wire, posts: Iterable[Commented], since: datetime | None) -> list[Incoming]:
    return [
        _comment_said(one, post)
        for post in posts
        for one in await _back_to(wire, post, since)
        if one.created_time is not None and not (one.author and one.author.id == wire.page)
    ]


async def _back_to(wire: Wire, post: Commented, since: datetime | None) -> list[Comment]:
    """The newest comments under a post, page by page while all are newer than ``since``; None: one page."""
    page = post.comments or Edge[Comment]()
    found = list(page.data)
    for _ in range(MOST_PAGES - 1):
        if since is None or not page.after or any(one.created_time and one.created_time < since for one in page.data):
            break
        asked = {"filter": "stream", "order": NEWEST, "fields": INNER, "limit": str(COMMENTS), "after": page.after}
        answer = await wire.graph.get(f"/{post.id}/comments", asked)
        page = parsed(answer, Edge[Comment], network=NETWORK)
        found += page.data
    return found


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
        post_id=post.ours,
        likes=one.like_count,
        liked_by_us=one.user_likes,
        extra={"kind": "comment"},
    )


def person_of(author: From | None) -> Person:
    """Facebook names people to an app only when they allow it."""
    if author is None:
        return Person(remote_id="", name=NETWORK, handle="")
    return Person(remote_id=author.id, name=author.name or NETWORK, handle=author.name)


async def _tagged(wire: Wire, _: datetime | None) -> list[Incoming]:
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


async def _direct(wire: Wire, _: datetime | None) -> list[Incoming]:
    fields = "id,messages.limit(10){id,created_time,message,from}"
    params = {"platform": "messenger", "fields": fields, "limit": str(THREADS)}
    answer = await wire.graph.get(f"/{wire.page}/conversations", params)
    return [
        direct_said(one, wire.login.app)
        for thread in parsed(answer, Edge[Thread], network=NETWORK).data
        for one in (thread.messages.data if thread.messages else ())
        if one.author is not None and one.author.id != wire.page
    ]


def direct_said(one: Message, app: AppKeys | None) -> Incoming:
    assert one.author is not None
    return Incoming(
        remote_id=one.id,
        kind=MessageKind.DIRECT,
        by=person_of(one.author),
        text=one.message or "",
        said_at=one.created_time,
        conversation_id=f"direct:{one.author.id}",
        answer_until=answer_until(one.created_time, app),
        extra={"kind": "direct", "person": one.author.id, "said_at": one.created_time.isoformat()},
    )
