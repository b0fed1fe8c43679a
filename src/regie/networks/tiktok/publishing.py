"""A video in parts, or photos that TikTok fetches. Source: Direct Post, Photo, Media Transfer Guide, Get Post Status.

What can be seen is one request each time. For a video it is the last part of the upload: with it TikTok begins to
publish, so everything before it is ``prepare``, and the publish id is written down before the first part leaves. The
same part sent again goes to the same upload, which TikTok publishes once. For photos it is the request that names
them; if its answer is lost there is no publish id to ask, and only the list of public posts can tell.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from regie.networks.capabilities import Counting
from regie.networks.data import (
    NOT_PUBLIC,
    Listing,
    Outgoing,
    Pending,
    Picture,
    Progress,
    Published,
    Ready,
    Seen,
    Video,
)
from regie.networks.errors import Gone, NetworkError, Refused, TryLater, Unclear
from regie.networks.line import Answer, read, write
from regie.networks.text import length
from regie.networks.tiktok import answering, business, limits, measuring, sign_in
from regie.networks.tiktok.entities import Begun, Creator, Status, Videos
from regie.networks.tiktok.entities import Video as Post
from regie.networks.tiktok.wire import (
    MINUTE,
    NETWORK,
    UPLOAD_TIME,
    Wire,
    later,
    not_the_api,
    parsed,
    refusal,
    written,
)

PART, LARGE_PART = 5 * 1024 * 1024, 10 * 1024 * 1024  # the shortest we send: TikTok takes 5 to 64 MB
MANY = 100  # parts of 5 MiB, from which on they are larger
MOST_BEGINNINGS = 3  # of the same post, before a person is asked
PASSING = frozenset(("", "internal", "photo_pull_failed"))  # failures that TikTok says to try again after
PAUSES = (3, 5, 10, 15, 30, 60, 120, 300, 600)  # seconds between looks at what TikTok works on; the last one repeats
MOST_LOOKS = 45  # about six hours: moderation "may take a few hours"
PAGE, MOST_PAGES = 20, 25
LISTED = "id,title,video_description,create_time,share_url"
LONGEST_LISTED = 150  # the page Video Object says that titles and descriptions end there
PUBLISH_ID = re.compile(r"^[a-z]_(pub|inbox)_(file|url)~")
ADDRESS = re.compile(r"^https?://(?:[\w-]+\.)?tiktok\.com/@[\w.-]+/(?:video|photo)/(\d+)")


# Before the last part


async def prepare(wire: Wire, outgoing: Outgoing, progress: Progress, *, most: int | None = None) -> Ready | Pending:
    """Everything of a video but the last part of its upload; of photos only what their owner allows is looked at.

    progress: ``{"publish_id": id, "upload": address, "done": parts that TikTok has, "begun": n}``
    most:     parts at one go; None: all
    """
    if outgoing.reply_to is not None:
        answering.must_be_fine(wire, outgoing)
        return Ready(progress=progress)
    refuse_what_is_absent(wire, outgoing)
    if progress.get("sent"):
        return Ready(progress=progress)
    now: dict[str, Any] = {"begun": 0, **progress}
    if not outgoing.videos or wire.business:
        if not now.get("allowed"):
            await _must_be_allowed(wire, outgoing)
            now["allowed"] = True
        return Ready(progress=now)
    (video,) = outgoing.videos
    if not now.get("publish_id"):
        await _must_be_allowed(wire, outgoing)
        return Pending(progress=await _begin(wire, outgoing, video, now))  # its id is written down before its parts
    return await _send_parts(wire, video, now, most)


def refuse_what_is_absent(wire: Wire, outgoing: Outgoing) -> None:
    """What TikTok does not have is refused, never dropped in silence; what its guidelines demand is demanded."""
    if outgoing.poll is not None:
        raise Refused("{network} has no polls.", network=NETWORK)
    if outgoing.content_warning or outgoing.sensitive:
        raise Refused("{network} has no content warnings.", network=NETWORK)
    if outgoing.visibility not in ("", "public"):
        raise Refused("{network} does not have this visibility.", network=NETWORK)
    _must_fit(outgoing)
    _must_be_reachable(outgoing.media if wire.business else outgoing.pictures)
    if not wire.business:
        _must_be_chosen(wire, outgoing)


def _must_fit(outgoing: Outgoing) -> None:
    if not outgoing.media:
        raise Refused("A post on {network} needs a picture or a video.", network=NETWORK)
    if outgoing.videos and outgoing.pictures:
        raise Refused("On {network} pictures and a video cannot go together.", network=NETWORK)
    if len(outgoing.videos) > 1:
        raise Refused("A post on {network} holds one video.", network=NETWORK)
    if len(outgoing.pictures) > limits.PHOTOS:
        raise Refused("{network} takes at most {most} pictures.", network=NETWORK, most=limits.PHOTOS)
    if (wrong := limits.about_cover(outgoing.options, len(outgoing.pictures))) is not None:
        raise wrong
    most = limits.CAPTION if outgoing.videos else limits.DESCRIPTION
    if length(outgoing.text, Counting.UTF16) > most:
        raise Refused("The text is too long for {network}: it takes {most} characters.", network=NETWORK, most=most)


def _must_be_reachable(files: Iterable[Picture | Video]) -> None:
    """What TikTok fetches: pictures, and with the other login videos too."""
    for file in files:
        if file.public_url:
            continue
        if isinstance(file, Picture):
            raise Refused(
                "{network} fetches pictures from a public address, and Régie has none (REGIE_URL).", network=NETWORK
            )
        raise Refused(
            "{network} fetches videos from a public address, and Régie has none (REGIE_URL).", network=NETWORK
        )


def _must_be_chosen(wire: Wire, outgoing: Outgoing) -> None:
    options, levels = outgoing.options, wire.login.limits.get("privacy")
    if not options.get("privacy"):
        raise Refused("Choose who can see the post on {network}.", network=NETWORK)
    if levels and options["privacy"] not in levels:
        raise refusal("privacy_level_option_mismatch", "", None)
    if not options.get("consent"):
        raise Refused("{network} wants your consent to its Music Usage Confirmation first.", network=NETWORK)
    if options.get("paid_partnership") and options["privacy"] == limits.ONLY_ME:
        raise Refused("Branded content visibility cannot be set to private on {network}.", network=NETWORK)


async def _must_be_allowed(wire: Wire, outgoing: Outgoing) -> None:
    """What the account's owner allows now, which may have changed since the post was written."""
    told = await (business.settings(wire) if wire.business else sign_in.creator(wire))
    levels = told.privacy_level_options if isinstance(told, Creator) else ()
    if levels and outgoing.options["privacy"] not in levels:
        raise refusal("privacy_level_option_mismatch", "", None)
    longest = told.max_video_post_duration_sec
    if longest and any(video.seconds > longest for video in outgoing.videos):
        raise Refused(
            "{network} lets this account publish videos of at most {seconds} seconds.",
            network=NETWORK,
            seconds=longest,
        )


