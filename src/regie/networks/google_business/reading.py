"""What people say of the place, and the owner's answers. Source: ``accounts.locations.reviews`` of version 4.

A person has one review of a place, which they may write anew; its owner has one answer to it. Reviews are listed by the
time of their last change, so what was written anew comes again, under the same id.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from pydantic import ValidationError

from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Messages, Outgoing, Person, Published, Ref
from regie.networks.errors import Gone, Refused
from regie.networks.google import Entity
from regie.networks.google_business.entities import Reply, Review, Reviews
from regie.networks.google_business.wire import NETWORK, Wire, parsed

PAGE, MOST_PAGES = 50, 20
AGAIN = timedelta(minutes=5)  # what is told late is still new within these
STARS = {"ONE": 1, "TWO": 2, "THREE": 3, "FOUR": 4, "FIVE": 5}
NOBODY = "Google user"  # who did not say their name


class Cursor(Entity):
    """The newest change that we gave out, and what changed near it: "its id, its moment" each."""

    at: datetime | None = None
    near: tuple[str, ...] = ()


def read_cursor(cursor: str) -> Cursor:
    try:
        return Cursor.model_validate_json(cursor or "{}")
    except ValidationError:
        return Cursor()


async def messages(wire: Wire, *, cursor: str) -> Messages:
    """Reviews, and the owner's answers to them wherever they were written, oldest first."""
    known = read_cursor(cursor)
    reviews = await _reviews(wire, known)
    changed = [(moment, one) for review in reviews for moment, one in _said(wire, review)]
    changed.sort(key=lambda pair: (pair[0], pair[1].remote_id))
    fresh = [one for moment, one in changed if _is_new(known, moment, one)]
    return Messages(messages=tuple(fresh), cursor=_after(known, changed))


async def _reviews(wire: Wire, known: Cursor) -> list[Review]:
    """One page at first; afterwards as many as reach back to what we know."""
    found: list[Review] = []
    token = ""
    for _ in range(MOST_PAGES):
        params = {"pageSize": str(PAGE), **({"pageToken": token} if token else {})}
        page = parsed(await wire.get(f"{wire.place}/reviews", params), Reviews)
        found += page.reviews
        token = page.next_page
        oldest = min((one.updated_at for one in page.reviews if one.updated_at), default=None)
        if not token or known.at is None or (oldest is not None and oldest < known.at - AGAIN):
            break
    return found


def _said(wire: Wire, review: Review) -> Iterator[tuple[datetime, Incoming]]:
    """When it changed last, and what it says."""
    if (moment := review.updated_at or review.created_at) is not None:
        yield moment, review_said(review)
    if review.reply is not None and review.reply.updated_at is not None:
        yield review.reply.updated_at, _reply_said(wire, review, review.reply, review.reply.updated_at)


def review_said(review: Review) -> Incoming:
    """Google tells no id of who wrote it: the review's stands for the person."""
    said_at = review.created_at or review.updated_at
    assert said_at is not None
    return Incoming(
        remote_id=review.name,
        kind=MessageKind.REVIEW,
        by=Person(
            remote_id=review.name,
            name=review.reviewer.name or NOBODY,
            handle=review.reviewer.name or NOBODY,
            avatar_url=review.reviewer.photo,
        ),
        text=review.text,
        said_at=said_at,
        conversation_id=review.name,
        extra={"kind": "review", "stars": STARS.get(review.stars)},
    )


def _reply_said(wire: Wire, review: Review, reply: Reply, said_at: datetime) -> Incoming:
    return Incoming(
        remote_id=reply_id(review.name),
        kind=MessageKind.REVIEW,
        by=Person(remote_id=wire.place, name=str(wire.login.limits.get("name", "")), handle=""),
        text=reply.text,
        said_at=said_at,
        conversation_id=review.name,
        reply_to_id=review.name,
        extra=_of_reply(review.name),
    )


def reply_id(review: str) -> str:
    return f"{review}/reply"


def _of_reply(review: str) -> dict[str, str]:
    return {"kind": "reply", "review": review}


def _mark(moment: datetime, one: Incoming) -> str:
    return f"{one.remote_id} {moment.isoformat()}"


def _is_new(known: Cursor, moment: datetime, one: Incoming) -> bool:
    return known.at is None or (moment > known.at - AGAIN and _mark(moment, one) not in known.near)


def _after(known: Cursor, changed: Sequence[tuple[datetime, Incoming]]) -> str:
    newest = max([moment for moment, _ in changed] + ([known.at] if known.at else []), default=None)
    if newest is None:
        return "{}"
    near = {_mark(moment, one) for moment, one in changed if moment > newest - AGAIN}
    kept = set(known.near) if known.at is not None and newest - known.at < AGAIN else set()
    return json.dumps({"at": newest.isoformat(), "near": sorted(near | kept)}, sort_keys=True)


# Answering


async def reply(wire: Wire, to: Ref, outgoing: Outgoing) -> Published:
    """The owner's answer. It is looked first: another one that stands there would be replaced without a word.

    The same again changes nothing, so a call whose answer was lost is simply made again.
    """
    there = parsed(await wire.get(to.remote_id, addressed=True, vital=True), Review).reply
    if there is not None and there.text.strip() not in ("", outgoing.text.strip()):
        raise Refused(
            "There is an answer to this review on {network} already, and it takes one only: delete that one first.",
            network=NETWORK,
        )
    return await write_reply(wire, to.remote_id, outgoing.text)


async def write_reply(wire: Wire, review: str, text: str) -> Published:
    answer = await wire.do("PUT", reply_id(review), body={"comment": text})
    said = parsed(answer, Reply)
    return Published(remote_id=reply_id(review), at=said.updated_at, extra=_of_reply(review), answer=answer)


async def delete_reply(wire: Wire, review: str) -> None:
    try:
        await wire.do("DELETE", reply_id(review))
    except Gone:
        return
