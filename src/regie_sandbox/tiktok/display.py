"""What TikTok tells of people and their public posts. Source: the Display API's pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from regie_sandbox.tiktok.state import Post, User
from regie_sandbox.tiktok.wire import Json, Trouble, invalid, json_of

if TYPE_CHECKING:
    from regie_sandbox.tiktok.app import Call, TikTok

BASIC, PROFILE, STATS = "user.info.basic", "user.info.profile", "user.info.stats"
LONGEST = 150  # of titles and descriptions that are told
USER: dict[str, tuple[str, Callable[[TikTok, User], Any]]] = {
    "open_id": (BASIC, lambda net, user: user.id),
    "union_id": (BASIC, lambda net, user: user.union_id),
    "avatar_url": (BASIC, lambda net, user: f"{net.base}/avatar/{user.username}.jpeg"),
    "avatar_url_100": (BASIC, lambda net, user: f"{net.base}/avatar/{user.username}.jpeg"),
    "avatar_large_url": (BASIC, lambda net, user: f"{net.base}/avatar/{user.username}.jpeg"),
    "display_name": (BASIC, lambda net, user: user.name),
    "bio_description": (PROFILE, lambda net, user: ""),
    "profile_deep_link": (PROFILE, lambda net, user: f"{net.base}/@{user.username}"),
    "is_verified": (PROFILE, lambda net, user: False),
    "username": (PROFILE, lambda net, user: user.username),
    "follower_count": (STATS, lambda net, user: len(user.followers)),
    "following_count": (STATS, lambda net, user: user.following),
    "likes_count": (STATS, lambda net, user: sum(len(post.likes) for post in net.public_posts(user))),
    "video_count": (STATS, lambda net, user: len(net.public_posts(user))),
}
VIDEO: dict[str, Callable[[TikTok, Post], Any]] = {
    "id": lambda net, post: post.id,
    "create_time": lambda net, post: int(post.made_at.timestamp()),
    "cover_image_url": lambda net, post: f"{net.base}/cover/{post.id}.jpeg",
    "share_url": lambda net, post: f"{net.address(post)}?utm_campaign=tt4d_open_api&utm_source=sandbox",
    "video_description": lambda net, post: post.text[:LONGEST],
    "duration": lambda net, post: 0 if post.kind == "photo" else 12,
    "height": lambda net, post: 1920,
    "width": lambda net, post: 1080,
    "title": lambda net, post: (post.title or post.text)[:LONGEST],
    "embed_html": lambda net, post: f'<iframe src="{net.address(post)}"></iframe>',
    "embed_link": lambda net, post: f"{net.address(post)}?embed",
    "like_count": lambda net, post: len(post.likes),
    "comment_count": lambda net, post: len(post.comments),
    "share_count": lambda net, post: post.shares,
    "view_count": lambda net, post: len(post.likes) + len(post.comments) + post.shares,  # nobody just looks here
}


class Display:
    def __init__(self, net: TikTok) -> None:
        self.net = net

    async def user_info(self, call: Call) -> Json:
        names = _fields(call, USER)
        for name in names:
            if USER[name][0] not in call.token.scopes:
                raise Trouble("scope_not_authorized", f"The user did not authorize {USER[name][0]}", status=401)
        return {"user": {name: USER[name][1](self.net, call.user) for name in names}}

    async def listed(self, call: Call) -> Json:
        body, names = await json_of(call.request), _fields(call, VIDEO)
        most, cursor = body.get("max_count", 10), body.get("cursor", 0)
        if not isinstance(most, int) or not 1 <= most <= 20 or not isinstance(cursor, int):
            raise invalid("max_count must be between 1 and 20")
        before = datetime.fromtimestamp(cursor / 1000, UTC) if cursor else None
        lag = timedelta(seconds=self.net.faults.listing_lag)
        posts = [
            post
            for post in reversed(self.net.public_posts(call.user))
            if (before is None or post.made_at < before) and self.net.now() - post.made_at >= lag
        ]
        page = posts[:most]
        end = int(page[-1].made_at.timestamp() * 1000) if page else cursor
        return {"videos": [self._shown(post, names) for post in page], "cursor": end, "has_more": len(posts) > most}

    async def query(self, call: Call) -> Json:
        body, names = await json_of(call.request), _fields(call, VIDEO)
        filters = body.get("filters")
        ids = filters.get("video_ids") if isinstance(filters, dict) else None
        if not isinstance(ids, list) or not 1 <= len(ids) <= 20 or not all(isinstance(one, str) for one in ids):
            raise invalid("video_ids must hold 1 to 20 ids")
        public = {post.id: post for post in self.net.public_posts(call.user)}
        return {"videos": [self._shown(public[one], names) for one in ids if one in public]}

    def _shown(self, post: Post, names: list[str]) -> Json:
        return {name: VIDEO[name](self.net, post) for name in names}


def _fields(call: Call, known: dict[str, Any]) -> list[str]:
    names = [name for name in call.request.query.get("fields", "").split(",") if name]
    if not names or any(name not in known for name in names):
        raise invalid("The fields are missing or unknown")
    return names
