"""What the network remembers: plain data, written down as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class User:
    """``subscription``: None, Basic, Premium or PremiumPlus, as X writes it."""

    id: str
    username: str
    name: str
    created_at: datetime
    subscription: str = "None"
    followers: set[str] = field(default_factory=set)
    following: set[str] = field(default_factory=set)
    posts: list[str] = field(default_factory=list)  # ids, oldest first
    named_in: list[str] = field(default_factory=list)  # ids of others' posts, oldest first


@dataclass(slots=True)
class App:
    """``plan``: pay-per-use or enterprise; ``redirect_uris`` empty: any. ``bearer``: the token of the app itself."""

    client_id: str
    client_secret: str
    api_key: str
    api_secret: str
    name: str
    redirect_uris: list[str] = field(default_factory=list)
    plan: str = "pay-per-use"
    bearer: str = ""


@dataclass(slots=True)
class Code:
    client_id: str
    user: str
    redirect_uri: str
    scopes: list[str]
    challenge: str
    method: str
    until: datetime


@dataclass(slots=True)
class Token:
    """``until`` None: it does not run out (the ready one)."""

    user: str
    client_id: str
    scopes: list[str]
    until: datetime | None = None


@dataclass(slots=True)
class Poll:
    id: str
    options: list[str]
    votes: list[int]
    minutes: int
    ends_at: datetime
    voters: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Media:
    """A file. ``segments``: which have come, and how many bytes; ``ready_at`` None: not all of it is there."""

    id: str
    owner: str
    category: str
    content_type: str
    total: int
    until: datetime
    segments: dict[int, int] = field(default_factory=dict)
    whole: bool = False
    ready_at: datetime | None = None
    failed: bool = False
    width: int = 0
    height: int = 0
    alt: str = ""
    warnings: list[str] = field(default_factory=list)  # why it is covered until the reader uncovers it
    subtitles: dict[str, str] = field(default_factory=dict)  # language -> id of the track

    @property
    def kind(self) -> str:
        return {"tweet_video": "video", "amplify_video": "video", "tweet_gif": "animated_gif"}.get(
            self.category, "photo"
        )

    @property
    def key(self) -> str:
        return f"{ {'video': 13, 'animated_gif': 16}.get(self.kind, 3) }_{self.id}"


@dataclass(slots=True)
class Post:
    id: str
    author: str
    text: str
    created_at: datetime
    conversation: str
    media: list[str] = field(default_factory=list)
    poll: Poll | None = None
    reply_to: str = ""
    quotes: str = ""
    reply_settings: str = "everyone"
    community: str = ""
    shared: bool = False
    made_with_ai: bool = False
    paid_partnership: bool = False
    people: list[str] = field(default_factory=list)  # tagged in the pictures
    cover: str = ""  # a picture of its own that stands for the video
    place: str = ""
    media_words: list[str] = field(default_factory=list)  # title and description of the video
    hidden: bool = False
    mentions: list[str] = field(default_factory=list)
    liked_by: set[str] = field(default_factory=set)
    passed_on_by: set[str] = field(default_factory=set)
    answers: int = 0
    quoted: int = 0
    seen: int = 0
    history: list[str] = field(default_factory=list)  # ids of all its versions, oldest first; empty: never edited


@dataclass(slots=True)
class Direct:
    id: str
    conversation: str
    sender: str
    text: str
    at: datetime


@dataclass(slots=True)
class Webhook:
    id: str
    client_id: str
    url: str
    created_at: datetime
    valid: bool = True


@dataclass(slots=True)
class Subscription:
    id: str
    client_id: str
    event: str
    user: str
    webhook: str
    created_at: datetime
    tag: str = ""


@dataclass(slots=True)
class State:
    users: dict[str, User] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # name and user name in lower case -> id
    apps: dict[str, App] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    refresh: dict[str, Token] = field(default_factory=dict)
    ready: dict[str, str] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    posts: dict[str, Post] = field(default_factory=dict)
    directs: list[Direct] = field(default_factory=list)
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    last_id: int = 0

    @property
    def comments(self) -> dict[str, Post]:
        """Answers are posts."""
        return self.posts
