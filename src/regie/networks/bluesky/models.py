"""What Bluesky's servers answer, as far as we read it. Shapes: lexicons com.atproto and app.bsky (atproto d6296a1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Said(BaseModel):
    """Unknown fields are passed over: lexicons grow by adding fields."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")


class Problem(Said):
    """XRPC says ``error`` and ``message``; OAuth says ``error`` and ``error_description``."""

    error: str = ""
    message: str = ""
    description: str = Field(default="", alias="error_description")

    @property
    def sentence(self) -> str:
        return self.message or self.description or self.error


class StrongRef(Said):
    uri: str
    cid: str


class Reply(Said):
    root: StrongRef
    parent: StrongRef


class Written(Said):
    uri: str
    cid: str


class Uploaded(Said):
    blob: dict[str, Any]


class Server(Said):
    """A server's own identity."""

    did: str


class ServiceToken(Said):
    token: str = Field(repr=False)


class Limits(Said):
    """What the video service takes of an account today."""

    can_upload: bool = Field(alias="canUpload")
    remaining_daily_videos: int | None = Field(default=None, alias="remainingDailyVideos")
    remaining_daily_bytes: int | None = Field(default=None, alias="remainingDailyBytes")
    message: str = ""
    error: str = ""


class JobStatus(Said):
    """How far the video service is; every state but the two at the end means that it is at work."""

    job_id: str = Field(alias="jobId")
    state: str = ""
    blob: dict[str, Any] | None = None
    error: str = ""
    message: str = ""

    @property
    def why(self) -> str:
        return self.message or self.error or self.state


class Job(Said):
    status: JobStatus | None = Field(default=None, alias="jobStatus")


class Started(Said):
    """An upload in parts that may begin. ``part_size`` in bytes; the last one may be smaller."""

    job_id: str = Field(alias="jobId")
    part_size: int = Field(alias="partSizeBytes", gt=0)
    part_count: int = Field(alias="partCount")


class Finished(Said):
    """All parts are there. The job may be that of the same bytes, sent before."""

    job: JobStatus = Field(alias="jobStatus")


class Service(Said):
    id: str = ""
    endpoint: str | dict[str, Any] = Field(default="", alias="serviceEndpoint")


class DidDoc(Said):
    id: str = ""
    names: tuple[str, ...] = Field(default=(), alias="alsoKnownAs")
    service: tuple[Service, ...] = ()

    @property
    def pds(self) -> str:
        """The address of the account's own server, without a trailing slash; "" when the document names none."""
        for service in self.service:
            if service.id.endswith("#atproto_pds") and isinstance(service.endpoint, str):
                return service.endpoint.rstrip("/")
        return ""

    @property
    def handle(self) -> str:
        return next((name.removeprefix("at://") for name in self.names if name.startswith("at://")), "")


class Session(Said):
    did: str
    handle: str
    access: str = Field(alias="accessJwt", repr=False)
    refresh: str = Field(alias="refreshJwt", repr=False)
    did_doc: DidDoc | None = None
    active: bool = True
    status: str = ""


class WhoIsThere(Said):
    did: str
    handle: str
    active: bool = True
    status: str = ""


class Resolved(Said):
    did: str


class PostRecord(Said):
    """An app.bsky.feed.post record, ours or anybody's: nothing in it is to be relied on but its text."""

    text: str = ""
    created_at: datetime | None = None
    reply: Reply | None = None
    embed: dict[str, Any] = Field(default_factory=dict)


class Kept(Said):
    """A record with its address."""

    uri: str
    cid: str = ""
    value: dict[str, Any]


class Records(Said):
    records: tuple[Kept, ...]
    cursor: str | None = None


class Author(Said):
    did: str
    handle: str
    display_name: str = ""
    avatar: str = ""


class Actor(Author):
    followers_count: int | None = None
    follows_count: int | None = None
    posts_count: int | None = None


class Viewer(Said):
    like: str | None = None


class PostView(Said):
    uri: str
    cid: str
    author: Author
    record: dict[str, Any]
    embed: dict[str, Any] = Field(default_factory=dict)
    reply_count: int | None = None
    repost_count: int | None = None
    like_count: int | None = None
    quote_count: int | None = None
    viewer: Viewer | None = None


class Posts(Said):
    posts: tuple[PostView, ...]


class Notification(Said):
    uri: str
    cid: str
    author: Author
    reason: str
    record: dict[str, Any]
    indexed_at: datetime


class Notifications(Said):
    notifications: tuple[Notification, ...]
    cursor: str | None = None


class ChatMember(Author):
    """Somebody in a conversation."""


class ChatSender(Said):
    did: str = ""


class ChatMessage(Said):
    """A direct message; also what stands for one that was deleted, or says what the service did (``kind``)."""

    kind: str = Field(default="", alias="$type")
    id: str
    rev: str
    text: str = ""
    sender: ChatSender = ChatSender()
    sent_at: datetime


class ChatPage(Said):
    messages: tuple[ChatMessage, ...]
    cursor: str | None = None


class Convo(Said):
    """``rev`` grows with each change."""

    id: str
    rev: str
    members: tuple[ChatMember, ...] = ()
    kind: dict[str, Any] = Field(default_factory=dict)


class Convos(Said):
    convos: tuple[Convo, ...]
    cursor: str | None = None


class ResourceMetadata(Said):
    """RFC 9728, at /.well-known/oauth-protected-resource."""

    servers: tuple[str, ...] = Field(default=(), alias="authorization_servers")


class ServerMetadata(Said):
    """RFC 8414, at /.well-known/oauth-authorization-server."""

    issuer: str
    authorization_endpoint: str = Field(alias="authorization_endpoint")
    token_endpoint: str = Field(alias="token_endpoint")
    par_endpoint: str = Field(alias="pushed_authorization_request_endpoint")
    revocation_endpoint: str = Field(default="", alias="revocation_endpoint")


class Pushed(Said):
    request_uri: str = Field(alias="request_uri")


class Tokens(Said):
    access: str = Field(alias="access_token", repr=False)
    token_type: str = Field(alias="token_type")
    refresh: str = Field(default="", alias="refresh_token", repr=False)
    scope: str = ""
    lasts: int | None = Field(default=None, alias="expires_in")
    sub: str
