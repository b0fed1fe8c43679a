"""Pinterest: Pins with pictures, carousels and videos. Comments, messages and webhooks are not in its API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

import aiohttp

from regie.networks.capabilities import Capabilities, Choice
from regie.networks.data import (
    AppKeys,
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
from regie.networks.errors import Refused
from regie.networks.pinterest import limits, measuring, publishing, sign_in
from regie.networks.pinterest.wire import NETWORK, STANDARD, TRIAL, Wire


class Pinterest:
    """An account. ``Login.credentials``: access_token, refresh_token, expires_at (Unix time).
    ``Login.limits``: trial, username, missing."""

    slug: ClassVar[str] = "pinterest"
    name: ClassVar[str] = NETWORK
    can: ClassVar[Capabilities] = limits.CAN
    default_server: ClassVar[str] = STANDARD
    logins: ClassVar[Mapping[str, str]] = {"standard": STANDARD, "trial": TRIAL}
    permissions: ClassVar[Mapping[str, tuple[str, ...]]] = {"standard": sign_in.SCOPES, "trial": sign_in.SCOPES}

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self._wire = Wire(http, login)

    @classmethod
    def can_on(cls, limits_: Json) -> Capabilities:
        return limits.can_on(limits_)

    # Publishing

    async def prepare(self, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
        return await publishing.prepare(self._wire, outgoing, progress)

    async def commit(self, outgoing: Outgoing, progress: Progress) -> Published | Pending:
        return await publishing.commit(self._wire, outgoing, progress)

    async def choices(self, option: str, *, chosen: Mapping[str, str]) -> tuple[Choice, ...]:
        return await publishing.choices(self._wire, option, chosen)

    async def own_posts(self, *, since: datetime) -> Listing:
        return await publishing.own_posts(self._wire, since=since)

    async def fetch(self, remote_id: str) -> Published:
        return await publishing.fetch(self._wire, remote_id)

    @classmethod
    def id_of(cls, url: str, *, author: str = "") -> str | None:
        return publishing.id_of(url)

    async def edit(self, ref: Ref, outgoing: Outgoing, progress: Progress) -> Published:
        return await publishing.edit(self._wire, ref, outgoing)

    async def delete(self, ref: Ref) -> None:
        await publishing.delete(self._wire, ref)

    # Measuring

    async def post_samples(self, refs: Sequence[Ref]) -> Mapping[str, Samples]:
        return await measuring.post_samples(self._wire, refs)

    async def account_samples(self) -> Samples:
        return await measuring.account_samples(self._wire)

    # Who we are

    async def whoami(self) -> Profile:
        return await sign_in.whoami(self._wire)

    # Signing in

    @classmethod
    async def register(cls, http: aiohttp.ClientSession, *, server: str, redirect_uri: str, website: str) -> AppKeys:
        raise Refused(
            "{network} needs an app of your own there first: see Networks, then enter its keys.", network=NETWORK
        )

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
