"""Texts, pictures, videos, carousels, polls, threads: containers first, then the one visible call. Source: posts guide.

A container is invisible, works for 24 hours and can be published once. Its id is saved before anything is published, so
after a lost answer the container itself says what became of it. Answers are made the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from regie.networks.capabilities import Choice, Format
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
from regie.networks.finding import comment_among, since_of
from regie.networks.line import Answer
from regie.networks.meta.entities import Edge
from regie.networks.meta.wire import Id, parsed, written
from regie.networks.text import too_long_by
from regie.networks.threads import limits
from regie.networks.threads.entities import Container, Place, Post
from regie.networks.threads.wire import NETWORK, Wire

PAUSES = (3, 5, 10, 15, 30)  # seconds between looks at a container; the last one repeats
MOST_LOOKS = 60  # about half an hour
LOST_FOR = timedelta(minutes=1)  # after this a publishing call whose answer was lost is no longer under way
PAGE = 50
MOST_PAGES = 20
LONGEST_NAME = 60  # characters of a post in a list to choose from
POST = "id,text,permalink,timestamp,media_type,children{id},is_reply,replied_to"


# Before the hour


async def prepare(wire: Wire, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
    """Makes the containers that are not there yet, and waits until Threads is done with them.

    progress: ``{"children": [container id, ...], "container": id, "looks": n}``.
    """
    refuse_what_is_absent(outgoing)
    now: dict[str, Any] = {"children": [], "looks": 0, **progress}
    if not now.get("container"):
        items = outgoing.media
        if len(items) > 1:
            now["children"] = list(now["children"])
            for item in items[len(now["children"]) :]:
                now["children"].append(await _create(wire, {**_file(item), "is_carousel_item": True}))
            if (waiting := await _settle(wire, now["children"], now)) is not None:
                return waiting
        now["container"] = await _create(wire, container_of(outgoing, now["children"]))
    waiting = await _settle(wire, [now["container"]], now)
    return waiting or Ready(progress={**now, "looks": 0})


def refuse_what_is_absent(outgoing: Outgoing) -> None:
    """What Threads does not have is refused, never dropped in silence."""
    if outgoing.content_warning:
        raise Refused("{network} has no content warnings.", network=NETWORK)
    if outgoing.visibility not in ("", "public"):
        raise Refused("{network} does not have this visibility.", network=NETWORK)
    if outgoing.format is not Format.POST:
        raise Refused("{network} does not have this format.", network=NETWORK)
    if len(outgoing.media) > limits.CAROUSEL:
        raise Refused("{network} takes at most {most} pictures and videos here.", network=NETWORK, most=limits.CAROUSEL)
    if too_long_by(outgoing.text, limits.CAN.text):
        raise Refused("The text is too long for {network}.", network=NETWORK)
    if not outgoing.media and not outgoing.text.strip() and not outgoing.options.get("link"):
        raise Refused("A post on {network} needs a text, a picture or a video.", network=NETWORK)
    draft = Draft(
        text=outgoing.text,
        options=outgoing.options,
        pictures=len(outgoing.pictures),
        videos=len(outgoing.videos),
        poll=outgoing.poll is not None,
    )
    for objection in limits.objections(draft):
        raise objection
    _poll_of(outgoing)


def _poll_of(outgoing: Outgoing) -> dict[str, str]:
    """The answers under the letters that Threads gives them. A poll is open for a day."""
    poll, limit = outgoing.poll, limits.CAN.poll
    if poll is None or limit is None:
        return {}
    if not limit.fewest_options <= len(poll.options) <= limit.most_options:
        raise Refused("A poll on {network} has 2 to 4 answers.", network=NETWORK)
    if poll.lasts not in (None, limit.longest):
        raise Refused("A poll on {network} is open for one day.", network=NETWORK)
    if poll.multiple or poll.hide_totals or poll.correct is not None:
        raise Refused("A poll on {network} takes one answer, and no answer of it is right.", network=NETWORK)
    return {f"option_{letter}": text for letter, text in zip("abcd", poll.options, strict=False)}


def _file(item: Picture | Video) -> dict[str, Any]:
    """What names one file: an address that Threads fetches."""
    alt = {"alt_text": item.alt} if item.alt else {}
    if isinstance(item, Picture):
        if not item.public_url:
            raise Refused(
                "{network} fetches pictures from a public address, and Régie has none (REGIE_URL).", network=NETWORK
            )
        return {"media_type": "IMAGE", "image_url": item.public_url, **alt}
    if not item.public_url:
        raise Refused(
            "{network} fetches videos from a public address, and Régie has none (REGIE_URL).", network=NETWORK
        )
    return {"media_type": "VIDEO", "video_url": item.public_url, **alt}


def container_of(outgoing: Outgoing, children: Sequence[str]) -> dict[str, Any]:
    """The container that is published."""
    fields: dict[str, Any] = {"media_type": "TEXT"}
    if children:
        fields = {"media_type": "CAROUSEL", "children": ",".join(children)}
    elif outgoing.media:
        fields = _file(outgoing.media[0])
    if outgoing.text:
        fields["text"] = outgoing.text
    if outgoing.media and outgoing.sensitive:
        fields["is_spoiler_media"] = True
    if outgoing.reply_to is not None:
        fields["reply_to_id"] = outgoing.reply_to.remote_id
    if outgoing.poll is not None:
        fields["poll_attachment"] = _poll_of(outgoing)
    return fields | _options(outgoing)


def _options(outgoing: Outgoing) -> dict[str, Any]:
    chosen, fields = outgoing.options, dict[str, Any]()
    if chosen.get("link"):
        fields["link_attachment"] = str(chosen["link"])
    if chosen.get("topic"):
        fields["topic_tag"] = str(chosen["topic"]).removeprefix("#")
    if chosen.get("quote"):
        fields["quote_post_id"] = str(chosen["quote"])
    if chosen.get("place"):
        fields["location_id"] = str(chosen["place"])
    if where := limits.countries(chosen):
        fields["allowlisted_country_codes"] = ",".join(where)
    if chosen.get("reply_settings"):
        fields["reply_control"] = str(chosen["reply_settings"])
    return fields


async def choices(wire: Wire, option: str) -> tuple[Choice, ...]:
    """The account's newest posts, to quote one: by their day and first words. Other options have no choices there."""
    if option != "quote":
        return ()
    answer = await wire.graph.get("/me/threads", {"fields": "id,text,timestamp,media_type", "limit": str(PAGE)})
    found = parsed(answer, Edge[Post], network=NETWORK).data
    return tuple(Choice(one.id, _named(one)) for one in found)


