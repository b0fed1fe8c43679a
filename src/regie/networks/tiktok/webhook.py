"""News that TikTok brings to one address for all accounts of an app. Sources: pages Events and Verification; notes."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from regie.networks.data import AppKeys, Incoming, Login, Messages
from regie.networks.errors import Refused, SignInAgain
from regie.networks.tiktok.entities import Comment
from regie.networks.tiktok.reading import comment_said
from regie.networks.tiktok.wire import NETWORK

HEADER = "tiktok-signature"
STALE = timedelta(minutes=5)  # a delivery that was signed earlier is a replay


def verify(app: AppKeys, *, body: bytes, headers: Mapping[str, str], now: datetime | None = None) -> None:
    """The signature over moment and bytes as they came, with our app's secret; then its age. Raises Refused."""
    given = next((value for name, value in headers.items() if name.lower() == HEADER), "")
    parts = dict(part.strip().partition("=")[::2] for part in given.split(","))
    moment = parts.get("t", "")
    wanted = hmac.new(app.client_secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    if not app.client_secret or not hmac.compare_digest(parts.get("s", "").encode(), wanted.encode()):
        raise Refused("This delivery is not signed by {network}.", network=NETWORK)
    at = datetime.fromtimestamp(int(moment), UTC) if moment.isdigit() and len(moment) < 12 else None
    if at is None or abs((now or datetime.now(UTC)) - at) > STALE:
        raise Refused("This delivery of {network}'s is too old.", network=NETWORK)


def _event(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("event"), str):
        raise Refused("This delivery is no news of {network}'s.", network=NETWORK)
    return found


def concerns(body: bytes) -> frozenset[str]:
    """The account that it is about."""
    user = _event(body).get("user_openid")
    return frozenset((user,)) if isinstance(user, str) and user else frozenset()


def _content(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """``content`` is JSON in a string."""
    try:
        found = json.loads(str(event.get("content") or "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def news(login: Login, *, body: bytes) -> Messages:
    """Comments, those taken back, and whether the public sees a post. Other kinds say nothing here.

    Raises SignInAgain when the account withdrew our permission.
    """
    event = _event(body)
    content = _content(event)
    match event["event"]:
        case "authorization.removed":
            raise SignInAgain("{network} asks you to connect this account again.", network=NETWORK)
        case "post.publish.publicly_available":
            return Messages(messages=(), cursor="", shown=_posts(content))
        case "post.publish.no_longer_publicaly_available" | "post.publish.no_longer_publicly_available":
            return Messages(messages=(), cursor="", gone=_posts(content))  # spelt so, and so
        case "comment.update" if content.get("comment_id") and content.get("video_id"):
            return _comment(login, content)
    return Messages(messages=(), cursor="")


def _posts(content: Mapping[str, Any]) -> tuple[str, ...]:
    """By either receipt that we may have given it."""
    return tuple(str(content[name]) for name in ("post_id", "publish_id") if content.get(name))


def _comment(login: Login, content: Mapping[str, Any]) -> Messages:
    """It does not say whether the account itself wrote it: taken only when we know by which word TikTok calls us."""
    said = Comment.model_validate({**content, "create_time": content.get("timestamp") or 0})
    match content.get("comment_action"):
        case "delete":
            return Messages(messages=(), cursor="", gone=(said.comment_id,))
        case "insert" if _is_theirs(login, said):
            made: Incoming = comment_said(said, video=said.video_id, url="")
            return Messages(messages=(made,), cursor="")
    return Messages(messages=(), cursor="")


def _is_theirs(login: Login, said: Comment) -> bool:
    ours = login.limits.get("unique_identifier")
    return bool(ours and said.unique_identifier and said.unique_identifier != ours)
