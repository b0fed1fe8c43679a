"""Posts with pictures, videos, documents, links and polls; comments. Sources: NOTES.md."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from regie.networks.data import Draft, Listing, Options, Outgoing, Pending, Progress, Published, Ready, Ref, Seen
from regie.networks.errors import Gone, Refused, TokenExpired, TryLater, Unclear
from regie.networks.finding import comment_among
from regie.networks.line import Answer
from regie.networks.linkedin import little, uploads
from regie.networks.linkedin.entities import Comment, Elements, Post
from regie.networks.linkedin.limits import (
    COMMENT,
    DOCUMENTS,
    DURATIONS,
    LANGUAGE,
    PICTURES,
    POLL,
    TARGET,
    TARGETS,
    VIDEO,
)
from regie.networks.linkedin.wire import ID, NETWORK, Wire, comment_at, key, parsed, post_at, unreadable

PAGE = 50
PAUSES = (3, 5, 10, 15, 30)  # seconds between looks at a file that LinkedIn works on; the last one repeats
MOST_LOOKS = 120  # about an hour
SHOWS_WITHIN = timedelta(minutes=2)  # as long as a post; LinkedIn says nothing of comments
MOST_PAGES = 20
STARTS = 3  # of one video's upload, when the addresses for it ran out
COMMENTS = "urn:li:comment:"


# Before the hour


async def prepare(wire: Wire, outgoing: Outgoing, progress: Progress) -> Ready | Pending:
    """Uploads what is not there yet, and waits until LinkedIn is done with it.

    progress: ``{"files": [{"id": urn, "ready": bool}, ...], "video": see uploads.begin, "looks": n}``; the pictures
              come first, then the video, then the document
    """
    refuse_what_is_absent(wire, outgoing)
    if outgoing.reply_to is not None:
        return Ready(progress=progress)
    now: dict[str, Any] = {"files": [], **copy.deepcopy(dict(progress))}
    try:
        done = await _bring(wire, outgoing, now)
    except TokenExpired:
        raise
    except TryLater as exc:
        if now == {"files": [], **progress}:
            raise
        return Pending(progress=now, not_before=exc.not_before)  # what has arrived is not sent again
    if done:
        return Ready(progress=now)
    handed_over = len(now["files"]) == len(outgoing.pictures) + len(outgoing.videos) + len(outgoing.documents)
    return _later(now) if handed_over else Pending(progress=now)


def _later(now: dict[str, Any]) -> Pending:
    now["looks"] = looks = now.get("looks", 0) + 1
    if looks > MOST_LOOKS:
        raise Refused("{network} did not finish working on the file. Send it again.", network=NETWORK)
    pause = timedelta(seconds=PAUSES[min(looks, len(PAUSES)) - 1])
    return Pending(progress=now, not_before=datetime.now(UTC) + pause)


async def _bring(wire: Wire, outgoing: Outgoing, now: dict[str, Any]) -> bool:
    files = now["files"]
    for picture in outgoing.pictures[len(files) :]:
        files.append({"id": await uploads.picture(wire, picture), "ready": False})
    if outgoing.videos and len(files) == len(outgoing.pictures) and not await _bring_video(wire, outgoing, now):
        return False
    for document in outgoing.documents[len(files) - len(outgoing.pictures) - len(outgoing.videos) :]:
        files.append({"id": await uploads.document(wire, document), "ready": False})
    for file in files:
        file["ready"] = file["ready"] or await uploads.is_ready(wire, file["id"])
    return all(file["ready"] for file in files)


async def _bring_video(wire: Wire, outgoing: Outgoing, now: dict[str, Any]) -> bool:
    """Some parts of it each time: what has arrived is written down in between. True: it is whole at LinkedIn."""
    (video,) = outgoing.videos
    if "video" not in now:
        now["video"] = await uploads.begin(wire, video)
        return False
    kept = now["video"]
    try:
        if not await uploads.send(wire, video, kept):
            return False
        await uploads.send_beside(wire, video, kept)
        await uploads.finish(wire, kept)
    except Refused:
        now["starts"] = now.get("starts", 1) + 1
        if now["starts"] > STARTS:
            raise
        del now["video"]  # its addresses may have run out: begin again
        return False
    now["files"].append({"id": kept["id"], "ready": False})
    now["video"] = {}
    return True


def refuse_what_is_absent(wire: Wire, outgoing: Outgoing) -> None:
    """What LinkedIn does not have is refused, never dropped in silence."""
    if outgoing.content_warning or outgoing.sensitive:
        raise Refused("{network} has no content warnings.", network=NETWORK)
    if outgoing.visibility not in ("", "public") or outgoing.sounds:
        raise Refused("{network} does not take this with a post.", network=NETWORK)
    files = (*outgoing.media, *outgoing.documents)
    if outgoing.reply_to is not None:
        if files or outgoing.poll is not None:
            raise Refused("A comment on {network} has no pictures.", network=NETWORK)
        if len(outgoing.text) > COMMENT:
            raise Refused("A comment on {network} has at most {most} characters.", network=NETWORK, most=COMMENT)
        return
    for there, limit in ((outgoing.pictures, PICTURES), (outgoing.videos, VIDEO), (outgoing.documents, DOCUMENTS)):
        if len(there) > limit.most:
            raise Refused("{network} takes at most {most} of these in a post.", network=NETWORK, most=limit.most)
    if outgoing.poll is not None and not 2 <= len(outgoing.poll.options) <= POLL.most_options:
        raise Refused("A poll on {network} has 2 to {most} answers.", network=NETWORK, most=POLL.most_options)
    draft = Draft(
        text=outgoing.text,
        options=outgoing.options,
        pictures=len(outgoing.pictures),
        videos=len(outgoing.videos),
        documents=len(outgoing.documents),
        poll=outgoing.poll is not None,
    )
    for objection in objections(wire.login.limits, draft):
        raise objection


def objections(limits: Mapping[str, Any], draft: Draft) -> Iterator[Refused]:
    """A post shows one thing: pictures, a video, a document, a link's card or a poll."""
    shown = [bool(draft.pictures), bool(draft.videos), bool(draft.documents), draft.poll]
    linked = bool(draft.options.get("link"))
    if sum(shown) > 1 or (linked and any(shown[1:])):
        yield Refused(
            "A post on {network} shows one thing: pictures, a video, a document, a link or a poll.", network=NETWORK
        )
    if linked and draft.pictures > 1:
        yield Refused("The card of a link on {network} has one picture.", network=NETWORK)
    if linked and not draft.options.get("title"):
        yield Refused("{network} does not read the page behind a link: give the card a title.", network=NETWORK)
    if draft.options.get("description") and not linked:
        yield Refused("Only the card of a link has a description on {network}.", network=NETWORK)
    if draft.options.get("audience") and limits.get("kind") == "profile":
        yield Refused("On {network} only a Page chooses who of its followers sees a post.", network=NETWORK)
    for tag in _tags(draft.options, "audience"):
        if not LANGUAGE.match(tag) and ((found := TARGET.match(tag)) is None or found[1] not in TARGETS):
            yield Refused("{network} knows no audience “{name}”.", network=NETWORK, name=tag)


