"""What can be done on Instagram: containers, publishing, comments, messages, insights. Limits in the vendor's words."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from PIL import Image, UnidentifiedImageError

from regie_sandbox.graph.base import Call, Edge
from regie_sandbox.graph.wire import Trouble, as_list, as_object, fields_of, missing, no_such, truth
from regie_sandbox.instagram.shown import status_of
from regie_sandbox.instagram.state import Comment, Container, Media, Product, Shop, User

if TYPE_CHECKING:
    from regie_sandbox.instagram.app import Instagram

CAPTION, HASHTAGS, MENTIONS, ALT = 2200, 30, 20, 1000
COLLABORATORS, PEOPLE = 3, 20
PICTURE_BYTES, REEL_BYTES, STORY_BYTES = 8 * 1024 * 1024, 300 * 1000 * 1000, 100 * 1000 * 1000
DAY = timedelta(days=1)
SHOPPING = ("instagram_shopping_tag_products", "catalog_management")
PRODUCTS = 5
PUBLISH = ("instagram_business_content_publish", "instagram_content_publish")
COMMENTS = ("instagram_business_manage_comments", "instagram_manage_comments")
MESSAGES = ("instagram_business_manage_messages", "instagram_manage_messages")
INSIGHTS = ("instagram_business_manage_insights", "instagram_manage_insights")
FEED = {"views", "reach", "likes", "comments", "saved", "shares", "total_interactions", "reposts"}
METRICS: Mapping[str, set[str]] = {
    "FEED": {*FEED, "follows", "profile_visits", "profile_activity"},
    "REELS": {*FEED, "ig_reels_avg_watch_time", "ig_reels_video_view_total_time", "reels_skip_rate"},
    "STORY": {"views", "reach", "shares", "total_interactions", "follows", "profile_visits", "navigation", "replies"},
}
ACCOUNT_METRICS = {
    "reach", "views", "accounts_engaged", "total_interactions", "likes", "comments", "saves", "shares", "replies",
    "reposts", "profile_links_taps", "follows_and_unfollows",
}  # fmt: skip


class Does:
    def __init__(self, net: Instagram) -> None:
        self.net, self.state = net, net.state

    def all(self) -> Mapping[tuple[str, str, str], Edge]:
        return {
            ("GET", "User", "permissions"): self.net.permissions,
            ("GET", "IGUser", ""): self.show_user,
            ("GET", "IGUser", "available_catalogs"): self.catalogs,
            ("GET", "IGUser", "catalog_product_search"): self.find_products,
            ("GET", "IGMedia", "product_tags"): self.products_on,
            ("POST", "IGUser", "media"): self.make_container,
            ("POST", "IGUser", "media_publish"): self.publish,
            ("GET", "IGUser", "content_publishing_limit"): self.publishing_limit,
            ("POST", "IGUser", "mentions"): self.answer_mention,
            ("POST", "IGUser", "messages"): self.send_message,
            ("GET", "IGUser", "insights"): self.account_insights,
            ("GET", "IGUser", "subscribed_apps"): self.subscribed,
            ("POST", "IGUser", "subscribed_apps"): self.subscribe,
            ("DELETE", "IGUser", "subscribed_apps"): self.unsubscribe,
            ("POST", "Page", "messages"): self.send_message,
            ("POST", "Page", "subscribed_apps"): self.subscribe,
            ("DELETE", "Page", "subscribed_apps"): self.unsubscribe,
            ("GET", "IGMedia", "insights"): self.media_insights,
            ("POST", "IGMedia", "comments"): self.comment,
            ("POST", "IGMedia", ""): self.switch_comments,
            ("DELETE", "IGMedia", ""): self.delete_media,
            ("POST", "IGComment", "replies"): self.reply,
            ("POST", "IGComment", ""): self.hide,
            ("DELETE", "IGComment", ""): self.delete_comment,
            ("POST", "Application", "subscriptions"): self.net.subscribe_app,
        }

    # Publishing

    async def make_container(self, call: Call, user: User) -> Any:
        call.must(*PUBLISH)
        self._own(call, user)
        asked, now = call.params, self.net.now()
        kind = str(asked.get("media_type", "") or ("VIDEO" if asked.get("video_url") else "IMAGE"))
        if kind not in ("IMAGE", "VIDEO", "REELS", "STORIES", "CAROUSEL"):
            raise Trouble("Only photo or video can be accepted as media type.", 100, 2207023)
        one = Container(self.net.new_id(), user.id, kind, now, now, child=truth(asked.get("is_carousel_item")))
        one.caption, one.alt = str(asked.get("caption") or ""), str(asked.get("alt_text") or "")
        await self._cover(one, str(asked.get("cover_url") or ""))
        one.share_to_feed = truth(asked.get("share_to_feed", True))
        _look_at_words(one)
        _take_options(one, call)
        if asked.get("product_tags"):
            one.products = self._products(one, call, user)
        if kind == "CAROUSEL":
            self._carousel(one, as_list(asked.get("children")))
        elif asked.get("upload_type") == "resumable":
            if call.way != "facebook":
                raise Trouble("(#100) upload_type is not available with this login", 100)
            one.upload = one.video = True
            self.state.containers[one.id] = one
            return {"id": one.id, "uri": f"{self.net.base}/facebook/ig-api-upload/v25.0/{one.id}"}
        elif asked.get("video_url"):
            await self._video(one, str(asked["video_url"]))
        elif asked.get("image_url"):
            await self._picture(one, str(asked["image_url"]))
        else:
            raise Trouble(
                "The parameter image_url is required" if kind == "IMAGE" else "The parameter video_url is required", 100
            )
        self.state.containers[one.id] = one
        return {"id": one.id}

    def _own(self, call: Call, user: User) -> None:
        """The token speaks for this account: its own, its Page's, or its manager's."""
        person = self.state.people.get(call.holder)
        if call.holder not in (user.id, user.page) and (person is None or user.page not in person.pages):
            raise no_such(user.id)

    def _carousel(self, one: Container, children: list[Any]) -> None:
        if not 2 <= len(children) <= 10:
            said = "Your carousel must have between 2 and 10 items."
            raise Trouble("Carousel validation failed", 100, 2207028, said=said)
        for child in map(str, children):
            known = self.state.containers.get(child)
            if known is None or not known.child or known.user != one.user:
                raise Trouble("The media could not be found", 24, 2207006, said="The requested resource does not exist")
        one.children = [str(child) for child in children]

    async def _cover(self, one: Container, url: str) -> None:
        """Of a Reel; other kinds overlook it."""
        if not url or one.kind != "REELS":
            return
        one.cover = True
        if not self.net.fetches:
            return
        raw = await self._fetched(url)
        try:
            is_jpeg = Image.open(io.BytesIO(raw)).format == "JPEG"
        except (UnidentifiedImageError, OSError):
            raise _cannot_fetch() from None
        if not is_jpeg or len(raw) > PICTURE_BYTES:
            raise Trouble("The cover image format is not supported", 36001, 2207005, said="Use a JPEG of up to 8 MiB.")
        self.net.world.files.put(f"instagram-cover-{one.id}", raw)

    async def _picture(self, one: Container, url: str) -> None:
        if not self.net.fetches:
            return
        raw = await self._fetched(url)
        try:
            image = Image.open(io.BytesIO(raw))
        except (UnidentifiedImageError, OSError):
            raise _cannot_fetch() from None
        if image.format != "JPEG":
            raise Trouble("The image format is not supported", 36001, 2207005, said="Use JPEG.")
        if len(raw) > PICTURE_BYTES:
            said = "The image is too large to download. It should be less than 8 MiB."
            raise Trouble("The image size is too large.", 36000, 2207004, said=said)
        ratio = image.width / image.height
        if one.kind != "STORIES" and not 0.79 <= ratio <= 1.92:
            said = f"The submitted image with aspect ratio ('{ratio:.2f}',) cannot be published."
            raise Trouble("The aspect ratio is not supported.", 36003, 2207009, said=said)
        self.net.world.files.put(f"instagram-{one.id}", raw)

    async def _video(self, one: Container, url: str) -> None:
        """Looked at later, as the vendor does: what is wrong with it shows in the container's status."""
        one.video = True
        one.ready_at = self.net.now() + timedelta(seconds=self.net.processing_seconds)
        if not self.net.fetches:
            return
        try:
            raw = await self.net.fetch(url)
        except LookupError:
            one.error = "2207052"
            return
        self._look_at_video(one, raw)

    def _look_at_video(self, one: Container, raw: bytes) -> None:
        if raw[4:8] != b"ftyp" or len(raw) > (STORY_BYTES if one.kind == "STORIES" else REEL_BYTES):
            one.error = "2207026"
        self.net.world.files.put(f"instagram-{one.id}", raw)

    async def _fetched(self, url: str) -> bytes:
        try:
            return await self.net.fetch(url)
        except LookupError:
            raise _cannot_fetch() from None

    async def receive(self, call: Call) -> Any:
        """The rest of an upload: headers offset and file_size, the bytes as the body. May break off at any byte."""
        one, headers = self.state.containers.get(call.parts[-1]), call.request.headers
        if one is None or not one.upload:
            raise no_such(call.parts[-1])
        self._own(call, self.state.users[one.user])
        if "offset" not in headers or "file_size" not in headers:
            raise Trouble("Missing offset or file_size header", 100)
        if int(headers["offset"]) != one.received:
            raise Trouble("The offset does not match the bytes received", 100, 2207077)
        one.size, name = int(headers["file_size"]), f"instagram-{one.id}"
        kept = bytearray(self.net.world.files.get(name) or b"") if one.received else bytearray()
        try:
            async for chunk in call.request.content.iter_chunked(1 << 16):
                kept += chunk
        finally:  # what came before a connection broke is kept
            one.received = len(kept)
            self.net.world.files.put(name, bytes(kept))
        if one.received >= one.size:
            one.ready_at = self.net.now() + timedelta(seconds=self.net.processing_seconds)
            self._look_at_video(one, bytes(kept))
        return {"success": True, "message": "Upload successful."}

    def publish(self, call: Call, user: User) -> Any:
        call.must(*PUBLISH)
        self._own(call, user)
        one = self.state.containers.get(str(call.params.get("creation_id", "")))
        if one is not None and any(each.products for each in (one, *(self.state.containers[c] for c in one.children))):
            self._sells(call, user)
        if one is None or one.user != user.id or one.child:
            said = "The media builder with this creation id does not exist."
            raise Trouble("The media builder could not be found", 24, 2207008, said=said)
        status = status_of(one, self.state, self.net.now())
        if status == "PUBLISHED":
            said = "The media with this creation id was published already."
            raise Trouble("The media builder could not be found", 24, 2207008, said=said)
        if status == "EXPIRED":
            raise Trouble("The media has expired", -2, 2207020, said="Please try to upload again.")
        if status != "FINISHED":
            said = "The media is not ready for publishing, please wait for a moment"
            raise Trouble("Media ID is not available", 9007, 2207027, said=said)
        now = self.net.now()
        user.published_at = [at for at in user.published_at if at > now - DAY]
        if len(user.published_at) >= self.net.publish_limit:
            said = "You reached maximum number of posts that is allowed to be published by Content Publishing API."
            raise Trouble("Application request limit reached", 9, 2207042, said=said)
        user.published_at.append(now)
        return {"id": self._born(user, one).id}

    def _born(self, user: User, one: Container) -> Media:
        product = {"REELS": "REELS", "STORIES": "STORY"}.get(one.kind, "FEED")
        kind = "CAROUSEL_ALBUM" if one.children else "VIDEO" if one.video else "IMAGE"
        net = self.net
        media = Media(
            net.new_id(), user.id, kind, product, net.faults.rewritten(one.caption), net.now(), net.shortcode()
        )
        media.alt, media.file, media.products = one.alt, f"instagram-{one.id}", one.products
        media.people = one.people
        for child in (self.state.containers[each] for each in one.children):
            made = Media(
                net.new_id(), user.id, "VIDEO" if child.video else "IMAGE", "FEED", "", net.now(), net.shortcode(),
                alt=child.alt, file=f"instagram-{child.id}", is_child=True, products=child.products,
                people=child.people,
            )  # fmt: skip
            self.state.media[made.id] = made
            media.children.append(made.id)
        self.state.media[media.id] = media
        user.media.append(media.id)
        one.media = media.id
        kept = "story" if product == "STORY" else "post"
        net.note(user, media.id, media.caption, kept, media=len(media.children) or 1)
        return media

    def publishing_limit(self, call: Call, user: User) -> Any:
        used = [at for at in user.published_at if at > self.net.now() - DAY]
        config = {"quota_total": self.net.publish_limit, "quota_duration": 86_400}
        return {"data": [{"config": config, "quota_usage": len(used)}]}

    def switch_comments(self, call: Call, media: Media) -> Any:
        call.must(*COMMENTS)
        media.comment_enabled = truth(call.params.get("comment_enabled"))
        return {"success": True}

    def delete_media(self, call: Call, media: Media) -> Any:
        if call.way != "facebook":
            raise Trouble("Unsupported delete request.", 100, 33, kind="GraphMethodException")
        call.must("instagram_manage_contents")
        user = self.state.users[media.user]
        self._own(call, user)
        for each in (media.id, *media.children):
            del self.state.media[each]
        user.media.remove(media.id)
        self.net.note(user, media.id, "", "delete")
        return {"success": True}

    # Products

    def show_user(self, call: Call, user: User) -> Any:
        """Whether it may tag products is told to whoever may speak of its shop."""
        wanted = fields_of(str(call.params.get("fields", "id")))
        if any(one.name == "shopping_product_tag_eligibility" for one in wanted):
            self._speaks_of_shop(call)
        return self.net.show("IGUser", user, wanted, call)

    def _speaks_of_shop(self, call: Call) -> None:
        """A person's own token with both permissions: neither a Page nor the account itself has a shop to speak of."""
        if call.bearer.way != "facebook":
            raise Trouble("(#10) This method must be called with a user access token.", 10, status=403)
        for scope in SHOPPING:
            call.must(scope)

    def _sells(self, call: Call, user: User) -> Shop:
        self._speaks_of_shop(call)
        self._own(call, user)
        if user.shop is None:
            raise Trouble("(#10) The Instagram account is not eligible for product tagging.", 10, 2207036, status=403)
        return user.shop

    def catalogs(self, call: Call, user: User) -> Any:
        shop = self._sells(call, user)
        count = len(shop.products)
        shown = {"catalog_id": shop.catalog, "catalog_name": shop.name, "shop_name": shop.name, "product_count": count}
        return {"data": [shown]}

    def find_products(self, call: Call, user: User) -> Any:
        shop, words = self._sells(call, user), str(call.params.get("q") or "").lower()
        if call.params.get("catalog_id") != shop.catalog:
            raise Trouble("(#100) Invalid parameter catalog_id", 100)
        found = [one for one in shop.products if words in one.name.lower()]
        return {"data": [_product(one) for one in found[: int(call.params.get("limit") or 25)]]}

    def products_on(self, call: Call, media: Media) -> Any:
        shop = self._sells(call, self.state.users[media.user])
        named = {id_: one for one in shop.products for id_ in (one.id, *one.variants)}
        rows = [{**tag, "product_id": int(tag["product_id"])} for tag in media.products]
        return {
            "data": [
                {**row, "name": named[str(row["product_id"])].name, "review_status": "approved", "is_checkout": True}
                for row in rows
            ]
        }

    def _products(self, one: Container, call: Call, user: User) -> list[dict[str, Any]]:
        """At most five in a picture or a video, each once; a place only in a picture."""
        shop, asked = self._sells(call, user), call.params
        tags = [as_object(tag) for tag in as_list(asked["product_tags"])]
        if one.kind in ("STORIES", "CAROUSEL"):
            raise Trouble("(#100) Product tags are not supported for this media type", 100, 2207035)
        if len(tags) > PRODUCTS:
            raise Trouble("(#100) Too many product tags", 100, 2207037, said=f"At most {PRODUCTS} products.")
        ids = [str(tag.get("product_id", "")) for tag in tags]
        if len(set(ids)) < len(ids) or not all(shop.holds(each) for each in ids):
            raise Trouble("(#100) Invalid parameter product_tags", 100, 2207037, said="Not all products can be added.")
        is_video = one.kind in ("REELS", "VIDEO")
        if is_video and any(axis in tag for tag in tags for axis in "xy"):
            raise Trouble("(#100) Product tags of a video have no place", 100, 2207035)
        if not all(0 <= float(tag.get(axis, 0)) <= 1 for tag in tags for axis in "xy"):
            raise Trouble("(#100) Invalid parameter product_tags", 100)
        return tags

    # Comments

    def comment(self, call: Call, media: Media) -> Any:
        call.must(*COMMENTS)
        return {"id": self.net.comment(media, self._speaker(call), _message(call)).id}

    def reply(self, call: Call, comment: Comment) -> Any:
        call.must(*COMMENTS)
        if comment.parent:
            raise Trouble("(#100) Replies can only be made on top-level comments", 100)
        media = self.state.media[comment.media]
        return {"id": self.net.comment(media, self._speaker(call), _message(call), parent=comment).id}

    def _speaker(self, call: Call) -> User:
        if (user := self.state.users.get(call.holder)) is not None:
            return user
        person = self.state.people.get(call.holder)
        page = person.pages[0] if person is not None else call.holder
        return self.state.users[self.state.pages[page]]

    def hide(self, call: Call, comment: Comment) -> Any:
        call.must(*COMMENTS)
        if "hide" not in call.params:
            raise missing("hide")
        comment.hidden = truth(call.params["hide"])
        return {"success": True}

    def delete_comment(self, call: Call, comment: Comment) -> Any:
        call.must(*COMMENTS)
        parent = self.state.comments.get(comment.parent)
        (parent.replies if parent is not None else self.state.media[comment.media].comments).remove(comment.id)
        for each in (*comment.replies, comment.id):
            del self.state.comments[each]
        self.net.note(self._speaker(call), comment.id, "", "delete")
        return {"success": True}

    def answer_mention(self, call: Call, user: User) -> Any:
        call.must(*COMMENTS)
        media = self.state.media.get(str(call.params.get("media_id", "")))
        if media is None:
            raise missing("media_id")
        parent = self.state.comments.get(str(call.params.get("comment_id", "")))
        return {"id": self.net.comment(media, user, _message(call), parent=parent).id}

    # Messages

    def send_message(self, call: Call, _: Any) -> Any:
        call.must(*MESSAGES)
        account = self._speaker(call)
        recipient, message = as_object(call.params.get("recipient")), as_object(call.params.get("message"))
        text = str(message.get("text") or "")
        if not text:
            raise missing("message")
        if len(text.encode()) > 1000:
            raise Trouble("(#100) Length of param message[text] must be less than or equal to 1000", 100)
        if (comment := self.state.comments.get(str(recipient.get("comment_id", "")))) is not None:
            person = self.state.users[comment.by]
        else:
            person = self._person(str(recipient.get("id", "")))
            self._window(call, account, person)
        made = self.net.direct(account, person, text)
        self.net.note(account, made.id, text, "reply")
        return {"recipient_id": person.scoped, "message_id": made.id}

    def _person(self, scoped: str) -> User:
        found = next((one for one in self.state.users.values() if one.scoped == scoped), None)
        if found is None:
            raise Trouble("(#100) No matching user found", 100, 2018001)
        return found

    def _window(self, call: Call, account: User, person: User) -> None:
        spoken = [
            self.state.messages[one].made_at
            for thread in self.state.threads.values()
            if (thread.account, thread.person) == (account.id, person.id)
            for one in thread.messages
            if self.state.messages[one].by == person.id
        ]
        if not spoken or max(spoken) <= self.net.now() - self.net.window(call):
            raise Trouble("(#10) This message is sent outside of allowed window.", 10, 2534022, status=400)

    # Insights

    def media_insights(self, call: Call, media: Media) -> Any:
        call.must(*INSIGHTS)
        wanted = [str(one) for one in as_list(call.params.get("metric"))]
        known = METRICS[media.product]
        if not wanted or any(one not in known for one in wanted):
            wrong = next((one for one in wanted if one not in known), "")
            raise Trouble(f"(#100) The Media Insights API does not support the {wrong} metric for this media product "
                          "type.", 100)  # fmt: skip
        numbers = self._numbers(media)
        return {"data": [self._metric(media.id, name, numbers.get(name, 0), "lifetime") for name in wanted]}

    def _numbers(self, media: Media) -> dict[str, int]:
        comments = sum(1 + len(self.state.comments[one].replies) for one in media.comments)
        likes, shares, saved = len(media.likes), media.shares, media.saved
        said = [one for one in self.state.messages.values() if one.answers == media.id]
        reach = max(likes, comments) * 4 + shares
        return {
            "likes": likes, "comments": comments, "shares": shares, "saved": saved, "reach": reach, "views": reach * 2,
            "total_interactions": likes + comments + shares + saved, "ig_reels_avg_watch_time": 4200,
            "ig_reels_video_view_total_time": 4200 * reach * 2, "replies": len(said), "profile_visits": reach // 2,
        }  # fmt: skip

    def account_insights(self, call: Call, user: User) -> Any:
        call.must(*INSIGHTS)
        wanted = [str(one) for one in as_list(call.params.get("metric"))]
        if not wanted or any(one not in ACCOUNT_METRICS for one in wanted):
            raise Trouble("(#100) metric[0] must be one of the following values: " + ", ".join(ACCOUNT_METRICS), 100)
        if not call.params.get("period"):
            raise missing("period")
        if call.params.get("metric_type") != "total_value":
            raise Trouble(
                "(#100) The following metrics should be specified with parameter metric_type=total_value", 100
            )
        numbers: dict[str, int] = {}
        for media in (self.state.media[one] for one in user.media):
            for name, value in self._numbers(media).items():
                numbers[name] = numbers.get(name, 0) + value
        numbers["accounts_engaged"] = numbers.get("likes", 0) + numbers.get("comments", 0)
        return {"data": [self._total(user.id, name, numbers.get(name, 0)) for name in wanted]}

    def _metric(self, node: str, name: str, value: int, period: str) -> dict[str, Any]:
        title = name.replace("_", " ").capitalize()
        shown = {"name": name, "period": period, "values": [{"value": value}], "title": title, "description": title}
        return {**shown, "id": f"{node}/insights/{name}/{period}"}

    def _total(self, node: str, name: str, value: int) -> dict[str, Any]:
        title = name.replace("_", " ").capitalize()
        shown = {"name": name, "period": "day", "title": title, "description": title, "total_value": {"value": value}}
        return {**shown, "id": f"{node}/insights/{name}/day"}

    # Webhooks

    def subscribed(self, call: Call, user: User) -> Any:
        fields = self.state.subscribed.get(user.id)
        return {"data": [{"id": call.bearer.app, "subscribed_fields": fields}] if fields else []}

    def subscribe(self, call: Call, node: Any) -> Any:
        fields = [str(one) for one in as_list(call.params.get("subscribed_fields"))]
        if not fields:
            raise missing("subscribed_fields")
        if isinstance(node, User):
            self.state.subscribed[node.id] = fields
        else:  # a Page that asks for anything of its own hears of the account linked to it
            self.state.subscribed[self.state.pages[node]] = ["comments", "mentions", "messages"]
        return {"success": True}

    def unsubscribe(self, call: Call, node: Any) -> Any:
        self.state.subscribed.pop(node.id if isinstance(node, User) else self.state.pages[node], None)
        return {"success": True}


