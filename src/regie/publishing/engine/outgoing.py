"""From a step to what a connector takes, and the fingerprint of exactly that."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from regie.core.threads import in_thread
from regie.media.models import File
from regie.media.services import rendition_for
from regie.networks.capabilities import Capabilities, ImageLimit
from regie.networks.data import Outgoing, Picture, Poll
from regie.networks.errors import Refused
from regie.publishing.engine.work import Delivery, Speaker, Step, repeat_until

PLANNED = "planned_at"  # in a step's progress, beside what the connector keeps there


async def outgoing_for(speaker: Speaker, delivery: Delivery, step: Step, now: datetime) -> Outgoing:
    """Everything of a step, its pictures made to fit. Raises Refused when a picture cannot be."""
    pictures = await _pictures(step, speaker.can) if step.content.get("media") else ()
    outgoing = outgoing_of(speaker, delivery, step, now)
    return replace(outgoing, pictures=pictures) if pictures else outgoing


def outgoing_of(speaker: Speaker, delivery: Delivery, step: Step, now: datetime) -> Outgoing:
    """The same without its pictures."""
    content = step.content
    return Outgoing(
        key=step.key,
        text=content.get("text", ""),
        planned_at=planned_at(delivery, step, now),
        content_warning=content.get("content_warning", ""),
        sensitive=content.get("sensitive", False),
        poll=_poll(content["poll"]) if content.get("poll") else None,
        language=content.get("language", ""),
        visibility=content.get("visibility", ""),
        reply_to=delivery.answers(step),
        repeat_until=repeat_until(speaker.can, step.first_at, now),
    )


def planned_at(delivery: Delivery, step: Step, now: datetime) -> datetime:
    """The creation time a network may be told, from which it may also know a repeat again (Bluesky).

    The moment we speak, a little later for each part of a thread so that their order is plain. Once an attempt may
    have been done, the moment of that attempt for ever, also when somebody moves the delivery meanwhile.
    """
    if step.first_at is not None and PLANNED in step.progress:
        return datetime.fromisoformat(step.progress[PLANNED])
    return max(delivery.due_at, now) + timedelta(milliseconds=step.position)


def _poll(poll: dict[str, Any]) -> Poll:
    return Poll(
        options=tuple(poll["options"]),
        lasts=timedelta(minutes=poll["minutes"]) if poll.get("minutes") else None,
        multiple=poll.get("multiple", False),
        hide_totals=poll.get("hide_totals", False),
        question=poll.get("question", ""),
    )


async def _pictures(step: Step, can: Capabilities) -> tuple[Picture, ...]:
    if can.images is None:
        raise Refused("This network takes no pictures here.")
    return await in_thread(_make_pictures, step.content["media"], can.images)


def _make_pictures(uses: list[dict[str, Any]], limits: ImageLimit) -> tuple[Picture, ...]:
    files = File.objects.in_bulk([use["file"] for use in uses])
    return tuple(_picture(files.get(use["file"]), use.get("alt"), limits) for use in uses)


def _picture(file: File | None, alt: str | None, limits: ImageLimit) -> Picture:
    if file is None:
        raise Refused("A picture is no longer there: take it out or choose another.")
    made = rendition_for(file, limits)
    return Picture(
        path=Path(made.file.path),
        content_type=made.content_type,
        width=made.width,
        height=made.height,
        size=made.size,
        alt=file.alt if alt is None else alt,
        focus=(file.focus_x, file.focus_y) if file.focus_x or file.focus_y else None,
    )


def fingerprint(outgoing: Outgoing) -> str:
    """SHA-256 of what is said and to whom it answers; not of how long a repeat is safe, nor of where files can be
    fetched, which move with the hour."""
    said = {name: getattr(outgoing, name) for name in outgoing.__dataclass_fields__ if name != "repeat_until"}
    said["reply_to"] = outgoing.reply_to.remote_id if outgoing.reply_to else ""
    said["pictures"] = [asdict(replace(picture, public_url="")) for picture in outgoing.pictures]
    said["videos"] = [asdict(replace(video, public_url="")) for video in outgoing.videos]
    said["poll"] = asdict(outgoing.poll) if outgoing.poll else None
    return hashlib.sha256(json.dumps(said, default=str, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
