"""LinkedIn's sandbox: Pages, the members who administer them, and those who speak to them.

Below ``/profile`` the same stands in for an app that may publish for its own member only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import aiohttp
from aiohttp import web

from regie_sandbox.frame import Network, World
from regie_sandbox.hooks import Hooks
from regie_sandbox.linkedin import oauth, shown, site
from regie_sandbox.linkedin.deeds import Deeds
from regie_sandbox.linkedin.reads import Reads
from regie_sandbox.linkedin.state import App, Comment, Member, Notification, Page, Post, State, Token
from regie_sandbox.linkedin.wire import Json, Trouble

SHARING = ("openid", "profile", "email", "w_member_social")
MANAGING = (
    "r_basicprofile",
    "rw_organization_admin",
    "r_organization_social",
    "w_organization_social",
    "r_organization_social_feed",
    "w_organization_social_feed",
    "w_member_social",
    "w_member_social_feed",
    "r_member_postAnalytics",
    "r_member_profileAnalytics",
)
LARGEST_REQUEST = 200 * 1024 * 1024
LASTS = timedelta(days=60)
READY = timedelta(days=3650)  # nobody comes back to sign in for a ready account
EVENT = "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS"


class LinkedIn(Network):
    """``processing_seconds``: how long files are worked on; ``part_bytes``: of a video at once; ``versions``: months
    that the API still speaks; ``hooks.brought``: address and status of each webhook delivery."""

    slug: ClassVar[str] = "linkedin"
    state: State

    def __init__(self, world: World) -> None:
        self.state = State()
        self.processing_seconds = 0.0
        self.part_bytes = 4 * 1024 * 1024
        self.versions = frozenset(("202511", "202512", *(f"2026{month:02}" for month in range(1, 10))))
        self.hooks = Hooks()
        super().__init__(world)
        self.deeds = Deeds(self)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=LARGEST_REQUEST)
        for prefix in ("", "/profile"):
            app.add_routes(oauth.routes(self, prefix))
            app.add_routes(self.deeds.routes(prefix))
            app.add_routes(Reads(self).routes(prefix))
            app.add_routes(site.routes(self, prefix))
        app.cleanup_ctx.append(self.hooks.while_served)
        return app

    def vendor_error(self, status: int) -> tuple[Mapping[str, str], Any]:
        return {}, Trouble(status).body

    def now(self) -> datetime:
        return self.world.clock.now()

    def new_id(self) -> int:
        self.state.last_id += secrets.randbelow(900) + 1
        return self.state.last_id

    # Accounts

    def ready_account(self, name: str = "regie") -> dict[str, Any]:
        """A Page; ``["profile"]`` is the member who administers it, through the other kind of app."""
        page = self.page_named(name)
        member = self.manager_of(page)
        managing, sharing = self.make_app(), self.make_app(MANAGING_NOT)
        ready = self.state.ready
        if name not in ready:
            ready[name] = self.make_token(member.urn, managing, MANAGING, lasts=READY)
            ready[f"{name}/profile"] = self.make_token(member.urn, sharing, SHARING, lasts=READY)
            self.world.changes += 1
        profile = {
            "server": f"{self.base}/profile",
            "remote_id": member.urn,
            "handle": f"@{member.vanity}",
            "credentials": {"access_token": ready[f"{name}/profile"]},
            "limits": {"kind": "profile", "scopes": list(SHARING)},
            "client_id": sharing.id,
            "client_secret": sharing.secret,
        }
        return {
            "server": self.base,
            "remote_id": page.urn,
            "handle": f"@{page.vanity}",
            "credentials": {"access_token": ready[name]},
            "limits": {"kind": "page", "role": "ADMINISTRATOR", "member": member.urn},
            "client_id": managing.id,
            "client_secret": managing.secret,
            "application": managing.number,
            "member": member.urn,
            "profile": profile,
        }

    def make_app(self, name: str = "Régie") -> App:
        known = next((one for one in self.state.apps.values() if one.name == name), None)
        if known is None:
            scopes = list(SHARING if name == MANAGING_NOT else MANAGING)
            known = App(
                f"86{secrets.token_hex(6)}", f"WPL_AP1.{secrets.token_hex(8)}", str(self.new_id()), name, scopes
            )
            self.state.apps[known.id] = known
        return known

    def make_token(self, member: str, app: App, scopes: Sequence[str], *, lasts: timedelta = LASTS) -> str:
        value = f"AQ{secrets.token_urlsafe(60)}"
        self.state.tokens[value] = Token(member, app.id, list(scopes), self.now() + lasts)
        return value

    def expire_tokens(self) -> int:
        """They live for sixty days: ended only where something renews them."""
        renewed = set(self.state.renewing.values())
        for value in renewed:
            self.state.tokens[value].until = self.now()
        return len(renewed)

    def page_named(self, name: str) -> Page:
        """A Page and the member who administers it, made when missing."""
        known = self.state.names.get(f"page/{name.lower()}")
        if known is None:
            number = 90_000_000 + len(self.state.pages)
            page = Page(f"urn:li:organization:{number}", name, _vanity(name) or "page")
            self.state.pages[page.urn] = page
            self.state.names[f"page/{name.lower()}"] = self.state.names[f"page/{page.vanity}"] = page.urn
            page.roles[self.member(f"{name} manager").urn] = "ADMINISTRATOR"
            return page
        return self.state.pages[known]

    def manager_of(self, page: Page) -> Member:
        return self.state.members[next(iter(page.roles))]

    def member(self, name: str) -> Member:
        """The member of that name, made when missing."""
        known = self.state.names.get(name.lower())
        if known is None:
            first, _, last = name.partition(" ")
            made = Member(f"urn:li:person:{secrets.token_hex(5)}", first, last, _vanity(name) or "member")
            self.state.members[made.urn] = made
            self.state.names[name.lower()] = made.urn
            return made
        return self.state.members[known]

    def known_as(self, account: str | None) -> Page:
        """By urn, handle or name; None: the ready one."""
        return self.state.pages.get(account or "") or self.page_named((account or "regie").lstrip("@"))

    def named(self, urn: str) -> str:
        """What the ledger calls somebody."""
        page = self.state.pages.get(urn)
        return page.vanity if page is not None else self.state.members[urn].vanity

    # The people

    def say(self, *, by: str, text: str, to: str | None = None, kind: str = "reply") -> str:
        member = self.member(by)
        if kind == "direct":
            raise ValueError("LinkedIn's API has no messages")
        if kind == "mention" or to is None:
            return self._post_by(member, text, self.known_as(to) if kind == "mention" else None).urn
        answered = self.state.comments.get(to)
        post = self.state.posts[answered.post if answered is not None else to]
        return self.comment(post, member.urn, text, parent=answered).urn

    def comment(self, post: Post, actor: str, text: str, *, parent: Comment | None = None) -> Comment:
        """An answer to an answer stands beside it."""
        top = parent.parent or parent.urn if parent is not None else ""
        number = str(self.new_id())
        made = Comment(
            f"urn:li:comment:({post.activity},{number})",
            number,
            post.urn,
            actor,
            self.faults.rewritten(text),
            self.now(),
            top,
        )
        self.state.comments[made.urn] = made
        post.comments.append(made.urn)
        self.note(actor, made.urn, text, "reply" if actor in self.state.pages else "comment")
        action = "ADMIN_COMMENT" if actor == post.author else "COMMENT"
        self.notify(post.author, action, post, comment=made.urn, owner=actor, text=text)
        return made

    def _post_by(self, member: Member, text: str, page: Page | None) -> Post:
        """Somebody's own post; a Page that it names hears of it."""
        named = f"{text} @{page.name}" if page is not None else text
        post = self.add_post(member.urn, named, named, {"visibility": "PUBLIC"})
        if page is not None:
            self.notify(page.urn, "SHARE_MENTION", post, owner=member.urn, text=named)
        return post

    def add_post(self, author: str, commentary: str, text: str, body: Json) -> Post:
        number, now = self.new_id(), self.now()
        kind = "ugcPost" if "urn:li:video:" in json.dumps(body) else "share"
        post = Post(
            f"urn:li:{kind}:{number}", f"urn:li:activity:{self.new_id()}", author, commentary, text, body, now, now
        )
        self.state.posts[post.urn] = post
        return post

    def notify(self, page: str, action: str, post: Post, *, comment: str = "", owner: str = "", text: str = "") -> None:
        """Kept for sixty days, and brought to who asked for it."""
        if page not in self.state.pages:
            return
        told = Notification(5_603_453_321 + len(self.state.notifications), page, action, post.urn, self.now())
        told.comment, told.owner, told.text = comment, owner, text
        self.state.notifications.append(told)
        body = {"type": EVENT, "notifications": [shown.notification(self, told)]}
        for one in self.state.subscriptions.values():
            if one.page == page:
                self._bring(self.state.apps[one.app], one.webhook, body)

    def like(self, *, by: str, post_id: str) -> None:
        self.liked(self.state.posts[post_id], self.member(by).urn)

    def liked(self, post: Post, who: str) -> None:
        if who not in post.likes:
            post.likes.add(who)
            self.note(who, post.urn, "", "like")
            self.notify(post.author, "LIKE", post, owner=who)

    def share(self, *, by: str, post_id: str) -> bool:
        self.state.posts[post_id].shares += 1
        return True

    def follow(self, *, by: str, account: str) -> None:
        self.known_as(account).followers.add(self.member(by).urn)

    def unfollow(self, *, by: str, account: str) -> bool:
        self.known_as(account).followers.discard(self.member(by).urn)
        return True

    def texts(self, account: str | None = None) -> list[str]:
        return [post.text for post in self._published(account)]

    def posts(self, account: str | None = None) -> list[str]:
        return [post.urn for post in self._published(account)]

    def _published(self, account: str | None) -> list[Post]:
        """By urn also a member's."""
        who = account if account in self.state.members else self.known_as(account).urn
        return [post for post in self.state.posts.values() if post.author == who]

    # Writing down

    def note(self, who: str, remote_id: str, text: str, kind: str, *, media: int = 0) -> None:
        self.world.ledger.accepted(
            network=self.slug, account=self.named(who), remote_id=remote_id, text=text, kind=kind, media=media
        )

    def listed(self, at: datetime) -> bool:
        """Whether listings show it already (``faults.listing_lag``)."""
        return self.now() - at >= timedelta(seconds=self.faults.listing_lag)

    # Webhooks

    async def is_ours(self, app: App, url: str) -> bool:
        """The challenge: an address that is not the app's cannot answer it."""
        code = secrets.token_hex(16)
        wanted = hmac.new(app.secret.encode(), code.encode(), hashlib.sha256).hexdigest()
        try:
            async with self.hooks.http.get(url, params={"challengeCode": code}) as reply:
                told = await reply.json() if reply.status == 200 else {}
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return False
        return told == {"challengeCode": code, "challengeResponse": wanted}

    def _bring(self, app: App, url: str, body: Json) -> None:
        """Deliver, signed. May be called from any thread."""
        raw = json.dumps(body, ensure_ascii=False).encode()
        sign = hmac.new(app.secret.encode(), b"hmacsha256=" + raw, hashlib.sha256).hexdigest()
        self.hooks.bring(url, raw, {"Content-Type": "application/json", "X-LI-Signature": sign})


MANAGING_NOT = "Régie, sharing"  # the app that anybody gets at once


def _vanity(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
