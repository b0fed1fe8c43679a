"""What LinkedIn tells: who is there, posts, comments, notifications, numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web

from regie_sandbox.linkedin import shown
from regie_sandbox.linkedin.call import Call, guarded
from regie_sandbox.linkedin.state import Comment, Post
from regie_sandbox.linkedin.wire import Json, Trouble, answered, denied, listed, record

if TYPE_CHECKING:
    from regie_sandbox.linkedin.app import LinkedIn

T = TypeVar("T")
DAY = timedelta(days=1)
ACTIONS = ("LIKE", "COMMENT", "SHARE", "SHARE_MENTION", "ADMIN_COMMENT", "COMMENT_EDIT", "COMMENT_DELETE")
NUMBERS: dict[str, Callable[[Post], int]] = {
    "IMPRESSION": lambda post: 2 * reach(post),
    "MEMBERS_REACHED": lambda post: reach(post),
    "REACTION": lambda post: len(post.likes),
    "COMMENT": lambda post: len(post.comments),
    "RESHARE": lambda post: post.shares,
}


def reach(post: Post) -> int:
    return 4 * max(len(post.likes), len(post.comments)) + post.shares


class Reads:
    def __init__(self, net: LinkedIn) -> None:
        self.net, self.state = net, net.state

    def routes(self, prefix: str) -> list[web.RouteDef]:
        def on(path: str, do: Any, *, rest: bool = True) -> web.RouteDef:
            return web.get(f"{prefix}{path}", guarded(self.net, do, rest=rest))

        return [
            on("/v2/userinfo", self.userinfo, rest=False),
            on("/rest/me", self.me),
            on("/rest/people/{key}", self.person),
            on("/rest/organizationAcls", self.roles),
            on("/rest/organizations/{id}", self.page),
            on("/rest/organizationsLookup", self.pages),
            on("/rest/posts", self.posts),
            on("/rest/posts/{urn}", self.post),
            on("/rest/socialActions/{urn}/comments", self.comments),
            on("/rest/socialActions/{urn}/comments/{id}", self.comment),
            on("/rest/organizationalEntityNotifications", self.notifications),
            on("/rest/organizationalEntityShareStatistics", self.statistics),
            on("/rest/networkSizes/{urn}", self.size),
            on("/rest/memberCreatorPostAnalytics", self.of_a_member),
            on("/rest/memberFollowersCount", self.followers),
        ]

    def elements(self, call: Call, rows: Sequence[T], show: Callable[[T], Json]) -> web.Response:
        start, count = int(call.query.get("start") or 0), int(call.query.get("count") or 10)
        if count > 100:
            raise Trouble(400, "count exceeds 100", code="PARAM_INVALID")
        some = rows[start : start + count]
        paging = {"start": start, "count": count, "links": [], "total": len(rows)}
        return answered({"paging": paging, "elements": [show(one) for one in some]})

    # Who is there

    async def userinfo(self, call: Call) -> web.Response:
        call.must("openid")
        member = self.state.members[call.token.member]
        return answered(
            {
                "sub": member.urn.rpartition(":")[2],
                "name": f"{member.first} {member.last}".strip(),
                "given_name": member.first,
                "family_name": member.last,
                "locale": {"country": "US", "language": "en"},
            }
        )

    async def me(self, call: Call) -> web.Response:
        call.must("r_basicprofile", "profile")
        return answered(shown.member(self.state.members[call.token.member]))

    async def person(self, call: Call) -> web.Response:
        call.must("r_basicprofile")
        found = self.state.members.get(f"urn:li:person:{record(call.key('key')).get('id')}")
        return answered(shown.member(found) if found is not None else {"id": "private"})

    async def roles(self, call: Call) -> web.Response:
        call.must("rw_organization_admin")
        if call.asked("q") != "roleAssignee":
            raise Trouble(400, "Unknown finder")
        rows = [
            (page, page.roles[call.token.member])
            for page in self.state.pages.values()
            if call.token.member in page.roles
        ]

        def show(row: Any) -> Json:
            page, role = row
            return {"role": role, "organization": page.urn, "roleAssignee": call.token.member, "state": "APPROVED"}

        return self.elements(call, rows, show)

    async def page(self, call: Call) -> web.Response:
        return answered(
            shown.page(self.state.pages[call.administers(self._page(call.key("id")), "rw_organization_admin")])
        )

    def _page(self, number: str) -> str:
        return f"urn:li:organization:{number}"

    async def pages(self, call: Call) -> web.Response:
        call.must("rw_organization_admin", "r_organization_social")
        wanted = listed(call.query.get("ids", ""))
        found = {number: self.state.pages.get(self._page(number)) for number in wanted}
        results = {number: shown.page(page) for number, page in found.items() if page is not None}
        statuses = {number: 200 if number in results else 404 for number in wanted}
        return answered({"results": results, "statuses": statuses, "errors": {}})

    # What was published and said

    async def posts(self, call: Call) -> web.Response:
        if call.asked("q") != "author" or call.method not in ("", "FINDER"):
            raise Trouble(400, "Unknown finder")
        author = call.asked("author")
        self._may_read(call, author)
        rows = [
            one for one in reversed(self.state.posts.values()) if one.author == author and self.net.listed(one.made_at)
        ]
        if call.query.get("sortBy", "LAST_MODIFIED") == "LAST_MODIFIED":
            rows.sort(key=lambda one: one.changed_at, reverse=True)
        return self.elements(call, rows, shown.post)

    def _may_read(self, call: Call, author: str) -> None:
        """A member's posts, their own too, need a permission that LinkedIn gives to nobody any more."""
        if author not in self.state.pages:
            call.must("r_member_social")
        elif call.token.member in self.state.pages[author].roles:
            call.must("r_organization_social")
        else:
            raise denied(f"organization {author}")

    async def post(self, call: Call) -> web.Response:
        post = self.state.posts.get(call.key())
        if post is None:
            raise Trouble(404)
        self._may_read(call, post.author)
        return answered(shown.post(post))

    def _may_read_comments(self, call: Call, post: Post) -> None:
        if post.author not in self.state.pages:
            call.must("r_member_social_feed")
        else:
            call.administers(post.author, "r_organization_social_feed")

    async def comments(self, call: Call) -> web.Response:
        post, parent = self.net.deeds.under(call.key())
        self._may_read_comments(call, post)
        above = parent.urn if parent is not None else ""
        there = [self.state.comments[one] for one in post.comments]
        rows = [one for one in there if one.parent == above and self.net.listed(one.made_at)]
        return self.elements(call, rows, self._comment)

    def _comment(self, one: Comment) -> Json:
        return shown.comment(self.net, one)

    async def comment(self, call: Call) -> web.Response:
        found = self.net.deeds.comment_at(call)
        self._may_read_comments(call, self.state.posts[found.post])
        return answered(self._comment(found))

    async def notifications(self, call: Call) -> web.Response:
        """Newest first."""
        if call.asked("q") != "criteria":
            raise Trouble(400, "Unknown finder")
        page = call.administers(call.asked("organizationalEntity"), "rw_organization_admin")
        wanted = listed(call.query["actions"]) if "actions" in call.query else list(ACTIONS)
        if set(wanted) - set(ACTIONS):
            raise Trouble(400, "An action is not valid", code="PARAM_INVALID")
        since = self.net.now() - 60 * DAY
        rows = [one for one in reversed(self.state.notifications) if one.page == page and one.action in wanted]
        return self.elements(
            call, [one for one in rows if one.at > since], lambda one: shown.notification(self.net, one)
        )

    # Numbers

    async def statistics(self, call: Call) -> web.Response:
        """Of the Page in all, of a span of days, or of some posts, which may not be asked for together with a span."""
        if call.asked("q") != "organizationalEntity":
            raise Trouble(400, "Unknown finder")
        page = call.administers(call.asked("organizationalEntity"), "rw_organization_admin")
        named = {
            kind: listed(call.query[name])
            for name, kind in (("shares", "share"), ("ugcPosts", "ugcPost"))
            if name in call.query
        }
        if named:
            rows = [
                {kind: urn, "organizationalEntity": page, "totalShareStatistics": self._total([self.state.posts[urn]])}
                for kind, urns in named.items()
                for urn in urns
                if urn in self.state.posts and urn.startswith(f"urn:li:{kind}:")
            ]
            return self.elements(call, rows, lambda row: row)
        span = self._span(call)
        mine = [one for one in self.state.posts.values() if one.author == page]
        if span is None:
            return self.elements(
                call, [{"organizationalEntity": page, "totalShareStatistics": self._total(mine)}], lambda row: row
            )
        start, end = span
        days = [(start + nth * DAY, start + (nth + 1) * DAY) for nth in range((end - start).days)]

        def show(day: tuple[datetime, datetime]) -> Json:
            told = [one for one in mine if day[0] <= one.made_at < day[1]]
            between = {"start": shown.moment(day[0]), "end": shown.moment(day[1])}
            return {"organizationalEntity": page, "timeRange": between, "totalShareStatistics": self._total(told)}

        return self.elements(call, days, show)

    def _span(self, call: Call) -> tuple[datetime, datetime] | None:
        asked = call.query.get("timeIntervals")
        if asked is None:
            return None
        head, _, tail = asked.removeprefix("(timeRange:").partition(")")
        told = record(f"{head})")
        if tail != ",timeGranularityType:DAY)" or set(told) != {"start", "end"}:
            raise Trouble(400, "timeIntervals is not valid", code="PARAM_INVALID")
        start, end = (datetime.fromtimestamp(int(told[name]) / 1000, UTC) for name in ("start", "end"))
        return start, end

    def _total(self, posts: Sequence[Post]) -> Json:
        seen, likes = sum(map(reach, posts)), sum(len(one.likes) for one in posts)
        said, shares = sum(len(one.comments) for one in posts), sum(one.shares for one in posts)
        clicks = seen // 3
        return {
            "impressionCount": 2 * seen,
            "uniqueImpressionsCount": seen,
            "clickCount": clicks,
            "likeCount": likes,
            "commentCount": said,
            "shareCount": shares,
            "engagement": (clicks + likes + said + shares) / (2 * seen) if seen else 0.0,
        }

    async def size(self, call: Call) -> web.Response:
        if call.asked("edgeType") != "COMPANY_FOLLOWED_BY_MEMBER":
            raise Trouble(400, "edgeType is not valid", code="PARAM_INVALID")
        page = self.state.pages.get(call.key())
        if page is None:
            raise Trouble(404)
        return answered({"firstDegreeSize": len(page.followers)})

    async def of_a_member(self, call: Call) -> web.Response:
        """One number of one post of the member's, or of all together."""
        call.must("r_member_postAnalytics")
        word = call.asked("queryType")
        if word not in NUMBERS or call.query.get("aggregation", "TOTAL") != "TOTAL":
            raise Trouble(400, "queryType is not valid", code="PARAM_INVALID")
        mine = [one for one in self.state.posts.values() if one.author == call.token.member]
        if call.asked("q") == "entity":
            wanted = next(iter(record(call.query.get("entity", "")).values()))
            mine = [one for one in mine if one.urn == wanted]
            if not mine:
                raise Trouble(404)
        kind = "com.linkedin.adsexternalapi.memberanalytics.v1.CreatorPostAnalyticsMetricTypeV1"
        row = {"count": sum(NUMBERS[word](one) for one in mine), "dateRange": {}, "metricType": {kind: word}}
        return self.elements(call, [row], lambda one: one)

    async def followers(self, call: Call) -> web.Response:
        call.must("r_member_profileAnalytics")
        count = len(self.state.members[call.token.member].followers)
        return self.elements(call, [{"memberFollowersCount": count}], lambda one: one)
