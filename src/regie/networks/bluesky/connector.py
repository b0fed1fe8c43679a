"""Bluesky, in our words. What it promises is ``can``; the work is in the modules beside this one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar
from urllib.parse import urlsplit

import aiohttp

from regie.networks.bluesky import beside, chat, hiding, measuring, publishing, reading, sign_in
from regie.networks.bluesky.sign_in import Addresses
from regie.networks.bluesky.wire import Xrpc
from regie.networks.capabilities import (
    Answering,
    Arrival,
    Capabilities,
    Counting,
    ImageLimit,
    MessageKind,
    Quota,
    Repeatable,
    SignIn,
    TextLimit,
    VideoLimit,
)
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
from regie.networks.taking import must_be_taken

_COST = (("publish", 3), ("like", 3), ("unlike", 1), ("delete", 1))


class Bluesky:
    slug: ClassVar[str] = "bluesky"
    name: ClassVar[str] = "Bluesky"
    default_server: ClassVar[str] = "https://bsky.social"
    addresses: ClassVar[Addresses] = Addresses()
    """Set once at start from ``REGIE_NETWORKS__BLUESKY__PLC_URL``, ``__WEB_URL`` and ``__VIDEO_URL``;
    ``default_server`` from ``__API_URL``."""

    can: ClassVar[Capabilities] = Capabilities(
        text=TextLimit(longest=300, counting=Counting.GRAPHEMES, longest_bytes=3000),
        direct=TextLimit(longest=1000, counting=Counting.GRAPHEMES, longest_bytes=10_000),  # chat.bsky.convo.defs
        repeat=Repeatable(for_=None),  # we choose the record's key
        sign_in=(SignIn.OAUTH, SignIn.APP_PASSWORD),
        images=ImageLimit(
            most=publishing.MOST_IN_GALLERY,
            largest_bytes=1_000_000,  # the lexicon of 2026 says 2 MB, servers of 2025 refuse more than 1 MB
            types=("image/jpeg", "image/png", "image/webp"),
            longest_alt=2000,  # the vendor's own app takes no more; the lexicon sets no limit
        ),
        video=VideoLimit(
            largest_bytes=300_000_000,
            longest=timedelta(minutes=3),
            longest_alt=2000,
            captions=("text/vtt",),
        ),
        options=beside.OPTIONS,
        thread=100,  # the network sets none
        first_comment=True,
        languages=True,
        delete=True,
        reads=frozenset((MessageKind.REPLY, MessageKind.MENTION, MessageKind.DIRECT)),
        answers=frozenset((Answering.REPLY, Answering.LIKE, Answering.DELETE_OWN, Answering.HIDE)),
        arrival=(Arrival.POLL,),
        post_metrics=("likes", "shares", "replies", "quotes"),
        account_metrics=("followers", "following", "posts"),
        quotas=(
            Quota(name="writes of an hour", limit=5000, per=timedelta(hours=1), cost=_COST),
            Quota(name="writes of a day", limit=35_000, per=timedelta(days=1), cost=_COST),
        ),
    )

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self._xrpc = Xrpc(http, login)

    @classmethod
    def id_of(cls, url: str, *, author: str = "") -> str | None:
        """Of ``https://bsky.app/profile/<handle or did>/post/<key>``. A handle is taken for the author's."""
        found = beside.LINK.fullmatch(urlsplit(url).path)
        if found is None:
            return None
        did = found[1] if found[1].startswith("did:") else author
        return f"at://{did}/app.bsky.feed.post/{found[2]}" if did else None

    @classmethod
    def can_on(cls, limits: Json) -> Capabilities:
        """``limits``: whether direct messages are in reach. Servers tell nothing else that differs per account."""
        return cls.can if limits.get("chat", True) else replace(cls.can, reads=cls.can.reads - {MessageKind.DIRECT})

    @classmethod
    def objections(cls, limits: Json, draft: Draft) -> tuple[Refused, ...]:
        return tuple(beside.objections(draft))

    # Publishes, ListsOwn, Finds, FindsComment, Deletes

    async def prepare(self, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
        """Uploads and lookups; done already when ``progress`` holds the record."""
        must_be_taken(outgoing, self.can, network=self.name)
        if (to := outgoing.reply_to) is not None and chat.is_direct(to):
            return await chat.prepare(self._xrpc, outgoing, to, progress)
        if "record" in progress:
            return Ready(progress=progress)
        return await publishing.prepare(self._xrpc, outgoing, progress, video=self.addresses.video)

    async def commit(self, outgoing: Outgoing, progress: Progress) -> Published:
        if (to := outgoing.reply_to) is not None and chat.is_direct(to):
            return await chat.send(self._xrpc, outgoing, to, progress, repeatable=publishing.still_repeatable(outgoing))
        where = self.addresses
        return await publishing.commit(self._xrpc, outgoing, progress, web=where.web, video=where.video)

    async def own_posts(self, *, since: datetime) -> Listing:
        return await reading.own_posts(self._xrpc, since=since, web=self.addresses.web)

    async def fetch(self, remote_id: str) -> Published:
        return await publishing.fetch(self._xrpc, remote_id, web=self.addresses.web)

    async def comment_found(self, outgoing: Outgoing) -> Published | None:
        return await publishing.comment_found(self._xrpc, outgoing, web=self.addresses.web)

    async def delete(self, ref: Ref) -> None:
        if chat.is_direct(ref):
            raise Refused("{network} takes a direct message back from nobody else's screen.", network=self.name)
        await publishing.delete(self._xrpc, ref.remote_id)

    # Converses, Likes

    async def messages(self, *, cursor: str) -> Messages:
        return await reading.messages(self._xrpc, cursor=cursor, web=self.addresses.web)

    async def like(self, ref: Ref) -> Json:
        if chat.is_direct(ref):
            raise Refused("{network} has no likes for direct messages.", network=self.name)
        return await reading.like(self._xrpc, ref)

    async def unlike(self, ref: Ref, liked: Json) -> None:
        await reading.unlike(self._xrpc, ref, liked)

    # Hides

    async def hide(self, ref: Ref) -> None:
        await hiding.hide(self._xrpc, ref, hidden=True)

    async def unhide(self, ref: Ref) -> None:
        await hiding.hide(self._xrpc, ref, hidden=False)

    # Measures

    async def post_samples(self, refs: Sequence[Ref]) -> Mapping[str, Samples]:
        return await measuring.post_samples(self._xrpc, refs)

    async def account_samples(self) -> Samples:
        return await measuring.account_samples(self._xrpc)

    # KnowsItself, SignsInWithSecret, SignsInWithOAuth, Refreshes, Revokes

    async def whoami(self) -> Profile:
        return await sign_in.whoami(self._xrpc, addresses=self.addresses)

    @classmethod
    async def sign_in(cls, http: aiohttp.ClientSession, *, server: str, fields: Mapping[str, str]) -> SignedIn:
        """``fields``: ``handle`` and ``password`` (an app password)."""
        return await sign_in.with_password(
            http,
            server=(server or cls.default_server).rstrip("/"),
            fields=fields,
            addresses=cls.addresses,
            home=cls.default_server,
        )

    @classmethod
    async def register(cls, http: aiohttp.ClientSession, *, server: str, redirect_uri: str, website: str) -> AppKeys:
        return sign_in.register(redirect_uri=redirect_uri, website=website)

    @classmethod
    async def start(
        cls, http: aiohttp.ClientSession, *, server: str, app: AppKeys, redirect_uri: str, hint: str = ""
    ) -> SigningIn:
        return await sign_in.start(
            http,
            server=(server or cls.default_server).rstrip("/"),
            app=app,
            redirect_uri=redirect_uri,
            hint=hint,
            addresses=cls.addresses,
        )

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
            http,
            server=(server or cls.default_server).rstrip("/"),
            app=app,
            redirect_uri=redirect_uri,
            query=query,
            secrets=secrets,
            addresses=cls.addresses,
        )

    async def refresh(self) -> SignedIn:
        if self._xrpc.oauth:
            return await sign_in.refresh_tokens(self._xrpc)
        return await sign_in.refresh_session(self._xrpc, addresses=self.addresses)

    async def revoke(self) -> None:
        if self._xrpc.oauth:
            await sign_in.revoke_tokens(self._xrpc)
        else:
            await sign_in.delete_session(self._xrpc)
