"""What a community wants, asked before anything is sent. Source: recording post_requirements, and of /r/…/about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from regie.networks.capabilities import Choice
from regie.networks.data import Outgoing
from regie.networks.errors import Gone, Refused
from regie.networks.reddit.entities import About, Community, Flair, Requirements
from regie.networks.reddit.limits import NETWORK, community_of
from regie.networks.reddit.wire import Wire, not_reddit, parsed


async def must_be_welcome(wire: Wire, outgoing: Outgoing) -> None:
    """Raises Refused with the first reason why the community would not take it."""
    name = community_of(str(outgoing.options.get("community") or ""))
    community = await about(wire, name)
    for refused in _kinds(community, outgoing):
        raise refused
    wanted = Requirements()
    with suppress(Gone):  # profiles ask for nothing
        wanted = parsed(await wire.get(f"/api/v1/{name}/post_requirements", addressed=True), Requirements)
    for refused in _wishes(wanted, outgoing):
        raise refused


async def about(wire: Wire, name: str) -> Community:
    """Of a name that no community has, Reddit says 404, or leads to its search."""
    try:
        answer = await wire.get(f"/r/{name}/about", addressed=True)
    except Gone as gone:
        raise Refused("{network} has no such community: check its name.", network=NETWORK, answer=gone.answer) from gone
    except Refused as refused:
        status = refused.answer.status if refused.answer else 0
        if 300 <= status < 400:
            raise Refused("{network} has no such community: check its name.", network=NETWORK) from refused
        if status == 403:
            raise Refused("This community is closed to this account.", network=NETWORK) from refused
        raise
    return parsed(answer, About).data


def _kinds(community: Community, outgoing: Outgoing) -> Iterator[Refused]:
    with_files, is_link = outgoing.media, bool(outgoing.options.get("link"))
    if community.user_is_banned:
        yield Refused("This account is banned from this community.")
    if len(outgoing.pictures) == 1 and community.allow_images is False:
        yield Refused("This community takes no pictures.")
    if len(outgoing.pictures) > 1 and community.allow_galleries is False:
        yield Refused("This community takes no galleries: one picture only.")
    if outgoing.videos and community.allow_videos is False:
        yield Refused("This community takes no videos.")
    if outgoing.poll is not None and community.allow_polls is False:
        yield Refused("This community takes no polls.")
    if community.submission_type == "self" and (with_files or is_link):
        yield Refused("This community takes texts, no links.")
    if community.submission_type == "link" and not with_files and not is_link:
        yield Refused("This community takes links, no texts.")


def _wishes(wanted: Requirements, outgoing: Outgoing) -> Iterator[Refused]:
    if wanted.is_flair_required and not outgoing.options.get("flair"):
        yield Refused("This community takes no post without a flair: choose one.")
    yield from _of_title(wanted, str(outgoing.options.get("title") or ""))
    yield from _of_text(wanted, outgoing.text)
    yield from _of_gallery(wanted, len(outgoing.pictures))
    yield from _of_link(wanted, str(outgoing.options.get("link") or ""))


def _of_title(wanted: Requirements, title: str) -> Iterator[Refused]:
    if (least := wanted.title_text_min_length) and len(title) < least:
        yield Refused("Titles in this community have at least {least} characters.", least=least)
    if (most := wanted.title_text_max_length) and len(title) > most:
        yield Refused("Titles in this community have at most {most} characters.", most=most)
    if (words := wanted.title_required_strings) and not _holds(title, words):
        yield Refused("Titles in this community hold one of these: {words}.", words=", ".join(words))
    if word := _holds(title, wanted.title_blacklisted_strings or ()):
        yield Refused("Titles in this community may not hold “{word}”.", word=word)


def _of_text(wanted: Requirements, text: str) -> Iterator[Refused]:
    there = bool(text.strip())
    if wanted.body_restriction_policy == "required" and not there:
        yield Refused("This community takes no post without a text.")
    if wanted.body_restriction_policy == "notAllowed" and there:
        yield Refused("This community takes a title only, no text.")
    if (least := wanted.body_text_min_length) and there and len(text) < least:
        yield Refused("Texts in this community have at least {least} characters.", least=least)
    if (most := wanted.body_text_max_length) and len(text) > most:
        yield Refused("Texts in this community have at most {most} characters.", most=most)
    if (words := wanted.body_required_strings) and there and not _holds(text, words):
        yield Refused("Texts in this community hold one of these: {words}.", words=", ".join(words))
    if word := _holds(text, wanted.body_blacklisted_strings or ()):
        yield Refused("Texts in this community may not hold “{word}”.", word=word)


def _holds(text: str, words: Sequence[str]) -> str:
    """The first of the words that a text holds, whatever their case; "" for none."""
    low = text.lower()
    return next((word for word in words if word and word.lower() in low), "")


def _of_gallery(wanted: Requirements, pictures: int) -> Iterator[Refused]:
    if pictures < 2:
        return
    if (least := wanted.gallery_min_items) and pictures < least:
        yield Refused("Galleries in this community have at least {least} pictures.", least=least)
    if (most := wanted.gallery_max_items) and pictures > most:
        yield Refused("Galleries in this community have at most {most} pictures.", most=most)


def _of_link(wanted: Requirements, link: str) -> Iterator[Refused]:
    host = (urlsplit(link).hostname or "").removeprefix("www.")
    listed = {"blacklist": wanted.domain_blacklist, "whitelist": wanted.domain_whitelist}
    domains = listed.get(wanted.link_restriction_policy or "")
    if not host or domains is None:
        return
    is_listed = any(host == one or host.endswith(f".{one}") for one in domains)
    if is_listed is (wanted.link_restriction_policy == "blacklist"):
        yield Refused("This community takes no links to {site}.", site=host)


async def flairs(wire: Wire, typed: str) -> tuple[Choice, ...]:
    """The flairs that a community offers for posts; none where it has none, or lets nobody choose."""
    name = community_of(typed)
    try:
        answer = await wire.get(f"/r/{name}/api/link_flair_v2", addressed=True)
    except Gone:
        return ()
    except Refused as refused:
        if refused.answer is not None and refused.answer.status == 403:
            return ()
        raise
    ours = name.lower() in {str(one).lower() for one in wire.login.limits.get("moderates") or ()}
    found = answer.json()
    if not isinstance(found, list):
        raise not_reddit(answer)
    known = [Flair.model_validate(one) for one in found]
    return tuple(Choice(one.id, one.text or "") for one in known if one.text and (ours or not one.mod_only))
