"""Statuses, their pictures and polls. Source: docs.joinmastodon.org/methods/statuses, media, polls."""

from __future__ import annotations

import io
import warnings
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web
from PIL import Image

from regie_sandbox import films
from regie_sandbox.mastodon import markup, rules
from regie_sandbox.mastodon.call import Call, authed, truth
from regie_sandbox.mastodon.rules import Problem, invalid, iso, not_found
from regie_sandbox.mastodon.state import Media, Poll, Status

if TYPE_CHECKING:
    from regie_sandbox.mastodon.app import Mastodon

HALF_HOUR = timedelta(minutes=30)


def routes(server: Mastodon) -> list[web.RouteDef]:
    def write(do: Any, scope: str = "write:statuses") -> Any:
        return authed(server, do, scope)

    def read(do: Any, scope: str = "read:statuses") -> Any:
        return authed(server, do, scope)

    one = "/api/v1/statuses/{id}"
    return [
        web.post("/api/v1/statuses", write(create)),
        web.get("/api/v1/statuses", read(several)),
        web.get(one, read(show)),
        web.put(one, write(edit)),
        web.delete(one, write(delete)),
        web.get(f"{one}/context", read(context)),
        web.get(f"{one}/source", read(source)),
        web.get(f"{one}/history", read(history)),
        web.post(f"{one}/favourite", write(favourite, "write:favourites")),
        web.post(f"{one}/unfavourite", write(unfavourite, "write:favourites")),
        web.get(f"{one}/favourited_by", read(favourited_by, "read:accounts")),
        web.post(f"{one}/reblog", write(reblog)),
        web.post(f"{one}/unreblog", write(unreblog)),
        web.get(f"{one}/reblogged_by", read(reblogged_by, "read:accounts")),
        web.post("/api/v2/media", write(upload, "write:media")),
        web.post("/api/v1/media", write(upload, "write:media")),
        web.get("/api/v1/media/{id}", write(media_state, "write:media")),
        web.put("/api/v1/media/{id}", write(describe, "write:media")),
        web.get("/api/v1/polls/{id}", read(poll_state)),
        web.post("/api/v1/polls/{id}/votes", write(vote)),
    ]


async def create(call: Call) -> Any:
    server, fields = call.server, await call.fields()
    key = call.request.headers.get("Idempotency-Key", "")
    if (known := server.used_key(call.me.id, key)) is not None:
        return server.shows.status(known, call.me.id, server.now())
    answered = _answered(call, fields)
    text, spoiler = str(fields.get("status") or ""), str(fields.get("spoiler_text") or "")
    media, poll = _attached(call, fields), _poll(call, fields)
    _must_fit(text, spoiler, media)
    if media and poll:
        raise invalid("Cannot attach files to a poll")
    visibility = fields.get("visibility") or "public"
    if visibility not in rules.VISIBILITIES:
        raise invalid("Visibility is not included in the list")
    call.spend("posts", limit=300, per=timedelta(hours=3))
    status = server.publish(
        call.me,
        text,
        media=media,
        poll=poll,
        in_reply_to=answered,
        visibility=visibility,
        spoiler_text=spoiler,
        sensitive=truth(fields.get("sensitive")),
        language=fields.get("language") or None,
        key=key,
        client_id=call.token.client_id,
    )
    server.keep_key(call.me.id, key, status)
    return server.shows.status(status, call.me.id, server.now())


def _answered(call: Call, fields: dict[str, Any]) -> Status | None:
    wanted = fields.get("in_reply_to_id")
    if not wanted:
        return None
    try:
        return call.server.status(str(wanted), call.me.id)
    except Problem:
        raise Problem(404, "The post you are trying to reply to does not appear to exist.") from None


def _must_fit(text: str, spoiler: str, media: list[Media]) -> None:
    if not text.strip() and not media:
        raise invalid("Text can't be blank")
    if markup.count(text, spoiler) > rules.MOST_CHARACTERS:
        raise invalid(f"Text character limit of {rules.MOST_CHARACTERS} exceeded")


def _attached(call: Call, fields: dict[str, Any], status: Status | None = None) -> list[Media]:
    ids = fields.get("media_ids") or []
    if len(ids) > rules.MOST_MEDIA:
        raise invalid("Cannot attach more than 4 files")
    found = [call.server.state.media.get(str(one)) for one in ids]
    allowed = ("", status.id if status else "")
    alone = (*rules.VIDEO_TYPES, *rules.AUDIO_TYPES)
    films_there = [one for one in found if one is not None and one.content_type in alone]
    if films_there and len(found) > 1:
        raise invalid("Cannot attach a video to a post that already contains images")
    if any(one is None or one.account_id != call.me.id or one.status_id not in allowed for one in found):
        raise invalid("Media cannot be attached")
    media = [one for one in found if one is not None]
    if any(one.ready_at > call.server.now() for one in media):
        raise invalid("Cannot attach files that have not finished processing. Try again in a moment!")
    return media


