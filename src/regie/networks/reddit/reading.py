"""What the account has said, and what is said to it. Source: the recordings of the inbox, and listings of a user."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Listing, Messages, Outgoing, Person, Published, Ref, Seen
from regie.networks.errors import Refused, Unclear
from regie.networks.finding import comment_among, since_of
from regie.networks.line import Answer
from regie.networks.meta.cursor import AGAIN, Cursor, read_cursor
from regie.networks.reddit import modmail
from regie.networks.reddit.entities import Thing, Things
from regie.networks.reddit.limits import NETWORK
from regie.networks.reddit.publishing import address_of, extra_of, is_gone
from regie.networks.reddit.wire import PAGES, Wire, parsed

PAGE = "100"
SHOWS_WITHIN = timedelta(minutes=2)  # as long as a post: CAN.repeat
MOST_PAGES = 10  # Reddit's listings end after a thousand
POLL_LINK = re.compile(r"\n\n\[View Poll\]\(https://www\.reddit\.com/poll/\w+\)\s*$")
UNDER = re.compile(r"/comments/(\w+)/")
KINDS = {
    "username_mention": MessageKind.MENTION,
    "post_reply": MessageKind.COMMENT,
    "comment_reply": MessageKind.COMMENT,
}
INFO_AT_ONCE = 100


async def own_posts(wire: Wire, *, since: datetime) -> Listing:
    """Posts, comments and private messages, newest first. What the account deleted is not among them."""
    name = await wire.username()
    found: list[Thing] = []
    back_to, now = since, None
    for path in (f"/user/{name}/submitted", f"/user/{name}/comments", *(["/message/sent"] if _may_write(wire) else [])):
        things, reaches, answer = await _listing(wire, path, since)
        found += things
        back_to, now = max(back_to, reaches), now or answer.date
    seen = [_as_seen(one) for one in found if one.created_utc and one.created_utc >= since]
    seen += await modmail.our_answers(wire, name, since=since)
    seen.sort(key=lambda one: one.created_at, reverse=True)
    return Listing(seen=tuple(seen), reaches_back_to=back_to, network_now=now)


async def comment_found(wire: Wire, outgoing: Outgoing, to: Ref) -> Published | None:
    """Ours with the same words, among the account's newest comments."""
    since = since_of(outgoing)
    things, reaches, answer = await _listing(wire, f"/user/{await wire.username()}/comments", since)
    if reaches > since:
        raise Unclear("{network} does not list the account's comments far enough back.", network=NETWORK)
    under = [_as_seen(one) for one in things if one.parent_id == to.remote_id and one.created_utc]
    return comment_among(under, outgoing, network=NETWORK, now=answer.date, shows_within=SHOWS_WITHIN)


def _may_write(wire: Wire) -> bool:
    """Private messages: without the permission there are none of ours."""
    scopes = wire.login.limits.get("scopes")
    return not scopes or "privatemessages" in scopes


async def _listing(wire: Wire, path: str, since: datetime) -> tuple[list[Thing], datetime, Answer]:
    """Its things, how far back they reach, and the first answer."""
    found: list[Thing] = []
    first, after = None, ""
    for _ in range(MOST_PAGES):
        params = {"limit": PAGE, "sort": "new", **({"after": after} if after else {})}
        answer = await wire.get(path, params)
        first, page = first or answer, parsed(answer, Things).data
        found += [child.data for child in page.children]
        after = page.after or ""
        oldest = min((one.created_utc for one in found if one.created_utc), default=None)
        if not after or (oldest is not None and oldest < since):
            return found, since, first
    assert first is not None
    return found, max(since, oldest) if oldest is not None else since, first


def _as_seen(one: Thing) -> Seen:
    assert one.created_utc is not None
    return Seen(
        remote_id=one.name,
        url=address_of(one),
        text=POLL_LINK.sub("", one.selftext or "") if one.body is None else one.body,
        media=_files(one),
        created_at=one.created_utc,
        reply_to_id=one.parent_id or "",
        options={"title": one.title} if one.title else {},
        extra=extra_of(one),
    )


def _files(one: Thing) -> int:
    if one.gallery_data is not None:
        return len(one.gallery_data.items)
    return 1 if one.is_video or one.domain in ("i.redd.it", "v.redd.it") else 0


# What is said to us


