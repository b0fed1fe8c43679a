"""Texts, links, pictures, galleries, videos, polls, comments. Source: the recordings of submit_*, reply, edit, delete.

A picture or a video alone is answered before there is a post: the next look finds it among the account's posts by the
id of its file.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from regie.networks.capabilities import Format
from regie.networks.data import Options, Outgoing, Pending, Picture, Poll, Progress, Published, Ready, Ref
from regie.networks.errors import Gone, Refused, Unclear
from regie.networks.line import Answer
from regie.networks.reddit import checks, files, modmail
from regie.networks.reddit.entities import Submitted, Thing, Things
from regie.networks.reddit.limits import CAN, CAPTION, LONGEST_COMMENT, NETWORK, community_of, one_of
from regie.networks.reddit.wire import PAGES, Wire, parsed, written

PAUSES = (3, 5, 10, 15, 30)  # seconds between looks for a post made of a file; the last one repeats
SHOWN_WITHIN = timedelta(hours=1)  # by then a file that was taken is a post, or never will be
LIMITED = {  # removed_by_category -> what it means for whoever looks
    "moderator": "Taken away by the community's moderators.",
    "automod_filtered": "Held back by the community's AutoModerator until a moderator approves it.",
    "reddit": "Held back by Reddit's spam filter until a moderator approves it.",
    "community_ops": "Taken away by Reddit.",
    "anti_evil_ops": "Taken away by Reddit for breaking its rules.",
    "content_takedown": "Taken away by Reddit for breaking its rules.",
    "copyright_takedown": "Taken away by Reddit: somebody claims its copyright.",
}


# Before the hour


async def prepare(wire: Wire, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
    """Asks what the community wants, and sends the files that are not there yet.

    progress: ``{"checked": true, "files": [{"asset": id, "url": address}, ...]}``.
    """
    refuse_what_is_absent(outgoing)
    if outgoing.reply_to is not None:
        return Ready(progress=progress)
    now: dict[str, Any] = {"checked": False, "files": [], **progress}
    now["files"] = list(now["files"])
    if not now["checked"]:
        await checks.must_be_welcome(wire, outgoing)
        now["checked"] = True
    try:
        await files.upload_rest(wire, outgoing, now["files"])
    except files.HalfWay as stopped:
        return Pending(progress=now, not_before=stopped.problem.not_before)
    return Ready(progress=now)


def refuse_what_is_absent(outgoing: Outgoing) -> None:
    """What Reddit does not have is refused, never dropped in silence."""
    if outgoing.content_warning or outgoing.sensitive:
        raise Refused("{network} has no content warnings: mark it as a spoiler, or as NSFW.", network=NETWORK)
    if outgoing.visibility not in ("", "public"):
        raise Refused("{network} does not have this visibility.", network=NETWORK)
    if outgoing.format is not Format.POST:
        raise Refused("{network} does not have this format.", network=NETWORK)
    if outgoing.reply_to is not None:
        if outgoing.media or outgoing.poll:
            raise Refused("A comment on {network} is a text.", network=NETWORK)
        if len(outgoing.text) > LONGEST_COMMENT:
            raise Refused(
                "A comment on {network} has at most {most} characters.", network=NETWORK, most=LONGEST_COMMENT
            )
        return
    if len(outgoing.text) > CAN.text.longest:
        raise Refused("The title or the text is too long for {network}.", network=NETWORK)
    for there, limit in ((outgoing.pictures, CAN.images), (outgoing.videos, CAN.video)):
        if limit is not None and len(there) > limit.most:
            raise Refused("{network} takes at most {most} pictures and videos here.", network=NETWORK, most=limit.most)
    if bool(outgoing.options.get("link")) + bool(outgoing.pictures) + bool(outgoing.videos) + bool(outgoing.poll) > 1:
        raise one_of()
    if outgoing.options.get("captions") and any(len(one.alt.strip()) > CAPTION for one in outgoing.pictures):
        raise Refused("A caption on {network} has at most {most} characters.", network=NETWORK, most=CAPTION)
    if not outgoing.options.get("title"):
        raise Refused("Something is missing: a post on {network} needs a title, a comment a text.", network=NETWORK)
    if outgoing.poll is not None:
        _days(outgoing.poll)


def _days(poll: Poll) -> int:
    """How long a poll is open: whole days."""
    limit = CAN.poll
    assert limit is not None
    if not limit.fewest_options <= len(poll.options) <= limit.most_options:
        raise Refused("A poll on {network} has 2 to 6 answers.", network=NETWORK)
    days, rest = divmod(poll.lasts or timedelta(0), timedelta(days=1))
    if rest or not 1 <= days <= 7:
        raise Refused("A poll on {network} lasts whole days, from 1 to 7.", network=NETWORK)
    if poll.multiple or poll.hide_totals or poll.correct is not None:
        raise Refused("A poll on {network} takes one answer, and no answer of it is right.", network=NETWORK)
    return days


# The visible call


async def commit(wire: Wire, outgoing: Outgoing, progress: Progress) -> Published | Pending:
    refuse_what_is_absent(outgoing)
    if outgoing.reply_to is not None:
        return await comment(wire, outgoing.reply_to, outgoing.text)
    if "taken_at" in progress:
        return await _made_of(wire, progress)
    path, fields, as_json = submission_of(outgoing, progress["files"])
    said, answer = await wire.publish(path, fields, as_json=as_json)
    if name := name_of(said):
        return Published(remote_id=name, url=said.url, at=answer.date, answer=answer)
    if said.websocket_url or said.user_submitted_page:
        taken_at = answer.now
        told = {**progress, "taken_at": taken_at.isoformat(), "looks": 0}
        return Pending(progress=told, not_before=taken_at + timedelta(seconds=PAUSES[0]))
    raise Unclear("{network} answered something we cannot read, and may have taken it.", network=NETWORK, answer=answer)


def submission_of(outgoing: Outgoing, there: list[dict[str, str]]) -> tuple[str, dict[str, Any], bool]:
    """Path and fields, and whether they go as JSON: galleries and polls have calls of their own."""
    chosen = outgoing.options
    fields: dict[str, Any] = {
        "sr": community_of(str(chosen.get("community") or "")),
        "title": str(chosen["title"]),
        "nsfw": bool(chosen.get("nsfw")),
        "spoiler": bool(chosen.get("spoiler")),
        "sendreplies": bool(chosen.get("send_replies", True)),
        "resubmit": True,
        "validate_on_submit": True,
    }
    if chosen.get("flair"):
        fields["flair_id"] = str(chosen["flair"])
    if outgoing.poll is not None:
        fields |= {"text": outgoing.text, "options": list(outgoing.poll.options), "duration": _days(outgoing.poll)}
        return "/api/submit_poll_post", fields, True
    if len(outgoing.pictures) > 1:
        below = [_below(picture, outgoing.options) for picture in sorted(outgoing.pictures, key=lambda one: one.place)]
        items = [{"media_id": one["asset"], **words} for one, words in zip(there, below, strict=True)]
        fields |= {"api_type": "json", "show_error_list": True, "items": items}
        return "/api/submit_gallery_post.json", fields | ({"text": outgoing.text} if outgoing.text else {}), True
    fields = {name: str(value).lower() if isinstance(value, bool) else value for name, value in fields.items()}
    return "/api/submit", {**fields, **_kind_of(outgoing, there)}, False


def _below(picture: Picture, chosen: Options) -> dict[str, str]:
    """What stands below a picture of a gallery."""
    caption = picture.alt.strip() if chosen.get("captions") else ""
    return {"caption": caption, "outbound_url": str(chosen.get("outbound") or "")}


def _kind_of(outgoing: Outgoing, there: list[dict[str, str]]) -> dict[str, str]:
    text = {"text": outgoing.text} if outgoing.text else {}
    if outgoing.pictures:
        return {"kind": "image", "url": there[0]["url"], **text}
    if outgoing.videos:
        return {"kind": "video", "url": there[0]["url"], "video_poster_url": there[1]["url"], **text}
    if link := outgoing.options.get("link"):
        return {"kind": "link", "url": str(link), **text}
    return {"kind": "self", "text": outgoing.text}


def name_of(said: Submitted) -> str:
    """The new post's full name. Galleries and polls say it as their id."""
    return said.name or (said.id if said.id.startswith("t3_") or not said.id else f"t3_{said.id}")


