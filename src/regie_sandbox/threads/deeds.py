"""What can be done on Threads: containers, publishing, hiding, deleting, insights. Limits: the connector's notes."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import regex
from PIL import Image, UnidentifiedImageError

from regie_sandbox.graph.base import Call, Edge
from regie_sandbox.graph.wire import Trouble, as_list, as_object, missing, no_such, truth
from regie_sandbox.threads.shown import DAY, below, status_of
from regie_sandbox.threads.state import Container, Media, User

if TYPE_CHECKING:
    from regie_sandbox.threads.app import Threads

TEXT, ALT, TOPIC, LINKS, OPTION = 500, 1000, 50, 5, 25
CAROUSEL = (2, 20)
PICTURE_BYTES, VIDEO_BYTES = 8 * 1024 * 1024, 1_000_000_000
RATIO = 10.0
POSTS, REPLIES, DELETIONS = 250, 1000, 100
KINDS = ("TEXT", "IMAGE", "VIDEO", "CAROUSEL")
PLACES = "threads_location_tagging"
REPLY_CONTROL = ("everyone", "accounts_you_follow", "mentioned_only", "parent_post_author_only", "followers_only")
POST_METRICS = {"views", "likes", "replies", "reposts", "quotes", "shares"}
ACCOUNT_METRICS = {
    "views",
    "likes",
    "replies",
    "reposts",
    "quotes",
    "clicks",
    "followers_count",
    "follower_demographics",
}
EMOJI = regex.compile(r"[\p{Extended_Pictographic}\p{Regional_Indicator}\u20e3]")
LINK = re.compile(r"https?://\S+")


class Does:
    def __init__(self, net: Threads) -> None:
        self.net, self.state = net, net.state

    def all(self) -> Mapping[tuple[str, str, str], Edge]:
        return {
            ("POST", "User", "threads"): self.make_container,
            ("POST", "User", "threads_publish"): self.publish,
            ("GET", "User", "threads_publishing_limit"): self.publishing_limit,
            ("GET", "User", "threads_insights"): self.account_insights,
            ("GET", "User", "mentions"): self.mentions,
            ("GET", "User", "replies"): self.replies,
            ("GET", "Media", "replies"): self.answers,
            ("GET", "Media", "conversation"): self.answers,
            ("GET", "Media", "insights"): self.insights,
            ("POST", "Media", "manage_reply"): self.manage_reply,
            ("DELETE", "Media", ""): self.delete,
            ("POST", "Application", "subscriptions"): self.net.subscribe_app,
        }

    # Publishing

    async def make_container(self, call: Call, user: User) -> Any:
        call.must("threads_content_publish")
        self._own(call, user)
        asked, now = call.params, self.net.now()
        kind = str(asked.get("media_type", ""))
        if kind not in KINDS:
            raise Trouble(f"(#100) Param media_type must be one of {{{', '.join(KINDS)}}}", 100)
        one = Container(self.net.new_id(), user.id, kind, now, now, child=truth(asked.get("is_carousel_item")))
        self._words(one, asked)
        one.place = str(asked.get("location_id") or "")
        if one.place:
            call.must(PLACES)
            if one.place not in self.state.places:
                raise Trouble("(#100) Invalid parameter location_id", 100)
        one.countries = [str(each) for each in as_list(asked.get("allowlisted_country_codes"))]
        if one.countries and not user.chooses_countries:
            raise Trouble("(#10) The account is not eligible for geo-gating", 10, status=403)
        if any(len(each) != 2 or not each.isupper() for each in one.countries):
            raise Trouble("(#100) Invalid parameter allowlisted_country_codes", 100)
        match kind:
            case "TEXT" if not one.text.strip() and not one.link:
                raise missing("text")
            case "IMAGE":
                await self._picture(one, str(asked.get("image_url") or ""))
            case "VIDEO":
                await self._video(one, str(asked.get("video_url") or ""))
            case "CAROUSEL":
                self._carousel(one, as_list(asked.get("children")))
        self.state.containers[one.id] = one
        if kind == "TEXT" and truth(asked.get("auto_publish_text", False)):
            return {"id": self._born(user, one).id}
        return {"id": one.id}

    def _own(self, call: Call, user: User) -> None:
        if call.holder != user.id:
            raise no_such(user.id)

    def _words(self, one: Container, asked: Mapping[str, Any]) -> None:
        one.text, one.alt = str(asked.get("text") or ""), str(asked.get("alt_text") or "")
        one.link, one.topic = str(asked.get("link_attachment") or ""), str(asked.get("topic_tag") or "")
        one.quote = str(asked.get("quote_post_id") or "")
        one.reply_control = str(asked.get("reply_control") or "everyone")
        one.reply_to, one.spoiler = str(asked.get("reply_to_id") or ""), truth(asked.get("is_spoiler_media", False))
        one.poll = {name: str(text) for name, text in as_object(asked.get("poll_attachment")).items()}
        if counted(one.text) > TEXT:
            raise Trouble("(#100) Param text must be at most 500 characters long.", 100)
        if len(one.alt) > ALT or len(one.topic) > TOPIC or one.reply_control not in REPLY_CONTROL:
            raise Trouble("(#100) Invalid parameter", 100)
        if len({*LINK.findall(one.text), one.link} - {""}) > LINKS:
            raise Trouble("THREADS_API__LINK_LIMIT_EXCEEDED", 100, said="A post may have at most 5 links.")
        if (one.link or one.poll) and one.kind != "TEXT":
            raise Trouble("(#100) Attachments can be added to text-only posts only", 100)
        if one.link and one.poll:
            raise Trouble("(#100) A post cannot have a link attachment and a poll", 100)
        if one.poll and not _is_poll(one.poll):
            raise Trouble("(#100) Invalid parameter poll_attachment", 100)
        for other in (one.reply_to, one.quote):
            if other and other not in self.state.media:
                raise no_such(other)

    def _carousel(self, one: Container, children: list[Any]) -> None:
        if not CAROUSEL[0] <= len(children) <= CAROUSEL[1]:
            raise Trouble("(#100) A carousel has between 2 and 20 children", 100)
        for child in map(str, children):
            known = self.state.containers.get(child)
            if known is None or not known.child or known.user != one.user:
                raise no_such(child)
        one.children = [str(child) for child in children]

    async def _picture(self, one: Container, url: str) -> None:
        if not url:
            raise missing("image_url")
        if not self.net.fetches:
            return
        try:
            raw = await self.net.fetch(url)
            image = Image.open(io.BytesIO(raw))
        except (LookupError, UnidentifiedImageError, OSError):
            said = "The media could not be fetched from this URI."
            raise Trouble("Media download has failed.", 9004, 2207052, said=said) from None
        ratio = image.width / image.height
        if image.format not in ("JPEG", "PNG") or len(raw) > PICTURE_BYTES or not 1 / RATIO <= ratio <= RATIO:
            raise Trouble("The image is not supported.", 36001, 2207005, said="Use JPEG or PNG of at most 8 MB.")
        self.net.world.files.put(f"threads-{one.id}", raw)

    async def _video(self, one: Container, url: str) -> None:
        """Looked at later, as the vendor does: what is wrong with it shows in the container's status."""
        if not url:
            raise missing("video_url")
        one.ready_at = self.net.now() + timedelta(seconds=self.net.processing_seconds)
        if not self.net.fetches:
            return
        try:
            raw = await self.net.fetch(url)
        except LookupError:
            one.error = "FAILED_DOWNLOADING_VIDEO"
            return
        if raw[4:8] != b"ftyp" or len(raw) > VIDEO_BYTES:
            one.error = "FAILED_PROCESSING_VIDEO"
        self.net.world.files.put(f"threads-{one.id}", raw)

    def publish(self, call: Call, user: User) -> Any:
        call.must("threads_content_publish")
        self._own(call, user)
        one = self.state.containers.get(str(call.params.get("creation_id", "")))
        if one is None or one.user != user.id or one.child:
            raise Trouble("The requested resource does not exist", 24, 4279009, said="Media not found.")
        status = status_of(one, self.state, self.net.now())
        if status != "FINISHED":
            raise Trouble(f"The media container is {status}", 9007, 2207027, said="It cannot be published now.")
        if one.reply_to:
            call.must("threads_manage_replies", "threads_content_publish")
        return {"id": self._born(user, one).id}

    def _born(self, user: User, one: Container) -> Media:
        net = self.net
        spent, most = (user.replied_at, REPLIES) if one.reply_to else (user.posted_at, POSTS)
        _spend(spent, most, net.now())
        made = net.publish(
            user,
            one.text,
            kind=one.kind,
            parent=self.state.media.get(one.reply_to),
            files=[self.state.containers[each] for each in one.children] or ([one] if one.kind != "TEXT" else []),
        )
        made.alt, made.link, made.topic, made.spoiler = one.alt, one.link, one.topic, one.spoiler
        made.quote, made.place = one.quote, one.place
        made.reply_control, made.poll = one.reply_control, one.poll
        made.poll_ends_at = net.now() + DAY if one.poll else None
        one.media = made.id
        return made

    def publishing_limit(self, call: Call, user: User) -> Any:
        since, shown = self.net.now() - DAY, dict[str, Any]()
        rows = {
            "": (user.posted_at, POSTS),
            "reply_": (user.replied_at, REPLIES),
            "delete_": (user.deleted_at, DELETIONS),
        }
        wanted = str(call.params.get("fields", "quota_usage,config")).split(",")
        for name, (spent, most) in rows.items():
            if f"{name}quota_usage" in wanted:
                shown[f"{name}quota_usage"] = sum(at > since for at in spent)
            if f"{name}config" in wanted:
                shown[f"{name}config"] = {"quota_total": most, "quota_duration": 86_400}
        return {"data": [shown]}

    # Answers

    def mentions(self, call: Call, user: User) -> Any:
        call.must("threads_manage_mentions")
        self._own(call, user)
        return self.net.edge(call, "User", user, "mentions")

    def replies(self, call: Call, user: User) -> Any:
        call.must("threads_read_replies")
        self._own(call, user)
        return self.net.edge(call, "User", user, "replies")

    def answers(self, call: Call, media: Media) -> Any:
        """``reverse`` (the newest first) unless told otherwise."""
        call.must("threads_read_replies")
        shown = self.net.edge(call, "Media", media, call.parts[1])
        if not truth(call.params.get("reverse", True)):
            shown["data"].reverse()
        return shown

    def manage_reply(self, call: Call, media: Media) -> Any:
        """Of answers directly under a post of ours; those below it go along."""
        call.must("threads_manage_replies")
        top = self.state.media.get(media.root)
        if top is None or top.user != call.holder or media.parent != top.id:
            raise Trouble("(#100) Only top-level replies to your own posts can be hidden", 100)
        if "hide" not in call.params:
            raise missing("hide")
        for one in (media, *below(self.state, media)):
            one.hidden = truth(call.params["hide"])
        return {"success": True}

    def delete(self, call: Call, media: Media) -> Any:
        call.must("threads_delete")
        user = self.state.users[media.user]
        if call.holder != user.id:
            raise Trouble("(#10) Application does not have permission for this action", 10, status=403)
        _spend(user.deleted_at, DELETIONS, self.net.now())
        for each in (media.id, *media.children):
            del self.state.media[each]
        if (parent := self.state.media.get(media.parent)) is not None:
            parent.replies.remove(media.id)
        user.posts.remove(media.id)
        self.net.note(user, media.id, "", "delete")
        return {"success": True, "deleted_id": media.id}

    # Insights

    def insights(self, call: Call, media: Media) -> Any:
        call.must("threads_manage_insights")
        wanted = [str(one) for one in as_list(call.params.get("metric"))]
        if not wanted or any(one not in POST_METRICS for one in wanted):
            raise Trouble("(#100) metric must be one of " + ", ".join(sorted(POST_METRICS)), 100)
        numbers = self._numbers(media)
        return {"data": [_metric(media.id, name, "lifetime", values=[{"value": numbers[name]}]) for name in wanted]}

    def _numbers(self, media: Media) -> dict[str, int]:
        likes, replies, reposts = len(media.likes), len(media.replies), len(media.reposts)
        return {
            "views": 8 * max(likes, replies) + 4 * reposts,
            "likes": likes,
            "replies": replies,
            "reposts": reposts,
            "quotes": sum(other.quote == media.id for other in self.state.media.values()),
            "shares": 0,
        }

    def account_insights(self, call: Call, user: User) -> Any:
        """Without ``since`` and ``until``: yesterday and today."""
        call.must("threads_manage_insights")
        self._own(call, user)
        wanted = [str(one) for one in as_list(call.params.get("metric"))]
        if not wanted or any(one not in ACCOUNT_METRICS for one in wanted):
            raise Trouble("(#100) metric must be one of " + ", ".join(sorted(ACCOUNT_METRICS)), 100)
        rows = [self.state.media[one] for one in user.posts]
        today = self.net.now().replace(hour=8, minute=0, second=0, microsecond=0)
        found = []
        for name in wanted:
            if name == "views":
                days = [today - DAY, today]
                values = [{"value": self._views(rows, day), "end_time": _stamp(day)} for day in days]
                found.append(_metric(user.id, name, "day", values=values))
            else:
                total = len(user.followers) if name == "followers_count" else 0
                total += sum(self._numbers(one).get(name, 0) for one in rows)
                found.append(_metric(user.id, name, "day", total_value={"value": total}))
        return {"data": found}

    def _views(self, rows: list[Media], day: datetime) -> int:
        return sum(self._numbers(one)["views"] for one in rows if one.made_at.date() == day.date())


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")


def _metric(node: str, name: str, period: str, **told: Any) -> dict[str, Any]:
    title = name.replace("_", " ").capitalize()
    return {
        "name": name,
        "period": period,
        **told,
        "title": title,
        "description": title,
        "id": f"{node}/insights/{name}/{period}",
    }


def _spend(spent: list[datetime], most: int, now: datetime) -> None:
    spent[:] = [at for at in spent if at > now - DAY]
    if len(spent) >= most:
        raise Trouble("Application request limit reached", 4, 2207051, said="The limit of a day is reached.")
    spent.append(now)


def _is_poll(poll: Mapping[str, str]) -> bool:
    letters = "".join(sorted(name.removeprefix("option_") for name in poll))
    return letters in ("ab", "abc", "abcd") and all(1 <= len(text) <= OPTION for text in poll.values())


def counted(text: str) -> int:
    """As Threads counts: an emoji by its bytes of UTF-8."""
    return sum(len(one.encode()) if EMOJI.search(one) else len(one) for one in regex.findall(r"\X", text))