def _take_options(one: Container, call: Call) -> None:
    """Collaborators, people, place; who made it and who paid for it, from v26.0 on: an older version overlooks them."""
    asked = call.params
    one.collaborators = [str(name) for name in as_list(asked.get("collaborators"))]
    if len(one.collaborators) > COLLABORATORS:
        raise Trouble("(#100) Too many collaborators", 100, said=f"At most {COLLABORATORS} collaborators.")
    tags = [as_object(tag) for tag in as_list(asked.get("user_tags"))]
    if len(tags) > PEOPLE:
        raise Trouble("(#100) Too many user tags", 100, said=f"At most {PEOPLE} people.")
    for tag in tags:
        axes = [axis for axis in "xy" if axis in tag]  # both, or none where nobody needs a place
        placed = len(axes) == 2 and all(0 <= float(tag[axis]) <= 1 for axis in axes)
        if not tag.get("username") or not (placed or (not axes and one.kind != "IMAGE")):
            raise Trouble("(#100) Invalid parameter user_tags", 100)
    one.people, one.place = [str(tag["username"]) for tag in tags], str(asked.get("location_id") or "")
    one.placed = [str(tag["username"]) for tag in tags if "x" in tag]
    if one.place and not one.place.isdigit():
        raise Trouble("(#100) Invalid parameter location_id", 100)
    if one.kind == "STORIES" and (one.place or one.collaborators):
        raise Trouble("(#100) Stories take no place and no collaborators", 100)
    if call.version != "v25.0":
        one.made_with_ai = truth(asked.get("is_ai_generated", False))
        one.paid_partnership = call.way == "facebook" and truth(asked.get("is_paid_partnership", False))


