"""Numbers of posts and accounts. Source: recordings of submissions and of /api/v1/me."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from regie.networks.data import Ref, Samples
from regie.networks.reddit.entities import Me, Thing, Things
from regie.networks.reddit.publishing import is_gone
from regie.networks.reddit.reading import INFO_AT_ONCE, votes_of_others
from regie.networks.reddit.wire import Wire, parsed


async def post_samples(wire: Wire, refs: Sequence[Ref]) -> Mapping[str, Samples]:
    names = [ref.remote_id for ref in refs if ref.remote_id.startswith(("t1_", "t3_"))]
    found: dict[str, Samples] = {}
    for first in range(0, len(names), INFO_AT_ONCE):
        some = {"id": ",".join(names[first : first + INFO_AT_ONCE])}
        for child in parsed(await wire.get("/api/info", some), Things).data.children:
            if not is_gone(child.data):
                found[child.data.name] = samples_of(child.data)
    return found


def samples_of(one: Thing) -> Samples:
    """``score`` as Reddit shows it; ``likes`` without the author's own vote; ``upvote_ratio`` in per cent. Reddit blurs
    all three a little, and tells nobody how often most posts were seen."""
    hidden = bool(one.hide_score or one.score_hidden)
    return {
        "likes": votes_of_others(one),
        "score": None if hidden else one.score,
        "upvote_ratio": None if hidden or one.upvote_ratio is None else round(one.upvote_ratio * 100),
        "replies": one.num_comments,
        "views": one.view_count,
        "votes": one.poll_data.total_vote_count if one.poll_data is not None else None,
    }


def account_samples_of(me: Me) -> Samples:
    karma = me.total_karma if me.total_karma is not None else me.link_karma + me.comment_karma
    return {"followers": me.subreddit.subscribers if me.subreddit is not None else None, "karma": karma}