async def messages(wire: Wire, *, cursor: str) -> Messages:
    """Comments under our posts and comments, mentions, private messages, modmail since ``cursor``, oldest first."""
    known = read_cursor(cursor)
    fresh: list[Incoming] = []
    now: dict[str, Any] = {}
    for name, ask in (("inbox", _from_inbox), ("modmail", _from_modmail)):
        place = Cursor.model_validate(known.get(name) or {})
        try:
            found = await ask(wire, place)
        except Refused:
            if name == "inbox":
                raise
            now[name] = known.get(name) or {}  # modmail is more than moderators of every kind may read
            continue
        fresh += [one for one in found if place.is_new(one)]
        now[name] = place.after(found)
    fresh.sort(key=lambda one: one.said_at)
    return Messages(messages=tuple(fresh), cursor=json.dumps(now, sort_keys=True))


async def _from_inbox(wire: Wire, place: Cursor) -> list[Incoming]:
    us = await wire.username()
    heard = await _inbox(wire, back_to=_reach(place))
    heard = [one for one in heard if (one.author or "").lower() != us.lower() and one.created_utc]
    ours = await _ours(wire, us, heard)
    return [_incoming(one, ours) for one in reversed(heard)]


async def _from_modmail(wire: Wire, place: Cursor) -> list[Incoming]:
    return await modmail.said_to_us(wire, since=_reach(place))


def _reach(place: Cursor) -> datetime | None:
    return place.at - AGAIN if place.at else None


async def _inbox(wire: Wire, *, back_to: datetime | None) -> list[Thing]:
    """Newest first. Without a moment to go back to, a single page. ``mark``: reading here leaves it unread there."""
    found: list[Thing] = []
    after = ""
    for _ in range(MOST_PAGES if back_to else 1):
        params = {"limit": PAGE, "mark": "false", **({"after": after} if after else {})}
        page = parsed(await wire.get("/message/inbox", params), Things).data
        found += [child.data for child in page.children]
        after = page.after or ""
        if not after or any(one.created_utc < back_to for one in found if one.created_utc and back_to):
            break
    return found


async def _ours(wire: Wire, us: str, heard: Sequence[Thing]) -> frozenset[str]:
    """Which of the posts they stand under are the account's own. Of answers to our comments Reddit does not say."""
    known = {f"t3_{post}" for one in heard if one.type == "post_reply" and (post := _post_of(one))}
    asked = {f"t3_{post}" for one in heard if one.type != "post_reply" and (post := _post_of(one))} - known
    names = sorted(asked)
    for first in range(0, len(names), INFO_AT_ONCE):
        some = {"id": ",".join(names[first : first + INFO_AT_ONCE])}
        page = parsed(await wire.get("/api/info", some), Things).data
        known |= {child.data.name for child in page.children if (child.data.author or "").lower() == us.lower()}
    return frozenset(known)


def _post_of(one: Thing) -> str:
    found = UNDER.search(one.context or "")
    return found[1] if found and one.was_comment else ""


def _incoming(one: Thing, ours: frozenset[str]) -> Incoming:
    assert one.created_utc is not None
    post = f"t3_{_post_of(one)}" if _post_of(one) else ""
    direct = not one.was_comment
    return Incoming(
        remote_id=one.name,
        kind=MessageKind.DIRECT if direct else KINDS.get(one.type, MessageKind.COMMENT),
        by=person_of(one),
        text=one.body or "",
        said_at=one.created_utc,
        url=f"{PAGES}{one.context}" if one.context else "",
        conversation_id=(one.first_message_name or one.name) if direct else post,
        reply_to_id=one.parent_id or "",
        post_id=post if post in ours else "",
        likes=None if direct else votes_of_others(one),
        liked_by_us=None if direct else bool(one.likes),
        extra=_extra(one, direct=direct),
    )


def _extra(one: Thing, *, direct: bool) -> Mapping[str, Any]:
    return {"kind": "direct" if direct else "comment", **extra_of(one), **({"subject": one.subject} if direct else {})}


def person_of(one: Thing) -> Person:
    """Who wrote it: a person, or a community whose moderators write in its name."""
    if not one.author or is_gone(one):
        name = f"r/{one.subreddit}" if one.subreddit and not one.author else "[deleted]"
        return Person(remote_id=one.author_fullname or "", name=name, handle=name)
    return Person(
        remote_id=one.author_fullname or one.author,
        name=one.author,
        handle=f"u/{one.author}",
        url=f"{PAGES}/user/{one.author}",
    )


def votes_of_others(one: Thing) -> int | None:
    """Upvotes less downvotes, without the author's own, and never below nothing; None while Reddit hides it."""
    if one.score is None or one.score_hidden or one.hide_score:
        return None
    return max(one.score - 1, 0)
