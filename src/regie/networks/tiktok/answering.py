"""Comments of ours, with the login for business accounts: under a post, or under a comment. Sources: NOTES.md."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from regie.networks.capabilities import Counting
from regie.networks.data import Json, Outgoing, Published, Ref, Seen
from regie.networks.errors import Refused, Unclear
from regie.networks.finding import comment_among, since_of
from regie.networks.text import length
from regie.networks.tiktok import business
from regie.networks.tiktok.entities import Comment
from regie.networks.tiktok.wire import NETWORK, Wire

MOST_PAGES = 17  # of thirty: beyond 500 comments TikTok repeats some
LOST_FOR = timedelta(minutes=5)  # TikTok tells of a comment within five minutes; after this one is not on its way


def must_be_allowed(wire: Wire) -> None:
    if not wire.business:
        raise Refused("{network} lets an app write no comments with this sign-in.", network=NETWORK)


def must_be_fine(wire: Wire, outgoing: Outgoing) -> None:
    """What TikTok would not take as a comment."""
    must_be_allowed(wire)
    if outgoing.media or outgoing.documents or outgoing.sounds:
        raise Refused("A comment on {network} has no pictures.", network=NETWORK)
    if outgoing.poll is not None:
        raise Refused("{network} has no polls.", network=NETWORK)
    if outgoing.content_warning or outgoing.sensitive:
        raise Refused("{network} has no content warnings.", network=NETWORK)
    if length(outgoing.text, Counting.CHARACTERS) > business.LONGEST_COMMENT:
        raise Refused(
            "A comment on {network} has at most {most} characters.", network=NETWORK, most=business.LONGEST_COMMENT
        )


def place_of(to: Ref) -> tuple[str, str]:
    """The post, and the comment on top that is answered ("" under the post itself): an answer to an answer stands
    beside it."""
    if to.extra.get("kind") != "comment":
        return to.remote_id, ""
    return str(to.extra.get("video", "")), str(to.extra.get("parent") or to.remote_id)


async def comment(wire: Wire, to: Ref, text: str) -> Published:
    video, top = place_of(to)
    made, answer = await business.say(wire, video, text, under=top)
    return Published(remote_id=made.comment_id, extra=_extra(video, top), answer=answer)


def _extra(video: str, top: str) -> Json:
    return {"kind": "comment", "video": video, "parent": top}


async def found(wire: Wire, outgoing: Outgoing, to: Ref) -> Published | None:
    """Ours with the same words, where it should stand."""
    video, top = place_of(to)
    said, now = await _said_since(wire, video, top, since_of(outgoing))
    ours = [_seen(one, video, top) for one in said if one.owner]
    return comment_among(ours, outgoing, network=NETWORK, now=now, shows_within=LOST_FOR)


async def _said_since(wire: Wire, video: str, top: str, since: datetime) -> tuple[list[Comment], datetime | None]:
    """Newest first, back to ``since``, and TikTok's clock."""
    found: list[Comment] = []
    cursor, now = 0, None
    for _ in range(MOST_PAGES):
        page, answer = await business.comments(wire, video, under=top, cursor=cursor)
        found, cursor, now = [*found, *page.comments], page.cursor, now or answer.date
        if not page.has_more or any(one.create_time < since.timestamp() for one in page.comments):
            return found, now
    raise Unclear("{network} lists more comments under this post than we can look through.", network=NETWORK)


def _seen(one: Comment, video: str, top: str) -> Seen:
    return Seen(
        remote_id=one.comment_id,
        url="",
        text=one.text or "",
        media=0,
        created_at=datetime.fromtimestamp(one.create_time, UTC),
        reply_to_id=top or video,
        extra=_extra(video, top),
    )
