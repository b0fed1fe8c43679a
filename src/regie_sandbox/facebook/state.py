"""What Facebook's sandbox remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from regie_sandbox.graph.state import MetaState


@dataclass
class Page:
    id: str
    name: str
    username: str
    followers: set[str] = field(default_factory=set)
    posts: list[str] = field(default_factory=list)  # newest last; of others' posts on it too
    reels: list[str] = field(default_factory=list)
    stories: list[str] = field(default_factory=list)
    ads: list[str] = field(default_factory=list)  # posts that are only shown as advertisements


@dataclass
class Photo:
    id: str
    page: str
    made_at: datetime
    alt: str = ""
    used: bool = False


@dataclass
class Video:
    """``kind``: video, reel or story; ``out_at`` when it was published."""

    id: str
    page: str
    kind: str
    made_at: datetime
    session: str = ""
    size: int = 0
    received: int = 0
    description: str = ""
    post: str = ""
    title: str = ""
    made_with_ai: bool = False
    subtitles: dict[str, str] = field(default_factory=dict)  # locale -> the file
    subtitles_first: str = ""  # the locale that is shown by itself
    collaborators: list[str] = field(default_factory=list)  # Pages that are asked to show it too
    out_at: datetime | None = None
    likes: set[str] = field(default_factory=set)
    comments: list[str] = field(default_factory=list)


@dataclass
class Post:
    """``by``: a Page or a person; ``tagged``: Pages it names."""

    id: str
    by: str
    message: str
    made_at: datetime
    link: str = ""
    countries: list[str] = field(default_factory=list)  # the only ones where people see it
    place: str = ""  # a place's page
    sponsor: str = ""  # the Page that paid for it
    photos: list[str] = field(default_factory=list)
    video: str = ""
    likes: set[str] = field(default_factory=set)
    comments: list[str] = field(default_factory=list)
    shares: int = 0
    tagged: list[str] = field(default_factory=list)
    story: bool = False


@dataclass
class Comment:
    id: str
    under: str
    by: str
    message: str
    made_at: datetime
    parent: str = ""
    hidden: bool = False
    likes: set[str] = field(default_factory=set)


@dataclass
class Guest:
    """Somebody who speaks to Pages."""

    id: str
    name: str


@dataclass
class Message:
    id: str
    by: str
    to: str
    text: str
    made_at: datetime


@dataclass
class Thread:
    id: str
    page: str
    person: str
    messages: list[str] = field(default_factory=list)


@dataclass
class State(MetaState):
    pages: dict[str, Page] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    guests: dict[str, Guest] = field(default_factory=dict)
    guest_names: dict[str, str] = field(default_factory=dict)
    photos: dict[str, Photo] = field(default_factory=dict)
    videos: dict[str, Video] = field(default_factory=dict)
    posts: dict[str, Post] = field(default_factory=dict)
    comments: dict[str, Comment] = field(default_factory=dict)
    threads: dict[str, Thread] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
