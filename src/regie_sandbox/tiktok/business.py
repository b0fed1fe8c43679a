"""TikTok API for Business, as far as it is about an account's own posts and comments. Sources: our NOTES.md."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

from regie_sandbox.tiktok import oauth
from regie_sandbox.tiktok.posting import EVERYBODY, PHOTOS, film_trouble
from regie_sandbox.tiktok.state import App, Comment, Post, Publishing, Token, User
from regie_sandbox.tiktok.wire import Handler, Json, Trouble, answered, json_of, switches_in, text_in

if TYPE_CHECKING:
    from regie_sandbox.tiktok.app import TikTok

API = "/business/open_api/v1.3"
PER_MINUTE = 40  # of one account and endpoint
LONGEST_COMMENT, MOST_COMMENTS, MOST_POSTS, MOST_REPLIES = 150, 30, 20, 3
LARGEST_VIDEO = 1000 * 1000 * 1000
ITEM: dict[str, Callable[[TikTok, Post], Any]] = {
    "item_id": lambda net, post: post.id,
    "create_time": lambda net, post: str(int(post.made_at.timestamp())),
    "caption": lambda net, post: post.text,
    "share_url": lambda net, post: f"{net.address(post)}?utm_campaign=tt4d_open_api",
    "thumbnail_url": lambda net, post: f"{net.base}/cover/{post.id}.jpeg",
    "embed_url": lambda net, post: f"{net.address(post)}?embed",
    "likes": lambda net, post: len(post.likes),
    "comments": lambda net, post: len(post.comments),
    "shares": lambda net, post: post.shares,
    "video_views": lambda net, post: len(post.likes) + len(post.comments) + post.shares,
    "favorites": lambda net, post: 0,
    "reach": lambda net, post: len(post.likes),
    "total_time_watched": lambda net, post: 12.0 * (len(post.likes) + len(post.comments)),
    "average_time_watched": lambda net, post: 12.0 if post.likes else 0.0,
}
ACCOUNT: dict[str, tuple[str, Callable[[TikTok, User], Any]]] = {
    "username": ("user.info.basic", lambda net, user: user.username),
    "display_name": ("user.info.basic", lambda net, user: user.name),
    "profile_image": ("user.info.basic", lambda net, user: f"{net.base}/avatar/{user.username}.jpeg"),
    "is_business_account": ("user.info.basic", lambda net, user: True),
    "followers_count": ("user.info.stats", lambda net, user: len(user.followers)),
    "following_count": ("user.info.stats", lambda net, user: 0),
    "total_likes": ("user.info.stats", lambda net, user: sum(len(one.likes) for one in _posts_of(net, user))),
    "videos_count": ("user.info.stats", lambda net, user: len(_posts_of(net, user))),
}
DAILY = ("video_views", "unique_video_views", "engaged_audience")  # with user.insights, a day or two late
TOLD_LATE = timedelta(days=2)


def _posts_of(net: TikTok, user: User) -> list[Post]:
    return [one for one in net.state.posts.values() if one.user == user.id and one.public_at is not None]


class Wrong(Exception):
    """A code of TikTok's, which comes with status 200."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def enveloped(data: Json, *, code: int = 0, message: str = "OK") -> Json:
    return {"code": code, "message": message, "request_id": f"2030{secrets.token_hex(15).upper()}", "data": data}


class Asked:
    """One request of an account's."""

    def __init__(self, request: web.Request, token: Token, user: User, app: App, fields: Json) -> None:
        self.request, self.token, self.user, self.app, self.fields = request, token, user, app, fields

    def text(self, name: str) -> str:
        value = self.fields.get(name)
        if not isinstance(value, str) or not value:
            raise Wrong(40002, f"{name}: Missing data for required field.")
        return value

    def number(self, name: str, *, default: int, least: int = 0, most: int = 10**18) -> int:
        value = str(self.fields.get(name, default))
        if not value.isdigit() or not least <= int(value) <= most:
            raise Wrong(40002, f"{name}: Not a valid integer.")
        return int(value)

    def choice(self, name: str, *words: str) -> str:
        if (value := str(self.fields.get(name, words[0]))) not in words:
            raise Wrong(40002, f"{name}: Not a valid choice.")
        return value


Deed = Callable[[Asked], Awaitable[Json]]


