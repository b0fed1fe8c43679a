"""Videos with their covers, subtitles and playlists. Sources: NOTES.md.

A video is uploaded as a private one, which only the channel's owner sees. ``prepare`` does that, and waits until
YouTube has worked it through. ``commit`` says who may see it: one call, which changes nothing when it comes twice, and
the video itself tells afterwards whether it was heard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import regex

from regie.networks.capabilities import Choice, Format
from regie.networks.data import NOT_PUBLIC, Listing, Outgoing, Pending, Progress, Published, Ready, Ref, Seen, Video
from regie.networks.errors import Gone, NetworkError, Refused
from regie.networks.google import error_in
from regie.networks.line import Answer
from regie.networks.youtube import comments
from regie.networks.youtube.entities import Channel, Choosable, Ident, PlaylistItem, Updated
from regie.networks.youtube.entities import Video as Film
from regie.networks.youtube.wire import (
    NETWORK,
    Page,
    SessionOver,
    Wire,
    listed,
    parsed,
    written,
)

PAUSES = (2, 5, 10, 20, 30, 60, 120, 300)  # seconds between looks at a video that is worked on; the last one repeats
MOST_LOOKS = 90  # about seven hours
PIECES_AT_ONCE = 16  # of an upload, before what was achieved is written down
PAGE, MOST_PAGES = 50, 20
VISIBLE = ("public", "unlisted")
PEOPLE_AND_BLOGS = "22"  # the category YouTube's own upload page begins with
VIDEO_ID = regex.compile(r"[A-Za-z0-9_-]{11}")
HOSTS = frozenset(("youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "youtu.be"))


# Before the hour


async def prepare(wire: Wire, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
    """Uploads the file as a private video with all that belongs to it, and waits until YouTube is done with it.

    progress: ``{"session": where the file goes, "video": id, "cover", "captions", "listed": done, "looks": n}``
    """
    refuse_what_is_absent(outgoing)
    if outgoing.reply_to is not None:
        return Ready(progress=progress)
    now: dict[str, Any] = dict(progress)
    (video,) = outgoing.videos
    if not now.get("video"):
        await _upload(wire, outgoing, video, now)
        return Pending(progress=now)  # what was achieved is written down first
    await _dress(wire, outgoing, video, now)
    return await _worked_through(wire, now)


def refuse_what_is_absent(outgoing: Outgoing) -> None:
    """What YouTube does not have is refused, never dropped in silence."""
    if outgoing.poll is not None:
        raise Refused("{network} has no polls in its API.", network=NETWORK)
    if outgoing.content_warning or outgoing.sensitive:
        raise Refused("{network} has no content warnings.", network=NETWORK)
    if outgoing.visibility not in ("", "public"):
        raise Refused("{network} does not have this visibility.", network=NETWORK)
    if outgoing.documents or outgoing.sounds:
        raise Refused("{network} takes neither documents nor sounds.", network=NETWORK)
    if outgoing.reply_to is not None:
        if outgoing.media:
            raise Refused("A comment on {network} has no pictures.", network=NETWORK)
        return
    if outgoing.format is Format.STORY:
        raise Refused("{network} has no stories.", network=NETWORK)
    if outgoing.pictures or len(outgoing.videos) != 1:
        raise Refused("A post on {network} is one video.", network=NETWORK)
    if not outgoing.options.get("title"):
        raise Refused("A video on {network} needs a title.", network=NETWORK)
    if outgoing.options.get("made_for_kids") not in ("yes", "no"):
        raise Refused("{network} wants to know whether the video is made for children.", network=NETWORK)


async def _upload(wire: Wire, outgoing: Outgoing, video: Video, now: dict[str, Any]) -> None:
    """A place for the file, then some of its pieces, from where an earlier call ended."""
    if not now.get("session"):
        params = {"part": _parts(outgoing), "notifySubscribers": str(bool(outgoing.options.get("notify"))).lower()}
        body = {"snippet": _snippet(outgoing), "status": _status(outgoing, "private"), **_placement(outgoing)}
        now["session"] = await wire.begin_upload(
            "videos", params, body, size=video.size, content_type=video.content_type
        )
        return
    session = str(now["session"])
    try:
        sent = await wire.ask_offset("videos", session, size=video.size)
        for _ in range(PIECES_AT_ONCE):
            if sent.done is not None:
                break
            sent = await wire.send_piece("videos", session, video.path, offset=sent.offset, size=video.size)
    except SessionOver:
        now.clear()
        return
    if sent.done is not None:
        now.pop("session")
        now["video"] = written(sent.done, Ident).id


def _parts(outgoing: Outgoing) -> str:
    return "snippet,status" + (",paidProductPlacementDetails" if _placement(outgoing) else "")


def _snippet(outgoing: Outgoing) -> dict[str, Any]:
    options = outgoing.options
    spoken = {"defaultLanguage": outgoing.language, "defaultAudioLanguage": outgoing.language}
    return {
        "title": options["title"],
        "description": outgoing.text,
        "categoryId": options.get("category") or PEOPLE_AND_BLOGS,
        **({"tags": list(tags)} if isinstance(tags := options.get("tags"), tuple) and tags else {}),
        **(spoken if outgoing.language else {}),
    }


def _status(outgoing: Outgoing, privacy: str) -> dict[str, Any]:
    """All of what we say at once: what an update leaves out goes back to YouTube's own choice."""
    return {
        "privacyStatus": privacy,
        "selfDeclaredMadeForKids": outgoing.options.get("made_for_kids") == "yes",
        "containsSyntheticMedia": bool(outgoing.options.get("made_with_ai")),
    }


