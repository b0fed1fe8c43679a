"""What a connector can honour. It implements the protocols it can, and declares the rest absent.

A connector is made per use: ``Connector(http, login)``. ``http`` is an ``aiohttp.ClientSession`` from the caller
(guarded against inner addresses, no cookies, with time limits); the connector adds the account's token to each request.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Protocol, runtime_checkable

import aiohttp

from regie.networks.capabilities import Capabilities, Choice, Option, Permit
from regie.networks.data import (
    AppKeys,
    Draft,
    Incoming,
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
from regie.networks.errors import Refused


class Connector(Protocol):
    slug: ClassVar[str]
    name: ClassVar[str]  # as people know it: "Mastodon"
    can: ClassVar[Capabilities]  # before any server was asked
    default_server: ClassVar[str]  # "" where a person names the server

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None: ...

    @classmethod
    def can_on(cls, limits: Json) -> Capabilities:
        """The capabilities with what the account's own server said (``Profile.limits``)."""
        ...


@runtime_checkable
class Publishes(Protocol):
    async def prepare(self, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
        """Everything invisible and repeatable: uploads, containers, processing."""
        ...

    async def commit(self, outgoing: Outgoing, progress: Progress) -> Published | Pending:
        """The one visible call."""
        ...


@runtime_checkable
class Chooses(Protocol):
    async def choices(self, option: str, *, chosen: Mapping[str, str]) -> tuple[Choice, ...]:
        """What the account may choose for an option declared ``asked``; ``chosen``: the other options so far."""
        ...


@runtime_checkable
class Searches(Protocol):
    async def search(self, option: str, words: str) -> tuple[Choice, ...]:
        """What the account may choose for an option declared ``searched``, and is called something like ``words``."""
        ...


@runtime_checkable
class Presents(Protocol):
    """Its vendor wants people to see, while they write, in whose name it goes out and what that account may do now."""

    async def poster(self) -> Poster:
        """Asks the network. Raises when it does not say; that it takes nothing now is no error."""
        ...


@runtime_checkable
class Objects(Protocol):
    """It has rules of its own beside the declared limits (how many hashtags, which options exclude each other)."""

    @classmethod
    def objections(cls, limits: Json, draft: Draft) -> tuple[Refused, ...]:
        """Why the network would refuse this part of a post; nothing is asked of it. Empty: no reason known."""
        ...


@runtime_checkable
class Costs(Protocol):
    """The vendor takes money for a call."""

    @classmethod
    def price(cls, draft: Draft) -> Decimal:
        """What publishing this part costs, in US dollars. Source in the connector's NOTES.md."""
        ...


@runtime_checkable
class ListsOwn(Protocol):
    async def own_posts(self, *, since: datetime) -> Listing:
        """The account's posts and replies back to ``since`` (by the network's clock), newest first."""
        ...


@runtime_checkable
class Finds(Protocol):
    async def fetch(self, remote_id: str) -> Published:
        """One of our own posts, by its id. Raises Gone when it is not there."""
        ...


@runtime_checkable
class ReadsLinks(Protocol):
    @classmethod
    def id_of(cls, url: str, *, author: str = "") -> str | None:
        """The remote id of a post from the address that a person copied; None when the address does not tell.

        ``author``: the remote id of the account that published it, for addresses that name people another way.
        """
        ...


@runtime_checkable
class KnowsStatus(Protocol):
    """For ``AskStatus``: an id that was saved in the progress can be asked what became of it."""

    async def what_became_of(self, outgoing: Outgoing, progress: Progress) -> Published | Pending | None:
        """Published; Pending while the network works on it; None when it never happened, and never will."""
        ...


@runtime_checkable
class FindsComment(Protocol):
    """A first comment can be looked for where posts are listed without their comments. Otherwise a person is asked."""

    async def comment_found(self, outgoing: Outgoing) -> Published | None:
        """Our comment under ``outgoing.reply_to`` whose answer was lost; None: it is not there and will not be.

        Raises TryLater while it may still be under way, Unclear when only a person can tell. See ``finding``.
        """
        ...


@runtime_checkable
class Deletes(Protocol):
    async def delete(self, ref: Ref) -> None:
        """Take one of our posts away. Already gone counts as done."""
        ...


@runtime_checkable
class Edits(Protocol):
    async def edit(self, ref: Ref, outgoing: Outgoing, progress: Progress) -> Published:
        """Make a post of ours say what ``outgoing`` says; ``progress``: as when it was published.

        The same again changes nothing. Where the network gives it a new id, that is the answer's.
        """
        ...


@runtime_checkable
class Converses(Protocol):
    async def messages(self, *, cursor: str) -> Messages:
        """What was said since ``cursor`` ("": from now back as far as one page). Reading twice gives the same."""
        ...


@runtime_checkable
class Streams(Protocol):
    def stream(self) -> AsyncIterator[None]:
        """Yields whenever there may be something new for ``messages``; ends when the connection does."""
        ...


@runtime_checkable
class LongPolls(Protocol):
    async def next_messages(self, *, cursor: str, seconds: int) -> Messages:
        """As ``messages``, but when there is nothing new the network holds the answer back for up to ``seconds``."""
        ...


@runtime_checkable
class SharesQuota(Protocol):
    """Some of what it may do is counted for several accounts together: its quotas with ``shared``."""

    def quota_key(self) -> str:
        """The same for all accounts that are counted together, and for no other; holds no secret."""
        ...


@runtime_checkable
class SharesInbox(Protocol):
    """One queue of messages at the network serves several accounts (all channels of one Telegram bot).

    The caller keeps one cursor and one reader per ``inbox_key``, through any one of the accounts that share it, and
    gives each message to the accounts for which ``is_for`` says yes. Reading per account would lose messages.
    """

    @classmethod
    def inbox_key(cls, login: Login) -> str:
        """The same for all accounts that share a queue; holds no secret."""
        ...

    @classmethod
    def is_for(cls, login: Login, incoming: Incoming) -> bool: ...


@runtime_checkable
class Completes(Protocol):
    """A delivery to our address does not tell everything that ``is_for`` looks at: the rest is asked for."""

    async def completed(self, news: Messages) -> Messages:
        """The same with what was left out; without a call when that is nothing."""
        ...


@runtime_checkable
class ReceivesWebhooks(Protocol):
    """The network brings messages to an address of ours."""

    async def set_webhook(self, *, url: str, secret: str) -> None: ...

    async def delete_webhook(self) -> None: ...

    @classmethod
    def received(cls, login: Login, *, body: bytes, headers: Mapping[str, str], secret: str) -> Messages:
        """What one delivery says. ``body`` as it came, before any parsing; Raises Refused when it is not signed right.

        The same delivery may come twice: ``Incoming.remote_id`` says so.
        """
        ...


class ConfirmsAddress(Protocol):
    """Its vendor asks each address of ours for a word before it brings anything there, and wants one back for each
    delivery: ``thanks``."""

    thanks: ClassVar[str]

    @classmethod
    def confirmation(cls, *, body: bytes, query: Mapping[str, str]) -> str | None:
        """The word, when that is what came; it is taken from the address as ``set_webhook`` told it."""
        ...


@runtime_checkable
class ReceivesForApp(Protocol):
    """The network brings the news of all accounts of our app to one address, which a person enters at the vendor.

    A connector may name ``webhook_fields``: what the person has to subscribe to beside the address.
    """

    async def subscribe(self) -> None:
        """Ask for this account's news; asking again changes nothing."""
        ...

    async def unsubscribe(self) -> None: ...

    @classmethod
    def verify(cls, app: AppKeys, *, body: bytes, headers: Mapping[str, str]) -> None:
        """``body`` as it came, before any parsing. Raises Refused when it is not signed with our app's secret."""
        ...

    @classmethod
    def concerns(cls, body: bytes) -> frozenset[str]:
        """The remote ids of the accounts that a delivery is about. Raises Refused when it is none of the vendor's."""
        ...

    @classmethod
    def news(cls, login: Login, *, body: bytes) -> Messages:
        """What a delivery says to this account. The same may come twice: ``Incoming.remote_id`` says so."""
        ...


@runtime_checkable
class AnswersChallenges(Protocol):
    """Its vendor looks whether an address is ours by asking for what only our app's secret can make."""

    @classmethod
    def challenge(cls, app: AppKeys, *, query: Mapping[str, str]) -> str | None:
        """The answer, JSON; None when it did not ask that."""
        ...


@runtime_checkable
class EntersWebhook(Protocol):
    """Beside ``ReceivesForApp``: its vendor has no form for our address, so we tell it ourselves."""

    @classmethod
    def has_webhook_keys(cls, app: AppKeys) -> bool:
        """Whether the keys that the operator entered are enough for that; without them we only ask for news."""
        ...

    async def enter_webhook(self, *, url: str) -> None:
        """Tell it, before ``subscribe``; telling it again changes nothing."""
        ...


class ForgetsWebhook(Protocol):
    """What it was told of our address it forgets after ``webhook_lasts``, unless it is told again."""

    webhook_lasts: ClassVar[timedelta]


@runtime_checkable
class Likes(Protocol):
    async def like(self, ref: Ref) -> Json:
        """Like it; returns what ``unlike`` needs."""
        ...

    async def unlike(self, ref: Ref, liked: Json) -> None: ...


@runtime_checkable
class Hides(Protocol):
    """Doing either again changes nothing."""

    async def hide(self, ref: Ref) -> None:
        """Only its author, and those near to them, still see a hidden comment."""
        ...

    async def unhide(self, ref: Ref) -> None: ...


@runtime_checkable
class Measures(Protocol):
    async def post_samples(self, refs: Sequence[Ref]) -> Mapping[str, Samples]:
        """Remote id -> samples. A post that is gone is left out."""
        ...

    async def account_samples(self) -> Samples: ...


@runtime_checkable
class KnowsItself(Protocol):
    async def whoami(self) -> Profile:
        """The account behind the token, and its server's limits: also the health check."""
        ...


@runtime_checkable
class SignsInWithOAuth(Protocol):
    @classmethod
    async def register(cls, http: aiohttp.ClientSession, *, server: str, redirect_uri: str, website: str) -> AppKeys:
        """Registers us where registration is open (Mastodon), or derives the keys (Bluesky's client metadata)."""
        ...

    @classmethod
    async def start(
        cls, http: aiohttp.ClientSession, *, server: str, app: AppKeys, redirect_uri: str, hint: str = ""
    ) -> SigningIn: ...

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
        """Trades what the vendor's page sent back (``query``) for tokens. State was checked by the caller."""
        ...


class NeedsApp(Protocol):
    """Its vendor registers nobody by itself: the operator makes an app there, once, and enters its keys.

    ``logins``: each way to sign in there by a word, with the API's address that goes with it; the first is the
    usual one. One server that stands in for all of a vendor's has the first at its address, the others below it, each
    under its word.
    ``permissions``: what each login asks the person for, by the same words; the app has to be allowed to ask for it.
    """

    logins: ClassVar[Mapping[str, str]]
    permissions: ClassVar[Mapping[str, tuple[str, ...]]]


class AsksMoreKeys(Protocol):
    """Its vendor gives an app more than a client id and a secret: they are entered beside those, and none is required.

    ``more_keys``: by their names in ``AppKeys.extra``; a name that ends in "secret" is shown to nobody.
    """

    more_keys: ClassVar[tuple[Option, ...]]


class AsksMorePermissions(Protocol):
    """Some of what it can do takes permissions that its vendor reviews by themselves, so that asking everybody for them
    would fail the review of those who have no use for it: the sign-in asks where ``AppKeys.extra`` says so.

    ``permits``: what the operator may switch on for an app, in the order in which people see it.
    """

    permits: ClassVar[tuple[Permit, ...]]


@runtime_checkable
class SignsInWithSecret(Protocol):
    @classmethod
    async def sign_in(cls, http: aiohttp.ClientSession, *, server: str, fields: Mapping[str, str]) -> SignedIn:
        """Signs in with what a person typed: handle and app password, or bot token and channel."""
        ...


@runtime_checkable
class Refreshes(Protocol):
    async def refresh(self) -> SignedIn:
        """Trades the refresh token for a fresh pair. The old one is dead afterwards where the vendor rotates."""
        ...


@runtime_checkable
class Revokes(Protocol):
    async def revoke(self) -> None: ...