async def search(wire: Wire, option: str, words: str) -> tuple[Choice, ...]:
    """Places of that name, with where they are. Other options have nothing to look for there."""
    if option != "place":
        return ()
    answer = await wire.graph.get("/location_search", {"q": words, "fields": "id,name,address,city,country"})
    return tuple(Choice(one.id, one.in_full) for one in parsed(answer, Edge[Place], network=NETWORK).data)


def _named(post: Post) -> str:
    words = " ".join((post.text or "").split()) or post.media_type.replace("_", " ").capitalize()
    words = words if len(words) <= LONGEST_NAME else f"{words[: LONGEST_NAME - 1].rstrip()}…"
    return f"{post.timestamp:%Y-%m-%d} · {words}" if post.timestamp else words


async def _create(wire: Wire, fields: Mapping[str, Any]) -> str:
    beside = {"location_id", "allowlisted_country_codes"}  # with permissions that an account does well without
    vital = beside.isdisjoint(fields)
    answer = await wire.graph.do("POST", "/me/threads", fields, vital=vital)
    return parsed(answer, Id, network=NETWORK).id


async def _settle(wire: Wire, containers: Sequence[str], now: dict[str, Any]) -> Pending | None:
    """None when all are finished. Marks a post that is out as ``published``.

    Raises Refused when Threads cannot use a file. What ran out after a day is begun anew.
    """
    waiting, answer = False, None
    for container in containers:
        state, answer = await _state(wire, container)
        if state.status == "EXPIRED":
            return Pending(progress={})
        if state.status == "ERROR":
            reason = state.error_message or "UNKNOWN"
            raise Refused("{network} could not use the file: {reason}", network=NETWORK, reason=reason, answer=answer)
        now["published"] = state.status == "PUBLISHED"
        waiting = waiting or state.status not in ("FINISHED", "PUBLISHED")
    return _later(now, answer) if waiting else None


