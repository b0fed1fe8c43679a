"""What people say to a Page: comments under its posts, posts that name it. Sources: NOTES.md.

LinkedIn keeps sixty days of notifications, the same that it brings by webhook. They say which comments are new; each is
then asked for by itself, for its moment and what it answers. Listing every post's comments takes a request per post.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Messages, Person
from regie.networks.errors import NetworkError, Refused, SignInAgain, TryLater
from regie.networks.linkedin import little
from regie.networks.linkedin.entities import Comment, Elements, Entity, Me, Moment, Notification, Organizations
from regie.networks.linkedin.publishing import COMMENTS, parts_of
from regie.networks.linkedin.wire import (
    MEMBER_URN,
    PAGE_URN,
    Wire,
    comment_at,
    key,
    member_at,
    page_at,
    parsed,
    post_at,
)

PAGE = 50
MOST_PAGES = 20
AGAIN = timedelta(minutes=5)  # what is told late is still new within these
SAID, GONE, NAMED = ("COMMENT", "ADMIN_COMMENT"), "COMMENT_DELETE", "SHARE_MENTION"
ACTIONS = f"List({','.join((*SAID, GONE, NAMED))})"
NAMELESS = "LinkedIn member"


class Cursor(Entity):
    """The newest notification that we gave out, and the numbers of those near it."""

    at: Moment | None = None
    ids: tuple[str, ...] = ()

    def is_new(self, one: Notification) -> bool:
        return self.at is None or (one.last_modified_at > self.at - AGAIN and one.notification_id not in self.ids)

    def after(self, all_: Sequence[Notification]) -> str:
        moments = [one.last_modified_at for one in all_] + ([self.at] if self.at else [])
        if not moments:
            return ""
        newest = max(moments)
        near = {one.notification_id for one in all_ if one.last_modified_at > newest - AGAIN}
        kept = set(self.ids) if self.at is not None and self.at > newest - AGAIN else set()
        return json.dumps({"at": newest.isoformat(), "ids": sorted(near | kept)})


def _cursor(kept: str) -> Cursor:
    try:
        return Cursor.model_validate_json(kept or "{}")
    except ValidationError:
        return Cursor()


async def messages(wire: Wire, *, cursor: str) -> Messages:
    """Comments and mentions since the cursor, oldest first. Members and editors of Pages are told none."""
    if not wire.can.reads:
        return Messages(messages=(), cursor=cursor)
    known = _cursor(cursor)
    told = await _notifications(wire, known)
    fresh = sorted(
        (one for one in told if known.is_new(one)), key=lambda one: (one.last_modified_at, one.notification_id)
    )
    people = People(wire)
    found = [await _in_full(wire, one, people) for one in fresh]
    return Messages(
        messages=tuple(one for one in found if one is not None and one.by.remote_id != wire.me),
        cursor=known.after(told),
        gone=tuple(comment_of(one) for one in fresh if one.action == GONE),
    )


async def _notifications(wire: Wire, known: Cursor) -> list[Notification]:
    """Page by page, until one reaches back past the cursor. Without a cursor one page is enough."""
    found: dict[str, Notification] = {}
    for nth in range(MOST_PAGES):
        query = f"q=criteria&organizationalEntity={key(wire.me)}&actions={ACTIONS}&count={PAGE}&start={nth * PAGE}"
        page = parsed(await wire.get(f"/rest/organizationalEntityNotifications?{query}"), Elements[dict[str, Any]])
        told = readable(page.elements)
        found.update((one.notification_id, one) for one in told)
        oldest = min((one.last_modified_at for one in told), default=None)
        if len(page.elements) < PAGE or known.at is None or oldest is None or oldest < known.at - AGAIN:
            break
    return list(found.values())


def readable(rows: Iterable[Mapping[str, Any]]) -> list[Notification]:
    """Those that we can read: one that is new to us hides none of the others."""
    found = []
    for row in rows:
        try:
            found.append(Notification.model_validate(row))
        except ValidationError:
            continue
    return found


async def _in_full(wire: Wire, one: Notification, people: People) -> Incoming | None:
    """With what the comment itself says. What was taken back meanwhile is left out."""
    told = as_incoming(one, wire.login.server)
    if told is None:
        return None
    if told.kind is MessageKind.COMMENT:
        under, number = parts_of(told.remote_id)
        try:
            answer = await wire.get(f"/rest/socialActions/{key(under)}/comments/{number}", addressed=True)
            told = _with(told, parsed(answer, Comment))
        except (SignInAgain, TryLater):
            raise
        except Refused as exc:
            if exc.answer is not None and exc.answer.status in (404, 410):
                return None
    return replace(told, by=await people.called(told.by.remote_id))


def _with(told: Incoming, comment: Comment) -> Incoming:
    parent = comment.parent_comment
    return replace(
        told,
        text=comment.message.text or told.text,
        said_at=comment.created.time if comment.created is not None else told.said_at,
        by=Person(remote_id=comment.actor or told.by.remote_id, name=told.by.name, handle=""),
        reply_to_id=parent or told.post_id,
        extra={**told.extra, "parent": parent},
    )


def comment_of(one: Notification) -> str:
    """The comment's urn. Beside its decoration it is written without ``urn:li:`` inside the brackets."""
    decorated = one.decorated_generated_activity.comment
    if decorated is not None and decorated.entity:
        return decorated.entity
    under, number = parts_of(one.generated_activity)
    return f"{COMMENTS}({under},{number})"


