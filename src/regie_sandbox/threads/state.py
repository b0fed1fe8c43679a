"""What Threads' sandbox remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from regie_sandbox.graph.state import MetaState


@dataclass
class User:
    """``replied_at``, ``posted_at``, ``deleted_at``: what was done through the API, for the quotas of a day."""

    id: str
    username: str
    name: str
    chooses_countries: bool = False
    followers: set[str] = field(default_factory=set)
    posts: list[str] = field(default_factory=list)  # answers among them, newest last
    posted_at: list[datetime] = field(default_factory=list)
    replied_at: list[datetime] = field(default_factory=list)
    deleted_at: list[datetime] = field(default_factory=list)


@dataclass
class Place:
    id: str
    name: str
    address: str = ""
    city: str = ""
    country: str = ""


@dataclass
class Container:
    """``media``: what it became."""

    id: str
    user: str
    kind: str  # TEXT, IMAGE, VIDEO, CAROUSEL
    made_at: datetime
    ready_at: datetime
    text: str = ""
    alt: str = ""
    child: bool = False
    children: list[str] = field(default_factory=list)
    error: str = ""
    media: str = ""
    reply_to: str = ""
    link: str = ""
    topic: str = ""
    quote: str = ""  # the post that it quotes
    place: str = ""
    countries: list[str] = field(default_factory=list)  # the only ones where it shows
    reply_control: str = "everyone"
    spoiler: bool = False
    poll: dict[str, str] = field(default_factory=dict)


@dataclass
class Media:
    """A post or an answer."""

    id: str
    user: str
    kind: str
    text: str
    made_at: datetime
    shortcode: str
    alt: str = ""
    children: list[str] = field(default_factory=list)
    parent: str = ""  # what it answers
    root: str = ""  # the post at the top, of an answer
    likes: set[str] = field(default_factory=set)
    reposts: set[str] = field(default_factory=set)
    replies: list[str] = field(default_factory=list)
    hidden: bool = False
    link: str = ""
    topic: str = ""
    quote: str = ""
    place: str = ""
    reply_control: str = "everyone"
    spoiler: bool = False
    poll: dict[str, str] = field(default_factory=dict)
    poll_ends_at: datetime | None = None
    mentions: list[str] = field(default_factory=list)
    file: str = ""
    is_child: bool = False


@dataclass
class State(MetaState):
    users: dict[str, User] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # username -> id
    containers: dict[str, Container] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)

    @property
    def comments(self) -> dict[str, Media]:
        """Answers are posts here."""
        return self.media