def _placement(outgoing: Outgoing) -> dict[str, Any]:
    paid = bool(outgoing.options.get("paid_partnership"))
    return {"paidProductPlacementDetails": {"hasPaidProductPlacement": True}} if paid else {}


def _privacy(outgoing: Outgoing) -> str:
    return str(outgoing.options.get("privacy") or "public")


async def _dress(wire: Wire, outgoing: Outgoing, video: Video, now: dict[str, Any]) -> None:
    """Cover, subtitles, playlist: each of them may be asked for twice."""
    film = str(now["video"])
    if video.cover is not None and not now.get("cover"):
        answer = await wire.send_whole(
            "thumbnails/set", {"videoId": film}, video.cover.path, content_type=video.cover.content_type
        )
        wire.fine(answer)
        now["cover"] = True
    if video.captions is not None and not now.get("captions"):
        snippet = {"videoId": film, "language": video.captions.language, "name": ""}
        answer = await wire.send_with(
            "captions", {"part": "snippet"}, {"snippet": snippet}, video.captions.path,
            content_type="application/octet-stream",
        )  # fmt: skip
        said = error_in(answer)
        if said is None or "captionExists" not in said.reasons:  # an earlier answer was lost
            wire.fine(answer)
        now["captions"] = True
    if (playlist := outgoing.options.get("playlist")) and not now.get("listed"):
        await _put_into(wire, str(playlist), film)
        now["listed"] = True


async def _put_into(wire: Wire, playlist: str, film: str) -> None:
    """A playlist holds a video as often as it is put there: it is looked first."""
    there, _ = listed(await wire.get("playlistItems", {"part": "id", "playlistId": playlist, "videoId": film}), Ident)
    if not there:
        snippet = {"playlistId": playlist, "resourceId": {"kind": "youtube#video", "videoId": film}}
        await wire.do("POST", "playlistItems", {"part": "snippet"}, {"snippet": snippet})


async def _worked_through(wire: Wire, now: dict[str, Any]) -> Ready | Pending:
    """Ready when people could watch it. Raises Refused when YouTube cannot use the file, or will not."""
    film, answer = await _film(wire, str(now["video"]), "id,status,processingDetails")
    status, processing = film.status, film.processing
    state = status.upload if status is not None else ""
    if state in ("failed", "rejected", "deleted") and status is not None:
        reason = status.failure or status.rejection or state
        raise Refused("{network} could not use the video: {reason}", network=NETWORK, reason=reason, answer=answer)
    if processing is not None and processing.status in ("failed", "terminated"):
        reason = processing.failure or processing.status
        raise Refused("{network} could not use the video: {reason}", network=NETWORK, reason=reason, answer=answer)
    if state != "uploaded":
        return Ready(progress={**now, "looks": 0})
    now["looks"] = int(now.get("looks", 0)) + 1
    if now["looks"] > MOST_LOOKS:
        raise Refused("{network} did not finish working on the file. Send it again.", network=NETWORK)
    pause = PAUSES[min(now["looks"], len(PAUSES)) - 1]
    return Pending(progress=now, not_before=answer.now + timedelta(seconds=pause))


async def _film(wire: Wire, film: str, parts: str) -> tuple[Film, Answer]:
    """One of our videos. Raises Gone: a list that holds nothing is how YouTube says so."""
    answer = await wire.get("videos", {"part": parts, "id": film}, addressed=True)
    found, _ = listed(answer, Film)
    if not found:
        raise Gone("{network} no longer has it.", network=NETWORK, answer=answer)
    return found[0], answer


# At the hour


