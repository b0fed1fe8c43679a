"""TikTok API for Business, as far as it is about an account's own posts: the Accounts API. Sources: NOTES.md.

Each answer is ``{"code": 0, "message": "OK", "request_id": ..., "data": {...}}``, whatever the HTTP status says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import aiohttp
from pydantic import BaseModel, ValidationError

from regie.networks.data import AppKeys, Outgoing, Ref
from regie.networks.errors import Gone, NetworkError, Refused, SignInAgain, TokenExpired, TryLater, Unclear
from regie.networks.line import Answer, read, write
from regie.networks.tiktok.entities import (
    Account,
    Begun,
    Comment,
    Comments,
    Entity,
    Item,
    Items,
    Made,
    Settings,
    Shared,
    Status,
    Video,
)
from regie.networks.tiktok.wire import MINUTE, NETWORK, Wire, later, not_the_api, parsed, written

API = "/open_api/v1.3"
OK, NO_PERMISSION, GONE, SLOW_DOWN, CODE_GONE = 0, 40001, 40007, 40100, 40131
DEAD_TOKEN = frozenset((40102, 40104, 40105))
THEIR_TROUBLE = 50000  # from here on
POSTS, COMMENTS = 20, 30  # in one answer, at most
LONGEST_COMMENT = 150

E = TypeVar("E", bound=BaseModel)


class Said(Entity):
    code: int
    message: str = ""


def said_in(answer: Answer) -> Said | None:
    try:
        return Said.model_validate_json(answer.body)
    except ValidationError:
        return None


def must_be_fine(answer: Answer, *, vital: bool = False, refreshes: bool = False, addressed: bool = False) -> None:
    """Raise what an answer means; the words are those of ``wire.must_be_fine``. ``addressed``: it names one object."""
    said = said_in(answer)
    if said is not None and said.code == OK and 200 <= answer.status < 300:
        return
    facts: dict[str, Any] = {"network": NETWORK, "answer": answer}
    if answer.status == 429 or (said is not None and said.code == SLOW_DOWN):
        raise TryLater("{network} asked us to slow down.", not_before=later(answer, MINUTE), **facts)
    if answer.status == 401 or (said is not None and said.code in DEAD_TOKEN):
        if refreshes:
            raise TokenExpired("{network} wants a fresh token.", **facts)
        raise SignInAgain("{network} asks you to connect this account again.", **facts)
    if said is None:
        raise not_the_api(answer)
    reason = said.message or str(said.code)
    if said.code == NO_PERMISSION:
        if vital:
            raise SignInAgain("{network} says that a permission is missing: {reason}", reason=reason, **facts)
        raise Refused("{network} says that a permission is missing: {reason}", reason=reason, **facts)
    if said.code == GONE and addressed:
        raise Gone("{network} no longer has it.", **facts)
    if said.code >= THEIR_TROUBLE:
        raise TryLater("{network} has trouble at the moment.", **facts)
    raise Refused("{network} said: {reason}", reason=reason, **facts)


def _request(wire: Wire) -> dict[str, Any]:
    return {"headers": {"Access-Token": wire.login.credentials.get("access_token", "")}}


async def get(
    wire: Wire, path: str, params: Mapping[str, str] | None = None, *, vital: bool = False, addressed: bool = False
) -> Answer:
    answer = await read(
        wire.http,
        "GET",
        f"{wire.server}{API}{path}",
        network=NETWORK,
        params={"business_id": wire.user, **(params or {})},
        **_request(wire),
    )
    must_be_fine(answer, vital=vital, refreshes=wire.refreshes, addressed=addressed)
    return answer


async def do(wire: Wire, path: str, body: Mapping[str, Any], *, addressed: bool = True) -> Answer:
    """A write that may be done twice."""
    answer = await read(
        wire.http,
        "POST",
        f"{wire.server}{API}{path}",
        network=NETWORK,
        json={"business_id": wire.user, **body},
        **_request(wire),
    )
    must_be_fine(answer, refreshes=wire.refreshes, addressed=addressed)
    return answer


async def publish(wire: Wire, path: str, body: Mapping[str, Any], *, addressed: bool = False) -> Answer:
    """A visible call."""
    answer = await write(
        wire.http,
        "POST",
        f"{wire.server}{API}{path}",
        network=NETWORK,
        repeatable=False,
        json={"business_id": wire.user, **body},
        **_request(wire),
    )
    said = said_in(answer)
    if said is None and 200 <= answer.status < 300:
        raise Unclear(
            "{network} answered something we cannot read, and may have taken it.", network=NETWORK, answer=answer
        )
    if said is not None and said.code >= THEIR_TROUBLE:
        raise Unclear("{network} had trouble, and may have taken it.", network=NETWORK, answer=answer)
    must_be_fine(answer, vital=True, refreshes=wire.refreshes, addressed=addressed)
    return answer


async def trade(http: aiohttp.ClientSession, server: str, app: AppKeys, path: str, fields: Mapping[str, str]) -> Answer:
    """The sign-in's three calls. The secret travels in the body, as TikTok wants it."""
    keys = {"client_id": app.client_id, "client_secret": app.client_secret}
    url = f"{server.rstrip('/')}{API}/tt_user/oauth2/{path}/"
    return await read(http, "POST", url, network=NETWORK, json={**keys, **fields})


