"""Plain data in and out of every connector."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from regie.networks.capabilities import Format, MessageKind, Permit
from regie.networks.line import Answer

Json = Mapping[str, Any]
SKEW = timedelta(seconds=2)  # between a network's clock and ours, and its whole seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a connector needs to speak for one account. ``repr`` never shows a secret.

    server:      base address of the API this account lives on, without a trailing slash
    remote_id:   the account's id on its network ("" before it is known)
    credentials: tokens and keys, as ``SignsIn`` returned them
    app:         our registration at the vendor, for networks that need one
    limits:      what the server said of its limits when last asked (``Profile.limits``)
    """

    server: str
    remote_id: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    app: AppKeys | None = None
    limits: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppKeys:
    """Our registration at a vendor or on an instance."""

    client_id: str
    client_secret: str = field(default="", repr=False)
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)

    def more_scopes(self, permits: Iterable[Permit]) -> tuple[str, ...]:
        """The permissions of those that the operator switched on for this app."""
        return tuple(scope for one in permits if self.extra.get(one.name) for scope in one.permissions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A still picture already within the network's limits. ``focus`` in -1..1, centre (0, 0), y up.

    public_url: where the network can fetch it for a while, for networks that fetch by themselves; it changes at each
                attempt
    place:      where it stands among the pictures and videos of its post
    """

    path: Path
    content_type: str
    width: int
    height: int
    size: int
    alt: str = ""
    focus: tuple[float, float] | None = None
    public_url: str = ""
    place: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """A video already within the network's limits. ``cover_at``: seconds from its beginning to the picture that
    stands for it (None: the network chooses); ``public_url`` and ``place`` as of a picture."""

    path: Path
    content_type: str
    width: int
    height: int
    size: int
    seconds: float
    alt: str = ""
    cover_at: float | None = None
    public_url: str = ""
    place: int = 0
    cover: Picture | None = None
    captions: Captions | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Captions:
    """Subtitles of a video, in one language ("fr")."""

    path: Path
    content_type: str
    size: int
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file that the reader opens. ``name`` with its ending, ``title`` as people read it; ``public_url`` and ``place``
    as of a picture."""

    path: Path
    content_type: str
    size: int
    name: str
    title: str = ""
    pages: int | None = None
    public_url: str = ""
    place: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A piece of music or an episode. ``public_url`` and ``place`` as of a picture."""

    path: Path
    content_type: str
    size: int
    seconds: float
    name: str
    title: str = ""
    public_url: str = ""
    place: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    options: tuple[str, ...]
    lasts: timedelta | None = None
    multiple: bool = False
    hide_totals: bool = False
    question: str = ""  # for networks where the question is not the text
    correct: int | None = None  # the number of the right answer, from 0: it is a quiz
    explanation: str = ""  # of a quiz


Options = Mapping[str, str | bool | tuple[str, ...]]
"""What a post says beside its text, by the name of the ``Option``. What was not chosen is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """A post on the network that another one answers. ``root`` is the first of the thread; ``extra`` as the
    connector returned it in ``Published.extra`` or ``Incoming.extra`` (Bluesky's cid, Telegram's chat)."""

    remote_id: str
    root_id: str = ""
    extra: Json = field(default_factory=dict)
    root_extra: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One step to publish: the post, a part of its thread, or an answer to a message.

    key:        ours, the same at each attempt of this step
    planned_at: UTC, the same at each attempt: what a client-chosen creation time is made from
    repeat_until: UTC; until then, this account's network treats a repeat as the same post. None: never safe
    again:      an earlier attempt may have been done: whoever can ask what became of it asks first
    tried_until: UTC; no earlier attempt is under way after it. None: there was none, or nobody asks
    theirs:     when ``again``, on networks that are asked: ids of other lately published posts of ours on the account
    """

    key: str
    text: str
    planned_at: datetime
    pictures: tuple[Picture, ...] = ()
    videos: tuple[Video, ...] = ()
    documents: tuple[Document, ...] = ()
    sounds: tuple[Sound, ...] = ()
    options: Options = field(default_factory=dict)
    format: Format = Format.POST
    content_warning: str = ""
    sensitive: bool = False
    poll: Poll | None = None
    language: str = ""
    visibility: str = ""
    reply_to: Ref | None = None
    comment: bool = False  # the first comment under ``reply_to``, and no further part of its thread
    repeat_until: datetime | None = None
    again: bool = False
    tried_until: datetime | None = None
    theirs: frozenset[str] = frozenset()

    @property
    def media(self) -> tuple[Picture | Video, ...]:
        """Pictures and videos in the order in which they are shown."""
        return tuple(sorted((*self.pictures, *self.videos), key=lambda one: one.place))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A part of a post before it is sent, for what a connector says of it by itself: ``Objects``, ``Costs``."""

    text: str
    format: Format = Format.POST
    options: Options = field(default_factory=dict)
    pictures: int = 0
    videos: int = 0
    documents: int = 0
    sounds: int = 0
    poll: bool = False
    part: int = 0  # its place in the thread
    covers: int = 0  # chosen for its videos; a sound that goes out as a video shows its own all the time


Progress = Mapping[str, Any]
"""What ``prepare`` and ``commit`` have achieved so far: JSON, saved by the engine, given back at the next call."""


NOT_PUBLIC = "The public does not see it there."


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """It is out. ``remote_id`` is the receipt; ``url`` where anyone can see it ("" where there is none).

    limited: why the network took it without showing it to the public, a sentence of ``errors`` kind ("" when it is
             public): an app before its review, a video set to private. It is never shown as published. From ``fetch``,
             which may not know why, NOT_PUBLIC stands for the reason that was told when it went out.
    """

    remote_id: str
    url: str = ""
    at: datetime | None = None  # by the network's clock, when it says so
    extra: Json = field(default_factory=dict)
    answer: Answer | None = None
    limited: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Everything invisible is done; ``commit`` may be called with this progress."""

    progress: Progress = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """The network is working on it: save ``progress`` and call again at ``not_before``."""

    progress: Progress
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A post found on the account, for reconciliation. ``text`` is plain text, as near as can be to what was sent.

    options: what it says beside its text by the options' names, where that tells two posts apart (a title)
    """

    remote_id: str
    url: str
    text: str
    media: int
    created_at: datetime  # by the network's clock
    reply_to_id: str = ""
    options: Options = field(default_factory=dict)
    extra: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The account's posts, newest first. ``reaches_back_to``: nothing newer than this moment is missing.

    network_now: the network's clock when it answered, to compare with our own.
    """

    seen: tuple[Seen, ...]
    reaches_back_to: datetime
    network_now: datetime | None = None

    def first(self, outgoing: Outgoing, is_it: Callable[[Seen], bool]) -> Published | None:
        """The post that ``outgoing`` became: the first made since it was planned, that is no other post of ours.

        For networks that tell that it is out, and not as which post. Of twins each takes its own, oldest first.
        """
        ours = (one for one in self.seen if one.remote_id not in outgoing.theirs and is_it(one))
        one = min(ours, key=lambda one: (one.created_at < outgoing.planned_at - SKEW, one.created_at), default=None)
        if one is None:
            return None
        return Published(remote_id=one.remote_id, url=one.url, at=one.created_at, extra=one.extra)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who said something. ``avatar_url`` is fetched by us through the guarded fetcher, never by the browser."""

    remote_id: str
    name: str
    handle: str
    url: str = ""
    avatar_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One thing someone said to or about us."""

    remote_id: str
    kind: MessageKind
    by: Person
    text: str  # plain text
    said_at: datetime
    url: str = ""
    conversation_id: str = ""  # messages that belong together share it: the root post, or the direct chat
    reply_to_id: str = ""  # the message or post directly answered
    post_id: str = ""  # our post it belongs under, when the network says so
    pictures: tuple[str, ...] = ()
    likes: int | None = None
    liked_by_us: bool | None = None
    hidden: bool | None = None  # from the public, as long as nobody shows it; None: the network does not say
    answer_until: datetime | None = None
    extra: Json = field(default_factory=dict)


Samples = Mapping[str, int | None]
"""Metric name -> number. None: the network did not say. 0: the network said zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """Messages since a cursor, oldest first. ``cursor`` is given back at the next call; ``more``: ask again at once.

    gone: remote ids of messages that their authors took back, and of posts of ours that are no longer there.
    shown: remote ids of posts of ours that the public sees from now on, whatever ``Published.limited`` had said.
    samples: remote id of a post -> what the network said of it, for networks that tell numbers as news and cannot be
             asked for them (Telegram's reactions). The caller stores those of its own posts and passes over the rest.
    """

    messages: tuple[Incoming, ...]
    cursor: str
    more: bool = False
    gone: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    samples: Mapping[str, Samples] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Poster:
    """In whose name a post will go out, as the network says now.

    name, handle: "" where it does not say
    problem:      why nothing can be posted at this moment, a sentence in English with {names} of ``facts``; "": it can
    limits:       what it said of ``Profile.limits`` on this occasion
    """

    name: str = ""
    handle: str = ""
    problem: str = ""
    facts: Json = field(default_factory=dict)
    limits: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """An account that a sign-in gives access to. ``credentials``: its own, beside those of the sign-in (a Page's)."""

    remote_id: str
    name: str
    handle: str
    server: str  # base address of its API
    url: str = ""
    avatar_url: str = ""
    kind: str = "profile"  # profile, page, channel, group
    limits: Json = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """The fruit of a sign-in: seal ``credentials``, offer the ``profiles``."""

    credentials: Mapping[str, str] = field(repr=False)
    profiles: tuple[Profile, ...] = ()
    expires_at: datetime | None = None
    reconnect_by: datetime | None = None  # when the means of renewing end too: then only a person can sign in again
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningIn:
    """A sign-in under way: send the browser to ``url``, keep ``state`` and ``secrets`` (sealed) until it comes back."""

    url: str
    state: str
    secrets: Mapping[str, str] = field(repr=False)
