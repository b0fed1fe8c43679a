"""YouTube: a channel, through the Data API v3 and YouTube Analytics v2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

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
from regie.networks.google import no_app
from regie.networks.youtube import comments, limits, measuring, publishing, push, reading, sign_in
from regie.networks.youtube.wire import API, NETWORK, Wire


class YouTube:
    """A channel. ``Login.credentials``: access_token, refresh_token. ``Login.limits``: missing, uploads, long_uploads,
    region."""

    slug: ClassVar[str] = "youtube"
    name: ClassVar[str] = NETWORK
    can: ClassVar[Capabilities] = limits.CAN
    default_server: ClassVar[str] = API
    logins: ClassVar[Mapping[str, str]] = {"google": API}
    permissions: ClassVar[Mapping[str, tuple[str, ...]]] = {"google": sign_in.ASKED}
    webhook_lasts: ClassVar[timedelta] = push.LASTS

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self._wire = Wire(http, login)
        self._webhook = ""

    @classmethod
    def can_on(cls, limits_: Json) -> Capabilities:
        return limits.can_on(limits_)

    # Publishing

    @classmethod
    def objections(cls, limits_: Json, draft: Draft) -> tuple[Refused, ...]:
        return limits.objections(limits_, draft)

    async def choices(self, option: str, *, chosen: Mapping[str, str]) -> tuple[Choice, ...]:
        return await publishing.choices(self._wire, option)

    async def prepare(self, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
        return await publishing.prepare(self._wire, outgoing, progress)

    async def commit(self, outgoing: Outgoing, progress: Progress) -> Published | Pending:
        return await publishing.commit(self._wire, outgoing, progress)

    async def what_became_of(self, outgoing: Outgoing, progress: Progress) -> Published | Pending | None:
        return await publishing.what_became_of(self._wire, outgoing, progress)

    async def comment_found(self, outgoing: Outgoing) -> Published | None:
        assert outgoing.reply_to is not None
        return await comments.found(self._wire, outgoing, outgoing.reply_to)

    async def own_posts(self, *, since: datetime) -> Listing:
        return await publishing.own_posts(self._wire, since=since)

    async def fetch(self, remote_id: str) -> Published:
        return await publishing.fetch(self._wire, remote_id)

    @classmethod
    def id_of(cls, url: str, *, author: str = "") -> str | None:
        return publishing.id_of(url)

    async def edit(self, ref: Ref, outgoing: Outgoing, progress: Progress) -> Published:
        if ref.extra.get("kind") == "comment":
            return await comments.edit(self._wire, ref, outgoing.text)
        return await publishing.edit(self._wire, ref, outgoing, progress)

    async def delete(self, ref: Ref) -> None:
        if ref.extra.get("kind") == "comment":
            await comments.delete(self._wire, ref)
        else:
            await publishing.delete(self._wire, ref)

    # Reading and answering

    async def messages(self, *, cursor: str) -> Messages:
        return await reading.messages(self._wire, cursor=cursor)

    async def hide(self, ref: Ref) -> None:
        await comments.moderate(self._wire, ref, status=comments.HELD)

    async def unhide(self, ref: Ref) -> None:
        await comments.moderate(self._wire, ref, status=comments.SHOWN)

    @classmethod
    def has_webhook_keys(cls, app: AppKeys) -> bool:
        return bool(app.client_secret)

    async def enter_webhook(self, *, url: str) -> None:
        self._webhook = url

    async def subscribe(self) -> None:
        await push.ask_hub(self._wire, mode="subscribe", url=self._webhook)

    async def unsubscribe(self) -> None:
        """Where we no longer have an address, the hub forgets the old one by itself."""
        await push.ask_hub(self._wire, mode="unsubscribe", url=self._webhook)

    @classmethod
    def challenge(cls, app: AppKeys, *, query: Mapping[str, str]) -> str | None:
        return push.challenge(app, query=query)

    @classmethod
    def verify(cls, app: AppKeys, *, body: bytes, headers: Mapping[str, str]) -> None:
        push.verify(app, body=body, headers=headers)

    @classmethod
    def concerns(cls, body: bytes) -> frozenset[str]:
        return push.concerns(body)

    @classmethod
    def news(cls, login: Login, *, body: bytes) -> Messages:
        return push.news(login, body=body)

    # Measuring

    async def post_samples(self, refs: Sequence[Ref]) -> Mapping[str, Samples]:
        return await measuring.post_samples(self._wire, refs)

    async def account_samples(self) -> Samples:
        return await measuring.account_samples(self._wire, await sign_in.me(self._wire))

    def quota_key(self) -> str:
        """Google counts by app: all channels that it was connected with together."""
        app = self._wire.login.app
        return f"youtube:{app.client_id if app is not None else self._wire.channel}"

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
        return sign_in.start(server, app=app, redirect_uri=redirect_uri, hint=hint)

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
