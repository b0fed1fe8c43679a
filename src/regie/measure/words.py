"""The metrics in people's words: a short label and what exactly is counted. One entry per networks/metrics.py."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Words:
    label: str | Promise
    definition: str | Promise


WORDS = {
    "likes": Words(_("Likes"), _("People who marked the post as liked (favourites, likes, reactions), now.")),
    "shares": Words(_("Shares"), _("Times the post was passed on as it is (boosts, reposts, forwards), now.")),
    "replies": Words(_("Replies"), _("Answers or comments directly under the post, now.")),
    "quotes": Words(_("Quotes"), _("Posts that quote the post with words of their own, now.")),
    "votes": Words(_("Votes"), _("Votes given in the post's poll, now.")),
    "saves": Words(_("Saves"), _("People who kept the post for later, now.")),
    "views": Words(_("Views"), _("Times the post was played or shown, now; the same person may count more than once.")),
    "reach": Words(_("Reach"), _("Different people who saw the post, as its network estimates them, now.")),
    "interactions": Words(
        _("Interactions"), _("Likes, comments, shares, saves and the like together, as the network adds them, now.")
    ),
    "clicks": Words(_("Clicks"), _("Clicks anywhere in the post, as its network counts them, now.")),
    "link_clicks": Words(_("Clicks on the link"), _("Clicks that led out to the link of the post, now.")),
    "profile_clicks": Words(
        _("Clicks on the profile"), _("Clicks in the post that led to the account's profile, now.")
    ),
    "video_views": Words(
        _("Video views"), _("Times the video was watched for at least a moment, as its network counts it, now.")
    ),
    "score": Words(_("Score"), _("Upvotes less downvotes, the author's own among them, as its network shows it, now.")),
    "upvote_ratio": Words(_("Upvotes, in per cent"), _("Of a hundred votes on the post, how many were upvotes, now.")),
    "watch_minutes": Words(_("Minutes watched"), _("Minutes that people watched the video together, now.")),
    "average_view_seconds": Words(_("Average view, in seconds"), _("Seconds that a view lasted on average, now.")),
    "followers_gained": Words(_("Followers gained"), _("People who began to follow the account at this post, now.")),
    "views_day": Words(
        _("Views in a day"), _("Times anything of the account was played or shown in the network's last full day.")
    ),
    "reach_day": Words(
        _("Reach in a day"), _("Different people who saw anything of the account in the network's last full day.")
    ),
    "engaged_day": Words(
        _("People engaged in a day"),
        _("Different people who reacted to the account's posts in the network's last full day."),
    ),
    "interactions_day": Words(
        _("Interactions in a day"),
        _("Reactions, comments, shares and clicks on the account's posts in the network's last full day."),
    ),
    "watch_minutes_day": Words(
        _("Minutes watched in a day"), _("Minutes that people watched in the network's last full day.")
    ),
    "followers_gained_day": Words(
        _("Followers gained in a day"),
        _("People who began to follow the account in the network's last full day."),
    ),
    "website_clicks_day": Words(
        _("Clicks to the website in a day"),
        _("Clicks that led to the website of the profile in the network's last full day."),
    ),
    "calls_day": Words(
        _("Calls in a day"), _("Clicks on the profile's button to call in the network's last full day.")
    ),
    "directions_day": Words(
        _("Directions in a day"), _("Times somebody asked for the way there in the network's last full day.")
    ),
    "followers": Words(_("Followers"), _("People who follow the account, or members of the channel, now.")),
    "following": Words(_("Following"), _("Accounts that this account follows, now.")),
    "likes_total": Words(_("Likes in all"), _("Likes that all posts of the account have received, now.")),
    "karma": Words(
        _("Karma"),
        _("What others' votes on the account's posts and comments add up to, as its network counts, now."),
    ),
    "reviews": Words(_("Reviews"), _("Reviews of the place that its network shows, now.")),
    "posts": Words(_("Posts there"), _("Posts the account shows, as its network counts them, now.")),
}
REACTIONS = Words(
    _("Reactions"),
    _("Likes, shares, replies and quotes together, as far as the network tells them. Formula: their sum."),
)
PUBLISHED = Words(_("Published"), _("Posts that went out through Régie on this account in the period."))
CHANGE = Words(
    _("Change"),
    _("The last number of followers in the period minus the first one we hold in it. Without two numbers: nothing."),
)
