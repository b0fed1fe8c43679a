"""What the server remembers: plain data, written down as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Person:
    id: str
    username: str
    display_name: str
    created_at: datetime
    followers: set[str] = field(default_factory=set)
    following: set[str] = field(default_factory=set)
    statuses: list[str] = field(default_factory=list)  # ids, oldest first


@dataclass(slots=True)
class App:
    id: str
    name: str
    client_id: str
    client_secret: str
    redirect_uris: list[str]
    scopes: str
    website: str | None = None


@dataclass(slots=True)
class Code:
    client_id: str
    account_id: str
    redirect_uri: str
    scopes: str
    challenge: str
    until: datetime


@dataclass(slots=True)
class Token:
    account_id: str
    client_id: str
    scopes: str
    created_at: datetime


@dataclass(slots=True)
class Media:
    id: str
    account_id: str
    content_type: str
    width: int
    height: int
    description: str | None
    focus: tuple[float, float]
    ready_at: datetime
    status_id: str = ""
    thumbnail: str = ""  # of the sender's own: its key among the world's files


@dataclass(slots=True)
class Poll:
    id: str
    options: list[str]
    votes: list[int]
    multiple: bool
    hide_totals: bool
    expires_at: datetime
    voters: dict[str, list[int]] = field(default_factory=dict)


@dataclass(slots=True)
class Status:
    id: str
    account_id: str
    text: str
    created_at: datetime
    visibility: str = "public"
    language: str | None = None
    spoiler_text: str = ""
    sensitive: bool = False
    media_ids: list[str] = field(default_factory=list)
    poll: Poll | None = None
    in_reply_to_id: str | None = None
    in_reply_to_account_id: str | None = None
    reblog_of_id: str | None = None
    quotes: int = 0
    mentions: list[str] = field(default_factory=list)  # account ids
    favourited_by: set[str] = field(default_factory=set)
    reblogged_by: dict[str, str] = field(default_factory=dict)  # account id -> id of the reblog
    replies: list[str] = field(default_factory=list)
    edited_at: datetime | None = None
    past: list[str] = field(default_factory=list)  # texts before each edit
    client_id: str = ""


@dataclass(slots=True)
class Notification:
    id: str
    type: str
    account_id: str
    created_at: datetime
    status_id: str | None = None


@dataclass(slots=True)
class Key:
    """An Idempotency-Key that was used."""

    status_id: str
    at: datetime


@dataclass(slots=True)
class State:
    people: dict[str, Person] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # username in lower case -> account id
    apps: dict[str, App] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    ready: dict[str, str] = field(default_factory=dict)  # account name -> its ready token
    media: dict[str, Media] = field(default_factory=dict)
    statuses: dict[str, Status] = field(default_factory=dict)
    notifications: dict[str, list[Notification]] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    last_id: int = 0
