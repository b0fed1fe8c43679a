"""What a post says beside its text: a link's card, tags, a label, the post it quotes, who may answer and quote it.

Sources: lexicons app.bsky.feed.post, .threadgate and .postgate, app.bsky.embed.external, .record and .recordWithMedia,
com.atproto.label.defs#selfLabels. The gates are records of their own beside the post, under its key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from regie.networks.bluesky.models import Resolved
from regie.networks.bluesky.wire import NETWORK, POST, Xrpc, error_name, parsed, parts_of, record_at
from regie.networks.capabilities import Choice, Counting, Option, OptionKind, Shows
from regie.networks.data import Draft, Options, Outgoing
from regie.networks.errors import Gone, Refused

LINK = re.compile(r"/profile/([^/]+)/post/([A-Za-z0-9._~:-]{1,512})/?")
MOST_TAGS, LONGEST_TAG_BYTES = 8, 640
REPLY_GATE, QUOTE_GATE = "app.bsky.feed.threadgate", "app.bsky.feed.postgate"
ALLOW: Mapping[str, tuple[str, ...]] = {
    "following": ("followingRule",),
    "followers": ("followerRule",),
    "mentioned": ("mentionRule",),
    "nobody": (),
}
OPTIONS = (
    Option(
        name="link",
        kind=OptionKind.LINK,
        label="Link shown as a card",
        help="Bluesky does not read the page: give a title, and one picture for the card.",
        shows=Shows.LINK,
    ),
    Option(name="title", kind=OptionKind.LINE, label="Title of the link", longest=300, shows=Shows.TITLE),
    Option(name="description", kind=OptionKind.LINE, label="Description of the link", longest=1000),
    Option(
        name="tags",
        kind=OptionKind.TAGS,
        label="Tags",
        help="Found by search, beside the hashtags in the text.",
        most=MOST_TAGS,
        longest=64,
        counting=Counting.GRAPHEMES,
    ),
    Option(
        name="label",
        kind=OptionKind.CHOICE,
        label="Label",
        help="Bluesky covers the pictures, or hides the post, as each reader chose.",
        choices=(
            Choice("sexual", "Suggestive"),
            Choice("nudity", "Nudity"),
            Choice("porn", "Adult content"),
            Choice("graphic-media", "Violent or disturbing"),
        ),
        shows=Shows.MARK,
    ),
    Option(
        name="reply_settings",
        kind=OptionKind.CHOICE,
        label="Who can reply",
        choices=(
            Choice("following", "Accounts you follow"),
            Choice("followers", "Your followers"),
            Choice("mentioned", "Only accounts you mention"),
            Choice("nobody", "Nobody"),
        ),
        help="Everyone, unless you choose.",
    ),
    Option(name="no_quotes", kind=OptionKind.SWITCH, label="Nobody may quote it"),
    Option(
        name="quote",
        kind=OptionKind.LINK,
        label="Post to quote",
        help="Its address on Bluesky.",
        shows=Shows.LINK,
    ),
)


def objections(draft: Draft) -> Iterator[Refused]:
    chosen = draft.options
    if chosen.get("link"):
        if draft.videos:
            yield Refused("A post on {network} shows a video or the card of a link, not both.", network=NETWORK)
        if draft.pictures > 1:
            yield Refused("The card of a link on {network} has one picture.", network=NETWORK)
        if not chosen.get("title"):
            yield Refused("{network} does not read the page behind a link: give the card a title.", network=NETWORK)
    elif chosen.get("title") or chosen.get("description"):
        yield Refused("Only the card of a link has a title and a description on {network}.", network=NETWORK)
    if (quote := str(chosen.get("quote") or "")) and _post_in(quote) is None:
        yield Refused("The address of the post to quote is not one of {network}'s.", network=NETWORK)
    for tag in _tags(chosen):
        if len(tag.encode()) > LONGEST_TAG_BYTES:
            yield Refused("The tag “{name}” is too long for {network}.", network=NETWORK, name=tag)


def _tags(chosen: Options) -> tuple[str, ...]:
    tags = chosen.get("tags")
    return tuple(tag.removeprefix("#") for tag in tags) if isinstance(tags, tuple) else ()


def _post_in(address: str) -> re.Match[str] | None:
    return LINK.fullmatch(urlsplit(address).path)


def fields_of(chosen: Options) -> dict[str, Any]:
    """What stands in the post's own record."""
    fields: dict[str, Any] = {}
    if tags := _tags(chosen):
        fields["tags"] = list(tags)
    if label := chosen.get("label"):
        fields["labels"] = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": str(label)}]}
    return fields


async def card(xrpc: Xrpc, outgoing: Outgoing) -> dict[str, Any]:
    """A link with its title, and the post's picture on it. Cards have no alternative text."""
    chosen = outgoing.options
    external: dict[str, Any] = {
        "uri": str(chosen["link"]),
        "title": str(chosen.get("title") or ""),
        "description": str(chosen.get("description") or ""),
    }
    for picture in outgoing.pictures[:1]:
        external["thumb"] = await xrpc.blob(picture.path, picture.content_type)
    return {"$type": "app.bsky.embed.external", "external": external}


async def with_quote(xrpc: Xrpc, chosen: Options, media: dict[str, Any] | None) -> dict[str, Any] | None:
    """The post to quote beside what else the post shows."""
    if not chosen.get("quote"):
        return media
    quoted = {"$type": "app.bsky.embed.record", "record": await _reference(xrpc, str(chosen["quote"]))}
    return {"$type": "app.bsky.embed.recordWithMedia", "record": quoted, "media": media} if media else quoted


async def _reference(xrpc: Xrpc, address: str) -> dict[str, str]:
    found = _post_in(address)
    if found is None:
        raise Refused("The address of the post to quote is not one of {network}'s.", network=NETWORK)
    who = found[1]
    if not who.startswith("did:"):
        who = parsed(Resolved, await xrpc.query("com.atproto.identity.resolveHandle", {"handle": who})).did
    try:
        kept = await record_at(xrpc, f"at://{who}/{POST}/{found[2]}")
    except Gone as gone:
        raise Refused("The post to quote is no longer on {network}.", network=NETWORK, answer=gone.answer) from None
    return {"uri": kept.uri, "cid": kept.cid}


async def close_gates(xrpc: Xrpc, chosen: Options, post: str, *, created_at: str) -> None:
    """Who may answer and quote ``post``, whose key is known before it is there: so nobody is ever too early."""
    did, _, rkey = parts_of(post)
    for collection, rules in _gates(chosen):
        record = {"$type": collection, "post": post, "createdAt": created_at, **rules}
        body = {"repo": did, "collection": collection, "rkey": rkey, "swapRecord": None, "record": record}
        try:
            await xrpc.procedure("com.atproto.repo.putRecord", repeatable=True, json=body)
        except Refused as refused:
            if error_name(refused) != "InvalidSwap":  # from an earlier try, and changed since: an answer was hidden
                raise


def _gates(chosen: Options) -> Iterator[tuple[str, dict[str, Any]]]:
    if (who := str(chosen.get("reply_settings") or "")) in ALLOW:
        yield REPLY_GATE, {"allow": [{"$type": f"{REPLY_GATE}#{rule}"} for rule in ALLOW[who]]}
    if chosen.get("no_quotes"):
        yield QUOTE_GATE, {"embeddingRules": [{"$type": f"{QUOTE_GATE}#disableRule"}]}
