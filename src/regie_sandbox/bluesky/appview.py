"""What the app shows of everybody's records: profiles, threads, feeds, notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from regie_sandbox.bluesky.call import Call, Handle
from regie_sandbox.bluesky.problem import Problem, invalid
from regie_sandbox.bluesky.state import Record
from regie_sandbox.bluesky.store import iso
from regie_sandbox.bluesky.views import Views

if TYPE_CHECKING:
    from regie_sandbox.bluesky.app import Bluesky


class AppView:
    def __init__(self, net: Bluesky) -> None:
        self.net = net
        self.handlers: dict[tuple[str, str], Handle] = {
            ("GET", "app.bsky.actor.getProfile"): self._get_profile,
            ("GET", "app.bsky.actor.getProfiles"): self._get_profiles,
            ("GET", "app.bsky.feed.getPosts"): self._get_posts,
            ("GET", "app.bsky.feed.getPostThread"): self._get_thread,
            ("GET", "app.bsky.feed.getAuthorFeed"): self._get_author_feed,
            ("GET", "app.bsky.feed.getTimeline"): self._get_timeline,
            ("GET", "app.bsky.feed.getLikes"): self._get_likes,
            ("GET", "app.bsky.notification.listNotifications"): self._list_notifications,
            ("GET", "app.bsky.notification.getUnreadCount"): self._unread,
            ("POST", "app.bsky.notification.updateSeen"): self._seen,
        }

    def _views(self, call: Call) -> Views:
        return Views(self.net.store, self.net.base, self.net.who(call).did)

    def _get_profile(self, call: Call) -> dict[str, Any]:
        views = self._views(call)
        account = self.net.store.find(call.needed("actor"))
        if account is None:
            raise invalid("Profile not found")
        if account.closed:
            raise invalid("Account has been suspended", "AccountTakedown")
        return views.profile(account)

    def _get_profiles(self, call: Call) -> dict[str, Any]:
        views = self._views(call)
        accounts = [self.net.store.find(name) for name in call.request.query.getall("actors", [])]
        return {"profiles": [views.profile(account) for account in accounts if account is not None]}

    def _get_posts(self, call: Call) -> dict[str, Any]:
        views, uris = self._views(call), call.request.query.getall("uris", [])
        if not 1 <= len(uris) <= 25:
            raise invalid("Error: uris must not have more than 25 elements")
        records = [self.net.state.records.get(uri) for uri in uris]
        return {"posts": [views.post(one) for one in records if one is not None and self.net.store.shown(one)]}

    def _get_thread(self, call: Call) -> dict[str, Any]:
        views, uri = self._views(call), call.needed("uri")
        record = self.net.state.records.get(uri)
        if record is None or not self.net.store.shown(record):
            raise Problem(400, "NotFound", f"Post not found: {uri}")
        depth, height = call.number("depth", 6, 0, 1000), call.number("parentHeight", 80, 0, 1000)
        return {"thread": views.thread(uri, depth=depth, height=height)}

    def _get_author_feed(self, call: Call) -> dict[str, Any]:
        views, account = self._views(call), self.net.store.find(call.needed("actor"))
        if account is None:
            raise invalid("Profile not found")
        return self._feed(call, views, self.net.store.posts_of(account.did))

    def _get_timeline(self, call: Call) -> dict[str, Any]:
        views = self._views(call)
        followed = [did for did, by in self.net.state.followers.items() if views.me in by]
        posts = [record for did in (*followed, views.me) for record in self.net.store.posts_of(did)]
        return self._feed(call, views, sorted(posts, key=lambda one: one.seq))

    def _feed(self, call: Call, views: Views, posts: list[Record]) -> dict[str, Any]:
        """Newest first by when the network got them; the cursor is that number."""
        before = int(call.request.query.get("cursor") or self.net.state.seq + 1)
        limit = call.number("limit", 50, 1, 100)
        page = [one for one in reversed(posts) if one.seq < before and self.net.store.shown(one)][:limit]
        return {"feed": [views.feed_post(one) for one in page], **({"cursor": str(page[-1].seq)} if page else {})}

    def _get_likes(self, call: Call) -> dict[str, Any]:
        views, uri = self._views(call), call.needed("uri")
        likes = [
            {"actor": views.author(did), "createdAt": record.value["createdAt"], "indexedAt": iso(record.indexed_at)}
            for did, like in self.net.store.reactions(uri).likes.items()
            if (record := self.net.state.records.get(like)) is not None
        ]
        return {"uri": uri, "likes": likes[: call.number("limit", 50, 1, 100)]}

    def _list_notifications(self, call: Call) -> dict[str, Any]:
        views, reasons = self._views(call), call.request.query.getall("reasons", [])
        before, limit = call.request.query.get("cursor", ""), call.number("limit", 50, 1, 100)
        page: list[dict[str, Any]] = []
        last = ""
        for notice, record in self.net.store.notices_for(views.me):
            if (not reasons or notice.reason in reasons) and (not before or record.seq < int(before)):
                page.append(views.notification(notice, record))
                last = str(record.seq)
                if len(page) == limit:
                    break
        return {"notifications": page, "priority": False, **({"cursor": last} if last else {})}

    def _unread(self, call: Call) -> dict[str, Any]:
        return {"count": sum(1 for _ in self.net.store.notices_for(self.net.who(call).did))}

    def _seen(self, call: Call) -> web.Response:
        self.net.who(call)
        return web.Response(status=200)
