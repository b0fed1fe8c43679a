"""TikTok: videos and photos, through its open API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

import aiohttp

from regie.networks.capabilities import Capabilities
from regie.networks.data import (
    AppKeys,
    Draft,
    Json,
    Listing,
    Login,
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
from regie.networks.errors import Gone, Refused
from regie.networks.tiktok import limits, measuring, publishing, sign_in
from regie.networks.tiktok.wire import NETWORK, OPEN, Wire


class TikTok:
    """An account. ``Login.credentials``: access_token, refresh_token. ``Login.limits``: scopes, missing, username,
    privacy, switched_off, longest_video."""

    slug: ClassVar[str] = "tiktok"
    name: ClassVar[str] = NETWORK
    can: ClassVar[Capabilities] = limits.CAN
    default_server: ClassVar[str] = OPEN
    logins: ClassVar[Mapping[str, str]] = {"tiktok": OPEN}

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self._wire = Wire(http, login)

    @classmethod
    def can_on(cls, limits_: Json) -> Capabilities:
        return limits.can_on(limits_)

    @classmethod
    def objections(cls, limits_: Json, draft: Draft) -> tuple[Refused, ...]:
        return limits.objections(limits_, draft)

    # Publishing

    async def prepare(self, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
        return await publishing.prepare(self._wire, outgoing, progress)

    async def commit(self, outgoing: Outgoing, progress: Progress) -> Published | Pending:
        return await publishing.commit(self._wire, outgoing, progress)

    async def what_became_of(self, outgoing: Outgoing, progress: Progress) -> Published | Pending | None:
        return await publishing.what_became_of(self._wire, outgoing, progress)

    async def fetch(self, remote_id: str) -> Published:
        return await publishing.fetch(self._wire, remote_id)

    async def own_posts(self, *, since: datetime) -> Listing:
        return await publishing.own_posts(self._wire, since=since)

    @classmethod
    def id_of(cls, url: str, *, author: str = "") -> str | None:
        return publishing.id_of(url)

    # Measuring

    async def post_samples(self, refs: Sequence[Ref]) -> Mapping[str, Samples]:
        ids: dict[str, str] = {}
        for ref in refs:
            try:
                ids[ref.remote_id] = await publishing.public_id(self._wire, ref.remote_id)
            except Gone:
                continue
        return await measuring.post_samples(self._wire, refs, ids)

    async def account_samples(self) -> Samples:
        return measuring.account_samples(await sign_in.me(self._wire))

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