def _tags(options: Options, name: str) -> Sequence[str]:
    value = options.get(name) or ()
    return (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ()


# At the hour


async def commit(wire: Wire, outgoing: Outgoing, progress: Progress) -> Published | Pending:
    if outgoing.reply_to is not None:
        return await comment(wire, outgoing.reply_to, outgoing.text)
    ready = await prepare(wire, outgoing, progress)
    if isinstance(ready, Pending):
        return ready
    answer = await wire.publish("/rest/posts", body_of(wire, outgoing, ready.progress))
    made = unquote(answer.headers.get(ID, ""))  # a key: Rest.li may hide its colons
    if not made:
        raise unreadable(answer)
    return Published(
        remote_id=made, url=post_at(wire.login.server, made), at=answer.date, extra={"kind": "post"}, answer=answer
    )


def body_of(wire: Wire, outgoing: Outgoing, progress: Progress) -> dict[str, Any]:
    options = outgoing.options
    content = _content(outgoing, [file["id"] for file in progress["files"]])
    return {
        "author": wire.me,
        "commentary": little.written(outgoing.text),
        "visibility": str(options.get("privacy") or "PUBLIC"),
        "distribution": {
            "feedDistribution": "MAIN_FEED",
            "targetEntities": _audience(_tags(options, "audience")),
            "thirdPartyDistributionChannels": [],
        },
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": bool(options.get("no_resharing")),
        **({"content": content} if content else {}),
    }


def _audience(tags: Sequence[str]) -> list[dict[str, Any]]:
    """One audience, of which all has to fit: places and the like by urn, languages by country."""
    target: dict[str, list[Any]] = {}
    for tag in tags:
        if (found := LANGUAGE.match(tag)) is not None:
            target.setdefault("interfaceLocales", []).append({"language": found[1], "country": found[2]})
        else:
            target.setdefault(TARGETS[tag.split(":")[2]], []).append(tag)
    return [target] if target else []


def _content(outgoing: Outgoing, files: Sequence[str]) -> dict[str, Any]:
    options, title = outgoing.options, str(outgoing.options.get("title") or "")
    if outgoing.poll is not None:
        return {"poll": _poll(outgoing)}
    if link := str(options.get("link") or ""):
        about = str(options.get("description") or "")
        return {
            "article": {
                "source": link,
                "title": title,
                **({"description": about} if about else {}),
                **({"thumbnail": files[0]} if files else {}),
            }
        }
    if outgoing.documents:
        document = outgoing.documents[0]
        return {"media": {"id": files[0], "title": title or document.title or document.name}}
    if outgoing.videos:
        return {"media": {"id": files[0], **({"title": title} if title else {})}}
    images = [
        {"id": urn, **({"altText": picture.alt} if picture.alt else {})}
        for urn, picture in zip(files, outgoing.pictures, strict=True)
    ]
    if len(images) > 1:
        return {"multiImage": {"images": images}}
    return {"media": images[0]} if images else {}


def _poll(outgoing: Outgoing) -> dict[str, Any]:
    poll = outgoing.poll
    assert poll is not None
    lasts = poll.lasts or DURATIONS[-1][1]
    duration = next((word for word, long in DURATIONS if lasts <= long), DURATIONS[-1][0])
    return {
        "question": poll.question or outgoing.text,
        "options": [{"text": option} for option in poll.options],
        "settings": {"duration": duration},
    }


# What is out


async def own_posts(wire: Wire, *, since: datetime) -> Listing:
    """A Page's posts back to ``since``, newest first. Nobody lists a member's: that permission is closed."""
    if not wire.is_page:
        raise Refused("{network} shows a member's posts to no app: look at the profile.", network=NETWORK)
    found: dict[str, Post] = {}
    now, start, whole = None, 0, False
    for _ in range(MOST_PAGES):
        query = f"author={key(wire.me)}&q=author&count={PAGE}&start={start}&sortBy=CREATED"
        answer = await wire.get(f"/rest/posts?{query}", method="FINDER")
        page = parsed(answer, Elements[Post]).elements
        now, start = now or answer.date, start + PAGE
        found.update((post.id, post) for post in page)
        if len(page) < PAGE or any(post.at is not None and post.at < since for post in page):
            whole = True
            break
    moments = [post.at for post in found.values() if post.at is not None]
    reaches = since if whole or not moments else max(since, min(moments))
    rows = [
        _as_seen(wire, post) for post in found.values() if post.at is not None and post.lifecycle_state == "PUBLISHED"
    ]
    rows.sort(key=lambda seen: seen.created_at, reverse=True)
    return Listing(
        seen=tuple(seen for seen in rows if seen.created_at >= since), reaches_back_to=reaches, network_now=now
    )


def _as_seen(wire: Wire, post: Post) -> Seen:
    assert post.at is not None
    return Seen(
        remote_id=post.id,
        url=post_at(wire.login.server, post.id),
        text=little.read(post.commentary),
        media=post.content.files,
        created_at=post.at,
        extra={"kind": "post"},
    )


async def fetch(wire: Wire, remote_id: str) -> Published:
    if not wire.is_page:
        raise Refused("{network} shows a member's posts to no app: look at the profile.", network=NETWORK)
    answer = await wire.get(f"/rest/posts/{key(remote_id)}", addressed=True)
    post = parsed(answer, Post)
    url = post_at(wire.login.server, post.id)
    return Published(remote_id=post.id, url=url, at=post.at, extra={"kind": "post"}, answer=answer)


async def edit(wire: Wire, ref: Ref, outgoing: Outgoing) -> Published:
    """The text alone can be changed. The same change again changes nothing, so it is safe to repeat."""
    if is_comment(ref.remote_id):
        patch: dict[str, Any] = {"message": {"$set": {"text": outgoing.text}}}
        path, url = f"{_comment_path(ref)}?actor={key(wire.me)}", ""
    else:
        patch = {"$set": {"commentary": little.written(outgoing.text)}}
        path, url = f"/rest/posts/{key(ref.remote_id)}", post_at(wire.login.server, ref.remote_id)
    answer = await wire.do("POST", path, {"patch": patch}, addressed=True, vital=True, method="PARTIAL_UPDATE")
    return Published(remote_id=ref.remote_id, url=url, extra=dict(ref.extra), answer=answer)


async def delete(wire: Wire, ref: Ref) -> None:
    if is_comment(ref.remote_id):
        path = f"{_comment_path(ref)}?actor={key(wire.me)}"
    else:
        path = f"/rest/posts/{key(ref.remote_id)}"
    try:
        await wire.do("DELETE", path, addressed=True, method="DELETE")
    except Gone:
        return


# Comments


def is_comment(urn: str) -> bool:
    return urn.startswith(COMMENTS)


def parts_of(comment_urn: str) -> tuple[str, str]:
    """``urn:li:comment:(urn:li:activity:1,2)``: what it stands under, and its number there."""
    under, _, number = comment_urn.removeprefix(COMMENTS).strip("()").rpartition(",")
    return (under if under.startswith("urn:") else f"urn:li:{under}"), number


def _comment_path(ref: Ref) -> str:
    under, number = parts_of(ref.remote_id)
    return f"/rest/socialActions/{key(under)}/comments/{number}"


async def comment(wire: Wire, to: Ref, text: str) -> Published:
    """Under a post, or under a comment there. An answer to an answer stands beside it: there is one level only."""
    parent = str(to.extra.get("parent") or to.remote_id) if is_comment(to.remote_id) else ""
    post = str(to.extra.get("post") or parts_of(to.remote_id)[0]) if parent else to.remote_id
    fields: dict[str, Any] = {"actor": wire.me, "object": post, "message": {"text": text}}
    if parent:
        fields["parentComment"] = parent
    answer = await wire.publish(f"/rest/socialActions/{key(parent or post)}/comments", fields, addressed=True)
    urn = _made(answer, post)
    url = comment_at(wire.login.server, post, urn)
    extra = {"kind": "comment", "post": post, "parent": parent}
    return Published(remote_id=urn, url=url, at=answer.date, extra=extra, answer=answer)


async def comment_found(wire: Wire, outgoing: Outgoing, to: Ref) -> Published | None:
    """A comment of ours under a post of the Page, whose answer was lost. Who is told no comments cannot look."""
    if not wire.can.reads or is_comment(to.remote_id):
        raise Unclear("{network} does not let this account read the comments under its posts.", network=NETWORK)
    said, now = await _comments_under(wire, to.remote_id)
    ours = [_comment_seen(wire, one, to.remote_id) for one in said if one.actor == wire.me and one.created is not None]
    return comment_among(ours, outgoing, network=NETWORK, now=now, shows_within=SHOWS_WITHIN)


async def _comments_under(wire: Wire, post: str) -> tuple[list[Comment], datetime | None]:
    """Those directly under it, all of them: in which order LinkedIn lists them is said nowhere. And its clock."""
    found: list[Comment] = []
    now = None
    for nth in range(MOST_PAGES):
        path = f"/rest/socialActions/{key(post)}/comments?count={PAGE}&start={nth * PAGE}"
        answer = await wire.get(path, addressed=True)
        page = parsed(answer, Elements[Comment]).elements
        found, now = [*found, *page], now or answer.date
        if len(page) < PAGE:
            return [one for one in found if not one.parent_comment], now
    raise Unclear("{network} lists more comments under this post than we can look through.", network=NETWORK)


def _comment_seen(wire: Wire, one: Comment, post: str) -> Seen:
    assert one.created is not None
    urn = one.comment_urn or f"{COMMENTS}({one.object or post},{one.id})"
    return Seen(
        remote_id=urn,
        url=comment_at(wire.login.server, post, urn),
        text=one.message.text,
        media=0,
        created_at=one.created.time,
        reply_to_id=post,
        extra={"kind": "comment", "post": post, "parent": ""},
    )


def _made(answer: Answer, post: str) -> str:
    """The new comment's urn, in the body; its number alone in a header."""
    try:
        made = Comment.model_validate_json(answer.body)
    except ValueError:
        made = Comment()
    number = made.id or answer.headers.get(ID, "")
    if not (made.comment_urn or number):
        raise unreadable(answer)
    return made.comment_urn or f"{COMMENTS}({post},{number})"


async def like(wire: Wire, ref: Ref) -> None:
    """Doing it again changes nothing."""
    try:
        fields = {"root": ref.remote_id, "reactionType": "LIKE"}
        await wire.do("POST", f"/rest/reactions?actor={key(wire.me)}", fields)
    except Refused as exc:
        if exc.answer is None or exc.answer.status != 409:
            raise


async def unlike(wire: Wire, ref: Ref) -> None:
    try:
        path = f"/rest/reactions/(actor:{key(wire.me)},entity:{key(ref.remote_id)})"
        await wire.do("DELETE", path, addressed=True)
    except Gone:
        return