def _told(outgoing: Outgoing) -> dict[str, Any]:
    """What is the same for videos and photos."""
    options = outgoing.options
    return {
        "privacy_level": options["privacy"],
        "disable_comment": not options.get("allow_comments"),
        "brand_content_toggle": bool(options.get("paid_partnership")),
        "brand_organic_toggle": bool(options.get("own_brand")),
    }


def parts_of(size: int) -> int:
    return max(1, size // (PART if size < MANY * PART else LARGE_PART))


def part_size(size: int) -> int:
    """How long each part is but the last, which takes what is left over: as little as can be, as it is the one that is
    seen. A short video is one part."""
    return size // parts_of(size)


async def _begin(wire: Wire, outgoing: Outgoing, video: Video, now: dict[str, Any]) -> dict[str, Any]:
    """An upload of our own. One whose answer is lost is never filled, and ends after an hour."""
    if now["begun"] >= MOST_BEGINNINGS:
        raise Refused("{network} did not take the video, however often it was sent.", network=NETWORK)
    options = outgoing.options
    told = {
        **_told(outgoing),
        "title": outgoing.text,
        "disable_duet": not options.get("allow_duet"),
        "disable_stitch": not options.get("allow_stitch"),
        "is_aigc": bool(options.get("made_with_ai")),
        **({"video_cover_timestamp_ms": int(video.cover_at * 1000)} if video.cover_at is not None else {}),
    }
    source = {
        "source": "FILE_UPLOAD",
        "video_size": video.size,
        "chunk_size": part_size(video.size),
        "total_chunk_count": parts_of(video.size),
    }
    answer = await wire.ask("/v2/post/publish/video/init/", {"post_info": told, "source_info": source}, vital=True)
    begun = parsed(answer, Begun)
    if not begun.upload_url:
        raise not_the_api(answer)
    return {"publish_id": begun.publish_id, "upload": begun.upload_url, "done": 0, "begun": now["begun"] + 1}


async def _send_parts(wire: Wire, video: Video, now: dict[str, Any], most: int | None) -> Ready | Pending:
    """From where an earlier attempt broke off to the last part but one."""
    sent = 0
    while now["done"] < parts_of(video.size) - 1:
        if most is not None and sent >= most:
            return Pending(progress=now)
        answer = await read(wire.http, "PUT", now["upload"], network=NETWORK, **await _part(video, now["done"]))
        if answer.status in (200, 201, 206):
            now["done"], sent = now["done"] + 1, sent + 1
        elif (other := await _where(wire, video, now, answer)) is not None:
            return other
    return Ready(progress=now)


async def _where(wire: Wire, video: Video, now: dict[str, Any], answer: Answer) -> Pending | None:
    """After a part that was not taken: goes on where TikTok is (None), or begins anew.

    416: TikTok has more, or less, than we thought; 403, 404: the upload ran out.
    """
    if answer.status not in (403, 404, 416):
        raise _unexpected(answer)
    status, _ = await _asked(wire, now["publish_id"])
    if status.status == "FAILED":
        return _anew(now)
    if status.status != "PROCESSING_UPLOAD" or status.uploaded_bytes == video.size:
        return Pending(progress={**now, "sent": True})  # it had all of it: whatever comes, it is not sent again
    if answer.status != 416:
        return _anew(now)
    done = (status.uploaded_bytes or 0) // part_size(video.size)
    if done == now["done"]:
        raise TryLater("{network} has trouble at the moment.", network=NETWORK, answer=answer)
    now["done"] = min(done, parts_of(video.size) - 1)
    return None


def _unexpected(answer: Answer) -> NetworkError:
    if answer.status == 429:
        return TryLater("{network} asked us to slow down.", network=NETWORK, not_before=later(answer, MINUTE))
    if answer.status == 400:
        return Refused("{network} could not use the file: {reason}", network=NETWORK, reason="400", answer=answer)
    return not_the_api(answer)


def _anew(now: Progress) -> Pending:
    """What was begun ran out unfinished, or failed: nothing of it will ever be seen."""
    return Pending(progress={"begun": now.get("begun", 1)})


async def _part(video: Video, number: int) -> dict[str, Any]:
    """One part of the file, as TikTok wants it sent."""
    each, last = part_size(video.size), parts_of(video.size) - 1
    begin = number * each
    end = video.size if number == last else begin + each
    content = await asyncio.to_thread(_read, video.path, begin, end - begin)
    headers = {"Content-Type": video.content_type, "Content-Range": f"bytes {begin}-{end - 1}/{video.size}"}
    return {"data": BytesIO(content), "headers": headers, "timeout": UPLOAD_TIME}


def _read(path: Path, begin: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(begin)
        return file.read(size)


# At the hour


async def commit(wire: Wire, outgoing: Outgoing, progress: Progress) -> Published | Pending:
    """The visible request, then what TikTok makes of it."""
    if outgoing.reply_to is not None:
        return await answering.comment(wire, outgoing.reply_to, outgoing.text)
    if progress.get("sent"):
        return await _became(wire, outgoing, progress, await _asked(wire, str(progress["publish_id"])))
    ready = await prepare(wire, outgoing, progress, most=1)
    if isinstance(ready, Pending):
        return ready
    if outgoing.videos and not wire.business:
        return await _last_part(wire, outgoing, outgoing.videos[0], dict(ready.progress))
    begun = await (_pulled(wire, outgoing) if wire.business else _photos(wire, outgoing))
    now = {**ready.progress, "begun": int(ready.progress["begun"]) + 1, "publish_id": begun.publish_id, "sent": True}
    return await _look(wire, outgoing, now)


async def _pulled(wire: Wire, outgoing: Outgoing) -> Begun:
    """With the login for business accounts TikTok fetches everything, in one request that publishes."""
    return await (business.publish_video if outgoing.videos else business.publish_photos)(wire, outgoing)


async def _last_part(wire: Wire, outgoing: Outgoing, video: Video, now: dict[str, Any]) -> Published | Pending:
    part = await _part(video, parts_of(video.size) - 1)
    answer = await write(wire.http, "PUT", now["upload"], network=NETWORK, repeatable=False, **part)
    match answer.status:
        case 201:
            return await _look(wire, outgoing, {**now, "sent": True})
        case 206 | 403 | 404 | 416:
            return await _not_taken(wire, outgoing, video, now, answer)
        case status if 200 <= status < 300:  # 201 is what it says when all parts are there
            raise Unclear(
                "{network} answered something we cannot read, and may have taken it.", network=NETWORK, answer=answer
            )
    raise _unexpected(answer)


async def _not_taken(
    wire: Wire, outgoing: Outgoing, video: Video, now: dict[str, Any], answer: Answer
) -> Published | Pending:
    """An earlier attempt had given this part already, or one before it is missing, or the upload ran out.

    Only of an upload whose hour is over do we know that its last part is not on its way still: then it is begun anew.
    """
    status, at = look = await _asked(wire, now["publish_id"])
    if status.status != "PROCESSING_UPLOAD" or status.uploaded_bytes == video.size:
        return await _became(wire, outgoing, {**now, "sent": True}, look)
    if status.uploaded_bytes is not None and answer.status == 403:
        return _anew(now)
    if status.uploaded_bytes is not None and answer.status in (206, 416):
        done = status.uploaded_bytes // part_size(video.size)
        if done < parts_of(video.size) - 1:
            return Pending(progress={**now, "done": done})
    raise TryLater("{network} has trouble at the moment.", network=NETWORK, not_before=at + MINUTE)


async def _photos(wire: Wire, outgoing: Outgoing) -> Begun:
    title = str(outgoing.options.get("title") or "")
    told = {
        **_told(outgoing),
        **({"title": title} if title else {}),
        "description": outgoing.text,
        "auto_add_music": bool(outgoing.options.get("add_music")),
    }
    body = {
        "media_type": "PHOTO",
        "post_mode": "DIRECT_POST",
        "post_info": told,
        "source_info": {
            "source": "PULL_FROM_URL",
            "photo_cover_index": business.cover_index(outgoing),
            "photo_images": [picture.public_url for picture in outgoing.pictures],
        },
    }
    return written(await wire.publish("/v2/post/publish/content/init/", body), Begun)


async def _look(wire: Wire, outgoing: Outgoing, now: Progress) -> Published | Pending:
    """What became of it, when TikTok tells at once. It has it, whatever becomes of this question."""
    try:
        look = await _status(wire, str(now["publish_id"]))
    except NetworkError:
        return Pending(progress=now)
    return await _became(wire, outgoing, now, look)


class Look(NamedTuple):
    """What TikTok says of a publish id, and when by its clock."""

    status: Status
    at: datetime


async def _status(wire: Wire, publish_id: str) -> Look:
    if wire.business:
        status, answer = await business.status(wire, publish_id)
        return Look(status, answer.now)
    answer = await wire.ask("/v2/post/publish/status/fetch/", {"publish_id": publish_id})
    return Look(parsed(answer, Status), answer.now)


async def _asked(wire: Wire, publish_id: str) -> Look:
    """As ``_status``, of what may be out: that TikTok no longer knows it does not say that it is not."""
    try:
        return await _status(wire, publish_id)
    except Gone as exc:
        raise Unclear("{network} no longer tells what became of it.", network=NETWORK, answer=exc.answer) from exc


async def _became(wire: Wire, outgoing: Outgoing, now: Progress, look: Look) -> Published | Pending:
    """progress: also ``"looks"``. A failure is the end of a publish id: nothing of it is out, or will be."""
    status, looks, public = look.status, int(now.get("looks", 0)), _is_public(wire, outgoing)
    if status.status == "FAILED":
        if status.fail_reason in PASSING and int(now.get("begun", 1)) < MOST_BEGINNINGS:
            return _anew(now)
        raise refusal(status.fail_reason, status.fail_reason or "FAILED", None)
    done = status.status == "PUBLISH_COMPLETE"
    if done and (status.post_id or not public or looks >= MOST_LOOKS):
        return await _published(wire, outgoing, str(now["publish_id"]), status)
    if looks >= MOST_LOOKS:
        raise Unclear("{network} has worked on it for hours, and does not say what becomes of it.", network=NETWORK)
    pause = timedelta(seconds=PAUSES[min(looks, len(PAUSES) - 1)])
    return Pending(progress={**now, "looks": looks + 1}, not_before=look.at + pause)


def _is_public(wire: Wire, outgoing: Outgoing) -> bool:
    return wire.business or outgoing.options.get("privacy") == limits.EVERYBODY


async def _published(wire: Wire, outgoing: Outgoing, publish_id: str, status: Status) -> Published:
    """The receipt is the post's id, or the publish id while the public does not see it."""
    extra = {"kind": "photo" if outgoing.pictures else "video", "publish_id": publish_id}
    if status.post_id:
        return await _shown(wire, status.post_id, extra)
    if not _is_public(wire, outgoing) and outgoing.options.get("privacy") == limits.ONLY_ME:
        return Published(
            remote_id=publish_id,
            extra=extra,
            limited="TikTok has it, and only the account itself sees it. Whoever owns it can change that in the app.",
        )
    if _is_public(wire, outgoing):
        return Published(
            remote_id=publish_id, extra=extra, limited="TikTok has it, and has not let the public see it yet."
        )
    return Published(
        remote_id=publish_id, extra=extra, limited="TikTok shows it only to the people who were chosen to see it."
    )


async def _shown(wire: Wire, post_id: str, extra: dict[str, str]) -> Published:
    """With its address and moment, when TikTok tells them. It is out, whatever becomes of this question."""
    try:
        post = (await _posts(wire, [post_id])).get(post_id)
    except NetworkError:
        post = None
    if post is None:
        name = wire.username
        url = f"https://www.tiktok.com/@{name}/{extra.get('kind', 'video')}/{post_id}" if name else ""
        return Published(remote_id=post_id, url=url, extra=extra)
    return Published(remote_id=post_id, url=_address(post), at=_moment(post), extra=extra)


async def _posts(wire: Wire, ids: Sequence[str]) -> dict[str, Post]:
    return await (business.videos(wire, ids) if wire.business else measuring.videos(wire, ids, LISTED))


def _address(post: Post) -> str:
    """Without what TikTok adds to count who follows it."""
    return (post.share_url or "").split("?", 1)[0]


def _moment(post: Post) -> datetime:
    return datetime.fromtimestamp(post.create_time, UTC)


# After a lost answer


async def what_became_of(wire: Wire, outgoing: Outgoing, progress: Progress) -> Published | Pending | None:
    """What TikTok says of the publish id. A video whose last part is not there may get it, in the same upload."""
    if outgoing.reply_to is not None:
        return await answering.found(wire, outgoing, outgoing.reply_to)
    publish_id = str(progress.get("publish_id") or "")
    if not publish_id:
        return None if outgoing.videos and not wire.business else await _searched(wire, outgoing)
    status, at = look = await _asked(wire, publish_id)
    sent, working = {**progress, "sent": True}, status.status not in ("FAILED", "PUBLISH_COMPLETE")
    if outgoing.videos and not progress.get("sent") and _lacks_parts(status, outgoing.videos[0]):
        return None
    if working and int(progress.get("looks", 0)) >= MOST_LOOKS:
        raise TryLater("{network} is still working on it.", network=NETWORK, not_before=at + timedelta(minutes=30))
    if status.status == "FAILED":
        return Pending(progress=sent)  # the next look says why, or begins anew
    return await _became(wire, outgoing, sent, look)


def _lacks_parts(status: Status, video: Video) -> bool:
    done = status.uploaded_bytes
    return status.status == "PROCESSING_UPLOAD" and done is not None and done < video.size


async def _searched(wire: Wire, outgoing: Outgoing) -> Published:
    """What TikTok was to fetch, without a publish id: the first public post with the same words since then.

    Not found says nothing: what is not public, or not yet, is not listed. Then only a person can tell.
    """
    since, wanted = outgoing.planned_at - timedelta(minutes=5), _words(outgoing.text)
    if wanted and wire.may("video.list"):

        def is_it(seen: Seen) -> bool:
            told = _words(seen.text)
            return told == wanted or (len(seen.text) >= LONGEST_LISTED and wanted.startswith(told))

        if (found := (await own_posts(wire, since=since)).first(outgoing, is_it)) is not None:
            return found
    raise Unclear("{network} did not answer, and does not tell whether it took the post.", network=NETWORK)


def _words(text: str) -> str:
    return " ".join(text.split())


async def own_posts(wire: Wire, *, since: datetime) -> Listing:
    """The account's public posts back to ``since``, newest first. How many photos one holds is not told."""
    seen: list[Post] = []
    network_now, cursor, more = None, 0, True
    for _ in range(MOST_PAGES):
        page, cursor, more, answer = await _page(wire, cursor)
        network_now = network_now or answer.date
        seen += page
        if not more or (page and _moment(page[-1]) < since):
            more = False
            break
    reaches = max(since, _moment(seen[-1])) if more and seen else since
    return Listing(
        seen=tuple(_as_seen(one) for one in seen if _moment(one) >= since),
        reaches_back_to=reaches,
        network_now=network_now,
    )


async def _page(wire: Wire, cursor: int) -> tuple[list[Post], int, bool, Answer]:
    if wire.business:
        items, answer = await business.items(wire, cursor=cursor)
        return [business.as_video(one) for one in items.videos], items.cursor, items.has_more, answer
    body = {"max_count": PAGE, **({"cursor": cursor} if cursor else {})}
    answer = await wire.ask("/v2/video/list/", body, params={"fields": LISTED})
    page = parsed(answer, Videos)
    return list(page.videos), page.cursor, page.has_more, answer


def _as_seen(post: Post) -> Seen:
    return Seen(
        remote_id=post.id,
        url=_address(post),
        text=post.video_description or post.title or "",
        media=1,
        created_at=_moment(post),
        extra={"kind": "photo" if "/photo/" in (post.share_url or "") else "video"},
    )


async def public_id(wire: Wire, remote_id: str) -> str:
    """The post behind a receipt: itself, or of a publish id the public post it became ("" while there is none).

    Raises Gone when TikTok no longer knows the publish id, or it failed.
    """
    if not PUBLISH_ID.match(remote_id):
        return remote_id
    status, _ = await _status(wire, remote_id)
    if status.status == "FAILED":
        raise Gone("{network} no longer has it.", network=NETWORK)
    return status.post_id


async def fetch(wire: Wire, remote_id: str) -> Published:
    """One of ours. A publish id stays the receipt, with the address of the public post once there is one."""
    post_id = await public_id(wire, remote_id)
    if not post_id:
        return Published(remote_id=remote_id, limited=NOT_PUBLIC)
    post = (await _posts(wire, [post_id])).get(post_id)
    if post is None:
        raise Gone("{network} no longer has it.", network=NETWORK)
    return Published(remote_id=remote_id, url=_address(post), at=_moment(post))


def id_of(url: str) -> str | None:
    found = ADDRESS.match(url)
    return found[1] if found else None
