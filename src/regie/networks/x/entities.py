"""What comes from X, as far as we read it. Source: openapi 2.167; where its names changed, 2.159's are read as well."""

from __future__ import annotations

from datetime import datetime

from pydantic import AliasChoices, BaseModel, ConfigDict, Field


class Entity(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, frozen=True, populate_by_name=True)


class Problem(Entity):
    """An error's body (RFC 9457), or one of several beside the data. OAuth's own has ``error`` instead."""

    type: str = ""
    title: str = ""
    detail: str = ""
    reason: str = ""
    resource_id: str = ""
    error: str = ""
    error_description: str | None = None
    errors: tuple[Inner, ...] = ()

    @property
    def words(self) -> str:
        """The vendor's own sentence."""
        inner = next((one.message for one in self.errors if one.message), "")
        said = self.detail if self.detail and self.detail != self.title else ""
        return inner or said or self.error_description or self.title or self.error

    @property
    def kind(self) -> str:
        return self.type.rsplit("/", 1)[-1]


class Inner(Entity):
    message: str = ""


class UserMetrics(Entity):
    followers_count: int | None = None
    following_count: int | None = None
    post_count: int | None = Field(default=None, validation_alias=AliasChoices("post_count", "tweet_count"))


class User(Entity):
    id: str
    name: str = ""
    username: str = ""
    profile_image_url: str | None = ""
    subscription_type: str | None = ""
    public_metrics: UserMetrics = UserMetrics()


class Reference(Entity):
    type: str
    id: str


class Link(Entity):
    """``url`` is X's own (t.co), ``expanded_url`` what was written; ``media_key`` when it stands for a file."""

    url: str = ""
    expanded_url: str | None = ""
    media_key: str | None = None


class Entities(Entity):
    urls: tuple[Link, ...] | None = None


class Note(Entity):
    """The whole text of a long post."""

    text: str = ""
    entities: Entities | None = None


class Attachments(Entity):
    media_keys: tuple[str, ...] | None = None
    poll_ids: tuple[str, ...] | None = None


class Metrics(Entity):
    repost_count: int | None = Field(default=None, validation_alias=AliasChoices("repost_count", "retweet_count"))
    reply_count: int | None = None
    like_count: int | None = None
    quote_count: int | None = None
    bookmark_count: int | None = None
    impression_count: int | None = None


class OwnMetrics(Entity):
    """Of our own posts of the last thirty days."""

    engagements: int | None = None
    url_link_clicks: int | None = None
    user_profile_clicks: int | None = None


class EditControls(Entity):
    """What X lets be changed, when it says so."""

    is_edit_eligible: bool | None = None
    editable_until: datetime | None = None
    edits_remaining: int | None = None


class Post(Entity):
    id: str
    history: tuple[str, ...] = Field(
        default=(), validation_alias=AliasChoices("edit_history_post_ids", "edit_history_tweet_ids")
    )
    edit_controls: EditControls = EditControls()
    text: str = ""
    note: Note | None = Field(default=None, validation_alias=AliasChoices("note_post", "note_tweet"))
    author_id: str = ""
    created_at: datetime | None = None
    conversation_id: str = ""
    in_reply_to_user_id: str = ""
    references: tuple[Reference, ...] = Field(
        default=(), validation_alias=AliasChoices("referenced_posts", "referenced_tweets")
    )
    attachments: Attachments = Attachments()
    entities: Entities | None = None
    public_metrics: Metrics = Metrics()
    non_public_metrics: OwnMetrics = OwnMetrics()

    def referring(self, how: str) -> str:
        """The id of the post that it answers ("replied_to"), quotes or passes on."""
        return next((one.id for one in self.references if one.type == how), "")


class Media(Entity):
    media_key: str = ""
    type: str = ""
    url: str | None = None
    preview_image_url: str | None = None


class PollOption(Entity):
    votes: int = 0


class Poll(Entity):
    id: str
    options: tuple[PollOption, ...] = ()


class Includes(Entity):
    users: tuple[User, ...] = ()
    media: tuple[Media, ...] = ()
    polls: tuple[Poll, ...] = ()


class Meta(Entity):
    next_token: str = ""
    newest_id: str = ""


class Posts(Entity):
    """A page of posts, newest first."""

    data: tuple[Post, ...] = ()
    includes: Includes = Includes()
    meta: Meta = Meta()
    errors: tuple[Problem, ...] = ()


class OnePost(Entity):
    data: Post | None = None
    errors: tuple[Problem, ...] = ()


class Me(Entity):
    data: User


class Users(Entity):
    data: tuple[User, ...] = ()


class Created(Entity):
    id: str


class NewPost(Entity):
    data: Created


class DirectAttachments(Entity):
    media_keys: tuple[str, ...] | None = None


class DirectEvent(Entity):
    id: str
    event_type: str = ""
    text: str | None = ""
    created_at: datetime | None = None
    sender_id: str = ""
    dm_conversation_id: str = ""
    attachments: DirectAttachments = DirectAttachments()


class DirectEvents(Entity):
    data: tuple[DirectEvent, ...] = ()
    includes: Includes = Includes()
    meta: Meta = Meta()


class Sent(Entity):
    dm_conversation_id: str
    dm_event_id: str


class NewDirect(Entity):
    data: Sent


class Processing(Entity):
    state: str = ""
    check_after_secs: int | None = None
    progress_percent: int | None = None


class Upload(Entity):
    """``media_key`` is how posts name it; ``processing_info`` is missing when nothing is left to do."""

    id: str
    media_key: str = ""
    expires_after_secs: int | None = None
    processing_info: Processing | None = None


class Uploaded(Entity):
    data: Upload


class Token(Entity):
    access_token: str = Field(repr=False)
    refresh_token: str = Field(default="", repr=False)
    expires_in: int | None = None
    scope: str = ""


class Webhook(Entity):
    id: str
    url: str = ""
    valid: bool = False


class Webhooks(Entity):
    data: tuple[Webhook, ...] = ()


class NewWebhook(Entity):
    data: Webhook


class Filter(Entity):
    user_id: str = ""


class Subscription(Entity):
    subscription_id: str = ""
    event_type: str = ""
    filter: Filter = Filter()
    webhook_id: str = ""


class Subscriptions(Entity):
    data: tuple[Subscription, ...] = ()
    meta: Meta = Meta()


Problem.model_rebuild()
