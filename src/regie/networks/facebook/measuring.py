"""Numbers of posts and Pages. Source: insights of June 2026; names that Meta retired then are not asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from regie.networks.data import Ref, Samples
from regie.networks.errors import Gone, Refused
from regie.networks.facebook.entities import Film, PageNode, Post, Summed
from regie.networks.facebook.limits import ACCOUNT_METRICS, POST_METRICS
from regie.networks.facebook.wire import NETWORK, Wire
from regie.networks.meta.entities import Edge, Metric
from regie.networks.meta.wire import parsed

OF_POST = {"post_media_view": "views", "post_total_media_view_unique": "reach", "post_clicks": "clicks"}
OF_PAGE = {
    "page_media_view": "views_day",
    "page_total_media_view_unique": "reach_day",
    "page_post_engagements": "interactions_day",
}


async def post_samples(wire: Wire, refs: Sequence[Ref]) -> Mapping[str, Samples]:
    found: dict[str, Samples] = {}
    for ref in refs:
        try:
            found[ref.remote_id] = await _of_one(wire, ref)
        except Gone:
            continue
    return found


async def _of_one(wire: Wire, ref: Ref) -> Samples:
    """Reactions, comments and shares from the post itself; the rest from its insights, None where nothing is told."""
    known: dict[str, int | None] = dict.fromkeys(POST_METRICS)
    counted = await _post_of(wire, ref)
    if ref.extra.get("kind") != "story":
        known |= await _counts(wire, counted)
    try:
        answer = await wire.graph.get(f"/{counted.remote_id}/insights", {"metric": ",".join(OF_POST)})
    except Refused:  # a video that no post shows has insights of another kind, a permission is missing
        return known
    for metric in parsed(answer, Edge[Metric], network=NETWORK).data:
        if metric.name in OF_POST:
            known[OF_POST[metric.name]] = metric.number
    return known


async def _post_of(wire: Wire, ref: Ref) -> Ref:
    """Of a video the post that shows it, which has all the numbers; itself when Facebook names none."""
    if ref.extra.get("kind") != "video":
        return ref
    answer = await wire.graph.get(f"/{ref.remote_id}", {"fields": "id,post_id"}, addressed=True)
    post = parsed(answer, Film, network=NETWORK).post_of(wire.page)
    return Ref(remote_id=post, extra={"kind": "post"}) if post else ref


async def _counts(wire: Wire, ref: Ref) -> dict[str, int | None]:
    path, is_video = f"/{ref.remote_id}", ref.extra.get("kind") == "video"
    if is_video:
        likes = await wire.graph.get(f"{path}/likes", {"summary": "total_count", "limit": "0"}, addressed=True)
        counted: dict[str, int | None] = {"likes": parsed(likes, Summed, network=NETWORK).summary.total_count}
    else:
        fields = {"fields": "id,reactions.summary(total_count).limit(0),shares"}
        post = parsed(await wire.graph.get(path, fields, addressed=True), Post, network=NETWORK)
        counted = {
            "likes": post.reactions.summary.total_count if post.reactions else None,
            "shares": post.shares.count if post.shares else 0,
        }
    said = await wire.graph.get(
        f"{path}/comments", {"filter": "stream", "summary": "total_count", "limit": "0"}, addressed=True
    )
    return {**counted, "replies": parsed(said, Summed, network=NETWORK).summary.total_count}


async def account_samples(wire: Wire, me: PageNode) -> Samples:
    """Counts now, and the last full day as Facebook cuts it."""
    known: dict[str, int | None] = dict.fromkeys(ACCOUNT_METRICS)
    known["followers"] = me.followers_count
    try:
        answer = await wire.graph.get(f"/{wire.page}/insights", {"metric": ",".join(OF_PAGE), "period": "day"})
    except Refused:
        return known
    for metric in parsed(answer, Edge[Metric], network=NETWORK).data:
        if metric.name in OF_PAGE:
            known[OF_PAGE[metric.name]] = metric.number
    return known
