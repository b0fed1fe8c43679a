"""Direct messages, and answers to them. Source: lexicons chat.bsky.convo.* (atproto d6296a1).

They live at a service of their own: the account's server passes a request on to it that names it in a header. An app
password reaches them only when its owner ticked that, and OAuth only with a scope of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from regie.networks.bluesky.facets import found_in
from regie.networks.bluesky.models import ChatMember, ChatMessage, ChatPage, Convo, Convos
from regie.networks.bluesky.wire import NETWORK, Xrpc, parsed
from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Outgoing, Pending, Person, Progress, Published, Ready, Ref
from regie.networks.errors import Refused, SignInAgain, TokenExpired, TryLater

SERVICE = {"atproto-proxy": "did:web:api.bsky.chat#bsky_chat"}
PAGE, MOST_PAGES = 50, 20
FIRST = 20  # conversations, and messages of each, at the first reading
MESSAGE = "chat.bsky.convo.defs#messageView"
NO_MESSAGES = (
    "Direct messages can be neither read nor answered: connect again on Bluesky's page, or with an app password that "
    "allows access to them."
)


def is_direct(ref: Ref | None) -> bool:
    return ref is not None and ref.extra.get("kind") == "direct"


async def reachable(xrpc: Xrpc, *, before: bool) -> bool:
    """Whether we may read direct messages. ``before``: what was known, for when nobody answers."""
    try:
        await xrpc.query("chat.bsky.convo.listConvos", {"limit": "1"}, headers=SERVICE)
    except TokenExpired:
        raise
    except TryLater:
        return before
    except (Refused, SignInAgain):
        return False
    return True


async def messages(xrpc: Xrpc, *, since: str, web: str) -> tuple[list[Incoming], str]:
    """What others wrote after ``since`` (a revision; "": from now back as far as one page), and the newest revision.

    Raises TokenExpired; any other trouble here ends nothing but this: the mentions go on.
    """
    found: dict[str, Incoming] = {}  # by revision
    newest = since
    if not xrpc.login.limits.get("chat", True):
        return [], since
    try:
        async for convo in _convos(xrpc, since=since):
            if convo.kind.get("$type", "").endswith("#groupConvo") or convo.rev <= since:
                continue
            async for message in _messages_of(xrpc, convo, since=since):
                if message.sender.did != xrpc.did:
                    found[message.rev] = _incoming(message, convo, web=web)
            newest = max(newest, convo.rev)
    except TokenExpired:
        raise
    except (Refused, TryLater, SignInAgain):
        return [], since
    return [found[revision] for revision in sorted(found)], newest


async def _convos(xrpc: Xrpc, *, since: str) -> AsyncIterator[Convo]:
    """Those that changed last come first; at the first reading one page."""
    params = {"limit": str(PAGE if since else FIRST)}
    for _ in range(MOST_PAGES):
        page = parsed(Convos, await xrpc.query("chat.bsky.convo.listConvos", params, headers=SERVICE))
        for convo in page.convos:
            yield convo
        if not since or not page.cursor or all(convo.rev <= since for convo in page.convos):
            return
        params = {**params, "cursor": page.cursor}


async def _messages_of(xrpc: Xrpc, convo: Convo, *, since: str) -> AsyncIterator[ChatMessage]:
    """Newest first, as far back as ``since``."""
    params = {"convoId": convo.id, "limit": str(PAGE if since else FIRST)}
    for _ in range(MOST_PAGES):
        page = parsed(ChatPage, await xrpc.query("chat.bsky.convo.getMessages", params, headers=SERVICE))
        for message in page.messages:
            if message.kind == MESSAGE and message.rev > since:
                yield message
        if not since or not page.cursor or any(message.rev <= since for message in page.messages):
            return
        params = {**params, "cursor": page.cursor}


def _incoming(message: ChatMessage, convo: Convo, *, web: str) -> Incoming:
    did = message.sender.did
    by = next((one for one in convo.members if one.did == did), ChatMember(did=did, handle=did))
    return Incoming(
        remote_id=message.id,
        kind=MessageKind.DIRECT,
        by=Person(
            remote_id=by.did,
            name=by.display_name or by.handle,
            handle=by.handle,
            url=f"{web}/profile/{by.did}",
            avatar_url=by.avatar,
        ),
        text=message.text,
        said_at=message.sent_at,
        conversation_id=f"direct:{convo.id}",
        extra={"kind": "direct", "convo": convo.id},
    )


async def prepare(xrpc: Xrpc, outgoing: Outgoing, to: Ref, progress: Progress) -> Ready | Pending:
    """Where the conversation stands before the answer (``"after"``: a revision), saved before a word is said."""
    if outgoing.media:
        raise Refused("Direct messages on {network} are answered with text only from here.", network=NETWORK)
    if "after" in progress:
        return Ready(progress=progress)
    newest = await _page(xrpc, str(to.extra["convo"]), limit=1)
    return Pending(progress={**progress, "after": newest[0].rev if newest else ""}, not_before=datetime.now(UTC))


async def send(xrpc: Xrpc, outgoing: Outgoing, to: Ref, progress: Progress, *, repeatable: bool) -> Published:
    """One answer. The service knows no key of ours, so each time we look first whether it is there already: our words,
    said after the place that ``prepare`` saw."""
    convo, after = str(to.extra["convo"]), str(progress["after"])
    for message in await _page(xrpc, convo, limit=PAGE):
        if message.sender.did == xrpc.did and message.text == outgoing.text and message.rev > after:
            return _sent(message, convo)
    body = {"convoId": convo, "message": {"text": outgoing.text, **_links(outgoing.text)}}
    answer = await xrpc.procedure("chat.bsky.convo.sendMessage", repeatable=repeatable, json=body, headers=SERVICE)
    return _sent(parsed(ChatMessage, answer, written="later" if repeatable else "unclear"), convo)


async def _page(xrpc: Xrpc, convo: str, *, limit: int) -> tuple[ChatMessage, ...]:
    """The newest messages of a conversation, newest first."""
    params = {"convoId": convo, "limit": str(limit)}
    return parsed(ChatPage, await xrpc.query("chat.bsky.convo.getMessages", params, headers=SERVICE)).messages


def _sent(message: ChatMessage, convo: str) -> Published:
    return Published(remote_id=message.id, at=message.sent_at, extra={"kind": "direct", "convo": convo})


def _links(text: str) -> dict[str, Any]:
    facets = [
        {
            "index": {"byteStart": len(text[: one.start].encode()), "byteEnd": len(text[: one.end].encode())},
            "features": [{"$type": "app.bsky.richtext.facet#link", "uri": one.value}],
        }
        for one in found_in(text)
        if one.kind == "link"
    ]
    return {"facets": facets} if facets else {}
