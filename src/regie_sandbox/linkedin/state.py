"""What LinkedIn's sandbox remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class App:
    """``number`` is what webhooks are asked for with; ``partner``: it gets refresh tokens."""

    id: str
    secret: str
    number: str
    name: str
    scopes: list[str]
    redirect_uris: list[str] = field(default_factory=list)
    partner: bool = False


@dataclass
class Code:
    member: str
    app: str
    redirect_uri: str
    scopes: list[str]
    until: datetime


@dataclass
class Token:
    member: str
    app: str
    scopes: list[str]
    until: datetime
    ended: str = ""  # the vendor's code once it is dead before its time


@dataclass
class Member:
    urn: str
    first: str
    last: str
    vanity: str
    followers: set[str] = field(default_factory=set)


@dataclass
class Page:
    """``roles``: member urn -> role."""

    urn: str
    name: str
    vanity: str
    roles: dict[str, str] = field(default_factory=dict)
    followers: set[str] = field(default_factory=set)


@dataclass
class Asset:
    """A file on its way. ``parts``: number -> its ETag; ``asked``: captions and cover that were announced."""

    urn: str
    owner: str
    made_at: datetime
    size: int = 0
    parts: dict[int, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    brought: dict[str, str] = field(default_factory=dict)
    done_at: datetime | None = None
    failed: bool = False


@dataclass
class Post:
    urn: str
    activity: str
    author: str
    commentary: str
    text: str  # as people read it
    body: dict[str, Any]
    made_at: datetime
    changed_at: datetime
    edited: bool = False
    likes: set[str] = field(default_factory=set)
    comments: list[str] = field(default_factory=list)
    shares: int = 0


@dataclass
class Comment:
    urn: str
    number: str
    post: str
    actor: str
    text: str
    made_at: datetime
    parent: str = ""
    likes: set[str] = field(default_factory=set)


@dataclass
class Notification:
    id: int
    page: str
    action: str
    post: str
    at: datetime
    comment: str = ""
    owner: str = ""
    text: str = ""


@dataclass
class Subscription:
    key: str
    app: str
    page: str
    webhook: str


@dataclass
class State:
    apps: dict[str, App] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    renewing: dict[str, str] = field(default_factory=dict)  # refresh token -> an access token made with it
    members: dict[str, Member] = field(default_factory=dict)
    pages: dict[str, Page] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    ready: dict[str, str] = field(default_factory=dict)
    assets: dict[str, Asset] = field(default_factory=dict)
    posts: dict[str, Post] = field(default_factory=dict)
    comments: dict[str, Comment] = field(default_factory=dict)
    notifications: list[Notification] = field(default_factory=list)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    last_id: int = 7_094_637_247_487_995_904
