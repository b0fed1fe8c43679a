"""Numbers of posts and of the account. Source: reference pages Video Object and User Object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from regie.networks.data import Ref, Samples
from regie.networks.tiktok.entities import User, Video, Videos
from regie.networks.tiktok.wire import Wire, parsed

POST_METRICS = ("likes", "replies", "shares", "views")
ACCOUNT_METRICS = ("followers", "following", "posts", "likes_total")
FIELDS = "id,like_count,comment_count,share_count,view_count"
AT_ONCE = 20  # ids in one question


async def videos(wire: Wire, ids: Sequence[str], fields: str) -> dict[str, Video]:
    """Public posts of ours by their ids; what is not there, or not public, is left out."""
    found: dict[str, Video] = {}
    for begin in range(0, len(ids), AT_ONCE):
        body = {"filters": {"video_ids": list(ids[begin : begin + AT_ONCE])}}
        answer = await wire.ask("/v2/video/query/", body, params={"fields": fields})
        found |= {one.id: one for one in parsed(answer, Videos).videos}
    return found


async def post_samples(wire: Wire, refs: Sequence[Ref], ids: Mapping[str, str]) -> Mapping[str, Samples]:
    """``ids``: remote id -> the public post's id, "" while it has none: then every number is None."""
    known = await videos(wire, [one for one in ids.values() if one], FIELDS)
    nothing: Samples = dict.fromkeys(POST_METRICS)
    found: dict[str, Samples] = {}
    for ref in refs:
        if (post := ids.get(ref.remote_id)) is None:
            continue
        if not post:
            found[ref.remote_id] = nothing
        elif (video := known.get(post)) is not None:
            found[ref.remote_id] = _of_one(video)
    return found


def _of_one(video: Video) -> Samples:
    return {
        "likes": video.like_count,
        "replies": video.comment_count,
        "shares": video.share_count,
        "views": video.view_count,
    }


def account_samples(user: User) -> Samples:
    return {
        "followers": user.follower_count,
        "following": user.following_count,
        "posts": user.video_count,
        "likes_total": user.likes_count,
    }
