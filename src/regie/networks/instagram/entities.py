"""What comes from Instagram, as far as we read it. Source: specs IGUser, IGMedia, IGComment of Graph v25.0."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BeforeValidator, Field

from regie.networks.meta.wire import Entity

T = TypeVar("T")


def _moment(value: Any) -> Any:
    """``2030-03-01T09:00:00+0000``, which is no ISO 8601 for pydantic; webhooks tell seconds."""
    if isinstance(value, str) and len(value) > 5 and value[-5] in "+-" and value[-3] != ":":
        return f"{value[:-2]}:{value[-2:]}"
    return value


Moment = Annotated[datetime, BeforeValidator(_moment)]


class Page(Entity, Generic[T]):
    """An edge: one page of it."""

    data: tuple[T, ...] = ()
    paging: Paging | None = None

    @property
    def after(self) -> str:
        """Where the next page begins; "" when this is the last."""
        return self.paging.cursors.after if self.paging and self.paging.next and self.paging.cursors else ""


class Cursors(Entity):
    before: str = ""
    after: str = ""


class Paging(Entity):
    cursors: Cursors | None = None
    next: str | None = None


class Me(Entity):
    """The account. ``user_id`` with Instagram's own login, where ``id`` is only good for our app."""

    id: str = ""
    user_id: str = ""
    username: str = ""
    name: str | None = ""
    account_type: str = ""
    profile_picture_url: str | None = ""
    followers_count: int | None = None
    follows_count: int | None = None
    media_count: int | None = None


class Container(Entity):
    """``status``: the subcode of what went wrong, or a sentence around it."""

    id: str
    status_code: str
    status: str = ""


class Uploading(Entity):
    status: str = ""
    bytes_transferred: int = 0


class VideoStatus(Entity):
    uploading_phase: Uploading = Uploading()


class Upload(Entity):
    id: str
    uri: str = ""
    video_status: VideoStatus = VideoStatus()


class Media(Entity):
    id: str
    caption: str | None = ""
    permalink: str | None = ""
    timestamp: Moment | None = None
    media_type: str = ""
    media_product_type: str = ""
    username: str = ""
    like_count: int | None = None
    comments_count: int | None = None
    children: Page[Child] | None = None
    comments: Page[Comment] | None = None


class Child(Entity):
    id: str


class From(Entity):
    id: str = ""
    username: str = ""


class Of(Entity):
    id: str = ""


class Comment(Entity):
    id: str
    text: str | None = ""
    timestamp: Moment | None = None
    username: str = ""
    author: From | None = Field(None, alias="from")
    like_count: int | None = None
    hidden: bool | None = None
    parent_id: str = ""
    media: Of | None = None
    replies: Page[Comment] | None = None


class Message(Entity):
    """A direct message."""

    id: str
    created_time: Moment
    message: str | None = ""
    author: From | None = Field(None, alias="from")


class Sent(Entity):
    """The answer to a direct message of ours."""

    message_id: str


class Thread(Entity):
    id: str
    messages: Page[Message] | None = None


class Metric(Entity):
    name: str
    values: tuple[Value, ...] = ()
    total_value: Value | None = None

    @property
    def number(self) -> int | None:
        """The newest number it tells; None when it tells none."""
        found = self.total_value or (self.values[-1] if self.values else None)
        return found.value if found is not None and isinstance(found.value, int) else None


class Value(Entity):
    value: int | dict[str, Any] | None = None


class Quota(Entity):
    """Posts published through the API in the last ``quota_duration`` seconds, and how many there may be."""

    quota_usage: int = 0
    config: QuotaConfig | None = None


class QuotaConfig(Entity):
    quota_total: int = 0
    quota_duration: int = 86_400


for late in (Page, Media, Comment, Thread, Metric, Quota):
    late.model_rebuild()