async def _state(wire: Wire, container: str) -> tuple[Container, Answer]:
    answer = await wire.graph.get(f"/{container}", {"fields": "id,status,error_message"})
    return parsed(answer, Container, network=NETWORK), answer


def _later(now: dict[str, Any], answer: Answer | None) -> Pending:
    now["looks"] += 1
    if now["looks"] > MOST_LOOKS:
        raise Refused("{network} did not finish working on the file. Send it again.", network=NETWORK)
    pause = PAUSES[min(now["looks"], len(PAUSES)) - 1]
    return Pending(progress=now, not_before=_clock(answer) + timedelta(seconds=pause))


def _clock(answer: Answer | None) -> datetime:
    return (answer.date if answer is not None else None) or datetime.now(UTC)


# At the hour


async def commit(wire: Wire, outgoing: Outgoing, progress: Progress) -> Published | Pending:
    """The visible call. The container is asked first: one that is out already is never published again."""
    ready = await prepare(wire, outgoing, progress)
    if isinstance(ready, Pending):
        return ready
    if ready.progress.get("published"):
        looks = progress.get("looks", 0) if progress.get("published") else 0  # those of preparing do not count
        return await _found(wire, outgoing, {**ready.progress, "looks": looks})
    answer = await wire.graph.publish("/me/threads_publish", {"creation_id": str(ready.progress["container"])})
    return await _shown(wire, written(answer, Id, network=NETWORK).id, answer)


async def _shown(wire: Wire, post_id: str, answer: Answer) -> Published:
    """With its address, when Threads tells it. It is out, whatever becomes of this question."""
    try:
        asked = await wire.graph.get(f"/{post_id}", {"fields": "id,permalink,timestamp"})
        post = parsed(asked, Post, network=NETWORK)
    except NetworkError:
        return Published(remote_id=post_id, answer=answer)
    return Published(remote_id=post_id, url=post.permalink or "", at=post.timestamp, answer=answer)


# After a lost answer


async def what_became_of(wire: Wire, outgoing: Outgoing, progress: Progress) -> Published | Pending | None:
    """What the container says of itself. An unpublished one may be published; nothing else is ever sent again."""
    container = progress.get("container")
    if not container:
        return None
    state, answer = await _state(wire, str(container))
    if state.status == "PUBLISHED":
        return await _found(wire, outgoing, progress)
    over_at = outgoing.tried_until or outgoing.planned_at + LOST_FOR
    too_early = _clock(answer) < over_at
    if state.status == "IN_PROGRESS" or (state.status == "FINISHED" and too_early):
        raise TryLater(
            "{network} may still be publishing it.",
            network=NETWORK,
            not_before=max(over_at, _clock(answer) + timedelta(seconds=10)),
            answer=answer,
        )
    return None


