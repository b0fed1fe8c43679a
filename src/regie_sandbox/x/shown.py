"""Posts, people, files and messages as X shows them: only the fields asked for, in the names asked with.

Version 2.167 renamed ``tweet`` to ``post`` (and ``retweet_count`` to ``repost_count``); who asks with ``tweet.fields``
is answered in the names of 2.159.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from regie.networks.x.weights import links_in
from regie_sandbox.x.rules import EDIT_WITHIN, MOST_EDITS, OWN_NUMBERS, PROBLEMS, SHORT, iso
from regie_sandbox.x.state import Direct, Media, Post, Subscription, User, Webhook

if TYPE_CHECKING:
    from regie_sandbox.x.app import X

Json = dict[str, Any]
SHOWN = 30
OLD = {
    "note_post": "note_tweet",
    "referenced_posts": "referenced_tweets",
    "edit_history_post_ids": "edit_history_tweet_ids",
    "posts": "tweets",
    "repost_count": "retweet_count",
    "post_count": "tweet_count",
}


@dataclass(slots=True)
class Asked:
    """What a request wants to see. ``old``: in the names of 2.159."""

    post: set[str]
    user: set[str]
    media: set[str]
    poll: set[str]
    expand: set[str]
    event: set[str]
    old: bool


def asked(query: Mapping[str, str]) -> Asked:
    def names(*of: str) -> set[str]:
        return {one for name in of for one in query.get(name, "").split(",") if one}

    expand = {one.removesuffix(".id").replace("referenced_tweets", "referenced_posts") for one in names("expansions")}
    post = {one.replace("note_tweet", "note_post") for one in names("post.fields", "tweet.fields")}
    return Asked(
        post=post | expand,
        user=names("user.fields"),
        media=names("media.fields"),
        poll=names("poll.fields"),
        expand=expand,
        event=names("dm_event.fields") | expand,
        old="tweet.fields" in query or "referenced_tweets.id" in query.get("expansions", ""),
    )


class Shows:
    def __init__(self, net: X, viewer: str, wish: Asked) -> None:
        self.net, self.viewer, self.wish = net, viewer, wish

    def named(self, body: Any) -> Any:
        """The same in the names that the request was asked with."""
        if not self.wish.old:
            return body
        if isinstance(body, dict):
            return {OLD.get(name, name): self.named(one) for name, one in body.items()}
        return [self.named(one) for one in body] if isinstance(body, list) else body

    # Posts

    def post(self, post: Post) -> Json:
        wish, state = self.wish, self.net.state
        text, links = wrapped(post, self.net.base)
        long = len(text) > SHORT and state.users[post.author].subscription != "None"
        body: Json = {
            "id": post.id,
            "text": f"{text[: SHORT - 1]}…" if long else text,
            "edit_history_post_ids": post.history or [post.id],
        }
        found: Json = {
            "author_id": post.author,
            "created_at": iso(post.created_at),
            "conversation_id": post.conversation,
            "lang": "und",
            "possibly_sensitive": any(state.media[one].warnings for one in post.media if one in state.media),
            "reply_settings": post.reply_settings,
            "paid_partnership": post.paid_partnership,
            "public_metrics": self.numbers(post),
        }
        if not self.wish.old:
            found["edit_controls"] = self.edit_controls(post)
        if post.community:
            found["community_id"] = post.community
        if post.place:
            found["geo"] = {"place_id": post.place}
        if links or post.mentions:
            found["entities"] = self.entities(post, links)
        if long:
            found["note_post"] = {"text": text}
        if post.author == self.viewer and self.net.now() - post.created_at < OWN_NUMBERS:
            found["non_public_metrics"] = self.own_numbers(post)
        if attached := self.attachments(post):
            found["attachments"] = attached
        if references := self.references(post):
            found["referenced_posts"] = references
        if post.reply_to and post.reply_to in state.posts:
            found["in_reply_to_user_id"] = state.posts[post.reply_to].author
        wanted = {one.split(".")[0] for one in wish.post}
        return {**body, **{name: one for name, one in found.items() if name in wanted}}

    def edit_controls(self, post: Post) -> Json:
        state, versions = self.net.state, post.history or [post.id]
        first, answered = state.posts[versions[0]], state.posts.get(post.reply_to)
        bound = post.poll is not None or post.community or (answered is not None and answered.author != post.author)
        return {
            "is_edit_eligible": not bound,
            "editable_until": iso(first.created_at + EDIT_WITHIN),
            "edits_remaining": MOST_EDITS + 1 - len(versions),
        }

    def numbers(self, post: Post) -> Json:
        return {
            "repost_count": len(post.passed_on_by),
            "reply_count": post.answers,
            "like_count": len(post.liked_by),
            "quote_count": post.quoted,
            "bookmark_count": 0,
            "impression_count": post.seen,
        }

    def own_numbers(self, post: Post) -> Json:
        told = self.numbers(post)
        engaged = told["repost_count"] + told["reply_count"] + told["like_count"] + told["quote_count"]
        return {
            "impression_count": post.seen,
            "url_link_clicks": 0,
            "user_profile_clicks": 0,
            "engagements": engaged,
        }

    def entities(self, post: Post, links: list[Json]) -> Json:
        users = self.net.state.users
        mentions = []
        text = wrapped(post, self.net.base)[0]
        for one in post.mentions:
            at = text.lower().find(f"@{users[one].username.lower()}")
            if at >= 0:
                name = users[one].username
                mentions.append({"start": at, "end": at + len(name) + 1, "username": name, "id": one})
        return {**({"urls": links} if links else {}), **({"mentions": mentions} if mentions else {})}

    def attachments(self, post: Post) -> Json:
        keys = [self.net.state.media[one].key for one in post.media]
        return {
            **({"media_keys": keys} if keys else {}),
            **({"poll_ids": [post.poll.id]} if post.poll is not None else {}),
        }

    def references(self, post: Post) -> list[Json]:
        pairs = (("replied_to", post.reply_to), ("quoted", post.quotes))
        return [{"type": how, "id": which} for how, which in pairs if which]

    def page(self, posts: Iterable[Post], *, errors: list[Json] | None = None) -> Json:
        rows = list(posts)
        body: Json = {"data": [self.post(one) for one in rows]} if rows else {}
        if beside := self.includes(rows):
            body["includes"] = beside
        if errors:
            body["errors"] = errors
        return body

    def includes(self, posts: list[Post]) -> Json:
        state, expand = self.net.state, self.wish.expand
        beside: Json = {}
        users: list[str] = []
        if "author_id" in expand:
            users += [one.author for one in posts]
        if "in_reply_to_user_id" in expand:
            users += [state.posts[one.reply_to].author for one in posts if one.reply_to in state.posts]
        if users:
            beside["users"] = [self.user(state.users[one]) for one in dict.fromkeys(users)]
        if "attachments.media_keys" in expand:
            media = [state.media[key] for one in posts for key in one.media]
            beside |= {"media": [self.media(one) for one in media]} if media else {}
        if "attachments.poll_ids" in expand:
            polls = [self.poll(one) for one in posts if one.poll is not None]
            beside |= {"polls": polls} if polls else {}
        if "referenced_posts" in expand:
            ids = dict.fromkeys(which for one in posts for which in (one.reply_to, one.quotes) if which)
            shown = [self.post(state.posts[one]) for one in ids if one in state.posts]
            beside |= {"posts": shown} if shown else {}
        return beside

    def poll(self, post: Post) -> Json:
        poll = post.poll
        assert poll is not None
        found: Json = {
            "options": [
                {"position": nth, "label": label, "votes": poll.votes[nth - 1]}
                for nth, label in enumerate(poll.options, start=1)
            ],
            "duration_minutes": poll.minutes,
            "end_datetime": iso(poll.ends_at),
            "voting_status": "open" if poll.ends_at > self.net.now() else "closed",
        }
        return {"id": poll.id, **{name: one for name, one in found.items() if name in self.wish.poll | {"options"}}}

    def media(self, media: Media) -> Json:
        found: Json = {"alt_text": media.alt, "width": media.width, "height": media.height}
        address = f"{self.net.base}/media/{media.id}"
        found |= {"url": address} if media.kind == "photo" else {"preview_image_url": address}
        wish = self.wish.media
        return {"media_key": media.key, "type": media.kind, **{k: v for k, v in found.items() if k in wish and v}}

    # People and messages

    def user(self, user: User) -> Json:
        found: Json = {
            "created_at": iso(user.created_at),
            "profile_image_url": f"{self.net.base}/avatars/{user.id}_normal.png",
            "protected": False,
            "verified": user.subscription != "None",
            "verified_type": "blue" if user.subscription != "None" else "none",
            "subscription_type": user.subscription if user.id == self.viewer else "None",
            "public_metrics": {
                "followers_count": len(user.followers),
                "following_count": len(user.following),
                "post_count": len(user.posts),
                "listed_count": 0,
            },
        }
        named = {"id": user.id, "name": user.name, "username": user.username}
        return {**named, **{name: one for name, one in found.items() if name in self.wish.user}}

    def direct(self, one: Direct) -> Json:
        found: Json = {
            "created_at": iso(one.at),
            "dm_conversation_id": one.conversation,
            "sender_id": one.sender,
        }
        body = {"id": one.id, "event_type": "MessageCreate", "text": escaped(one.text)}
        return {**body, **{name: value for name, value in found.items() if name in self.wish.event}}

    @staticmethod
    def webhook(one: Webhook) -> Json:
        return {"id": one.id, "url": one.url, "valid": one.valid, "created_at": iso(one.created_at)}

    @staticmethod
    def subscription(one: Subscription) -> Json:
        return {
            "subscription_id": one.id,
            "event_type": one.event,
            "filter": {"user_id": one.user},
            "webhook_id": one.webhook,
            "created_at": iso(one.created_at),
            "updated_at": iso(one.created_at),
            **({"tag": one.tag} if one.tag else {}),
        }


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def wrapped(post: Post, base: str) -> tuple[str, list[Json]]:
    """The text as X shows it: three signs in HTML's way, each link behind one of its own, one more for the files."""
    pieces: list[str] = []
    links: list[Json] = []
    at = length = 0
    for nth, (begin, end) in enumerate(links_in(post.text)):
        plain, short = escaped(post.text[at:begin]), _short(post.id, nth)
        length += len(plain)
        whole = post.text[begin:end]
        address = whole if "://" in whole else f"http://{whole}"
        shown = address.split("://", 1)[1]
        links.append(
            {
                "start": length,
                "end": length + len(short),
                "url": short,
                "expanded_url": address,
                "display_url": shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…",
            }
        )
        pieces += [plain, short]
        length, at = length + len(short), end
    pieces.append(escaped(post.text[at:]))
    text = "".join(pieces)
    if post.media:
        short, gap = _short(post.id, -1), " " if text else ""
        begin = len(text) + len(gap)
        text = f"{text}{gap}{short}"
        links += [
            {
                "start": begin,
                "end": begin + len(short),
                "url": short,
                "expanded_url": f"{base}/i/web/status/{post.id}/photo/1",
                "display_url": f"pic.x.com/{short[-10:]}",
                "media_key": f"3_{one}",
            }
            for one in post.media
        ]
    return text, links


def _short(post_id: str, nth: int) -> str:
    return f"https://t.co/{hashlib.sha256(f'{post_id}:{nth}'.encode()).hexdigest()[:10]}"


def not_there(what: str, which: str) -> Json:
    """One that a list of ids named, and that is gone."""
    return {
        "value": which,
        "detail": f"Could not find {what} with ids: [{which}].",
        "title": "Not Found Error",
        "resource_type": what,
        "parameter": "ids",
        "resource_id": which,
        "type": f"{PROBLEMS}resource-not-found",
    }
