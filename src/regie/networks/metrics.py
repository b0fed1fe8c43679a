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
        Metric("saves", "People who kept the post for later, now."),
        Metric("views", "Times the post was played or shown, now; the same person may count more than once."),
        Metric("reach", "Different people who saw the post, as its network estimates them, now."),
        Metric("interactions", "Likes, comments, shares, saves and the like together, as the network adds them, now."),
        Metric("clicks", "Clicks anywhere in the post, as its network counts them, now."),
        Metric("link_clicks", "Clicks that led out to the link of the post, now."),
        Metric("profile_clicks", "Clicks in the post that led to the account's profile, now."),
        Metric("video_views", "Times the video was watched for at least a moment, as its network counts it, now."),
        Metric("score", "Upvotes less downvotes, the author's own among them, as its network shows it, now."),
        Metric("upvote_ratio", "Of a hundred votes on the post, how many were upvotes, now.", unit="percent"),
        Metric("watch_minutes", "Minutes that people watched the video together, now.", unit="minutes"),
        Metric("average_view_seconds", "Seconds that a view lasted on average, now.", unit="seconds"),
        Metric("followers_gained", "People who began to follow the account at this post, now."),
        Metric("views_day", "Times anything of the account was played or shown in the network's last full day."),
        Metric("reach_day", "Different people who saw anything of the account in the network's last full day."),
        Metric("engaged_day", "Different people who reacted to the account's posts in the network's last full day."),
        Metric("interactions_day", "Reactions, comments, shares and clicks on its posts in the last full day."),
        Metric("watch_minutes_day", "Minutes that people watched in the network's last full day.", unit="minutes"),
        Metric("followers_gained_day", "People who began to follow the account in the network's last full day."),
        Metric("website_clicks_day", "Clicks that led to the website of the profile in the network's last full day."),
        Metric("calls_day", "Clicks on the profile's button to call in the network's last full day."),
        Metric("directions_day", "Times somebody asked for the way there in the network's last full day."),
        Metric("followers", "People who follow the account, or members of the channel, now."),
        Metric("following", "Accounts that this account follows, now."),
        Metric(
            "karma", "What others' votes on the account's posts and comments add up to, as its network counts, now."
        ),
        Metric("likes_total", "Likes that all posts of the account have received, now."),
        Metric("reviews", "Reviews of the place that its network shows, now."),
        Metric("posts", "Posts the account shows, as its network counts them, now."),
    )
}
