"""VK: a community's wall, stories, comments and messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

import aiohttp

from regie.networks.capabilities import Capabilities
from regie.networks.data import (
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
)
from regie.networks.errors import Refused
from regie.networks.vk import limits, measuring, publishing, reading, sign_in, webhook
from regie.networks.vk.wire import DEFAULT_SERVER, NETWORK, Wire


class Vk:
    """A community. ``Login.credentials``: community_key, and admin_key where there is one. ``Login.limits``: admin,
    username, missing."""

    slug: ClassVar[str] = "vk"
    name: ClassVar[str] = NETWORK
    can: ClassVar[Capabilities] = limits.CAN
    default_server: ClassVar[str] = DEFAULT_SERVER
    thanks: ClassVar[str] = webhook.THANKS

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self._wire = Wire(http, login)

    @classmethod
    def can_on(cls, limits_: Json) -> Capabilities:
        return limits.can_on(limits_)

    @classmethod
    def objections(cls, limits_: Json, draft: Draft) -> tuple[Refused, ...]:
        return tuple(limits.objections(draft))

    # Publishing

    async def prepare(self, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
        return await publishing.prepare(self._wire, outgoing, progress)

    async def commit(self, outgoing: Outgoing, progress: Progress) -> Published | Pending:
        return await publishing.commit(self._wire, outgoing, progress)

    async def comment_found(self, outgoing: Outgoing) -> Published | None:
        assert outgoing.reply_to is not None
        return await reading.comment_found(self._wire, outgoing, outgoing.reply_to)

    async def own_posts(self, *, since: datetime) -> Listing:
        return await publishing.own_posts(self._wire, since=since)

    async def fetch(self, remote_id: str) -> Published:
        return await publishing.fetch(self._wire, remote_id)

    @classmethod
    def id_of(cls, url: str, *, author: str = "") -> str | None:
        return publishing.id_of(url)

    async def edit(self, ref: Ref, outgoing: Outgoing, progress: Progress) -> Published:
        return await publishing.edit(self._wire, ref, outgoing, progress)

    async def delete(self, ref: Ref) -> None:
        await publishing.delete(self._wire, ref)

    # Reading and answering

    async def messages(self, *, cursor: str) -> Messages:
        return await reading.messages(self._wire, cursor=cursor)

    async def next_messages(self, *, cursor: str, seconds: int) -> Messages:
        return await reading.next_messages(self._wire, cursor=cursor, seconds=seconds)

    async def set_webhook(self, *, url: str, secret: str) -> None:
        await webhook.set_webhook(self._wire, url=url, secret=secret)

    async def delete_webhook(self) -> None:
        await webhook.delete_webhook(self._wire)

    @classmethod
    def confirmation(cls, *, body: bytes, query: Mapping[str, str]) -> str | None:
        return webhook.confirmation(body=body, query=query)

    @classmethod
    def received(cls, login: Login, *, body: bytes, headers: Mapping[str, str], secret: str) -> Messages:
        return webhook.received(login, body=body, secret=secret)

    async def completed(self, news: Messages) -> Messages:
        return await webhook.completed(self._wire, news)

    async def like(self, ref: Ref) -> Json:
        return await publishing.like(self._wire, ref, liked=True)

    async def unlike(self, ref: Ref, liked: Json) -> None:
        await publishing.like(self._wire, ref, liked=False)

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
    async def sign_in(cls, http: aiohttp.ClientSession, *, server: str, fields: Mapping[str, str]) -> SignedIn:
        return await sign_in.sign_in(http, server=server, fields=fields)
