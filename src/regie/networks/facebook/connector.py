"""Facebook: Pages, each with a token of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

import aiohttp

from regie.networks.capabilities import Capabilities, Permit
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
from regie.networks.facebook import limits, measuring, publishing, reading, sign_in, webhook
from regie.networks.facebook.wire import NETWORK, Wire
from regie.networks.meta import answering
from regie.networks.meta import sign_in as meta
from regie.networks.meta import webhook as signed
from regie.networks.meta.wire import FACEBOOK
from regie.networks.taking import must_be_taken


class Facebook:
    """A Page. ``Login.credentials``: access_token. ``Login.limits``: missing."""

    slug: ClassVar[str] = "facebook"
    name: ClassVar[str] = NETWORK
    can: ClassVar[Capabilities] = limits.CAN
    default_server: ClassVar[str] = FACEBOOK
    logins: ClassVar[Mapping[str, str]] = {"facebook": FACEBOOK}
    permissions: ClassVar[Mapping[str, tuple[str, ...]]] = {"facebook": sign_in.SCOPES}
    permits: ClassVar[tuple[Permit, ...]] = (answering.permit("facebook"),)
    webhook_fields: ClassVar[tuple[str, ...]] = tuple(webhook.FIELDS)

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self._wire = Wire(http, login)

    @classmethod
    def can_on(cls, limits_: Json) -> Capabilities:
        return limits.can_on(limits_)

    @classmethod
    def objections(cls, limits_: Json, draft: Draft) -> tuple[Refused, ...]:
        return limits.objections(draft)

    # Publishing

    async def prepare(self, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
        must_be_taken(outgoing, self.can, network=self.name)
        return await publishing.prepare(self._wire, outgoing, progress)

    async def commit(self, outgoing: Outgoing, progress: Progress) -> Published | Pending:
        return await publishing.commit(self._wire, outgoing, progress)

    async def fetch(self, remote_id: str) -> Published:
        return await publishing.fetch(self._wire, remote_id)

    async def comment_found(self, outgoing: Outgoing) -> Published | None:
        return await publishing.comment_found(self._wire, outgoing)

    async def own_posts(self, *, since: datetime) -> Listing:
        return await publishing.own_posts(self._wire, since=since)

    async def edit(self, ref: Ref, outgoing: Outgoing, progress: Progress) -> Published:
        return await publishing.edit(self._wire, ref, outgoing)

    async def delete(self, ref: Ref) -> None:
        await publishing.delete(self._wire, ref)

    # Reading and answering

    async def messages(self, *, cursor: str) -> Messages:
        return await reading.messages(self._wire, cursor=cursor)

    async def like(self, ref: Ref) -> Json:
        await publishing.like(self._wire, ref)
        return {}

    async def unlike(self, ref: Ref, liked: Json) -> None:
        await publishing.unlike(self._wire, ref)

    async def hide(self, ref: Ref) -> None:
        await publishing.hide(self._wire, ref, hidden=True)

    async def unhide(self, ref: Ref) -> None:
        await publishing.hide(self._wire, ref, hidden=False)

    async def subscribe(self) -> None:
        await webhook.subscribe(self._wire)

    async def unsubscribe(self) -> None:
        await webhook.unsubscribe(self._wire)

    @classmethod
    def verify(cls, app: AppKeys, *, body: bytes, headers: Mapping[str, str]) -> None:
        signed.verify(app, body=body, headers=headers, network=NETWORK)

    @classmethod
    def concerns(cls, body: bytes) -> frozenset[str]:
        return signed.concerns(body, network=NETWORK)

    @classmethod
    def news(cls, login: Login, *, body: bytes) -> Messages:
        return webhook.news(login, body=body)

    async def completed(self, news: Messages) -> Messages:
        return await reading.completed(self._wire, news)

    # Measuring

    async def post_samples(self, refs: Sequence[Ref]) -> Mapping[str, Samples]:
        return await measuring.post_samples(self._wire, refs)

    async def account_samples(self) -> Samples:
        return await measuring.account_samples(self._wire, await sign_in.me(self._wire))

    # Who we are

    async def whoami(self) -> Profile:
        return await sign_in.whoami(self._wire)

    # Signing in

    @classmethod
    async def register(cls, http: aiohttp.ClientSession, *, server: str, redirect_uri: str, website: str) -> AppKeys:
        raise meta.no_app(NETWORK)

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
