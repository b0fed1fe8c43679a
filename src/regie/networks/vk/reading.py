"""Comments under a community's posts, and what people write to it. Source: the schema, and the page on Bots Long Poll.

VK tells the news of a community to whoever holds the line (``next_messages``), with either key. Besides, there is no
list of all comments: the newest posts are asked, each again only when its number of comments has changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Messages, Outgoing, Person, Published, Ref, Seen
from regie.networks.errors import Refused, Unclear
from regie.networks.finding import Page, comment_in_pages
from regie.networks.vk.entities import (
    Comment,
    Comments,
    Conversations,
    Items,
    Message,
    News,
    Place,
    Post,
    Response,
    Said,
    Someone,
    Update,
)
from regie.networks.vk.wire import NETWORK, VERSION, Wire, clock, parsed

POSTS = 20
COMMENTS = 100
THREADS = 20
LOST_FOR = timedelta(minutes=1)  # after this a call whose answer was lost is no longer under way
WANTED = ("wall_reply_new", "wall_reply_delete", "message_new")
E = TypeVar("E", bound=BaseModel)
AGAIN = timedelta(minutes=5)  # times are whole seconds: what is told late is still new within these


async def messages(wire: Wire, *, cursor: str) -> Messages:
    """Comments with an administrator's key only.

    cursor: ``{"at": seconds, "ids": [...], "counts": {post: comments}, "ts": the last news heard}``
    """
    before = _read(cursor)
    counts: dict[str, int] = {}
    found = [*(await _comments(wire, before, counts) if wire.has_admin else ()), *await _direct(wire, before)]
    found.sort(key=lambda one: (one.said_at, one.remote_id))
    new = [one for one in found if _is_new(one, before)]
    return Messages(messages=tuple(new), cursor=json.dumps(_after(found, before, counts), sort_keys=True))


def _read(cursor: str) -> dict[str, Any]:
    try:
        found = json.loads(cursor or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_new(one: Incoming, before: Mapping[str, Any]) -> bool:
    if "at" not in before:
        return True
    return one.said_at.timestamp() > before["at"] - AGAIN.total_seconds() and one.remote_id not in before["ids"]


def _after(found: Sequence[Incoming], before: Mapping[str, Any], counts: Mapping[str, int]) -> dict[str, Any]:
    newest = max([one.said_at.timestamp() for one in found] + [before.get("at", 0)])
    near = {one.remote_id for one in found if one.said_at.timestamp() > newest - AGAIN.total_seconds()}
    kept = {one for one in before.get("ids", ()) if newest - before.get("at", 0) <= AGAIN.total_seconds()}
    place = {"ts": before["ts"]} if "ts" in before else {}
    return {"at": newest, "ids": sorted(near | kept), "counts": dict(counts), **place}


# On an open line


async def next_messages(wire: Wire, *, cursor: str, seconds: int) -> Messages:
    """News since ``cursor``, or nothing after ``seconds``. The first time, and when VK forgot some of it, we look."""
    before = _read(cursor)
    if "ts" not in before:
        await _turn_on(wire)
    place = parsed(await wire.ask("groups.getLongPollServer", group_id=wire.group, community=True), Response[Place])
    if "ts" not in before:
        return await _looked(wire, cursor, str(place.response.ts))
    ts, key = str(before["ts"]), place.response.key
    news = parsed(await wire.listen(place.response.server, key=key, ts=ts, seconds=seconds), News)
    if news.failed:
        return await _looked(wire, cursor, str(news.ts or place.response.ts))
    found = told(wire.owner, news.updates, await people(wire, _speakers(wire.owner, news.updates)))
    found.sort(key=lambda one: (one.said_at, one.remote_id))
    after = {**_after(found, before, before.get("counts", {})), "ts": str(news.ts)}
    return Messages(
        messages=tuple(one for one in found if one.remote_id not in before.get("ids", ())),
        cursor=json.dumps(after, sort_keys=True),
        gone=taken_back(news.updates),
    )


async def _turn_on(wire: Wire) -> None:
    """Where our key may not, somebody has to do it in the community's management."""
    with suppress(Refused):
        await wire.ask(
            "groups.setLongPollSettings",
            community=True,
            group_id=wire.group,
            enabled=True,
            api_version=VERSION,
            **dict.fromkeys(WANTED, True),
        )


