"""Posts, comments, people, communities and messages as the API shows them. Source: the schema of API 5.199."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from regie_sandbox.vk.state import Comment, Group, Media, Message, Post, State, Story, User
from regie_sandbox.vk.wire import Json

NAMED = re.compile(r"^(photo|video|doc|poll)(-?\d+)_(\d+)$")


def unix(at: datetime) -> int:
    return int(at.timestamp())


class Shows:
    def __init__(self, state: State, base: str) -> None:
        self.state, self.base = state, base

    def post(self, post: Post) -> Json:
        return {
            "inner_type": "wall_wallpost",
            "type": "post",
            "id": post.id,
            "owner_id": post.owner,
            "from_id": post.author,
            "date": unix(post.made_at),
            "post_type": "post",
            "text": post.text,
            "marked_as_ads": int(post.ads),
            "attachments": [self.attachment(one) for one in post.attachments],
            "comments": {"can_post": int(not post.closed), "count": len(post.comments)},
            "likes": {"can_like": 1, "count": len(post.likes), "user_likes": 0},
            "reposts": {"count": post.reposts, "user_reposted": 0},
            "views": {"count": post.seen},
            **({"signer_id": post.signer} if post.signer else {}),
            **self._place(post),
            **({"edited": unix(post.edited_at)} if post.edited_at else {}),
        }

    @staticmethod
    def _place(post: Post) -> Json:
        if post.point is None:
            return {}
        return {"geo": {"type": "point", "coordinates": f"{post.point[0]} {post.point[1]}", "showmap": 1}}

    def attachment(self, named: str) -> Json:
        if NAMED.match(named) is None:
            return {"type": "link", "link": {"url": named, "title": named, "caption": named}}
        media = self.state.media[named]
        shows = {"photo": self.photo, "video": self.video, "doc": self.doc, "poll": self.poll}
        return {"type": media.kind, media.kind: shows[media.kind](media)}

    def photo(self, media: Media) -> Json:
        return {
            "id": media.id,
            "owner_id": media.owner,
            "album_id": -14,
            "date": unix(media.made_at),
            "has_tags": False,
            "text": "",
            "sizes": [{"type": "x", "width": 604, "height": 402, "url": f"{self.base}/files/{media.id}.jpg"}],
        }

    def video(self, media: Media) -> Json:
        return {
            "id": media.id,
            "owner_id": media.owner,
            "title": media.name,
            "duration": 12,
            "date": unix(media.made_at),
        }

    def doc(self, media: Media) -> Json:
        return {
            "id": media.id,
            "owner_id": media.owner,
            "title": media.name,
            "size": 1,
            "ext": media.name.rpartition(".")[2],
            "date": unix(media.made_at),
            "type": 1,
            "url": f"{self.base}/files/{media.id}",
        }

    def poll(self, media: Media) -> Json:
        answers = [
            {"id": nth, "text": text, "votes": 0, "rate": 0} for nth, text in enumerate(media.answers, start=media.id)
        ]
        return {
            "id": media.id,
            "owner_id": media.owner,
            "question": media.name,
            "answers": answers,
            "multiple": media.multiple,
            "anonymous": False,
            "created": unix(media.made_at),
            "end_date": 0,
            "closed": False,
            "is_board": False,
            "can_edit": True,
            "can_vote": True,
            "can_report": False,
            "can_share": True,
            "votes": 0,
            "disable_unvote": False,
        }

    def comment(self, comment: Comment, *, threads: int = 0) -> Json:
        shown: Json = {
            "id": comment.id,
            "from_id": comment.author,
            "date": unix(comment.made_at),
            "text": comment.text,
            "post_id": comment.post,
            "owner_id": comment.owner,
            "parents_stack": [comment.parent] if comment.parent else [],
            "likes": {"can_like": 1, "count": len(comment.likes), "user_likes": 0},
        }
        if comment.parent:
            return {**shown, "reply_to_comment": comment.parent}
        below = [self.state.comments[f"{comment.owner}_{one}"] for one in comment.replies]
        alive = [one for one in below if not one.deleted]
        items = [self.comment(one) for one in alive[:threads]]
        return {**shown, "thread": {"count": len(alive), "items": items, "can_post": True, "show_reply_button": True}}

    def user(self, user: User) -> Json:
        first, _, last = user.name.partition(" ")
        return {
            "id": user.id,
            "first_name": first,
            "last_name": last,
            "screen_name": user.screen_name,
            "photo_100": f"{self.base}/files/{user.id}.jpg",
            "is_closed": False,
            "can_access_closed": True,
        }

    def group(self, group: Group) -> Json:
        return {
            "id": group.id,
            "name": group.name,
            "screen_name": group.screen_name,
            "is_closed": 0,
            "type": "group",
            "photo_200": f"{self.base}/files/{group.id}.jpg",
            "members_count": len(group.members),
        }

    def people(self, ids: set[int]) -> Json:
        users = [self.user(self.state.users[one]) for one in sorted(ids) if one > 0]
        groups = [self.group(self.state.groups[-one]) for one in sorted(ids) if one < 0]
        return {"profiles": users, "groups": groups}

    def message(self, message: Message) -> Json:
        return {
            "id": message.id,
            "conversation_message_id": message.id,
            "date": unix(message.made_at),
            "from_id": -message.group if message.out else message.person,
            "peer_id": message.person,
            "out": int(message.out),
            "text": message.text,
            "version": 10_000_000,
        }

    def story(self, story: Story) -> Json:
        shown: dict[str, Any] = {
            "id": story.id,
            "owner_id": story.owner,
            "date": unix(story.made_at),
            "expires_at": unix(story.made_at) + 86_400,
            "type": story.kind,
            "can_see": 1,
        }
        return shown
