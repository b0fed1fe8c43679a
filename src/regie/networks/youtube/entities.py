"""What comes from YouTube, as far as we read it. Source: youtube.v3 discovery document, revision 20261104."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from regie.networks.google import Entity


class Thumbnail(Entity):
    url: str = ""


class VideoSnippet(Entity):
    published_at: datetime | None = Field(default=None, alias="publishedAt")
    channel_id: str = Field(default="", alias="channelId")
    title: str = ""
    description: str = ""
    category_id: str = Field(default="", alias="categoryId")


class VideoStatus(Entity):
    upload: str = Field(default="", alias="uploadStatus")
    privacy: str = Field(default="", alias="privacyStatus")
    failure: str = Field(default="", alias="failureReason")
    rejection: str = Field(default="", alias="rejectionReason")


class Processing(Entity):
    status: str = Field(default="", alias="processingStatus")
    failure: str = Field(default="", alias="processingFailureReason")


class Statistics(Entity):
    """Numbers come as text; one that the owner hides is not there."""

    views: int | None = Field(default=None, alias="viewCount")
    likes: int | None = Field(default=None, alias="likeCount")
    comments: int | None = Field(default=None, alias="commentCount")
    subscribers: int | None = Field(default=None, alias="subscriberCount")
    hidden: bool = Field(default=False, alias="hiddenSubscriberCount")
    videos: int | None = Field(default=None, alias="videoCount")


class Video(Entity):
    id: str
    snippet: VideoSnippet | None = None
    status: VideoStatus | None = None
    processing: Processing | None = Field(default=None, alias="processingDetails")
    statistics: Statistics = Statistics()


class Shown(Entity):
    privacy: str = Field(alias="privacyStatus")


class Updated(Entity):
    """The answer to making a video public."""

    id: str
    status: Shown


class Uploads(Entity):
    uploads: str = ""


class ChannelContent(Entity):
    related: Uploads = Field(default=Uploads(), alias="relatedPlaylists")


class ChannelSnippet(Entity):
    title: str = ""
    custom_url: str = Field(default="", alias="customUrl")
    country: str = ""
    thumbnails: dict[str, Thumbnail] = {}


class ChannelStatus(Entity):
    long_uploads: str = Field(default="", alias="longUploadsStatus")


class Channel(Entity):
    id: str
    snippet: ChannelSnippet = ChannelSnippet()
    content: ChannelContent = Field(default=ChannelContent(), alias="contentDetails")
    statistics: Statistics = Statistics()
    status: ChannelStatus = ChannelStatus()


class Ident(Entity):
    id: str


class ItemContent(Entity):
    video_id: str = Field(default="", alias="videoId")


class PlaylistItem(Entity):
    id: str
    content: ItemContent = Field(default=ItemContent(), alias="contentDetails")


class Titled(Entity):
    title: str = ""
    assignable: bool = True


class Choosable(Entity):
    """A playlist, or a category."""

    id: str
    snippet: Titled = Titled()


class ChannelId(Entity):
    value: str = ""


class CommentSnippet(Entity):
    author: str = Field(default="", alias="authorDisplayName")
    author_id: ChannelId = Field(default=ChannelId(), alias="authorChannelId")
    author_url: str = Field(default="", alias="authorChannelUrl")
    avatar: str = Field(default="", alias="authorProfileImageUrl")
    shown: str = Field(default="", alias="textDisplay")
    original: str | None = Field(default=None, alias="textOriginal")
    video_id: str = Field(default="", alias="videoId")
    parent_id: str = Field(default="", alias="parentId")
    likes: int | None = Field(default=None, alias="likeCount")
    picture: str = Field(default="", alias="imageUrl")
    published_at: datetime | None = Field(default=None, alias="publishedAt")
    moderation: str = Field(default="", alias="moderationStatus")  # told to the channel's owner


class Comment(Entity):
    id: str
    snippet: CommentSnippet


class Replies(Entity):
    comments: tuple[Comment, ...] = ()


class ThreadSnippet(Entity):
    video_id: str = Field(default="", alias="videoId")
    top: Comment = Field(alias="topLevelComment")
    replies: int = Field(default=0, alias="totalReplyCount")


class Thread(Entity):
    id: str
    snippet: ThreadSnippet
    replies: Replies = Replies()


class Column(Entity):
    name: str


class Report(Entity):
    """A table of YouTube Analytics."""

    columns: tuple[Column, ...] = Field(default=(), alias="columnHeaders")
    rows: tuple[tuple[Any, ...], ...] = ()

    def named(self) -> list[dict[str, Any]]:
        names = [one.name for one in self.columns]
        return [dict(zip(names, row, strict=False)) for row in self.rows]
