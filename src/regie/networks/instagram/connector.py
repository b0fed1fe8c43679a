"""Instagram: professional accounts, through its own login or through Facebook's. What differs is in ``wire.Wire``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

import aiohttp

from regie.networks.capabilities import Capabilities, Choice, Permit
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
from regie.networks.instagram import limits, measuring, publishing, reading, shop, sign_in, webhook
from regie.networks.instagram.wire import NETWORK, Wire
from regie.networks.meta import answering
from regie.networks.meta import sign_in as meta
from regie.networks.meta import webhook as signed
from regie.networks.meta.wire import FACEBOOK, INSTAGRAM
from regie.networks.taking import must_be_taken


class Instagram:
    """An account. ``Login.credentials``: access_token, user_token (where products may be tagged). ``Login.limits``:
    login, username, page_id, missing, products, posts_a_day, posts_today."""

    slug: ClassVar[str] = "instagram"
    name: ClassVar[str] = NETWORK
    can: ClassVar[Capabilities] = limits.CAN
    default_server: ClassVar[str] = INSTAGRAM
    logins: ClassVar[Mapping[str, str]] = {"instagram": INSTAGRAM, "facebook": FACEBOOK}
    permissions: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "instagram": sign_in.BY_INSTAGRAM,
        "facebook": sign_in.BY_FACEBOOK,
    }
    permits: ClassVar[tuple[Permit, ...]] = (
        shop.PERMIT,
        answering.permit("instagram"),
        answering.permit("facebook"),
    )
    webhook_fields: ClassVar[tuple[str, ...]] = tuple(webhook.FIELDS)

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self._wire = Wire(http, login)

    @classmethod
    def can_on(cls, limits_: Json) -> Capabilities:
        return limits.can_on(limits_)

    @classmethod
    def objections(cls, limits_: Json, draft: Draft) -> tuple[Refused, ...]:
        return limits.objections(draft)

    async def search(self, option: str, words: str) -> tuple[Choice, ...]:
        return await shop.search(self._wire, words) if option == "products" else ()

    # Publishing

    async def prepare(self, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
        must_be_taken(outgoing, self.can, network=self.name)
        with shop.speaking(self._wire, outgoing) as wire:
            return await publishing.prepare(wire, outgoing, progress)

    async def commit(self, outgoing: Outgoing, progress: Progress) -> Published | Pending:
        with shop.speaking(self._wire, outgoing) as wire:
            return await publishing.commit(wire, outgoing, progress)

    async def what_became_of(self, outgoing: Outgoing, progress: Progress) -> Published | Pending | None:
        return await publishing.what_became_of(self._wire, outgoing, progress)

    async def comment_found(self, outgoing: Outgoing) -> Published | None:
        assert outgoing.reply_to is not None
        return await publishing.comment_found(self._wire, outgoing, outgoing.reply_to)

    async def fetch(self, remote_id: str) -> Published:
        return await publishing.fetch(self._wire, remote_id)

    async def own_posts(self, *, since: datetime) -> Listing:
        return await publishing.own_posts(self._wire, since=since)

    async def delete(self, ref: Ref) -> None:
        await publishing.delete(self._wire, ref)

    # Reading and answering

    async def messages(self, *, cursor: str) -> Messages:
        return await reading.messages(self._wire, cursor=cursor)

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

    async def refresh(self) -> SignedIn:
        return await sign_in.refresh(self._wire)
