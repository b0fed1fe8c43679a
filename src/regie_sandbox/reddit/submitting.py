"""New posts and the files they name. Source: recordings submit_*; limits: NOTES.md of the connector."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aiohttp import web

from regie_sandbox.reddit.call import Call, truth
from regie_sandbox.reddit.rules import (
    CAPTION,
    DAYS,
    IMAGE_TYPES,
    LARGEST_IMAGE,
    LARGEST_VIDEO,
    LONGEST_OPTION,
    LONGEST_TEXT,
    LONGEST_TITLE,
    MOST_IMAGES,
    OPTIONS,
    VIDEO_TYPES,
    No,
    Problem,
    invalid,
)
from regie_sandbox.reddit.state import Asset, Community, Poll, Post

if TYPE_CHECKING:
    from regie_sandbox.reddit.app import Reddit

XML = "application/xml"
PLACE = (
    "<?xml version='1.0' encoding='UTF-8'?>\n<PostResponse><Location>{where}</Location><Key>{key}</Key></PostResponse>"
)
WRONG = "<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>{code}</Code><Message>{said}</Message>{more}</Error>"


async def submit(call: Call) -> Any:
    fields = await call.fields()
    community = _taken(call, fields)
    kind = str(fields.get("kind", ""))
    match kind:
        case "self":
            more: dict[str, Any] = {}
        case "link":
            more = {"url": _link(fields)}
        case "image":
            more = {"assets": [_asset_at(call, fields, "url", IMAGE_TYPES).id]}
        case "video":
            more = {"assets": [_asset_at(call, fields, "url", VIDEO_TYPES).id]}
            if not fields.get("video_poster_url"):
                raise No("MISSING_VIDEO_URLS", "This community requires a video link and a post link", "url")
            _asset_at(call, fields, "video_poster_url", IMAGE_TYPES)
        case _:
            raise No("INVALID_OPTION", "that option is not valid", "kind")
    _must_be_wanted(community, fields, kind)
    post = _made(call, community, kind, fields, **more)
    if kind in ("image", "video"):
        socket = f"wss://k8s-lb.wss.redditmedia.com/{post.assets[0]}?m={secrets.token_urlsafe(12)}"
        page = f"https://www.reddit.com/user/{call.me.name}/submitted/"
        return _yes({"websocket_url": socket, **({"user_submitted_page": page} if kind == "image" else {})})
    where = f"https://www.reddit.com{call.shows.permalink(post)}"
    return _yes({"url": where, "drafts_count": 0, "id": post.id[3:], "name": post.id})


async def gallery(call: Call) -> Any:
    fields = await call.fields()
    community = _taken(call, fields)
    items = fields.get("items")
    if not isinstance(items, list) or not 2 <= len(items) <= MOST_IMAGES:
        raise No("placeholder", "List is too short." if not items or len(items) < 2 else "List is too long.", "items")
    assets = [call.net.state.assets.get(str(one.get("media_id", ""))) for one in items]
    if any(one is None or not one.there or one.owner != call.me.name for one in assets):
        raise No("INVALID_MEDIA_ASSET", "that media asset is not valid", "items")
    _must_be_wanted(community, fields, "gallery")
    captions = [str(one.get("caption") or "") for one in items]
    if any(len(one) > CAPTION for one in captions):
        raise No("TOO_LONG", f"this is too long (max: {CAPTION})", "items")
    post = _made(call, community, "gallery", fields, assets=[one.id for one in assets if one is not None])
    post.captions, post.outbound = captions, [str(one.get("outbound_url") or "") for one in items]
    return _yes({"url": f"https://www.reddit.com{call.shows.permalink(post)}", "id": post.id})


async def poll(call: Call) -> Any:
    fields = await call.fields()
    community = _taken(call, fields)
    options, days = fields.get("options"), fields.get("duration")
    if not isinstance(options, list) or len(options) < OPTIONS[0]:
        raise No("TOO_FEW_OPTIONS", "you need at least 2 poll options", "options")
    if len(options) > OPTIONS[1] or any(
        not isinstance(one, str) or not one.strip() or len(one) > LONGEST_OPTION for one in options
    ):
        raise No("BAD_POLL_OPTIONS", "an option is empty or too long", "options")
    if not isinstance(days, int):
        raise No("placeholder", "Missing value", "duration")
    days = max(DAYS[0], min(days, DAYS[1]))  # as there
    _must_be_wanted(community, fields, "poll")
    ends_at = call.net.now() + timedelta(days=days)
    post = _made(call, community, "poll", fields, poll=Poll(options, ends_at, [0] * len(options)))
    return _yes({"url": f"https://www.reddit.com{call.shows.permalink(post)}", "id": post.id})


def _yes(data: dict[str, Any]) -> dict[str, Any]:
    return {"json": {"errors": [], "data": data}}


def _made(call: Call, community: Community, kind: str, fields: dict[str, Any], **more: Any) -> Post:
    return call.net.publish(
        call.me,
        community,
        kind=kind,
        title=" ".join(str(fields["title"]).split()),
        text=str(fields.get("text") or ""),
        flair_id=str(fields.get("flair_id") or ""),
        nsfw=truth(fields.get("nsfw")),
        spoiler=truth(fields.get("spoiler")),
        send_replies=truth(fields.get("sendreplies", True)),
        **more,
    )


def _taken(call: Call, fields: dict[str, Any]) -> Community:
    """The community that a submission is for. Raises No for what Reddit itself forbids."""
    if not fields.get("sr"):
        raise No("BAD_SR_NAME", "This community name isn't recognizable. Check the spelling and try again.", "sr")
    community = call.net.state.communities.get(str(fields["sr"]).lower())
    if community is None:
        raise No("SUBREDDIT_NOEXIST", "Hmm, that community doesn't exist. Try checking the spelling.", "sr")
    if community.kind == "private" and call.me.name not in community.members | community.moderators:
        raise Problem(404)
    if not _may_post(call, community):
        raise No("SUBREDDIT_NOTALLOWED", "You aren't allowed to post there.", "sr")
    title, text = str(fields.get("title") or "").strip(), str(fields.get("text") or "")
    if not title:
        raise No("NO_TEXT", "we need something here", "title")
    for name, value, most in (("title", title, LONGEST_TITLE), ("text", text, LONGEST_TEXT)):
        if len(value) > most:
            raise No("TOO_LONG", f"this is too long (max: {most})", name)
    if fields.get("flair_id") and fields["flair_id"] not in {one.id for one in community.flairs}:
        raise No("BAD_FLAIR_TEMPLATE_ID", "that flair template does not exist", "flair")
    if (pause := call.net.break_for) is not None:
        minutes = int(pause.total_seconds() // 60)
        said = f"Looks like you've been doing that a lot. Take a break for {minutes} minutes before trying again."
        raise No("RATELIMIT", said, "ratelimit")
    return community


def _may_post(call: Call, community: Community) -> bool:
    me = call.me.name
    if me in community.banned:
        return False
    return community.kind == "public" or me in community.moderators or me in community.members


def _must_be_wanted(community: Community, fields: dict[str, Any], kind: str) -> None:
    """The community's own rules; beside its kinds only when asked with ``validate_on_submit``."""
    if community.submission_type == "self" and kind not in ("self", "poll"):
        raise No("NO_LINKS", "that subreddit only allows text posts", "sr")
    if community.submission_type == "link" and kind in ("self", "poll"):
        raise No("NO_SELFS", "that subreddit doesn't allow text posts", "sr")
    if kind in community.lacks:
        code = {"image": "NO_IMAGES", "gallery": "NO_GALLERIES", "video": "NO_VIDEOS", "poll": "NO_POLLS"}[kind]
        raise No(code, "that subreddit does not allow this kind of post", "kind")
    if truth(fields.get("validate_on_submit")):
        for problem in _wishes(community, fields, kind):
            raise problem


