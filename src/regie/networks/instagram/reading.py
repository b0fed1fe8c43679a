"""What people say to an Instagram account: comments, answers, mentions, direct messages. Sources: NOTES.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from regie.networks.capabilities import MessageKind
from regie.networks.data import AppKeys, Incoming, Messages, Person
from regie.networks.errors import Refused
from regie.networks.instagram.entities import Comment, Media, Mentioned, Message, Story, Thread
from regie.networks.instagram.wire import NETWORK, Wire
from regie.networks.meta.answering import answer_until
from regie.networks.meta.cursor import Cursor, read_cursor
from regie.networks.meta.entities import Edge
from regie.networks.meta.wire import parsed

POSTS, COMMENTS, THREADS = 25, 50, 20
INNER = "id,text,timestamp,username,from,like_count,hidden,parent_id"
UNDER = f"id,permalink,comments.limit({COMMENTS}){{{INNER},replies.limit({COMMENTS}){{{INNER}}}}}"
TAGGED = "id,caption,permalink,timestamp,username"
SAID = "id,created_time,message,from"
IN_COMMENT, IN_CAPTION = "id,text,timestamp,username,media{id}", "id,caption,timestamp,username"


async def messages(wire: Wire, *, cursor: str) -> Messages:
    """Comments under the newest posts, mentions, direct messages, oldest first, as far as we may read."""
    known = read_cursor(cursor)
    fresh: list[Incoming] = []
    now: dict[str, Any] = {}
    for name, ask in (("comments", _comments), ("tags", _tags), ("direct", _direct)):
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
    answer = await wire.graph.get(f"/{wire.user}/media", {"fields": UNDER, "limit": str(POSTS)})
    return [
        comment_said(one, media_id=media.id, url=media.permalink or "", top=top.id)
        for media in parsed(answer, Edge[Media], network=NETWORK).data
        for top in (media.comments.data if media.comments else ())
        for one in (top, *(top.replies.data if top.replies else ()))
        if not wire.is_ours(one) and one.timestamp is not None
    ]


def comment_said(one: Comment, *, media_id: str, url: str, top: str) -> Incoming:
    """``top``: the comment directly under the post that it is, or that it answers."""
    assert one.timestamp is not None
    answers = one.id != top
    return Incoming(
        remote_id=one.id,
        kind=MessageKind.COMMENT,
        by=_person(one.author.id if one.author else "", one.author.username if one.author else one.username),
        text=one.text or "",
        said_at=one.timestamp,
        url=url,
        conversation_id=media_id,
        reply_to_id=top if answers else media_id,
        post_id=media_id,
        likes=one.like_count,
        extra={"kind": "comment", "media": media_id, "parent": top if answers else ""},
    )


def _person(scoped: str, username: str) -> Person:
    url = f"https://www.instagram.com/{username}/" if username else ""
    return Person(remote_id=scoped or username, name=username, handle=f"@{username}" if username else "", url=url)


async def _tags(wire: Wire) -> list[Incoming]:
    """Posts of others that name us in a tag."""
    answer = await wire.graph.get(f"/{wire.user}/tags", {"fields": TAGGED, "limit": str(POSTS)})
    return [
        Incoming(
            remote_id=media.id,
            kind=MessageKind.MENTION,
            by=_person("", media.username),
            text=media.caption or "",
            said_at=media.timestamp,
            url=media.permalink or "",
            conversation_id=media.id,
            extra={"kind": "mention", "media": media.id},
        )
        for media in parsed(answer, Edge[Media], network=NETWORK).data
        if media.timestamp is not None and media.username != wire.username
    ]


def mention_told(*, media: str, comment: str, at: datetime) -> Incoming:
    """As a delivery tells it: where, and nothing more. ``completed`` asks who said what."""
    return Incoming(
        remote_id=comment or media,
        kind=MessageKind.MENTION,
        by=_person("", ""),
        text="",
        said_at=at,
        conversation_id=media,
        extra={"kind": "mention", "media": media, "comment": comment},
    )


async def completed(wire: Wire, news: Messages) -> Messages:
    """With what was said in mentions. One that we may not read, or that is gone, is left out."""
    found = [await _asked(wire, one) if one.kind is MessageKind.MENTION and not one.text else one
             for one in news.messages]  # fmt: skip
    return replace(news, messages=tuple(one for one in found if one is not None))


async def _asked(wire: Wire, one: Incoming) -> Incoming | None:
    media, comment = str(one.extra.get("media", "")), str(one.extra.get("comment", ""))
    if not media:
        return one  # a story that names us says no more
    fields = f"mentioned_media.media_id({media}){{{IN_CAPTION}}}"
    if comment:
        fields = f"mentioned_comment.comment_id({comment}){{{IN_COMMENT}}}"
    try:
        answer = await wire.graph.get(f"/{wire.user}", {"fields": fields})
    except Refused:
        return None
    told = parsed(answer, Mentioned, network=NETWORK)
    if (said := told.mentioned_comment or told.mentioned_media) is None:
        return None
    text = said.text if isinstance(said, Comment) else said.caption
    return replace(one, by=_person("", said.username), text=text or "", said_at=said.timestamp or one.said_at)


async def _direct(wire: Wire) -> list[Incoming]:
    """Of the newest conversations. With Facebook's login they belong to the Page."""
    try:
        threads = await _threads(wire, f"{SAID},story")
    except Refused:  # it may be for the stories that are asked for, too
        threads = await _threads(wire, SAID)
    return [
        direct_said(
            one.id,
            who=one.author.id,
            name=one.author.username,
            text=one.message or "",
            at=one.created_time,
            story=one.story or Story(),
            app=wire.login.app,
        )
        for thread in threads
        for one in (thread.messages.data if thread.messages else ())
        if isinstance(one, Message) and one.author is not None and one.author.id != wire.user
    ]


async def _threads(wire: Wire, said: str) -> Sequence[Thread]:
    fields = {"platform": "instagram", "fields": f"id,messages.limit(10){{{said}}}", "limit": str(THREADS)}
    answer = await wire.graph.get(f"/{wire.messaging}/conversations", fields)
    return parsed(answer, Edge[Thread], network=NETWORK).data


def direct_said(
    mid: str, *, who: str, name: str, text: str, at: datetime, story: Story, app: AppKeys | None
) -> Incoming:
    """Answers to one of our stories belong to that story; being named in somebody's is a mention."""
    ours = story.reply_to.id if story.reply_to is not None else ""
    return Incoming(
        remote_id=mid,
        kind=MessageKind.MENTION if story.mention is not None else MessageKind.DIRECT,
        by=_person(who, name),
        text=text,
        said_at=at,
        url=(story.mention.link or "") if story.mention is not None else "",
        conversation_id=f"direct:{who}:{ours}" if ours else f"direct:{who}",
        reply_to_id=ours,
        post_id=ours,
        answer_until=answer_until(at, app),
        extra={"kind": "direct", "person": who, "said_at": at.isoformat()},
    )
