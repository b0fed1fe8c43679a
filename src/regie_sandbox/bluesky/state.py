"""Everything this network knows, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Account:
    did: str
    handle: str
    name: str
    email: str
    password: str
    created_at: datetime
    description: str = ""
    closed: bool = False  # taken down by the network
    password_reads_chat: bool = True  # its app password was made with access to direct messages


@dataclass(slots=True)
class Record:
    uri: str
    cid: str
    value: dict[str, Any]
    indexed_at: datetime
    seq: int
    hidden: bool = False  # by who wrote the first post of its thread


@dataclass(slots=True)
class Reactions:
    """What others did with one post: DID -> uri of their like or repost; uris of answers and quotes."""

    likes: dict[str, str] = field(default_factory=dict)
    reposts: dict[str, str] = field(default_factory=dict)
    replies: list[str] = field(default_factory=list)
    quotes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Notice:
    """``uri``: the record that caused it; ``subject``: the record it is about, if any."""

    uri: str
    reason: str
    subject: str = ""


@dataclass(slots=True)
class Message:
    id: str
    rev: str
    sender: str  # DID
    text: str
    sent_at: datetime


@dataclass(slots=True)
class Convo:
    """A direct conversation. ``rev`` grows with each message."""

    id: str
    rev: str
    members: list[str]  # DIDs
    messages: list[Message] = field(default_factory=list)  # oldest first


@dataclass(slots=True)
class Blob:
    mime: str
    size: int


@dataclass(slots=True)
class Leave:
    """A token for one method of a service, in an account's name."""

    did: str
    aud: str
    method: str
    expires: float


@dataclass(slots=True)
class Job:
    """A video that the video service prepares. ``ready_at``: seconds since 1970."""

    did: str
    cid: str
    ready_at: float
    failed: str = ""


@dataclass(slots=True)
class Upload:
    """A video that comes in parts. ``part``: bytes of each but the last; ``job``: what became of it, once whole."""

    did: str
    size: int
    part: int
    count: int
    until: datetime
    parts: set[int] = field(default_factory=set)  # from 1
    job: str = ""


@dataclass(slots=True)
class Token:
    """``family``: all tokens of one sign-in; ``jkt``: the key it is bound to (OAuth), "" for a bearer token."""

    did: str
    family: str
    expires: float  # seconds since 1970, by the world's clock
    refresh: bool = False
    jkt: str = ""
    scope: str = ""
    client_id: str = ""
    used: bool = False  # a refresh token that was traded already
    successor: tuple[str, str] = ("", "")


@dataclass(slots=True)
class Asked:
    """An authorization request (PAR) on its way through the pages."""

    client_id: str
    redirect_uri: str
    scope: str
    state: str
    challenge: str
    hint: str
    jkt: str
    expires: float
    did: str = ""
    ticket: str = ""
    code: str = ""


@dataclass(slots=True)
class Window:
    """Points used in a rate limit's running window. ``began``: seconds since 1970."""

    began: float
    used: int


@dataclass(slots=True)
class State:
    accounts: dict[str, Account] = field(default_factory=dict)  # by DID
    handles: dict[str, str] = field(default_factory=dict)  # handle -> DID
    records: dict[str, Record] = field(default_factory=dict)  # by at-uri
    keys: dict[str, list[str]] = field(default_factory=dict)  # "did/collection" -> record keys, ascending
    reactions: dict[str, Reactions] = field(default_factory=dict)  # by at-uri of the post
    followers: dict[str, dict[str, str]] = field(default_factory=dict)  # DID -> follower's DID -> uri of the follow
    following: dict[str, int] = field(default_factory=dict)
    notices: dict[str, list[Notice]] = field(default_factory=dict)  # DID -> oldest first
    blobs: dict[str, Blob] = field(default_factory=dict)  # by CID
    tokens: dict[str, Token] = field(default_factory=dict)
    ready: dict[str, tuple[str, str]] = field(default_factory=dict)  # DID -> access and refresh of ready_account
    asked: dict[str, Asked] = field(default_factory=dict)  # by request_uri
    leaves: dict[str, Leave] = field(default_factory=dict)  # by token
    jobs: dict[str, Job] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)  # code -> request_uri
    traded: dict[str, str] = field(default_factory=dict)  # code -> family it was traded for
    windows: dict[str, Window] = field(default_factory=dict)
    convos: dict[str, Convo] = field(default_factory=dict)
    chat_clock: int = 0  # microseconds since 1970 of the last revision
    seq: int = 0
    secret: str = ""

    @property
    def comments(self) -> dict[str, Record]:
        """Answers are posts."""
        return self.records
