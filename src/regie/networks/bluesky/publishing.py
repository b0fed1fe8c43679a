"""Posts out, and taken away again.

The record key is made from our own key and the planned moment, so the post has its address before it is sent.
``putRecord`` with ``swapRecord: null`` writes it when nothing is there, answers the same receipt when the same record
is there already, and refuses (InvalidSwap) when another one is: asking again is safe for ever. ``createRecord`` would
do for the first try, but answers a repeat with 500 (tried on PDS 0.4.217).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from regie.networks.bluesky import beside, videos
from regie.networks.bluesky.facets import facets_of, found_in
from regie.networks.bluesky.models import PostRecord, Resolved, Written
from regie.networks.bluesky.tid import tid_for
from regie.networks.bluesky.wire import NETWORK, POST, Xrpc, error_name, parsed, parts_of, record_at
from regie.networks.data import Draft, Outgoing, Pending, Picture, Progress, Published, Ready, Ref
from regie.networks.errors import Gone, Refused, SignInAgain, TryLater
from regie.networks.line import Answer

MOST_IMAGES = 4  # of app.bsky.embed.images; more are a gallery
MOST_IN_GALLERY = 10  # the vendor's own app stops there; the lexicon allows twenty


async def prepare(xrpc: Xrpc, outgoing: Outgoing, progress: Progress, *, video: str) -> Ready | Pending:
    """Files uploaded, mentions resolved, the thread's addresses known: the whole record, ready to be written.

    video: the address of the video service, which takes its time with a video
    """
    _only_what_there_is(outgoing)
    if outgoing.videos:
        handed = await videos.handed_over(xrpc, outgoing.videos[0], outgoing.key, progress, service=video)
        if isinstance(handed, Pending):
            return handed
        progress = handed
    record: dict[str, Any] = {
        "$type": POST,
        "text": outgoing.text,
        "createdAt": _moment(outgoing.planned_at),
        **beside.fields_of(outgoing.options),
    }
    if facets := facets_of(outgoing.text, await _dids(xrpc, outgoing.text)):
        record["facets"] = facets
    if outgoing.language:
        record["langs"] = [outgoing.language]
    if outgoing.reply_to is not None:
        record["reply"] = await reply_refs(xrpc, outgoing.reply_to)
    if embed := await beside.with_quote(xrpc, outgoing.options, await _shown(xrpc, outgoing, progress)):
        record["embed"] = embed
    return Ready(progress={**progress, "record": record})


async def _shown(xrpc: Xrpc, outgoing: Outgoing, progress: Progress) -> dict[str, Any] | None:
    """The card of a link, the pictures or the video."""
    if outgoing.options.get("link"):
        return await beside.card(xrpc, outgoing)
    if outgoing.videos:
        return await videos.embedded(xrpc, outgoing.videos[0], progress["blob"])
    images = [await _image(xrpc, picture) for picture in outgoing.pictures]
    if len(images) > MOST_IMAGES:
        items = [{"$type": "app.bsky.embed.gallery#image", **image} for image in images]
        return {"$type": "app.bsky.embed.gallery", "items": items}
    return {"$type": "app.bsky.embed.images", "images": images} if images else None


def _only_what_there_is(outgoing: Outgoing) -> None:
    if outgoing.poll is not None:
        raise Refused("{network} has no polls.", network=NETWORK)
    if outgoing.content_warning:
        raise Refused("{network} has no content warnings in words.", network=NETWORK)
    if outgoing.sensitive:
        raise Refused("{network} has no general mark for sensitive pictures.", network=NETWORK)
    if outgoing.visibility:
        raise Refused("{network} has no choice of who can see a post.", network=NETWORK)
    if len(outgoing.videos) > 1 or (outgoing.videos and outgoing.pictures):
        raise Refused("{network} takes one video in a post, and no pictures beside it.", network=NETWORK)
    if len(outgoing.pictures) > MOST_IN_GALLERY:
        raise Refused("{network} takes at most {most} of these in a post.", network=NETWORK, most=MOST_IN_GALLERY)
    draft = Draft(
        text=outgoing.text,
        options=outgoing.options,
        pictures=len(outgoing.pictures),
        videos=len(outgoing.videos),
    )
    for objection in beside.objections(draft):
        raise objection


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def _dids(xrpc: Xrpc, text: str) -> Mapping[str, str]:
    """Handle -> DID of those mentioned. A handle that nobody has is plain text, as in the vendor's own app."""
    dids = {}
    for handle in dict.fromkeys(one.value for one in found_in(text) if one.kind == "mention"):
        try:
            answer = await xrpc.query("com.atproto.identity.resolveHandle", {"handle": handle})
        except Refused:
            continue
        dids[handle] = parsed(Resolved, answer).did
    return dids


