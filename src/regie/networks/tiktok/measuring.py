"""Numbers of posts and of the account. Source: reference pages Video Object and User Object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from regie.networks.data import Ref, Samples
from regie.networks.tiktok import business
from regie.networks.tiktok.entities import Account, Item, User, Video, Videos
from regie.networks.tiktok.wire import Wire, parsed

POST_METRICS = ("likes", "replies", "shares", "views")
ACCOUNT_METRICS = ("followers", "following", "posts", "likes_total")
BUSINESS_POST_METRICS = (*POST_METRICS, "saves", "reach", "watch_minutes", "average_view_seconds")
OF_DAY = {"video_views": "views_day", "unique_video_views": "reach_day", "engaged_audience": "engaged_day"}
BUSINESS_ACCOUNT_METRICS = (*ACCOUNT_METRICS, *OF_DAY.values())
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
    public = [one for one in ids.values() if one]
    known: Mapping[str, Video | Item]
    if wire.business:
        known, nothing = await _items(wire, public), dict.fromkeys(BUSINESS_POST_METRICS)
    else:
        known, nothing = await videos(wire, public, FIELDS), dict.fromkeys(POST_METRICS)
    found: dict[str, Samples] = {}
    for ref in refs:
        if (post := ids.get(ref.remote_id)) is None:
            continue
        if not post:
            found[ref.remote_id] = nothing
        elif (video := known.get(post)) is not None:
            found[ref.remote_id] = _of_one(video)
    return found


async def _items(wire: Wire, ids: Sequence[str]) -> dict[str, Item]:
    found: dict[str, Item] = {}
    for begin in range(0, len(ids), AT_ONCE):
        some = ids[begin : begin + AT_ONCE]
        page, _ = await business.items(wire, fields=business.NUMBERS, ids=some)
        found |= {one.item_id: one for one in page.videos if one.item_id in some}
    return found


def _of_one(video: Video | Item) -> Samples:
    if isinstance(video, Item):
        return _of_item(video)
    return {
        "likes": video.like_count,
        "replies": video.comment_count,
        "shares": video.share_count,
        "views": video.view_count,
    }


def _of_item(item: Item) -> Samples:
    """Times are told in seconds."""
    together, average = item.total_time_watched, item.average_time_watched
    return {
        "likes": item.likes,
        "replies": item.comments,
        "shares": item.shares,
        "views": item.video_views,
        "saves": item.favorites,
        "reach": item.reach,
        "watch_minutes": round(together / 60) if together is not None else None,
        "average_view_seconds": round(average) if average is not None else None,
    }


def account_samples(user: User | Account) -> Samples:
    if isinstance(user, Account):
        return {
            "followers": user.followers_count,
            "following": user.following_count,
            "posts": user.videos_count,
            "likes_total": user.total_likes,
            **_newest_day(user),
        }
    return {
        "followers": user.follower_count,
        "following": user.following_count,
        "posts": user.video_count,
        "likes_total": user.likes_count,
    }


def _newest_day(account: Account) -> Samples:
    """The newest day that tells anything."""
    days = sorted(account.metrics, key=lambda one: one.date, reverse=True)
    told = ({ours: getattr(day, theirs) for theirs, ours in OF_DAY.items()} for day in days)
    nothing: Samples = dict.fromkeys(OF_DAY.values())
    return next((day for day in told if any(value is not None for value in day.values())), nothing)
