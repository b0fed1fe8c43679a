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


@dataclass(slots=True)
class Record:
    uri: str
    cid: str
    value: dict[str, Any]
    indexed_at: datetime
    seq: int


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
    codes: dict[str, str] = field(default_factory=dict)  # code -> request_uri
    traded: dict[str, str] = field(default_factory=dict)  # code -> family it was traded for
    windows: dict[str, Window] = field(default_factory=dict)
    seq: int = 0
    secret: str = ""
