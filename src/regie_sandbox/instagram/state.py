"""What Instagram's sandbox remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from regie_sandbox.graph.state import MetaState


@dataclass
class Product:
    """``review``: approved, outdated, pending, rejected; ``variants``: id -> name."""

    id: str
    name: str
    review: str = "approved"
    variants: dict[str, str] = field(default_factory=dict)


@dataclass
class Shop:
    """``catalog``: the id of its only catalogue."""

    catalog: str
    name: str
    products: list[Product] = field(default_factory=list)

    def holds(self, product: str) -> bool:
        return any(product == one.id or product in one.variants for one in self.products if one.review != "rejected")


@dataclass
class User:
    """A professional account, or one of the people. ``scoped``: the id that is only good for one app."""

    id: str
    scoped: str
    username: str
    name: str
    page: str = ""
    professional: bool = False
    followers: set[str] = field(default_factory=set)
    media: list[str] = field(default_factory=list)  # newest last
    published_at: list[datetime] = field(default_factory=list)  # through the API
    views: int = 0
    shop: Shop | None = None


@dataclass
class Container:
    """``media``: what it became; ``received``: bytes of an upload, ``size`` of them in all."""

    id: str
    user: str
    kind: str
    made_at: datetime
    ready_at: datetime
    caption: str = ""
    alt: str = ""
    child: bool = False
    children: list[str] = field(default_factory=list)
    video: bool = False
    error: str = ""
    upload: bool = False
    received: int = 0
    size: int = 0
    media: str = ""
    share_to_feed: bool = True
    collaborators: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    placed: list[str] = field(default_factory=list)  # of the people, those who have a place in it
    place: str = ""
    products: list[dict[str, Any]] = field(default_factory=list)
    cover: bool = False
    made_with_ai: bool = False
    paid_partnership: bool = False


@dataclass
class Media:
    id: str
    user: str
    type: str  # IMAGE, VIDEO, CAROUSEL_ALBUM
    product: str  # FEED, REELS, STORY
    caption: str
    made_at: datetime
    shortcode: str
    alt: str = ""
    children: list[str] = field(default_factory=list)
    likes: set[str] = field(default_factory=set)
    comments: list[str] = field(default_factory=list)
    comment_enabled: bool = True
    shares: int = 0
    saved: int = 0
    file: str = ""
    tagged: list[str] = field(default_factory=list)  # accounts named in the caption
    people: list[str] = field(default_factory=list)  # marked in it; in a story, mentioned
    products: list[dict[str, Any]] = field(default_factory=list)  # product_id, and x and y in a picture
    is_child: bool = False


@dataclass
class Comment:
    id: str
    media: str
    by: str
    text: str
    made_at: datetime
    parent: str = ""
    hidden: bool = False
    likes: set[str] = field(default_factory=set)
    replies: list[str] = field(default_factory=list)


@dataclass
class Message:
    id: str
    by: str
    to: str
    text: str
    made_at: datetime
    answers: str = ""  # a story
    names_in: str = ""  # a story of the other's that names the account


@dataclass
class Thread:
    id: str
    account: str
    person: str
    messages: list[str] = field(default_factory=list)


@dataclass
class State(MetaState):
    users: dict[str, User] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # username -> id
    containers: dict[str, Container] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    comments: dict[str, Comment] = field(default_factory=dict)
    threads: dict[str, Thread] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)  # Page -> Instagram account
