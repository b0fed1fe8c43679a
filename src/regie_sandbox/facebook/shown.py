"""Nodes as Facebook shows them: each field, and the edges that list other nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from regie_sandbox.facebook.state import Comment, Page, Post, Thread, Video

if TYPE_CHECKING:
    from regie_sandbox.facebook.app import Facebook

DAY = timedelta(days=1)
Lists = Mapping[str, Mapping[str, Callable[[Any], tuple[str, Sequence[Any]]]]]


def moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")


def fields(net: Facebook) -> Mapping[str, Mapping[str, Callable[[Any], Any]]]:
    state = net.state

    def who(one: str) -> dict[str, Any]:
        return {"id": one, "name": net.named(one)}

    def attachments(post: Post) -> Any:
        if post.video:
            return {"data": [_attached("video", "video_inline", post.video)]}
        if len(post.photos) > 1:
            inner = [_attached("photo", "photo", one) for one in post.photos]
            return {"data": [{**_attached("album", "album", post.id), "subattachments": {"data": inner}}]}
        if post.photos:
            return {"data": [_attached("photo", "photo", post.photos[0])]}
        return {"data": [_attached("link", "share", post.id)]} if post.link else None

    def status(video: Video) -> dict[str, Any]:
        ready = video.size and video.received >= video.size
        out = {"status": "complete", "publish_status": "published"} if video.out_at else {"status": "not_started"}
        return {
            "video_status": "ready" if video.out_at else "upload_complete" if ready else "uploading",
            "uploading_phase": {
                "status": "complete" if ready else "in_progress",
                "bytes_transferred": video.received,
            },
            "processing_phase": {"status": "complete" if video.out_at else "not_started"},
            "publishing_phase": out,
        }

    return {
        "Page": {
            "id": lambda one: one.id,
            "name": lambda one: one.name,
            "username": lambda one: one.username,
            "link": lambda one: f"{net.base}/{one.username}",
            "followers_count": lambda one: len(one.followers),
            "fan_count": lambda one: len(one.followers),
            "picture": lambda one: {"data": {"url": f"{net.base}/_picture/{one.id}", "is_silhouette": True}},
            "access_token": lambda one: net.page_token(one.id),
            "tasks": lambda one: ["CREATE_CONTENT", "MODERATE", "MESSAGING", "ANALYZE", "MANAGE"],
        },
        "PagePost": {
            "id": lambda one: one.id,
            "message": lambda one: one.message or None,
            "created_time": lambda one: moment(one.made_at),
            "permalink_url": lambda one: f"{net.base}/{one.id.replace('_', '/posts/')}",
            "from": lambda one: who(one.by),
            "is_published": lambda one: True,
            "attachments": attachments,
            "shares": lambda one: {"count": one.shares} if one.shares else None,
            "reactions": lambda one: {"data": [], "summary": {"total_count": len(one.likes)}},
        },
        "Comment": {
            "id": lambda one: one.id,
            "message": lambda one: one.message,
            "created_time": lambda one: moment(one.made_at),
            "from": lambda one: who(one.by),
            "parent": lambda one: ("Comment", state.comments[one.parent]) if one.parent in state.comments else None,
            "permalink_url": lambda one: f"{net.base}/{one.under}?comment_id={one.id}",
            "like_count": lambda one: len(one.likes),
            "user_likes": lambda one: any(each in state.pages for each in one.likes),
            "is_hidden": lambda one: one.hidden,
        },
        "AdVideo": {
            "id": lambda one: one.id,
            "description": lambda one: one.description or None,
            "created_time": lambda one: moment(one.out_at or one.made_at),
            "permalink_url": lambda one: f"/{'reel' if one.kind == 'reel' else 'watch'}/{one.id}/",
            "post_id": lambda one: one.post or None,
            "published": lambda one: one.out_at is not None,
            "status": status,
        },
        "Photo": {"id": lambda one: one.id, "alt_text": lambda one: one.alt or None},
        "Stories": {
            "post_id": lambda one: one.id,
            "status": lambda one: "PUBLISHED",
            "creation_time": lambda one: str(int(one.made_at.timestamp())),
            "media_id": lambda one: one.video or one.photos[0],
            "media_type": lambda one: "video" if one.video else "photo",
            "url": lambda one: f"{net.base}/stories/{one.id}",
        },
        "User": {"id": lambda one: one.id, "name": lambda one: one.name},
        "UnifiedThread": {
            "id": lambda one: one.id,
            "updated_time": lambda one: moment(state.messages[one.messages[-1]].made_at),
        },
        "UnifiedMessage": {
            "id": lambda one: one.id,
            "created_time": lambda one: moment(one.made_at),
            "message": lambda one: one.text,
            "from": lambda one: who(one.by),
            "to": lambda one: {"data": [who(one.to)]},
        },
    }


def _attached(media: str, kind: str, target: str) -> dict[str, Any]:
    return {"media_type": media, "type": kind, "target": {"id": target}}


def lists(net: Facebook) -> Lists:
    state = net.state

    def posts(page: Page) -> list[Post]:
        rows = (state.posts[one] for one in reversed(page.posts))
        return [one for one in rows if not one.story and net.listed(one.made_at) and among_posts(one)]

    def among_posts(one: Post) -> bool:
        reel = one.video in state.videos and state.videos[one.video].kind == "reel"
        return net.reels_among_posts or not reel

    def reels(page: Page) -> list[Video]:
        rows = (state.videos[one] for one in reversed(page.reels))
        return [one for one in rows if one.out_at is not None and net.listed(one.out_at)]

    def stories(page: Page) -> list[Post]:
        rows = (state.posts[one] for one in reversed(page.stories))
        return [one for one in rows if one.made_at + DAY > net.now() and net.listed(one.made_at)]

    def tagged(page: Page) -> list[Post]:
        found = [one for one in state.posts.values() if page.id in one.tagged]
        return sorted(found, key=lambda one: one.made_at, reverse=True)

    def threads(page: Page) -> list[Thread]:
        found = [one for one in state.threads.values() if one.page == page.id]
        return sorted(found, key=lambda one: state.messages[one.messages[-1]].made_at, reverse=True)

    def said(one: Post | Video) -> list[Comment]:
        return [state.comments[each] for each in one.comments]

    def answers(one: Comment) -> list[Comment]:
        return [each for each in state.comments.values() if each.parent == one.id]

    return {
        "Page": {
            "published_posts": lambda one: ("PagePost", posts(one)),
            "ads_posts": lambda one: ("PagePost", [state.posts[each] for each in reversed(one.ads)]),
            "feed": lambda one: ("PagePost", posts(one)),
            "video_reels": lambda one: ("AdVideo", reels(one)),
            "stories": lambda one: ("Stories", stories(one)),
            "tagged": lambda one: ("PagePost", tagged(one)),
            "conversations": lambda one: ("UnifiedThread", threads(one)),
        },
        "PagePost": {"comments": lambda one: ("Comment", said(one))},
        "AdVideo": {"comments": lambda one: ("Comment", said(one))},
        "Comment": {"comments": lambda one: ("Comment", answers(one))},
        "User": {"accounts": lambda one: ("Page", [state.pages[each] for each in one.pages])},
        "UnifiedThread": {
            "messages": lambda one: ("UnifiedMessage", [state.messages[each] for each in reversed(one.messages)])
        },
    }
