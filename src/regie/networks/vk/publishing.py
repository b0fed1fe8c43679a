"""Posts on a community's wall, its stories, comments and answers. Source: the schema, and NOTES.md.

Files go to servers that VK names, and are then attached by their names; nobody sees them before, but for videos, which
stand in the community's list at once: so nothing is handed over before the hour.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import regex

from regie.networks.capabilities import Format
from regie.networks.data import (
    Document,
    Json,
    Listing,
    Outgoing,
    Pending,
    Picture,
    Poll,
    Progress,
    Published,
    Ready,
    Ref,
    Seen,
    Video,
)
from regie.networks.errors import Gone, Refused, TryLater
from regie.networks.line import Answer
from regie.networks.vk import limits
from regie.networks.vk.entities import (
    CommentId,
    FileSent,
    Items,
    Owned,
    PhotoSent,
    Post,
    PostId,
    Response,
    Saved,
    Server,
    Story,
    StoryFeed,
    StorySent,
    VideoPlace,
)
from regie.networks.vk.wire import NETWORK, Wire, clock, guid_of, parsed, random_id_of, written

PAGE = 100
MOST_PAGES = 10
ADDRESS = regex.compile(r"^https://(?:m\.)?vk\.(?:com|ru)/(?:[^?]*\?w=)?wall(-?\d+_\d+)(?:[?&%].*)?$")


# Before the visible call


async def prepare(wire: Wire, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
    """Uploads what is not there yet.

    progress: ``{"attached": ["photo-1_2", ...], "poll": "poll-1_3"}``; of a story ``{"story": "..."}``
    """
    refuse_what_is_absent(wire, outgoing)
    now: dict[str, Any] = dict(progress)
    if outgoing.reply_to is not None:
        return Ready(progress=now)
    try:
        if outgoing.format is Format.STORY:
            now["story"] = now.get("story") or await _story(wire, outgoing)
            return Ready(progress=now)
        await _attach(wire, outgoing, now)
    except TryLater as exc:
        if now == progress:
            raise
        return Pending(progress=now, not_before=exc.not_before or clock(exc.answer) + timedelta(seconds=10))
    return Ready(progress=now)


def refuse_what_is_absent(wire: Wire, outgoing: Outgoing) -> None:
    """What VK does not have, or not with this key, is refused, never dropped in silence."""
    if outgoing.content_warning or outgoing.sensitive:
        raise Refused("{network} has no content warnings.", network=NETWORK)
    if outgoing.visibility not in ("", "public"):
        raise Refused("{network} does not have this visibility.", network=NETWORK)
    if outgoing.format is Format.SHORT or outgoing.sounds:
        raise Refused("{network} does not take this format.", network=NETWORK)
    if outgoing.reply_to is not None:
        if outgoing.media or outgoing.documents or outgoing.poll:
            raise Refused("An answer on {network} has no pictures and no poll here.", network=NETWORK)
        return
    if (outgoing.media or outgoing.poll) and not wire.has_admin:
        raise Refused(
            "{network} allows this with the key of an administrator only: add one to the account.", network=NETWORK
        )
    if outgoing.format is Format.STORY and len(outgoing.media) != 1:
        raise Refused("A story on {network} is one picture or one video.", network=NETWORK)
    if len(outgoing.media) > limits.ATTACHMENTS:
        raise Refused(
            "{network} takes at most {most} pictures and videos here.", network=NETWORK, most=limits.ATTACHMENTS
        )
    if len(outgoing.documents) > 1:
        raise Refused("{network} takes one document.", network=NETWORK)
    if outgoing.poll is not None:
        refuse_wrong_poll(outgoing.poll, outgoing.text)


def refuse_wrong_poll(poll: Poll, text: str) -> None:
    if not (poll.question or text):
        raise Refused("A poll on {network} needs a question.", network=NETWORK)
    if poll.hide_totals or poll.correct is not None:
        raise Refused("{network} has no such polls.", network=NETWORK)


async def _attach(wire: Wire, outgoing: Outgoing, now: dict[str, Any]) -> None:
    """One file after the other; ``now`` holds what is there, whatever happens to the next."""
    attached: list[str] = list(now.get("attached", ()))
    files = (*outgoing.media, *outgoing.documents)
    for file in files[len(attached) :]:
        match file:
            case Picture():
                attached.append(await _photo(wire, file))
            case Video():
                attached.append(await _video(wire, file, outgoing))
            case _:
                attached.append(await _document(wire, file))
        now["attached"] = list(attached)
    if outgoing.poll is not None and not now.get("poll"):
        now["poll"] = await _poll(wire, outgoing.poll, outgoing.poll.question or outgoing.text)


async def _sent(wire: Wire, url: str, field: str, path: Path, content_type: str, name: str = "") -> Answer:
    """A form, read from the disk as it goes."""
    form = aiohttp.FormData()
    with path.open("rb") as file:
        form.add_field(field, file, filename=name or path.name, content_type=content_type)
        return await wire.upload(url, form)


async def _photo(wire: Wire, picture: Picture) -> str:
    answer = await wire.ask("photos.getWallUploadServer", group_id=wire.group)
    url = parsed(answer, Response[Server]).response.upload_url
    sent = parsed(await _sent(wire, url, "photo", picture.path, picture.content_type), PhotoSent)
    if sent.photo in ("", "[]"):
        raise Refused("{network} could not use the picture.", network=NETWORK)
    saved = await wire.ask(
        "photos.saveWallPhoto", group_id=wire.group, photo=sent.photo, server=sent.server, hash=sent.hash
    )
    return parsed(saved, Response[tuple[Owned, ...]]).response[0].attached("photo")


async def _video(wire: Wire, video: Video, outgoing: Outgoing) -> str:
    name = str(outgoing.options.get("title") or "") or outgoing.text.split("\n")[0][:128]
    answer = await wire.ask("video.save", group_id=wire.group, name=name or None, wallpost=False)
    place = parsed(answer, Response[VideoPlace]).response
    sent = await _sent(wire, place.upload_url, "video_file", video.path, video.content_type)
    if (error := parsed(sent, FileSent).error) or sent.status >= 300:
        raise Refused("{network} could not use the file: {reason}", network=NETWORK, reason=error, answer=sent)
    if video.cover is not None:
        await _cover(wire, place, video.cover)
    return f"video{place.owner_id}_{place.video_id}"


async def _cover(wire: Wire, place: VideoPlace, cover: Picture) -> None:
    answer = await wire.ask("video.getThumbUploadUrl", owner_id=place.owner_id)
    url = parsed(answer, Response[Server]).response.upload_url
    sent = await _sent(wire, url, "file", cover.path, cover.content_type)
    await wire.ask(
        "video.saveUploadedThumb",
        owner_id=place.owner_id,
        video_id=place.video_id,
        thumb_json=sent.body.decode("utf-8", "replace"),
        set_thumb=True,
    )


async def _document(wire: Wire, document: Document) -> str:
    answer = await wire.ask("docs.getWallUploadServer", group_id=wire.group)
    url = parsed(answer, Response[Server]).response.upload_url
    sent = parsed(await _sent(wire, url, "file", document.path, document.content_type, document.name), FileSent)
    if not sent.file:
        raise Refused("{network} could not use the file: {reason}", network=NETWORK, reason=sent.error or "error")
    saved = await wire.ask("docs.save", file=sent.file, title=document.title or document.name)
    return parsed(saved, Response[Saved]).response.doc.attached("doc")


async def _poll(wire: Wire, poll: Poll, question: str) -> str:
    ends = int((datetime.now(UTC) + poll.lasts).timestamp()) if poll.lasts is not None else None
    answer = await wire.ask(
        "polls.create",
        owner_id=wire.owner,
        question=question,
        add_answers=json.dumps(poll.options, ensure_ascii=False),
        is_multiple=poll.multiple,
        end_date=ends,
    )
    return parsed(answer, Response[Owned]).response.attached("poll")


async def _story(wire: Wire, outgoing: Outgoing) -> str:
    """What the upload says of itself: ``stories.save`` shows it."""
    (item,) = outgoing.media
    still = isinstance(item, Picture)
    method = "stories.getPhotoUploadServer" if still else "stories.getVideoUploadServer"
    answer = await wire.ask(method, group_id=wire.group, add_to_news=True)
    url = parsed(answer, Response[Server]).response.upload_url
    sent = await _sent(wire, url, "file" if still else "video_file", item.path, item.content_type)
    result = parsed(sent, Response[StorySent]).response.upload_result
    if not result:
        raise Refused("{network} could not use the file: {reason}", network=NETWORK, reason="no result", answer=sent)
    return result


# At the hour


async def commit(wire: Wire, outgoing: Outgoing, progress: Progress) -> Published | Pending:
    """The one visible call."""
    ready = await prepare(wire, outgoing, progress)
    if isinstance(ready, Pending):
        return ready
    if outgoing.reply_to is not None:
        return await answer_to(wire, outgoing, outgoing.reply_to)
    if outgoing.format is Format.STORY:
        return await _show_story(wire, str(ready.progress["story"]))
    answer = await wire.publish(
        "wall.post",
        owner_id=wire.owner,
        from_group=True,
        guid=guid_of(outgoing.key),
        mute_notifications=outgoing.options.get("no_notifications") or None,
        **_said(outgoing, ready.progress),
    )
    post = written(answer, Response[PostId]).response.post_id
    return _published(f"{wire.owner}_{post}", answer, at=clock(answer))


def _said(outgoing: Outgoing, progress: Progress) -> dict[str, Any]:
    """What a post says, and says anew in an edit. A poll alone is no post: its question is the text then."""
    chosen = outgoing.options
    attached = [*progress.get("attached", ()), progress.get("poll"), chosen.get("link")]
    text = outgoing.text or (outgoing.poll.question if outgoing.poll and not outgoing.media else "")
    place = str(chosen.get("place") or "")
    latitude, longitude = limits.point_in(place) or (None, None)
    if place and latitude is None:
        raise Refused("“{name}” is no latitude and longitude.", network=NETWORK, name=place)
    return {
        "lat": latitude,
        "long": longitude,
        "signed": chosen.get("signed") or None,
        "message": text or None,
        "attachments": [one for one in attached if one] or None,
        "copyright": chosen.get("source") or None,
        "close_comments": chosen.get("no_comments") or None,
        "mark_as_ads": chosen.get("advertisement") or None,
    }


def _published(remote_id: str, answer: Answer | None, *, at: datetime | None = None, kind: str = "post") -> Published:
    url = f"https://vk.com/{'story' if kind == 'story' else 'wall'}{remote_id}"
    return Published(remote_id=remote_id, url=url, at=at, extra={"kind": kind}, answer=answer)


async def _show_story(wire: Wire, result: str) -> Published:
    answer = await wire.publish("stories.save", upload_results=result)
    items = written(answer, Response[Items[Story]]).response.items
    if not items:
        raise Refused("{network} could not use the file: {reason}", network=NETWORK, reason="no story", answer=answer)
    return _published(f"{items[0].owner_id}_{items[0].id}", answer, at=_at(items[0].date), kind="story")


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


async def answer_to(wire: Wire, outgoing: Outgoing, to: Ref) -> Published:
    """Under our own post, to a comment, or to somebody who wrote to us."""
    if to.extra.get("kind") == "direct":
        answer = await wire.publish(
            "messages.send",
            community=True,
            peer_id=to.extra.get("peer"),
            message=outgoing.text,
            random_id=random_id_of(outgoing.key),
        )
        sent = written(answer, Response[int]).response
        extra = {"kind": "direct", "peer": to.extra.get("peer")}
        return Published(remote_id=f"direct:{sent}", extra=extra, answer=answer)
    post = str(to.extra.get("post") or to.remote_id)
    owner, _, number = post.partition("_")
    answer = await wire.publish(
        "wall.createComment",
        owner_id=owner,
        post_id=number,
        from_group=wire.group,
        message=outgoing.text,
        reply_to_comment=to.extra.get("comment"),
        guid=guid_of(outgoing.key),
        addressed=True,
    )
    comment = written(answer, Response[CommentId]).response.comment_id
    return Published(
        remote_id=f"{post}_{comment}",
        url=f"https://vk.com/wall{post}?reply={comment}",
        extra={"kind": "comment", "post": post, "comment": comment},
        answer=answer,
    )


# Afterwards


async def edit(wire: Wire, ref: Ref, outgoing: Outgoing, progress: Progress) -> Published:
    """All of it anew, its files too, which would be gone otherwise. The same change again changes nothing."""
    owner, _, number = ref.remote_id.partition("_")
    if ref.extra.get("kind") == "comment":
        comment = ref.extra.get("comment") or ref.remote_id.rpartition("_")[2]
        answer = await wire.ask(
            "wall.editComment", owner_id=owner, comment_id=comment, message=outgoing.text, addressed=True
        )
        return Published(remote_id=ref.remote_id, extra=ref.extra, answer=answer)
    if ref.extra.get("kind", "post") != "post":
        raise Refused("{network} lets posts and comments be changed, nothing else.", network=NETWORK)
    answer = await wire.ask("wall.edit", owner_id=owner, post_id=number, addressed=True, **_said(outgoing, progress))
    return _published(ref.remote_id, answer)


async def delete(wire: Wire, ref: Ref) -> None:
    owner, _, number = ref.remote_id.partition("_")
    try:
        match ref.extra.get("kind", "post"):
            case "comment":
                comment = ref.extra.get("comment") or ref.remote_id.rpartition("_")[2]
                await wire.ask("wall.deleteComment", owner_id=owner, comment_id=comment, addressed=True)
            case "story":
                await wire.ask("stories.delete", owner_id=owner, story_id=number, addressed=True)
            case "post":
                await wire.ask("wall.delete", owner_id=owner, post_id=number, addressed=True)
            case _:
                raise Refused("{network} lets us delete posts, stories and comments, nothing else.", network=NETWORK)
    except Gone:
        return


async def fetch(wire: Wire, remote_id: str) -> Published:
    answer = await wire.ask("wall.getById", posts=[remote_id], addressed=True)
    posts = [post for post in parsed(answer, Response[Items[Post]]).response.items if not post.is_deleted]
    if not posts:
        raise Gone("{network} no longer has it.", network=NETWORK, answer=answer)
    return _published(remote_id, answer, at=_at(posts[0].date))


def id_of(url: str) -> str | None:
    found = ADDRESS.match(url.strip())
    return found[1] if found else None


async def own_posts(wire: Wire, *, since: datetime) -> Listing:
    """The wall back to ``since``, newest first, and the stories that are still to be seen."""
    found: list[Post] = []
    network_now, whole = None, False
    for page in range(MOST_PAGES):
        answer = await wire.ask("wall.get", owner_id=wire.owner, count=PAGE, offset=page * PAGE, filter="owner")
        items = parsed(answer, Response[Items[Post]]).response.items
        network_now = network_now or clock(answer)
        found += items
        unpinned = [_at(post.date) for post in items][1:]  # a pinned one comes first, however old
        if len(items) < PAGE or (unpinned and min(unpinned) < since):
            whole = True
            break
    posts = [_as_seen(post) for post in found if not post.is_deleted and _at(post.date) >= since]
    rows = [*posts, *await _stories(wire, since)]
    rows.sort(key=lambda row: row.created_at, reverse=True)
    reaches = since if whole else max(since, min((row.created_at for row in posts), default=since))
    return Listing(seen=tuple(rows), reaches_back_to=reaches, network_now=network_now)


def _as_seen(post: Post) -> Seen:
    remote_id = f"{post.owner_id}_{post.id}"
    media = [one for one in post.attachments if one.type in ("photo", "video")]
    return Seen(
        remote_id=remote_id,
        url=f"https://vk.com/wall{remote_id}",
        text=post.text,
        media=len(media),
        created_at=_at(post.date),
        extra={"kind": "post"},
    )


async def _stories(wire: Wire, since: datetime) -> list[Seen]:
    """None where VK keeps them from this key: few communities may have stories at all."""
    try:
        answer = await wire.ask("stories.get", owner_id=wire.owner)
    except Refused:
        return []
    feeds = parsed(answer, Response[Items[StoryFeed]]).response.items
    extra: Json = {"kind": "story"}
    return [
        Seen(
            remote_id=f"{story.owner_id}_{story.id}",
            url=f"https://vk.com/story{story.owner_id}_{story.id}",
            text="",
            media=1,
            created_at=_at(story.date),
            extra=extra,
        )
        for feed in feeds
        for story in feed.stories
        if not story.is_deleted and not story.is_expired and _at(story.date) >= since
    ]


# Likes


async def like(wire: Wire, ref: Ref, *, liked: bool) -> Mapping[str, Any]:
    if ref.extra.get("kind") != "comment":
        raise Refused("{network} lets comments be liked, nothing else.", network=NETWORK)
    owner = str(ref.extra.get("post", "")).partition("_")[0]
    method = "likes.add" if liked else "likes.delete"
    await wire.ask(method, type="comment", owner_id=owner, item_id=ref.extra.get("comment"), addressed=True)
    return {}