def _product(one: Product) -> dict[str, Any]:
    variants = [{"product_id": int(id_), "variant_name": name} for id_, name in one.variants.items()]
    return {
        "product_id": int(one.id),
        "merchant_id": 90010177253934,
        "product_name": one.name,
        "retailer_id": f"sku-{one.id[-4:]}",
        "review_status": one.review,
        "is_checkout_flow": True,
        **({"product_variants": variants} if variants else {}),
    }


def _look_at_words(one: Container) -> None:
    if len(one.caption) > CAPTION:
        said = f"The caption was too long. It should be at most {CAPTION} characters."
        raise Trouble("The caption is too long.", 36004, 2207010, said=said)
    if len(re.findall(r"#\w+", one.caption)) > HASHTAGS:
        raise Trouble("Too many hashtags.", 100, 2207010, said=f"At most {HASHTAGS} hashtags.")
    if len(re.findall(r"@[\w.]+", one.caption)) > MENTIONS:
        raise Trouble("Cannot use more than 20 @tags.", 100, 2207040, said=f"At most {MENTIONS} mentions.")
    if len(one.alt) > ALT:
        raise Trouble("(#100) The alt text is too long.", 100)


def _cannot_fetch() -> Trouble:
    return Trouble(
        "Only photo or video can be accepted as media type.",
        9004,
        2207052,
        title="Media download has failed. The media URI doesn't meet our requirements.",
        said="The media could not be fetched from this URI.",
    )


def _message(call: Call) -> str:
    text = str(call.params.get("message") or "")
    if not text.strip():
        raise missing("message")
    if len(text) > CAPTION:
        raise Trouble("(#100) The comment is too long.", 100)
    return text