async def _looked(wire: Wire, cursor: str, ts: str) -> Messages:
    page = await messages(wire, cursor=cursor)
    return replace(page, cursor=json.dumps({**_read(page.cursor), "ts": ts}, sort_keys=True))


def told(owner: str, updates: Sequence[Update], known: Mapping[int, Someone]) -> list[Incoming]:
    """What others said, in our words. ``known``: people by their numbers; somebody else has but a number."""
    theirs, direct = _said(owner, updates)
    return [
        *[_comment(owner, Post(id=one.post_id), one, known) for one in theirs],
        *[_message(one, known) for one in direct],
    ]


def _said(owner: str, updates: Sequence[Update]) -> tuple[list[Comment], list[Message]]:
    comments = [_valid(Comment, one.object) for one in updates if one.type in ("wall_reply_new", "wall_reply_edit")]
    said = [_valid(Message, one.object.get("message", {})) for one in updates if one.type == "message_new"]
    theirs = [one for one in comments if one is not None and one.from_id != int(owner)]
    return theirs, [one for one in said if one is not None and not one.out]


def _speakers(owner: str, updates: Sequence[Update]) -> set[int]:
    theirs, direct = _said(owner, updates)
    return {one.from_id for one in theirs} | {one.from_id for one in direct}


def taken_back(updates: Sequence[Update]) -> tuple[str, ...]:
    return tuple(_gone(one) for one in updates if one.type == "wall_reply_delete")


def _valid(entity: type[E], told: Mapping[str, Any]) -> E | None:
    """One that we cannot read is passed over: the next reading looks for it."""
    try:
        return entity.model_validate(told)
    except ValidationError:
        return None


async def people(wire: Wire, ids: set[int]) -> dict[int, Someone]:
    asked = sorted(one for one in ids if one > 0)
    if not asked:
        return {}
    answer = await wire.ask("users.get", community=True, user_ids=asked, fields=["screen_name", "photo_100"])
    return {one.id: one for one in parsed(answer, Response[tuple[Someone, ...]]).response}


def _gone(update: Update) -> str:
    told = update.object
    return f"{told.get('owner_id')}_{told.get('post_id')}_{told.get('id')}"


# Comments


async def _comments(wire: Wire, before: Mapping[str, Any], counts: dict[str, int]) -> list[Incoming]:
    answer = await wire.ask("wall.get", owner_id=wire.owner, count=POSTS)
    found: list[Incoming] = []
    for post in parsed(answer, Response[Items[Post]]).response.items:
        counts[str(post.id)] = post.comments.count or 0
        if counts[str(post.id)] and before.get("counts", {}).get(str(post.id)) != counts[str(post.id)]:
            found += await _under(wire, post)
    return found


async def _under(wire: Wire, post: Post) -> list[Incoming]:
    try:
        answer = await wire.ask(
            "wall.getComments",
            owner_id=wire.owner,
            post_id=post.id,
            sort="desc",
            count=COMMENTS,
            need_likes=True,
            extended=True,
            thread_items_count=10,
        )
    except Refused:  # closed since
        return []
    page = parsed(answer, Response[Comments]).response
    known = {one.id: one for one in page.profiles} | {-one.id: one for one in page.groups}
    return [
        _comment(wire.owner, post, one, known)
        for one in _all(page.items)
        if not one.deleted and one.from_id != int(wire.owner)
    ]


