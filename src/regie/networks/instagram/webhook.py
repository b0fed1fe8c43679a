"""News of an Instagram account. The two logins nest a comment's id differently."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from regie.networks.data import Incoming, Login, Messages
from regie.networks.instagram.entities import Comment, Story
from regie.networks.instagram.reading import comment_said, direct_said, mention_told
from regie.networks.instagram.wire import NETWORK, Wire, login_of
from regie.networks.meta import webhook

FIELDS = ["comments", "mentions", "messages"]


async def subscribe(wire: Wire) -> None:
    """With Facebook's login it is the Page that asks, for any field of its own."""
    path, fields = (f"/{wire.messaging}", ["feed"]) if wire.uploads else (f"/{wire.user}", FIELDS)
    await wire.graph.do("POST", f"{path}/subscribed_apps", {"subscribed_fields": fields})


async def unsubscribe(wire: Wire) -> None:
    path = f"/{wire.messaging}" if wire.uploads else f"/{wire.user}"
    await wire.graph.do("DELETE", f"{path}/subscribed_apps")


def news(login: Login, *, body: bytes) -> Messages:
    """Comments, mentions and messages. A mention tells no text: it is asked for, which Facebook's login may do; with
    Instagram's own it comes with the next reading, where the account is tagged."""
    found: list[Incoming] = []
    for entry in webhook.entries(body, network=NETWORK):
        if str(entry["id"]) != login.remote_id:
            continue
        at = webhook.moment(entry.get("time"))
        for field, value in webhook.changes(entry):
            if field in ("comments", "live_comments") and (one := _comment(value, at, login)) is not None:
                found.append(one)
            elif field == "mentions" and login_of(login.server) == "facebook":
                found += _mention(value, at)
        found += [
            direct_said(
                str(one["message"]["mid"]),
                who=str(one["sender"]["id"]),
                name="",
                text=str(one["message"].get("text") or ""),
                at=webhook.moment(one.get("timestamp")),
                story=_story(one["message"]),
                app=login.app,
            )
            for one in webhook.spoken(entry)
            if isinstance(one.get("sender"), dict)
        ]
    return Messages(messages=tuple(found), cursor="")


def _comment(value: Mapping[str, Any], at: datetime, login: Login) -> Incoming | None:
    comment_id = str(value.get("id") or value.get("comment_id") or "")
    media, by = _inner(value, "media"), _inner(value, "from")
    if not comment_id or not media.get("id") or by.get("username") == login.limits.get("username"):
        return None
    said = Comment.model_validate({"id": comment_id, "text": value.get("text"), "timestamp": at, "from": by})
    return comment_said(said, media_id=str(media["id"]), url="", top=str(value.get("parent_id") or comment_id))


def _mention(value: Mapping[str, Any], at: datetime) -> list[Incoming]:
    media, comment = str(value.get("media_id") or ""), str(value.get("comment_id") or "")
    is_one = media.isdigit() and (comment.isdigit() or not comment)
    return [mention_told(media=media, comment=comment, at=at)] if is_one else []


def _story(message: Mapping[str, Any]) -> Story:
    """Ours that is answered, or one that names us, which comes as an attachment without an id."""
    if answered := _inner(_inner(message, "reply_to"), "story"):
        return Story.model_validate({"reply_to": {"id": answered.get("id") or "", "link": answered.get("url")}})
    files = message.get("attachments")
    named = next((one for one in files or () if isinstance(one, dict) and one.get("type") == "story_mention"), None)
    return Story.model_validate({"mention": {"link": _inner(named, "payload").get("url")}} if named else {})


def _inner(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}
