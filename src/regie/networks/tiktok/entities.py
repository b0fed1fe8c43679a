"""What comes from TikTok's two APIs, as far as we read it. Source: their reference pages, see NOTES.md."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

T = TypeVar("T")


class Entity(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, frozen=True)


class Said(Entity):
    """How each answer ends; ``code`` is "ok" when it was done."""

    code: str
    message: str = ""
    log_id: str = ""

    @property
    def words(self) -> str:
        return self.message or self.code


class Body(Entity, Generic[T]):
    data: T


class Failure(Entity):
    """An answer of the sign-in that says no."""

    error: str
    error_description: str = ""


class Token(Entity):
    open_id: str
    access_token: str
    refresh_token: str
    expires_in: int
    refresh_expires_in: int | None = Field(
        None, validation_alias=AliasChoices("refresh_expires_in", "refresh_token_expires_in")
    )
    scope: str = ""

    @property
    def scopes(self) -> tuple[str, ...]:
        return tuple(one.strip() for one in self.scope.split(",") if one.strip())


class User(Entity):
    open_id: str
    display_name: str = ""
    avatar_url: str = ""
    username: str = ""
    follower_count: int | None = None
    following_count: int | None = None
    likes_count: int | None = None
    video_count: int | None = None


class UserData(Entity):
    user: User


class Creator(Entity):
    """What the account's owner allows, now."""

    creator_username: str = ""
    creator_nickname: str = ""
    creator_avatar_url: str = ""
    privacy_level_options: tuple[str, ...] = ()
    comment_disabled: bool = False
    duet_disabled: bool = False
    stitch_disabled: bool = False
    max_video_post_duration_sec: int | None = None


class Begun(Entity):
    """``upload_url`` of a video that we send; TikTok fetches pictures itself."""

    publish_id: str
    upload_url: str = ""


class Status(Entity):
    """What became of a publish id. TikTok spells the list of post ids so."""

    status: str
    fail_reason: str = Field("", validation_alias=AliasChoices("fail_reason", "reason"))
    uploaded_bytes: int | None = None
    posts: tuple[str, ...] | None = Field((), validation_alias=AliasChoices("publicaly_available_post_id", "post_ids"))

    @property
    def post_id(self) -> str:
        return self.posts[0] if self.posts else ""


class Video(Entity):
    """A public post. ``create_time`` in seconds since 1970, UTC."""

    id: str
    create_time: int = 0
    title: str | None = ""
    video_description: str | None = ""
    share_url: str | None = ""
    like_count: int | None = None
    comment_count: int | None = None
    share_count: int | None = None
    view_count: int | None = None


class Videos(Entity):
    videos: tuple[Video, ...] = ()
    cursor: int = 0
    has_more: bool = False


# TikTok API for Business


class OfDay(Entity):
    """Numbers of one day of UTC (``date``: "2030-03-01"), a day or two late; None: not told, or not yet."""

    date: str = ""
    video_views: int | None = None
    unique_video_views: int | None = None
    engaged_audience: int | None = None


class Account(Entity):
    username: str = ""
    display_name: str = ""
    profile_image: str = ""
    followers_count: int | None = None
    following_count: int | None = None
    total_likes: int | None = None
    videos_count: int | None = None
    metrics: tuple[OfDay, ...] = ()


class Settings(Entity):
    comment_disabled: bool = False
    duet_disabled: bool = False
    stitch_disabled: bool = False
    max_video_post_duration_sec: int | None = None


class Shared(Entity):
    """``share_id``: what the other pages call a publish id."""

    share_id: str


class Item(Entity):
    """A post. ``create_time`` in seconds since 1970, as text; times watched in seconds."""

    item_id: str
    create_time: int = 0
    caption: str | None = ""
    share_url: str | None = ""
    likes: int | None = None
    comments: int | None = None
    shares: int | None = None
    video_views: int | None = None
    favorites: int | None = None
    reach: int | None = None
    total_time_watched: float | None = None
    average_time_watched: float | None = None


class Items(Entity):
    videos: tuple[Item, ...] = ()
    cursor: int = 0
    has_more: bool = False


class Comment(Entity):
    """``owner``: by the account itself. ``parent_comment_id`` of answers only, ``reply_list`` three at most."""

    comment_id: str
    video_id: str = ""
    text: str | None = ""
    create_time: int = 0
    likes: int | None = None
    replies: int | None = None
    owner: bool = False
    liked: bool | None = None
    status: str = ""
    username: str = ""
    display_name: str = ""
    unique_identifier: str = ""
    user_id: str = ""
    profile_image: str = ""
    parent_comment_id: str = ""
    reply_list: tuple[Comment, ...] = ()


class Comments(Entity):
    comments: tuple[Comment, ...] = ()
    cursor: int = 0
    has_more: bool = False


class Made(Entity):
    """The answer to a comment of ours."""

    comment_id: str


Comment.model_rebuild()
