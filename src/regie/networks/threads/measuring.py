"""Numbers of posts and accounts. Source: insights guide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from regie.networks.data import Ref, Samples
from regie.networks.errors import Gone, Refused
from regie.networks.meta.entities import Edge
from regie.networks.meta.wire import parsed
from regie.networks.threads.entities import Metric
from regie.networks.threads.limits import ACCOUNT_METRICS, POST_METRICS
from regie.networks.threads.wire import NETWORK, Wire

OURS = {"views": "views", "likes": "likes", "replies": "replies", "reposts": "shares", "quotes": "quotes"}


async def post_samples(wire: Wire, refs: Sequence[Ref]) -> Mapping[str, Samples]:
    """None where Threads tells nothing, as without the permission for insights."""
    found: dict[str, Samples] = {}
    for ref in refs:
        try:
            found[ref.remote_id] = await _of_one(wire, ref.remote_id)
        except Gone:
            continue
    return found


async def _of_one(wire: Wire, post_id: str) -> Samples:
    known: dict[str, int | None] = dict.fromkeys(POST_METRICS)
    try:
        answer = await wire.graph.get(f"/{post_id}/insights", {"metric": ",".join(OURS)}, addressed=True)
    except Gone:
        raise
    except Refused:
        return known
    for metric in parsed(answer, Edge[Metric], network=NETWORK).data:
        if metric.name in OURS:
            known[OURS[metric.name]] = _number(metric, newest=True)
    return known


async def account_samples(wire: Wire) -> Samples:
    """Followers now; views of yesterday, the first of the two days that Threads tells when asked for none."""
    known: dict[str, int | None] = dict.fromkeys(ACCOUNT_METRICS)
    try:
        answer = await wire.graph.get("/me/threads_insights", {"metric": "views,followers_count"})
    except Refused:
        return known
    for metric in parsed(answer, Edge[Metric], network=NETWORK).data:
        if metric.name == "followers_count":
            known["followers"] = _number(metric, newest=True)
        elif metric.name == "views" and len(metric.values) > 1:
            known["views_day"] = _number(metric, newest=False)
    return known


def _number(metric: Metric, *, newest: bool) -> int | None:
    told = metric.total_value or (metric.values[-1 if newest else -2] if metric.values else None)
    return told.value if told is not None and isinstance(told.value, int) else None