async def comment_found(wire: Wire, outgoing: Outgoing, to: Ref) -> Published | None:
    """Ours with the same words, under the post. A message cannot be told from another like it."""
    if to.extra.get("kind") == "direct":
        raise Unclear("{network} did not answer, and may have taken it.", network=NETWORK)
    post = str(to.extra.get("post") or to.remote_id)
    owner, _, number = post.partition("_")
    answers = bool(to.extra.get("comment"))  # to an old comment, maybe

    async def turn(after: str) -> Page:
        offset = int(after or 0)
        answer = await wire.ask(
            "wall.getComments",
            owner_id=owner,
            post_id=number,
            sort="desc",
            offset=offset,
            count=COMMENTS,
            thread_items_count=10,
            addressed=True,
        )
        page = parsed(answer, Response[Comments]).response
        top = page.items
        ours = (_ours(one, post) for one in _all(top) if one.from_id == int(wire.owner) and not one.deleted)
        more = len(top) >= COMMENTS
        if page.current_level_count is not None:  # a page may be short of what was deleted meanwhile
            more = offset + COMMENTS < page.current_level_count
        moments = () if answers else tuple(datetime.fromtimestamp(one.date, UTC) for one in top)
        return Page(
            ours=tuple(ours),
            moments=moments,
            after=str(offset + COMMENTS) if more else "",
            now=clock(answer),
        )

    return await comment_in_pages(turn, outgoing, network=NETWORK, shows_within=LOST_FOR)


def _ours(one: Comment, post: str) -> Seen:
    return Seen(
        remote_id=f"{post}_{one.id}",
        url=f"https://vk.com/wall{post}?reply={one.id}",
        text=one.text,
        media=0,
        created_at=datetime.fromtimestamp(one.date, UTC),
        extra={"kind": "comment", "post": post, "comment": one.id},
    )


def _all(comments: Sequence[Comment]) -> Iterator[Comment]:
    """Comments and the answers below them."""
    for one in comments:
        yield one
        if one.thread is not None:
            yield from _all(one.thread.items)


def _comment(owner: str, post: Post, one: Comment, known: Mapping[int, Someone]) -> Incoming:
    place = f"{owner}_{post.id}"
    answered = one.reply_to_comment or (one.parents_stack[-1] if one.parents_stack else None)
    return Incoming(
        remote_id=f"{place}_{one.id}",
        kind=MessageKind.COMMENT,
        by=person(one.from_id, known),
        text=one.text,
        said_at=datetime.fromtimestamp(one.date, UTC),
        url=f"https://vk.com/wall{place}?reply={one.id}",
        conversation_id=place,
        reply_to_id=f"{place}_{answered}" if answered else place,
        post_id=place,
        likes=one.likes.count,
        extra={"kind": "comment", "post": place, "comment": one.id},
    )


def person(who: int, among: Mapping[int, Someone]) -> Person:
    known = among.get(who)
    page = f"id{who}" if who > 0 else f"club{-who}"
    if known is None:
        return Person(remote_id=str(who), name=page, handle=f"@{page}", url=f"https://vk.com/{page}")
    handle = known.screen_name or page
    return Person(
        remote_id=str(who),
        name=known.name or f"{known.first_name} {known.last_name}".strip() or handle,
        handle=f"@{handle}",
        url=f"https://vk.com/{handle}",
        avatar_url=known.photo_100,
    )


# Direct messages


async def _direct(wire: Wire, before: Mapping[str, Any]) -> list[Incoming]:
    """Nothing where the community's key has no right to messages, or they are turned off."""
    try:
        answer = await wire.ask("messages.getConversations", community=True, count=THREADS, extended=True)
    except Refused:
        return []
    page = parsed(answer, Response[Conversations]).response
    known = {one.id: one for one in page.profiles}
    found: list[Incoming] = []
    for one in page.items:
        last = one.last_message
        if last is not None and last.date > before.get("at", 0) - AGAIN.total_seconds():
            found += await _with(wire, last.peer_id, known)
    return found


async def _with(wire: Wire, peer: int, known: Mapping[int, Someone]) -> list[Incoming]:
    answer = await wire.ask("messages.getHistory", community=True, peer_id=peer, count=THREADS)
    page = parsed(answer, Response[Said]).response
    return [_message(one, known) for one in page.items if not one.out]


def _message(one: Message, known: Mapping[int, Someone]) -> Incoming:
    return Incoming(
        remote_id=f"direct:{one.id}",
        kind=MessageKind.DIRECT,
        by=person(one.from_id, known),
        text=one.text,
        said_at=datetime.fromtimestamp(one.date, UTC),
        conversation_id=f"direct:{one.peer_id}",
        extra={"kind": "direct", "peer": one.peer_id},
    )
