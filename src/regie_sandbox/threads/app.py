"""Threads' sandbox: accounts, posts, answers, mentions, and the news that it brings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from aiohttp import web

from regie_sandbox.frame import World
from regie_sandbox.graph import oauth
from regie_sandbox.graph.base import LONG, Call, GraphNetwork, Node
from regie_sandbox.graph.wire import Trouble, fields_of, missing
from regie_sandbox.threads import shown
from regie_sandbox.threads.deeds import PLACES, Does
from regie_sandbox.threads.state import Container, Media, Place, State, User

SCOPES = (
    "threads_basic",
    "threads_content_publish",
    "threads_read_replies",
    "threads_manage_replies",
    "threads_manage_mentions",
    "threads_manage_insights",
    "threads_delete",
)
OF_NEWS = ("id", "username", "text", "media_type", "permalink", "shortcode", "timestamp", "replied_to", "root_post")
NAMED = re.compile(r"@([a-z0-9._]+)")


class Threads(GraphNetwork):
    """``asking``: whose token the request at hand has."""

    slug: ClassVar[str] = "threads"
    platform = "threads"
    state: State

    def __init__(self, world: World) -> None:
        self.state = State()
        self.asking = ""
        super().__init__(world)
        self.fields = shown.fields(self)
        self.lists = shown.lists(self)
        self.deeds = Does(self).all()

    def pages(self) -> list[web.RouteDef]:
        return oauth.own(self, "threads", "th")

    async def answer(self, call: Call) -> Any:
        if call.parts == ["debug_token"]:
            return self._debug(call)
        if call.parts == ["location_search"]:
            return self._find_places(call)
        self.asking = call.token.holder if call.token is not None else ""
        return await super().answer(call)

    def _debug(self, call: Call) -> Any:
        call.bearer  # noqa: B018 - asked with a token
        token = self.state.tokens.get(str(call.params.get("input_token", "")))
        if token is None:
            raise Trouble("The input_token is not valid", 100)
        return {
            "data": {
                "type": "USER",
                "application": self.state.apps[token.app].name,
                "expires_at": int(token.until.timestamp()) if token.until else 0,
                "is_valid": token.until is None or token.until > self.now(),
                "issued_at": int(token.made_at.timestamp()),
                "scopes": token.scopes,
                "user_id": token.holder,
            }
        }

    def _find_places(self, call: Call) -> Any:
        """By words in its name or its city, as the guide has it."""
        call.must(PLACES)
        words = str(call.params.get("q") or "").lower()
        if not words:
            raise missing("q")
        found = [one for one in self.state.places.values() if words in f"{one.name} {one.city}".lower()]
        return self.page(call, "Place", found, fields_of(str(call.params.get("fields", "id"))), call.params)

    def make_place(self, name: str, address: str = "", city: str = "", country: str = "") -> Place:
        place = Place(self.new_id(), name, address, city, country)
        self.state.places[place.id] = place
        return place

    def find(self, object_id: str) -> Node | None:
        state = self.state
        if (app := state.apps.get(object_id)) is not None:
            return "Application", app
        if (user := state.users.get(object_id)) is not None:
            return "User", user
        if (container := state.containers.get(object_id)) is not None:
            return "Container", container
        media = state.media.get(object_id)
        return ("Media", media) if media is not None else None

    # Accounts

    def ready_account(self, name: str = "regie") -> dict[str, Any]:
        user, app = self.user(name), self.make_app()
        ready = self.state.ready
        if name not in ready:
            ready[name] = self.make_token(user.id, app, "threads", SCOPES)
            self.world.changes += 1
        return {
            "server": self.base,
            "remote_id": user.id,
            "handle": f"@{user.username}",
            "credentials": {"access_token": ready[name]},
            "expires_at": (self.state.tokens[ready[name]].made_at + LONG).isoformat(),
            "client_id": app.id,
            "client_secret": app.secret,
        }

    def user(self, name: str) -> User:
        """The person or account of that name, made when missing."""
        username = re.sub(r"[^a-z0-9._]+", "_", name.lower()).strip("_") or "somebody"
        known = self.state.names.get(username)
        if known is not None:
            return self.state.users[known]
        user = User(self.new_id(), username, name)
        self.state.users[user.id] = user
        self.state.names[username] = user.id
        return user

    def signing_in(self, way: str, name: str) -> str:
        """With some places to find."""
        if not self.state.places:
            for city in ("Menlo Park", "Lyon", "Marseille"):
                self.make_place(city, city=city)
        return self.user(name).id

    def known_as(self, account: str | None) -> User:
        """By id, @handle or name; None: the ready one."""
        return self.state.users.get(account or "") or self.user((account or "regie").lstrip("@"))

    # The people

    def say(self, *, by: str, text: str, to: str | None = None, kind: str = "reply") -> str:
        """There are no direct messages: who would write one, names the account in a post."""
        person = self.user(by)
        if kind != "reply":
            return self.publish(person, f"@{self.known_as(to).username} {text}").id
        return self.publish(person, text, parent=self.state.media[to] if to is not None else None).id

    def publish(
        self,
        user: User,
        text: str,
        *,
        kind: str = "TEXT",
        parent: Media | None = None,
        files: Sequence[Container] = (),
    ) -> Media:
        """Take a post or an answer in, tell whom it concerns, and write it in the ledger."""
        made = Media(self.new_id(), user.id, kind, self.faults.rewritten(text), self.now(), self._shortcode())
        if parent is not None:
            made.parent, made.root = parent.id, parent.root or parent.id
            parent.replies.append(made.id)
        if kind == "CAROUSEL":
            for one in files:
                child = Media(self.new_id(), user.id, one.kind, "", self.now(), self._shortcode())
                child.alt, child.file, child.is_child = one.alt, f"threads-{one.id}", True
                self.state.media[child.id] = child
                made.children.append(child.id)
        elif files:
            made.file = f"threads-{files[0].id}"
        self.state.media[made.id] = made
        user.posts.append(made.id)
        self.note(user, made.id, text, "reply" if parent is not None else "post", media=len(files))
        self._tell_of(made, user)
        return made

    def _tell_of(self, made: Media, user: User) -> None:
        for name in NAMED.findall(made.text.lower()):
            named = self.state.users.get(self.state.names.get(name, ""))
            if named is not None and named.id != user.id and named.id not in made.mentions:
                made.mentions.append(named.id)
                self._bring_news(made, "mentions", "interaction", named.id)
        root = self.state.media.get(made.root)
        if root is not None and root.user != user.id:
            self._bring_news(made, "replies", "moderate", root.user)

    def _bring_news(self, made: Media, field: str, topic: str, about: str) -> None:
        """In Threads' own shape, to the apps whose page at Meta asks for that field."""
        show = self.fields["Media"]
        value = {name: told for name in OF_NEWS if (told := show[name](made)) is not None}
        for app in self.state.apps.values():
            if app.callback_url and field in app.objects.get(topic, ()):
                self.bring(
                    app,
                    {
                        "app_id": app.id,
                        "topic": topic,
                        "target_id": about,
                        "time": int(self.now().timestamp()),
                        "subscription_id": "1",
                        "has_uid_field": False,
                        "values": {"value": value, "field": field},
                    },
                )

    def like(self, *, by: str, post_id: str) -> None:
        self.state.media[post_id].likes.add(self.user(by).id)

    def share(self, *, by: str, post_id: str) -> bool:
        self.state.media[post_id].reposts.add(self.user(by).id)
        return True

    def follow(self, *, by: str, account: str) -> None:
        self.known_as(account).followers.add(self.user(by).id)

    def unfollow(self, *, by: str, account: str) -> bool:
        self.known_as(account).followers.discard(self.user(by).id)
        return True

    def texts(self, account: str | None = None) -> list[str]:
        return [self.state.media[one].text for one in self.known_as(account).posts]

    def posts(self, account: str | None = None) -> list[str]:
        return list(self.known_as(account).posts)

    # Writing down

    def note(self, user: User, remote_id: str, text: str, kind: str, *, media: int = 0) -> None:
        self.world.ledger.accepted(
            network=self.slug, account=user.id, remote_id=remote_id, text=text, kind=kind, media=media
        )
        self.world.changes += 1

    def _shortcode(self) -> str:
        return f"D{self.world.rng.getrandbits(60):x}"