def _wishes(community: Community, fields: dict[str, Any], kind: str) -> Iterator[Problem]:
    wants, title, text = community.wants, str(fields["title"]), str(fields.get("text") or "")
    if wants.is_flair_required and not fields.get("flair_id"):
        yield invalid("SUBMIT_VALIDATION_FLAIR_REQUIRED", "Your post must contain post flair.", "flair")
    for word in wants.title_blacklisted_strings:
        if word.lower() in title.lower():
            yield invalid(
                "SUBMIT_VALIDATION_TITLE_BLACKLISTED_STRING", f'You may not have "{word}" in your title.', "title"
            )
    if wants.title_required_strings and not any(one.lower() in title.lower() for one in wants.title_required_strings):
        yield invalid("SUBMIT_VALIDATION_TITLE_REQUIRED", "Your title is missing something.", "title")
    if wants.title_text_min_length and len(title) < wants.title_text_min_length:
        yield invalid("SUBMIT_VALIDATION_MIN_LENGTH", "Your title is too short.", "title")
    if wants.title_text_max_length and len(title) > wants.title_text_max_length:
        yield invalid("SUBMIT_VALIDATION_MAX_LENGTH", "Your title is too long.", "title")
    if wants.body_restriction_policy == "required" and not text.strip():
        yield invalid("SUBMIT_VALIDATION_BODY_REQUIRED", "Your post must contain body text.", "body")
    if wants.body_restriction_policy == "notAllowed" and text.strip():
        yield invalid("SUBMIT_VALIDATION_BODY_NOT_ALLOWED", "Your post must not contain body text.", "body")
    for word in wants.body_blacklisted_strings:
        if word.lower() in text.lower():
            yield invalid(
                "SUBMIT_VALIDATION_BODY_BLACKLISTED_STRING", f'You may not have "{word}" in your post body.', "body"
            )
    host = urlsplit(str(fields.get("url") or "")).hostname if kind == "link" else None
    if host and wants.link_restriction_policy == "blacklist" and host in wants.domain_blacklist:
        yield invalid("SUBMIT_VALIDATION_LINK_BLACKLIST", "Links to this site are not allowed.", "url")


