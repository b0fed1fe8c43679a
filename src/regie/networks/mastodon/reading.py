"""Our own posts, and what people say to us. Source: docs.joinmastodon.org/methods/notifications, accounts, statuses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from urllib.parse import urlsplit

import aiohttp

from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Listing, Login, Messages, Outgoing, Person, Published, Ref, Seen
from regie.networks.errors import Gone, Refused, TryLater, Unclear
from regie.networks.finding import comment_among, since_of
from regie.networks.mastodon.entities import Account, Context, Notification, Status
from regie.networks.mastodon.limits import shows_within
from regie.networks.mastodon.plain import plain_text
from regie.networks.mastodon.wire import NETWORK, Wire, parsed, parsed_list

PAGE = 40
MOST_PAGES = 25
SILENCE = 90  # seconds without even a heartbeat (one every 15 s) before a stream counts as dead


async def own_posts(wire: Wire, account_id: str, *, since: datetime) -> Listing:
    seen: dict[str, Status] = {}
    reaches, network_now, older_than = since, None, ""
    for _ in range(MOST_PAGES):
        params = [("limit", str(PAGE)), ("exclude_reblogs", "true")]
        answer = await wire.get(
            f"/api/v1/accounts/{account_id}/statuses", [*params, *([("max_id", older_than)] if older_than else [])]
        )
        page = parsed_list(answer, Status)
        network_now = network_now or answer.date
        fresh = [status for status in page if status.id not in seen]
        seen.update((status.id, status) for status in fresh)
        if not page or min(status.created_at for status in page) < since:
            break
        if not fresh:  # this server knows no pages: what it showed is all we can see
            reaches = min(status.created_at for status in seen.values())
            break
        older_than = page[-1].id
    else:
        reaches = min(status.created_at for status in seen.values())
    ours = [status for status in seen.values() if status.reblog is None and status.created_at >= since]
    ours.sort(key=lambda status: status.created_at, reverse=True)
    return Listing(
        seen=tuple(row for status in ours for row in _as_seen(status)), reaches_back_to=reaches, network_now=network_now
    )


async def comment_found(wire: Wire, login: Login, outgoing: Outgoing, to: Ref) -> Published | None:
    """Our answer with the same words: answers are in the listing of posts, a moment later."""
    since = since_of(outgoing)
    listing = await own_posts(wire, login.remote_id, since=since)
    if listing.reaches_back_to > since:
        raise Unclear("{network} does not list the account's comments far enough back.", network=NETWORK)
    under = [seen for seen in listing.seen if seen.reply_to_id == to.remote_id]
    late = shows_within(login.limits)
    return comment_among(under, outgoing, network=NETWORK, now=listing.network_now, shows_within=late)


def _as_seen(status: Status) -> list[Seen]:
    """One row per text that may have been sent: we put the name of whom we answer before an answer's text."""
    whole = plain_text(status.content or "", status.mentions)
    texts = [whole]
    if status.in_reply_to_id and status.mentions:
        bare = _without_name(whole, status)
        texts += [bare] if bare != whole else []
    return [
        Seen(
            remote_id=status.id,
            url=status.url or status.uri or "",
            text=text,
            media=len(status.media_attachments),
            created_at=status.created_at,
            reply_to_id=status.in_reply_to_id or "",
        )
        for text in texts
    ]


def _without_name(text: str, status: Status) -> str:
    first, _, rest = text.partition(" ")
    names = {f"@{mention.acct}".lower() for mention in status.mentions}
    return rest if first.lower() in names or first.lower().split("@")[:2] in [n.split("@")[:2] for n in names] else text


async def messages(wire: Wire, login: Login, *, cursor: str) -> Messages:
    """Mentions and answers since a notification's id, oldest first.

    Servers that ignore ``min_id`` or ``types`` send more than we asked for: what we had, and what is no mention, is
    passed over here.
    """
    params = [("types[]", "mention"), ("limit", str(PAGE)), *([("min_id", cursor)] if cursor else [])]
    page = parsed_list(await wire.get("/api/v1/notifications", params), Notification)
    ids = [notification.id for notification in page]
    known = ids.index(cursor) if cursor in ids else len(page)
    fresh = page[:known]
    threads = Threads(wire, login.remote_id)
    found = [
        await _as_incoming(notification, notification.status, threads, login.remote_id)
        for notification in reversed(fresh)
        if notification.type == "mention" and notification.status is not None
    ]
    return Messages(
        messages=tuple(found),
        cursor=fresh[0].id if fresh else cursor,
        more=bool(cursor) and known == len(page) >= PAGE,
    )


