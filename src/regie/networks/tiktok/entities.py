"""What comes from TikTok's open API, as far as we read it. Source: its reference pages, see NOTES.md."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

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
    refresh_expires_in: int | None = None
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
    fail_reason: str = ""
    uploaded_bytes: int | None = None
    posts: tuple[str, ...] | None = Field(default=(), alias="publicaly_available_post_id")

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
