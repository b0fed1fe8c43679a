"""Publishing: creator info, uploads in parts, photos by address, statuses. Source: the Content Posting API's pages."""

from __future__ import annotations

import io
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web
from PIL import Image, UnidentifiedImageError

from regie_sandbox.films import looked_at
from regie_sandbox.tiktok.state import App, Post, Publishing, User
from regie_sandbox.tiktok.wire import (
    Json,
    Trouble,
    json_of,
    object_in,
    switches_in,
    text_in,
    whole_in,
)

if TYPE_CHECKING:
    from regie_sandbox.tiktok.app import Call, TikTok

MB = 1000 * 1000
LEAST_PART, MOST_PART, MOST_LAST, MOST_PARTS = 5 * 1024 * 1024, 64 * MB, 128 * MB, 1000
LARGEST_VIDEO, LARGEST_PHOTO, PHOTOS = 4 * 1024 * MB, 20 * MB, 35
SMALLEST_SIDE, LARGEST_SIDE = 360, 4096
UPLOAD_HOLDS = timedelta(hours=1)
EVERYBODY, ONLY_ME = "PUBLIC_TO_EVERYONE", "SELF_ONLY"
RANGE = re.compile(r"^bytes (\d+)-(\d+)/(\d+)$")
ABOUT_VIDEO = (
    "disable_duet", "disable_stitch", "disable_comment", "brand_content_toggle", "brand_organic_toggle", "is_aigc",
)  # fmt: skip
ABOUT_PHOTOS = ("disable_comment", "auto_add_music", "brand_content_toggle", "brand_organic_toggle")


def levels(user: User) -> list[str]:
    return ["FOLLOWER_OF_CREATOR" if user.private else EVERYBODY, "MUTUAL_FOLLOW_FRIENDS", ONLY_ME]