def _poll(call: Call, fields: dict[str, Any]) -> Poll | None:
    wish = fields.get("poll")
    if not wish:
        return None
    options, lasts = [str(one) for one in wish.get("options", ())], int(wish.get("expires_in") or 0)
    now = call.server.now()
    if len(options) < 2:
        raise invalid("Options must be more than one item")
    if len(options) > rules.MOST_OPTIONS:
        raise invalid(f"Options can't contain more than {rules.MOST_OPTIONS} items")
    if any(markup.count(one) > rules.LONGEST_OPTION for one in options):
        raise invalid(f"Options can't be longer than {rules.LONGEST_OPTION} characters each")
    if any(not one.strip() for one in options) or len(set(options)) != len(options):
        raise invalid("Options contain duplicate or empty items")
    if lasts < rules.SHORTEST_POLL:
        raise invalid("Expires at is too soon")
    if lasts > rules.LONGEST_POLL:
        raise invalid("Expires at is too far into the future")
    return Poll(
        id=call.server.new_id(),
        options=options,
        votes=[0] * len(options),
        multiple=truth(wish.get("multiple")),
        hide_totals=truth(wish.get("hide_totals")),
        expires_at=now + timedelta(seconds=lasts),
    )


async def several(call: Call) -> Any:
    ids = call.request.query.getall("id[]", [])
    if len(ids) > 20:
        raise invalid("Too many ids")
    statuses = [call.server.state.statuses.get(one) for one in ids]
    seen = [one for one in statuses if one is not None and call.server.may_see(one, call.me.id)]
    return call.server.shows.many(seen, call.me.id, call.server.now())


async def show(call: Call) -> Any:
    return _shown(call, call.server.status(call.id, call.me.id))


def _shown(call: Call, status: Status) -> dict[str, Any]:
    return call.server.shows.status(status, call.me.id, call.server.now())


def _own(call: Call) -> Status:
    status = call.server.status(call.id, call.me.id)
    if status.account_id != call.me.id:
        raise not_found()
    return status


async def edit(call: Call) -> Any:
    status, fields = _own(call), await call.fields()
    text, spoiler = str(fields.get("status") or ""), str(fields.get("spoiler_text") or "")
    media = _attached(call, fields, status)
    _must_fit(text, spoiler, media)
    poll = _poll(call, fields)
    if poll is None or status.poll is None or poll.options != status.poll.options:
        status.poll = poll  # a changed poll starts again
    status.media_ids = [one.id for one in media]
    for one in media:
        one.status_id = status.id
    status.spoiler_text = spoiler
    status.sensitive = truth(fields.get("sensitive")) or bool(spoiler)
    status.language = fields.get("language") or status.language
    call.server.change(status, text)
    return _shown(call, status)


async def delete(call: Call) -> Any:
    status = _own(call)
    call.spend("deletions", limit=30, per=HALF_HOUR)
    shown = {**_shown(call, status), "text": status.text}
    call.server.remove(status)
    return shown


async def context(call: Call) -> Any:
    status, server = call.server.status(call.id, call.me.id), call.server

    def seen(statuses: list[Status]) -> Any:
        visible = [one for one in statuses if server.may_see(one, call.me.id)]
        return server.shows.many(visible, call.me.id, server.now())

    return {"ancestors": seen(server.above(status)), "descendants": seen(server.below(status))}


async def source(call: Call) -> Any:
    status = _own(call)
    return {"id": status.id, "text": status.text, "spoiler_text": status.spoiler_text}


async def history(call: Call) -> Any:
    status = call.server.status(call.id, call.me.id)
    shown = _shown(call, status)
    return [{**shown, "content": text, "created_at": iso(status.created_at)} for text in status.past] + [shown]


async def favourite(call: Call) -> Any:
    status = call.server.status(call.id, call.me.id)
    call.server.favourite(call.me, status)
    return _shown(call, status)


async def unfavourite(call: Call) -> Any:
    status = call.server.status(call.id, call.me.id)
    status.favourited_by.discard(call.me.id)
    return _shown(call, status)


async def favourited_by(call: Call) -> Any:
    status = call.server.status(call.id, call.me.id)
    return [call.server.shows.account(call.server.state.people[one]) for one in sorted(status.favourited_by)[:80]]


async def reblog(call: Call) -> Any:
    status = call.server.status(call.id, call.me.id)
    if status.visibility not in ("public", "unlisted") and status.account_id != call.me.id:
        raise Problem(403, "This action is not allowed")
    return _shown(call, call.server.reblog(call.me, status))


async def unreblog(call: Call) -> Any:
    status = call.server.status(call.id, call.me.id)
    if (made := call.server.state.statuses.get(status.reblogged_by.get(call.me.id, ""))) is not None:
        call.server.remove(made)
    return _shown(call, status)


