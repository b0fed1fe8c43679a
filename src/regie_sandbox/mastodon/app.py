"""The server itself: people, statuses, notifications and who hears of them. The routes speak through this."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from aiohttp import web

from regie_sandbox.frame import Network, World
from regie_sandbox.mastodon import markup, rules
from regie_sandbox.mastodon.rules import Meter, invalid, iso, not_found
from regie_sandbox.mastodon.shown import Shows
from regie_sandbox.mastodon.state import App, Key, Media, Notification, Person, Poll, State, Status, Token

Listener = Callable[[str, str], None]  # event, payload
ALL_SCOPES = "read write follow push profile"


class Mastodon(Network):
    """A Mastodon 4.5 server. ``media_seconds``: how long an upload is worked on; ``meter.on``: rate limits;
    ``keys_honoured``: Idempotency-Key; ``heartbeat``: seconds between a stream's signs of life."""

    slug: ClassVar[str] = "mastodon"
    state: State

    def __init__(self, world: World) -> None:
        self.state = State()
        self.meter = Meter()
        self.media_seconds = 0.0
        self.keys_honoured = True
        self.heartbeat = 15.0
        self.listeners: dict[str, list[Listener]] = {}
        super().__init__(world)

    # The frame's side

    def app(self) -> web.Application:
        from regie_sandbox.mastodon import routes

        return routes.application(self)

    def vendor_error(self, status: int) -> tuple[Mapping[str, str], Any]:
        if status == 429:
            reset = iso(self.now() + timedelta(minutes=5))
            headers = {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
            return headers, {"error": "Too many requests"}
        words = {401: "The access token is invalid", 404: "Record not found", 503: "Remote data could not be fetched"}
        return {}, {"error": words.get(status, f"Something went wrong ({status})")}

    def ready_account(self, name: str = "regie") -> dict[str, Any]:
        person = self.person(name)
        app = self._ready_app()
        if name not in self.state.ready:
            self.state.ready[name] = self.new_token(person.id, app, ALL_SCOPES)
            self.world.changes += 1
        return {
            "server": self.base,
            "remote_id": person.id,
            "handle": f"@{person.username}@{self.shows.domain}",
            "credentials": {"access_token": self.state.ready[name]},
            "client_id": app.client_id,
            "client_secret": app.client_secret,
        }

    def _ready_app(self) -> App:
        ready = next((app for app in self.state.apps.values() if app.name == "sandbox"), None)
        return ready or self.new_app("sandbox", ["urn:ietf:wg:oauth:2.0:oob"], ALL_SCOPES, None)

    def say(self, *, by: str, text: str, to: str | None = None, kind: str = "reply") -> str:
        author, answered = self.person(by), self.state.statuses.get(to or "")
        spoken_to = self.state.people[answered.account_id] if answered else None
        if spoken_to is None and kind != "reply":
            spoken_to = self.state.people.get(to or "") or self.person(to or "regie")
        if spoken_to is not None and spoken_to.id != author.id:
            text = f"@{spoken_to.username} {text}"
        visibility = "direct" if kind == "direct" else "public"
        return self.publish(author, text, in_reply_to=answered, visibility=visibility).id

    def like(self, *, by: str, post_id: str) -> None:
        self.favourite(self.person(by), self.status(post_id))

    def follow(self, *, by: str, account: str) -> None:
        follower, followed = self.person(by), self._person_known_as(account)
        if follower.id not in followed.followers:
            followed.followers.add(follower.id)
            follower.following.add(followed.id)
            self.tell(followed.id, "follow", follower.id)

    def unfollow(self, *, by: str, account: str) -> bool:
        follower, followed = self.person(by), self._person_known_as(account)
        followed.followers.discard(follower.id)
        follower.following.discard(followed.id)
        return True

    def share(self, *, by: str, post_id: str) -> bool:
        self.reblog(self.person(by), self.status(post_id))
        return True

    def texts(self, account: str | None = None) -> list[str]:
        return [status.text for status in self._visible(account)]

    def posts(self, account: str | None = None) -> list[str]:
        return [status.id for status in self._visible(account)]

    def _visible(self, account: str | None) -> list[Status]:
        person = self._person_known_as(account or "regie")
        statuses = [self.state.statuses[one] for one in person.statuses]
        return [status for status in statuses if status.reblog_of_id is None]

    # People and keys

    def now(self) -> datetime:
        return self.world.clock.now()

    @property
    def shows(self) -> Shows:
        return Shows(self.state, self.base)

    def new_id(self) -> str:
        """As Mastodon makes them: milliseconds, then 16 bits. Far beyond 2**53."""
        self.state.last_id = max(int(self.now().timestamp() * 1000) << 16, self.state.last_id + 1)
        return str(self.state.last_id)

    def person(self, name: str) -> Person:
        """The account of that user name, made when missing."""
        known = self.state.names.get(name.lower())
        if known is not None:
            return self.state.people[known]
        username = "".join(c if c.isalnum() else "_" for c in name) or "somebody"
        person = Person(self.new_id(), username, name, self.now())
        self.state.people[person.id] = person
        self.state.names[name.lower()] = self.state.names[username.lower()] = person.id
        return person

    def _person_known_as(self, account: str) -> Person:
        return self.state.people.get(account) or self.person(account.lstrip("@").split("@")[0])

    def new_app(self, name: str, redirect_uris: list[str], scopes: str, website: str | None) -> App:
        app = App(
            self.new_id(), name, secrets.token_urlsafe(32), secrets.token_urlsafe(32), redirect_uris, scopes, website
        )
        self.state.apps[app.client_id] = app
        return app

    def new_token(self, account_id: str, app: App, scopes: str) -> str:
        token = secrets.token_urlsafe(32)
        self.state.tokens[token] = Token(account_id, app.client_id, scopes, self.now())
        return token

    # Statuses

    def status(self, status_id: str, viewer: str | None = None) -> Status:
        """A status that ``viewer`` may see (None: anybody of this server, for the audience). Raises Problem 404."""
        status = self.state.statuses.get(status_id)
        if status is None or (viewer is not None and not self.may_see(status, viewer)):
            raise not_found()
        return status

    def may_see(self, status: Status, viewer: str) -> bool:
        match status.visibility:
            case "direct":
                return viewer == status.account_id or viewer in status.mentions
            case "private":
                followers = self.state.people[status.account_id].followers
                return viewer == status.account_id or viewer in status.mentions or viewer in followers
        return True

    def publish(
        self,
        author: Person,
        text: str,
        *,
        media: Sequence[Media] = (),
        poll: Poll | None = None,
        in_reply_to: Status | None = None,
        visibility: str = "public",
        spoiler_text: str = "",
        sensitive: bool = False,
        language: str | None = None,
        key: str = "",
        client_id: str = "",
    ) -> Status:
        """Take a status in, tell whom it names, and write it in the ledger. Limits were looked at by the caller."""
        status = Status(
            id=self.new_id(),
            account_id=author.id,
            text=self.faults.rewritten(text),
            created_at=self.now(),
            visibility=visibility,
            language=language or "en",
            spoiler_text=spoiler_text,
            sensitive=sensitive or bool(spoiler_text),
            media_ids=[one.id for one in media],
            poll=poll,
            in_reply_to_id=in_reply_to.id if in_reply_to else None,
            in_reply_to_account_id=in_reply_to.account_id if in_reply_to else None,
            mentions=self._named_in(text),
            client_id=client_id,
        )
        self.state.statuses[status.id] = status
        author.statuses.append(status.id)
        for one in media:
            one.status_id = status.id
        if in_reply_to is not None:
            in_reply_to.replies.append(status.id)
        self._note(author, status, "reply" if in_reply_to else "post", key)
        for account_id in status.mentions:
            if account_id != author.id:
                self.tell(account_id, "mention", author.id, status.id)
        return status

    def _named_in(self, text: str) -> list[str]:
        found = []
        for mention in markup.MENTION.finditer(text):
            account_id = self.state.names.get(mention[1].lower())
            here = mention[2] in (None, "", self.shows.domain)
            if account_id is not None and here and account_id not in found:
                found.append(account_id)
        return found

    def _note(self, author: Person, status: Status, kind: str, key: str = "") -> None:
        self.world.ledger.accepted(
            network=self.slug,
            account=author.username,
            remote_id=status.id,
            text=status.text,
            kind=kind,
            key=key,
            media=len(status.media_ids),
        )

    def used_key(self, account_id: str, key: str) -> Status | None:
        """The status that this key made within the hour."""
        used = self.state.keys.get(f"{account_id}:{key}") if key and self.keys_honoured else None
        if used is None or self.now() - used.at > rules.KEY_HOLDS:
            return None
        return self.state.statuses.get(used.status_id)

    def keep_key(self, account_id: str, key: str, status: Status) -> None:
        if not key:
            return
        keys, oldest = self.state.keys, self.now() - rules.KEY_HOLDS
        while keys and (first := next(iter(keys))) and keys[first].at < oldest:
            del keys[first]
        keys[f"{account_id}:{key}"] = Key(status.id, self.now())

    def change(self, status: Status, text: str) -> None:
        status.past.append(status.text)
        status.text, status.edited_at = self.faults.rewritten(text), self.now()
        status.mentions = self._named_in(text)
        self._note(self.state.people[status.account_id], status, "edit")

    def remove(self, status: Status) -> None:
        author = self.state.people[status.account_id]
        for reblog_id in list(status.reblogged_by.values()):
            if (reblog := self.state.statuses.get(reblog_id)) is not None:
                self.remove(reblog)
        if (original := self.state.statuses.get(status.reblog_of_id or "")) is not None:
            original.reblogged_by.pop(status.account_id, None)
        if (parent := self.state.statuses.get(status.in_reply_to_id or "")) is not None and status.id in parent.replies:
            parent.replies.remove(status.id)
        author.statuses.remove(status.id)
        del self.state.statuses[status.id]
        for account_id in status.mentions:
            notes = self.state.notifications.get(account_id, [])
            notes[:] = [note for note in notes if note.status_id != status.id]
        self._note(author, status, "delete")

    def favourite(self, person: Person, status: Status) -> None:
        if person.id not in status.favourited_by:
            status.favourited_by.add(person.id)
            self._note(person, status, "like")
            if person.id != status.account_id:
                self.tell(status.account_id, "favourite", person.id, status.id)

    def reblog(self, person: Person, status: Status) -> Status:
        known = self.state.statuses.get(status.reblogged_by.get(person.id, ""))
        if known is not None:
            return known
        made = Status(self.new_id(), person.id, "", self.now(), reblog_of_id=status.id, language=status.language)
        self.state.statuses[made.id] = made
        person.statuses.append(made.id)
        status.reblogged_by[person.id] = made.id
        if person.id != status.account_id:
            self.tell(status.account_id, "reblog", person.id, status.id)
        return made

    def vote(self, person: Person, poll: Poll, choices: list[int]) -> None:
        if poll.expires_at <= self.now():
            raise invalid("The poll has already ended")
        if person.id in poll.voters:
            raise invalid("You have already voted on this poll")
        if not choices or not all(0 <= one < len(poll.options) for one in choices):
            raise invalid("The chosen vote option does not exist")
        chosen = choices if poll.multiple else choices[:1]
        poll.voters[person.id] = chosen
        for one in chosen:
            poll.votes[one] += 1

    def above(self, status: Status) -> list[Status]:
        """What a status answers, the first of the thread first."""
        chain: list[Status] = []
        at: Status | None = status
        while at is not None and at.in_reply_to_id is not None:
            at = self.state.statuses.get(at.in_reply_to_id)
            if at is not None:
                chain.insert(0, at)
        return chain

    def below(self, status: Status) -> list[Status]:
        found: list[Status] = []
        for one in status.replies:
            child = self.state.statuses[one]
            found += [child, *self.below(child)]
        return found

    def listed(self, status: Status) -> bool:
        """Whether listings show it already (``faults.listing_lag``)."""
        return self.now() - status.created_at >= timedelta(seconds=self.faults.listing_lag)

    # Who hears of it

    def tell(self, account_id: str, kind: str, by: str, status_id: str | None = None) -> None:
        note = Notification(self.new_id(), kind, by, self.now(), status_id)
        self.state.notifications.setdefault(account_id, []).append(note)
        self.world.changes += 1
        for hear in tuple(self.listeners.get(account_id, ())):
            hear("notification", note.id)


def across_threads(loop: asyncio.AbstractEventLoop, put: Callable[[tuple[str, str]], None]) -> Listener:
    """A listener that may be called from any thread, as tests speak to the sandbox from theirs."""

    def hear(event: str, payload: str) -> None:
        loop.call_soon_threadsafe(put, (event, payload))

    return hear
