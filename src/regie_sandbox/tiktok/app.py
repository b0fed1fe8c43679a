"""TikTok's sandbox: the open API, its sign-in page and its host for uploads at one address, the API for business
accounts below ``/business``."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

import aiohttp
from aiohttp import web
from PIL import Image

from regie_sandbox.frame import Network, World
from regie_sandbox.hooks import Hooks
from regie_sandbox.tiktok import oauth
from regie_sandbox.tiktok.business import Business
from regie_sandbox.tiktok.display import Display
from regie_sandbox.tiktok.posting import MOST_LAST, Posting
from regie_sandbox.tiktok.state import App, Comment, Post, Publishing, State, Token, User
from regie_sandbox.tiktok.wire import Handler, Json, Trouble, answered, error, trouble_of

YEAR = timedelta(days=365)
MINUTE = timedelta(minutes=1)
SIGNATURE = "TikTok-Signature"


@dataclass
class Call:
    """One request with a valid token."""

    request: web.Request
    token: Token
    user: User
    app: App


class TikTok(Network):
    """``ready_account()["business"]`` is the same account through the other login.

    ``processing_seconds``, ``moderation_seconds``: how long a post is worked on, and then looked at before it is
    public; ``fails_with``: the reason why the next posts fail; ``posts_a_day`` per account; ``per_minute``: calls of
    one token by name; ``hooks.brought``: address and status of each webhook delivery."""

    slug: ClassVar[str] = "tiktok"
    state: State

    def __init__(self, world: World) -> None:
        self.state = State()
        self.processing_seconds = self.moderation_seconds = 0.0
        self.fails_with = ""
        self.posts_a_day = 15
        self.per_minute: dict[str, int] = {"init": 6, "creator": 20, "status": 30}
        self.hooks = Hooks()
        self.recent: dict[tuple[str, str], list[datetime]] = {}
        super().__init__(world)
        self.posting, self.display, self.business = Posting(self), Display(self), Business(self)

    # The wire

    def app(self) -> web.Application:
        app, posting, display = web.Application(client_max_size=MOST_LAST), self.posting, self.display
        begin = "/v2/post/publish"
        app.add_routes(
            [
                *oauth.routes(self),
                web.get("/v2/user/info/", self._do(display.user_info)),
                web.post("/v2/video/list/", self._do(display.listed, "video.list")),
                web.post("/v2/video/query/", self._do(display.query, "video.list")),
                web.post(f"{begin}/creator_info/query/", self._do(posting.creator_info, "video.publish", "creator")),
                web.post(f"{begin}/video/init/", self._do(posting.begin_video, "video.publish", "init")),
                web.post(f"{begin}/content/init/", self._do(posting.photos, "video.publish", "init")),
                web.post(f"{begin}/status/fetch/", self._do(posting.status, "video.publish", "status")),
                web.put("/video/", posting.receive),
                web.get("/avatar/{name}", _picture),
                web.get("/cover/{name}", _picture),
                *self.business.routes(),
            ]
        )
        app.cleanup_ctx.append(self.hooks.while_served)
        return app

    def _do(self, do: Callable[[Call], Awaitable[Json]], scope: str = "", meter: str = "") -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            try:
                call = self._call(request)
                if scope and scope not in call.token.scopes:
                    raise Trouble("scope_not_authorized", f"The user did not authorize {scope}", status=401)
                if meter:
                    self._count(call, meter)
                data = await do(call)
            except Trouble as trouble:
                return answered(trouble.body, status=trouble.status)
            return answered({"data": data, "error": error()})

        return handler

    def _call(self, request: web.Request) -> Call:
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        token = self.state.tokens.get(value) if kind == "Bearer" else None
        if token is None or (token.kind, token.way) != ("access", "open") or token.until <= self.now():
            raise trouble_of(401)
        return Call(request, token, self.state.users[token.user], self.state.apps[token.app])

    def _count(self, call: Call, meter: str) -> None:
        key, now = (call.user.id, meter), self.now()
        recent = [at for at in self.recent.get(key, ()) if at > now - MINUTE]
        if len(recent) >= self.per_minute[meter]:
            raise trouble_of(429)
        self.recent[key] = [*recent, now]

    def vendor_error(self, status: int) -> tuple[Mapping[str, str], Any]:
        return {}, trouble_of(status).body

    def now(self) -> datetime:
        return self.world.clock.now()

    def new_id(self) -> str:
        self.state.last_id += secrets.randbelow(10**6) + 1
        return str(self.state.last_id)

    async def fetch(self, url: str) -> bytes | None:
        """What an address holds, as TikTok's servers would get it: no redirect is followed. None: it is believed.

        Raises LookupError when they would not.
        """
        if not self.fetches:
            return None
        try:
            async with self.hooks.http.get(url, allow_redirects=False) as reply:
                if reply.status != 200:
                    raise LookupError(f"status {reply.status}")
                return await reply.read()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as exc:
            raise LookupError(url) from exc

    # Accounts

    def make_app(self, name: str = "Régie") -> App:
        """The registration that ready accounts are connected with."""
        known = next(iter(self.state.apps.values()), None)
        if known is None:
            known = App(f"aw{secrets.token_hex(7)}", secrets.token_hex(16), name)
            self.state.apps[known.key] = known
        return known

    def user(self, name: str) -> User:
        """The account of that name, made when missing."""
        username = re.sub(r"[^a-z0-9._]+", "_", name.lower()).strip("_") or "somebody"
        known = self.state.names.get(name.lower()) or self.state.names.get(username)
        if known is not None:
            return self.state.users[known]
        user = User(f"-000{secrets.token_hex(14)}", secrets.token_hex(16), username, name)
        self.state.users[user.id] = user
        self.state.names[username] = self.state.names[name.lower()] = user.id
        return user

    def known_as(self, account: str | None) -> User:
        """By open id, @name or name; None: the ready one."""
        return self.state.users.get(account or "") or self.user((account or "regie").lstrip("@"))

    def token(self, user: User, app: App, scopes: Sequence[str], way: str = "open") -> str:
        value = f"act.{secrets.token_urlsafe(40)}"
        self.state.tokens[value] = Token(user.id, app.key, list(scopes), self.now() + YEAR, way=way)
        return value

    def ready_account(self, name: str = "regie") -> dict[str, Any]:
        """Its token lasts a year, as nobody holds the keys that would renew it; those of a sign-in last a day."""
        user, app, ready = self.user(name), self.make_app(), self.state.ready
        if name not in ready:
            ready[name] = self.token(user, app, oauth.SCOPES)
            ready[f"{name}/business"] = self.token(user, app, oauth.BY_BUSINESS, "business")
            self.world.changes += 1
        return {
            "server": self.base,
            "remote_id": user.id,
            "handle": f"@{user.username}",
            "credentials": {"access_token": ready[name]},
            "business": {
                "server": f"{self.base}/business",
                "credentials": {"access_token": ready[f"{name}/business"]},
            },
            "options": {"privacy": "PUBLIC_TO_EVERYONE", "consent": True},
            "client_id": app.key,
            "client_secret": app.secret,
        }

    def expire_tokens(self) -> int:
        live = [one for one in self.state.tokens.values() if one.kind == "access" and one.until > self.now()]
        for token in live:
            token.until = self.now()
        return len(live)

    def withdraw(self, user: str, app: App, *, reason: int = 1) -> None:
        """The account takes its permission back: every token is dead, and the app is told."""
        for value in [v for v, one in self.state.tokens.items() if (one.user, one.app) == (user, app.key)]:
            del self.state.tokens[value]
        self.world.changes += 1
        self.bring(app, user, "authorization.removed", {"reason": reason})

    # The people

    def say(self, *, by: str, text: str, to: str | None = None, kind: str = "reply") -> str:
        """Comments are there, though the open API does not tell them; there are neither mentions nor messages."""
        person = self.user(by)
        if to is None or kind != "reply" or (to not in self.state.posts and to not in self.state.comments):
            return self.post_by(person, text).id
        answered_to = self.state.comments.get(to)
        post = self.state.posts[answered_to.post if answered_to is not None else to]
        return self.comment(post, person, text, parent=answered_to).id

    def comment(self, post: Post, by: User, text: str, *, parent: Comment | None = None) -> Comment:
        """An answer to an answer stands beside it."""
        top = self.state.comments[parent.parent] if parent is not None and parent.parent else parent
        made = Comment(self.new_id(), post.id, by.id, text, self.now(), top.id if top is not None else "")
        self.state.comments[made.id] = made
        if top is not None:
            top.replies.append(made.id)
        post.comments.append(made.id)
        self.note(by, made.id, text, "reply" if by.id == post.user else "comment")
        self.tell_of(made, "insert")
        return made

    def tell_of(self, one: Comment, action: str) -> None:
        """Ids are numbers here, as TikTok writes them in webhooks."""
        content: Json = {
            "comment_id": int(one.id),
            "video_id": int(one.post),
            "parent_comment_id": int(one.parent or 0),
            "comment_type": "reply" if one.parent else "comment",
            "comment_action": action,
            "timestamp": int(one.made_at.timestamp()),
            "unique_identifier": self.state.users[one.by].union_id,
            "text": one.text,
        }
        owner = self.state.posts[one.post].user
        for app in self.state.apps.values():
            if self._granted(owner, app, "comment.list"):
                self.bring(app, owner, "comment.update", content, kind="COMMENT")

    def _granted(self, user: str, app: App, scope: str) -> bool:
        mine = ((one.user, one.app) == (user, app.key) and scope in one.scopes for one in self.state.tokens.values())
        return any(mine)

    def take_back(self, one: Comment) -> None:
        """Its author deletes it, with the answers under it."""
        post = self.state.posts[one.post]
        for gone in (*one.replies, one.id):
            post.comments.remove(gone)
            del self.state.comments[gone]
        if one.parent:
            self.state.comments[one.parent].replies.remove(one.id)
        self.tell_of(one, "delete")
        self.world.changes += 1

    def post_by(self, person: User, text: str) -> Post:
        """Somebody's own video, from the app."""
        now = self.now()
        post = Post(self.new_id(), person.id, "video", text, "", "PUBLIC_TO_EVERYONE", now, now)
        self.state.posts[post.id] = post
        person.posts.append(post.id)
        self.world.changes += 1
        return post

    def like(self, *, by: str, post_id: str) -> None:
        post = self.state.posts[post_id]
        if (person := self.user(by)).id not in post.likes:
            post.likes.add(person.id)
            self.note(person, post.id, "", "like")

    def share(self, *, by: str, post_id: str) -> bool:
        self.state.posts[post_id].shares += 1
        self.world.changes += 1
        return True

    def follow(self, *, by: str, account: str) -> None:
        self.known_as(account).followers.add(self.user(by).id)
        self.world.changes += 1

    def unfollow(self, *, by: str, account: str) -> bool:
        self.known_as(account).followers.discard(self.user(by).id)
        self.world.changes += 1
        return True

    def texts(self, account: str | None = None) -> list[str]:
        return [post.text for post in self._out(account)]

    def posts(self, account: str | None = None) -> list[str]:
        return [post.id for post in self._out(account)]

    def _out(self, account: str | None) -> list[Post]:
        rows = (self.state.posts[one] for one in self.known_as(account).posts)
        return [post for post in rows if post.made_at <= self.now()]

    def public_posts(self, user: User) -> list[Post]:
        """Oldest first."""
        return [post for one in user.posts if self.is_public(post := self.state.posts[one])]

    def is_public(self, post: Post) -> bool:
        return post.public_at is not None and post.public_at <= self.now()

    def address(self, post: Post) -> str:
        return f"{self.base}/@{self.state.users[post.user].username}/{post.kind}/{post.id}"

    # Writing down, and telling

    def note(self, user: User, remote_id: str, text: str, kind: str, *, media: int = 0) -> None:
        self.world.ledger.accepted(
            network=self.slug, account=user.username, remote_id=remote_id, text=text, kind=kind, media=media
        )
        self.world.changes += 1

    def tell(self, one: Publishing, event: str, content: Json) -> None:
        told = {"publish_id": one.id, "publish_type": "DIRECT_PUBLISH", **content}
        self.bring(self.state.apps[one.app], one.user, event, told, kind="VIDEO" if one.pulled else "")

    def bring(self, app: App, user: str, event: str, content: Json, *, kind: str = "") -> None:
        """Deliver to an app's callback, signed. May be called from any thread.

        kind: what was subscribed to at the API for business; "" is told to the address of the developer portal
        """
        address = app.callbacks.get(kind, "") if kind else app.callback_url
        if not address:
            return
        body = {
            "client_key": app.key,
            "event": event,
            "create_time": int(self.now().timestamp()),
            "user_openid": user,
            "content": json.dumps(content),
        }
        raw = json.dumps(body).encode()
        self.hooks.bring(address, raw, {"Content-Type": "application/json", SIGNATURE: self.signed(app, raw)})

    def signed(self, app: App, raw: bytes, *, at: datetime | None = None) -> str:
        """The header's value over a body as it leaves."""
        moment = str(int((at or self.now()).timestamp()))
        sign = hmac.new(app.secret.encode(), f"{moment}.".encode() + raw, hashlib.sha256).hexdigest()
        return f"t={moment},s={sign}"


async def _picture(request: web.Request) -> web.Response:
    """One colour for each name."""
    tint = hashlib.sha256(request.match_info["name"].encode()).digest()[:3]
    made = io.BytesIO()
    Image.new("RGB", (96, 96), (tint[0], tint[1], tint[2])).save(made, "JPEG")
    return web.Response(body=made.getvalue(), content_type="image/jpeg")
