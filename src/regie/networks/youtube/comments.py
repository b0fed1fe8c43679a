"""Comments under videos: ours, and who may see those of others. Source: commentThreads, comments of the Data API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from regie.networks.data import Outgoing, Published, Ref, Seen
from regie.networks.errors import Gone, TryLater
from regie.networks.finding import Page, comment_in_pages
from regie.networks.line import Answer
from regie.networks.youtube.entities import Comment, Ident, Thread
from regie.networks.youtube.wire import NETWORK, Wire, listed, written

HELD, SHOWN, REJECTED = "heldForReview", "published", "rejected"
LOST_FOR = timedelta(minutes=1)  # after this a call whose answer was lost is no longer under way


async def write(wire: Wire, to: Ref, text: str) -> Published:
    """Under our own video, or an answer to somebody's comment. An answer to an answer stands beside it."""
    if to.extra.get("kind") == "comment":
        top = _top(to)
        body: dict[str, Any] = {"snippet": {"parentId": top, "textOriginal": text}}
        what = "comments"
    else:
        top, what = "", "commentThreads"
        said = {"topLevelComment": {"snippet": {"textOriginal": text}}}
        body = {"snippet": {"channelId": wire.channel, "videoId": to.remote_id, **said}}
    answer = await wire.publish("POST", what, {"part": "snippet"}, body, addressed=True)
    film = str(to.extra.get("video") or to.remote_id)
    return _as_comment(wire, written(answer, Ident).id, film, top, answer=answer)


def _top(to: Ref) -> str:
    """The comment directly under the video: an answer's id holds it before a dot."""
    return str(to.extra.get("parent") or to.remote_id.partition(".")[0])


def _as_comment(wire: Wire, comment_id: str, film: str, top: str, *, answer: Answer | None) -> Published:
    return Published(
        remote_id=comment_id,
        url=f"{wire.address(film)}&lc={comment_id}",
        extra={"kind": "comment", "video": film, "parent": top or comment_id},
        answer=answer,
    )


async def found(wire: Wire, outgoing: Outgoing, to: Ref) -> Published | None:
    """Ours with the same words, under what it answers."""
    plain = {"part": "id,snippet", "textFormat": "plainText", "maxResults": "100"}
    film = str(to.extra.get("video") or to.remote_id)
    top = _top(to) if to.extra.get("kind") == "comment" else ""

    async def turn(after: str) -> Page:
        more = {**plain, **({"pageToken": after} if after else {})}
        if top:
            answer = await wire.get("comments", {**more, "parentId": top})
            written_there, token = listed(answer, Comment)
        else:
            answer = await wire.get("commentThreads", {**more, "videoId": film, "order": "time"})
            threads, token = listed(answer, Thread)
            written_there = [thread.snippet.top for thread in threads]
        ours = (_seen(wire, one, film, top) for one in written_there if one.snippet.author_id.value == wire.channel)
        moments = tuple(one.snippet.published_at for one in written_there if one.snippet.published_at is not None)
        return Page(ours=tuple(ours), moments=moments, after=token, now=answer.now)

    return await comment_in_pages(turn, outgoing, network=NETWORK, shows_within=LOST_FOR)


def _seen(wire: Wire, one: Comment, film: str, top: str) -> Seen:
    told, said = _as_comment(wire, one.id, film, top, answer=None), one.snippet
    return Seen(
        remote_id=told.remote_id,
        url=told.url,
        text=said.original or said.shown,
        media=0,
        created_at=said.published_at or datetime.max.replace(tzinfo=UTC),
        extra=told.extra,
    )


async def edit(wire: Wire, ref: Ref, text: str) -> Published:
    body = {"id": ref.remote_id, "snippet": {"textOriginal": text}}
    answer = await wire.do("PUT", "comments", {"part": "snippet"}, body, addressed=True)
    return Published(remote_id=ref.remote_id, extra=ref.extra, answer=answer)


async def moderate(wire: Wire, ref: Ref, *, status: str) -> None:
    """Under our own videos. ``status``: HELD waits for review, where it is found again in YouTube Studio and here;
    SHOWN is for everybody; REJECTED is for good."""
    asked = {"id": ref.remote_id, "moderationStatus": status}
    await wire.do("POST", "comments/setModerationStatus", asked, addressed=True)


async def delete(wire: Wire, ref: Ref) -> None:
    """Ours is taken back, those of others are rejected: only their authors can delete them."""
    try:
        if ref.extra.get("theirs"):
            await moderate(wire, ref, status=REJECTED)
        else:
            await wire.do("DELETE", "comments", {"id": ref.remote_id}, addressed=True)
    except Gone:
        return


def must_not_be_under_way(outgoing: Outgoing, answer: Answer) -> None:
    if answer.now < outgoing.planned_at + LOST_FOR:
        raise TryLater(
            "{network} may still be publishing it.", network=NETWORK, not_before=outgoing.planned_at + LOST_FOR
        )