# Who we are


async def account(wire: Wire) -> Account:
    """A field that the permissions do not allow would spoil the whole question, so only those are asked that they do.
    Of days it tells the last seven."""
    names = ["username", "display_name", "profile_image"]
    if wire.may("user.info.stats"):
        names += ["followers_count", "following_count", "total_likes", "videos_count"]
    if wire.may("user.insights"):
        names += ["video_views", "unique_video_views", "engaged_audience"]
    return parsed(await get(wire, "/business/get/", {"fields": json.dumps(names)}, vital=True), Account)


async def settings(wire: Wire) -> Settings:
    """What the account's owner allows for posts, now."""
    return parsed(await get(wire, "/business/video/settings/"), Settings)


# Posts


def post_info(outgoing: Outgoing) -> dict[str, Any]:
    """What is the same for videos and photos."""
    options = outgoing.options
    return {
        "caption": outgoing.text,
        "is_brand_organic": bool(options.get("own_brand")),
        "is_branded_content": bool(options.get("paid_partnership")),
        "disable_comment": not options.get("allow_comments"),
    }


async def publish_video(wire: Wire, outgoing: Outgoing) -> Begun:
    (video,), options = outgoing.videos, outgoing.options
    info = {
        **post_info(outgoing),
        "disable_duet": not options.get("allow_duet"),
        "disable_stitch": not options.get("allow_stitch"),
        "is_ai_generated": bool(options.get("made_with_ai")),
        **({"thumbnail_offset": int(video.cover_at * 1000)} if video.cover_at is not None else {}),
    }
    cover = {"custom_thumbnail_url": video.cover.public_url} if video.cover is not None else {}
    body = {"video_url": video.public_url, **cover, "post_info": info}
    return _begun(await publish(wire, "/business/video/publish/", body))


async def publish_photos(wire: Wire, outgoing: Outgoing) -> Begun:
    title = str(outgoing.options.get("title") or "")
    info = {
        **post_info(outgoing),
        **({"title": title} if title else {}),
        "privacy_level": "PUBLIC_TO_EVERYONE",
        "auto_add_music": bool(outgoing.options.get("add_music")),
    }
    body = {
        "photo_images": [picture.public_url for picture in outgoing.pictures],
        "photo_cover_index": cover_index(outgoing),
        "post_info": info,
    }
    return _begun(await publish(wire, "/business/photo/publish/", body))


def cover_index(outgoing: Outgoing) -> int:
    """Of the picture that stands for all, from 0, as TikTok counts; people count from 1."""
    return int(str(outgoing.options.get("cover_picture") or 1)) - 1


def _begun(answer: Answer) -> Begun:
    return Begun(publish_id=written(answer, Shared).share_id)


async def status(wire: Wire, publish_id: str) -> tuple[Status, Answer]:
    answer = await get(wire, "/business/publish/status/", {"publish_id": publish_id}, addressed=True)
    return parsed(answer, Status), answer


