"""What people say under a channel's videos. Source: commentThreads.list and comments.list.

YouTube lists threads by the time of their first comment and shows up to five answers with each. A thread that has more,
or got more since, is asked for all of its answers. What YouTube holds for review it lists apart, to the
channel's owner.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import ValidationError

from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Messages, Person
from regie.networks.errors import Refused
from regie.networks.google import Entity
from regie.networks.youtube.comments import HELD
from regie.networks.youtube.entities import Comment, Thread
from regie.networks.youtube.wire import Wire, listed

THREADS, ANSWERS = 100, 100  # in one question
MOST_PAGES = 5  # of threads in one reading
MOST_ASKED = 20  # threads whose answers are asked for in one reading
LATE = timedelta(days=1)  # what is told late (a comment that waited for review) is still new within this


class Cursor(Entity):
    """The newest message that the public sees and we gave out, the ids of those of the day before it, how many answers
    threads had, and the ids of what waited for review."""

    at: datetime | None = None
    ids: tuple[str, ...] = ()
    answers: dict[str, int] = {}
    held: tuple[str, ...] = ()

    def is_new(self, one: Incoming) -> bool:
        """Or says something new: that it waits for review, or no longer does."""
        if (one.remote_id in self.held) is not bool(one.hidden):
            return True
        if one.hidden:
            return False
        return self.at is None or (one.said_at > self.at - LATE and one.remote_id not in self.ids)

    def after(self, told: Sequence[Incoming], threads: Sequence[Thread]) -> Cursor:
        held = tuple(sorted(one.remote_id for one in told if one.hidden))
        public = [one for one in told if not one.hidden]
        moments = [one.said_at for one in public] + ([self.at] if self.at else [])
        newest = max(moments, default=None)
        if newest is None:
            return Cursor(held=held)
        near = {one.remote_id for one in public if one.said_at > newest - LATE}
        kept = set(self.ids) if self.at is not None and newest - self.at < LATE else set()
        counts = {one.id: one.snippet.replies for one in threads if one.snippet.replies}
        return Cursor(at=newest, ids=tuple(sorted(near | kept)), answers=counts, held=held)


def read_cursor(cursor: str) -> Cursor:
    try:
        return Cursor.model_validate_json(cursor or "{}")
    except ValidationError:
        return Cursor()


async def messages(wire: Wire, *, cursor: str) -> Messages:
    """Comments and answers, oldest first; our own are left out. What waits for review is hidden.

    What waits is asked for first: approved between the two questions, it is in both lists, and the later word holds.
    """
    known = read_cursor(cursor)
    waiting = await _waiting(wire)
    threads = await _threads(wire, known)
    said = [one for thread in waiting for one in _held_in(thread)]
    said += [one for thread in threads for one in (thread.snippet.top, *thread.replies.comments)]
    asked = [thread for thread in threads if _has_more(thread, known)][:MOST_ASKED]
    for thread in asked:
        said += await _answers(wire, thread.id)
    films = {thread.id: thread.snippet.video_id for thread in (*waiting, *threads)}
    told = {
        one.id: comment_said(wire, one, films[_top(one)])
        for one in said
        if one.snippet.author_id.value != wire.channel and one.snippet.published_at and films.get(_top(one))
    }
    fresh = sorted((one for one in told.values() if known.is_new(one)), key=lambda one: (one.said_at, one.remote_id))
    after = known.after(list(told.values()), threads)
    return Messages(messages=tuple(fresh), cursor=json.dumps(after.model_dump(mode="json"), sort_keys=True))


async def _threads(wire: Wire, known: Cursor) -> list[Thread]:
    """One page at first; afterwards as many as reach back to what we know."""
    found: list[Thread] = []
    token = ""
    for _ in range(MOST_PAGES):
        params = {**_of_the_channel(wire), **({"pageToken": token} if token else {})}
        answer = await wire.get("commentThreads", params)
        threads, token = listed(answer, Thread)
        found += threads
        moments = [one.snippet.top.snippet.published_at for one in threads if one.snippet.top.snippet.published_at]
        if not token or known.at is None or (moments and min(moments) < known.at):
            break
    return found


def _of_the_channel(wire: Wire) -> dict[str, str]:
    return {
        "part": "id,snippet,replies",
        "allThreadsRelatedToChannelId": wire.channel,
        "order": "time",
        "textFormat": "plainText",
        "maxResults": str(THREADS),
    }


async def _waiting(wire: Wire) -> list[Thread]:
    """The newest threads with something that waits for review, which only the channel's owner may see."""
    try:
        answer = await wire.get("commentThreads", {**_of_the_channel(wire), "moderationStatus": HELD})
    except Refused:
        return []
    return listed(answer, Thread)[0]


def _held_in(thread: Thread) -> list[Comment]:
    """Under a comment that everybody sees an answer may wait. Where YouTube says it of none, it is the comment."""
    top = thread.snippet.top
    every = (top, *thread.replies.comments)
    if any(one.snippet.moderation for one in every):
        return [one for one in every if one.snippet.moderation == HELD]
    return [top.model_copy(update={"snippet": top.snippet.model_copy(update={"moderation": HELD})})]


def _has_more(thread: Thread, known: Cursor) -> bool:
    count = thread.snippet.replies
    return count > len(thread.replies.comments) and count != known.answers.get(thread.id)


async def _answers(wire: Wire, thread: str) -> list[Comment]:
    found: list[Comment] = []
    token = ""
    for _ in range(MOST_PAGES):
        params = {"part": "id,snippet", "parentId": thread, "textFormat": "plainText", "maxResults": str(ANSWERS)}
        answer = await wire.get("comments", {**params, **({"pageToken": token} if token else {})})
        some, token = listed(answer, Comment)
        found += some
        if not token:
            break
    return found


def _top(one: Comment) -> str:
    return one.snippet.parent_id or one.id


def comment_said(wire: Wire, one: Comment, film: str) -> Incoming:
    """``film``: the video it stands under."""
    said = one.snippet
    assert said.published_at is not None
    top = _top(one)
    return Incoming(
        remote_id=one.id,
        kind=MessageKind.COMMENT,
        by=Person(
            remote_id=said.author_id.value or said.author,
            name=said.author,
            handle=said.author,
            url=said.author_url,
            avatar_url=said.avatar,
        ),
        text=said.original or said.shown,
        said_at=said.published_at,
        url=f"{wire.address(film)}&lc={one.id}",
        conversation_id=film,
        reply_to_id=top if said.parent_id else film,
        post_id=film,
        pictures=(said.picture,) if said.picture else (),
        likes=said.likes,
        hidden=said.moderation == HELD,
        extra={"kind": "comment", "video": film, "parent": top, "theirs": True},
    )
