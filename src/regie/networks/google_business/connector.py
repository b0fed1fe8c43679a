"""Google Business Profile: what a shop, a practice or a workshop shows of itself in Google Search and Maps."""

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
from regie.networks.google import no_app
from regie.networks.google_business import limits, measuring, publishing, reading, sign_in
from regie.networks.google_business.wire import API, NETWORK, Wire
from regie.networks.taking import must_be_taken


class GoogleBusiness:
    """A location. ``Login.remote_id``: ``accounts/{a}/locations/{l}``. ``Login.credentials``: access_token,
    refresh_token. ``Login.limits``: language, name."""

    slug: ClassVar[str] = "google_business"
    name: ClassVar[str] = NETWORK
    can: ClassVar[Capabilities] = limits.CAN
    default_server: ClassVar[str] = API
    logins: ClassVar[Mapping[str, str]] = {"google": API}
    permissions: ClassVar[Mapping[str, tuple[str, ...]]] = {"google": sign_in.ASKED}

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self._wire = Wire(http, login)

    @classmethod
    def can_on(cls, limits_: Json) -> Capabilities:
        return limits.CAN

    # Publishing

    @classmethod
    def objections(cls, limits_: Json, draft: Draft) -> tuple[Refused, ...]:
        return limits.objections(draft)

    async def prepare(self, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
        must_be_taken(outgoing, self.can, network=NETWORK)
        return await publishing.prepare(self._wire, outgoing, progress)

    async def commit(self, outgoing: Outgoing, progress: Progress) -> Published | Pending:
        if outgoing.reply_to is not None:
            publishing.refuse_what_is_absent(outgoing)
            return await reading.reply(self._wire, outgoing.reply_to, outgoing)
        return await publishing.commit(self._wire, outgoing, progress)

    async def own_posts(self, *, since: datetime) -> Listing:
        return await publishing.own_posts(self._wire, since=since)

    async def fetch(self, remote_id: str) -> Published:
        return await publishing.fetch(self._wire, remote_id)

    async def edit(self, ref: Ref, outgoing: Outgoing, progress: Progress) -> Published:
        if ref.extra.get("kind") == "reply":
            return await reading.write_reply(self._wire, str(ref.extra["review"]), outgoing.text)
        return await publishing.edit(self._wire, ref, outgoing)

    async def delete(self, ref: Ref) -> None:
        if ref.extra.get("kind") == "reply":
            await reading.delete_reply(self._wire, str(ref.extra["review"]))
        else:
            await publishing.delete(self._wire, ref)

    # Reading and answering

    async def messages(self, *, cursor: str) -> Messages:
        return await reading.messages(self._wire, cursor=cursor)

    # Measuring

    async def post_samples(self, refs: Sequence[Ref]) -> Mapping[str, Samples]:
        """None: Google counts no single posts any more."""
        return {}

    async def account_samples(self) -> Samples:
        return await measuring.account_samples(self._wire)

    def quota_key(self) -> str:
        """Google counts by project: all locations that it was connected with together."""
        app = self._wire.login.app
        return f"google_business:{app.client_id if app is not None else self._wire.place}"

    # Who we are

    async def whoami(self) -> Profile:
        return await sign_in.whoami(self._wire)

    # Signing in

    @classmethod
    async def register(cls, http: aiohttp.ClientSession, *, server: str, redirect_uri: str, website: str) -> AppKeys:
        raise no_app(NETWORK)

    @classmethod
    async def start(
        cls, http: aiohttp.ClientSession, *, server: str, app: AppKeys, redirect_uri: str, hint: str = ""
    ) -> SigningIn:
        return sign_in.gate(server).start(app=app, scopes=sign_in.ASKED, redirect_uri=redirect_uri, hint=hint)

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
        return await sign_in.finish(
            http, server=server, app=app, redirect_uri=redirect_uri, query=query, secrets=secrets
        )

    async def refresh(self) -> SignedIn:
        return await sign_in.gate(self._wire.server).refresh(self._wire.http, self._wire.login)

    async def revoke(self) -> None:
        await sign_in.gate(self._wire.server).revoke(self._wire.http, self._wire.login)