FIELDS = ("item_id", "create_time", "caption", "share_url")
NUMBERS = (
    "item_id", "likes", "comments", "shares", "video_views", "favorites", "reach", "total_time_watched",
    "average_time_watched",
)  # fmt: skip


async def items(
    wire: Wire, *, fields: Sequence[str] = FIELDS, ids: Sequence[str] = (), cursor: int = 0
) -> tuple[Items, Answer]:
    """One page of the account's posts, newest first, or those with these ids."""
    params = {"fields": json.dumps(list(fields)), "max_count": str(POSTS)}
    if ids:
        params["filters"] = json.dumps({"video_ids": list(ids)})
    if cursor:
        params["cursor"] = str(cursor)
    answer = await get(wire, "/business/video/list/", params)
    return parsed(answer, Items), answer


def as_video(item: Item) -> Video:
    """As the open API tells a post."""
    return Video(
        id=item.item_id,
        create_time=item.create_time,
        video_description=item.caption,
        share_url=item.share_url,
    )


async def videos(wire: Wire, ids: Sequence[str]) -> dict[str, Video]:
    found = (await items(wire, ids=ids))[0].videos if ids else ()
    return {one.item_id: as_video(one) for one in found if one.item_id in ids}


# Comments


async def comments(wire: Wire, video_id: str, *, under: str = "", cursor: int = 0) -> tuple[Comments, Answer]:
    """Of a post, newest first, with three answers each; or the answers to one of them. Hidden ones are among them."""
    params = {"video_id": video_id, "status": "ALL", "sort_field": "create_time", "sort_order": "desc"}
    params |= {"max_count": str(COMMENTS), **({"cursor": str(cursor)} if cursor else {})}
    params |= {"comment_id": under} if under else {"include_replies": "true"}
    path = "/business/comment/reply/list/" if under else "/business/comment/list/"
    answer = await get(wire, path, params, addressed=True)
    return parsed(answer, Comments), answer


async def answers_of(wire: Wire, top: Comment) -> Sequence[Comment]:
    """All that stands under a comment: a list of comments tells three at most."""
    if (top.replies or 0) <= len(top.reply_list):
        return top.reply_list
    try:
        return (await comments(wire, top.video_id, under=top.comment_id))[0].comments
    except (SignInAgain, TokenExpired):
        raise
    except NetworkError:
        return top.reply_list


async def say(wire: Wire, video_id: str, text: str, *, under: str = "") -> tuple[Made, Answer]:
    """A comment of ours under a post, or an answer to a comment."""
    body = {"video_id": video_id, "text": text, **({"comment_id": under} if under else {})}
    path = "/business/comment/reply/create/" if under else "/business/comment/create/"
    answer = await publish(wire, path, body, addressed=True)
    return written(answer, Made), answer


async def like(wire: Wire, ref: Ref, *, liked: bool) -> None:
    await do(wire, "/business/comment/like/", {"comment_id": ref.remote_id, "action": "LIKE" if liked else "UNLIKE"})


async def hide(wire: Wire, ref: Ref, *, hidden: bool) -> None:
    body = {"comment_id": ref.remote_id, "video_id": str(ref.extra.get("video", ""))}
    await do(wire, "/business/comment/hide/", {**body, "action": "HIDE" if hidden else "UNHIDE"})


async def delete(wire: Wire, ref: Ref) -> None:
    """One of our own comments. Already gone counts as done."""
    try:
        await do(wire, "/business/comment/delete/", {"comment_id": ref.remote_id})
    except Gone:
        return


async def enter_webhook(wire: Wire, url: str) -> None:
    """For all accounts of the app: news of comments and of what became of posts."""
    app = wire.login.app
    if app is None:
        return
    for kind in ("COMMENT", "VIDEO"):
        body = {"app_id": app.client_id, "secret": app.client_secret, "event_type": kind, "callback_url": url}
        answer = await read(
            wire.http, "POST", f"{wire.server}{API}/business/webhook/update/", network=NETWORK, json=body
        )
        must_be_fine(answer)
