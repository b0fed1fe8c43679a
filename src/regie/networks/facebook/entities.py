"""What comes from Facebook, as far as we read it. Source: specs Page, PagePost, Comment, AdVideo of Graph v25.0."""

from __future__ import annotations

from pydantic import Field

from regie.networks.meta.entities import Edge, From, Moment
from regie.networks.meta.wire import Entity


class Picture(Entity):
    url: str = ""


class PictureData(Entity):
    data: Picture = Picture()


class PageNode(Entity):
    """A Page. ``access_token`` only behind the sign-in of somebody who manages it."""

    id: str
    name: str = ""
    username: str = ""
    link: str = ""
    access_token: str = ""
    tasks: tuple[str, ...] = ()
    picture: PictureData = PictureData()
    followers_count: int | None = None


class Target(Entity):
    id: str = ""


class Attachment(Entity):
    media_type: str = ""
    type: str = ""
    target: Target | None = None
    subattachments: Edge[Attachment] | None = None


class Total(Entity):
    total_count: int | None = None


class Summed(Entity):
    summary: Total = Total()


class Shares(Entity):
    count: int = 0


class Post(Entity):
    id: str
    message: str | None = ""
    permalink_url: str | None = ""
    created_time: Moment | None = None
    author: From | None = Field(None, alias="from")
    attachments: Edge[Attachment] | None = None
    reactions: Summed | None = None
    shares: Shares | None = None

    @property
    def film(self) -> str:
        """The video that it holds; a video goes by its own number with us. "": none."""
        return film_in(self.attachments)


def film_in(attachments: Edge[Attachment] | None) -> str:
    held = attachments.data if attachments is not None else ()
    return next((one.target.id for one in held if one.media_type == "video" and one.target), "")


class Parent(Entity):
    id: str = ""


class Comment(Entity):
    """``author`` is told only of people who may be named to an app."""

    id: str
    message: str | None = ""
    created_time: Moment | None = None
    author: From | None = Field(None, alias="from")
    parent: Parent | None = None
    permalink_url: str | None = ""
    like_count: int | None = None
    user_likes: bool | None = None
    is_hidden: bool | None = None


class Commented(Entity):
    """A post with what is said under it. ``ours``: as we know it."""

    id: str
    permalink_url: str | None = ""
    attachments: Edge[Attachment] | None = None
    comments: Edge[Comment] | None = None

    @property
    def ours(self) -> str:
        return film_in(self.attachments) or self.id


class Phase(Entity):
    status: str = ""
    publish_status: str = ""
    bytes_transferred: int = 0


class Status(Entity):
    video_status: str = ""
    uploading_phase: Phase = Phase()
    processing_phase: Phase = Phase()
    publishing_phase: Phase = Phase()

    @property
    def is_out(self) -> bool:
        return self.publishing_phase.status == "complete"


class Film(Entity):
    """A video or Reel."""

    id: str
    description: str | None = ""
    permalink_url: str | None = ""
    created_time: Moment | None = None
    post_id: str | None = ""
    published: bool | None = None
    status: Status = Status()

    def post_of(self, page: str) -> str:
        """The post that shows it, by the id under which comments and numbers are found; "": not told."""
        number = self.post_id or ""
        return number if not number or "_" in number else f"{page}_{number}"


class Started(Entity):
    """The beginning of an upload."""

    video_id: str
    upload_session_id: str = ""
    start_offset: int = 0
    end_offset: int = 0
    upload_url: str = ""


class Told(Entity):
    start_offset: int
    end_offset: int


class Mistake(Entity):
    error_subcode: int = 0
    error_user_msg: str = ""
    error_data: Told | None = None


class Mistaken(Entity):
    error: Mistake


class Done(Entity):
    success: bool
    post_id: str = ""


class Story(Entity):
    post_id: str = ""
    status: str = ""
    creation_time: str = ""
    media_id: str = ""
    media_type: str = ""
    url: str = ""


class Message(Entity):
    id: str
    created_time: Moment
    message: str | None = ""
    author: From | None = Field(None, alias="from")


class Thread(Entity):
    id: str
    messages: Edge[Message] | None = None


class Sent(Entity):
    message_id: str


for late in (Attachment, Post, Comment, Commented, Film, Thread):
    late.model_rebuild()
