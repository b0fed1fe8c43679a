"""Numbers of posts and accounts. Source: x-api/fundamentals/metrics of docs.x.com."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from regie.networks.data import Ref, Samples
from regie.networks.x.entities import Poll, Post, Posts, User
from regie.networks.x.wire import Wire, parsed

AT_ONCE = 100
OF_POST = "public_metrics,non_public_metrics,attachments"
POST_METRICS = (
    "likes",
    "shares",
    "replies",
    "quotes",
    "saves",
    "views",
    "interactions",
    "link_clicks",
    "profile_clicks",
    "votes",
)
ACCOUNT_METRICS = ("followers", "following", "posts")


async def post_samples(wire: Wire, refs: Sequence[Ref]) -> Mapping[str, Samples]:
    """What X does not tell is None: clicks and interactions end thirty days after the post, votes need a poll."""
    found: dict[str, Samples] = {}
    ids = [ref.remote_id for ref in refs]
    for first in range(0, len(ids), AT_ONCE):
        asked = {
            "ids": ",".join(ids[first : first + AT_ONCE]),
            "post.fields": OF_POST,
            "expansions": "attachments.poll_ids",
            "poll.fields": "options",
        }
        page = parsed(await wire.get("/2/tweets", asked), Posts)
        polls = {poll.id: poll for poll in page.includes.polls}
        found |= {post.id: samples_of(post, polls) for post in page.data}
    return found


def samples_of(post: Post, polls: Mapping[str, Poll]) -> Samples:
    public, own = post.public_metrics, post.non_public_metrics
    return {
        "likes": public.like_count,
        "shares": public.repost_count,
        "replies": public.reply_count,
        "quotes": public.quote_count,
        "saves": public.bookmark_count,
        "views": public.impression_count,
        "interactions": own.engagements,
        "link_clicks": own.url_link_clicks,
        "profile_clicks": own.user_profile_clicks,
        "votes": _votes(post, polls),
    }


def _votes(post: Post, polls: Mapping[str, Poll]) -> int | None:
    known = [polls[one] for one in post.attachments.poll_ids or () if one in polls]
    return sum(option.votes for poll in known for option in poll.options) if known else None


def account_samples_of(user: User) -> Samples:
    told = user.public_metrics
    return {"followers": told.followers_count, "following": told.following_count, "posts": told.post_count}
