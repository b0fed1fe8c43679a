"""LinkedIn: Pages of organizations, and members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from urllib.parse import unquote, urlsplit

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
from regie.networks.linkedin import limits, measuring, publishing, reading, sign_in, webhook
from regie.networks.linkedin.wire import API, NETWORK, SHARE, VERSION, Wire, counted_apart
from regie.networks.taking import must_be_taken


class LinkedIn:
    """A Page, or a member. ``Login.remote_id``: its urn. ``Login.credentials``: access_token, and refresh_token for
    approved partners. ``Login.limits``: kind (page, profile), scopes, missing, of a Page also the member who signed in.

    version:     of LinkedIn's API, a month; each dies about a year later, so the operator can enter a newer one
    application: our app's number at LinkedIn, which its webhooks are asked for with
    webhook:     our address for them
    """

    slug: ClassVar[str] = "linkedin"
    name: ClassVar[str] = NETWORK
    can: ClassVar[Capabilities] = limits.CAN
    default_server: ClassVar[str] = API
    logins: ClassVar[Mapping[str, str]] = {"pages": API, "profile": SHARE}
    permissions: ClassVar[Mapping[str, tuple[str, ...]]] = {"pages": sign_in.MANAGING, "profile": sign_in.SHARING}
    version: ClassVar[str] = VERSION
    application: ClassVar[str] = ""
    webhook: ClassVar[str] = ""

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self._wire = Wire(http, login, version=self.version)

    @classmethod
    def can_on(cls, limits_: Json) -> Capabilities:
        return limits.can_on(limits_)

    @classmethod
    def objections(cls, limits_: Json, draft: Draft) -> tuple[Refused, ...]:
        return tuple(publishing.objections(limits_, draft))

    # Publishing

    async def prepare(self, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
        must_be_taken(outgoing, self.can, network=self.name)
        return await publishing.prepare(self._wire, outgoing, progress)

    async def commit(self, outgoing: Outgoing, progress: Progress) -> Published | Pending:
        return await publishing.commit(self._wire, outgoing, progress)

    async def comment_found(self, outgoing: Outgoing) -> Published | None:
        assert outgoing.reply_to is not None
        return await publishing.comment_found(self._wire, outgoing, outgoing.reply_to)

    async def fetch(self, remote_id: str) -> Published:
        return await publishing.fetch(self._wire, remote_id)

    async def own_posts(self, *, since: datetime) -> Listing:
        return await publishing.own_posts(self._wire, since=since)

    async def edit(self, ref: Ref, outgoing: Outgoing, progress: Progress) -> Published:
        return await publishing.edit(self._wire, ref, outgoing)

    async def delete(self, ref: Ref) -> None:
        await publishing.delete(self._wire, ref)

    @classmethod
    def id_of(cls, url: str, *, author: str = "") -> str | None:
        """``.../feed/update/urn:li:share:1/``. The address of an activity does not tell the post's own urn."""
        parts = urlsplit(url)
        place = unquote(parts.path).strip("/").rpartition("/")[2]
        is_theirs = (parts.hostname or "").removeprefix("www.") == "linkedin.com"
        return place if is_theirs and place.startswith(("urn:li:share:", "urn:li:ugcPost:")) else None

    # Reading and answering

    async def messages(self, *, cursor: str) -> Messages:
        with counted_apart():
            return await reading.messages(self._wire, cursor=cursor)

    async def like(self, ref: Ref) -> Json:
        await publishing.like(self._wire, ref)
        return {}

    async def unlike(self, ref: Ref, liked: Json) -> None:
        await publishing.unlike(self._wire, ref)

    async def subscribe(self) -> None:
        await webhook.subscribe(self._wire, application=self.application, webhook=self.webhook)

    async def unsubscribe(self) -> None:
        await webhook.unsubscribe(self._wire, application=self.application)

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
        with counted_apart():
            return await measuring.post_samples(self._wire, refs)

    async def account_samples(self) -> Samples:
        with counted_apart():
            return await measuring.account_samples(self._wire)

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
            http, server=server, app=app, redirect_uri=redirect_uri, query=query, version=cls.version
        )

    async def refresh(self) -> SignedIn:
        return await sign_in.refresh(self._wire.http, self._wire.login)