async def _made_of(wire: Wire, progress: Progress) -> Published | Pending:
    """The post that Reddit made of the file, once it shows."""
    asset, taken_at = progress["files"][0]["asset"], datetime.fromisoformat(progress["taken_at"])
    answer = await wire.get(f"/user/{await wire.username()}/submitted", {"limit": "25", "sort": "new"})
    for child in parsed(answer, Things).data.children:
        if asset in (child.data.url or ""):
            return published(child.data, answer=answer)
    now = answer.now
    if now > taken_at + SHOWN_WITHIN:
        raise Refused(
            "{network} took the file and made no post of it within an hour: look there before sending it again.",
            network=NETWORK,
            answer=answer,
        )
    looks = int(progress.get("looks", 0)) + 1
    pause = PAUSES[min(looks, len(PAUSES) - 1)]
    return Pending(progress={**progress, "looks": looks}, not_before=now + timedelta(seconds=pause))


# What is out


async def thing(wire: Wire, name: str) -> Thing | None:
    """A post or comment by its full name; None when it is not there, or was deleted."""
    found = parsed(await wire.get("/api/info", {"id": name}), Things).data.children
    one = found[0].data if found else None
    return None if one is None or is_gone(one) else one


def is_gone(one: Thing) -> bool:
    return one.removed_by_category == "deleted" or one.author in (None, "[deleted]")


