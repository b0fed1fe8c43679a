"""What the sandbox of VK remembers. Owners are numbers: a community's is negative."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class Key:
    """``kind``: group or user. Rights by the names that VK gives them."""

    kind: str
    holder: int
    rights: list[str]


@dataclass
class User:
    id: int
    name: str
    screen_name: str


@dataclass
class Group:
    id: int
    name: str
    screen_name: str
    admins: list[int] = field(default_factory=list)
    members: set[int] = field(default_factory=set)
    wall: list[int] = field(default_factory=list)  # posts, oldest first
    wants: list[str] = field(default_factory=list)  # kinds of news that it tells on an open line; none: turned off
    news: list[dict[str, Any]] = field(default_factory=list)
    servers: list[dict[str, Any]] = field(default_factory=list)  # of the Callback API, with what each ``wants``
    forgotten: int = 0  # so many of the news are no longer told


@dataclass
class Post:
    id: int
    owner: int
    author: int
    text: str
    made_at: datetime
    attachments: list[str] = field(default_factory=list)
    likes: set[int] = field(default_factory=set)
    comments: list[int] = field(default_factory=list)
    reposts: int = 0
    seen: int = 0
    closed: bool = False
    ads: bool = False
    source: str = ""
    signer: int = 0
    point: tuple[float, float] | None = None  # latitude and longitude
    edited_at: datetime | None = None


@dataclass
class Comment:
    id: int
    owner: int
    post: int
    author: int
    text: str
    made_at: datetime
    parent: int = 0
    replies: list[int] = field(default_factory=list)
    likes: set[int] = field(default_factory=set)
    deleted: bool = False


@dataclass
class Media:
    """A photo, a video, a document or a poll. ``ready``: its bytes came."""

    kind: str
    id: int
    owner: int
    made_at: datetime
    name: str = ""
    ready: bool = True
    thumb: bool = False
    answers: list[str] = field(default_factory=list)
    multiple: bool = False


@dataclass
class Story:
    id: int
    owner: int
    kind: str
    made_at: datetime


@dataclass
class Message:
    id: int
    group: int
    person: int
    out: bool
    text: str
    made_at: datetime


@dataclass
class State:
    keys: dict[str, Key] = field(default_factory=dict)
    users: dict[int, User] = field(default_factory=dict)
    groups: dict[int, Group] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)  # people by name; communities by "group:name"
    posts: dict[str, Post] = field(default_factory=dict)  # "owner_id" -> post
    comments: dict[str, Comment] = field(default_factory=dict)  # "owner_id" -> comment
    media: dict[str, Media] = field(default_factory=dict)  # "photo-1_2"
    stories: dict[str, Story] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    guids: dict[str, int] = field(default_factory=dict)  # method, owner and guid -> what it made
    places: dict[str, list[str]] = field(default_factory=dict)  # where files may be sent: kind, owner, id
    sent: dict[str, list[str]] = field(default_factory=dict)  # what a place answered -> kind, owner, name
    ready: dict[str, dict[str, str]] = field(default_factory=dict)
    last_id: int = 456_239_000
