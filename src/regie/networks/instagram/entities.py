"""What comes from Instagram, as far as we read it. Source: specs IGUser, IGMedia, IGComment of Graph v25.0."""

from __future__ import annotations

from pydantic import Field

from regie.networks.meta.entities import Edge, From, Moment
from regie.networks.meta.wire import Entity


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
    children: Edge[Child] | None = None
    comments: Edge[Comment] | None = None


class Child(Entity):
    id: str


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
    replies: Edge[Comment] | None = None


class Told(Entity):
    """A story that a message is about. ``link``: good for a day."""

    id: str = ""
    link: str | None = ""


class Story(Entity):
    """Ours that somebody answers, or somebody's that names us."""

    reply_to: Told | None = None
    mention: Told | None = None


class Message(Entity):
    """A direct message."""

    id: str
    created_time: Moment
    message: str | None = ""
    author: From | None = Field(None, alias="from")
    story: Story | None = None


class Mentioned(Entity):
    """Where somebody named the account: a comment of theirs, or the caption of a post of theirs."""

    mentioned_comment: Comment | None = None
    mentioned_media: Media | None = None


class Sent(Entity):
    """The answer to a direct message of ours."""

    message_id: str


class Thread(Entity):
    id: str
    messages: Edge[Message] | None = None


class Shopper(Entity):
    """Whether the account has a shop whose products it may tag."""

    shopping_product_tag_eligibility: bool | None = None


class Catalog(Entity):
    catalog_id: str
    catalog_name: str | None = ""


class Variant(Entity):
    product_id: str
    variant_name: str | None = ""


class Product(Entity):
    """``review_status``: approved, outdated, pending, rejected, or nothing."""

    product_id: str
    product_name: str | None = ""
    retailer_id: str | None = ""
    review_status: str | None = ""
    product_variants: tuple[Variant, ...] | None = ()


class Quota(Entity):
    """Posts published through the API in the last ``quota_duration`` seconds, and how many there may be."""

    quota_usage: int = 0
    config: QuotaConfig | None = None


class QuotaConfig(Entity):
    quota_total: int = 0
    quota_duration: int = 86_400


for late in (Media, Comment, Mentioned, Thread, Quota):
    late.model_rebuild()