async def _found(wire: Wire, outgoing: Outgoing, progress: Progress) -> Published | Pending:
    """The post of a published container, which does not tell its id: the first with the same words since then."""
    since = outgoing.planned_at - timedelta(minutes=5)
    listing = await own_posts(wire, since=since)
    answers = outgoing.reply_to.remote_id if outgoing.reply_to is not None else ""

    def is_it(seen: Seen) -> bool:
        same = " ".join(seen.text.split()) == " ".join(outgoing.text.split())
        return same and seen.media == len(outgoing.media) and seen.reply_to_id in ("", answers)

    if (found := listing.first(outgoing, is_it)) is not None:
        return found
    looks = int(progress.get("looks", 0)) + 1
    if looks > len(PAUSES):
        raise Unclear("{network} says that it is out, but does not list it.", network=NETWORK)
    pause = timedelta(seconds=PAUSES[looks - 1])
    return Pending(progress={**progress, "looks": looks}, not_before=(listing.network_now or datetime.now(UTC)) + pause)


async def comment_found(wire: Wire, outgoing: Outgoing, to: Ref) -> Published | None:
    """Our answer with the same words, among the account's newest answers. When it is sent again all the same, its
    container is asked first."""
    since = since_of(outgoing)
    answers, reaches, answer = await _listing(wire, "/me/replies", since)
    if reaches > since:
        raise Unclear("{network} does not list the account's comments far enough back.", network=NETWORK)
    seen = [_as_seen(one) for one in answers if one.timestamp]
    under = [one for one in seen if one.reply_to_id == to.remote_id]
    return comment_among(under, outgoing, network=NETWORK, now=answer.date, shows_within=LOST_FOR)


async def own_posts(wire: Wire, *, since: datetime) -> Listing:
    """The account's posts and its answers back to ``since``, newest first."""
    posts, posts_back_to, answer = await _listing(wire, "/me/threads", since)
    replies, replies_back_to, _ = await _listing(wire, "/me/replies", since)
    rows = {one.id: _as_seen(one) for one in (*posts, *replies) if one.timestamp and one.timestamp >= since}
    seen = sorted(rows.values(), key=lambda row: row.created_at, reverse=True)
    return Listing(seen=tuple(seen), reaches_back_to=max(posts_back_to, replies_back_to), network_now=answer.date)


async def _listing(wire: Wire, path: str, since: datetime) -> tuple[list[Post], datetime, Answer]:
    """Its posts, how far back they reach, and the first answer."""
    found: list[Post] = []
    first, after = None, ""
    for _ in range(MOST_PAGES):
        params = {"fields": POST, "limit": str(PAGE), **({"after": after} if after else {})}
        answer = await wire.graph.get(path, params)
        first, page = first or answer, parsed(answer, Edge[Post], network=NETWORK)
        found += page.data
        after, oldest = page.after, min((one.timestamp for one in found if one.timestamp), default=None)
        if not after or (oldest is not None and oldest < since):
            return found, since, first
    assert first is not None
    return found, max(since, oldest) if oldest is not None else since, first


def _as_seen(post: Post) -> Seen:
    assert post.timestamp is not None
    files = len(post.children.data) if post.children else int(post.media_type in ("IMAGE", "VIDEO"))
    return Seen(
        remote_id=post.id,
        url=post.permalink or "",
        text=post.text or "",
        media=files,
        created_at=post.timestamp,
        reply_to_id=post.replied_to.id if post.replied_to is not None else "",
    )


async def fetch(wire: Wire, remote_id: str) -> Published:
    answer = await wire.graph.get(f"/{remote_id}", {"fields": "id,permalink,timestamp"}, addressed=True)
    post = parsed(answer, Post, network=NETWORK)
    return Published(remote_id=post.id, url=post.permalink or "", at=post.timestamp, answer=answer)


async def delete(wire: Wire, ref: Ref) -> None:
    try:
        await wire.graph.do("DELETE", f"/{ref.remote_id}", addressed=True)
    except Gone:
        return


async def hide(wire: Wire, ref: Ref, *, hidden: bool) -> None:
    """An answer directly under our post, and with it those below it; Threads hides no other by itself."""
    await wire.graph.do("POST", f"/{ref.remote_id}/manage_reply", {"hide": hidden}, addressed=True)
