"""Posts, photos, videos, Reels, stories, comments. Sources: NOTES.md.

Everything that takes time is done before the hour and is invisible: photos are uploaded unpublished, videos are sent up
to the last word of their upload. The one visible call then names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from pydantic import ValidationError

from regie.networks.capabilities import Format
from regie.networks.data import (
    Captions,
    Draft,
    Listing,
    Outgoing,
    Pending,
    Picture,
    Progress,
    Published,
    Ready,
    Ref,
    Seen,
    Video,
)
from regie.networks.errors import Gone, NetworkError, Refused, Unclear
from regie.networks.facebook.entities import Attachment, Comment, Done, Film, Mistaken, Post, Sent, Started, Story, Told
from regie.networks.facebook.limits import CAN, MOST_SUBTITLES, collaborators, countries, locale_of, objections
from regie.networks.facebook.wire import NETWORK, Wire
from regie.networks.finding import Page, comment_in_pages
from regie.networks.line import Answer
from regie.networks.meta.answering import tagged
from regie.networks.meta.entities import Edge
from regie.networks.meta.wire import NEXT_VERSION, VERSION, Id, parsed, written
from regie.networks.text import LINK

PAGE = 50
LOST_FOR = timedelta(minutes=2)  # after this a call whose answer was lost is no longer under way
MOST_PAGES = 20
POST = "id,message,permalink_url,created_time,attachments{media_type,type,target,subattachments{media_type,target}}"
REEL = "id,description,permalink_url,created_time,status"
WRONG_OFFSET = 1363037
EDGES = {Format.SHORT: "video_reels", Format.STORY: "video_stories"}


# Before the hour


async def prepare(wire: Wire, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
    """Uploads what is not there yet.

    progress: ``{"photos": [id, ...]}``, or of a video ``{"video": id, "session": id, "sent": bytes, "captions": True}``
    (it has its subtitles), of a Reel also ``"cover"`` and ``"asked"``: it has its cover, its collaborators are asked
    """
    refuse_what_is_absent(outgoing)
    now: dict[str, Any] = {"photos": [], **progress}
    if outgoing.reply_to is not None:
        return Ready(progress=progress)
    for picture in outgoing.pictures[len(now["photos"]) :]:
        now["photos"].append(await _upload_photo(wire, picture))
    for video in outgoing.videos:
        if not now.get("video"):
            await _begin_video(wire, outgoing.format, video, now)
            return Pending(progress=now)  # its number is written down before its bytes are sent
        if now.get("sent", 0) < video.size:
            await _send_video(wire, outgoing.format, video, now)
        if outgoing.format is Format.SHORT:
            await _dress(wire, outgoing, video, now)
        if video.captions is not None and not now.get("captions"):
            await _caption(wire, str(now["video"]), video.captions)
            now["captions"] = True
    return Ready(progress=now)


def refuse_what_is_absent(outgoing: Outgoing) -> None:
    """What a Page does not have is refused, never dropped in silence."""
    if outgoing.poll is not None:
        raise Refused("{network} has no polls.", network=NETWORK)
    if outgoing.content_warning or outgoing.sensitive:
        raise Refused("{network} has no content warnings.", network=NETWORK)
    if outgoing.visibility not in ("", "public"):
        raise Refused("{network} does not have this visibility.", network=NETWORK)
    if outgoing.reply_to is not None and outgoing.media:
        raise Refused("A comment on {network} has no pictures.", network=NETWORK)
    if outgoing.pictures and outgoing.videos:
        raise Refused("{network} takes pictures or a video in a post, not both.", network=NETWORK)
    draft = Draft(
        text=outgoing.text,
        format=outgoing.format,
        options=outgoing.options,
        pictures=len(outgoing.pictures),
        videos=len(outgoing.videos),
    )
    for objection in objections(draft):
        raise objection
    if any(one.captions is not None and one.captions.size > MOST_SUBTITLES for one in outgoing.videos):
        raise Refused(
            "{network} takes subtitles of at most {most} kilobytes.", network=NETWORK, most=MOST_SUBTITLES // 1000
        )
    images, video = CAN.images_in(outgoing.format), CAN.video_in(outgoing.format)
    if outgoing.format is not Format.POST and len(outgoing.media) != 1:
        raise Refused("{network} takes one picture or video here.", network=NETWORK)
    for there, limit in ((outgoing.pictures, images), (outgoing.videos, video)):
        if len(there) > (limit.most if limit is not None else 0):
            most = limit.most if limit is not None else 0
            raise Refused("{network} takes at most {most} pictures and videos here.", network=NETWORK, most=most)


async def _upload_photo(wire: Wire, picture: Picture) -> str:
    form = aiohttp.FormData()
    _add_picture(form, "source", picture)
    form.add_field("published", "false")
    if picture.alt:
        form.add_field("alt_text_custom", picture.alt)
    return parsed(await wire.graph.send(f"/{wire.page}/photos", form), Id, network=NETWORK).id


def _add_picture(form: aiohttp.FormData, name: str, picture: Picture) -> None:
    """Whole in memory: a picture is at most 10 MB."""
    form.add_field(name, picture.path.read_bytes(), filename=picture.path.name, content_type=picture.content_type)


async def _begin_video(wire: Wire, form: Format, video: Video, now: dict[str, Any]) -> None:
    edge = EDGES.get(form, "videos")
    phase = "start" if edge == "videos" else "START"
    fields: dict[str, Any] = {"upload_phase": phase, **({"file_size": video.size} if edge == "videos" else {})}
    answer = await wire.graph.do("POST", f"/{wire.page}/{edge}", fields, vital=True)
    started = parsed(answer, Started, network=NETWORK)
    now |= {"video": started.video_id, "session": started.upload_session_id, "sent": 0}
    now["until"] = started.end_offset


async def _send_video(wire: Wire, form: Format, video: Video, now: dict[str, Any]) -> None:
    if form in EDGES:
        answer = await wire.graph.get(f"/{now['video']}", {"fields": "id,status"})
        done = parsed(answer, Film, network=NETWORK).status.uploading_phase.bytes_transferred
        if done < video.size:
            await wire.graph.upload(wire.upload_url(now["video"]), video.path, offset=done, size=video.size)
    else:
        await _transfer(wire, video, now)
    now["sent"] = video.size


async def _transfer(wire: Wire, video: Video, now: dict[str, Any]) -> None:
    """Piece by piece, as large as Facebook asks for; it says itself where the next one begins."""
    begin, end = now["sent"], now["until"]
    with video.path.open("rb") as file:
        while begin < end:
            file.seek(begin)
            form = aiohttp.FormData()
            form.add_field("upload_phase", "transfer")
            form.add_field("upload_session_id", now["session"])
            form.add_field("start_offset", str(begin))
            form.add_field("video_file_chunk", file.read(end - begin), filename="chunk")
            try:
                told = parsed(await wire.graph.send(f"/{wire.page}/videos", form), Told, network=NETWORK)
            except Refused as exc:
                if (instead := wanted_instead(exc)) is None:
                    raise
                told = instead
            if told.start_offset == begin:
                raise Refused("{network} could not use the file: {reason}", network=NETWORK, reason="no progress")
            begin, end = told.start_offset, told.end_offset
            now |= {"sent": begin, "until": end}


async def _dress(wire: Wire, outgoing: Outgoing, video: Video, now: dict[str, Any]) -> None:
    """A Reel's cover and collaborators, while nobody sees it; an ordinary video's cover goes with its last call."""
    if video.cover is not None and not now.get("cover"):
        form = aiohttp.FormData()
        form.add_field("is_preferred", "true")
        _add_picture(form, "source", video.cover)
        await wire.graph.send(f"/{now['video']}/thumbnails", form)
        now["cover"] = True
    if (pages := collaborators(outgoing.options)) and not now.get("asked"):
        for page in pages:
            await wire.graph.do("POST", f"/{now['video']}/collaborators", {"target_id": page})
        now["asked"] = True


async def _caption(wire: Wire, video: str, captions: Captions) -> None:
    """Its language is told by the file's name. The same again takes the place of the one before."""
    locale = locale_of(captions.language)
    form = aiohttp.FormData()
    form.add_field("default_locale", locale)
    form.add_field(
        "captions_file",
        captions.path.read_bytes(),
        filename=f"subtitles.{locale}.srt",
        content_type=captions.content_type,
    )
    await wire.graph.send(f"/{video}/captions", form)


