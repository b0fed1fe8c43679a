"""Pinterest's sandbox: the API and, below ``/trial``, the vendor's own Sandbox with boards and Pins of its own."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from aiohttp import web

from regie_sandbox.frame import Network, World
from regie_sandbox.pinterest import oauth
from regie_sandbox.pinterest.deeds import Does
from regie_sandbox.pinterest.shown import Shows
from regie_sandbox.pinterest.state import App, Board, Pin, State, User
from regie_sandbox.pinterest.wire import Call, Trouble, answered, body_of, guarded, trouble_of

LARGEST_REQUEST = 400 * 1024 * 1024


class Pinterest(Network):
    """``processing_seconds``: how long a video is worked on; ``calls_per_minute``: None for no rate limit;
    ``ready_account()["trial"]`` is the same account through an app on trial access."""

    slug: ClassVar[str] = "pinterest"
    state: State

    def __init__(self, world: World) -> None:
        self.state = State()
        self.processing_seconds = 0.0
        self.calls_per_minute: int | None = None
        self._recent: dict[str, list[datetime]] = {}
        super().__init__(world)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=LARGEST_REQUEST)
        app.add_routes(oauth.routes(self))
        does = Does(self)
        app.add_routes([web.post("/storage/", does.store)])
        for prefix, trial in (("", False), ("/trial", True)):
            for method, path, scopes, deed in does.all():
                app.router.add_route(method, f"{prefix}/v5{path}", guarded(self._calling(scopes, deed, trial)))
        return app

    def _calling(self, scopes: str, deed: Any, trial: bool) -> Any:
        async def calling(request: web.Request) -> web.StreamResponse:
            call = await self._call(request, scopes.split(), trial)
            headers = self._count(call)
            try:
                answer = deed(call)
            except Trouble as trouble:
                raise Trouble(trouble.status, trouble.code, str(trouble), headers) from None
            status, body = answer if isinstance(answer, tuple) else (200, answer)
            return answered(body, status=status, headers=headers)

        return calling

    async def _call(self, request: web.Request, scopes: list[str], trial: bool) -> Call:
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        token = self.state.tokens.get(value)
        dead = token is None or token.refreshes or (token.until is not None and token.until <= self.now())
        if token is None or kind != "Bearer" or dead or token.trial is not trial:
            raise trouble_of(401)
        if not set(scopes) <= set(token.scopes):
            raise Trouble(
                401,
                3,
                "Your token does not have sufficient permissions to perform this operation. Please ensure your token "
                "is authorized with the correct set of scopes.",
            )
        return Call(request, token, trial, await body_of(request))

    def _count(self, call: Call) -> dict[str, str]:
        """The rate limit's headers; the window is a minute."""
        limit, now = self.calls_per_minute or 1000, self.now()
        recent = [at for at in self._recent.get(call.user, ()) if at > now - timedelta(minutes=1)]
        self._recent[call.user] = [*recent, now]
        reset = 60 if not recent else 60 - int((now - recent[0]).total_seconds())
        headers = rate_headers(limit, max(limit - len(recent) - 1, 0), reset)
        if self.calls_per_minute is not None and len(recent) >= self.calls_per_minute:
            trouble = trouble_of(429)
            raise Trouble(429, trouble.code, str(trouble), headers)
        return headers

    def vendor_error(self, status: int) -> tuple[Mapping[str, str], Any]:
        return rate_headers(1000, 0, 30) if status == 429 else {}, trouble_of(status).body

    # Accounts

    def ready_account(self, name: str = "regie") -> dict[str, Any]:
        user = self.person(name)
        kept = self.state.ready.get(name)
        if kept is None:
            kept = self.state.ready[name] = self._made_ready(user)
            self.world.changes += 1
        app = self.make_app()
        trial = {
            "server": f"{self.base}/trial",
            "credentials": {"access_token": kept["trial"], "refresh_token": kept["trial_refresh"]},
            "options": {"board": kept["trial_board"]},
        }
        return {
            "server": self.base,
            "remote_id": user.id,
            "handle": f"@{user.username}",
            "credentials": {"access_token": kept["access"], "refresh_token": kept["refresh"]},
            "options": {"board": kept["board"]},
            "client_id": app.id,
            "client_secret": app.secret,
            "trial": trial,
        }

    def _made_ready(self, user: User) -> dict[str, str]:
        app, kept = self.make_app(), {}
        for prefix, trial in (("", False), ("trial_", True)):
            tokens = oauth.pair(self, user.id, app, oauth.SCOPES, trial=trial, kind="authorization_code")
            for name in ("access_token", "refresh_token"):  # those do not run out, however far the clock is moved
                self.state.tokens[tokens[name]].until = None
            kept[f"{prefix}access" if not trial else "trial"] = tokens["access_token"]
            kept[f"{prefix}refresh"] = tokens["refresh_token"]
            kept[f"{prefix}board"] = self.board(user, "Ideas", trial=trial, sections=("Kitchen", "Garden")).id
        return kept

    def expire_tokens(self) -> int:
        short = [token for token in self.state.tokens.values() if not token.refreshes]
        for token in short:
            token.until = self.now()
        return len(short)

    def make_app(self, name: str = "Régie", *, access: str = "standard") -> App:
        """The registration that ready accounts are connected with."""
        known = next((app for app in self.state.apps.values() if app.access == access), None)
        if known is None:
            known = App(str(1_500_000 + len(self.state.apps)), secrets.token_hex(20), name, access)
            self.state.apps[known.id] = known
        return known

    def person(self, name: str) -> User:
        """The person or account of that name, made when missing."""
        username = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_") or "somebody"
        known = self.state.names.get(name.lower()) or self.state.names.get(username)
        if known is not None:
            return self.state.users[known]
        user = User(self.new_id(), username, name)
        self.state.users[user.id] = user
        self.state.names[username] = self.state.names[name.lower()] = user.id
        return user

    def known_as(self, account: str | None) -> User:
        """By id, @handle or name; None: the ready one."""
        return self.state.users.get(account or "") or self.person((account or "regie").lstrip("@"))

    def board(
        self, owner: User, name: str, *, trial: bool = False, privacy: str = "PUBLIC", sections: tuple[str, ...] = ()
    ) -> Board:
        board = Board(self.new_id(), owner.id, name, self.now(), trial, privacy)
        board.sections = {self.new_id(): section for section in sections}
        self.state.boards[board.id] = board
        return board

    # The people: they comment, though no app hears of it

    def say(self, *, by: str, text: str, to: str | None = None, kind: str = "reply") -> str:
        person, said = self.person(by), self.new_id()
        if to in self.state.pins:
            self.state.pins[to].comments.append(said)
            self.note(person, said, text, "comment")
        elif to is None:
            return self.pin_by(person, text).id
        return said

    def pin_by(self, person: User, description: str) -> Pin:
        """A Pin that somebody made in the app."""
        board = next((one for one in self.state.boards.values() if one.owner == person.id), None)
        pin = Pin(self.new_id(), person.id, (board or self.board(person, "Mine")).id, self.now())
        pin.description, pin.files = description, ["image/jpeg"]
        self.state.pins[pin.id] = pin
        self.note(person, pin.id, description, "post", media=1)
        return pin

    def like(self, *, by: str, post_id: str) -> None:
        pin, person = self.state.pins[post_id], self.person(by)
        if person.id not in pin.reactions:
            pin.reactions.add(person.id)
            pin.shown += 7
            pin.clicks += 1
            pin.link_clicks += bool(pin.link)
            self.note(person, pin.id, "", "like")

    def share(self, *, by: str, post_id: str) -> bool:
        """They save it to a board of theirs."""
        self.state.pins[post_id].saves += 1
        return True

    def follow(self, *, by: str, account: str) -> None:
        follower, followed = self.person(by), self.known_as(account)
        followed.followers.add(follower.id)
        follower.following.add(followed.id)

    def unfollow(self, *, by: str, account: str) -> bool:
        follower, followed = self.person(by), self.known_as(account)
        followed.followers.discard(follower.id)
        follower.following.discard(followed.id)
        return True

    def texts(self, account: str | None = None) -> list[str]:
        return [pin.description for pin in self.pins(account)]

    def posts(self, account: str | None = None) -> list[str]:
        return [pin.id for pin in self.pins(account)]

    def pins(self, account: str | None = None) -> list[Pin]:
        """Those that everybody sees, oldest first."""
        user = self.known_as(account)
        return [pin for pin in self.state.pins.values() if pin.user == user.id and not pin.trial]

    # What all have in common

    def now(self) -> datetime:
        return self.world.clock.now()

    def new_id(self) -> str:
        self.state.last_id += secrets.randbelow(900) + 1
        return str(self.state.last_id)

    @property
    def shows(self) -> Shows:
        return Shows(self.state, self.base)

    def note(self, user: User, remote_id: str, text: str, kind: str, *, media: int = 0) -> None:
        self.world.ledger.accepted(
            network=self.slug, account=user.username, remote_id=remote_id, text=text, kind=kind, media=media
        )


def rate_headers(limit: int, remaining: int, reset: int) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": f"{limit}, {limit};w=60",
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(reset),
    }
