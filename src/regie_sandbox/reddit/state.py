"""What the server remembers: plain data, written down as JSON. Full names (t3_…) are the keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Person:
    id: str  # t2_...
    name: str
    title: str
    created_at: datetime
    karma: int = 1
    inbox: list[Notice] = field(default_factory=list)


@dataclass(slots=True)
class Notice:
    """One line of an inbox. ``type``: post_reply, comment_reply, username_mention, unknown (a message)."""

    name: str
    type: str
    new: bool = True


@dataclass(slots=True)
class Flair:
    id: str
    text: str
    mod_only: bool = False


@dataclass(slots=True)
class Requirements:
    """Keys and values as /api/v1/…/post_requirements tells them."""

    is_flair_required: bool = False
    title_text_min_length: int | None = None
    title_text_max_length: int | None = None
    title_required_strings: list[str] = field(default_factory=list)
    title_blacklisted_strings: list[str] = field(default_factory=list)
    body_restriction_policy: str = "none"
    body_text_min_length: int | None = None
    body_text_max_length: int | None = None
    body_required_strings: list[str] = field(default_factory=list)
    body_blacklisted_strings: list[str] = field(default_factory=list)
    link_restriction_policy: str = "none"
    domain_whitelist: list[str] = field(default_factory=list)
    domain_blacklist: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Community:
    """``automod``: words whose posts its AutoModerator holds back."""

    id: str  # t5_...
    name: str
    title: str
    created_at: datetime
    kind: str = "public"  # public, restricted, private, user
    submission_type: str = "any"
    members: set[str] = field(default_factory=set)  # names of people
    moderators: set[str] = field(default_factory=set)
    banned: set[str] = field(default_factory=set)
    flairs: list[Flair] = field(default_factory=list)
    wants: Requirements = field(default_factory=Requirements)
    lacks: set[str] = field(default_factory=set)  # kinds of posts: image, gallery, video, poll
    automod: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Asset:
    """A file: asked for, then sent to the store."""

    id: str
    owner: str
    content_type: str
    key: str
    signature: str
    size: int = 0
    there: bool = False


@dataclass(slots=True)
class Poll:
    options: list[str]
    ends_at: datetime
    votes: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Post:
    id: str  # t3_...
    author: str
    community: str  # its name
    kind: str  # self, link, image, gallery, video, poll
    title: str
    text: str
    created_at: datetime
    shown_at: datetime  # a file is worked on until then
    url: str = ""
    assets: list[str] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)  # below each picture of a gallery
    outbound: list[str] = field(default_factory=list)
    flair_id: str = ""
    nsfw: bool = False
    spoiler: bool = False
    send_replies: bool = True
    poll: Poll | None = None
    votes: dict[str, int] = field(default_factory=dict)  # name -> 1 or -1
    comments: list[str] = field(default_factory=list)
    edited_at: datetime | None = None
    removed: str = ""  # moderator, automod_filtered, reddit, deleted


@dataclass(slots=True)
class Comment:
    id: str  # t1_...
    author: str
    post: str
    parent: str
    text: str
    created_at: datetime
    votes: dict[str, int] = field(default_factory=dict)
    edited_at: datetime | None = None
    hidden: bool = False  # by a moderator
    deleted: bool = False


@dataclass(slots=True)
class Message:
    id: str  # t4_...
    author: str
    to: str
    subject: str
    text: str
    created_at: datetime
    first: str = ""  # of its conversation; "" for the first
    parent: str = ""


@dataclass(slots=True)
class Said:
    """One message of a modmail conversation. ``internal``: among moderators."""

    id: str
    author: str
    text: str
    at: datetime
    internal: bool = False


@dataclass(slots=True)
class Modmail:
    """What somebody wrote to a community."""

    id: str
    community: str
    person: str
    subject: str
    said: list[Said] = field(default_factory=list)


@dataclass(slots=True)
class App:
    id: str
    secret: str
    name: str
    redirect_uri: str = ""  # "": any


@dataclass(slots=True)
class Code:
    app: str
    person: str
    redirect_uri: str
    scopes: list[str]
    permanent: bool
    until: datetime


@dataclass(slots=True)
class Token:
    """An access token, and the refresh token it came from ("" for none)."""

    app: str
    person: str
    scopes: list[str]
    until: datetime
    of: str = ""


@dataclass(slots=True)
class Lasting:
    """A refresh token."""

    app: str
    person: str
    scopes: list[str]


@dataclass(slots=True)
class State:
    people: dict[str, Person] = field(default_factory=dict)  # by name, in lower case
    communities: dict[str, Community] = field(default_factory=dict)  # by name, in lower case
    posts: dict[str, Post] = field(default_factory=dict)
    comments: dict[str, Comment] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    modmail: dict[str, Modmail] = field(default_factory=dict)
    assets: dict[str, Asset] = field(default_factory=dict)
    apps: dict[str, App] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    lasting: dict[str, Lasting] = field(default_factory=dict)
    ready: dict[str, tuple[str, str]] = field(default_factory=dict)  # name -> access and refresh token
    last_id: int = 0
