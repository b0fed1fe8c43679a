"""Numbers. Source: app.bsky.feed.defs#postView and app.bsky.actor.defs#profileViewDetailed. Bluesky counts no views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from regie.networks.bluesky.models import Actor
from regie.networks.bluesky.reading import post_views
from regie.networks.bluesky.wire import Xrpc, parsed
from regie.networks.data import Ref, Samples


async def post_samples(xrpc: Xrpc, refs: Sequence[Ref]) -> Mapping[str, Samples]:
    views = await post_views(xrpc, [ref.remote_id for ref in refs])
    return {
        uri: {
            "likes": view.like_count,
            "shares": view.repost_count,
            "replies": view.reply_count,
            "quotes": view.quote_count,
        }
        for uri, view in views.items()
    }


async def account_samples(xrpc: Xrpc) -> Samples:
    actor = parsed(Actor, await xrpc.query("app.bsky.actor.getProfile", {"actor": xrpc.did}))
    return {"followers": actor.followers_count, "following": actor.follows_count, "posts": actor.posts_count}
