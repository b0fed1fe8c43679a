"""The network itself: people, posts, messages and who hears of them. The routes speak through this."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Any, ClassVar

from aiohttp import web

from regie_sandbox.frame import Network, World
from regie_sandbox.x import files, hooks, oauth, people, posts, rules
from regie_sandbox.x.call import public
from regie_sandbox.x.rules import Meter, not_found
from regie_sandbox.x.state import App, Direct, Media, Poll, Post, State, Token, User

MENTION = re.compile(r"(?<![\w@])@(\w{1,15})")
ALL_SCOPES = (
    "tweet.read tweet.write tweet.moderate.write users.read media.write dm.read dm.write like.read like.write "
    "follows.read offline.access"
)
EPOCH = 1_288_834_974_657  # milliseconds since 1970 from which X counts its ids
GREY = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU\x00\x00\x00\n"
    b"IDATx\x9cch\x00\x00\x00\x82\x00\x81w\xcdr\xb6\x00\x00\x00\x00IEND\xaeB`\x82"
)


class X(Network):
    """``processing_seconds``: how long a video is worked on; ``meter.on``: rate limits; ``brings.brought``: what was
    delivered to webhooks. An app's ``plan`` and an account's ``subscription`` are in the state."""

    slug: ClassVar[str] = "x"
    state: State

    def __init__(self, world: World) -> None:
        self.state = State()
        self.meter = Meter()
        self.brings = hooks.Brings()
        self.processing_seconds = 0.0
        super().__init__(world)

    # The frame's side

    def app(self) -> web.Application:
        app = web.Application(client_max_size=rules.LARGEST_REQUEST)
        app.add_routes([*posts.routes(self), *files.routes(self), *people.routes(self)])
        app.add_routes([*oauth.routes(self), *hooks.routes(self), *self._pages()])
        app.cleanup_ctx.append(self.brings.while_served)
        return app

    def vendor_error(self, status: int) -> tuple[Mapping[str, str], Any]:
        words = {
            400: "One or more parameters to your request was invalid.",
            401: "Unauthorized",
            403: "You are not permitted to perform this action.",
            404: "Not Found",
            429: "Too Many Requests",
            503: "Service Unavailable",
        }
        said = words.get(status, "Something is broken. This usually means that we are looking into it.")
        reset = (self.now() + rules.QUARTER).timestamp()
        headers = rules.limit_headers(100, 0, reset) if status == 429 else {}
        return headers, {"title": said, "detail": said, "type": "about:blank", "status": status}

    def ready_account(self, name: str = "regie") -> dict[str, Any]:
        user, app = self.user(name), self.ready_app()
        if name not in self.state.ready:
            self.state.ready[name] = self.new_token(user.id, app.client_id, ALL_SCOPES.split(), lasts=None)
            self.world.changes += 1
        return {
            "server": self.base,
            "remote_id": user.id,
            "handle": f"@{user.username}",
            "credentials": {"access_token": self.state.ready[name]},
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "api_key": app.api_key,
            "api_secret": app.api_secret,
        }

    def lets_edit(self) -> None:
        self.user("regie").subscription = "Premium"

    def ready_app(self) -> App:
        known = next((app for app in self.state.apps.values() if app.name == "Régie sandbox"), None)
        return known or self.new_app("Régie sandbox")

    def say(self, *, by: str, text: str, to: str | None = None, kind: str = "reply") -> str:
        author = self.user(by)
        if kind == "direct":
            return self.direct(author, self.conversation(author.id, self.known_as(to).id), text).id
        if kind == "mention":
            return self.publish(author, f"@{self.known_as(to).username} {text}").id
        if kind == "quote":
            return self.publish(author, text, quotes=self.post(str(to)).id).id
        answered = self.post(to) if to else None
        if answered is not None and answered.author != author.id:
            text = f"@{self.state.users[answered.author].username} {text}"
        return self.publish(author, text, reply_to=answered).id

    def like(self, *, by: str, post_id: str) -> None:
        self.liked(self.user(by), self.post(post_id))

    def follow(self, *, by: str, account: str) -> None:
        follower, followed = self.user(by), self.known_as(account)
        followed.followers.add(follower.id)
        follower.following.add(followed.id)

    def unfollow(self, *, by: str, account: str) -> bool:
        follower, followed = self.user(by), self.known_as(account)
        followed.followers.discard(follower.id)
        follower.following.discard(followed.id)
        return True

    def share(self, *, by: str, post_id: str) -> bool:
        post, who = self.post(post_id), self.user(by)
        post.passed_on_by.add(who.id)
        post.seen += 1 + len(who.followers)
        return True

    def expire_tokens(self) -> int:
        short = [token for token in self.state.tokens.values() if token.until is not None]
        for token in short:
            token.until = self.now()
        return len(short)

    def texts(self, account: str | None = None) -> list[str]:
        return [self.state.posts[one].text for one in self.known_as(account).posts]

    def posts(self, account: str | None = None) -> list[str]:
        return list(self.known_as(account).posts)

    # People and keys

    def now(self) -> datetime:
        return self.world.clock.now()

    def new_id(self) -> str:
        """As X makes them: milliseconds, then 22 bits."""
        self.state.last_id = max((int(self.now().timestamp() * 1000) - EPOCH) << 22, self.state.last_id + 1)
        return str(self.state.last_id)

    def user(self, name: str) -> User:
        """The account of that name, made when missing; its user name has at most 15 letters, digits and _."""
        known = self.state.names.get(name.lower())
        if known is not None:
            return self.state.users[known]
        letters = "".join(c if c.isascii() and c.isalnum() else "_" for c in name).strip("_")[:15]
        username = letters if any(c.isalpha() for c in letters) else "user"
        number = len(self.state.users)
        while username.lower() in self.state.names:
            username, number = f"{username[:10]}{number}", number + 1
        user = User(self.new_id(), username, name, self.now())
        self.state.users[user.id] = user
        self.state.names[name.lower()] = self.state.names[username.lower()] = user.id
        return user

    def user_by_id(self, user_id: str) -> User:
        if user_id not in self.state.users:
            raise not_found("user", user_id)
        return self.state.users[user_id]

    def known_as(self, account: str | None) -> User:
        """By id, @handle or name; None: the ready one."""
        return self.state.users.get(account or "") or self.user((account or "regie").lstrip("@"))

    def new_app(self, name: str, *, plan: str = "pay-per-use", redirect_uris: Sequence[str] = ()) -> App:
        keys = [secrets.token_urlsafe(24) for _ in range(4)]
        app = App(keys[0], keys[1], keys[2], keys[3], name, list(redirect_uris), plan)
        self.state.apps[app.client_id] = app
        return app

    def new_token(self, user: str, client_id: str, scopes: Sequence[str], *, lasts: timedelta | None) -> str:
        value = secrets.token_urlsafe(48)
        self.state.tokens[value] = Token(user, client_id, list(scopes), self.now() + lasts if lasts else None)
        return value

    # Posts

    def post(self, post_id: str) -> Post:
        if post_id not in self.state.posts:
            raise not_found("tweet", post_id)
        return self.state.posts[post_id]

    def listed(self, at: datetime) -> bool:
        """Whether listings show it already (``faults.listing_lag``)."""
        return self.now() - at >= timedelta(seconds=self.faults.listing_lag)

    def publish(
        self,
        author: User,
        text: str,
        *,
        media: Sequence[str] = (),
        poll: Poll | None = None,
        reply_to: Post | None = None,
        quotes: str = "",
        kind: str = "",
        **more: Any,
    ) -> Post:
        """Take a post in, write it in the ledger, tell whom it concerns. Limits were looked at by the caller."""
        post_id = self.new_id()
        post = Post(
            id=post_id,
            author=author.id,
            text=self.faults.rewritten(text),
            created_at=self.now(),
            conversation=reply_to.conversation if reply_to is not None else post_id,
            media=list(media),
            poll=poll,
            reply_to=reply_to.id if reply_to is not None else "",
            quotes=quotes,
            mentions=self._named_in(text, author, reply_to),
            seen=len(author.followers),
            **more,
        )
        self.state.posts[post.id] = post
        author.posts.append(post.id)
        for who in post.mentions:
            self.state.users[who].named_in.append(post.id)
        self._count(post, 1)
        self._note(author, post, kind or ("reply" if reply_to is not None else "post"))
        self._tell(post, reply_to)
        return post

    def _count(self, post: Post, by: int) -> None:
        if (answered := self.state.posts.get(post.reply_to)) is not None:
            answered.answers += by
        if (quoted := self.state.posts.get(post.quotes)) is not None:
            quoted.quoted += by

    def _named_in(self, text: str, author: User, reply_to: Post | None) -> list[str]:
        """Whom it names, and whom it answers."""
        found = [self.state.names[name.lower()] for name in MENTION.findall(text) if name.lower() in self.state.names]
        if reply_to is not None:
            found.append(reply_to.author)
        return [one for one in dict.fromkeys(found) if one != author.id]

    def _note(self, who: User, post: Post, kind: str) -> None:
        self.world.ledger.accepted(
            network=self.slug,
            account=who.username,
            remote_id=post.id,
            text=post.text,
            kind=kind,
            media=len(post.media),
        )

    def supersede(self, before: Post, post: Post) -> None:
        """``post`` is ``before`` as edited, and stands in its place; both can still be asked for."""
        author = self.state.users[post.author]
        versions = [*(before.history or [before.id]), post.id]
        for one in versions:
            self.state.posts[one].history = versions
        post.conversation = before.conversation
        self._unlist(before)
        author.posts.sort(key=lambda one: int((self.state.posts[one].history or [one])[0]))

    def _unlist(self, post: Post) -> None:
        self.state.users[post.author].posts.remove(post.id)
        for who in post.mentions:
            self.state.users[who].named_in.remove(post.id)
        self._count(post, -1)

    def remove(self, post: Post) -> None:
        """With all its versions."""
        for one in (self.state.posts[each] for each in post.history or [post.id]):
            if one.id in self.state.users[one.author].posts:
                self._unlist(one)
            del self.state.posts[one.id]
        self._note(self.state.users[post.author], post, "delete")

    def liked(self, who: User, post: Post) -> None:
        if who.id not in post.liked_by:
            post.liked_by.add(who.id)
            post.seen += 1
            self._note(who, post, "like")

    # Messages

    @staticmethod
    def conversation(one: str, other: str) -> str:
        return "-".join(sorted((one, other), key=int))

    def direct(self, sender: User, conversation: str, text: str) -> Direct:
        sent = Direct(self.new_id(), conversation, sender.id, text, self.now())
        self.state.directs.append(sent)
        self.world.ledger.accepted(
            network=self.slug, account=sender.username, remote_id=sent.id, text=text, kind="direct"
        )
        for who in conversation.split("-"):
            if who != sender.id and who in self.state.users:
                self.tell(who, "dm.received", hooks.direct_payload(self, sent, who))
        return sent

    # Who hears of it

    def _tell(self, post: Post, answered: Post | None) -> None:
        if answered is not None and answered.author != post.author:
            self.tell(answered.author, "post.reply.create", hooks.post_payload(self, post))
        told = answered.author if answered is not None else ""
        for who in post.mentions:
            if who != told:
                self.tell(who, "post.mention.create", hooks.post_payload(self, post))
        quoted = self.state.posts.get(post.quotes)
        if quoted is not None and quoted.author != post.author:
            self.tell(quoted.author, "post.quote.create", hooks.post_payload(self, post))

    def tell(self, about: str, event: str, what: Mapping[str, Any]) -> None:
        """To every webhook that an account subscribed for this."""
        for held in self.state.subscriptions.values():
            hook = self.state.webhooks.get(held.webhook)
            if (held.user, held.event) == (about, event) and hook is not None and hook.valid:
                self.brings.tell(
                    hook.url,
                    self.state.apps[held.client_id].api_secret,
                    {"data": {"event_uuid": self.new_id(), "filter": {"user_id": about}, "event_type": event, **what}},
                )

    async def answers_challenge(self, app: App, url: str) -> bool:
        return await self.brings.answers_challenge(url, app.api_secret)

    # Pages a person can open

    def _pages(self) -> list[web.RouteDef]:
        async def profile(request: web.Request) -> web.Response:
            known = self.state.names.get(request.match_info["name"].lower())
            if known is None:
                raise not_found("user", request.match_info["name"])
            user = self.state.users[known]
            shown = [self.state.posts[one] for one in reversed(user.posts[-40:])]
            return self._page(f"@{user.username}", shown)

        async def one(request: web.Request) -> web.Response:
            found = self.post(request.match_info["id"])
            answers = [post for post in self.state.posts.values() if post.reply_to == found.id and not post.hidden]
            return self._page("Post", [found, *answers])

        async def media(request: web.Request) -> web.Response:
            known: Media | None = self.state.media.get(request.match_info["id"])
            content = self.world.files.get(f"x-{known.id}") if known is not None else None
            if known is None or content is None:
                raise not_found("media", request.match_info["id"])
            return web.Response(body=content, content_type=known.content_type)

        async def avatar(_: web.Request) -> web.Response:
            return web.Response(body=GREY, content_type="image/png")

        return [
            web.get("/media/{id}", public(media)),
            web.get("/avatars/{id}.png", public(avatar)),
            web.get("/{name}/status/{id}", public(one)),
            web.get("/i/web/status/{id}", public(one)),
            web.get("/{name}", public(profile)),
        ]

    def _page(self, title: str, shown: Sequence[Post]) -> web.Response:
        body = f"<h1>{escape(title)}</h1>" + "".join(self._article(one) for one in shown)
        return web.Response(text=oauth.PAGE.format(title=escape(title), body=body), content_type="text/html")

    def _article(self, post: Post) -> str:
        name = escape(self.state.users[post.author].name)
        at = f'<time datetime="{post.created_at.isoformat()}">{post.created_at:%Y-%m-%d %H:%M} UTC</time>'
        pictures = "".join(
            f'<img src="/media/{one}" alt="{escape(self.state.media[one].alt)}" width="100%">'
            for one in post.media
            if self.state.media[one].kind == "photo"
        )
        text = escape(post.text).replace("\n", "<br>")
        counts = f"{len(post.liked_by)} likes, {len(post.passed_on_by)} reposts"
        return f"<article><p><strong>{name}</strong> {at}</p><p>{text}</p>{pictures}<p>{counts}</p></article>"
