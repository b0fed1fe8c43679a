"""What comes from VK, as far as we read it. Source: the schema of API 5.199."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from pydantic import Field

from regie.networks.vk.wire import Entity

R = TypeVar("R")
T = TypeVar("T")


class Response(Entity, Generic[R]):
    response: R


class Items(Entity, Generic[T]):
    count: int = 0
    items: tuple[T, ...] = ()


class Count(Entity):
    count: int | None = None


class Attachment(Entity):
    type: str = ""


class Post(Entity):
    """One that is no longer there is told with ``is_deleted`` and little else, or not at all."""

    id: int = 0
    owner_id: int = 0
    from_id: int = 0
    date: int = 0
    text: str = ""
    is_deleted: bool = False
    attachments: tuple[Attachment, ...] = ()
    comments: Count = Count()
    likes: Count = Count()
    reposts: Count = Count()
    views: Count = Count()


class PostId(Entity):
    post_id: int


class Story(Entity):
    id: int
    owner_id: int
    date: int = 0
    is_deleted: bool = False
    is_expired: bool = False


class StoryStats(Entity):
    """A number that VK hides has no ``count``."""

    likes: Count = Count()
    shares: Count = Count()
    replies: Count = Count()
    views: Count = Count()
    open_link: Count = Count()


class StoryFeed(Entity):
    stories: tuple[Story, ...] = ()


class Comment(Entity):
    id: int
    from_id: int
    post_id: int = 0
    date: int
    text: str = ""
    deleted: bool = False
    likes: Count = Count()
    parents_stack: tuple[int, ...] = ()
    reply_to_comment: int | None = None
    thread: Thread | None = None


class Thread(Entity):
    items: tuple[Comment, ...] = ()


class Someone(Entity):
    """A person, or a community with ``name``."""

    id: int
    first_name: str = ""
    last_name: str = ""
    name: str = ""
    screen_name: str = ""
    photo_100: str = ""


class Comments(Items[Comment]):
    """``current_level_count``: how many there are directly under the post, when VK says so."""

    current_level_count: int | None = None
    profiles: tuple[Someone, ...] = ()
    groups: tuple[Someone, ...] = ()


class CommentId(Entity):
    comment_id: int


class Message(Entity):
    id: int
    date: int
    from_id: int
    peer_id: int
    text: str = ""
    out: int = 0


class Conversation(Entity):
    last_message: Message | None = None


class Said(Items[Message]):
    profiles: tuple[Someone, ...] = ()


class Conversations(Items[Conversation]):
    profiles: tuple[Someone, ...] = ()


class Group(Entity):
    id: int
    name: str = ""
    screen_name: str = ""
    photo_200: str = ""
    members_count: int | None = None


class Groups(Entity):
    groups: tuple[Group, ...] = ()


class Permission(Entity):
    name: str


class Permissions(Entity):
    permissions: tuple[Permission, ...] = ()


class Server(Entity):
    upload_url: str


class PhotoSent(Entity):
    """``photo`` is "[]" when VK could not use it."""

    server: int
    photo: str
    hash: str


class Owned(Entity):
    id: int
    owner_id: int

    def attached(self, kind: str) -> str:
        return f"{kind}{self.owner_id}_{self.id}"


class VideoPlace(Entity):
    upload_url: str
    owner_id: int
    video_id: int


class FileSent(Entity):
    file: str = ""
    error: str = ""


class Saved(Entity):
    doc: Owned


class StorySent(Entity):
    """What a story's upload answers, with or without a wrapping."""

    upload_result: str = ""


class Place(Entity):
    """Where the news of a community are told, to whom has the key."""

    server: str
    key: str = Field(repr=False)
    ts: str | int


class Update(Entity):
    type: str
    object: Mapping[str, Any] = Field(default_factory=dict)


class Callback(Update):
    """The same as it is brought to an address of ours."""

    group_id: int = 0
    secret: str = Field(default="", repr=False)


class CallbackServer(Entity):
    """An address to which VK brings news. ``status``: unconfigured, failed, wait, ok."""

    id: int
    title: str = ""
    url: str = ""
    secret_key: str = Field(default="", repr=False)
    status: str = ""


class CallbackServerMade(Entity):
    server_id: int


class Code(Entity):
    code: str


class News(Entity):
    """``failed``: 1 some of it is forgotten, 2 the key ran out, 3 all is forgotten."""

    ts: str | int = ""
    updates: tuple[Update, ...] = ()
    failed: int = 0


class Reach(Entity):
    post_id: int
    reach_total: int | None = None
    links: int | None = None


class Visitors(Entity):
    views: int | None = None


class DayReach(Entity):
    reach: int | None = None


class Day(Entity):
    period_to: int = 0
    visitors: Visitors = Visitors()
    reach: DayReach = DayReach()


for late in (Comment, Thread, Comments):
    late.model_rebuild()