async def reblogged_by(call: Call) -> Any:
    status = call.server.status(call.id, call.me.id)
    return [call.server.shows.account(call.server.state.people[one]) for one in list(status.reblogged_by)[:80]]


async def upload(call: Call) -> Any:
    call.spend("uploads", limit=30, per=HALF_HOUR)
    server, fields = call.server, await call.fields()
    file = fields.get("file")
    if not isinstance(file, web.FileField):
        raise invalid("File can't be blank")
    content = file.file.read()
    content_type, (width, height) = _heard(content) or films.looked_at(content) or _looked_at(content)
    film = content_type in rules.VIDEO_TYPES or content_type in rules.AUDIO_TYPES
    if film and (len(content) > rules.LARGEST_VIDEO or width * height > rules.MOST_VIDEO_PIXELS):
        raise invalid("File file size must be less than or equal to 99 MB, and 8294400 pixels")
    media = Media(
        id=server.new_id(),
        account_id=call.me.id,
        content_type=content_type,
        width=width,
        height=height,
        description=_description(fields),
        focus=_focus(fields),
        ready_at=server.now() + timedelta(seconds=server.media_seconds),
    )
    _thumbnail(server, media, fields)
    server.world.files.put(f"mastodon-{media.id}", content)
    server.state.media[media.id] = media
    now = server.now()
    if film:  # videos and sounds are always worked on after the answer
        return 202, {**server.shows.media(media, now), "url": None}
    return 202 if media.ready_at > now else 200, server.shows.media(media, now)


MAGIC = {b"ID3": "audio/mpeg", b"\xff\xfb": "audio/mpeg", b"OggS": "audio/ogg"}


def _heard(content: bytes) -> tuple[str, tuple[int, int]] | None:
    """Content type of a sound; None for anything else."""
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return "audio/wav", (0, 0)
    if content[4:12] == b"ftypM4A ":
        return "audio/mp4", (0, 0)
    kind = next((kind for begin, kind in MAGIC.items() if content.startswith(begin)), None)
    return (kind, (0, 0)) if kind else None


def _thumbnail(server: Any, media: Media, fields: dict[str, Any]) -> None:
    """A picture of the sender's own that stands for a video or a sound."""
    given = fields.get("thumbnail")
    if isinstance(given, web.FileField):
        content = given.file.read()
        _looked_at(content)
        media.thumbnail = f"mastodon-{media.id}-thumbnail"
        server.world.files.put(media.thumbnail, content)


def _looked_at(content: bytes) -> tuple[str, tuple[int, int]]:
    """Content type and size of a picture, from its bytes and not from its name."""
    if len(content) > rules.LARGEST_IMAGE:
        raise invalid("File file size must be less than or equal to 16 MB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as image:
                content_type, size = Image.MIME.get(image.format or "", ""), image.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        content_type, size = "", (0, 0)
    if content_type not in rules.IMAGE_TYPES:
        raise invalid("File content type is invalid, File is invalid")
    if size[0] * size[1] > rules.MOST_PIXELS:
        raise invalid(f"{size[0]}x{size[1]} images are not supported")
    return content_type, size


def _description(fields: dict[str, Any]) -> str | None:
    description = fields.get("description") or None
    if description is not None and markup.count(str(description)) > rules.LONGEST_ALT:
        raise invalid(f"Description is too long (maximum is {rules.LONGEST_ALT} characters)")
    return str(description) if description else None


def _focus(fields: dict[str, Any]) -> tuple[float, float]:
    x, _, y = str(fields.get("focus") or "0,0").partition(",")
    try:
        return max(-1.0, min(1.0, float(x))), max(-1.0, min(1.0, float(y)))
    except ValueError:
        raise invalid("Focus is invalid") from None


def _own_media(call: Call) -> Media:
    media = call.server.state.media.get(call.id)
    if media is None or media.account_id != call.me.id or media.status_id:
        raise not_found()
    return media


async def media_state(call: Call) -> Any:
    media, now = _own_media(call), call.server.now()
    return 206 if media.ready_at > now else 200, call.server.shows.media(media, now)


async def describe(call: Call) -> Any:
    media, fields = _own_media(call), await call.fields()
    if "description" in fields:
        media.description = _description(fields)
    if "focus" in fields:
        media.focus = _focus(fields)
    return call.server.shows.media(media, call.server.now())


def _polled(call: Call) -> Poll:
    for status in call.server.state.statuses.values():
        if status.poll is not None and status.poll.id == call.id:
            return call.server.status(status.id, call.me.id).poll or status.poll
    raise not_found()


async def poll_state(call: Call) -> Any:
    return call.server.shows.poll(_polled(call), call.me.id, call.server.now())


async def vote(call: Call) -> Any:
    poll, fields = _polled(call), await call.fields()
    call.server.vote(call.me, poll, [int(one) for one in fields.get("choices", ())])
    return call.server.shows.poll(poll, call.me.id, call.server.now())