class Business:
    def __init__(self, net: TikTok) -> None:
        self.net, self.state = net, net.state

    def routes(self) -> list[web.RouteDef]:
        read, write, show = "comment.list", "comment.list.manage", "video.list"
        return [
            web.post(f"{API}/tt_user/oauth2/token/", self._plain(self.token)),
            web.post(f"{API}/tt_user/oauth2/refresh_token/", self._plain(self.refresh)),
            web.post(f"{API}/tt_user/oauth2/revoke/", self._plain(self.revoke)),
            web.post(f"{API}/business/webhook/update/", self._plain(self.webhook)),
            web.get(f"{API}/business/get/", self._do(self.get, "user.info.basic")),
            web.get(f"{API}/business/video/list/", self._do(self.videos, show)),
            web.get(f"{API}/business/video/settings/", self._do(self.settings, "video.publish")),
            web.post(f"{API}/business/video/publish/", self._do(self.publish_video, "video.publish")),
            web.post(f"{API}/business/photo/publish/", self._do(self.publish_photos, "video.publish")),
            web.get(f"{API}/business/publish/status/", self._do(self.status, "video.publish")),
            web.get(f"{API}/business/comment/list/", self._do(self.comments, read)),
            web.get(f"{API}/business/comment/reply/list/", self._do(self.replies, read)),
            web.post(f"{API}/business/comment/create/", self._do(self.comment, write)),
            web.post(f"{API}/business/comment/reply/create/", self._do(self.reply, write)),
            web.post(f"{API}/business/comment/like/", self._do(self.like, write)),
            web.post(f"{API}/business/comment/hide/", self._do(self.hide, write)),
            web.post(f"{API}/business/comment/delete/", self._do(self.delete, write)),
        ]

    def _plain(self, do: Callable[[Json], Json]) -> Handler:
        """What is asked with the app's secret."""

        async def handler(request: web.Request) -> web.StreamResponse:
            try:
                return answered(enveloped(do(await json_of(request))))
            except Wrong as wrong:
                return answered(enveloped({}, code=wrong.code, message=wrong.message))

        return handler

    def _do(self, do: Deed, scope: str) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            try:
                asked = await self._asked(request)
                if scope not in asked.token.scopes:
                    raise Wrong(40001, f"No permission to operate: {scope}")
                self._count(asked)
                return answered(enveloped(await do(asked)))
            except Wrong as wrong:
                return answered(enveloped({}, code=wrong.code, message=wrong.message))
            except Trouble as trouble:
                return answered(enveloped({}, code=40002, message=trouble.message))

        return handler

    async def _asked(self, request: web.Request) -> Asked:
        value = request.headers.get("Access-Token", "")
        if not value:
            raise Wrong(40104, "access_token is empty")
        token = self.state.tokens.get(value)
        if token is None or (token.kind, token.way) != ("access", "business"):
            raise Wrong(40105, "Access token is incorrect or has been revoked.")
        if token.until <= self.net.now():
            raise Wrong(40102, "Access token is expired.")
        fields = dict(request.query) if request.method == "GET" else await json_of(request)
        if fields.get("business_id") != token.user:
            raise Wrong(40001, "business_id does not belong to the access token")
        return Asked(request, token, self.state.users[token.user], self.state.apps[token.app], fields)

    def _count(self, asked: Asked) -> None:
        key, now = (asked.user.id, asked.request.path), self.net.now()
        recent = [at for at in self.net.recent.get(key, ()) if at > now - timedelta(minutes=1)]
        if len(recent) >= PER_MINUTE:
            raise Wrong(40100, "Too many requests. Please retry in some time.")
        self.net.recent[key] = [*recent, now]

    # Signing in

    def _app(self, asked: Json) -> App:
        app = self.state.apps.get(str(asked.get("client_id", asked.get("app_id", ""))))
        secret = str(asked.get("client_secret", asked.get("secret", "")))
        if app is None or not hmac.compare_digest(app.secret, secret):
            raise Wrong(40113, "Invalid app id or secret")
        return app

    def token(self, asked: Json) -> Json:
        app = self._app(asked)
        if asked.get("grant_type") != "authorization_code":
            raise Wrong(40002, "grant_type: Not a valid choice.")
        code = self.state.codes.pop(str(asked.get("auth_code", "")), None)
        if code is None or code.until <= self.net.now() or (code.app, code.way) != (app.key, "business"):
            raise Wrong(40131, "Authorization code is expired.")
        if code.redirect_uri != asked.get("redirect_uri"):
            raise Wrong(40002, "redirect_uri does not match.")
        return self._pair(code.user, app, code.scopes)

    def _pair(self, user: str, app: App, scopes: list[str]) -> Json:
        made = oauth.pair(self.net, user, app, scopes, "business")
        made["refresh_token_expires_in"] = made.pop("refresh_expires_in")
        return made

    def refresh(self, asked: Json) -> Json:
        app = self._app(asked)
        value = str(asked.get("refresh_token", ""))
        held = self.state.tokens.get(value)
        fits = held is not None and (held.kind, held.way, held.app) == ("refresh", "business", app.key)
        if held is None or not fits or held.until <= self.net.now():
            raise Wrong(40105, "Refresh token is incorrect or has expired.")
        del self.state.tokens[value]
        return self._pair(held.user, app, held.scopes)

    def revoke(self, asked: Json) -> Json:
        app = self._app(asked)
        held = self.state.tokens.get(str(asked.get("access_token", "")))
        if held is None or held.app != app.key:
            raise Wrong(40105, "Access token is incorrect or has been revoked.")
        self.net.withdraw(held.user, app, reason=5)
        return {}

    def webhook(self, asked: Json) -> Json:
        app, kind = self._app(asked), str(asked.get("event_type"))
        if kind not in ("COMMENT", "VIDEO") or not str(asked.get("callback_url", "")).startswith("http"):
            raise Wrong(40002, "event_type: Not a valid choice.")
        app.callbacks[kind] = str(asked["callback_url"])
        self.net.world.changes += 1
        return {"app_id": app.key, "event_type": kind, "callback_url": app.callbacks[kind]}

    # The account and its posts

    async def get(self, asked: Asked) -> Json:
        known = {**{name: scope for name, (scope, _) in ACCOUNT.items()}, **dict.fromkeys(DAILY, "user.insights")}
        names = _listed(asked.fields.get("fields"), known) or ["display_name", "profile_image"]
        for name in names:
            if known[name] not in asked.token.scopes:
                raise Wrong(40001, f"No permission to operate: {name}")
        found = {name: ACCOUNT[name][1](self.net, asked.user) for name in names if name in ACCOUNT}
        return {**found, **self._days(asked.user, [name for name in names if name in DAILY])}

    def _days(self, user: User, names: list[str]) -> Json:
        """The week before today; the newest of it is not counted yet."""
        if not names:
            return {}
        today = self.net.now().replace(hour=0, minute=0, second=0, microsecond=0)
        days = [today - timedelta(days=nth) for nth in range(7, 0, -1)]
        return {"metrics": [{"date": f"{day:%Y-%m-%d}", **self._of_day(user, day, names)} for day in days]}

    def _of_day(self, user: User, day: datetime, names: list[str]) -> Json:
        if self.net.now() - day < TOLD_LATE:
            return {}
        posts = [one for one in _posts_of(self.net, user) if one.public_at and one.public_at < day + timedelta(days=1)]
        people = {who for one in posts for who in one.likes}
        numbers = {"video_views": 2 * len(people), "unique_video_views": len(people), "engaged_audience": len(people)}
        return {name: numbers[name] for name in names}

    async def settings(self, asked: Asked) -> Json:
        user = asked.user
        return {
            "comment_disabled": "comment" in user.switched_off,
            "duet_disabled": user.private or "duet" in user.switched_off,
            "stitch_disabled": user.private or "stitch" in user.switched_off,
            "max_video_post_duration_sec": user.longest_video,
        }

    async def videos(self, asked: Asked) -> Json:
        names = _listed(asked.fields.get("fields"), ITEM) or ["item_id"]
        if "item_id" not in names:
            raise Wrong(40002, "fields: item_id must be among them.")
        most = asked.number("max_count", default=10, least=1, most=MOST_POSTS)
        cursor, wanted = asked.number("cursor", default=0), _wanted(asked.fields.get("filters"))
        before = datetime.fromtimestamp(cursor / 1000, UTC) if cursor else None
        lag = timedelta(seconds=self.net.faults.listing_lag)
        posts = [
            post
            for post in reversed(self.net.public_posts(asked.user))
            if (not wanted or post.id in wanted)
            and (before is None or post.made_at < before)
            and self.net.now() - post.made_at >= lag
        ]
        page = posts[:most]
        end = int(page[-1].made_at.timestamp() * 1000) if page else cursor
        shown = [{name: ITEM[name](self.net, post) for name in names} for post in page]
        return {"videos": shown, "cursor": end, "has_more": len(posts) > most}

    async def publish_video(self, asked: Asked) -> Json:
        info = _info(asked)
        told = switches_in(info, ("disable_comment", "disable_duet", "disable_stitch", "is_ai_generated"))
        one = self._begin(asked, "video", text_in(info, "caption", most=2200), {**told, **_branded(info)})
        try:
            content = await self.net.fetch(asked.text("video_url"))
            trouble = film_trouble(content) if content is not None else ""
            if content is not None and len(content) > LARGEST_VIDEO:
                trouble = "file_format_check_failed"
        except LookupError:
            trouble = "video_pull_failed"
        self.net.posting.publish(one, trouble)
        return {"share_id": one.id}

    async def publish_photos(self, asked: Asked) -> Json:
        info, images = _info(asked), asked.fields.get("photo_images")
        if not isinstance(images, list) or not 1 <= len(images) <= PHOTOS:
            raise Wrong(40002, "photo_images: Missing data for required field.")
        if info.get("privacy_level") != EVERYBODY:
            raise Wrong(40002, "privacy_level: Not a valid choice.")
        cover = asked.number("photo_cover_index", default=0, most=len(images) - 1)
        told = switches_in(info, ("disable_comment", "auto_add_music"))
        one = self._begin(asked, "photo", text_in(info, "caption", most=4000), {**told, **_branded(info)})
        one.title, one.images, one.cover = text_in(info, "title", most=90), list(images), cover
        self.net.posting.publish(one, await self.net.posting.photo_trouble(images))
        return {"share_id": one.id}

    def _begin(self, asked: Asked, kind: str, text: str, told: dict[str, str | int | bool]) -> Publishing:
        if (full := self.net.posting.full(asked.user)) is not None:
            raise Wrong(40002, full.message)
        prefix = "v_pub_url~v2" if kind == "video" else "p_pub_url~v2"
        one = self.net.posting.make((asked.user, asked.app), prefix, kind, text, EVERYBODY, told)
        one.pulled = True
        return one

    async def status(self, asked: Asked) -> Json:
        one = self.state.publishing.get(asked.text("publish_id"))
        if one is None or one.user != asked.user.id or not one.pulled:
            raise Wrong(40007, "The publish_id does not exist.")
        if one.over_at is None or one.over_at > self.net.now():
            return {"status": "PROCESSING_DOWNLOAD"}
        if one.fail_reason:
            return {"status": "FAILED", "reason": one.fail_reason}
        post = self.state.posts[one.post]
        return {"status": "PUBLISH_COMPLETE", "post_ids": [post.id] if self.net.is_public(post) else []}

    # Comments

    def _post(self, asked: Asked) -> Post:
        post = self.state.posts.get(asked.text("video_id"))
        if post is None or post.user != asked.user.id:
            raise Wrong(40007, "The video does not exist.")
        return post

    def _comment(self, asked: Asked) -> Comment:
        one = self.state.comments.get(asked.text("comment_id"))
        if one is None or self.state.posts[one.post].user != asked.user.id:
            raise Wrong(40007, "The comment does not exist.")
        return one

    async def comments(self, asked: Asked) -> Json:
        post = self._post(asked)
        tops = [one for one in map(self.state.comments.__getitem__, post.comments) if not one.parent]
        return self._page(asked, tops, inner=asked.fields.get("include_replies") == "true")

    async def replies(self, asked: Asked) -> Json:
        self._post(asked)
        top = self._comment(asked)
        return self._page(asked, [self.state.comments[one] for one in top.replies], inner=False)

    def _page(self, asked: Asked, found: list[Comment], *, inner: bool) -> Json:
        most = asked.number("max_count", default=20, least=1, most=MOST_COMMENTS)
        begin = asked.number("cursor", default=0)
        asked.choice("sort_field", "likes", "replies", "create_time")
        if asked.choice("status", "ALL", "PUBLIC") == "PUBLIC":
            found = [one for one in found if not one.hidden]
        found = [one for one in found if self.net.now() - one.made_at >= timedelta(seconds=self.net.faults.listing_lag)]
        newest = asked.choice("sort_order", "smart", "asc", "desc") != "asc"
        rows = sorted(found, key=lambda one: (one.made_at, one.id), reverse=newest)
        page = rows[begin : begin + most]
        shown = [self._shown(asked, one, inner=inner) for one in page]
        return {"comments": shown, "cursor": begin + len(page), "has_more": begin + most < len(rows)}

    def _shown(self, asked: Asked, one: Comment, *, inner: bool) -> Json:
        by = self.state.users[one.by]
        shown: Json = {
            "comment_id": one.id,
            "video_id": one.post,
            "user_id": by.id,
            "unique_identifier": by.union_id,
            "create_time": str(int(one.made_at.timestamp())),
            "text": one.text,
            "likes": len(one.likes),
            "replies": len(one.replies),
            "owner": one.by == asked.user.id,
            "liked": asked.user.id in one.likes,
            "pinned": False,
            "status": "HIDDEN" if one.hidden else "PUBLIC",
            "username": by.username,
            "display_name": by.name,
            "profile_image": f"{self.net.base}/avatar/{by.username}.jpeg?x-expires=1",
        }
        if one.parent:
            shown["parent_comment_id"] = one.parent
        if inner:
            under = [self.state.comments[reply] for reply in one.replies[:MOST_REPLIES]]
            shown["reply_list"] = [self._shown(asked, reply, inner=False) for reply in under]
        return shown

    async def comment(self, asked: Asked) -> Json:
        return self._say(asked, self._post(asked), None)

    async def reply(self, asked: Asked) -> Json:
        return self._say(asked, self._post(asked), self._comment(asked))

    def _say(self, asked: Asked, post: Post, parent: Comment | None) -> Json:
        text = asked.text("text")
        if len(text) > LONGEST_COMMENT:
            raise Wrong(40002, "text: Longer than maximum length 150.")
        made = self.net.comment(post, asked.user, text, parent=parent)
        return self._shown(asked, made, inner=False)

    async def like(self, asked: Asked) -> Json:
        one = self._comment(asked)
        if "action" not in asked.fields:
            raise Wrong(40002, "action: Missing data for required field.")
        if asked.choice("action", "LIKE", "UNLIKE") == "LIKE":
            one.likes.add(asked.user.id)
        else:
            one.likes.discard(asked.user.id)
        self.net.world.changes += 1
        return {}

    async def hide(self, asked: Asked) -> Json:
        self._post(asked)
        one = self._comment(asked)
        one.hidden = asked.choice("action", "HIDE", "UNHIDE") == "HIDE"
        self.net.world.changes += 1
        return {}

    async def delete(self, asked: Asked) -> Json:
        one = self._comment(asked)
        if one.by != asked.user.id:
            raise Wrong(40001, "Only an owned comment can be deleted.")
        self.net.take_back(one)
        return {}


