"""What TikTok's sandbox remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class App:
    """``audited``: False for a client whose posts nobody but their owner sees; ``verified``: prefixes of addresses that
    it may give (none: any)."""

    key: str
    secret: str
    name: str
    redirect_uris: list[str] = field(default_factory=list)
    callback_url: str = ""
    callbacks: dict[str, str] = field(default_factory=dict)  # of the API for business: kind of news -> address
    audited: bool = True
    verified: list[str] = field(default_factory=list)


@dataclass
class User:
    id: str  # open_id
    union_id: str
    username: str
    name: str
    private: bool = False
    switched_off: list[str] = field(default_factory=list)  # comment, duet, stitch
    longest_video: int = 600
    banned: bool = False
    followers: set[str] = field(default_factory=set)
    following: int = 0
    posts: list[str] = field(default_factory=list)


@dataclass
class Token:
    """``kind``: access or refresh; ``way``: open or business."""

    user: str
    app: str
    scopes: list[str]
    until: datetime
    kind: str = "access"
    way: str = "open"


@dataclass
class Code:
    user: str
    app: str
    redirect_uri: str
    scopes: list[str]
    until: datetime
    way: str = "open"


@dataclass
class Publishing:
    """A publish id. ``received``: bytes of the upload so far; ``over_at``: when TikTok is done with the files."""

    id: str
    user: str
    app: str
    kind: str  # video, photo
    text: str
    privacy: str
    info: dict[str, str | int | bool]
    begun_at: datetime
    title: str = ""
    size: int = 0
    each: int = 0
    received: int = 0
    token: str = ""
    images: list[str] = field(default_factory=list)
    cover: int = 0  # which of the images, from 0
    pulled: bool = False  # through the API for business accounts
    over_at: datetime | None = None
    fail_reason: str = ""
    post: str = ""


@dataclass
class Post:
    """``public_at``: when moderation lets the public see it; None: never, for a post that is not public."""

    id: str
    user: str
    kind: str
    text: str
    title: str
    privacy: str
    made_at: datetime
    public_at: datetime | None
    images: int = 0
    cover: int = 0
    info: dict[str, str | int | bool] = field(default_factory=dict)
    likes: set[str] = field(default_factory=set)
    comments: list[str] = field(default_factory=list)
    shares: int = 0


@dataclass
class Comment:
    id: str
    post: str
    by: str
    text: str
    made_at: datetime
    parent: str = ""
    hidden: bool = False
    likes: set[str] = field(default_factory=set)
    replies: list[str] = field(default_factory=list)


@dataclass
class State:
    apps: dict[str, App] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # username or name, lower case -> open_id
    tokens: dict[str, Token] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    ready: dict[str, str] = field(default_factory=dict)  # account name -> token
    publishing: dict[str, Publishing] = field(default_factory=dict)
    posts: dict[str, Post] = field(default_factory=dict)
    comments: dict[str, Comment] = field(default_factory=dict)
    last_id: int = 7_400_000_000_000_000_000  # ids are beyond 2**53
