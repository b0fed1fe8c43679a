"""Comments of ours, with the login for business accounts: under a post, or under a comment. Sources: NOTES.md."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from regie.networks.capabilities import Counting
from regie.networks.data import Json, Outgoing, Published, Ref
from regie.networks.errors import Refused, TryLater
from regie.networks.text import length
from regie.networks.tiktok import business
from regie.networks.tiktok.wire import NETWORK, Wire

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
    page, answer = await business.comments(wire, video, under=top)
    since, wanted = outgoing.planned_at - timedelta(minutes=2), " ".join(outgoing.text.split())
    for one in page.comments:
        said_at = datetime.fromtimestamp(one.create_time, UTC)
        if one.owner and said_at >= since and " ".join((one.text or "").split()) == wanted:
            return Published(remote_id=one.comment_id, at=said_at, extra=_extra(video, top), answer=answer)
    if (answer.date or datetime.now(UTC)) < outgoing.planned_at + LOST_FOR:
        raise TryLater(
            "{network} may still be publishing it.", network=NETWORK, not_before=outgoing.planned_at + LOST_FOR
        )
    return None
