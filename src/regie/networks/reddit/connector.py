"""Reddit: an account that posts to communities and to its own profile."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import ClassVar
from urllib.parse import urlsplit

import aiohttp

from regie.networks.capabilities import Capabilities, Choice
from regie.networks.data import (
    AppKeys,
    Draft,
    Json,
    Listing,
    Login,
    Messages,
    Outgoing,
    Pending,
    Profile,
    Progress,
    Published,
    Ready,
    Ref,
    Samples,
    SignedIn,
    SigningIn,
)
from regie.networks.errors import Refused
from regie.networks.reddit import checks, limits, measuring, publishing, reading, sign_in
from regie.networks.reddit.wire import API, Wire
from regie.networks.taking import must_be_taken

LINK = re.compile(r"(?:/(?:r|u|user)/[\w-]+)?/comments/(\w+)(?:/[^/]*(?:/(\w+))?)?/?")
GALLERY = re.compile(r"/gallery/(\w+)/?")


class Reddit:
    """An account. ``Login.credentials``: access_token, refresh_token. ``Login.limits``: username, scopes, missing,
    moderates."""

    slug: ClassVar[str] = "reddit"
    name: ClassVar[str] = limits.NETWORK
    can: ClassVar[Capabilities] = limits.CAN
    default_server: ClassVar[str] = API
    logins: ClassVar[Mapping[str, str]] = {"reddit": API}
    permissions: ClassVar[Mapping[str, tuple[str, ...]]] = {"reddit": sign_in.SCOPES}

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self._wire = Wire(http, login)

    @classmethod
    def can_on(cls, limits_: Json) -> Capabilities:
        return limits.can_on(limits_)

    @classmethod
    def objections(cls, limits_: Json, draft: Draft) -> tuple[Refused, ...]:
        return limits.objections(draft)

    @classmethod
    def id_of(cls, url: str, *, author: str = "") -> str | None:
        """Of a post's page, of a comment's below it, of a gallery, and of redd.it's short addresses."""
        parts = urlsplit(url)
        if (parts.hostname or "").removeprefix("www.") == "redd.it":
            return f"t3_{parts.path.strip('/')}" if parts.path.strip("/").isalnum() else None
        if found := GALLERY.fullmatch(parts.path):
            return f"t3_{found[1]}"
        if found := LINK.fullmatch(parts.path):
            return f"t1_{found[2]}" if found[2] else f"t3_{found[1]}"
        return None

    async def choices(self, option: str, *, chosen: Mapping[str, str]) -> tuple[Choice, ...]:
        if option != "flair" or not chosen.get("community"):
            return ()
        return await checks.flairs(self._wire, chosen["community"])

    def quota_key(self) -> str:
        """Reddit counts the requests of an app, whoever it speaks for."""
        app = self._wire.login.app
        return sha256(f"{self._wire.server} {app.client_id if app else ''}".encode()).hexdigest()[:32]

    # Publishing

    async def prepare(self, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
        must_be_taken(outgoing, self.can, network=self.name)
        return await publishing.prepare(self._wire, outgoing, progress)

    async def commit(self, outgoing: Outgoing, progress: Progress) -> Published | Pending:
        return await publishing.commit(self._wire, outgoing, progress)

    async def comment_found(self, outgoing: Outgoing) -> Published | None:
        assert outgoing.reply_to is not None
        return await reading.comment_found(self._wire, outgoing, outgoing.reply_to)

    async def fetch(self, remote_id: str) -> Published:
        return await publishing.fetch(self._wire, remote_id)

    async def own_posts(self, *, since: datetime) -> Listing:
        return await reading.own_posts(self._wire, since=since)

    async def edit(self, ref: Ref, outgoing: Outgoing, progress: Progress) -> Published:
        return await publishing.edit(self._wire, ref, outgoing)

    async def delete(self, ref: Ref) -> None:
        await publishing.delete(self._wire, ref)

    # Reading and answering

    async def messages(self, *, cursor: str) -> Messages:
        return await reading.messages(self._wire, cursor=cursor)

    async def like(self, ref: Ref) -> Json:
        await publishing.vote(self._wire, ref, up=True)
        return {}

    async def unlike(self, ref: Ref, liked: Json) -> None:
        await publishing.vote(self._wire, ref, up=False)

    async def hide(self, ref: Ref) -> None:
        await publishing.hide(self._wire, ref, hidden=True)

    async def unhide(self, ref: Ref) -> None:
        await publishing.hide(self._wire, ref, hidden=False)

    # Measuring

    async def post_samples(self, refs: Sequence[Ref]) -> Mapping[str, Samples]:
        return await measuring.post_samples(self._wire, refs)

    async def account_samples(self) -> Samples:
        return measuring.account_samples_of(await self._wire.me())

    # Who we are

    async def whoami(self) -> Profile:
        return await sign_in.whoami(self._wire)

    # Signing in

    @classmethod
    async def register(cls, http: aiohttp.ClientSession, *, server: str, redirect_uri: str, website: str) -> AppKeys:
        raise sign_in.no_app()

    @classmethod
    async def start(
        cls, http: aiohttp.ClientSession, *, server: str, app: AppKeys, redirect_uri: str, hint: str = ""
    ) -> SigningIn:
        return sign_in.start(server, app=app, redirect_uri=redirect_uri)

    @classmethod
    async def finish(
        cls,
        http: aiohttp.ClientSession,
        *,
        server: str,
        app: AppKeys,
        redirect_uri: str,
        query: Mapping[str, str],
        secrets: Mapping[str, str],
    ) -> SignedIn:
        return await sign_in.finish(http, server=server, app=app, redirect_uri=redirect_uri, query=query)

    async def refresh(self) -> SignedIn:
        return await sign_in.refresh(self._wire)

    async def revoke(self) -> None:
        await sign_in.revoke(self._wire)
