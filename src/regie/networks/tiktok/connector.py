"""TikTok: through its open API, or through that for business accounts, which has comments: see ``business``."""

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
    Poster,
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
from regie.networks.taking import must_be_taken
from regie.networks.tiktok import answering, business, limits, measuring, publishing, reading, sign_in, webhook
from regie.networks.tiktok.wire import BUSINESS, NETWORK, OPEN, Wire


class TikTok:
    """An account. ``Login.credentials``: access_token, refresh_token. ``Login.limits``: login, scopes, missing,
    username, privacy, switched_off, longest_video, unique_identifier (ours, beneath comments)."""

    slug: ClassVar[str] = "tiktok"
    name: ClassVar[str] = NETWORK
    can: ClassVar[Capabilities] = limits.CAN
    default_server: ClassVar[str] = OPEN
    logins: ClassVar[Mapping[str, str]] = {"tiktok": OPEN, "business": BUSINESS}
    permissions: ClassVar[Mapping[str, tuple[str, ...]]] = {"tiktok": sign_in.SCOPES, "business": sign_in.BY_BUSINESS}

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self._wire = Wire(http, login)

    @classmethod
    def can_on(cls, limits_: Json) -> Capabilities:
        return limits.can_on(limits_)

    @classmethod
    def objections(cls, limits_: Json, draft: Draft) -> tuple[Refused, ...]:
        return limits.objections(limits_, draft)

    async def poster(self) -> Poster:
        return await sign_in.poster(self._wire)

    # Publishing

    async def prepare(self, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
        must_be_taken(outgoing, self.can, network=self.name)
        return await publishing.prepare(self._wire, outgoing, progress)

    async def commit(self, outgoing: Outgoing, progress: Progress) -> Published | Pending:
        return await publishing.commit(self._wire, outgoing, progress)

    async def what_became_of(self, outgoing: Outgoing, progress: Progress) -> Published | Pending | None:
        return await publishing.what_became_of(self._wire, outgoing, progress)

    async def comment_found(self, outgoing: Outgoing) -> Published | None:
        """With the login for business accounts; the other writes none."""
        assert outgoing.reply_to is not None
        return await answering.found(self._wire, outgoing, outgoing.reply_to)

    async def fetch(self, remote_id: str) -> Published:
        return await publishing.fetch(self._wire, remote_id)

    async def own_posts(self, *, since: datetime) -> Listing:
        return await publishing.own_posts(self._wire, since=since)

    @classmethod
    def id_of(cls, url: str, *, author: str = "") -> str | None:
        return publishing.id_of(url)

    async def delete(self, ref: Ref) -> None:
        """A comment of ours; posts cannot be deleted through either API."""
        answering.must_be_allowed(self._wire)
        if ref.extra.get("kind") != "comment":
            raise Refused("{network} lets an app delete no posts.", network=NETWORK)
        await business.delete(self._wire, ref)

    # Reading and answering

    async def messages(self, *, cursor: str) -> Messages:
        return await reading.messages(self._wire, cursor=cursor)

    async def like(self, ref: Ref) -> Json:
        answering.must_be_allowed(self._wire)
        await business.like(self._wire, ref, liked=True)
        return {}

    async def unlike(self, ref: Ref, liked: Json) -> None:
        answering.must_be_allowed(self._wire)
        await business.like(self._wire, ref, liked=False)

    async def hide(self, ref: Ref) -> None:
        answering.must_be_allowed(self._wire)
        await business.hide(self._wire, ref, hidden=True)

    async def unhide(self, ref: Ref) -> None:
        answering.must_be_allowed(self._wire)
        await business.hide(self._wire, ref, hidden=False)

    # News

    @classmethod
    def has_webhook_keys(cls, app: AppKeys) -> bool:
        return bool(app.client_secret)

    async def enter_webhook(self, *, url: str) -> None:
        """The open API's address is entered in TikTok's developer portal."""
        if self._wire.business:
            await business.enter_webhook(self._wire, url)

    async def subscribe(self) -> None:
        """TikTok tells of every account that gave the permissions."""

    async def unsubscribe(self) -> None:
        """It ends with the permissions."""

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
