"""News of Threads accounts: an answer or a mention each, in a shape of Threads' own. Source: webhooks guide."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from regie.networks.data import Login, Messages
from regie.networks.errors import Refused
from regie.networks.threads.entities import Post
from regie.networks.threads.reading import answer_said, mention_said
from regie.networks.threads.wire import NETWORK

FIELDS = ("replies", "mentions")


def _read(body: bytes) -> tuple[str, str, Post | None]:
    """The field, the target, and what it is about (None: nothing that we read). Raises Refused."""
    try:
        whole = json.loads(body)
        values: Any = whole["values"]
        field, value = str(values["field"]), values["value"]
    except (ValueError, KeyError, TypeError):
        raise Refused("This delivery is no news of {network}'s.", network=NETWORK) from None
    try:
        return field, str(whole.get("target_id", "")), Post.model_validate(value)
    except ValidationError:
        return field, "", None


def concerns(body: bytes) -> frozenset[str]:
    """The owner of the post at the top, and whom the delivery is meant for."""
    _, target, post = _read(body)
    owner = post.root_post.owner_id if post is not None and post.root_post is not None else ""
    return frozenset(one for one in (owner, target) if one)


def news(login: Login, *, body: bytes) -> Messages:
    field, target, post = _read(body)
    if post is None or post.timestamp is None or post.username == login.limits.get("username"):
        return Messages(messages=(), cursor="")
    root = post.root_post
    if field == "replies" and root is not None and root.owner_id == login.remote_id:
        return Messages(messages=(answer_said(post, post=root.id),), cursor="")
    if field == "mentions" and (target == login.remote_id or _names(post, login)):
        return Messages(messages=(mention_said(post),), cursor="")
    return Messages(messages=(), cursor="")


def _names(post: Post, login: Login) -> bool:
    username = str(login.limits.get("username", ""))
    return bool(username) and f"@{username}".casefold() in (post.text or "").casefold()