def wanted_instead(refused: Refused) -> Told | None:
    """Where the next piece begins, when the one before had arrived though its answer did not: error 1363037."""
    try:
        error = Mistaken.model_validate_json(refused.answer.body if refused.answer is not None else b"").error
        if error.error_subcode != WRONG_OFFSET:
            return None
        return error.error_data or Told.model_validate_json(error.error_user_msg)
    except ValidationError:
        return None


# At the hour


async def commit(wire: Wire, outgoing: Outgoing, progress: Progress) -> Published | Pending:
    """The visible call. A video is asked first: one that is out already is never published again."""
    if outgoing.reply_to is not None:
        return await comment(wire, outgoing, outgoing.reply_to)
    ready = await prepare(wire, outgoing, progress)
    if isinstance(ready, Pending):
        return ready
    if outgoing.videos:
        return await _publish_video(wire, outgoing, ready.progress)
    if outgoing.format is Format.STORY:
        answer = await wire.graph.publish(f"/{wire.page}/photo_stories", {"photo_id": ready.progress["photos"][0]})
        return Published(
            remote_id=written(answer, Done, network=NETWORK).post_id, extra={"kind": "story"}, answer=answer
        )
    answer = await wire.graph.publish(f"/{wire.page}/feed", _feed(outgoing, ready.progress))
    return await _shown(wire, written(answer, Id, network=NETWORK).id, answer)


