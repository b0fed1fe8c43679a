"""Google Business Profile's sandbox: places, posts, reviews, numbers and Google's sign-in on one address."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from inspect import isawaitable
from typing import Any, ClassVar

from aiohttp import web

from regie_sandbox.frame import World
from regie_sandbox.google import oauth
from regie_sandbox.google.base import GoogleNetwork
from regie_sandbox.google.wire import Json, answered
from regie_sandbox.google.wire import Trouble as OldTrouble
from regie_sandbox.google_business.deeds import Does
from regie_sandbox.google_business.shown import Shown
from regie_sandbox.google_business.state import Manager, Person, Place, Post, Review, State
from regie_sandbox.google_business.wire import MANAGE, Call, Trouble, no_access, trouble_of

PLACE = "/v4/accounts/{account}/locations/{place}"
SEARCH, MAPS = "BUSINESS_IMPRESSIONS_MOBILE_SEARCH", "BUSINESS_IMPRESSIONS_MOBILE_MAPS"
STARS = (5, 5, 4, 5, 3, 1)  # of those who say no number, in turn
Deed = Callable[[Call], Any]


class GoogleBusiness(GoogleNetwork):
    """``processing_seconds``: how long Google looks at a post before anybody sees it; ``days_late``: how long it
    counts; ``let_in``: whether it gave the project access to these APIs."""

    slug: ClassVar[str] = "google_business"
    who, what = "Google account", "business profiles"
    state: State

    def __init__(self, world: World) -> None:
        self.state = State()
        self.processing_seconds = 0.0
        self.days_late = 2
        self.let_in = True
        super().__init__(world)
        self.shown = Shown(self)
        self.does = Does(self)

    # The wire

    def app(self) -> web.Application:
        app, does = web.Application(), self.does
        app.add_routes(oauth.routes(self))
        for method, path, deed in (
            ("GET", "/v1/accounts", does.managers),
            ("GET", "/v1/accounts/{account}/locations", does.places),
            ("GET", "/v1/locations/{place:[^/:]+}", does.one_place),
            ("GET", "/v1/locations/{place:[^/:]+}:fetchMultiDailyMetricsTimeSeries", does.performance),
            ("GET", f"{PLACE}/localPosts", does.posts),
            ("POST", f"{PLACE}/localPosts", does.make_post),
            ("GET", f"{PLACE}/localPosts/{{post}}", does.one_post),
            ("PATCH", f"{PLACE}/localPosts/{{post}}", does.change_post),
            ("DELETE", f"{PLACE}/localPosts/{{post}}", does.delete_post),
            ("GET", f"{PLACE}/reviews", does.reviews),
            ("GET", f"{PLACE}/reviews/{{review}}", does.one_review),
            ("PUT", f"{PLACE}/reviews/{{review}}/reply", does.reply),
            ("DELETE", f"{PLACE}/reviews/{{review}}/reply", does.delete_reply),
        ):
            app.router.add_route(method, path, self._answering(deed))
        return app

    def vendor_error(self, status: int) -> tuple[Mapping[str, str], Any]:
        trouble = trouble_of(status)
        return trouble.headers, trouble.body

    def _answering(self, deed: Deed) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                done = deed(await self._read(request))
                return answered(await done if isawaitable(done) else done)
            except Trouble as trouble:
                return answered(trouble.body, status=trouble.status, headers=trouble.headers)

        return answer

    async def _read(self, request: web.Request) -> Call:
        try:
            token = self.token_of(request)
        except OldTrouble as trouble:
            raise Trouble(trouble.status, str(trouble), headers=trouble.headers) from None
        if MANAGE not in token.scopes:
            said = "Request had insufficient authentication scopes."
            raise Trouble(403, said, reason="ACCESS_TOKEN_SCOPE_INSUFFICIENT")
        if not self.let_in:
            raise no_access()
        return Call(request, token, self.state.apps[token.app], await _body(request))

    # Accounts

    def ready_account(self, name: str = "regie") -> dict[str, Any]:
        person, app = self.person(name), self.make_app()
        place = self._first_place(person)
        access, refresh, until = self.ready_tokens(name, person.id, (MANAGE,))
        return {
            "server": self.base,
            "remote_id": self.name_of(place),
            "handle": place.title,
            "credentials": {"access_token": access, "refresh_token": refresh},
            "expires_at": until.isoformat() if until is not None else "",
            "client_id": app.id,
            "client_secret": app.secret,
        }

    def person(self, name: str) -> Person:
        """Somebody of that name, made when missing."""
        known = self.state.names.get(name.lower())
        if known is not None:
            return self.state.people[known]
        person = Person(self.new_number(), name)
        self.state.people[person.id] = person
        self.state.names[name.lower()] = person.id
        return person

    def holder(self, name: str) -> str:
        """Who comes to Google's page owns a place: theirs, named after them."""
        person = self.person(name)
        self._first_place(person)
        return person.id

    def _first_place(self, person: Person) -> Place:
        if not person.managers:
            self.open_place(person, person.name)
        return self.state.places[self.state.managers[person.managers[0]].places[0]]

    def open_place(self, person: Person, title: str, *, group: str = "") -> Place:
        """Another location of theirs: in their own account, or in a group of locations."""
        kind = "LOCATION_GROUP" if group else "PERSONAL"
        held = [self.state.managers[one] for one in person.managers]
        manager = next((one for one in held if one.kind == kind and (not group or one.name == group)), None)
        if manager is None:
            manager = Manager(self.new_number(), group or person.name, kind)
            self.state.managers[manager.id] = manager
            person.managers.append(manager.id)
        place = Place(self.new_number(), manager.id, title)
        self.state.places[place.id] = place
        manager.places.append(place.id)
        return place

    def known_as(self, account: str | None) -> Place:
        """By its resource name or its owner's name; None: the ready one."""
        place = self.state.places.get((account or "").rpartition("/")[2])
        return place or self._first_place(self.person(account or "regie"))

    def name_of(self, one: Place | Post | Review) -> str:
        """As version 4 names it."""
        if isinstance(one, Place):
            return f"accounts/{one.manager}/locations/{one.id}"
        kind = "localPosts" if isinstance(one, Post) else "reviews"
        return f"{self.name_of(self.state.places[one.place])}/{kind}/{one.id}"

    # The people

    def say(self, *, by: str, text: str, to: str | None = None, kind: str = "reply") -> str:
        """Nobody can say anything under a post: who wants to speaks of the place, in a review."""
        if kind == "direct" or to is None:
            raise LookupError("On Google people write reviews, and nothing else.")
        post = self.state.posts.get(to.rpartition("/")[2])
        place = self.state.places[post.place] if post is not None else self.known_as(to)
        self.state.number += 1
        return self.review(by=by, text=text, stars=STARS[self.state.number % len(STARS)], place=place)

    def review(self, *, by: str, text: str, stars: int, place: Place | None = None) -> str:
        """A person has one review of a place: what they say anew takes the place of what they said."""
        place, person, now = place or self.known_as(None), self.person(by), self.now()
        known = next((one for one in place.reviews if self.state.reviews[one].by == person.id), None)
        if known is not None:
            review = self.state.reviews[known]
            review.text, review.stars, review.changed_at = self.faults.rewritten(text), stars, now
        else:
            words = self.faults.rewritten(text)
            review = Review(f"AbFvOq{secrets.token_urlsafe(24)}", place.id, person.id, words, stars, now, now)
            self.state.reviews[review.id] = review
            place.reviews.append(review.id)
        self._seen(place, MAPS, 1)
        self.note(place, self.name_of(review), text, "review")
        return self.name_of(review)

    def like(self, *, by: str, post_id: str) -> None:
        """There are no likes: who likes a post saw it, and looks at the website."""
        post = self.state.posts[post_id.rpartition("/")[2]]
        self._seen(self.state.places[post.place], SEARCH, 3)
        self._seen(self.state.places[post.place], "WEBSITE_CLICKS", 1)

    def share(self, *, by: str, post_id: str) -> bool:
        post = self.state.posts[post_id.rpartition("/")[2]]
        self._seen(self.state.places[post.place], "BUSINESS_DIRECTION_REQUESTS", 1)
        return True

    def follow(self, *, by: str, account: str) -> None:
        """Nobody follows a place; they find it."""
        self._seen(self.known_as(account), MAPS, 2)

    def _seen(self, place: Place, metric: str, times: int) -> None:
        today = place.seen.setdefault(self.now().date().isoformat(), {})
        today[metric] = today.get(metric, 0) + times

    def texts(self, account: str | None = None) -> list[str]:
        return [str(one.said.get("summary", "")) for one in self._live(account)]

    def posts(self, account: str | None = None) -> list[str]:
        return [self.name_of(one) for one in self._live(account)]

    def _live(self, account: str | None) -> list[Post]:
        held = [self.state.posts[one] for one in self.known_as(account).posts]
        return [one for one in held if self.state_of(one) == "LIVE"]

    def state_of(self, post: Post) -> str:
        if self.now() < post.ready_at:
            return "PROCESSING"
        return "REJECTED" if post.rejected else "LIVE"

    # What happens

    def note(self, place: Place, remote_id: str, text: str, kind: str, media: int = 0) -> None:
        self.world.ledger.accepted(
            network=self.slug, account=self.name_of(place), remote_id=remote_id, text=text, kind=kind, media=media
        )

    def new_number(self) -> str:
        """Google's ids are long numbers, beyond what a float holds."""
        self.state.number += 1
        return f"{secrets.randbelow(9 * 10**17) + 10**17}{self.state.number:03}"


async def _body(request: web.Request) -> Json:
    if not request.body_exists:
        return {}
    try:
        found = json.loads(await request.read() or b"{}")
    except ValueError:
        raise trouble_of(400) from None
    return found if isinstance(found, dict) else {}
