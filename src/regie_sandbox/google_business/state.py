"""What Google Business Profile's sandbox remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from regie_sandbox.google.state import Accounts


@dataclass
class Person:
    """Somebody with a Google account. ``managers``: the accounts that hold what they manage."""

    id: str
    name: str
    managers: list[str] = field(default_factory=list)


@dataclass
class Manager:
    """An account that holds locations, ``accounts/{id}``."""

    id: str
    name: str
    kind: str = "PERSONAL"
    places: list[str] = field(default_factory=list)


@dataclass
class Place:
    """A location. ``seen``: day -> Google's metric -> number."""

    id: str
    manager: str
    title: str
    street: str = "12 rue des Tanneurs"
    town: str = "Lille"
    language: str = "fr"
    verified: bool = True
    posts: list[str] = field(default_factory=list)  # oldest first
    reviews: list[str] = field(default_factory=list)
    seen: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass
class Post:
    """``said``: what was asked for, as it was asked for; ``rejected``: what Google's own look will come to."""

    id: str
    place: str
    said: dict[str, Any]
    made_at: datetime
    changed_at: datetime
    ready_at: datetime
    rejected: bool = False


@dataclass
class Review:
    id: str
    place: str
    by: str
    text: str
    stars: int
    made_at: datetime
    changed_at: datetime
    reply: str = ""
    replied_at: datetime | None = None


@dataclass
class State(Accounts):
    people: dict[str, Person] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # name -> person
    managers: dict[str, Manager] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    posts: dict[str, Post] = field(default_factory=dict)
    reviews: dict[str, Review] = field(default_factory=dict)
    number: int = 0
