"""What the sandbox of Pinterest remembers. ``trial`` marks what belongs to the vendor's own Sandbox."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class App:
    """``access``: trial or standard, as Pinterest granted it."""

    id: str
    secret: str
    name: str
    access: str = "standard"
    redirect_uris: list[str] = field(default_factory=list)


@dataclass
class Token:
    user: str
    app: str
    scopes: list[str]
    trial: bool
    until: datetime | None
    refreshes: bool = False


@dataclass
class Code:
    user: str
    app: str
    redirect_uri: str
    scopes: list[str]
    until: datetime


@dataclass
class User:
    id: str
    username: str
    name: str
    followers: set[str] = field(default_factory=set)
    following: set[str] = field(default_factory=set)


@dataclass
class Board:
    id: str
    owner: str
    name: str
    made_at: datetime
    trial: bool = False
    privacy: str = "PUBLIC"
    description: str = ""
    ads_only: bool = False
    sections: dict[str, str] = field(default_factory=dict)  # id -> name


@dataclass
class Upload:
    """``status``: registered, processing, succeeded, failed."""

    id: str
    user: str
    key: str
    made_at: datetime
    status: str = "registered"
    ready_at: datetime | None = None
    size: tuple[int, int] = (0, 0)


@dataclass
class Pin:
    """``files``: content types of its pictures; of a video Pin its upload is in ``video``."""

    id: str
    user: str
    board: str
    made_at: datetime
    title: str = ""
    description: str = ""
    alt: str = ""
    link: str = ""
    section: str = ""
    files: list[str] = field(default_factory=list)
    video: str = ""
    cover: str = ""
    trial: bool = False
    reactions: set[str] = field(default_factory=set)
    comments: list[str] = field(default_factory=list)
    saves: int = 0
    shown: int = 0
    clicks: int = 0
    link_clicks: int = 0


@dataclass
class State:
    apps: dict[str, App] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    boards: dict[str, Board] = field(default_factory=dict)
    pins: dict[str, Pin] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    ready: dict[str, dict[str, str]] = field(default_factory=dict)  # account name -> its tokens
    last_id: int = 1_099_511_627_776_000_000  # ids are beyond 2**53
