"""What people say to a Threads account: answers and mentions. There are no direct messages. Sources: NOTES.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Messages, Person
from regie.networks.errors import Refused
from regie.networks.meta.cursor import AGAIN, Cursor, read_cursor
from regie.networks.meta.entities import Edge
from regie.networks.meta.wire import parsed
from regie.networks.threads.entities import Post
from regie.networks.threads.wire import NETWORK, Wire

POSTS, ANSWERS = 25, 50
MOST_PAGES = 20
SAID = "id,text,permalink,timestamp,username,media_type,media_url,thumbnail_url,profile_picture_url"
ANSWER = f"{SAID},is_reply,is_reply_owned_by_me,root_post,replied_to,has_replies"


async def messages(wire: Wire, *, cursor: str) -> Messages:
    """Answers under the newest posts, and mentions, oldest first, as far as we may read."""
    known = read_cursor(cursor)
    fresh: list[Incoming] = []
    now: dict[str, Any] = {}
    for name, ask in (("answers", _answers), ("mentions", _mentions)):
        mine = Cursor.model_validate(known.get(name) or {})
        try:
            found = await ask(wire, mine.at - AGAIN if mine.at else None)
        except Refused:
            if name == "answers":
                raise
            now[name] = known.get(name) or {}
            continue
        fresh += [one for one in found if mine.is_new(one)]
        now[name] = mine.after(found)
    rows = {one.remote_id: one for one in reversed(fresh)}  # an answer that names us is told as an answer
    told = sorted(rows.values(), key=lambda one: (one.said_at, one.remote_id))
    return Messages(messages=tuple(told), cursor=json.dumps(now, sort_keys=True))


async def _pages(wire: Wire, path: str, params: Mapping[str, str], since: datetime | None) -> list[Post]:
    """Newest first, back to ``since``; without one, a single page."""
    found: list[Post] = []
    after = ""
    for _ in range(MOST_PAGES if since else 1):
        asked = {"limit": str(ANSWERS), **params, **({"after": after} if after else {})}
        page = parsed(await wire.graph.get(path, asked), Edge[Post], network=NETWORK)
        found += page.data
        after = page.after
        if not after or any(one.timestamp < since for one in page.data if one.timestamp and since):
            break
    return [one for one in found if one.timestamp]


async def _answers(wire: Wire, since: datetime | None) -> list[Incoming]:
    """Threads lists those of one post at a time."""
    answer = await wire.graph.get("/me/threads", {"fields": "id,timestamp,has_replies", "limit": str(POSTS)})
    found: list[Incoming] = []
    for post in parsed(answer, Edge[Post], network=NETWORK).data:
        if not post.has_replies:
            continue
        rows = await _pages(wire, f"/{post.id}/conversation", {"fields": ANSWER, "reverse": "true"}, since)
        found += [answer_said(one, post=post.id) for one in rows if not _is_ours(wire, one)]
    return found


def _is_ours(wire: Wire, one: Post) -> bool:
    return bool(one.is_ours) or (bool(wire.username) and one.username == wire.username)


def answer_said(one: Post, *, post: str) -> Incoming:
    """``post``: ours, at the top."""
    return _said(one, MessageKind.REPLY, conversation=post, post=post)


def mention_said(one: Post) -> Incoming:
    root = one.root_post.id if one.root_post is not None and one.root_post.id else one.id
    return _said(one, MessageKind.MENTION, conversation=root, post="")


def _said(one: Post, kind: MessageKind, *, conversation: str, post: str) -> Incoming:
    assert one.timestamp is not None
    picture = one.thumbnail_url or (one.media_url if one.media_type == "IMAGE" else "")
    return Incoming(
        remote_id=one.id,
        kind=kind,
        by=Person(
            remote_id=one.username,
            name=one.username,
            handle=f"@{one.username}",
            url=f"https://www.threads.com/@{one.username}",
            avatar_url=one.profile_picture_url or "",
        ),
        text=one.text or "",
        said_at=one.timestamp,
        url=one.permalink or "",
        conversation_id=conversation,
        reply_to_id=one.replied_to.id if one.replied_to is not None else "",
        post_id=post,
        pictures=(picture,) if picture else (),
    )


async def _mentions(wire: Wire, since: datetime | None) -> list[Incoming]:
    rows = await _pages(wire, "/me/mentions", {"fields": f"{SAID},root_post,replied_to"}, since)
    return [mention_said(one) for one in rows if not _is_ours(wire, one)]