async def _image(xrpc: Xrpc, picture: Picture) -> dict[str, Any]:
    return {
        "alt": picture.alt,
        "image": await xrpc.blob(picture.path, picture.content_type),
        "aspectRatio": {"width": picture.width, "height": picture.height},
    }


async def reply_refs(xrpc: Xrpc, ref: Ref) -> dict[str, Any]:
    """Parent and root as strong references; asks the network for what the caller does not know."""
    root = ref.extra.get("root")
    if "cid" not in ref.extra:
        kept = await record_at(xrpc, ref.remote_id)
        parent = {"uri": kept.uri, "cid": kept.cid}
        reply = PostRecord.model_validate(kept.value).reply
        root = reply.root.model_dump() if reply else parent
    else:
        parent = {"uri": ref.remote_id, "cid": str(ref.extra["cid"])}
    if root is None and ref.root_id and ref.root_id != ref.remote_id and "cid" in ref.root_extra:
        root = {"uri": ref.root_id, "cid": str(ref.root_extra["cid"])}
    return {"root": root or parent, "parent": parent}


async def strong_ref(xrpc: Xrpc, ref: Ref) -> dict[str, str]:
    if "cid" in ref.extra:
        return {"uri": ref.remote_id, "cid": str(ref.extra["cid"])}
    kept = await record_at(xrpc, ref.remote_id)
    return {"uri": kept.uri, "cid": kept.cid}


async def commit(xrpc: Xrpc, outgoing: Outgoing, progress: Progress, *, web: str, video: str = "") -> Published:
    """The one visible call. Source: lexicon com.atproto.repo.putRecord; behaviour tried on PDS 0.4.217."""
    if not xrpc.did:
        raise SignInAgain("{network} asks you to connect this account again.", network=NETWORK)
    record = progress.get("record")
    if record is None or record.get("text") != outgoing.text:
        record = await _record_now(xrpc, outgoing, progress, video=video)
    record = {**record, "createdAt": _moment(outgoing.planned_at)}  # it may have been moved since it was prepared
    await beside.close_gates(xrpc, outgoing.options, _own_uri(xrpc, outgoing), created_at=record["createdAt"])
    try:
        answer = await _put(xrpc, outgoing, record)
    except Refused as refused:
        match error_name(refused):
            case "InvalidSwap":
                return await _already_there(xrpc, outgoing, record, refused, web=web)
            case "BlobNotFound" if outgoing.media:
                # Servers throw away files that no post uses for a while. Nothing was written: upload them again.
                record = await _record_now(xrpc, outgoing, {}, video=video)
                answer = await _put(xrpc, outgoing, record)
            case _:
                raise
    written = parsed(Written, answer, written="later" if still_repeatable(outgoing) else "unclear")
    return published(written.uri, written.cid, record, web=web, answer=answer)


