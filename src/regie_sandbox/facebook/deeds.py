"""What can be done on a Page: posts, photos, videos, Reels, stories, comments, messages, insights."""

from __future__ import annotations

import io
import json
import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import web
from PIL import Image, UnidentifiedImageError

from regie_sandbox.facebook.state import Comment, Guest, Page, Photo, Post, Video
from regie_sandbox.graph.base import Call, Edge
from regie_sandbox.graph.wire import Trouble, as_list, as_object, missing, no_such, truth

if TYPE_CHECKING:
    from regie_sandbox.facebook.app import Facebook

TEXT, COMMENT, TITLE, PIECE = 63_206, 8_000, 255, 512 * 1024
SUBTITLES = re.compile(r".+\.([a-z]{2}_[A-Z]{2})\.srt")
LARGEST_SUBTITLES = 200_000
POST_METRICS = {"post_media_view", "post_total_media_view_unique", "post_clicks"}
PAGE_METRICS = {
    "page_media_view", "page_total_media_view_unique", "page_post_engagements", "page_follows", "page_views_total",
}  # fmt: skip


class Does:
    def __init__(self, net: Facebook) -> None:
        self.net, self.state = net, net.state

    def all(self) -> Mapping[tuple[str, str, str], Edge]:
        return {
            ("GET", "User", "permissions"): self.net.permissions,
            ("POST", "Page", "feed"): self.post,
            ("POST", "Page", "photos"): self.photo,
            ("POST", "Page", "videos"): self.video,
            ("POST", "Page", "video_reels"): self.reel,
            ("POST", "Page", "video_stories"): self.video_story,
            ("POST", "Page", "photo_stories"): self.photo_story,
            ("POST", "Page", "messages"): self.send_message,
            ("GET", "Page", "insights"): self.page_insights,
            ("POST", "Page", "subscribed_apps"): self.subscribe,
            ("DELETE", "Page", "subscribed_apps"): self.unsubscribe,
            ("GET", "PagePost", "comments"): self.comments,
            ("GET", "AdVideo", "comments"): self.comments,
            ("POST", "PagePost", "comments"): self.comment,
            ("POST", "AdVideo", "comments"): self.comment,
            ("POST", "Comment", "comments"): self.answer,
            ("GET", "AdVideo", "likes"): self.likes,
            ("POST", "AdVideo", "thumbnails"): self.thumbnail,
            ("POST", "AdVideo", "captions"): self.caption,
            ("POST", "AdVideo", "collaborators"): self.collaborate,
            ("POST", "PagePost", "likes"): self.like,
            ("POST", "Comment", "likes"): self.like,
            ("DELETE", "PagePost", "likes"): self.unlike,
            ("DELETE", "Comment", "likes"): self.unlike,
            ("GET", "PagePost", "insights"): self.post_insights,
            ("POST", "PagePost", ""): self.edit,
            ("DELETE", "PagePost", ""): self.delete,
            ("POST", "AdVideo", ""): self.edit_video,
            ("DELETE", "AdVideo", ""): self.delete_video,
            ("POST", "Comment", ""): self.change_comment,
            ("DELETE", "Comment", ""): self.delete_comment,
            ("POST", "Application", "subscriptions"): self.net.subscribe_app,
        }

    def _own(self, call: Call, page: Page, *scopes: str) -> None:
        """A Page's own token, with the permission."""
        if call.holder != page.id:
            raise Trouble("(#200) This endpoint requires a Page access token", 200, status=403)
        call.must(*scopes)

    # Publishing

    def post(self, call: Call, page: Page) -> Any:
        self._own(call, page, "pages_manage_posts")
        asked = call.params
        message, link = str(asked.get("message") or ""), str(asked.get("link") or "")
        photos = [str(as_object(one).get("media_fbid", "")) for one in as_list(asked.get("attached_media"))]
        if not message and not link and not photos:
            raise Trouble("(#100) Param message must be non-empty", 100)
        self._text(message)
        for one in photos:
            if one not in self.state.photos or self.state.photos[one].page != page.id:
                raise Trouble("(#100) Invalid attached_media: the object does not exist", 100)
        countries, place, sponsor = _countries(asked), _place(asked), self._sponsor(asked)
        if link and photos:
            raise Trouble("(#100) Only one of link and attached_media should be specified", 100)
        post = self._born(page, message)
        post.link, post.photos, post.countries, post.place, post.sponsor = link, photos, countries, place, sponsor
        self.net.note(page.name, post.id, post.message, "post", media=len(photos))
        return {"id": post.id}

    def _text(self, message: str) -> None:
        if len(message) > TEXT:
            raise Trouble("(#100) The message is too long.", 100, said=f"At most {TEXT} characters.")

    def _born(self, page: Page, message: str, *, story: bool = False) -> Post:
        post = Post(
            f"{page.id}_{self.net.new_id()}", page.id, self.net.faults.rewritten(message), self.net.now(), story=story
        )
        self.state.posts[post.id] = post
        (page.stories if story else page.posts).append(post.id)
        return post

    async def photo(self, call: Call, page: Page) -> Any:
        self._own(call, page, "pages_manage_posts")
        raw = call.params.get("source")
        if raw is None and call.params.get("url"):
            raw = await self._fetched(str(call.params["url"]))
        if not isinstance(raw, bytes):
            raise Trouble("(#324) Requires upload file", 324)
        try:
            Image.open(io.BytesIO(raw)).verify()
        except (UnidentifiedImageError, OSError):
            raise Trouble("Invalid image: it could not be read", 100, 1366046, said="Use JPG, PNG or GIF.") from None
        if len(raw) > 10_000_000:
            raise Trouble("Your photos couldn't be uploaded: too large", 100, 1366046, said="At most 10 MB.")
        photo = Photo(self.net.new_id(), page.id, self.net.now(), str(call.params.get("alt_text_custom") or ""))
        self.state.photos[photo.id] = photo
        self.net.world.files.put(f"facebook-{photo.id}", raw)
        if not truth(call.params.get("published", True)):
            return {"id": photo.id}
        post = self._born(page, str(call.params.get("caption") or ""))
        post.photos = [photo.id]
        self.net.note(page.name, post.id, post.message, "post", media=1)
        return {"id": photo.id, "post_id": post.id}

    async def _fetched(self, url: str) -> bytes:
        try:
            return await self.net.fetch(url)
        except LookupError:
            raise Trouble("(#324) Missing or invalid image file", 324, 2069019) from None

    def video(self, call: Call, page: Page) -> Any:
        self._own(call, page, "pages_manage_posts")
        asked = call.params
        match asked.get("upload_phase"):
            case "start":
                video = self._begin(page, "video")
                video.session, video.size = secrets.token_hex(8), int(asked.get("file_size") or 0)
                if not video.size:
                    raise missing("file_size")
                return {"video_id": video.id, "upload_session_id": video.session, **self._next(video)}
            case "transfer":
                return self._take(self._session(asked), asked)
            case "finish":
                video = self._session(asked)
                if video.received < video.size:
                    raise Trouble("(#6001) The upload is not finished.", 6001)
                if video.out_at is None:
                    self._out(page, video, str(asked.get("description") or ""), call)
                return {"success": True}
        raise missing("upload_phase")

    def _begin(self, page: Page, kind: str) -> Video:
        video = Video(self.net.new_id(), page.id, kind, self.net.now())
        self.state.videos[video.id] = video
        return video

    def _session(self, asked: Mapping[str, Any]) -> Video:
        wanted = str(asked.get("upload_session_id", ""))
        found = next((one for one in self.state.videos.values() if one.session and one.session == wanted), None)
        if found is None:
            raise Trouble("(#6000) There was a problem uploading your video file.", 6000)
        return found

    def _next(self, video: Video) -> dict[str, str]:
        return {"start_offset": str(video.received), "end_offset": str(min(video.received + PIECE, video.size))}

    def _take(self, video: Video, asked: Mapping[str, Any]) -> Any:
        chunk = asked.get("video_file_chunk")
        if not isinstance(chunk, bytes):
            raise missing("video_file_chunk")
        if int(asked.get("start_offset") or 0) != video.received:
            raise Trouble("(#6001) Wrong start_offset.", 6001, 1363037, said=json.dumps(self._next(video)))
        name = f"facebook-{video.id}"
        self.net.world.files.put(name, (self.net.world.files.get(name) or b"" if video.received else b"") + chunk)
        video.received += len(chunk)
        self._check(video)
        return self._next(video)

    def _check(self, video: Video) -> None:
        if video.received >= video.size and (self.net.world.files.get(f"facebook-{video.id}") or b"")[4:8] != b"ftyp":
            video.received = 0
            raise Trouble("(#352) The video file you selected is in a format that we don't support.", 352, 1363024)

    def _out(self, page: Page, video: Video, description: str, call: Call) -> Post:
        """Published: a post of its own, which goes by the video."""
        self._text(description)
        countries, video.title = _countries(call.params), str(call.params.get("title") or "")
        place = "" if video.kind == "video" else _place(call.params)  # the edge of ordinary videos knows none
        sponsor = self._sponsor(call.params) if video.kind == "video" else ""  # Reels and stories know none
        if "thumb" in call.params:
            self._cover(video, call.params["thumb"])
        if len(video.title) > TITLE:
            raise Trouble("(#100) The title is too long.", 100, said=f"At most {TITLE} characters.")
        video.made_with_ai = call.version != "v25.0" and truth(call.params.get("is_ai_generated", False))
        video.description, video.out_at = self.net.faults.rewritten(description), self.net.now()
        story = video.kind == "story"
        post = self._born(page, description, story=story)
        post.video, video.post, post.countries, post.place = video.id, post.id, countries, place
        post.sponsor = sponsor
        video.likes, video.comments = post.likes, post.comments  # said under either, read under both
        if video.kind == "reel":
            page.reels.append(video.id)
        self.net.note(
            page.name, post.id if story else video.id, video.description, "story" if story else "post", media=1
        )
        return post

    def _sponsor(self, asked: Mapping[str, Any]) -> str:
        """A Page that paid for it."""
        sponsor = str(asked.get("sponsor_id") or "")
        if sponsor and sponsor not in self.state.pages:
            raise Trouble("(#100) Invalid sponsor_id: it must be a Page", 100)
        return sponsor

    def _cover(self, video: Video, raw: Any) -> None:
        if not isinstance(raw, bytes):
            raise missing("source")
        try:
            Image.open(io.BytesIO(raw)).verify()
        except (UnidentifiedImageError, OSError):
            raise Trouble("Invalid image: it could not be read", 100, 1366046, said="Use JPG or PNG.") from None
        if len(raw) > 10_000_000:
            raise Trouble("The thumbnail is too large", 100, said="At most 10 MB.")
        self.net.world.files.put(f"facebook-cover-{video.id}", raw)

    def thumbnail(self, call: Call, video: Video) -> Any:
        self._own(call, self.state.pages[video.page], "pages_manage_posts")
        self._cover(video, call.params.get("source"))
        return {"success": True}

    async def caption(self, call: Call, video: Video) -> Any:
        """Subtitles, whose file's name tells their language."""
        self._own(call, self.state.pages[video.page], "pages_manage_posts")
        file = (await call.request.post()).get("captions_file")
        named = SUBTITLES.fullmatch(file.filename) if isinstance(file, web.FileField) else None
        raw = call.params.get("captions_file")
        if named is None or not isinstance(raw, bytes) or b"-->" not in raw:
            raise Trouble("(#385) Sorry, the captions file you selected is in a format that we don't support.", 385)
        if len(raw) > LARGEST_SUBTITLES:
            raise Trouble("(#100) The captions file is too large", 100, said="At most 200 KB.")
        video.subtitles[named[1]] = raw.decode()
        video.subtitles_first = str(call.params.get("default_locale") or "")
        return {"success": True}

    def collaborate(self, call: Call, video: Video) -> Any:
        self._own(call, self.state.pages[video.page], "pages_manage_posts")
        asked = str(call.params.get("target_id") or "")
        if asked not in self.state.pages or asked == video.page:
            raise Trouble("(#100) Invalid target_id: it must be another Page", 100)
        if asked not in video.collaborators:
            video.collaborators.append(asked)
        return {"success": True}

    def reel(self, call: Call, page: Page) -> Any:
        return self._three_phases(call, page, "reel")

    def video_story(self, call: Call, page: Page) -> Any:
        return self._three_phases(call, page, "story")

    def _three_phases(self, call: Call, page: Page, kind: str) -> Any:
        self._own(call, page, "pages_manage_posts")
        asked = call.params
        match str(asked.get("upload_phase", "")).upper():
            case "START":
                video = self._begin(page, kind)
                return {"video_id": video.id, "upload_url": f"{self.net.base}/video-upload/v25.0/{video.id}"}
            case "FINISH":
                found = self.state.videos.get(str(asked.get("video_id", "")))
                if found is None or found.page != page.id:
                    raise no_such(str(asked.get("video_id", "")))
                if not found.size or found.received < found.size:
                    raise Trouble("(#6001) The upload is not finished.", 6001)
                if found.out_at is None:
                    self._out(page, found, str(asked.get("description") or "") if kind == "reel" else "", call)
                return {"success": True, "post_id": found.post}
        raise missing("upload_phase")

    async def receive(self, call: Call) -> Any:
        """The rest of an upload: headers offset and file_size, the bytes as the body. May break off at any byte."""
        video, headers = self.state.videos.get(call.parts[-1]), call.request.headers
        if video is None:
            raise no_such(call.parts[-1])
        self._own(call, self.state.pages[video.page], "pages_manage_posts")
        if "offset" not in headers or "file_size" not in headers:
            raise Trouble("Missing offset or file_size header", 100)
        if int(headers["offset"]) != video.received:
            raise Trouble("The offset does not match the bytes received", 100)
        video.size, name = int(headers["file_size"]), f"facebook-{video.id}"
        kept = bytearray(self.net.world.files.get(name) or b"") if video.received else bytearray()
        try:
            async for chunk in call.request.content.iter_chunked(1 << 16):
                kept += chunk
        finally:  # what came before a connection broke is kept
            video.received = len(kept)
            self.net.world.files.put(name, bytes(kept))
        self._check(video)
        return {"success": True}

    def photo_story(self, call: Call, page: Page) -> Any:
        self._own(call, page, "pages_manage_posts")
        photo = self.state.photos.get(str(call.params.get("photo_id", "")))
        if photo is None or photo.page != page.id or photo.used:
            raise Trouble("(#100) photo_id must be an unpublished photo of the Page", 100)
        photo.used = True
        post = self._born(page, "", story=True)
        post.photos = [photo.id]
        self.net.note(page.name, post.id, "", "story", media=1)
        return {"success": True, "post_id": post.id}

    def edit(self, call: Call, post: Post) -> Any:
        page = self._page_of(post.by)
        self._own(call, page, "pages_manage_posts")
        self._text(str(call.params.get("message") or ""))
        post.message = self.net.faults.rewritten(str(call.params.get("message") or ""))
        self.net.note(page.name, post.id, post.message, "edit")
        return {"success": True}

    def _page_of(self, who: str) -> Page:
        if (page := self.state.pages.get(who)) is None:
            raise Trouble("(#200) Permissions error", 200, status=403)
        return page

    def edit_video(self, call: Call, video: Video) -> Any:
        page = self.state.pages[video.page]
        self._own(call, page, "pages_manage_posts")
        video.description = str(call.params.get("description") or "")
        video.title = str(call.params.get("name", video.title))
        if (post := self.state.posts.get(video.post)) is not None:
            post.message = video.description
        self.net.note(page.name, video.id, video.description, "edit")
        return {"success": True}

    def delete(self, call: Call, post: Post) -> Any:
        page = self._page_of(post.by)
        self._own(call, page, "pages_manage_posts")
        (page.stories if post.story else page.posts).remove(post.id)
        del self.state.posts[post.id]
        self.net.note(page.name, post.id, "", "delete")
        return {"success": True}

    def delete_video(self, call: Call, video: Video) -> Any:
        page = self.state.pages[video.page]
        self._own(call, page, "pages_manage_posts")
        if video.post in page.posts:
            page.posts.remove(video.post)
        self.state.posts.pop(video.post, None)
        if video.id in page.reels:
            page.reels.remove(video.id)
        del self.state.videos[video.id]
        self.net.note(page.name, video.id, "", "delete")
        return {"success": True}

    # Comments

    def comments(self, call: Call, thing: Post | Video) -> Any:
        """The list with its ``summary``, which plain edges have not."""
        kind = "PagePost" if isinstance(thing, Post) else "AdVideo"
        if call.params.get("limit") == "0":
            return {"data": [], "summary": {"order": "chronological", "total_count": len(thing.comments)}}
        return self.net.edge(call, kind, thing, "comments")

    def likes(self, call: Call, video: Video) -> Any:
        return {"data": [], "summary": {"total_count": len(video.likes)}}

    def comment(self, call: Call, thing: Post | Video) -> Any:
        call.must("pages_manage_engagement")
        return {"id": self.net.comment(thing, self._page_of(call.holder).id, _message(call)).id}

    def answer(self, call: Call, comment: Comment) -> Any:
        call.must("pages_manage_engagement")
        thing = self.net._thing(comment.id)
        return {"id": self.net.comment(thing, self._page_of(call.holder).id, _message(call), parent=comment).id}

    def like(self, call: Call, thing: Post | Comment) -> Any:
        call.must("pages_manage_engagement")
        thing.likes.add(self._page_of(call.holder).id)
        return {"success": True}

    def unlike(self, call: Call, thing: Post | Comment) -> Any:
        call.must("pages_manage_engagement")
        thing.likes.discard(self._page_of(call.holder).id)
        return {"success": True}

    def change_comment(self, call: Call, comment: Comment) -> Any:
        """Its text when it is ours, and whether it is hidden."""
        call.must("pages_manage_engagement")
        if "message" in call.params and comment.by != call.holder:
            raise Trouble("(#200) Permissions error", 200, status=403)
        if "message" in call.params:
            comment.message = _message(call)
            self.net.note(self._page_of(call.holder).name, comment.id, comment.message, "edit")
        comment.hidden = truth(call.params.get("is_hidden", comment.hidden))
        return {"success": True}

    def delete_comment(self, call: Call, comment: Comment) -> Any:
        call.must("pages_manage_engagement")
        self.net._thing(comment.id).comments.remove(comment.id)
        del self.state.comments[comment.id]
        self.net.note(self._page_of(call.holder).name, comment.id, "", "delete")
        return {"success": True}

    # Messages

    def send_message(self, call: Call, page: Page) -> Any:
        self._own(call, page, "pages_messaging")
        recipient, message = as_object(call.params.get("recipient")), as_object(call.params.get("message"))
        text = str(message.get("text") or "")
        if not text:
            raise missing("message")
        if len(text) > 2000:
            raise Trouble("(#100) Length of param message[text] must be less than or equal to 2000", 100)
        guest = self.state.guests.get(str(recipient.get("id", "")))
        if guest is None:
            raise Trouble("(#100) No matching user found", 100, 2018001)
        self._window(call, page, guest)
        made = self.net.direct(page.id, page, text, to=guest.id)
        self.net.note(page.name, made.id, text, "reply")
        return {"recipient_id": guest.id, "message_id": made.id}

    def _window(self, call: Call, page: Page, guest: Guest) -> None:
        spoken = [one.made_at for one in self.state.messages.values() if (one.by, one.to) == (guest.id, page.id)]
        if not spoken or max(spoken) <= self.net.now() - self.net.window(call):
            raise Trouble("(#10) This message is sent outside of allowed window.", 10, 2018278, status=403)

    # Insights

    def _metrics(self, call: Call, known: set[str]) -> list[str]:
        call.must("read_insights")
        wanted = [str(one) for one in as_list(call.params.get("metric"))]
        if not wanted or any(one not in known for one in wanted):
            raise Trouble("(#100) The value must be a valid insights metric", 100)
        return wanted

    def post_insights(self, call: Call, post: Post) -> Any:
        wanted = self._metrics(call, POST_METRICS)
        reach = 4 * max(len(post.likes), len(post.comments)) + post.shares
        numbers = {"post_media_view": 2 * reach, "post_total_media_view_unique": reach, "post_clicks": reach // 3}
        return {"data": [_told(post.id, name, numbers[name], "lifetime") for name in wanted]}

    def page_insights(self, call: Call, page: Page) -> Any:
        wanted = self._metrics(call, PAGE_METRICS)
        posts = [self.state.posts[one] for one in page.posts]
        reach = sum(4 * max(len(post.likes), len(post.comments)) + post.shares for post in posts)
        engaged = sum(len(post.likes) + len(post.comments) + post.shares for post in posts)
        numbers = {
            "page_media_view": 2 * reach,
            "page_total_media_view_unique": reach,
            "page_post_engagements": engaged,
            "page_follows": len(page.followers),
            "page_views_total": reach // 5,
        }
        return {"data": [_told(page.id, name, numbers[name], str(call.params.get("period", "day"))) for name in wanted]}

    # Webhooks

    def subscribe(self, call: Call, page: Page) -> Any:
        self._own(call, page, "pages_manage_metadata")
        fields = [str(one) for one in as_list(call.params.get("subscribed_fields"))]
        if not fields:
            raise missing("subscribed_fields")
        self.state.subscribed[page.id] = fields
        return {"success": True}

    def unsubscribe(self, call: Call, page: Page) -> Any:
        self.state.subscribed.pop(page.id, None)
        return {"success": True}


def _message(call: Call) -> str:
    text = str(call.params.get("message") or "")
    if not text.strip():
        raise missing("message")
    if len(text) > COMMENT:
        raise Trouble("(#100) The comment is too long.", 100)
    return text


def _told(node: str, name: str, value: int, period: str) -> dict[str, Any]:
    title = name.replace("_", " ").capitalize()
    shown = {"name": name, "period": period, "values": [{"value": value}], "title": title, "description": title}
    return {**shown, "id": f"{node}/insights/{name}/{period}"}


def _countries(asked: Mapping[str, Any]) -> list[str]:
    """Of ``targeting``, which says who can see it; ``feed_targeting`` only says who more likely does."""
    where = as_object(as_object(asked.get("targeting")).get("geo_locations"))
    countries = [str(one) for one in as_list(where.get("countries"))]
    if any(len(one) != 2 or not one.isupper() for one in countries):
        raise Trouble("(#100) Invalid parameter targeting: countries", 100)
    return countries


def _place(asked: Mapping[str, Any]) -> str:
    """A place is a page, by its number."""
    place = str(asked.get("place") or "")
    if place and not place.isdigit():
        raise Trouble("(#100) Param place must be a valid place ID", 100)
    return place