class Threads:
    """Which thread a status is in: its first post's id, and the first post of ours above it ("" when none)."""

    def __init__(self, wire: Wire, ours: str) -> None:
        self._wire, self._ours = wire, ours
        self._known: dict[str, tuple[str, str]] = {}

    async def of(self, status: Status) -> tuple[str, str]:
        if status.in_reply_to_id is None:
            return status.id, ""
        if status.in_reply_to_id in self._known:
            return self._known[status.in_reply_to_id]
        try:
            answer = await self._wire.get(f"/api/v1/statuses/{status.id}/context", addressed=True)
        except Gone:
            answered_us = status.in_reply_to_account_id == self._ours
            return status.in_reply_to_id, status.in_reply_to_id if answered_us else ""
        above = parsed(answer, Context).ancestors
        root = above[0].id if above else status.in_reply_to_id
        post = next((one.id for one in above if one.account.id == self._ours), "")
        if not post and status.in_reply_to_account_id == self._ours:
            post = status.in_reply_to_id
        self._known[status.in_reply_to_id] = root, post
        return root, post


async def _as_incoming(notification: Notification, status: Status, threads: Threads, ours: str) -> Incoming:
    root, post = await threads.of(status)
    return Incoming(
        remote_id=status.id,
        kind=_kind(status, post),
        by=as_person(status.account),
        text=plain_text(status.content or "", status.mentions),
        said_at=status.created_at,
        url=status.url or status.uri or "",
        conversation_id=root,
        reply_to_id=status.in_reply_to_id or "",
        post_id=post,
        pictures=tuple(url for media in status.media_attachments if (url := media.preview_url or media.url)),
        likes=status.favourites_count,
        liked_by_us=status.favourited,
        extra={"acct": status.account.acct, "visibility": status.visibility},
    )


def _kind(status: Status, post: str) -> MessageKind:
    if status.visibility == "direct":
        return MessageKind.DIRECT
    return MessageKind.REPLY if post else MessageKind.MENTION


def as_person(account: Account) -> Person:
    return Person(
        remote_id=account.id,
        name=account.display_name or account.username or account.acct,
        handle=f"@{account.acct}",
        url=account.url or "",
        avatar_url=account.avatar or "",
    )


async def stream(http: aiohttp.ClientSession, wire: Wire, login: Login) -> AsyncIterator[None]:
    """Yields at each notification. Ends with the connection; Refused where the server has no stream."""
    url = f"{_streaming_address(login)}/api/v1/streaming/user/notification"
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=SILENCE)
    try:
        async with http.get(url, headers=wire.headers(), timeout=timeout, allow_redirects=False) as reply:
            if reply.status != 200 or "event-stream" not in reply.headers.get("Content-Type", ""):
                raise Refused("{network} offers no stream here ({status}).", network=NETWORK, status=reply.status)
            yield None  # what came before we listened is worth a look
            async for line in reply.content:
                if line.strip() == b"event: notification":
                    yield None
    except (aiohttp.ClientConnectorError, aiohttp.InvalidURL):
        raise TryLater("{network} could not be reached.", network=NETWORK) from None
    except (aiohttp.ClientError, TimeoutError, OSError):
        return


def _streaming_address(login: Login) -> str:
    told = urlsplit(str(login.limits.get("streaming") or ""))
    if not told.netloc:
        return login.server
    secure = told.scheme in ("wss", "https") or login.server.startswith("https:")  # a token never leaves in the clear
    return f"{'https' if secure else 'http'}://{told.netloc}"


async def like(wire: Wire, ref: Ref) -> None:
    await wire.send("POST", f"/api/v1/statuses/{ref.remote_id}/favourite", addressed=True)


async def unlike(wire: Wire, ref: Ref) -> None:
    await wire.send("POST", f"/api/v1/statuses/{ref.remote_id}/unfavourite", addressed=True)