def published(one: Thing, *, url: str = "", answer: Answer | None = None) -> Published:
    limited = LIMITED.get(one.removed_by_category or "", "")
    return Published(
        remote_id=one.name,
        url=address_of(one) or url,
        at=one.created_utc,
        extra=extra_of(one),
        answer=answer,
        limited=limited or ("Taken away by Reddit." if one.removed_by_category else ""),
    )


def address_of(one: Thing) -> str:
    return f"{PAGES}{one.permalink}" if one.permalink else ""


def extra_of(one: Thing) -> dict[str, Any]:
    return {"community": one.subreddit} if one.subreddit else {}


async def fetch(wire: Wire, remote_id: str) -> Published:
    found = await thing(wire, remote_id)
    if found is None:
        raise Gone("{network} no longer has it.", network=NETWORK)
    return published(found)


async def edit(wire: Wire, ref: Ref, outgoing: Outgoing) -> Published:
    """Only a text can be changed, and only where there is one: not the title, not a link."""
    found = await thing(wire, ref.remote_id)
    if found is None:
        raise Gone("{network} no longer has it.", network=NETWORK)
    title = str(outgoing.options.get("title") or "")
    if title and found.title and " ".join(title.split()) != " ".join(found.title.split()):
        raise Refused("{network} does not let a title be changed.", network=NETWORK)
    if outgoing.poll is not None:
        raise Refused("{network} does not let a poll be changed.", network=NETWORK)
    answer = await wire.do("/api/editusertext", {"thing_id": ref.remote_id, "text": outgoing.text}, addressed=True)
    changed = next((child.data for child in written(answer).things), found)
    return published(changed, url=address_of(found), answer=answer)


async def delete(wire: Wire, ref: Ref) -> None:
    """Reddit says yes to what is gone already, too."""
    if not ref.remote_id.startswith(("t1_", "t3_")):
        raise Refused("A message that was sent on {network} cannot be taken back.", network=NETWORK)
    with suppress(Gone):
        await wire.do("/api/del", {"id": ref.remote_id}, addressed=True)


# Answers


async def comment(wire: Wire, to: Ref, text: str) -> Published:
    """Under a post or a comment, or an answer to a message: Reddit knows by the full name. Modmail is apart."""
    if to.extra.get("kind") == "modmail":
        return await modmail.answer(wire, to.extra, text)
    said, answer = await wire.publish("/api/comment", {"thing_id": to.remote_id, "text": text})
    if not said.things or not said.things[0].data.name:
        raise Unclear(
            "{network} answered something we cannot read, and may have taken it.", network=NETWORK, answer=answer
        )
    return published(said.things[0].data, answer=answer)


async def vote(wire: Wire, ref: Ref, *, up: bool) -> None:
    """Reddit's rules: only when a person clicks, one vote for one click."""
    if not ref.remote_id.startswith(("t1_", "t3_")):
        raise Refused("A private message on {network} takes no likes.", network=NETWORK)
    await wire.do("/api/vote", {"id": ref.remote_id, "dir": "1" if up else "0"}, addressed=True)


async def hide(wire: Wire, ref: Ref, *, hidden: bool) -> None:
    """As a moderator of its community."""
    if not ref.remote_id.startswith(("t1_", "t3_")):
        raise Refused("A private message on {network} cannot be hidden.", network=NETWORK)
    fields: Mapping[str, str] = {"id": ref.remote_id, **({"spam": "false"} if hidden else {})}
    await wire.do("/api/remove" if hidden else "/api/approve", fields, addressed=True)
