"""What comes from LinkedIn, as far as we read it. Sources: NOTES.md."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

T = TypeVar("T")


class Entity(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", coerce_numbers_to_str=True, frozen=True
    )


def _from_milliseconds(value: Any) -> Any:
    return datetime.fromtimestamp(value / 1000, UTC) if isinstance(value, int) else value


Moment = Annotated[datetime, BeforeValidator(_from_milliseconds)]


class Said(Entity):
    """The vendor's error."""

    status: int = 0
    code: str = ""
    message: str = ""


class Paging(Entity):
    start: int = 0
    count: int = 0
    total: int | None = None


class Elements(Entity, Generic[T]):
    elements: tuple[T, ...]
    paging: Paging = Paging()


class Token(Entity):
    """OAuth's own names."""

    model_config = ConfigDict(alias_generator=None)

    access_token: str
    expires_in: int | None = None
    refresh_token: str = ""
    refresh_token_expires_in: int | None = None
    scope: str = ""


class Me(Entity):
    id: str
    localized_first_name: str = ""
    localized_last_name: str = ""
    vanity_name: str = ""

    @property
    def name(self) -> str:
        return f"{self.localized_first_name} {self.localized_last_name}".strip()


class UserInfo(Entity):
    sub: str
    name: str = ""
    picture: str = ""


class Acl(Entity):
    """A role of the member's on a Page; older versions call the Page ``organizationTarget``."""

    role: str = ""
    state: str = ""
    organization: str = ""
    organization_target: str = ""

    @property
    def page(self) -> str:
        return self.organization or self.organization_target


class Organization(Entity):
    id: str
    localized_name: str = ""
    vanity_name: str = ""


class Organizations(Entity):
    results: Mapping[str, Organization] = Field(default_factory=dict)


class Started(Entity):
    """An upload that may begin. ``image`` or ``document`` is its name."""

    upload_url: str
    image: str = ""
    document: str = ""


class Part(Entity):
    upload_url: str
    first_byte: int
    last_byte: int


class StartedVideo(Entity):
    video: str
    upload_token: str = ""
    upload_instructions: tuple[Part, ...]
    captions_upload_url: str = ""
    thumbnail_upload_url: str = ""


class Value(Entity, Generic[T]):
    value: T


class Asset(Entity):
    """An image, video or document at LinkedIn."""

    id: str = ""
    status: str


class Images(Entity):
    images: tuple[Mapping[str, Any], ...] = ()


class Content(Entity):
    media: Mapping[str, Any] | None = None
    article: Mapping[str, Any] | None = None
    multi_image: Images | None = None

    @property
    def files(self) -> int:
        """Pictures, a video, a document, or the picture on a link's card."""
        if self.multi_image is not None:
            return len(self.multi_image.images)
        return int(self.media is not None or bool((self.article or {}).get("thumbnail")))


class Post(Entity):
    id: str
    author: str = ""
    commentary: str = ""
    created_at: Moment | None = None
    published_at: Moment | None = None
    lifecycle_state: str = "PUBLISHED"
    content: Content = Content()

    @property
    def at(self) -> datetime | None:
        return self.published_at or self.created_at


class Time(Entity):
    time: Moment


class Text(Entity):
    text: str = ""


class Comment(Entity):
    comment_urn: str = ""
    id: str = ""
    actor: str = ""
    object: str = ""
    parent_comment: str = ""
    message: Text = Text()
    created: Time | None = None


class Decoration(Entity):
    """A comment or a post as a notification carries it."""

    entity: str = ""
    owner: str = ""
    text: str = ""


class Decorated(Entity):
    comment: Decoration | None = None
    share: Decoration | None = None


class Notification(Entity):
    notification_id: str
    action: str
    organizational_entity: str = ""
    source_post: str = ""
    decorated_source_post: Decoration | None = None
    generated_activity: str = ""
    decorated_generated_activity: Decorated = Decorated()
    last_modified_at: Moment


class ShareStatistics(Entity):
    impression_count: int | None = None
    unique_impressions_count: int | None = None
    click_count: int | None = None
    like_count: int | None = None
    comment_count: int | None = None
    share_count: int | None = None


class Statistics(Entity):
    """``share`` or ``ugcPost`` when it is a post's, neither when it is the Page's."""

    share: str = ""
    ugc_post: str = ""
    total_share_statistics: ShareStatistics = ShareStatistics()


class Size(Entity):
    first_degree_size: int | None = None


class Count(Entity):
    """One number of a member's post."""

    count: int | None = None


class Followers(Entity):
    member_followers_count: int | None = None