class Posting:
    def __init__(self, net: TikTok) -> None:
        self.net, self.state = net, net.state

    async def creator_info(self, call: Call) -> Json:
        user = call.user
        if (full := self.full(user)) is not None:
            full.status = 200  # as TikTok does it, on purpose
            raise full
        return {
            "creator_avatar_url": f"{self.net.base}/avatar/{user.username}.jpeg",
            "creator_username": user.username,
            "creator_nickname": user.name,
            "privacy_level_options": levels(user),
            "comment_disabled": "comment" in user.switched_off,
            "duet_disabled": user.private or "duet" in user.switched_off,
            "stitch_disabled": user.private or "stitch" in user.switched_off,
            "max_video_post_duration_sec": user.longest_video,
        }

    def full(self, user: User) -> Trouble | None:
        if user.banned:
            return Trouble("spam_risk_user_banned_from_posting", status=403)
        day = self.net.now() - timedelta(days=1)
        recent = sum(self.state.posts[one].made_at > day for one in user.posts)
        if recent >= self.net.posts_a_day:
            return Trouble("spam_risk_too_many_posts", status=403)
        return None

    def _allowed(self, call: Call, info: Json) -> str:
        """The privacy that a post will have. Raises Trouble for what TikTok does not allow this account and client."""
        user, privacy = call.user, info.get("privacy_level")
        if (full := self.full(user)) is not None:
            raise full
        if not call.app.audited and not user.private:
            raise Trouble("unaudited_client_can_only_post_to_private_accounts", status=403)
        if privacy not in levels(user):
            raise Trouble("privacy_level_option_mismatch", status=403)
        return str(privacy) if call.app.audited else ONLY_ME

    # Videos

    async def begin_video(self, call: Call) -> Json:
        body = await json_of(call.request)
        info, source = object_in(body, "post_info"), object_in(body, "source_info")
        privacy, text = self._allowed(call, info), text_in(info, "title", most=2200)
        told = switches_in(info, ABOUT_VIDEO)
        if told["brand_content_toggle"] and privacy == ONLY_ME and info["privacy_level"] == ONLY_ME:
            raise Trouble("invalid_param", "Branded content cannot be private")
        if "video_cover_timestamp_ms" in info:
            told["video_cover_timestamp_ms"] = whole_in(info, "video_cover_timestamp_ms")
        if source.get("source") != "FILE_UPLOAD":
            raise Trouble("invalid_param", "Only FILE_UPLOAD is practised here")
        size, each, parts = (whole_in(source, name) for name in ("video_size", "chunk_size", "total_chunk_count"))
        _must_divide(size, each, parts)
        one = self.make((call.user, call.app), "v_pub_file~v2-1", "video", text, privacy, told)
        one.size, one.each, one.token = size, each, secrets.token_urlsafe(24)
        address = f"{self.net.base}/video/?upload_id={one.id.rpartition('.')[2]}&upload_token={one.token}"
        return {"publish_id": one.id, "upload_url": address}

    def make(
        self,
        who: tuple[User, App],
        prefix: str,
        kind: str,
        text: str,
        privacy: str,
        told: dict[str, str | int | bool],
    ) -> Publishing:
        one = Publishing(
            id=f"{prefix}.{self.net.new_id()}",
            user=who[0].id,
            app=who[1].key,
            kind=kind,
            text=text,
            privacy=privacy,
            info=told,
            begun_at=self.net.now(),
        )
        self.state.publishing[one.id] = one
        self.net.world.changes += 1
        return one

    async def receive(self, request: web.Request) -> web.Response:
        """One part. No token but the address's own."""
        content = await request.read()
        wanted = f".{request.query.get('upload_id', '')}"
        one = next((one for one in self.state.publishing.values() if one.id.endswith(wanted)), None)
        if one is None or one.token != request.query.get("upload_token") or one.over_at is not None:
            return web.Response(status=404)
        if self.net.now() > one.begun_at + UPLOAD_HOLDS:
            return web.Response(status=403)
        found = RANGE.match(request.headers.get("Content-Range", ""))
        kind = request.headers.get("Content-Type", "").partition(";")[0]
        if found is None or kind not in ("video/mp4", "video/quicktime", "video/webm"):
            return web.Response(status=400)
        first, last, whole = (int(number) for number in found.groups())
        if last - first + 1 != len(content) or whole != one.size:
            return web.Response(status=400)
        parts = one.size // one.each
        number = one.received // one.each
        end = one.size if number == parts - 1 else (number + 1) * one.each
        if (first, last + 1) != (one.received, end):
            return web.Response(status=416, headers=_range(one))
        self.net.world.files.put(f"tiktok-{one.id}-{number}", content)
        one.received = end
        self.net.world.changes += 1
        if end < one.size:
            return web.Response(status=206, headers=_range(one))
        self.publish(one, self._video_trouble(one))
        return web.Response(status=201, headers=_range(one))

    def _video_trouble(self, one: Publishing) -> str:
        return film_trouble(self.net.world.files.get(f"tiktok-{one.id}-0") or b"")

    # Photos

    async def photos(self, call: Call) -> Json:
        body = await json_of(call.request)
        if body.get("media_type") != "PHOTO" or body.get("post_mode") != "DIRECT_POST":
            raise Trouble("invalid_param", "media_type and post_mode are required")
        info, source = object_in(body, "post_info"), object_in(body, "source_info")
        privacy = self._allowed(call, info)
        title, text = text_in(info, "title", most=90), text_in(info, "description", most=4000)
        told = switches_in(info, ABOUT_PHOTOS)
        if told["brand_content_toggle"] and info["privacy_level"] == ONLY_ME:
            raise Trouble("invalid_param", "Branded content cannot be private")
        images, cover = source.get("photo_images"), whole_in(source, "photo_cover_index")
        if source.get("source") != "PULL_FROM_URL" or not isinstance(images, list) or not 1 <= len(images) <= PHOTOS:
            raise Trouble("invalid_param", "photo_images is invalid")
        if cover >= len(images) or not all(isinstance(one, str) for one in images):
            raise Trouble("invalid_param", "photo_cover_index is invalid")
        if call.app.verified and not all(one.startswith(tuple(call.app.verified)) for one in images):
            raise Trouble("url_ownership_unverified", status=403)
        one = self.make((call.user, call.app), "p_pub_url~v2", "photo", text, privacy, told)
        one.title, one.images, one.cover = title, list(images), cover
        self.publish(one, await self.photo_trouble(images))
        return {"publish_id": one.id}

    async def photo_trouble(self, images: list[str]) -> str:
        for address in images:
            try:
                content = await self.net.fetch(address)
            except LookupError:
                return "photo_pull_failed"
            if content is None:
                continue
            if len(content) > LARGEST_PHOTO:
                return "picture_size_check_failed"
            try:
                with Image.open(io.BytesIO(content)) as image:
                    kind, size = image.format, image.size
            except (UnidentifiedImageError, OSError):
                return "file_format_check_failed"
            if kind not in ("JPEG", "WEBP"):
                return "file_format_check_failed"
            if min(size) > 1080 or max(size) > 1920:
                return "picture_size_check_failed"
        return ""

    # What becomes of them

    def publish(self, one: Publishing, trouble: str) -> None:
        """It has everything: it will be out when it is processed, and public when it is moderated."""
        net, user = self.net, self.state.users[one.user]
        one.over_at = net.now() + timedelta(seconds=net.processing_seconds)
        one.fail_reason = trouble or net.fails_with
        if one.fail_reason:
            net.tell(one, "post.publish.failed", {"reason": one.fail_reason})
            return
        public = one.over_at + timedelta(seconds=net.moderation_seconds) if one.privacy == EVERYBODY else None
        post = Post(
            id=net.new_id(),
            user=user.id,
            kind=one.kind,
            text=net.faults.rewritten(one.text),
            title=one.title,
            privacy=one.privacy,
            made_at=one.over_at,
            public_at=public,
            images=len(one.images),
            cover=one.cover,
            info=dict(one.info),
        )
        one.post = post.id
        self.state.posts[post.id] = post
        user.posts.append(post.id)
        net.note(user, post.id, one.text, "post", media=len(one.images) or 1)
        net.tell(one, "post.publish.complete", {})
        if public is not None:
            net.tell(one, "post.publish.publicly_available", {"post_id": int(post.id)})

    async def status(self, call: Call) -> Json:
        body = await json_of(call.request)
        one = self.state.publishing.get(str(body.get("publish_id", "")))
        if one is None:
            raise Trouble("invalid_publish_id", "The publish_id does not exist")
        if one.user != call.user.id or one.app != call.app.key:
            raise Trouble("token_not_authorized_for_specified_publish_id")
        sent = {"uploaded_bytes": one.received} if one.kind == "video" else {}
        if one.over_at is None or one.over_at > self.net.now():
            return {"status": "PROCESSING_UPLOAD" if one.kind == "video" else "PROCESSING_DOWNLOAD", **sent}
        if one.fail_reason:
            return {"status": "FAILED", "fail_reason": one.fail_reason, "publicaly_available_post_id": [], **sent}
        post = self.state.posts[one.post]
        shown = [int(post.id)] if self.net.is_public(post) else []
        return {"status": "PUBLISH_COMPLETE", "publicaly_available_post_id": shown, **sent}


def film_trouble(content: bytes) -> str:
    """Why TikTok could not use a video; "" when it can."""
    film = looked_at(content)
    if film is None:
        return "file_format_check_failed"
    sides = [side for side in film[1] if side]
    if sides and (min(sides) < SMALLEST_SIDE or max(sides) > LARGEST_SIDE):
        return "picture_size_check_failed"
    return ""


def _must_divide(size: int, each: int, parts: int) -> None:
    """The page "Media Transfer Guide": how large each part may be, and how many there must be."""
    if not 0 < size <= LARGEST_VIDEO:
        raise Trouble("invalid_param", "The video_size is invalid")
    whole, parted = size < LEAST_PART and each == size, LEAST_PART <= each <= min(MOST_PART, size)
    if not (whole or parted):
        raise Trouble("invalid_param", "The chunk size is invalid")
    if parts != size // each or not 1 <= parts <= MOST_PARTS or size - (parts - 1) * each > MOST_LAST:
        raise Trouble("invalid_param", "The total chunk count is invalid")


def _range(one: Publishing) -> Mapping[str, str]:
    return {"Content-Range": f"bytes 0-{one.received}/{one.size}"}
