"""Numbers of posts, Pages and members. Sources: NOTES.md. What LinkedIn leaves out is None."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

from regie.networks.data import Ref, Samples
from regie.networks.errors import Gone, Refused
from regie.networks.line import Answer
from regie.networks.linkedin.entities import Count, Elements, Followers, ShareStatistics, Size, Statistics
from regie.networks.linkedin.limits import PAGE_METRICS
from regie.networks.linkedin.wire import Wire, key, parsed

AT_ONCE = 20
SHARE, UGC = "urn:li:share:", "urn:li:ugcPost:"
OF_A_MEMBER = {
    "REACTION": "likes",
    "COMMENT": "replies",
    "RESHARE": "shares",
    "IMPRESSION": "views",
    "MEMBERS_REACHED": "reach",
}


async def post_samples(wire: Wire, refs: Sequence[Ref]) -> Mapping[str, Samples]:
    if not wire.is_page:
        return await _of_a_member(wire, refs)
    if not wire.can.post_metrics:
        return {ref.remote_id: {} for ref in refs}
    found: dict[str, Samples] = {}
    waiting = iter(refs)
    while some := list(islice(waiting, AT_ONCE)):
        found |= await _of_a_page(wire, some)
    return found


async def _of_a_page(wire: Wire, refs: Sequence[Ref]) -> dict[str, Samples]:
    """LinkedIn leaves out a post that nobody saw yet, as it does one that is gone: so it stays, without numbers."""
    found: dict[str, Samples] = {ref.remote_id: dict.fromkeys(PAGE_METRICS) for ref in refs}
    kinds = {"shares": SHARE, "ugcPosts": UGC}
    lists = {name: [key(urn) for urn in found if urn.startswith(kind)] for name, kind in kinds.items()}
    asked = "".join(f"&{name}=List({','.join(some)})" for name, some in lists.items() if some)
    if not asked:
        return found
    answer = await wire.get(f"/rest/organizationalEntityShareStatistics?{_entity(wire)}{asked}")
    for row in parsed(answer, Elements[Statistics]).elements:
        urn = row.share or row.ugc_post
        if urn in found:
            found[urn] = _as_samples(row.total_share_statistics)
    return found


def _entity(wire: Wire) -> str:
    return f"q=organizationalEntity&organizationalEntity={key(wire.me)}"


def _as_samples(told: ShareStatistics) -> Samples:
    return {
        "likes": told.like_count,
        "replies": told.comment_count,
        "shares": told.share_count,
        "views": told.impression_count,
        "reach": told.unique_impressions_count,
        "clicks": told.click_count,
    }


async def _of_a_member(wire: Wire, refs: Sequence[Ref]) -> Mapping[str, Samples]:
    """A request for each number: LinkedIn tells one at a time."""
    wanted = wire.can.post_metrics
    found: dict[str, Samples] = {}
    for ref in refs:
        known: dict[str, int | None] = dict.fromkeys(wanted)
        kind = "ugc" if ref.remote_id.startswith(UGC) else "share"
        try:
            for word in (word for word, name in OF_A_MEMBER.items() if name in wanted):
                query = f"q=entity&entity=({kind}:{key(ref.remote_id)})&queryType={word}&aggregation=TOTAL"
                answer = await wire.get(f"/rest/memberCreatorPostAnalytics?{query}", addressed=True)
                known[OF_A_MEMBER[word]] = _first(parsed(answer, Elements[Count]).elements)
        except Gone:
            continue
        found[ref.remote_id] = known
    return found


def _first(rows: Iterable[Count]) -> int | None:
    return next((row.count for row in rows), None)


async def account_samples(wire: Wire) -> Samples:
    known: dict[str, int | None] = dict.fromkeys(wire.can.account_metrics)
    if not wire.is_page:
        if "followers" in known:
            rows = parsed(await wire.get("/rest/memberFollowersCount?q=me"), Elements[Followers]).elements
            known["followers"] = next((row.member_followers_count for row in rows), None)
        return known
    answer = await wire.get(f"/rest/networkSizes/{key(wire.me)}?edgeType=COMPANY_FOLLOWED_BY_MEMBER")
    known["followers"] = parsed(answer, Size).first_degree_size
    return known | (await _yesterday(wire, answer) if "views_day" in known else {})


async def _yesterday(wire: Wire, answer: Answer) -> dict[str, int | None]:
    """The last full day by LinkedIn's clock; its days begin at midnight UTC."""
    now = answer.now
    end = datetime(now.year, now.month, now.day, tzinfo=UTC)
    start, until = (int(moment.timestamp() * 1000) for moment in (end - timedelta(days=1), end))
    when = f"timeIntervals=(timeRange:(start:{start},end:{until}),timeGranularityType:DAY)"
    try:
        told = await wire.get(f"/rest/organizationalEntityShareStatistics?{_entity(wire)}&{when}")
    except Refused:
        return {}
    rows = parsed(told, Elements[Statistics]).elements
    if not rows:
        return {}
    day = rows[-1].total_share_statistics
    deeds = [day.like_count, day.comment_count, day.share_count, day.click_count]
    heard = [one for one in deeds if one is not None]
    return {
        "views_day": day.impression_count,
        "reach_day": day.unique_impressions_count,
        "interactions_day": sum(heard) if heard else None,
    }
