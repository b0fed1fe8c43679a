"""News of a Page: comments under its posts, posts that name it, messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from regie.networks.capabilities import MessageKind
from regie.networks.data import AppKeys, Incoming, Login, Messages
from regie.networks.facebook.entities import Message
from regie.networks.facebook.reading import direct_said, person_of
from regie.networks.facebook.wire import NETWORK, Wire
from regie.networks.meta import webhook
from regie.networks.meta.entities import From

FIELDS = ["feed", "mention", "messages"]


async def subscribe(wire: Wire) -> None:
    await wire.graph.do("POST", f"/{wire.page}/subscribed_apps", {"subscribed_fields": FIELDS})


async def unsubscribe(wire: Wire) -> None:
    await wire.graph.do("DELETE", f"/{wire.page}/subscribed_apps")


def news(login: Login, *, body: bytes) -> Messages:
    found: list[Incoming] = []
    gone: list[str] = []
    for entry in webhook.entries(body, network=NETWORK):
        if str(entry["id"]) != login.remote_id:
            continue
        at = webhook.moment(entry.get("time"))
        for field, value in webhook.changes(entry):
            if field == "feed" and value.get("item") == "comment" and value.get("comment_id"):
                if value.get("verb") == "remove":
                    gone.append(str(value["comment_id"]))
                elif _author(value).id != login.remote_id:
                    found.append(_comment(value, at))
            elif field == "mention" and value.get("post_id") and value.get("verb") != "remove":
                found.append(_mention(value, at))
        found += [direct for one in webhook.spoken(entry) if (direct := _direct(one, login.app)) is not None]
    return Messages(messages=tuple(found), cursor="", gone=tuple(gone))


def _author(value: Mapping[str, Any]) -> From:
    given = value.get("from")
    return From.model_validate(given) if isinstance(given, dict) else From(id=str(value.get("sender_id") or ""))


def _comment(value: Mapping[str, Any], at: datetime) -> Incoming:
    post = str(value.get("post_id") or "")
    made = value.get("created_time")
    return Incoming(
        remote_id=str(value["comment_id"]),
        kind=MessageKind.COMMENT,
        by=person_of(_author(value) if value.get("from") else None),
        text=str(value.get("message") or ""),
        said_at=webhook.moment(made) if made else at,
        conversation_id=post,
        reply_to_id=str(value.get("parent_id") or post),
        post_id=post,
        extra={"kind": "comment"},
    )


def _mention(value: Mapping[str, Any], at: datetime) -> Incoming:
    return Incoming(
        remote_id=str(value["post_id"]),
        kind=MessageKind.MENTION,
        by=person_of(_author(value)),
        text=str(value.get("message") or ""),
        said_at=at,
        conversation_id=str(value["post_id"]),
        extra={"kind": "mention"},
    )


def _direct(one: Mapping[str, Any], app: AppKeys | None) -> Incoming | None:
    sender = one.get("sender")
    if not isinstance(sender, dict):
        return None
    at = webhook.moment(one.get("timestamp"))
    said = {"id": one["message"]["mid"], "message": one["message"].get("text"), "created_time": at, "from": sender}
    return direct_said(Message.model_validate(said), app)
