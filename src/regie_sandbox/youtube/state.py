"""What YouTube's sandbox remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from regie_sandbox.google.state import Accounts

HELD = "heldForReview"


@dataclass
class Channel:
    """A channel, or one of the people. ``seen``, ``gained``: day -> views, subscribers."""

    id: str
    name: str
    handle: str
    made_at: datetime
    long_uploads: bool = True
    country: str = "FR"
    subscribers: set[str] = field(default_factory=set)
    videos: list[str] = field(default_factory=list)  # oldest first
    playlists: list[str] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    gained: dict[str, int] = field(default_factory=dict)


@dataclass
class Video:
    """``public_at``: when others saw it first; ``failure``, ``rejection``: what processing comes to."""

    id: str
    channel: str
    made_at: datetime
    ready_at: datetime
    title: str = ""
    description: str = ""
    tags: list[str] = field(default_factory=list)
    category: str = "22"
    language: str = ""
    audio_language: str = ""
    privacy: str = "public"
    publish_at: str = ""
    kids: bool = False
    synthetic: bool = False
    paid: bool = False
    embeddable: bool = True
    license: str = "youtube"
    public_stats: bool = True
    notify: bool = True
    size: int = 0
    width: int = 0
    height: int = 0
    failure: str = ""
    rejection: str = ""
    locked: bool = False
    comments_off: bool = False
    public_at: datetime | None = None
    cover: str = ""  # content type of its own picture
    captions: list[str] = field(default_factory=list)
    likes: set[str] = field(default_factory=set)
    shares: int = 0
    comments: list[str] = field(default_factory=list)
    app: str = ""


@dataclass
class Session:
    """A resumable upload. ``made``: the id of what it became."""

    id: str
    what: str
    channel: str
    app: str
    params: dict[str, str]
    said: dict[str, object]
    content_type: str
    size: int
    received: int = 0
    made: str = ""


@dataclass
class Caption:
    id: str
    video: str
    language: str
    name: str
    made_at: datetime


@dataclass
class Entry:
    """A video in a playlist."""

    id: str
    video: str
    added_at: datetime


@dataclass
class Playlist:
    id: str
    channel: str
    title: str
    made_at: datetime
    privacy: str = "public"
    entries: list[Entry] = field(default_factory=list)


@dataclass
class Comment:
    """``parent``: the comment directly under the video that it answers."""

    id: str
    video: str
    by: str
    text: str
    made_at: datetime
    parent: str = ""
    status: str = "published"
    likes: int = 0
    replies: list[str] = field(default_factory=list)

    @property
    def hidden(self) -> bool:
        return self.status != "published"


@dataclass
class Subscription:
    """Somebody who asked the hub to be told of a channel's videos."""

    channel: str
    callback: str
    secret: str
    until: datetime


@dataclass
class State(Accounts):
    channels: dict[str, Channel] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # name or handle -> channel
    videos: dict[str, Video] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    captions: dict[str, Caption] = field(default_factory=dict)
    playlists: dict[str, Playlist] = field(default_factory=dict)
    comments: dict[str, Comment] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)  # "channel callback" -> it
