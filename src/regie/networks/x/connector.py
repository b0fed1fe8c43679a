"""The X connector: each verb is one line here and its story in the module it comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from urllib.parse import urlsplit

import aiohttp

from regie.networks.capabilities import Capabilities, Option
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
from regie.networks.x import editing, limits, measuring, publishing, reading, sign_in, webhook
from regie.networks.x.weights import links_in
from regie.networks.x.wire import API, NETWORK, Wire

LINK = re.compile(r"/(?:i/web|i|\w{1,15})/status(?:es)?/([0-9]{1,19})(?:/.*)?")
PLAIN, WITH_LINK = Decimal("0.015"), Decimal("0.200")


class X:
    """An account. ``Login.credentials``: access_token, refresh_token, issued_at. ``Login.limits``: username,
    subscription, plan, scopes, missing. ``Login.app.extra``: api_key, api_secret, plan."""

    slug: ClassVar[str] = "x"
    name: ClassVar[str] = NETWORK
    can: ClassVar[Capabilities] = limits.CAN
    default_server: ClassVar[str] = API
    logins: ClassVar[Mapping[str, str]] = {"x": API}
    permissions: ClassVar[Mapping[str, tuple[str, ...]]] = {"x": sign_in.SCOPES}
    more_keys: ClassVar[tuple[Option, ...]] = limits.KEYS

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self._login = login
        self._wire = Wire(http, login)

    @classmethod
    def can_on(cls, limits_: Json) -> Capabilities:
        return limits.can_on(limits_)

    @classmethod
    def objections(cls, limits_: Json, draft: Draft) -> tuple[Refused, ...]:
        return tuple(limits.objections(limits_, draft))

    @classmethod
    def price(cls, draft: Draft) -> Decimal:
        return WITH_LINK if links_in(draft.text) else PLAIN

    @classmethod
    def id_of(cls, url: str, *, author: str = "") -> str | None:
        found = LINK.fullmatch(urlsplit(url).path)
        return found[1] if found else None

    def quota_key(self) -> str:
        app = self._login.app
        return f"x:{app.client_id if app is not None else self._login.server}"

    # Publishing

    async def prepare(self, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
        return await publishing.prepare(self._wire, outgoing, progress)

    async def commit(self, outgoing: Outgoing, progress: Progress) -> Published | Pending:
        return await publishing.commit(self._wire, outgoing, progress)

    async def edit(self, ref: Ref, outgoing: Outgoing, progress: Progress) -> Published:
        return await editing.edit(self._wire, ref, outgoing, progress)

    async def delete(self, ref: Ref) -> None:
        await publishing.delete(self._wire, ref)

    async def fetch(self, remote_id: str) -> Published:
        return await publishing.fetch(self._wire, remote_id)

    # Reading and answering

    async def own_posts(self, *, since: datetime) -> Listing:
        return await reading.own_posts(self._wire, since=since)

    async def comment_found(self, outgoing: Outgoing) -> Published | None:
        if (to := outgoing.reply_to) is None:
            return None
        return await reading.comment_found(self._wire, outgoing, to)

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

    # What X brings

    @classmethod
    def has_webhook_keys(cls, app: AppKeys) -> bool:
        return bool(app.extra.get("api_key") and app.extra.get("api_secret"))

    async def enter_webhook(self, *, url: str) -> None:
        await webhook.enter(self._wire, url=url)

    async def subscribe(self) -> None:
        await webhook.subscribe(self._wire)

    async def unsubscribe(self) -> None:
        await webhook.unsubscribe(self._wire)

    @classmethod
    def challenge(cls, app: AppKeys, *, query: Mapping[str, str]) -> str | None:
        return webhook.challenge(app, query)

    @classmethod
    def verify(cls, app: AppKeys, *, body: bytes, headers: Mapping[str, str]) -> None:
        webhook.verify(app, body=body, headers=headers)

    @classmethod
    def concerns(cls, body: bytes) -> frozenset[str]:
        return webhook.concerns(body)

    @classmethod
    def news(cls, login: Login, *, body: bytes) -> Messages:
        return webhook.news(login, body=body)

    # Measuring

    async def post_samples(self, refs: Sequence[Ref]) -> Mapping[str, Samples]:
        return await measuring.post_samples(self._wire, refs)

    async def account_samples(self) -> Samples:
        return measuring.account_samples_of(await sign_in.me(self._wire))

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
        return await sign_in.finish(
            http, server=server, app=app, redirect_uri=redirect_uri, query=query, secrets=secrets
        )

    async def refresh(self) -> SignedIn:
        return await sign_in.refresh(self._wire)

    async def revoke(self) -> None:
        await sign_in.revoke(self._wire)
