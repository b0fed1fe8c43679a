"""Posts, threads, polls, answers, direct messages; deletions. Source: openapi 2.167, x-api/posts of docs.x.com.

X knows no key of ours. A second post of the same text is refused for a while, which protects but is not promised: after
a lost answer we look at the account's own posts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regie.networks.capabilities import Format
from regie.networks.data import Outgoing, Pending, Progress, Published, Ready, Ref
from regie.networks.errors import Gone, Refused
from regie.networks.line import Answer
from regie.networks.text import too_long_by
from regie.networks.x import limits, media
from regie.networks.x.entities import NewDirect, NewPost, OnePost, Post, Problem, Users
from regie.networks.x.wire import NETWORK, Wire, parsed, site_of, written


async def prepare(wire: Wire, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
    """Uploads the files, and finds out who the people in them are.

    progress: as in ``media.prepare``, and ``"people"``: ids
    """
    refuse_what_is_absent(wire, outgoing)
    if "people" not in progress and outgoing.pictures and (names := limits.people_in(outgoing.options)):
        progress = {**progress, "people": await _ids_of(wire, names)}
    return await media.prepare(wire, outgoing, progress)


async def _ids_of(wire: Wire, names: Sequence[str]) -> list[str]:
    found = parsed(await wire.get("/2/users/by", {"usernames": ",".join(names)}), Users).data
    ids = {user.username.lower(): user.id for user in found}
    if unknown := next((name for name in names if name.lower() not in ids), None):
        raise Refused("“{name}” is no username of {network}.", network=NETWORK, name=unknown)
    return [ids[name.lower()] for name in names]


def refuse_what_is_absent(wire: Wire, outgoing: Outgoing) -> None:
    """Nothing is left out in silence."""
    absent = outgoing.content_warning or outgoing.visibility or outgoing.documents
    if absent or outgoing.sounds or outgoing.format != Format.POST:
        raise Refused("{network} has no place for a part of this post.", network=NETWORK)
    can = limits.can_on(wire.login.limits)
    if is_direct(outgoing.reply_to):
        if outgoing.media or outgoing.poll:
            raise Refused("Direct messages on {network} are answered with text only from here.", network=NETWORK)
        return
    if over := too_long_by(outgoing.text, can.text):
        raise Refused("The text is too long for {network} by {over}.", network=NETWORK, over=over)
    if len(outgoing.media) > limits.PICTURES.most:
        raise Refused("{network} takes up to four pictures, or one video, or one animated GIF.", network=NETWORK)
    if outgoing.poll is not None and outgoing.media:
        raise Refused("{network} takes no pictures in a post with a poll.", network=NETWORK)


def is_direct(ref: Ref | None) -> bool:
    return ref is not None and ref.extra.get("kind") == "direct"


async def commit(wire: Wire, outgoing: Outgoing, progress: Progress) -> Published:
    """The one visible call."""
    to = outgoing.reply_to
    if to is not None and is_direct(to):
        path = f"/2/dm_conversations/{to.extra['conversation']}/messages"
        answer = await wire.publish(path, {"text": outgoing.text}, addressed=True)
        sent = written(answer, NewDirect).data
        return Published(remote_id=sent.dm_event_id, extra={"kind": "direct"}, at=answer.date, answer=answer)
    answer = await wire.publish("/2/tweets", fields_of(outgoing, progress), addressed=to is not None)
    post = written(answer, NewPost).data
    return Published(remote_id=post.id, url=address_of(wire, post.id), at=answer.date, answer=answer)


def address_of(wire: Wire, post_id: str) -> str:
    """Where anyone can see a post of ours. ``i`` stands for any name."""
    return f"{site_of(wire.server)}/{wire.login.limits.get('username') or 'i/web'}/status/{post_id}"


def fields_of(outgoing: Outgoing, progress: Progress) -> dict[str, Any]:
    """The body of a new post. Who may reply, and where it stands, is said by the first of a thread."""
    fields: dict[str, Any] = {"text": outgoing.text}
    if outgoing.media:
        fields["media"] = _media_of(outgoing, progress)
    if outgoing.poll is not None:
        fields["poll"] = _poll_of(outgoing)
    if outgoing.reply_to is not None:
        fields["reply"] = {"in_reply_to_tweet_id": outgoing.reply_to.remote_id}
    else:
        fields |= _standing_of(outgoing)
    for name in ("made_with_ai", "paid_partnership"):
        if outgoing.options.get(name):
            fields[name] = True
    return fields


def _media_of(outgoing: Outgoing, progress: Progress) -> dict[str, Any]:
    there = progress["media"]
    covers = [one["cover"]["id"] for one in there if "cover" in one]
    words = {name: outgoing.options[name] for name in ("title", "description") if outgoing.options.get(name)}
    return {
        **(words if outgoing.videos else {}),
        "media_ids": [one["id"] for one in there],
        **({"preview_media_id": covers[0]} if covers else {}),
        **({"tagged_user_ids": progress["people"]} if progress.get("people") else {}),
    }


def _standing_of(outgoing: Outgoing) -> dict[str, Any]:
    chosen = outgoing.options
    fields: dict[str, Any] = {}
    if settings := chosen.get("reply_settings"):
        fields["reply_settings"] = settings
    if place := chosen.get("place"):
        fields["geo"] = {"place_id": place}
    if community := chosen.get("community"):
        fields["community_id"] = community
        if chosen.get("share_with_followers"):
            fields["share_with_followers"] = True
    if quote := chosen.get("quote"):
        fields["quote_tweet_id"] = limits.status_in(str(quote))
        if fields["quote_tweet_id"] is None:
            raise Refused("The address of the post to quote is not one of {network}'s.", network=NETWORK)
    return fields


def _poll_of(outgoing: Outgoing) -> dict[str, Any]:
    poll = outgoing.poll
    assert poll is not None
    if poll.lasts is None:
        raise Refused("A poll on {network} needs to know how long it lasts.", network=NETWORK)
    if poll.multiple or poll.hide_totals or poll.correct is not None:
        raise Refused("A poll on {network} takes one answer, shows its counts and knows no right one.", network=NETWORK)
    return {"options": list(poll.options), "duration_minutes": int(poll.lasts.total_seconds() // 60)}


async def delete(wire: Wire, ref: Ref) -> None:
    path = f"/2/dm_events/{ref.remote_id}" if is_direct(ref) else f"/2/tweets/{ref.remote_id}"
    try:
        await wire.do("DELETE", path, addressed=True)
    except Gone:
        return


async def fetch(wire: Wire, remote_id: str) -> Published:
    asked = {"post.fields": "created_at"}
    answer = await wire.get(f"/2/tweets/{remote_id}", asked, addressed=True)
    found = parsed(answer, OnePost)
    post = found.data or not_shown(found.errors, answer)
    return Published(remote_id=post.id, url=address_of(wire, post.id), at=post.created_at, answer=answer)


def not_shown(errors: Sequence[Problem], answer: Answer) -> Post:
    """X says 200 of a post that is gone, with the reason beside the data that is missing."""
    if not errors:
        raise Refused(
            "{network} answered something that is not its API ({status}).", network=NETWORK, status=200, answer=answer
        )
    raise Gone("{network} no longer has it.", network=NETWORK, answer=answer)


async def hide(wire: Wire, ref: Ref, *, hidden: bool) -> None:
    await wire.do("PUT", f"/2/tweets/{ref.remote_id}/hidden", json={"hidden": hidden}, addressed=True)


async def like(wire: Wire, ref: Ref) -> None:
    await wire.do("POST", f"/2/users/{wire.me}/likes", json={"tweet_id": ref.remote_id})


async def unlike(wire: Wire, ref: Ref) -> None:
    await wire.do("DELETE", f"/2/users/{wire.me}/likes/{ref.remote_id}")