def _feed(outgoing: Outgoing, progress: Progress) -> dict[str, Any]:
    """A link in a text without pictures is shown as a card."""
    fields: dict[str, Any] = {"message": outgoing.text} if outgoing.text else {}
    if progress.get("photos"):
        fields["attached_media"] = [{"media_fbid": photo} for photo in progress["photos"]]
    elif outgoing.options.get("link"):
        fields["link"] = outgoing.options["link"]
    elif (link := LINK.search(outgoing.text)) is not None:
        fields["link"] = link[0].rstrip(".,;:!?)»”")
    return {**fields, **_options(outgoing)}


def _options(outgoing: Outgoing) -> dict[str, Any]:
    """Who can see it, where it is and who paid for it; of a video its title and who made it."""
    fields: dict[str, Any] = {}
    if outgoing.options.get("place"):
        fields["place"] = outgoing.options["place"]
    if where := countries(outgoing.options):
        fields["targeting"] = {"geo_locations": {"countries": where}}
    if outgoing.options.get("title"):
        fields["title"] = outgoing.options["title"]
    if outgoing.options.get("sponsor"):
        fields["sponsor_id"] = outgoing.options["sponsor"]
    return fields | ({"is_ai_generated": True} if outgoing.options.get("made_with_ai") else {})


async def _publish_video(wire: Wire, outgoing: Outgoing, progress: Progress) -> Published:
    video, kind = str(progress["video"]), "story" if outgoing.format is Format.STORY else "video"
    asked = await wire.graph.get(f"/{video}", {"fields": "id,status"})
    if parsed(asked, Film, network=NETWORK).status.is_out:
        return await fetch(wire, video, kind=kind)
    edge = EDGES.get(outgoing.format)
    if edge is None:
        fields: Mapping[str, Any] = {
            "upload_phase": "finish",
            "upload_session_id": progress["session"],
            "description": outgoing.text,
        }
    else:
        fields = {"upload_phase": "FINISH", "video_id": video, "video_state": "PUBLISHED", "description": outgoing.text}
    version = NEXT_VERSION if outgoing.options.get("made_with_ai") else VERSION
    cover = outgoing.videos[0].cover if edge is None else None
    answer = await wire.graph.publish(
        f"/{wire.page}/{edge or 'videos'}",
        {**fields, **_options(outgoing)},
        version=version,
        files={"thumb": cover} if cover is not None else {},
    )
    done = written(answer, Done, network=NETWORK)
    if kind == "story" and done.post_id:
        return Published(remote_id=done.post_id, extra={"kind": kind}, answer=answer)
    return await _shown(wire, video, answer, kind=kind)


