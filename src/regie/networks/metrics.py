"""The dictionary of metrics: one name for one thing, whatever the vendor calls it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """``name`` in tables and the API; ``definition`` is what the vendors count; ``unit`` of the number."""

    name: str
    definition: str
    unit: str = "count"


METRICS = {
    metric.name: metric
    for metric in (
        Metric("likes", "People who marked the post as liked (favourites, likes, reactions), now."),
        Metric("shares", "Times the post was passed on as it is (boosts, reposts, forwards), now."),
        Metric("replies", "Answers or comments directly under the post, now."),
        Metric("quotes", "Posts that quote the post with words of their own, now."),
        Metric("votes", "Votes given in the post's poll, now."),
        Metric("followers", "People who follow the account, or members of the channel, now."),
        Metric("following", "Accounts that this account follows, now."),
        Metric("posts", "Posts the account shows, as its network counts them, now."),
    )
}
