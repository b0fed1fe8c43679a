"""What every sandbox of Meta's remembers: apps, people who sign in, their Pages, tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class App:
    id: str
    secret: str
    name: str
    redirect_uris: list[str] = field(default_factory=list)
    callback_url: str = ""
    verify_token: str = ""
    objects: dict[str, list[str]] = field(default_factory=dict)  # webhook object -> its fields


@dataclass
class Token:
    """``holder``: the person, the Instagram account or the Page it speaks for; ``way``: facebook, instagram, page."""

    holder: str
    app: str
    way: str
    scopes: list[str]
    made_at: datetime
    until: datetime | None = None
    long: bool = False


@dataclass
class Code:
    holder: str
    app: str
    way: str
    redirect_uri: str
    scopes: list[str]
    until: datetime


@dataclass
class Person:
    """Somebody with Facebook, who manages Pages."""

    id: str
    name: str
    pages: list[str] = field(default_factory=list)


@dataclass
class MetaState:
    apps: dict[str, App] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    ready: dict[str, str] = field(default_factory=dict)  # account name -> token
    last_id: int = 17_841_400_000_000_000  # ids are beyond 2**53
    calls: int = 0
    subscribed: dict[str, list[str]] = field(default_factory=dict)  # account or Page -> webhook fields