def as_incoming(one: Notification, server: str) -> Incoming | None:
    """What a notification says by itself; None for what nobody said (a like, an edit, a deletion)."""
    if one.action in SAID:
        return _comment(one, server)
    return _mention(one, server) if one.action == NAMED else None


def _comment(one: Notification, server: str) -> Incoming:
    said, post = one.decorated_generated_activity.comment, post_of(one)
    return Incoming(
        remote_id=comment_of(one),
        kind=MessageKind.COMMENT,
        by=nameless(said.owner if said is not None else ""),
        text=said.text if said is not None else "",
        said_at=one.last_modified_at,
        url=comment_at(server, post, comment_of(one)),
        conversation_id=post,
        reply_to_id=post,
        post_id=post,
        extra={"kind": "comment", "post": post, "parent": ""},
    )


def post_of(one: Notification) -> str:
    """The post as it was named when it was published: ``sourcePost`` may name its activity instead."""
    decorated = one.decorated_source_post
    return decorated.entity if decorated is not None and decorated.entity else one.source_post


def _mention(one: Notification, server: str) -> Incoming:
    said = one.decorated_generated_activity.share or one.decorated_source_post
    urn = (said.entity if said is not None else "") or one.generated_activity or one.source_post
    return Incoming(
        remote_id=urn,
        kind=MessageKind.MENTION,
        by=nameless(said.owner if said is not None else ""),
        text=little.read(said.text) if said is not None else "",
        said_at=one.last_modified_at,
        url=post_at(server, urn),
        conversation_id=urn,
        extra={"kind": "mention"},
    )


def nameless(urn: str) -> Person:
    """LinkedIn's notifications name nobody."""
    return Person(remote_id=urn, name=NAMELESS, handle="")


class People:
    """Who is called what, asked once each. LinkedIn shows some members to no app: they stay without a name."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._known: dict[str, Person] = {}

    async def called(self, urn: str) -> Person:
        if urn not in self._known:
            try:
                self._known[urn] = await self._ask(urn)
            except (SignInAgain, TryLater):
                raise
            except NetworkError:
                self._known[urn] = nameless(urn)
        return self._known[urn]

    async def _ask(self, urn: str) -> Person:
        if urn.startswith(MEMBER_URN):
            number = key(urn.removeprefix(MEMBER_URN))
            me = parsed(await self._wire.get(f"/rest/people/(id:{number})", addressed=True), Me)
            url = member_at(self._wire.login.server, me.vanity_name)
            return Person(remote_id=urn, name=me.name or NAMELESS, handle=me.vanity_name, url=url)
        if urn.startswith(PAGE_URN):
            number = urn.removeprefix(PAGE_URN)
            answer = await self._wire.get(f"/rest/organizationsLookup?ids=List({key(number)})")
            page = parsed(answer, Organizations).results.get(number)
            if page is not None:
                url = page_at(self._wire.login.server, page.vanity_name or number)
                return Person(remote_id=urn, name=page.localized_name or NAMELESS, handle=page.vanity_name, url=url)
        return nameless(urn)
