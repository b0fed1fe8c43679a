"""Numbers of posts and accounts. Source: media-insights and account-insights guides; nothing retired is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from regie.networks.data import Ref, Samples
from regie.networks.errors import Gone, Refused
from regie.networks.instagram.entities import Me, Media
from regie.networks.instagram.wire import NETWORK, Wire
from regie.networks.meta.entities import Edge, Metric
from regie.networks.meta.wire import parsed

OURS = {  # the vendor's name -> ours
    "views": "views",
    "reach": "reach",
    "saved": "saves",
    "shares": "shares",
    "total_interactions": "interactions",
}
VISITS = {"profile_visits": "profile_clicks", "follows": "followers_gained"}
OF_STORY = {
    "views": "views",
    "reach": "reach",
    "shares": "shares",
    "total_interactions": "interactions",
    "replies": "replies",
    **VISITS,
}
OF_REEL = {
    **OURS,
    "ig_reels_avg_watch_time": "average_view_seconds",
    "ig_reels_video_view_total_time": "watch_minutes",
}
MILLISECONDS = {"average_view_seconds": 1000, "watch_minutes": 60_000}  # in one of ours
ASKED = {"STORY": OF_STORY, "REELS": OF_REEL, "FEED": {**OURS, **VISITS}}  # by the product that a post is
OF_ACCOUNT = {"views": "views_day", "reach": "reach_day", "accounts_engaged": "engaged_day"}
POST_METRICS = (
    "likes", "replies", "shares", "saves", "views", "reach", "interactions", "profile_clicks", "followers_gained",
    "average_view_seconds", "watch_minutes",
)  # fmt: skip
ACCOUNT_METRICS = ("followers", "following", "posts", *OF_ACCOUNT.values())


async def post_samples(wire: Wire, refs: Sequence[Ref]) -> Mapping[str, Samples]:
    found: dict[str, Samples] = {}
    for ref in refs:
        try:
            found[ref.remote_id] = await _of_one(wire, ref.remote_id)
        except Gone:
            continue
    return found


async def _of_one(wire: Wire, media_id: str) -> Samples:
    """Likes and comments from the post itself; the rest from its insights, None where Instagram tells nothing."""
    fields = {"fields": "id,like_count,comments_count,media_product_type"}
    media = parsed(await wire.graph.get(f"/{media_id}", fields, addressed=True), Media, network=NETWORK)
    known: dict[str, int | None] = dict.fromkeys(POST_METRICS)
    known["likes"] = media.like_count
    if media.media_product_type != "STORY":  # what people answer to one is no comment
        known["replies"] = media.comments_count
    asked = ASKED.get(media.media_product_type, OURS)
    try:
        answer = await wire.graph.get(f"/{media_id}/insights", {"metric": ",".join(asked)})
    except Refused:  # too few viewers of a story, a post from before the account was professional, a missing permission
        return known
    for metric in parsed(answer, Edge[Metric], network=NETWORK).data:
        if metric.name in asked:
            ours, number = asked[metric.name], metric.number
            known[ours] = round(number / MILLISECONDS.get(ours, 1)) if number is not None else None
    return known


async def account_samples(wire: Wire, me: Me) -> Samples:
    """Counts now, and the last day as Instagram cuts it."""
    known: dict[str, int | None] = dict.fromkeys(ACCOUNT_METRICS)
    known |= {"followers": me.followers_count, "following": me.follows_count, "posts": me.media_count}
    asked = {"metric": ",".join(OF_ACCOUNT), "period": "day", "metric_type": "total_value"}
    try:
        answer = await wire.graph.get(f"/{wire.user}/insights", asked)
    except Refused:
        return known
    for metric in parsed(answer, Edge[Metric], network=NETWORK).data:
        if metric.name in OF_ACCOUNT:
            known[OF_ACCOUNT[metric.name]] = metric.number
    return known
