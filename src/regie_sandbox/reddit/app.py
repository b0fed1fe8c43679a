"""The server itself: people, communities, posts, comments, inboxes. The routes speak through this."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from aiohttp import web

from regie_sandbox.frame import Network, World
from regie_sandbox.reddit.rules import SAID, Meter, Missing
from regie_sandbox.reddit.state import (
    App,
    Comment,
    Community,
    Lasting,
    Message,
    Modmail,
    Notice,
    Person,
    Post,
    Said,
    State,
    Token,
)

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
FIRST_ID = int("1sbx000", 36)  # never a number alone, and as long as today's
LASTS = timedelta(days=1)  # an access token
FOR_GOOD = timedelta(days=3650)  # that of a ready account, which nobody's app may be there to renew
NAMED = re.compile(r"(?<![\w/])/?u/([\w-]{3,20})")
TOWN = "sandbox_town"
SCOPES = (
    "identity",
    "read",
    "submit",
    "edit",
    "flair",
    "history",
    "mysubreddits",
    "privatemessages",
    "modposts",
    "modmail",
    "vote",
)


class Reddit(Network):
    """``media_seconds``: how long a picture or video is worked on before its post shows; ``meter``: requests of an app;
    ``break_for``: what somebody is told who posts now (None: nothing); ``ready_account()`` moderates a community."""

    slug: ClassVar[str] = "reddit"
    state: State

    def __init__(self, world: World) -> None:
        self.state = State()
        self.meter = Meter()
        self.media_seconds = 0.0
        self.break_for: timedelta | None = None
        super().__init__(world)

    # The frame's side

    def app(self) -> web.Application:
        from regie_sandbox.reddit import routes

        return routes.application(self)

    def vendor_error(self, status: int) -> tuple[Mapping[str, str], Any]:
        """A 401 without the header that speaks of the token's age: the person took the permission back."""
        headers = {"x-ratelimit-used": "1000", "x-ratelimit-remaining": "0.0", "x-ratelimit-reset": "300"}
        return headers if status == 429 else {}, {"message": SAID.get(status, "Internal Server Error"), "error": status}

    def ready_account(self, name: str = "regie") -> dict[str, Any]:
        person = self.person(name)
        app = self.make_app()
        if name not in self.state.ready:
            access, lasting = self.new_tokens(person, app, list(SCOPES), permanent=True)
            self.state.tokens[access].until = self.now() + FOR_GOOD
            self.state.ready[name] = access, lasting
            self.found_community(f"{person.name[:18]}_hq", by=person)
            self.world.changes += 1
        access, lasting = self.state.ready[name]
        return {
            "server": self.base,
            "remote_id": person.id,
            "handle": f"u/{person.name}",
            "credentials": {"access_token": access, "refresh_token": lasting},
            "client_id": app.id,
            "client_secret": app.secret,
            "options": {"community": f"r/{person.name[:18]}_hq", "title": "Hello"},
        }

    def say(self, *, by: str, text: str, to: str | None = None, kind: str = "reply") -> str:
        """A mention is a comment under a post of theirs: Reddit tells only of names in comments."""
        person = self.person(by)
        if kind == "direct":
            return self.write(person, self.known_as(to), "Hello", text).id
        if kind == "mention":
            post = self.publish(person, self.found_community(TOWN, by=person), kind="self", title=text[:80])
            return self.comment(person, post.id, f"u/{self.known_as(to).name} {text}").id
        if to is not None:
            return self.comment(person, to, text).id
        return self.publish(person, self.found_community(TOWN, by=person), kind="self", title=text[:80], text=text).id

    def like(self, *, by: str, post_id: str) -> None:
        self.votes_on(post_id)[self.person(by).name] = 1

    def follow(self, *, by: str, account: str) -> None:
        self.community(f"u_{self.known_as(account).name}").members.add(self.person(by).name)

    def unfollow(self, *, by: str, account: str) -> bool:
        self.community(f"u_{self.known_as(account).name}").members.discard(self.person(by).name)
        return True

    def expire_tokens(self) -> int:
        for token in self.state.tokens.values():
            token.until = self.now()
        return len(self.state.tokens)

    def texts(self, account: str | None = None) -> list[str]:
        return [post.text for post in self._visible(account)]

    def posts(self, account: str | None = None) -> list[str]:
        return [post.id for post in self._visible(account)]

    def _visible(self, account: str | None) -> list[Post]:
        name = self.known_as(account).name
        return [one for one in self.state.posts.values() if one.author == name and not one.removed]

    # People and keys

    def now(self) -> datetime:
        return self.world.clock.now()

    def new_id(self) -> str:
        """Base 36, as Reddit counts, without gaps."""
        self.state.last_id += 1
        number, digits = FIRST_ID + self.state.last_id, ""
        while number:
            number, digit = divmod(number, 36)
            digits = DIGITS[digit] + digits
        return digits

    def person(self, name: str) -> Person:
        """The person of that name, made when missing, with a profile to post to."""
        username = re.sub(r"[^\w-]+", "_", name, flags=re.ASCII).strip("_")[:20] or "somebody"
        username = username if len(username) >= 3 else f"{username}__"
        known = self.state.people.get(username.lower())
        if known is not None:
            return known
        person = Person(f"t2_{self.new_id()}", username, name, self.now())
        self.state.people[username.lower()] = person
        profile = self.found_community(f"u_{username}", by=person, kind="user", title=name)
        profile.members.clear()
        return person

    def known_as(self, account: str | None) -> Person:
        """By id, u/handle or name; None: the ready one."""
        for person in self.state.people.values():
            if person.id == account:
                return person
        return self.person((account or "regie").lstrip("@").removeprefix("u/"))

    def found_community(self, name: str, *, by: Person, kind: str = "public", title: str = "") -> Community:
        """The community of that name; made by this person when missing, who then moderates it."""
        known = self.state.communities.get(name.lower())
        if known is None:
            known = Community(f"t5_{self.new_id()}", name, title or name, self.now(), kind=kind)
            known.moderators.add(by.name)
            known.members.add(by.name)
            self.state.communities[name.lower()] = known
        return known

    def community(self, name: str) -> Community:
        found = self.state.communities.get(name.lower())
        if found is None:
            raise Missing
        return found

    def moderates(self, name: str, community: str) -> bool:
        return name in self.community(community).moderators

    def make_app(self, name: str = "Régie") -> App:
        """The registration that ready accounts are connected with."""
        known = next(iter(self.state.apps.values()), None)
        if known is None:
            known = App(secrets.token_urlsafe(16), secrets.token_urlsafe(22), name)
            self.state.apps[known.id] = known
        return known

    def new_tokens(self, person: Person, app: App, scopes: list[str], *, permanent: bool) -> tuple[str, str]:
        """An access token of a day, and the refresh token behind it ("" when the sign-in is not to last)."""
        lasting = f"{secrets.randbelow(10**12):012d}-{secrets.token_urlsafe(22)}" if permanent else ""
        if lasting:
            self.state.lasting[lasting] = Lasting(app.id, person.name, scopes)
        return self.new_access(person.name, app.id, scopes, lasting), lasting

    def new_access(self, person: str, app: str, scopes: list[str], of: str) -> str:
        value = f"eyJhbGciOiJSUzI1NiIsImtpZCI6IlNIQTI1NjpzS3ds{secrets.token_urlsafe(60)}"
        self.state.tokens[value] = Token(app, person, scopes, self.now() + LASTS, of)
        return value

    # Posts, comments, messages

    def post(self, name: str) -> Post:
        found = self.state.posts.get(name)
        if found is None:
            raise Missing
        return found

    def votes_on(self, name: str) -> dict[str, int]:
        if (comment := self.state.comments.get(name)) is not None:
            return comment.votes
        return self.post(name).votes

    def publish(
        self, author: Person, community: Community, *, kind: str, title: str, text: str = "", **more: Any
    ) -> Post:
        """Take a post in and write it in the ledger. Limits were looked at by the caller."""
        now = self.now()
        worked_on = timedelta(seconds=self.media_seconds if kind in ("image", "video") else 0)
        kept = self.faults.rewritten(text)
        post = Post(
            f"t3_{self.new_id()}",
            author.name,
            community.name,
            kind,
            self.faults.rewritten(title),
            kept,
            now,
            now + worked_on,
            **more,
        )
        post.votes[author.name] = 1
        if any(word in f"{title} {text}".lower() for word in community.automod):
            post.removed = "automod_filtered"
        self.state.posts[post.id] = post
        self.note(author, post.id, text, "post", media=len(post.assets))
        return post

    def comment(self, author: Person, parent: str, text: str) -> Comment:
        """An answer to a post or a comment; whom it answers or names is told."""
        above = self.state.comments.get(parent)
        post = self.post(above.post if above is not None else parent)
        made = Comment(f"t1_{self.new_id()}", author.name, post.id, parent, self.faults.rewritten(text), self.now())
        made.votes[author.name] = 1
        self.state.comments[made.id] = made
        post.comments.append(made.id)
        self.note(author, made.id, text, "reply")
        told = {author.name}
        if above is not None:
            self._tell(above.author, made.id, "comment_reply", told)
        elif post.send_replies:
            self._tell(post.author, made.id, "post_reply", told)
        for named in NAMED.findall(text):
            if named.lower() in self.state.people:
                self._tell(self.state.people[named.lower()].name, made.id, "username_mention", told)
        return made

    def write(self, author: Person, to: Person, subject: str, text: str, *, answers: Message | None = None) -> Message:
        first = (answers.first or answers.id) if answers is not None else ""
        made = Message(
            f"t4_{self.new_id()}",
            author.name,
            to.name,
            f"re: {subject.removeprefix('re: ')}" if answers is not None else subject,
            text,
            self.now(),
            first,
            answers.id if answers is not None else "",
        )
        self.state.messages[made.id] = made
        self.note(author, made.id, text, "reply")
        self._tell(to.name, made.id, "unknown", {author.name})
        return made

    def write_to_community(self, author: Person, community: Community, subject: str, text: str) -> Modmail:
        """Somebody writes to the moderators."""
        made = Modmail(self.new_id(), community.name, author.name, subject)
        made.said.append(Said(self.new_id(), author.name, text, self.now()))
        self.state.modmail[made.id] = made
        self.world.changes += 1
        return made

    def _tell(self, name: str, about: str, kind: str, told: set[str]) -> None:
        if name not in told:
            told.add(name)
            self.person(name).inbox.append(Notice(about, kind))

    def note(self, author: Person, name: str, text: str, kind: str, *, media: int = 0) -> None:
        self.world.ledger.accepted(
            network=self.slug, account=author.id, remote_id=name, text=text, kind=kind, media=media
        )
        self.world.changes += 1

    def listed(self, thing: Post | Comment) -> bool:
        """Whether listings show it already."""
        late = timedelta(seconds=self.faults.listing_lag)
        worked_on = isinstance(thing, Post) and self.now() < thing.shown_at
        return not worked_on and self.now() - thing.created_at >= late
