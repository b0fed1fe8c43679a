"""Posts, threads, files, polls; edits and deletions. Source: docs.joinmastodon.org/methods/statuses and media."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import aiohttp

from regie.networks.data import Outgoing, Pending, Picture, Progress, Published, Ready, Ref, Sound, Video
from regie.networks.errors import Gone, Refused
from regie.networks.line import Answer
from regie.networks.mastodon.entities import Media, Status
from regie.networks.mastodon.wire import NETWORK, Wire, must_be_fine, parsed, written

File = Picture | Video | Sound


async def prepare(wire: Wire, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
    """Upload what is not there yet, and wait until the server is done with it.

    progress: ``{"media": [{"id": "...", "ready": true}, ...]}``, one for each file uploaded so far, in order.
    """
    files = files_of(outgoing)
    media = [dict(one) for one in progress.get("media", ())]
    media += [await _upload(wire, file) for file in files[len(media) :]]
    for one, file in zip(media, files, strict=True):
        if not one["ready"]:
            one.update(await _look_at(wire, one["id"], file))
    progress = {"media": media}
    return Ready(progress=progress) if all(one["ready"] for one in media) else Pending(progress=progress)


def files_of(outgoing: Outgoing) -> list[File]:
    """All files in the order of the post."""
    files: list[File] = [*outgoing.pictures, *outgoing.videos, *outgoing.sounds]
    return sorted(files, key=lambda file: file.place)


async def _upload(wire: Wire, file: File) -> dict[str, Any]:
    answer = await _sent(wire, "/api/v2/media", file)
    if answer.status == 404:  # servers that stopped at version 1
        answer = await _sent(wire, "/api/v1/media", file)
    must_be_fine(answer)
    return {"id": parsed(answer, Media).id, "ready": answer.status == 200}  # 202: still working on it


async def _sent(wire: Wire, path: str, file: File) -> Answer:
    with ExitStack() as opened:  # read as it goes: a video can be 99 MB; closed however the request ends
        return await wire.tell(path, method="POST", data=_form(file, opened))


def _form(file: File, opened: ExitStack) -> aiohttp.FormData:
    form = aiohttp.FormData()
    source = opened.enter_context(file.path.open("rb"))
    form.add_field("file", source, filename=file.path.name, content_type=file.content_type)
    if description := file.title if isinstance(file, Sound) else file.alt:
        form.add_field("description", description)
    if isinstance(file, Picture) and file.focus:
        form.add_field("focus", f"{file.focus[0]:.4f},{file.focus[1]:.4f}")
    if isinstance(file, Video) and file.cover is not None:
        cover = opened.enter_context(file.cover.path.open("rb"))
        form.add_field("thumbnail", cover, filename=file.cover.path.name, content_type=file.cover.content_type)
    return form


async def _look_at(wire: Wire, media_id: str, file: File) -> dict[str, Any]:
    answer = await wire.tell(f"/api/v1/media/{media_id}")
    if answer.status == 404:  # forgotten by the server, as it forgets what no post used
        return await _upload(wire, file)
    if answer.status == 422:  # its conversion failed there
        raise Refused("{network} could not read the video: export it as MP4 (H.264).", network=NETWORK, answer=answer)
    must_be_fine(answer)
    return {"ready": answer.status == 200}  # 206: still working on it


async def commit(wire: Wire, outgoing: Outgoing, progress: Progress) -> Published:
    """The one visible call."""
    answer = await wire.publish(
        "POST",
        "/api/v1/statuses",
        key=outgoing.key,
        repeatable=still_repeatable(outgoing),
        fields=fields_of(outgoing, progress),
        addressed=outgoing.reply_to is not None,
    )
    return _published(answer)


def still_repeatable(outgoing: Outgoing) -> bool:
    return outgoing.repeat_until is not None and datetime.now(UTC) < outgoing.repeat_until


def fields_of(outgoing: Outgoing, progress: Progress) -> dict[str, Any]:
    """The body of a new status."""
    fields: dict[str, Any] = {"status": text_as_sent(outgoing)}
    if files_of(outgoing):
        fields["media_ids"] = [one["id"] for one in progress["media"]]
    if outgoing.reply_to is not None:
        fields["in_reply_to_id"] = outgoing.reply_to.remote_id
    if outgoing.visibility:
        fields["visibility"] = outgoing.visibility
    if outgoing.language:
        fields["language"] = outgoing.language
    if outgoing.content_warning:
        fields["spoiler_text"] = outgoing.content_warning
    if outgoing.sensitive:
        fields["sensitive"] = True
    if outgoing.poll is not None:
        fields["poll"] = _poll_of(outgoing)
    return fields


def _poll_of(outgoing: Outgoing) -> dict[str, Any]:
    poll = outgoing.poll
    assert poll is not None
    if poll.lasts is None:
        raise Refused("A poll on {network} needs to know how long it lasts.", network=NETWORK)
    return {
        "options": list(poll.options),
        "expires_in": int(poll.lasts.total_seconds()),
        "multiple": poll.multiple,
        "hide_totals": poll.hide_totals,
    }


def text_as_sent(outgoing: Outgoing) -> str:
    """An answer names whom it answers, as only those named are told of it."""
    acct = str(outgoing.reply_to.extra.get("acct", "")) if outgoing.reply_to is not None else ""
    if not acct or f"@{acct}".lower() in outgoing.text.lower():
        return outgoing.text
    return f"@{acct} {outgoing.text}"


async def edit(wire: Wire, ref: Ref, outgoing: Outgoing, progress: Progress) -> Published:
    """Change a post in place. The same change again changes nothing, so it is safe to repeat."""
    fields = fields_of(outgoing, progress)
    for fixed in ("visibility", "in_reply_to_id"):  # a server keeps these as they were
        fields.pop(fixed, None)
    fields.setdefault("spoiler_text", "")  # what is not said again would stay
    fields.setdefault("sensitive", outgoing.sensitive)
    answer = await wire.publish(
        "PUT", f"/api/v1/statuses/{ref.remote_id}", key="", repeatable=True, fields=fields, addressed=True
    )
    return _published(answer)


async def delete(wire: Wire, ref: Ref) -> None:
    """404 is done, unless the post is still there: then this server has no such call (snac)."""
    path = f"/api/v1/statuses/{ref.remote_id}"
    try:
        await wire.send("DELETE", path, addressed=True)
    except Gone:
        try:
            await wire.get(path, addressed=True)
        except Gone:
            return
        raise Refused("This server offers no way to delete a post from outside; delete it there.") from None


async def fetch(wire: Wire, remote_id: str) -> Published:
    answer = await wire.get(f"/api/v1/statuses/{remote_id}", addressed=True)
    return as_published(parsed(answer, Status), answer)


def _published(answer: Answer) -> Published:
    return as_published(written(answer, Status), answer)


def as_published(status: Status, answer: Answer) -> Published:
    return Published(
        remote_id=status.id, url=status.url or status.uri or "", at=status.created_at, extra={}, answer=answer
    )
