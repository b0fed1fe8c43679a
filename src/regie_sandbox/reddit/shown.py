"""How Reddit shows what it has. Shapes: the recordings that the connector's NOTES.md names."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from regie_sandbox.reddit.rules import IMAGE_TYPES
from regie_sandbox.reddit.state import Comment, Community, Message, Notice, Person, Post

if TYPE_CHECKING:
    from regie_sandbox.reddit.app import Reddit

Json = dict[str, Any]


def seconds(moment: datetime) -> float:
    return float(int(moment.timestamp()))


class Shows:
    """What one person sees (``me``: their name)."""

    def __init__(self, net: Reddit, me: str) -> None:
        self.net, self.me = net, me

    def listing(self, things: Sequence[Json], after: str | None = None) -> Json:
        return {
            "kind": "Listing",
            "data": {
                "after": after,
                "dist": len(things),
                "modhash": None,
                "geo_filter": "",
                "children": list(things),
                "before": None,
            },
        }

    def post(self, post: Post) -> Json:
        deleted = post.removed == "deleted"
        score = sum(post.votes.values())
        up = sum(1 for one in post.votes.values() if one > 0)
        text = "[deleted]" if deleted else post.text
        if post.poll is not None and not deleted:
            text = f"{text}\n\n[View Poll](https://www.reddit.com/poll/{post.id[3:]})"
        data: Json = {
            "subreddit": post.community,
            "subreddit_name_prefixed": f"r/{post.community}",
            "subreddit_id": self.net.community(post.community).id,
            "subreddit_type": self.net.community(post.community).kind,
            "selftext": text,
            "title": post.title,
            "name": post.id,
            "id": post.id[3:],
            "author": "[deleted]" if deleted else post.author,
            "score": score,
            "ups": score,
            "downs": 0,
            "upvote_ratio": round(up / len(post.votes), 2) if post.votes else 1.0,
            "likes": self._own_vote(post.votes),
            "num_comments": sum(not self.net.state.comments[one].deleted for one in post.comments),
            "view_count": None,
            "hide_score": False,
            "edited": seconds(post.edited_at) if post.edited_at else False,
            "created": seconds(post.created_at),
            "created_utc": seconds(post.created_at),
            "permalink": self.permalink(post),
            "url": self.url(post),
            "domain": self._domain(post),
            "is_self": post.kind in ("self", "poll"),
            "is_video": post.kind == "video",
            "over_18": post.nsfw,
            "spoiler": post.spoiler,
            "send_replies": post.send_replies,
            "removed_by_category": post.removed or None,
            "removal_reason": None,
            "link_flair_text": self._flair(post),
            "link_flair_css_class": None,
            "media": None,
            "secure_media": None,
            "thumbnail": "self" if post.kind == "self" else "default",
            "archived": False,
            "locked": False,
            "stickied": False,
            "distinguished": None,
            "quarantine": False,
            "saved": False,
            "hidden": False,
            "gilded": 0,
            "user_reports": [],
            "mod_reports": [],
            "num_reports": 0,
        }
        if not deleted:
            data["author_fullname"] = self.net.person(post.author).id
        if post.kind in ("image", "video"):
            data |= {"post_hint": "image" if post.kind == "image" else "hosted:video", "is_reddit_media_domain": True}
        if post.kind == "gallery":
            data |= self._gallery(post)
        if post.poll is not None:
            data["poll_data"] = self._poll(post)
        return {"kind": "t3", "data": data}

    def permalink(self, post: Post) -> str:
        slug = "_".join("".join(c if c.isalnum() else " " for c in post.title.lower()).split())[:50] or "_"
        return f"/r/{post.community}/comments/{post.id[3:]}/{slug}/"

    def url(self, post: Post) -> str:
        match post.kind:
            case "link":
                return post.url
            case "image":
                asset = self.net.state.assets[post.assets[0]]
                return f"https://i.redd.it/{asset.id}.{IMAGE_TYPES.get(asset.content_type, 'png')}"
            case "video":
                return f"https://v.redd.it/{post.assets[0]}"
            case "gallery":
                return f"https://www.reddit.com/gallery/{post.id[3:]}"
        return f"https://www.reddit.com{self.permalink(post)}"

    def _domain(self, post: Post) -> str:
        match post.kind:
            case "image":
                return "i.redd.it"
            case "video":
                return "v.redd.it"
            case "gallery":
                return "reddit.com"
            case "link":
                return post.url.split("//")[-1].split("/")[0]
        return f"self.{post.community}"

    def _flair(self, post: Post) -> str | None:
        flairs = self.net.community(post.community).flairs
        return next((one.text for one in flairs if one.id == post.flair_id), None)

    def _item(self, post: Post, number: int, asset: str) -> Json:
        below = {"caption": post.captions, "outbound_url": post.outbound}
        said = {name: there[number] for name, there in below.items() if number < len(there) and there[number]}
        return {"media_id": asset, "id": 10_000 + number, **said}

    def _gallery(self, post: Post) -> Json:
        assets = [self.net.state.assets[one] for one in post.assets]
        return {
            "is_gallery": True,
            "gallery_data": {"items": [self._item(post, n, one.id) for n, one in enumerate(assets)]},
            "media_metadata": {
                one.id: {"status": "valid", "e": "Image", "m": one.content_type, "id": one.id} for one in assets
            },
        }

    def _poll(self, post: Post) -> Json:
        poll = post.poll
        assert poll is not None
        return {
            "user_selection": None,
            "options": [
                {"text": text, "vote_count": votes, "id": str(576_000 + n)}
                for n, (text, votes) in enumerate(zip(poll.options, poll.votes, strict=True))
            ],
            "voting_end_timestamp": int(poll.ends_at.timestamp() * 1000),
            "total_vote_count": sum(poll.votes),
        }

    def _own_vote(self, votes: dict[str, int]) -> bool | None:
        mine = votes.get(self.me)
        return None if mine is None else mine > 0

    def comment(self, comment: Comment) -> Json:
        post = self.net.state.posts[comment.post]
        gone = "[deleted]" if comment.deleted else ""
        if comment.hidden and self.me != comment.author and not self.net.moderates(self.me, post.community):
            gone = "[removed]"
        score = sum(comment.votes.values())
        data: Json = {
            "subreddit_id": self.net.community(post.community).id,
            "subreddit": post.community,
            "link_id": comment.post,
            "parent_id": comment.parent,
            "id": comment.id[3:],
            "name": comment.id,
            "author": gone or comment.author,
            "body": gone or comment.text,
            "body_html": f'<div class="md"><p>{html.escape(gone or comment.text)}</p>\n</div>',
            "score": score,
            "ups": score,
            "downs": 0,
            "score_hidden": False,
            "likes": self._own_vote(comment.votes),
            "replies": "",
            "created": seconds(comment.created_at),
            "created_utc": seconds(comment.created_at),
            "edited": seconds(comment.edited_at) if comment.edited_at else False,
            "permalink": f"{self.permalink(post)}{comment.id[3:]}/",
            "distinguished": None,
            "stickied": False,
            "archived": False,
            "saved": False,
            "gilded": 0,
            "controversiality": 0,
            "user_reports": [],
            "mod_reports": [],
            "num_reports": 0,
        }
        if not gone:
            data["author_fullname"] = self.net.person(comment.author).id
        return {"kind": "t1", "data": data}

    def message(self, message: Message, *, new: bool = False) -> Json:
        data = {
            "first_message": int(message.first[3:], 36) if message.first else None,
            "first_message_name": message.first or None,
            "subreddit": None,
            "likes": None,
            "replies": "",
            "author_fullname": self.net.person(message.author).id,
            "id": message.id[3:],
            "name": message.id,
            "subject": message.subject,
            "associated_awarding_id": None,
            "score": 0,
            "author": message.author,
            "num_comments": None,
            "parent_id": message.parent or None,
            "subreddit_name_prefixed": None,
            "new": new,
            "type": "unknown",
            "body": message.text,
            "body_html": f'<div class="md"><p>{html.escape(message.text)}</p>\n</div>',
            "dest": message.to,
            "was_comment": False,
            "created": seconds(message.created_at),
            "created_utc": seconds(message.created_at),
            "context": "",
            "distinguished": None,
        }
        return {"kind": "t4", "data": data}

    def notice(self, notice: Notice) -> Json:
        """A line of the inbox: comments there have another shape than under their post."""
        if (message := self.net.state.messages.get(notice.name)) is not None:
            return self.message(message, new=notice.new)
        comment = self.net.state.comments[notice.name]
        post = self.net.state.posts[comment.post]
        shown = self.comment(comment)["data"]
        data: Json = {
            name: shown[name]
            for name in ("subreddit", "likes", "replies", "id", "name", "author", "score", "parent_id", "body")
        }
        data |= {name: shown[name] for name in ("body_html", "created", "created_utc", "distinguished")}
        data |= {
            "first_message": None,
            "first_message_name": None,
            "author_fullname": shown.get("author_fullname"),
            "subject": notice.type.replace("_", " "),
            "associated_awarding_id": None,
            "num_comments": len(post.comments),
            "subreddit_name_prefixed": f"r/{post.community}",
            "new": notice.new,
            "type": notice.type,
            "link_title": post.title,
            "dest": self.me,
            "was_comment": True,
            "context": f"{self.permalink(post)}{comment.id[3:]}/?context=3",
        }
        return {"kind": "t1", "data": data}

    def community(self, community: Community) -> Json:
        data = {
            "id": community.id[3:],
            "name": community.id,
            "display_name": community.name,
            "display_name_prefixed": f"r/{community.name}",
            "title": community.title,
            "url": f"/r/{community.name}/",
            "subreddit_type": community.kind,
            "submission_type": community.submission_type,
            "subscribers": len(community.members),
            "user_is_subscriber": self.me in community.members,
            "user_is_moderator": self.me in community.moderators,
            "user_is_banned": self.me in community.banned,
            "restrict_posting": community.kind == "restricted",
            "allow_images": "image" not in community.lacks,
            "allow_galleries": "gallery" not in community.lacks,
            "allow_videos": "video" not in community.lacks,
            "allow_polls": "poll" not in community.lacks,
            "link_flair_enabled": bool(community.flairs),
            "over18": False,
            "lang": "en",
            "created": seconds(community.created_at),
            "created_utc": seconds(community.created_at),
        }
        return {"kind": "t5", "data": data}

    def requirements(self, community: Community) -> Json:
        return {
            **asdict(community.wants),
            "title_regexes": [],
            "body_regexes": [],
            "link_repost_age": None,
            "guidelines_text": None,
            "guidelines_display_policy": None,
        }

    def flairs(self, community: Community) -> list[Json]:
        return [
            {
                "id": one.id,
                "text": one.text,
                "type": "text",
                "text_editable": False,
                "mod_only": one.mod_only,
                "allowable_content": "all",
                "max_emojis": 10,
                "css_class": "",
                "background_color": "",
                "text_color": "dark",
                "richtext": [],
                "override_css": False,
            }
            for one in community.flairs
        ]

    def myself(self, person: Person) -> Json:
        profile = self.net.community(f"u_{person.name}")
        return {
            "id": person.id[3:],
            "name": person.name,
            "icon_img": "https://www.redditstatic.com/avatars/defaults/v2/avatar_default_6.png",
            "link_karma": person.karma,
            "comment_karma": 0,
            "total_karma": person.karma,
            "created": seconds(person.created_at),
            "created_utc": seconds(person.created_at),
            "has_mail": any(one.new for one in person.inbox),
            "has_mod_mail": False,
            "inbox_count": sum(one.new for one in person.inbox),
            "is_mod": any(person.name in one.moderators for one in self.net.state.communities.values()),
            "is_employee": False,
            "is_gold": False,
            "is_suspended": False,
            "over_18": True,
            "verified": True,
            "has_verified_email": True,
            "subreddit": {**self.community(profile)["data"], "display_name_prefixed": f"u/{person.name}"},
        }
