"""What people say under an account's posts, with the login for business accounts. Sources: NOTES.md."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Messages, Person
from regie.networks.errors import NetworkError, SignInAgain, TryLater
from regie.networks.meta.cursor import Cursor, read_cursor
from regie.networks.tiktok import business
from regie.networks.tiktok.entities import Comment, Item
from regie.networks.tiktok.wire import Wire

POSTS = 15  # the newest, each a question of its own: TikTok takes forty a minute


async def messages(wire: Wire, *, cursor: str) -> Messages:
    """Comments under the newest posts, oldest first. There is no list of all: what is said under older ones is brought
    by webhook only."""
    if not wire.business:
        return Messages(messages=(), cursor=cursor)
    known = Cursor.model_validate(read_cursor(cursor))
    found = [one for item in (await business.items(wire))[0].videos[:POSTS] for one in await _under(wire, item)]
    fresh = sorted((one for one in found if known.is_new(one)), key=lambda one: (one.said_at, one.remote_id))
    return Messages(messages=tuple(fresh), cursor=json.dumps(known.after(found), sort_keys=True))


async def _under(wire: Wire, item: Item) -> list[Incoming]:
    """One post's. A post that tells none (comments switched off, gone meanwhile) does not keep the others from us."""
    try:
        page, _ = await business.comments(wire, item.item_id)
    except (SignInAgain, TryLater):
        raise
    except NetworkError:
        return []
    url = (item.share_url or "").split("?", 1)[0]
    said = [one for top in page.comments for one in (top, *await business.answers_of(wire, top))]
    return [comment_said(one, video=item.item_id, url=url) for one in said if not one.owner]


def comment_said(one: Comment, *, video: str, url: str) -> Incoming:
    parent = one.parent_comment_id.removeprefix("0")  # webhooks say 0 for none
    handle = f"@{one.username}" if one.username else ""
    return Incoming(
        remote_id=one.comment_id,
        kind=MessageKind.COMMENT,
        by=Person(
            remote_id=one.unique_identifier or one.user_id or one.username,
            name=one.display_name or one.username,
            handle=handle,
            url=f"https://www.tiktok.com/{handle}" if handle else "",
            avatar_url=one.profile_image,
        ),
        text=one.text or "",
        said_at=datetime.fromtimestamp(one.create_time, UTC),
        url=url,
        conversation_id=video,
        reply_to_id=parent or video,
        post_id=video,
        likes=one.likes,
        liked_by_us=one.liked,
        extra={"kind": "comment", "video": video, "parent": parent},
    )