async def commit(wire: Wire, outgoing: Outgoing, progress: Progress) -> Published | Pending:
    """Says who may see the video."""
    if outgoing.reply_to is not None:
        return await comments.write(wire, outgoing.reply_to, outgoing.text)
    if not progress.get("video"):
        ready = await prepare(wire, outgoing, progress)
        if isinstance(ready, Pending):
            return ready
        progress = ready.progress
    film, wanted = str(progress["video"]), _privacy(outgoing)
    body = {"id": film, "status": _status(outgoing, wanted)}
    try:
        answer = await wire.publish("PUT", "videos", {"part": "status"}, body, addressed=True)
    except Refused as exc:
        said = error_in(exc.answer) if exc.answer is not None else None
        if said is None or "forbiddenPrivacySetting" not in said.reasons or wanted == "private":
            raise
        return _as_published(wire, film, outgoing.format, "private", wanted, exc.answer)
    shown = written(answer, Updated).status.privacy
    return await _seen_again(wire, film, outgoing, shown, answer)


async def _seen_again(wire: Wire, film: str, outgoing: Outgoing, shown: str, answer: Answer) -> Published:
    """As it stands a moment later: YouTube locks what an unverified app makes public, after having said yes."""
    at = None
    try:
        found, _ = await _film(wire, film, "id,snippet,status")
    except NetworkError:  # it was told yes, whatever becomes of this question
        found = None
    if found is not None:
        shown = found.status.privacy if found.status is not None and found.status.privacy else shown
        at = found.snippet.published_at if found.snippet is not None else None
    return _as_published(wire, film, outgoing.format, shown, _privacy(outgoing), answer, at=at)


def _as_published(
    wire: Wire,
    film: str,
    form: Format,
    shown: str,
    wanted: str,
    answer: Answer | None,
    *,
    at: datetime | None = None,
) -> Published:
    out = Published(
        remote_id=film,
        url=wire.address(film, short=form is Format.SHORT),
        at=at,
        extra={"kind": "video"},
        answer=answer,
    )
    if shown != "private":
        return out
    if wanted == "private":
        return Published(
            remote_id=film, url=out.url, at=at, extra=out.extra, answer=answer,
            limited="It is private on YouTube: only you and people you invite there can see it.",
        )  # fmt: skip
    return Published(
        remote_id=film, url=out.url, at=at, extra=out.extra, answer=answer,
        limited="YouTube keeps it private: until Google has verified your app (API audit), only you can see it.",
    )  # fmt: skip


# After a lost answer


async def what_became_of(wire: Wire, outgoing: Outgoing, progress: Progress) -> Published | Pending | None:
    """What the video says of itself: one that is still private may be made public again."""
    if outgoing.reply_to is not None:
        return await comments.found(wire, outgoing, outgoing.reply_to)
    if not progress.get("video"):
        return None
    try:
        found, answer = await _film(wire, str(progress["video"]), "id,snippet,status")
    except Gone:
        return None
    shown, wanted = found.status.privacy if found.status is not None else "", _privacy(outgoing)
    if shown == wanted or shown in VISIBLE:
        at = found.snippet.published_at if found.snippet is not None else None
        return _as_published(wire, found.id, outgoing.format, shown, wanted, answer, at=at)
    comments.must_not_be_under_way(outgoing, answer)
    return None


async def own_posts(wire: Wire, *, since: datetime) -> Listing:
    """The channel's videos that others can see, back to ``since``, newest first."""
    found: list[Film] = []
    network_now, token = None, ""
    for _ in range(MOST_PAGES):
        params = {"part": "contentDetails", "playlistId": await _uploads(wire), "maxResults": str(PAGE)}
        answer = await wire.get("playlistItems", {**params, **({"pageToken": token} if token else {})})
        network_now = network_now or answer.date
        items, token = listed(answer, PlaylistItem)
        films = await _films(wire, [item.content.video_id for item in items])
        found += films
        moments = [moment for film in films if (moment := _made(film))]
        if not token or (moments and min(moments) < since):
            token = ""
            break
    seen = [_as_seen(wire, film) for film in found if _is_visible(film) and (_made(film) or since) >= since]
    seen.sort(key=lambda one: one.created_at, reverse=True)
    reaches = max(since, min((one.created_at for one in seen), default=since)) if token else since
    return Listing(seen=tuple(seen), reaches_back_to=reaches, network_now=network_now)


async def _uploads(wire: Wire) -> str:
    """The playlist of all of the channel's videos."""
    if known := str(wire.login.limits.get("uploads") or ""):
        return known
    found, _ = listed(await wire.get("channels", {"part": "id,contentDetails", "mine": "true"}), Channel)
    return found[0].content.related.uploads if found else ""


async def _films(wire: Wire, ids: Sequence[str]) -> list[Film]:
    if not ids:
        return []
    return listed(await wire.get("videos", {"part": "id,snippet,status", "id": ",".join(ids)}), Film)[0]


def _made(film: Film) -> datetime | None:
    """When it became public, or was uploaded if it did not."""
    return film.snippet.published_at if film.snippet is not None else None


def _is_visible(film: Film) -> bool:
    return film.status is not None and film.status.privacy in VISIBLE and _made(film) is not None


