"""What comes from Reddit, as far as we read it. Shapes: the recordings that NOTES.md names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _moment(value: Any) -> Any:
    """Seconds since 1970, as Reddit says times."""
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else value


Moment = Annotated[datetime, BeforeValidator(_moment)]
Whole = Annotated[int | None, BeforeValidator(lambda value: int(value) if isinstance(value, float) else value)]


class Entity(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Token(Entity):
    """``refresh_token``: the same each time, or left out when a token is refreshed."""

    access_token: str
    expires_in: int = 3600
    refresh_token: str = ""
    scope: str = ""


class Profile(Entity):
    """The account's own community, u_name."""

    display_name: str = ""
    title: str = ""
    subscribers: int | None = None


class Me(Entity):
    id: str
    name: str
    icon_img: str | None = ""
    link_karma: int = 0
    comment_karma: int = 0
    total_karma: int | None = None
    subreddit: Profile | None = None


class Community(Entity):
    display_name: str
    title: str | None = ""
    subreddit_type: str = "public"
    submission_type: str | None = "any"  # any, self, link
    user_is_moderator: bool | None = False
    user_is_banned: bool | None = False
    allow_images: bool | None = True
    allow_galleries: bool | None = True
    allow_videos: bool | None = True
    allow_polls: bool | None = True


class Flair(Entity):
    id: str
    text: str | None = ""
    mod_only: bool = False


class Requirements(Entity):
    """What a community asks of posts beside Reddit's own rules. Absent: it asks nothing."""

    is_flair_required: bool | None = False
    title_text_min_length: int | None = None
    title_text_max_length: int | None = None
    title_required_strings: tuple[str, ...] | None = ()
    title_blacklisted_strings: tuple[str, ...] | None = ()
    body_restriction_policy: str | None = "none"  # none, required, notAllowed
    body_text_min_length: int | None = None
    body_text_max_length: int | None = None
    body_required_strings: tuple[str, ...] | None = ()
    body_blacklisted_strings: tuple[str, ...] | None = ()
    link_restriction_policy: str | None = "none"  # none, whitelist, blacklist
    domain_whitelist: tuple[str, ...] | None = ()
    domain_blacklist: tuple[str, ...] | None = ()
    gallery_min_items: int | None = None
    gallery_max_items: int | None = None


class FormField(Entity):
    name: str
    value: str


class Lease(Entity):
    """Where a file goes, and what must go with it."""

    action: str
    fields: tuple[FormField, ...]


class Asset(Entity):
    asset_id: str


class Upload(Entity):
    args: Lease
    asset: Asset


class GalleryItem(Entity):
    media_id: str = ""


class Gallery(Entity):
    items: tuple[GalleryItem, ...] = ()


class PollData(Entity):
    total_vote_count: int | None = None


class Thing(Entity):
    """A post (t3), a comment (t1), or a message (t4); all share one shape, as in the inbox."""

    id: str = ""
    name: str = ""  # the kind and the id: t3_1abc
    author: str | None = None
    author_fullname: str | None = None
    created_utc: Moment | None = None
    subreddit: str | None = None
    permalink: str | None = None
    score: Whole = None
    likes: bool | None = None  # our own vote
    removed_by_category: str | None = None
    # posts
    title: str | None = None
    selftext: str | None = None
    url: str | None = None
    is_self: bool | None = None
    is_video: bool | None = None
    is_gallery: bool | None = None
    post_hint: str | None = None
    domain: str | None = None
    gallery_data: Gallery | None = None
    poll_data: PollData | None = None
    upvote_ratio: float | None = None
    num_comments: int | None = None
    view_count: int | None = None
    hide_score: bool | None = None
    # comments and messages
    body: str | None = None
    parent_id: str | None = None
    link_id: str | None = None
    score_hidden: bool | None = None
    type: str = ""  # in the inbox: post_reply, comment_reply, username_mention, unknown
    context: str | None = None
    was_comment: bool | None = None
    subject: str | None = None
    first_message_name: str | None = None


class Child(Entity):
    kind: str
    data: Thing


class Children(Entity):
    children: tuple[Child, ...]
    after: str | None = None


class Things(Entity):
    """A listing of posts, comments and messages."""

    kind: str
    data: Children


class CommunityChild(Entity):
    data: Community


class CommunityChildren(Entity):
    children: tuple[CommunityChild, ...]
    after: str | None = None


class Communities(Entity):
    data: CommunityChildren


class About(Entity):
    data: Community


class Submitted(Entity):
    """The answer to a submission: an id, or for files only an address that tells of it later."""

    id: str = ""
    name: str = ""
    url: str = ""
    websocket_url: str | None = None
    user_submitted_page: str | None = None
    things: tuple[Child, ...] = ()


class Yes(Entity):
    data: Submitted = Submitted()
    errors: tuple[tuple[str | None, ...], ...] = ()
    ratelimit: float | None = None  # seconds


class Reply(Entity):
    """What Reddit answers to a write: 200, also when it will not have it."""

    yes: Yes = Field(alias="json")


class Invalid(Entity):
    """A submission that breaks a community's rules: 400."""

    explanation: str = ""
    message: str = ""
    reason: str | None = ""
