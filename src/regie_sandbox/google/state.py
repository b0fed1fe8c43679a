"""What Google remembers of apps, consents and tokens. ``holder``: whom a token speaks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from pydantic import AliasChoices, Field

Holder = Annotated[str, Field(validation_alias=AliasChoices("holder", "channel"))]  # kept worlds know it as a channel


@dataclass
class App:
    """A project at Google. ``verified``: before its audit, what it uploads to YouTube is locked as private."""

    id: str
    secret: str
    name: str
    redirect_uris: list[str] = field(default_factory=list)
    verified: bool = True
    units: dict[str, int] = field(default_factory=dict)  # day on the Pacific coast -> units spent
    uploads: dict[str, int] = field(default_factory=dict)


@dataclass
class Token:
    holder: Holder
    app: str
    scopes: list[str]
    until: datetime | None = None  # a refresh token has none
    refresh: bool = False


@dataclass
class Code:
    holder: Holder
    app: str
    redirect_uri: str
    scopes: list[str]
    challenge: str
    lasting: bool
    until: datetime


@dataclass
class Accounts:
    """A network's state begins with this."""

    apps: dict[str, App] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    ready: dict[str, str] = field(default_factory=dict)  # account name -> refresh token
    access: dict[str, str] = field(default_factory=dict)  # account name -> access token