def _as_seen(wire: Wire, film: Film) -> Seen:
    assert film.snippet is not None
    return Seen(
        remote_id=film.id,
        url=wire.address(film.id),
        text=film.snippet.description,
        media=1,
        created_at=film.snippet.published_at or datetime.now(UTC),
        options={"title": film.snippet.title},
        extra={"kind": "video"},
    )


async def fetch(wire: Wire, remote_id: str) -> Published:
    film, answer = await _film(wire, remote_id, "id,snippet,status")
    shown = film.status.privacy if film.status is not None else ""
    found = _as_published(wire, film.id, Format.POST, shown, "public", answer, at=_made(film))
    return replace(found, limited=NOT_PUBLIC) if found.limited else found


def id_of(url: str) -> str | None:
    """``youtube.com/watch?v=…``, ``/shorts/…``, ``/live/…``, ``/embed/…``, ``youtu.be/…``."""
    parts = urlsplit(url)
    path = [part for part in parts.path.split("/") if part]
    if (parts.hostname or "") not in HOSTS:
        return None
    if parts.hostname == "youtu.be":
        found = path[0] if path else ""
    elif path[:1] == ["watch"]:
        found = (parse_qs(parts.query).get("v") or [""])[0]
    else:
        found = path[1] if len(path) > 1 and path[0] in ("shorts", "live", "embed", "v") else ""
    return found if VIDEO_ID.fullmatch(found) else None


async def delete(wire: Wire, ref: Ref) -> None:
    """A video of ours."""
    try:
        await wire.do("DELETE", "videos", {"id": ref.remote_id}, addressed=True)
    except Gone:
        return


async def edit(wire: Wire, ref: Ref, outgoing: Outgoing, progress: Progress) -> Published:
    """New words, options and cover; the video itself cannot be replaced: one uploaded for it is taken away."""
    answer = await wire.get("videos", {"part": "id,snippet,status", "id": ref.remote_id}, addressed=True)
    items = parsed(answer, Page).items
    if not items:
        raise Gone("{network} no longer has it.", network=NETWORK, answer=answer)
    body = {"id": ref.remote_id, **_edited(items[0], outgoing)}
    answer = await wire.do("PUT", "videos", {"part": ",".join(list(body)[1:])}, body, addressed=True)
    if (spare := str(progress.get("video") or ref.remote_id)) != ref.remote_id:
        await delete(wire, Ref(remote_id=spare))
    for video in outgoing.videos:
        await _dress(wire, outgoing, video, {"video": ref.remote_id})
    shown = written(answer, Updated).status.privacy
    wanted = str(body["status"].get("privacyStatus", shown))
    return _as_published(wire, ref.remote_id, outgoing.format, shown, wanted, answer)


KEPT = {
    "snippet": ("title", "description", "categoryId", "tags", "defaultLanguage", "defaultAudioLanguage"),
    "status": (
        "privacyStatus", "publishAt", "license", "embeddable", "publicStatsViewable", "selfDeclaredMadeForKids",
        "containsSyntheticMedia",
    ),
}  # fmt: skip


def _edited(item: Mapping[str, Any], outgoing: Outgoing) -> dict[str, Any]:
    """What it says now, with what we know better: an update forgets all that it does not name.

    Options come all together, with the title, or not at all.
    """
    found = {
        part: {name: item[part][name] for name in names if name in item.get(part, {})} for part, names in KEPT.items()
    }
    found["snippet"]["description"] = outgoing.text
    if not outgoing.options.get("title"):
        return found
    found["snippet"].pop("tags", None)
    found["snippet"] |= _snippet(outgoing)
    found["status"] |= _status(outgoing, str(outgoing.options.get("privacy") or found["status"].get("privacyStatus")))
    paid = bool(outgoing.options.get("paid_partnership"))
    return {**found, "paidProductPlacementDetails": {"hasPaidProductPlacement": paid}}


# What a post may choose


async def choices(wire: Wire, option: str) -> tuple[Choice, ...]:
    """The channel's playlists, or the categories of its country."""
    if option == "playlist":
        return await _all(wire, "playlists", {"part": "id,snippet", "mine": "true", "maxResults": str(PAGE)})
    if option == "category":
        region = str(wire.login.limits.get("region") or "US")
        return await _all(wire, "videoCategories", {"part": "snippet", "regionCode": region})
    return ()


async def _all(wire: Wire, what: str, params: Mapping[str, str]) -> tuple[Choice, ...]:
    found: list[Choice] = []
    token = ""
    for _ in range(MOST_PAGES):
        rows, token = listed(await wire.get(what, {**params, **({"pageToken": token} if token else {})}), Choosable)
        found += [Choice(row.id, row.snippet.title) for row in rows if row.snippet.assignable]
        if not token:
            break
    return tuple(found)
