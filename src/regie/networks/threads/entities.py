"""What comes from Threads, as far as we read it. Source: the vendor's collection of requests and its guides."""

from __future__ import annotations

from pydantic import Field

from regie.networks.meta.entities import Edge, Moment, Value
from regie.networks.meta.wire import Entity


class Me(Entity):
    id: str = ""
    username: str = ""
    name: str | None = ""
    threads_profile_picture_url: str | None = ""
    is_eligible_for_geo_gating: bool = False


class Short(Entity):
    """The first token, of an hour."""

    access_token: str
    user_id: str = ""


class Debugged(Entity):
    scopes: tuple[str, ...] = ()


class Debug(Entity):
    data: Debugged = Debugged()


class Container(Entity):
    """``error_message``: a word such as FAILED_DOWNLOADING_VIDEO."""

    id: str
    status: str
    error_message: str | None = ""


class Of(Entity):
    id: str = ""
    owner_id: str = ""
    username: str = ""


class Post(Entity):
    """A post, or an answer, which is a post too."""

    id: str
    text: str | None = ""
    permalink: str | None = ""
    timestamp: Moment | None = None
    username: str = ""
    media_type: str = ""
    media_url: str | None = ""
    thumbnail_url: str | None = ""
    profile_picture_url: str | None = ""
    children: Edge[Of] | None = None
    has_replies: bool | None = False
    is_reply: bool | None = False
    is_ours: bool | None = Field(False, alias="is_reply_owned_by_me")
    root_post: Of | None = None
    replied_to: Of | None = None


class Metric(Entity):
    """A number of a post, a series of days, or a total."""

    name: str
    values: tuple[Value, ...] = ()
    total_value: Value | None = None


class Quota(Entity):
    quota_usage: int = 0
    config: QuotaConfig | None = None


class QuotaConfig(Entity):
    quota_total: int = 0
    quota_duration: int = 86_400


Quota.model_rebuild()


class Place(Entity):
    id: str
    name: str | None = ""
    address: str | None = ""
    city: str | None = ""
    country: str | None = ""

    @property
    def in_full(self) -> str:
        """Its name, and where it is: many have the same."""
        where = ", ".join(one for one in (self.address, self.city, self.country) if one)
        return " · ".join(one for one in (self.name or self.id, where) if one)
