"""Local posts: news, events, offers. Source: ``accounts.locations.localPosts`` of version 4; see NOTES.md.

The picture is not sent: Google fetches it when the post is made, from the public address that goes with it. So all of a
post is one visible call. What Google is still looking at is asked about for a while, and then shown as not public.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from regie.networks.capabilities import Format
from regie.networks.data import Draft, Listing, Outgoing, Pending, Progress, Published, Ready, Ref, Seen
from regie.networks.errors import Gone, Refused, Unclear
from regie.networks.google_business import limits
from regie.networks.google_business.entities import LocalPost, LocalPosts
from regie.networks.google_business.wire import NETWORK, Wire, parsed, written
from regie.networks.line import Answer

PAUSES = (3, 5, 10, 20, 30, 60, 120, 300)  # seconds between looks at a post that Google looks at itself
PAGE, MOST_PAGES = 100, 20
LIVE, REJECTED = "LIVE", "REJECTED"
TOPICS = {limits.UPDATE: "STANDARD", limits.EVENT: "EVENT", limits.OFFER: "OFFER"}


async def prepare(wire: Wire, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
    """Nothing is handed over before the hour."""
    refuse_what_is_absent(outgoing)
    return Ready(progress=progress)


def refuse_what_is_absent(outgoing: Outgoing) -> None:
    """What Google does not have is refused, never dropped in silence."""
    if outgoing.poll is not None:
        raise Refused("{network} has no polls.", network=NETWORK)
    if outgoing.content_warning or outgoing.sensitive:
        raise Refused("{network} has no content warnings.", network=NETWORK)
    if outgoing.visibility not in ("", "public"):
        raise Refused("{network} does not have this visibility.", network=NETWORK)
    if outgoing.format is not Format.POST or outgoing.videos or outgoing.documents or outgoing.sounds:
        raise Refused("{network} does not take this format.", network=NETWORK)
    if outgoing.reply_to is not None:
        _must_be_a_reply(outgoing, outgoing.reply_to)
        return
    if len(outgoing.pictures) > limits.PICTURE.most:
        raise Refused("A post on {network} has one picture at most.", network=NETWORK)
    for objection in limits.objections(Draft(text=outgoing.text, options=outgoing.options)):
        raise objection


def _must_be_a_reply(outgoing: Outgoing, to: Ref) -> None:
    if to.extra.get("kind") != "review":
        raise Refused("Nothing can be said under a post on {network}: only reviews are answered.", network=NETWORK)
    if outgoing.media:
        raise Refused("An answer on {network} has no pictures.", network=NETWORK)


# At the hour


async def commit(wire: Wire, outgoing: Outgoing, progress: Progress) -> Published | Pending:
    """The one visible call; afterwards only questions, until Google shows the post or will not.

    progress: ``{"post": its name, "looks": n}``, once it is made.
    """
    if progress.get("post"):
        return await _look(wire, str(progress["post"]), int(progress.get("looks", 0)) + 1)
    refuse_what_is_absent(outgoing)
    answer = await wire.publish(f"{wire.place}/localPosts", body_of(wire, outgoing))
    return _come_to(written(answer, LocalPost), answer, 0)


async def _look(wire: Wire, name: str, looks: int) -> Published | Pending:
    """At a post that is made. Whoever does not tell what became of it has refused nothing."""
    try:
        answer = await wire.get(name, addressed=True, vital=True)
        post = parsed(answer, LocalPost)
    except Gone:
        raise
    except Refused as exc:
        raise Unclear("{network} does not tell what became of the post.", network=NETWORK) from exc
    return _come_to(post, answer, looks)


def _come_to(post: LocalPost, answer: Answer, looks: int) -> Published | Pending:
    """What became of it. Raises Refused when Google shows it to nobody: of the reason the API tells no more."""
    if post.state == REJECTED:
        raise Refused(
            "{network} rejected the post: it says that it breaks its rules. Telephone numbers in the text are a "
            "frequent reason.",
            network=NETWORK,
            answer=answer,
        )
    if post.state == LIVE or looks >= len(PAUSES):
        return as_published(post, answer)
    return Pending(
        progress={"post": post.name, "looks": looks},
        not_before=answer.now + timedelta(seconds=PAUSES[looks]),
    )


def body_of(wire: Wire, outgoing: Outgoing) -> dict[str, Any]:
    """The post as version 4 wants it."""
    language = outgoing.language or str(wire.login.limits.get("language", ""))
    return {
        "topicType": TOPICS[limits.topic_of(outgoing.options)],
        **({"languageCode": language} if language else {}),
        **said_of(outgoing),
        **({"media": [_picture(one.public_url) for one in outgoing.pictures]} if outgoing.pictures else {}),
    }


def _picture(url: str) -> dict[str, str]:
    if not url:
        raise Refused(
            "{network} fetches pictures from a public address, and Régie has none (REGIE_URL).", network=NETWORK
        )
    return {"mediaFormat": "PHOTO", "sourceUrl": url}


def said_of(outgoing: Outgoing) -> dict[str, Any]:
    """What may be said, and said anew in an edit."""
    chosen = outgoing.options
    topic, link = limits.topic_of(chosen), str(chosen.get("link") or "")
    said: dict[str, Any] = {"summary": outgoing.text} if outgoing.text else {}
    if topic == limits.OFFER:
        terms = {
            "couponCode": chosen.get("coupon"),
            "redeemOnlineUrl": link,
            "termsConditions": chosen.get("terms"),
        }
        said["offer"] = {name: value for name, value in terms.items() if value}
    elif chosen.get("button") or link:
        button = str(chosen.get("button") or "learn_more").upper()
        said["callToAction"] = {"actionType": button, **({"url": link} if link else {})}
    if topic != limits.UPDATE:
        said["event"] = {"title": chosen.get("title"), "schedule": _schedule(outgoing)}
    return said


def _schedule(outgoing: Outgoing) -> dict[str, Any]:
    starts, ends = (limits.moment_of(outgoing.options, name) for name in ("starts", "ends"))
    assert starts is not None
    assert ends is not None
    return {"startDate": _day(starts), "startTime": _hour(starts), "endDate": _day(ends), "endTime": _hour(ends)}


def _day(moment: datetime) -> dict[str, int]:
    return {"year": moment.year, "month": moment.month, "day": moment.day}


def _hour(moment: datetime) -> dict[str, int]:
    return {"hours": moment.hour, "minutes": moment.minute}


def as_published(post: LocalPost, answer: Answer | None) -> Published:
    if post.state == LIVE:
        return Published(remote_id=post.name, url=post.url, at=post.created_at, answer=answer)
    if post.state == REJECTED:
        return Published(
            remote_id=post.name,
            at=post.created_at,
            answer=answer,
            limited="Google rejected it for breaking its rules: nobody sees it.",
        )
    return Published(
        remote_id=post.name,
        url=post.url,
        at=post.created_at,
        answer=answer,
        limited="Google is still looking at it: nobody sees it yet.",
    )


# What is out


async def edit(wire: Wire, ref: Ref, outgoing: Outgoing) -> Published:
    """All that may be said anew: what the mask names and the body leaves out is taken away. The picture stays."""
    refuse_what_is_absent(outgoing)
    topic = limits.topic_of(outgoing.options)
    parts = {limits.EVENT: ("callToAction", "event"), limits.OFFER: ("event", "offer")}.get(topic, ("callToAction",))
    mask = {"updateMask": ",".join(("summary", *parts))}
    answer = await wire.do("PATCH", ref.remote_id, mask, said_of(outgoing))
    return as_published(parsed(answer, LocalPost), answer)


async def delete(wire: Wire, ref: Ref) -> None:
    try:
        await wire.do("DELETE", ref.remote_id)
    except Gone:
        return


async def fetch(wire: Wire, remote_id: str) -> Published:
    answer = await wire.get(remote_id, addressed=True)
    return as_published(parsed(answer, LocalPost), answer)


async def own_posts(wire: Wire, *, since: datetime) -> Listing:
    """The location's posts back to ``since``, newest first, those that Google rejected among them.

    The order of Google's list is not promised. It is trusted to be newest first only as long as it is; else the whole
    list is read, and where that is too long, nothing is said to be missing.
    """
    posts: list[LocalPost] = []
    token, whole, network_now = "", False, None
    for _ in range(MOST_PAGES):
        params = {"pageSize": str(PAGE), **({"pageToken": token} if token else {})}
        answer = await wire.get(f"{wire.place}/localPosts", params)
        page = parsed(answer, LocalPosts)
        network_now = network_now or answer.date
        posts += [post for post in page.posts if post.created_at is not None]
        token = page.next_page
        if not token or (posts and _newest_first(posts) and _made(posts[-1]) < since):
            whole = True
            break
    seen = sorted((_as_seen(one) for one in posts if _made(one) >= since), key=lambda one: one.created_at, reverse=True)
    return Listing(
        seen=tuple(seen), reaches_back_to=since if whole else _far(posts, network_now), network_now=network_now
    )


def _newest_first(posts: list[LocalPost]) -> bool:
    return all(_made(before) >= _made(after) for before, after in pairwise(posts))


def _far(posts: list[LocalPost], network_now: datetime | None) -> datetime:
    if posts and _newest_first(posts):
        return _made(posts[-1])
    return network_now or datetime.now(UTC)


def _made(post: LocalPost) -> datetime:
    assert post.created_at is not None
    return post.created_at


def _as_seen(post: LocalPost) -> Seen:
    return Seen(
        remote_id=post.name,
        url=post.url,
        text=post.summary,
        media=len(post.media),
        created_at=_made(post),
        options={"title": post.event.title} if post.event is not None and post.event.title else {},
    )
