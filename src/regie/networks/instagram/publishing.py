"""Pictures, carousels, Reels, stories: containers first, then the one visible call. Source: content-publishing guide.

A container is invisible, works for 24 hours and can be published once. Its id is saved before anything is published, so
after a lost answer the container itself says what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from regie.networks.capabilities import Format
from regie.networks.data import (
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
from regie.networks.errors import Gone, NetworkError, Refused, TryLater, Unclear
from regie.networks.finding import Page, comment_in_pages
from regie.networks.instagram import limits, shop
from regie.networks.instagram.entities import Comment, Container, Media, Sent, Upload
from regie.networks.instagram.wire import NETWORK, Wire
from regie.networks.line import Answer
from regie.networks.meta.answering import tagged
from regie.networks.meta.entities import Edge
from regie.networks.meta.wire import NEXT_VERSION, VERSION, Id, error_in, parsed, written

PAUSES = (3, 5, 10, 15, 30)  # seconds between looks at a container; the last one repeats
MOST_LOOKS = 60  # about half an hour
LOST_FOR = timedelta(minutes=1)  # after this a publishing call whose answer was lost is no longer under way
NEXT_FIELDS = {"made_with_ai": "is_ai_generated", "paid_partnership": "is_paid_partnership"}  # of v26.0 only
PAGE = 50
MOST_PAGES = 20
FRESH = timedelta(hours=20)  # of the day that a container lives
NOT_READY, TOO_MANY, NOT_FOUND_YET = (9007, 2207027), (9, 2207042), (24, 2207008)
MEDIA = "id,caption,permalink,timestamp,media_type,media_product_type,children{id}"


# Before the hour


async def prepare(wire: Wire, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
    """Makes the containers that are not there yet, and waits until Instagram is done with them.

    progress: ``{"children": [container id, ...], "container": id, "looks": n}``; of files that we upload ourselves also
    ``"begun"`` and ``"sent"``, lists of container ids. ``"finished_at"``: when it was seen that it may be published.
    """
    refuse_what_is_absent(outgoing)
    if outgoing.reply_to is not None:
        return Ready(progress=progress)
    now: dict[str, Any] = {"children": [], "begun": [], "sent": [], "looks": 0, **progress}
    items = outgoing.media
    if not now.get("container"):
        if len(items) > 1:
            for item in items[len(now["children"]) :]:
                people = _people(outgoing) if _shows_people(outgoing, item) else {}
                said = {**_item(wire, item, child=True), **people, **shop.tags(outgoing, item)}
                now["children"].append(await _create(wire, said))
            if (waiting := await _settle(wire, now["children"], items, now)) is not None:
                return waiting
        now["container"] = await _create(wire, _post(wire, outgoing, now["children"]))
    waiting = await _settle(wire, [now["container"]], items if len(items) == 1 else (), now)
    return waiting or Ready(progress={**now, "looks": 0})


def refuse_what_is_absent(outgoing: Outgoing) -> None:
    """What Instagram does not have is refused, never dropped in silence."""
    if outgoing.poll is not None:
        raise Refused("{network} has no polls.", network=NETWORK)
    if outgoing.content_warning or outgoing.sensitive:
        raise Refused("{network} has no content warnings.", network=NETWORK)
    if outgoing.visibility not in ("", "public"):
        raise Refused("{network} does not have this visibility.", network=NETWORK)
    if outgoing.reply_to is not None:
        if outgoing.media:
            raise Refused("A comment on {network} has no pictures.", network=NETWORK)
        return
    if not outgoing.media:
        raise Refused("A post on {network} needs a picture or a video.", network=NETWORK)
    if len(outgoing.media) > (limits.CAROUSEL if outgoing.format is Format.POST else 1):
        most = limits.CAROUSEL if outgoing.format is Format.POST else 1
        raise Refused("{network} takes at most {most} pictures and videos here.", network=NETWORK, most=most)
    if outgoing.format is Format.SHORT and outgoing.pictures:
        raise Refused("A short video on {network} is a video, not a picture.", network=NETWORK)
    if any(video.cover is not None and not video.cover.public_url for video in outgoing.videos):
        raise Refused(
            "{network} fetches pictures from a public address, and Régie has none (REGIE_URL).", network=NETWORK
        )
    draft = Draft(
        text=outgoing.text,
        options=outgoing.options,
        pictures=len(outgoing.pictures),
        videos=len(outgoing.videos),
    )
    for objection in limits.objections(draft):
        raise objection


def _item(wire: Wire, item: Picture | Video, *, child: bool = False) -> dict[str, Any]:
    """What names one file: an address that Instagram fetches, or the promise of an upload (Facebook's login only)."""
    fields: dict[str, Any] = {"is_carousel_item": True} if child else {}
    if isinstance(item, Picture):
        if not item.public_url:
            raise Refused(
                "{network} fetches pictures from a public address, and Régie has none (REGIE_URL).", network=NETWORK
            )
        return {**fields, "image_url": item.public_url, **({"alt_text": item.alt} if item.alt else {})}
    if child:
        fields["media_type"] = "VIDEO"
    if wire.uploads:
        return {**fields, "upload_type": "resumable"}
    if not item.public_url:
        raise Refused(
            "{network} fetches videos from a public address, and Régie has none (REGIE_URL).", network=NETWORK
        )
    return {**fields, "video_url": item.public_url}


def _post(wire: Wire, outgoing: Outgoing, children: Sequence[str]) -> dict[str, Any]:
    """The container that is published. A single video of an ordinary post is a Reel that shows in the feed too."""
    words = {**({"caption": outgoing.text} if outgoing.text else {}), **_options(outgoing)}
    if children:
        return {"media_type": "CAROUSEL", "children": list(children), **words}
    (item,) = outgoing.media
    fields = {**_item(wire, item), **words, **_people(outgoing)}
    if outgoing.format is Format.STORY:
        fields.pop("caption", None)  # a story shows none
        fields.pop("alt_text", None)
        return {**fields, "media_type": "STORIES"}
    fields |= shop.tags(outgoing, item)
    if isinstance(item, Video):
        in_feed = outgoing.format is Format.POST or bool(outgoing.options.get("share_to_feed"))
        fields |= {"media_type": "REELS", "share_to_feed": in_feed}
        if item.cover is not None:  # beside others a video has none, as the checks say
            fields["cover_url"] = item.cover.public_url
        elif item.cover_at is not None:
            fields["thumb_offset"] = str(int(item.cover_at * 1000))
    return fields


def _options(outgoing: Outgoing) -> dict[str, Any]:
    """What a container says beside its caption, but for people, who are marked in its pictures."""
    chosen, fields = outgoing.options, dict[str, Any]()
    if collaborators := limits.names(chosen, "collaborators"):
        fields["collaborators"] = collaborators
    if chosen.get("place"):
        fields["location_id"] = chosen["place"]
    return fields | {field: True for option, field in NEXT_FIELDS.items() if chosen.get(option)}


def _people(outgoing: Outgoing) -> dict[str, Any]:
    """In a picture each has a place from 0 to 1; in a video nobody has one, and in a story nobody needs one."""
    nowhere = outgoing.format is Format.STORY or not outgoing.pictures
    middle = {} if nowhere else {"x": 0.5, "y": 0.5}
    tags = [{"username": name, **middle} for name in limits.names(outgoing.options, "people")]
    return {"user_tags": tags} if tags else {}


def _shows_people(outgoing: Outgoing, item: Picture | Video) -> bool:
    """Of several, the first picture."""
    return bool(outgoing.pictures) and item is next(one for one in outgoing.media if isinstance(one, Picture))


async def _create(wire: Wire, fields: Mapping[str, Any]) -> str:
    version = NEXT_VERSION if any(field in fields for field in NEXT_FIELDS.values()) else VERSION
    answer = await wire.graph.do("POST", f"/{wire.user}/media", fields, vital=True, version=version)
    return parsed(answer, Id, network=NETWORK).id


async def _settle(
    wire: Wire, containers: Sequence[str], items: Sequence[Picture | Video], now: dict[str, Any]
) -> Pending | None:
    """None when all are finished. ``items``: what they are made from. Marks a post that is out as ``published``.

    Raises Refused when Instagram cannot use a file. What ran out after a day is begun anew.
    """
    if await _upload_all(wire, containers, items, now):
        return Pending(progress=now)
    waiting, answer = False, None
    for container in containers:
        answer = await wire.graph.get(f"/{container}", {"fields": "id,status_code,status"})
        state = parsed(answer, Container, network=NETWORK)
        if state.status_code == "EXPIRED":
            return Pending(progress={})
        if state.status_code == "ERROR":
            reason = state.status.removeprefix("Error: ") or "ERROR"
            raise Refused("{network} could not use the file: {reason}", network=NETWORK, reason=reason, answer=answer)
        now["published"] = state.status_code == "PUBLISHED"
        waiting = waiting or state.status_code not in ("FINISHED", "PUBLISHED")
    now["finished_at"] = _clock(answer).isoformat()
    return _later(now, answer) if waiting else None


def _later(now: dict[str, Any], answer: Answer | None) -> Pending:
    now["looks"] += 1
    if now["looks"] > MOST_LOOKS:
        raise Refused("{network} did not finish working on the file. Send it again.", network=NETWORK)
    pause = PAUSES[min(now["looks"], len(PAUSES)) - 1]
    return Pending(progress=now, not_before=_clock(answer) + timedelta(seconds=pause))


def _clock(answer: Answer | None) -> datetime:
    return (answer.date if answer is not None else None) or datetime.now(UTC)


async def _upload_all(
    wire: Wire, containers: Sequence[str], items: Sequence[Picture | Video], now: dict[str, Any]
) -> bool:
    """Sends the files that Meta does not fetch itself. True: first have the containers' ids written down."""
    if not wire.uploads:
        return False
    ours = [(one, item) for one, item in zip(containers, items, strict=False) if isinstance(item, Video)]
    if fresh := [container for container, _ in ours if container not in now["begun"]]:
        now["begun"] += fresh
        return True
    for container, video in ours:
        if container not in now["sent"]:
            await _upload(wire, container, video)
            now["sent"].append(container)
    return False


async def _upload(wire: Wire, container: str, video: Video) -> None:
    """From where an earlier attempt broke off."""
    answer = await wire.graph.get(f"/{container}", {"fields": "id,video_status"})
    done = parsed(answer, Upload, network=NETWORK).video_status.uploading_phase.bytes_transferred
    if done < video.size:
        await wire.graph.upload(wire.upload_url(container), video.path, offset=done, size=video.size)


# At the hour


async def commit(wire: Wire, outgoing: Outgoing, progress: Progress) -> Published | Pending:
    """The visible call. After an earlier attempt the container is asked first: what is out is never published again."""
    if outgoing.reply_to is not None:
        return await comment(wire, outgoing, outgoing.reply_to)
    if not outgoing.again and _is_fresh(progress, outgoing.planned_at):
        return await _published(wire, str(progress["container"]))
    ready = await prepare(wire, outgoing, progress)
    if isinstance(ready, Pending):
        return ready
    if ready.progress.get("published"):
        looks = progress.get("looks", 0) if progress.get("published") else 0  # those of preparing do not count
        return await _found(wire, outgoing, {**ready.progress, "looks": looks})
    return await _published(wire, str(ready.progress["container"]))


def _is_fresh(progress: Progress, moment: datetime) -> bool:
    """Whether the container was finished so lately that it cannot have run out."""
    finished = progress.get("finished_at")
    return finished is not None and moment < datetime.fromisoformat(finished) + FRESH


async def _published(wire: Wire, container: str) -> Published:
    answer = await _publish(wire, container)
    return await shown(wire, written(answer, Id, network=NETWORK).id, answer)


async def _publish(wire: Wire, container: str) -> Answer:
    try:
        return await wire.graph.publish(f"/{wire.user}/media_publish", {"creation_id": container})
    except Refused as exc:
        if exc.answer is None or (said := error_in(exc.answer)) is None:
            raise
        what, when = (said.code, said.error_subcode), _clock(exc.answer)
        if what in (NOT_READY, NOT_FOUND_YET):
            raise TryLater(
                "{network} is not ready to publish it yet.",
                network=NETWORK,
                not_before=when + timedelta(seconds=15),
                answer=exc.answer,
            ) from exc
        if what == TOO_MANY:
            raise TryLater(
                "{network} takes no more posts of this account today.",
                network=NETWORK,
                not_before=when + timedelta(hours=1),
                answer=exc.answer,
            ) from exc
        raise


async def shown(wire: Wire, media_id: str, answer: Answer) -> Published:
    """With its address, when Instagram tells it. It is out, whatever becomes of this question."""
    extra = {"kind": "media"}
    try:
        asked = await wire.graph.get(f"/{media_id}", {"fields": "id,permalink,timestamp"})
        media = parsed(asked, Media, network=NETWORK)
    except NetworkError:
        return Published(remote_id=media_id, extra=extra, answer=answer)
    return Published(remote_id=media_id, url=media.permalink or "", at=media.timestamp, extra=extra, answer=answer)


# After a lost answer


async def what_became_of(wire: Wire, outgoing: Outgoing, progress: Progress) -> Published | Pending | None:
    """What the container says of itself. An unpublished one may be published; nothing else is ever sent again."""
    if outgoing.reply_to is not None:
        return await comment_found(wire, outgoing, outgoing.reply_to)
    container = progress.get("container")
    if not container:
        return None
    answer = await wire.graph.get(f"/{container}", {"fields": "id,status_code,status"})
    state = parsed(answer, Container, network=NETWORK)
    if state.status_code == "PUBLISHED":
        return await _found(wire, outgoing, progress)
    over_at = outgoing.tried_until or outgoing.planned_at + LOST_FOR
    too_early = _clock(answer) < over_at
    if state.status_code == "IN_PROGRESS" or (state.status_code == "FINISHED" and too_early):
        raise TryLater(
            "{network} may still be publishing it.",
            network=NETWORK,
            not_before=max(over_at, _clock(answer) + timedelta(seconds=10)),
            answer=answer,
        )
    return None


async def _found(wire: Wire, outgoing: Outgoing, progress: Progress) -> Published | Pending:
    """The post of a published container, which does not tell its id: the first with the same caption since then."""
    since = outgoing.planned_at - timedelta(minutes=5)
    stories = outgoing.format is Format.STORY
    listing = await (own_stories(wire) if stories else own_posts(wire, since=since))

    def is_it(seen: Seen) -> bool:
        says_it = stories or _words(seen.text) == _words(outgoing.text)
        return says_it and seen.created_at >= since and seen.media == len(outgoing.media)

    if (found := listing.first(outgoing, is_it)) is not None:
        return found
    looks = int(progress.get("looks", 0)) + 1
    if looks > len(PAUSES):
        raise Unclear("{network} says that it is out, but does not list it.", network=NETWORK)
    pause = timedelta(seconds=PAUSES[looks - 1])
    return Pending(progress={**progress, "looks": looks}, not_before=(listing.network_now or datetime.now(UTC)) + pause)


def _words(text: str) -> str:
    return " ".join(text.split())


async def own_posts(wire: Wire, *, since: datetime) -> Listing:
    """The account's posts back to ``since``, newest first. Stories are not among them."""
    return await _listing(wire, f"/{wire.user}/media", since)


async def own_stories(wire: Wire) -> Listing:
    """Those of the last day."""
    return await _listing(wire, f"/{wire.user}/stories", None)


async def _listing(wire: Wire, path: str, since: datetime | None) -> Listing:
    seen: list[Media] = []
    network_now, after = None, ""
    for _ in range(MOST_PAGES):
        params = {"fields": MEDIA, "limit": str(PAGE), **({"after": after} if after else {})}
        answer = await wire.graph.get(path, params)
        page = parsed(answer, Edge[Media], network=NETWORK)
        network_now = network_now or answer.date
        seen += page.data
        after, oldest = page.after, min((one.timestamp for one in page.data if one.timestamp), default=None)
        if not after or (since is not None and oldest is not None and oldest < since):
            after = ""
            break
    moments = [one.timestamp for one in seen if one.timestamp]
    reaches = since or (min(moments) if moments else datetime.now(UTC))
    if after and moments:
        reaches = max(reaches, min(moments))
    rows = [_as_seen(one) for one in seen if one.timestamp and (since is None or one.timestamp >= since)]
    rows.sort(key=lambda row: row.created_at, reverse=True)
    return Listing(seen=tuple(rows), reaches_back_to=reaches, network_now=network_now)


def _as_seen(media: Media) -> Seen:
    assert media.timestamp is not None
    return Seen(
        remote_id=media.id,
        url=media.permalink or "",
        text=media.caption or "",
        media=len(media.children.data) if media.children else 1,
        created_at=media.timestamp,
        extra={"kind": "media"},
    )


async def fetch(wire: Wire, remote_id: str) -> Published:
    answer = await wire.graph.get(f"/{remote_id}", {"fields": "id,permalink,timestamp"}, addressed=True)
    media = parsed(answer, Media, network=NETWORK)
    return Published(
        remote_id=media.id, url=media.permalink or "", at=media.timestamp, extra={"kind": "media"}, answer=answer
    )


async def delete(wire: Wire, ref: Ref) -> None:
    """A comment with either login; a post only with Facebook's."""
    if ref.extra.get("kind") != "comment" and not wire.uploads:
        raise Refused(
            "{network} lets an app delete posts only when the account was connected through Facebook.", network=NETWORK
        )
    try:
        await wire.graph.do("DELETE", f"/{ref.remote_id}", addressed=True)
    except Gone:
        return


# Comments


async def comment(wire: Wire, outgoing: Outgoing, to: Ref) -> Published:
    """Under our own post, or an answer: to a comment, to somebody's post that names us, to a direct message.

    An answer to an answer stands beside it, as in the app.
    """
    if to.extra.get("kind") == "direct":
        return await _direct(wire, outgoing, str(to.extra.get("person", "")))
    text = outgoing.text
    top = str(to.extra.get("parent") or to.remote_id)
    match to.extra.get("kind", "media"):
        case "comment":
            path, fields, extra = f"/{top}/replies", {"message": text}, {"kind": "comment", "parent": top}
        case "mention":
            named = {"media_id": str(to.extra.get("media") or top), "message": text}
            named |= {"comment_id": str(to.extra["comment"])} if to.extra.get("comment") else {}
            path, fields, extra = f"/{wire.user}/mentions", named, {"kind": "comment"}
        case _:
            path, fields, extra = f"/{top}/comments", {"message": text}, {"kind": "comment"}
    answer = await wire.graph.publish(path, fields, addressed=True)
    return Published(remote_id=written(answer, Id, network=NETWORK).id, extra=extra, answer=answer)


async def hide(wire: Wire, ref: Ref, *, hidden: bool) -> None:
    await wire.graph.do("POST", f"/{ref.remote_id}", {"hide": hidden}, addressed=True)


async def _direct(wire: Wire, outgoing: Outgoing, person: str) -> Published:
    fields = {"recipient": {"id": person}, "message": {"text": outgoing.text}, **tagged(outgoing, wire.login.app)}
    answer = await wire.graph.publish(f"/{wire.messaging}/messages", fields)
    sent = written(answer, Sent, network=NETWORK)
    return Published(remote_id=sent.message_id, extra={"kind": "direct", "person": person}, answer=answer)


async def comment_found(wire: Wire, outgoing: Outgoing, to: Ref) -> Published | None:
    """Ours with the same words, under what it answers."""
    kind = to.extra.get("kind", "media")
    if kind not in ("comment", "media"):
        raise Unclear("{network} did not answer, and may have taken it.", network=NETWORK)
    edge = "replies" if kind == "comment" else "comments"
    fields = {"fields": "id,text,timestamp,username", "limit": str(PAGE)}
    path = f"/{to.extra.get('parent') or to.remote_id}/{edge}"

    async def turn(after: str) -> Page:
        answer = await wire.graph.get(path, {**fields, **({"after": after} if after else {})})
        there = parsed(answer, Edge[Comment], network=NETWORK)
        ours = tuple(_comment_seen(one) for one in there.data if one.username == wire.username)
        moments = tuple(one.timestamp for one in there.data if one.timestamp is not None)
        return Page(ours=ours, moments=moments, after=there.after, now=answer.date)

    return await comment_in_pages(turn, outgoing, network=NETWORK, shows_within=LOST_FOR)


def _comment_seen(one: Comment) -> Seen:
    return Seen(
        remote_id=one.id,
        url="",
        text=one.text or "",
        media=0,
        created_at=one.timestamp or datetime.max.replace(tzinfo=UTC),
        extra={"kind": "comment"},
    )
