"""What comes from a server, as far as we read it. Source: docs.joinmastodon.org/entities, API 4.7.

Servers that only resemble Mastodon leave fields out: what we can do without has a default, and None says "not told".
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class Entity(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, frozen=True)


class Account(Entity):
    id: str
    acct: str
    username: str = ""
    display_name: str | None = ""
    url: str | None = ""
    avatar: str | None = ""
    followers_count: int | None = None
    following_count: int | None = None
    statuses_count: int | None = None


class Media(Entity):
    id: str
    url: str | None = None
    preview_url: str | None = None
    type: str = "unknown"


class Mention(Entity):
    id: str = ""
    acct: str = ""
    url: str | None = ""


class PollNow(Entity):
    id: str | None = None
    votes_count: int | None = None


class Status(Entity):
    id: str
    created_at: datetime
    account: Account
    content: str | None = ""
    url: str | None = None
    uri: str | None = None
    in_reply_to_id: str | None = None
    in_reply_to_account_id: str | None = None
    visibility: str = "public"
    media_attachments: tuple[Media, ...] = ()
    mentions: tuple[Mention, ...] = ()
    favourites_count: int | None = None
    reblogs_count: int | None = None
    replies_count: int | None = None
    quotes_count: int | None = None
    favourited: bool | None = None
    poll: PollNow | None = None
    reblog: ReblogOf | None = None


class ReblogOf(Entity):
    id: str


class Notification(Entity):
    id: str
    type: str
    created_at: datetime
    account: Account
    status: Status | None = None


class Context(Entity):
    ancestors: tuple[Status, ...] = ()


class StatusLimits(Entity):
    max_characters: int | None = None
    max_media_attachments: int | None = None
    characters_reserved_per_url: int | None = None


class MediaLimits(Entity):
    supported_mime_types: tuple[str, ...] = ()
    image_size_limit: int | None = None
    image_matrix_limit: int | None = None
    video_size_limit: int | None = None
    video_matrix_limit: int | None = None
    description_limit: int | None = None


class PollLimits(Entity):
    max_options: int | None = None
    max_characters_per_option: int | None = None
    min_expiration: int | None = None
    max_expiration: int | None = None


class Urls(Entity):
    streaming: str | None = None  # v2
    streaming_api: str | None = None  # v1


class Configuration(Entity):
    urls: Urls = Urls()
    statuses: StatusLimits = StatusLimits()
    media_attachments: MediaLimits = MediaLimits()
    polls: PollLimits | None = None


class ApiVersions(Entity):
    mastodon: int | None = None


class Instance(Entity):
    """Version 1 and version 2 alike."""

    version: str
    title: str = ""
    api_versions: ApiVersions = ApiVersions()
    configuration: Configuration = Configuration()
    urls: Urls = Urls()
    max_toot_chars: int | None = None  # Pleroma's own


class Software(Entity):
    name: str
    version: str = ""


class NodeInfo(Entity):
    software: Software


class NodeInfoLink(Entity):
    rel: str
    href: str


class NodeInfoLinks(Entity):
    links: tuple[NodeInfoLink, ...] = ()


class App(Entity):
    client_id: str
    client_secret: str = ""


class Token(Entity):
    access_token: str = Field(repr=False)
    scope: str = ""


class OAuthMetadata(Entity):
    code_challenge_methods_supported: tuple[str, ...] = ()


class Said(Entity):
    """An error's body."""

    error: str = ""
    error_description: str | None = None