def _link(fields: dict[str, Any]) -> str:
    parts = urlsplit(str(fields.get("url") or ""))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise No("BAD_URL", "you should check that url", "url")
    return str(fields["url"])


# Files


async def asset(call: Call) -> Any:
    fields = await call.fields()
    kind = str(fields.get("mimetype", ""))
    if kind not in (*IMAGE_TYPES, *VIDEO_TYPES) or not fields.get("filepath"):
        raise No("INVALID_MIME_TYPE", "that file type is not supported", "mimetype")
    net, bucket = call.net, "reddit-uploaded-video" if kind in VIDEO_TYPES else "reddit-uploaded-media"
    name = f"{net.new_id()}z{secrets.token_hex(3)}"
    made = Asset(name, call.me.name, kind, name if kind in VIDEO_TYPES else f"rte_images/{name}", secrets.token_hex(16))
    net.state.assets[name] = made
    signed = {
        "acl": "private",
        "key": made.key,
        "X-Amz-Credential": "sandbox",
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "success_action_status": "201",
        "content-type": kind,
        "x-amz-signature": made.signature,
        "x-amz-meta-ext": kind.split("/")[1],
        "policy": secrets.token_hex(16),
        "bucket": bucket,
    }
    return {
        "args": {
            "action": f"//{net.base.split('//')[1]}/{bucket}",
            "fields": [{"name": name, "value": value} for name, value in signed.items()],
        },
        "asset": {
            "asset_id": made.id,
            "processing_state": "incomplete",
            "payload": {"filepath": fields["filepath"]},
            "websocket_url": f"wss://k8s-lb.wss.redditmedia.com/{made.key}?m={secrets.token_urlsafe(12)}",
        },
    }


def store(net: Reddit) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The store beside Reddit: it knows a form by its signature, and nobody by a token."""

    async def take(request: web.Request) -> web.StreamResponse:
        form = await request.post()
        file = form.get("file")
        made = next((one for one in net.state.assets.values() if one.key == form.get("key")), None)
        if made is None or form.get("x-amz-signature") != made.signature:
            return _xml(403, WRONG.format(code="SignatureDoesNotMatch", said="The signature does not match.", more=""))
        if not isinstance(file, web.FileField):
            return _xml(400, WRONG.format(code="InvalidArgument", said="POST requires exactly one file", more=""))
        content = file.file.read()
        most = LARGEST_VIDEO if made.content_type in VIDEO_TYPES else LARGEST_IMAGE
        if len(content) > most:
            more = f"<ProposedSize>{len(content)}</ProposedSize><MaxSizeAllowed>{most}</MaxSizeAllowed>"
            said = "Your proposed upload exceeds the maximum allowed size"
            return _xml(400, WRONG.format(code="EntityTooLarge", said=said, more=more))
        net.world.files.put(f"reddit-{made.id}", content)
        made.size, made.there = len(content), True
        return _xml(201, PLACE.format(where=f"{net.base}{request.path}/{made.key}", key=made.key))

    return take


def _xml(status: int, body: str) -> web.Response:
    return web.Response(status=status, body=body.encode(), content_type=XML)


def _asset_at(call: Call, fields: dict[str, Any], name: str, types: dict[str, str]) -> Asset:
    """The file at the address that a post names: sent by this account, and of that type."""
    path = urlsplit(str(fields.get(name) or "")).path
    for one in call.net.state.assets.values():
        fits = one.there and one.owner == call.me.name and one.content_type in types
        if fits and path.endswith(f"/{one.key}"):
            return one
    raise No("BAD_URL", "you should check that url", name)