async def _record_now(xrpc: Xrpc, outgoing: Outgoing, progress: Progress, *, video: str) -> dict[str, Any]:
    """The record, prepared again at the hour. A video takes its time: what was handed over is known again then."""
    ready = await prepare(xrpc, outgoing, progress, video=video)
    if isinstance(ready, Pending):
        raise TryLater("{network} is still preparing the video.", network=NETWORK, not_before=ready.not_before)
    record: dict[str, Any] = ready.progress["record"]
    return record


async def _put(xrpc: Xrpc, outgoing: Outgoing, record: Mapping[str, Any]) -> Answer:
    return await xrpc.procedure(
        "com.atproto.repo.putRecord",
        repeatable=still_repeatable(outgoing),
        json={
            "repo": xrpc.did,
            "collection": POST,
            "rkey": tid_for(outgoing.key, outgoing.planned_at),
            "swapRecord": None,  # only when nothing is there yet
            "record": record,
        },
    )


def still_repeatable(outgoing: Outgoing) -> bool:
    return outgoing.repeat_until is not None and outgoing.repeat_until > datetime.now(UTC)


async def _already_there(
    xrpc: Xrpc, outgoing: Outgoing, record: Mapping[str, Any], refused: Refused, *, web: str
) -> Published:
    """Something stands under our key: ours from an earlier try, written a little differently (a picture uploaded
    again, a mention resolved since), or something else."""
    try:
        kept = await record_at(xrpc, _own_uri(xrpc, outgoing))
    except Gone:
        raise refused from None
    there, ours = PostRecord.model_validate(kept.value), PostRecord.model_validate(record)
    if (there.text, there.reply, pictures_in(there)) != (ours.text, ours.reply, pictures_in(ours)):
        raise Refused("{network} already holds another post at this place.", network=NETWORK, answer=refused.answer)
    return published(kept.uri, kept.cid, kept.value, web=web, answer=refused.answer)


def _own_uri(xrpc: Xrpc, outgoing: Outgoing) -> str:
    return f"at://{xrpc.did}/{POST}/{tid_for(outgoing.key, outgoing.planned_at)}"


def pictures_in(record: PostRecord) -> int:
    """Its pictures, its video, or the picture on the card of its link."""
    embed = record.embed.get("media", record.embed)
    if not isinstance(embed, dict):
        return 0
    images = embed.get("images", embed.get("items"))
    if isinstance(images, list):
        return len(images)
    external = embed.get("external")
    return int("video" in embed or (isinstance(external, dict) and "thumb" in external))


def published(uri: str, cid: str, value: Mapping[str, Any], *, web: str, answer: Answer | None = None) -> Published:
    record = PostRecord.model_validate(value)
    extra: dict[str, Any] = {"cid": cid}
    if record.reply is not None:
        extra["root"] = record.reply.root.model_dump()
    return Published(remote_id=uri, url=permalink(uri, web=web), at=record.created_at, extra=extra, answer=answer)


def permalink(uri: str, *, web: str) -> str:
    did, _, rkey = parts_of(uri)
    return f"{web}/profile/{did}/post/{rkey}"


async def fetch(xrpc: Xrpc, remote_id: str, *, web: str) -> Published:
    kept = await record_at(xrpc, remote_id)
    return published(kept.uri, kept.cid, kept.value, web=web)


async def comment_found(xrpc: Xrpc, outgoing: Outgoing, *, web: str) -> Published | None:
    """The answer to our own post that stands under the key of ``outgoing``. The account's server tells at once."""
    try:
        return await fetch(xrpc, _own_uri(xrpc, outgoing), web=web)
    except Gone:
        return None


async def delete(xrpc: Xrpc, uri: str) -> None:
    """Takes a record of ours away; one that is not there is fine with the server."""
    did, collection, rkey = parts_of(uri)
    if did != xrpc.did:
        raise Refused("{network} lets an account delete only what it wrote itself.", network=NETWORK)
    await xrpc.procedure(
        "com.atproto.repo.deleteRecord", repeatable=True, json={"repo": did, "collection": collection, "rkey": rkey}
    )