async def _shown(wire: Wire, remote_id: str, answer: Answer, *, kind: str = "post") -> Published:
    """With its address, when Facebook tells it. It is out, whatever becomes of this question."""
    try:
        found = await fetch(wire, remote_id, kind=kind)
    except NetworkError:
        return Published(remote_id=remote_id, extra={"kind": kind}, answer=answer)
    return Published(remote_id=remote_id, url=found.url, at=found.at, extra={"kind": kind}, answer=answer)


async def fetch(wire: Wire, remote_id: str, *, kind: str = "post") -> Published:
    answer = await wire.graph.get(f"/{remote_id}", {"fields": "id,permalink_url,created_time"}, addressed=True)
    found = parsed(answer, Post, network=NETWORK)
    url = found.permalink_url or ""
    url = f"https://www.facebook.com{url}" if url.startswith("/") else url
    return Published(remote_id=remote_id, url=url, at=found.created_time, extra={"kind": kind}, answer=answer)


# What is out


async def own_posts(wire: Wire, *, since: datetime) -> Listing:
    """Posts, videos, Reels and stories back to ``since``, newest first. A video goes by its own number."""
    posts, reaches, now = await _posts(wire, since)
    reels = await _reels(wire, since)
    stories = await _stories(wire)
    found = {seen.remote_id: seen for seen in (*stories, *posts, *(_as_reel(reel) for reel in reels))}
    rows = sorted(found.values(), key=lambda seen: seen.created_at, reverse=True)
    return Listing(
        seen=tuple(seen for seen in rows if seen.created_at >= since), reaches_back_to=reaches, network_now=now
    )


async def _posts(wire: Wire, since: datetime) -> tuple[list[Seen], datetime, datetime | None]:
    rows: list[Post] = []
    after, now = "", None
    for _ in range(MOST_PAGES):
        params = {"fields": POST, "limit": str(PAGE), **({"after": after} if after else {})}
        answer = await wire.graph.get(f"/{wire.page}/published_posts", params)
        page = parsed(answer, Edge[Post], network=NETWORK)
        now, after = now or answer.date, page.after
        rows += page.data
        oldest = min((one.created_time for one in page.data if one.created_time), default=None)
        if not after or (oldest is not None and oldest < since):
            after = ""
            break
    moments = [one.created_time for one in rows if one.created_time]
    reaches = max(since, min(moments)) if after and moments else since
    return [_as_seen(one) for one in rows if one.created_time], reaches, now


async def _reels(wire: Wire, since: datetime) -> list[Film]:
    found: list[Film] = []
    after = ""
    for _ in range(MOST_PAGES):
        params = {"fields": REEL, "limit": str(PAGE), **({"after": after} if after else {})}
        answer = await wire.graph.get(f"/{wire.page}/video_reels", params)
        page = parsed(answer, Edge[Film], network=NETWORK)
        found += page.data
        after = page.after
        if not after or any(one.created_time and one.created_time < since for one in page.data):
            break
    return [one for one in found if one.status.is_out and one.created_time]


async def _stories(wire: Wire) -> list[Seen]:
    fields = {"fields": "post_id,status,creation_time,media_id,media_type,url", "limit": str(PAGE)}
    page = parsed(await wire.graph.get(f"/{wire.page}/stories", fields), Edge[Story], network=NETWORK)
    return [
        Seen(
            remote_id=one.post_id,
            url=one.url,
            text="",
            media=1,
            created_at=datetime.fromtimestamp(int(one.creation_time), UTC),
            extra={"kind": "story"},
        )
        for one in page.data
        if one.post_id and one.creation_time.isdigit()
    ]


def _as_seen(post: Post) -> Seen:
    attached = post.attachments.data if post.attachments else ()
    media = sum(_count(one) for one in attached)
    film = post.film
    assert post.created_time is not None
    return Seen(
        remote_id=film or post.id,
        url=post.permalink_url or "",
        text=post.message or "",
        media=media,
        created_at=post.created_time,
        extra={"kind": "video" if film else "post"},
    )


