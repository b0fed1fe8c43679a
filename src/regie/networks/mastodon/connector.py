"""The Mastodon connector: each verb is one line here and its story in the module it comes from."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from urllib.parse import urlsplit

import aiohttp

from regie.networks.capabilities import Capabilities
from regie.networks.data import (
    AppKeys,
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
from regie.networks.mastodon import limits, measuring, publishing, reading, sign_in
from regie.networks.mastodon.entities import Account
from regie.networks.mastodon.wire import Wire, parsed
from regie.networks.taking import must_be_taken

LINK = re.compile(r"/(?:@\w+(?:[.-]\w+)*|users/[^/@]+/statuses)/(\d+)/?")


class Mastodon:
    slug: ClassVar[str] = "mastodon"
    name: ClassVar[str] = "Mastodon"
    can: ClassVar[Capabilities] = limits.CAN
    default_server: ClassVar[str] = ""

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self._http, self._login = http, login
        self._wire = Wire(http, login)

    @classmethod
    def can_on(cls, limits_: Json) -> Capabilities:
        return limits.can_on(limits_)

    @classmethod
    def id_of(cls, url: str, *, author: str = "") -> str | None:
        """Of ``https://server/@name/123``. One seen on another server (``@name@server``) has another id there."""
        found = LINK.fullmatch(urlsplit(url).path)
        return found[1] if found else None

    # Publishing

    async def prepare(self, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
        must_be_taken(outgoing, self.can_on(self._login.limits), network=self.name)
        return await publishing.prepare(self._wire, outgoing, progress)

    async def commit(self, outgoing: Outgoing, progress: Progress) -> Published | Pending:
        return await publishing.commit(self._wire, outgoing, progress)

    async def edit(self, ref: Ref, outgoing: Outgoing, progress: Progress) -> Published:
        return await publishing.edit(self._wire, ref, outgoing, progress)

    async def delete(self, ref: Ref) -> None:
        await publishing.delete(self._wire, ref)

    async def fetch(self, remote_id: str) -> Published:
        return await publishing.fetch(self._wire, remote_id)

    # Reading and answering

    async def own_posts(self, *, since: datetime) -> Listing:
        return await reading.own_posts(self._wire, self._login.remote_id, since=since)

    async def comment_found(self, outgoing: Outgoing) -> Published | None:
        assert outgoing.reply_to is not None
        return await reading.comment_found(self._wire, self._login, outgoing, outgoing.reply_to)

    async def messages(self, *, cursor: str) -> Messages:
        return await reading.messages(self._wire, self._login, cursor=cursor)

    def stream(self) -> AsyncIterator[None]:
        return reading.stream(self._http, self._wire, self._login)

    async def like(self, ref: Ref) -> Json:
        await reading.like(self._wire, ref)
        return {}

    async def unlike(self, ref: Ref, liked: Json) -> None:
        await reading.unlike(self._wire, ref)

    # Measuring

    async def post_samples(self, refs: Sequence[Ref]) -> Mapping[str, Samples]:
        many = (self._login.limits.get("api_version") or 0) >= 2
        return await measuring.post_samples(self._wire, refs, many_at_once=many)

    async def account_samples(self) -> Samples:
        return measuring.account_samples_of(await self._me())

    # Who we are

    async def whoami(self) -> Profile:
        me = await self._me()
        return Profile(
            remote_id=me.id,
            name=me.display_name or me.username or me.acct,
            handle=f"@{me.acct}" if "@" in me.acct else f"@{me.acct}@{self._login.server.split('://')[-1]}",
            server=self._login.server,
            url=me.url or "",
            avatar_url=me.avatar or "",
            limits=await limits.server_limits(self._wire),
        )

    async def _me(self) -> Account:
        return parsed(await self._wire.get("/api/v1/accounts/verify_credentials"), Account)

    # Signing in

    @classmethod
    async def register(cls, http: aiohttp.ClientSession, *, server: str, redirect_uri: str, website: str) -> AppKeys:
        return await sign_in.register(http, server=server, redirect_uri=redirect_uri, website=website)

    @classmethod
    async def start(
        cls, http: aiohttp.ClientSession, *, server: str, app: AppKeys, redirect_uri: str, hint: str = ""
    ) -> SigningIn:
        return await sign_in.start(http, server=server, app=app, redirect_uri=redirect_uri)

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
        token = await sign_in.token_for(
            http, server=server, app=app, redirect_uri=redirect_uri, query=query, secrets=secrets
        )
        credentials = {"access_token": token.access_token}
        login = Login(server=sign_in.address(server), credentials=credentials, app=app)
        profile = await cls(http, login).whoami()
        return SignedIn(
            credentials=credentials, profiles=(profile,), scopes=tuple(token.scope.split() or sign_in.SCOPES.split())
        )

    async def revoke(self) -> None:
        if self._login.app is None:
            raise Refused("The registration that this account was connected with is missing.")
        await sign_in.revoke(
            self._http,
            server=self._login.server,
            app=self._login.app,
            token=self._login.credentials.get("access_token", ""),
        )