def _info(asked: Asked) -> Json:
    info = asked.fields.get("post_info")
    if not isinstance(info, dict):
        raise Wrong(40002, "post_info: Missing data for required field.")
    return info


def _branded(info: Json) -> dict[str, str | int | bool]:
    for name in ("is_brand_organic", "is_branded_content"):
        if not isinstance(info.get(name), bool):
            raise Wrong(40002, f"{name}: Missing data for required field.")
    return {"brand_organic_toggle": info["is_brand_organic"], "brand_content_toggle": info["is_branded_content"]}


def _listed(value: Any, known: dict[str, Any]) -> list[str]:
    """A JSON list in the query; a name that is not known spoils the whole question."""
    try:
        names = json.loads(str(value or "[]"))
    except ValueError:
        raise Wrong(40002, "fields: Not a valid list.") from None
    if not isinstance(names, list) or any(name not in known for name in names):
        raise Wrong(40002, "fields: Not a valid choice.")
    return names


def _wanted(value: Any) -> set[str]:
    try:
        found = json.loads(str(value or "{}")).get("video_ids", [])
    except (ValueError, AttributeError):
        raise Wrong(40002, "filters: Not a valid object.") from None
    if len(found) > MOST_POSTS:
        raise Wrong(40002, "filters: Too many video_ids.")
    return {str(one) for one in found}