def _count(attachment: Attachment) -> int:
    """Pictures and videos; the card of a link is none."""
    if attachment.subattachments is not None:
        return len(attachment.subattachments.data)
    return 1 if attachment.media_type in ("photo", "video", "album") else 0


def _as_reel(reel: Film) -> Seen:
    assert reel.created_time is not None
    return Seen(
        remote_id=reel.id,
        url=reel.permalink_url or "",
        text=reel.description or "",
        media=1,
        created_at=reel.created_time,
        extra={"kind": "video"},
    )


async def edit(wire: Wire, ref: Ref, outgoing: Outgoing) -> Published:
    """The text can be changed, and the title of a video. The same again changes nothing, so it is safe to repeat."""
    refuse_what_is_absent(outgoing)
    fields = {"message": outgoing.text}
    if ref.extra.get("kind") == "video":
        title = str(outgoing.options.get("title") or "")
        fields = {"description": outgoing.text, **({"name": title} if title else {})}
    vital = ref.extra.get("kind") != "comment"  # posts go out without the right to comment
    await wire.graph.do("POST", f"/{ref.remote_id}", fields, addressed=True, vital=vital)
    return await fetch(wire, ref.remote_id, kind=str(ref.extra.get("kind", "post")))


async def delete(wire: Wire, ref: Ref) -> None:
    try:
        await wire.graph.do("DELETE", f"/{ref.remote_id}", addressed=True)
    except Gone:
        return


# Answers


async def comment(wire: Wire, outgoing: Outgoing, to: Ref) -> Published:
    """Under a post of ours or of somebody who names us, under a comment, or to a person who wrote to us."""
    if to.extra.get("kind") == "direct":
        fields = {
            "recipient": {"id": str(to.extra.get("person", ""))},
            "message": {"text": outgoing.text},
            **tagged(outgoing, wire.login.app),
        }
        answer = await wire.graph.publish(f"/{wire.page}/messages", fields)
        sent = written(answer, Sent, network=NETWORK)
        return Published(remote_id=sent.message_id, extra=dict(to.extra), answer=answer)
    answer = await wire.graph.publish(f"/{to.remote_id}/comments", {"message": outgoing.text}, addressed=True)
    made = written(answer, Id, network=NETWORK)
    return Published(remote_id=made.id, extra={"kind": "comment"}, answer=answer)


async def comment_found(wire: Wire, outgoing: Outgoing) -> Published | None:
    """A comment of ours whose answer was lost: the one with the same words under our post. Posts are looked for in
    their listing instead."""
    if outgoing.reply_to is None or outgoing.reply_to.extra.get("kind") == "direct":
        raise Unclear("{network} did not answer, and may have taken it.", network=NETWORK)
    fields = {"fields": "id,message,created_time,from", "limit": str(PAGE), "order": "reverse_chronological"}
    path = f"/{outgoing.reply_to.remote_id}/comments"

    async def turn(after: str) -> Page:
        answer = await wire.graph.get(path, {**fields, **({"after": after} if after else {})})
        edge = parsed(answer, Edge[Comment], network=NETWORK)
        ours = (_comment_seen(one) for one in edge.data if one.author is None or one.author.id == wire.page)
        moments = tuple(one.created_time for one in edge.data if one.created_time is not None)
        return Page(ours=tuple(ours), moments=moments, after=edge.after, now=answer.date)

    return await comment_in_pages(turn, outgoing, network=NETWORK, shows_within=LOST_FOR)


def _comment_seen(one: Comment) -> Seen:
    return Seen(
        remote_id=one.id,
        url="",
        text=one.message or "",
        media=0,
        created_at=one.created_time or datetime.max.replace(tzinfo=UTC),
        extra={"kind": "comment"},
    )


async def like(wire: Wire, ref: Ref) -> None:
    await wire.graph.do("POST", f"/{ref.remote_id}/likes", addressed=True)


async def unlike(wire: Wire, ref: Ref) -> None:
    await wire.graph.do("DELETE", f"/{ref.remote_id}/likes", addressed=True)


async def hide(wire: Wire, ref: Ref, *, hidden: bool) -> None:
    """Only its author and their friends still see a hidden comment."""
    await wire.graph.do("POST", f"/{ref.remote_id}", {"is_hidden": hidden}, addressed=True)
