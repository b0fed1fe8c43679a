"""Numbers of posts and communities. Source: wall.getById, stats.getPostReach, stories.getStats and stats.get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

from regie.networks.data import Ref, Samples
from regie.networks.errors import Gone, Refused
from regie.networks.vk.entities import Day, Groups, Items, Post, Reach, Response, StoryStats
from regie.networks.vk.wire import STORY_EXPIRED, Wire, clock, error_in, parsed

POST_METRICS = ("likes", "shares", "replies", "views", "reach", "link_clicks")
ACCOUNT_METRICS_OF_COMMUNITY = ("followers",)
ACCOUNT_METRICS = (*ACCOUNT_METRICS_OF_COMMUNITY, "posts", "views_day", "reach_day")
AT_ONCE = 30  # posts that stats.getPostReach takes


async def post_samples(wire: Wire, refs: Sequence[Ref]) -> Mapping[str, Samples]:
    """VK tells these to people only: with the community's own key there are none, and nothing is known to be gone."""
    if not wire.has_admin:
        return {ref.remote_id: {} for ref in refs}
    found: dict[str, Samples] = {}
    posts = [ref for ref in refs if ref.extra.get("kind", "post") == "post"]
    for begin in range(0, len(posts), AT_ONCE):
        found |= await _some(wire, posts[begin : begin + AT_ONCE])
    for story in (ref for ref in refs if ref.extra.get("kind") == "story"):
        with suppress(Gone):
            found[story.remote_id] = await _of_story(wire, story.remote_id)
    return found


async def _of_story(wire: Wire, remote_id: str) -> Samples:
    """While it is to be seen; afterwards VK says nothing new."""
    owner, _, number = remote_id.partition("_")
    try:
        answer = await wire.ask("stories.getStats", owner_id=owner, story_id=number, addressed=True)
    except Gone as exc:
        if exc.answer is not None and (said := error_in(exc.answer)) is not None and said.error_code == STORY_EXPIRED:
            return {}
        raise
    told = parsed(answer, Response[StoryStats]).response
    return {
        "likes": told.likes.count,
        "shares": told.shares.count,
        "replies": told.replies.count,
        "views": told.views.count,
        "reach": None,
        "link_clicks": told.open_link.count,
    }


async def _some(wire: Wire, refs: Sequence[Ref]) -> Mapping[str, Samples]:
    answer = await wire.ask("wall.getById", posts=[ref.remote_id for ref in refs])
    posts = [post for post in parsed(answer, Response[Items[Post]]).response.items if not post.is_deleted]
    reached = await _reached(wire, posts) if posts else {}
    samples: dict[str, Samples] = {}
    for post in posts:
        reach = reached.get(post.id)
        samples[f"{post.owner_id}_{post.id}"] = {
            "likes": post.likes.count,
            "shares": post.reposts.count,
            "replies": post.comments.count,
            "views": post.views.count,
            "reach": reach.reach_total if reach else None,
            "link_clicks": reach.links if reach else None,
        }
    return samples


async def _reached(wire: Wire, posts: Sequence[Post]) -> Mapping[int, Reach]:
    """Kept from small communities, and from people without the right to see statistics."""
    try:
        answer = await wire.ask("stats.getPostReach", owner_id=wire.owner, post_ids=[post.id for post in posts])
    except Refused:
        return {}
    return {one.post_id: one for one in parsed(answer, Response[tuple[Reach, ...]]).response}


async def account_samples(wire: Wire) -> Samples:
    answer = await wire.ask("groups.getById", community=True, group_id=wire.group, fields=["members_count"])
    groups = parsed(answer, Response[Groups]).response.groups
    followers: Samples = {"followers": groups[0].members_count if groups else None}
    if not wire.has_admin:
        return followers
    listed = parsed(await wire.ask("wall.get", owner_id=wire.owner, count=1), Response[Items[Post]])
    day = await _last_day(wire)
    return {
        **followers,
        "posts": listed.response.count,
        "views_day": day.visitors.views if day else None,
        "reach_day": day.reach.reach if day else None,
    }


async def _last_day(wire: Wire) -> Day | None:
    """The last that is over."""
    try:
        answer = await wire.ask("stats.get", group_id=wire.group, interval="day", intervals_count=3)
    except Refused:
        return None
    today = clock(answer).replace(hour=0, minute=0, second=0, microsecond=0)
    days = parsed(answer, Response[tuple[Day, ...]]).response
    whole = [day for day in days if (today - timedelta(days=2)).timestamp() < day.period_to <= today.timestamp()]
    return max(whole, key=lambda day: day.period_to, default=None)
