"""Nodes as Threads shows them. Source: the vendor's collection of requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from regie_sandbox.threads.state import Container, Media, State, User

if TYPE_CHECKING:
    from regie_sandbox.threads.app import Threads

DAY = timedelta(days=1)
SHOWN_AS = {"TEXT": "TEXT_POST", "CAROUSEL": "CAROUSEL_ALBUM"}
LETTERS = "abcd"
Lists = Mapping[str, Mapping[str, Callable[[Any], tuple[str, Sequence[Any]]]]]


def moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")


def status_of(one: Container, state: State, now: datetime) -> str:
    """Where a container stands; a carousel waits for its children."""
    if one.media:
        return "PUBLISHED"
    if one.made_at + DAY <= now:
        return "EXPIRED"
    family = [one, *(state.containers[child] for child in one.children)]
    if any(each.error for each in family):
        return "ERROR"
    return "IN_PROGRESS" if now < max(each.ready_at for each in family) else "FINISHED"


def below(state: State, media: Media) -> list[Media]:
    """Every answer under it, however deep."""
    return [
        found
        for one in (state.media[each] for each in media.replies if each in state.media)
        for found in (one, *below(state, one))
    ]


def fields(net: Threads) -> Mapping[str, Mapping[str, Callable[[Any], Any]]]:
    state = net.state

    def link_to(one: Media) -> str:
        return f"https://www.threads.com/@{state.users[one.user].username}/post/{one.shortcode}"

    def root(one: Media) -> Any:
        top = state.media.get(one.root)
        if top is None:
            return None
        owner = state.users[top.user]
        return {"id": top.id, "owner_id": owner.id, "username": owner.username}

    def poll(one: Media) -> Any:
        if not one.poll or one.poll_ends_at is None:
            return None
        votes = {f"{name}_votes_percentage": 0.0 for name in one.poll}
        return {**one.poll, **votes, "expiration_timestamp": moment(one.poll_ends_at)}

    def children(one: Media) -> Any:
        return {"data": [{"id": each} for each in one.children]} if one.children else None

    def error(one: Container) -> str | None:
        family = [one, *(state.containers[child] for child in one.children)]
        return next((each.error for each in family if each.error), None)

    return {
        "User": {
            "id": lambda one: one.id,
            "username": lambda one: one.username,
            "name": lambda one: one.name,
            "is_verified": lambda one: False,
            "threads_profile_picture_url": lambda one: None,
            "threads_biography": lambda one: None,
            "is_eligible_for_geo_gating": lambda one: one.chooses_countries,
        },
        "Place": {
            "id": lambda one: one.id,
            "name": lambda one: one.name,
            "address": lambda one: one.address or None,
            "city": lambda one: one.city or None,
            "country": lambda one: one.country or None,
        },
        "Container": {
            "id": lambda one: one.id,
            "status": lambda one: status_of(one, state, net.now()),
            "error_message": error,
        },
        "Media": {
            "id": lambda one: one.id,
            "media_product_type": lambda one: "THREADS",
            "media_type": lambda one: SHOWN_AS.get(one.kind, one.kind),
            "media_url": lambda one: f"{net.base}/_media/{one.file}" if one.file else None,
            "thumbnail_url": lambda one: None,
            "gif_url": lambda one: None,
            "permalink": link_to,
            "owner": lambda one: {"id": one.user},
            "username": lambda one: state.users[one.user].username,
            "text": lambda one: one.text or None,
            "timestamp": lambda one: moment(one.made_at),
            "shortcode": lambda one: one.shortcode,
            "children": children,
            "is_quote_post": lambda one: bool(one.quote),
            "quoted_post": lambda one: {"id": one.quote} if one.quote else None,
            "alt_text": lambda one: one.alt or None,
            "location_id": lambda one: one.place or None,
            "link_attachment_url": lambda one: one.link or None,
            "topic_tag": lambda one: one.topic or None,
            "reply_audience": lambda one: one.reply_control.upper(),
            "poll_attachment": poll,
            "has_replies": lambda one: bool(below(state, one)),
            "is_reply": lambda one: bool(one.parent),
            "is_reply_owned_by_me": lambda one: one.user == net.asking,
            "root_post": root,
            "replied_to": lambda one: {"id": one.parent} if one.parent else None,
            "hide_status": lambda one: "HIDDEN" if one.hidden else "NOT_HUSHED",
            "is_verified": lambda one: False,
            "profile_picture_url": lambda one: None,
        },
    }


def lists(net: Threads) -> Lists:
    state = net.state

    def of(user: User, *, answers: bool) -> list[Media]:
        rows = [state.media[one] for one in reversed(user.posts)]
        return [one for one in rows if bool(one.parent) is answers and net.listed(one.made_at)]

    def mentions(user: User) -> list[Media]:
        found = [one for one in state.media.values() if user.id in one.mentions]
        return sorted(found, key=lambda one: (one.made_at, int(one.id)), reverse=True)

    def newest(rows: list[Media]) -> list[Media]:
        return sorted(rows, key=lambda one: (one.made_at, int(one.id)), reverse=True)

    return {
        "User": {
            "threads": lambda one: ("Media", of(one, answers=False)),
            "replies": lambda one: ("Media", of(one, answers=True)),
            "mentions": lambda one: ("Media", mentions(one)),
        },
        "Media": {
            "replies": lambda one: ("Media", newest([state.media[each] for each in one.replies])),
            "conversation": lambda one: ("Media", newest(below(state, one))),
        },
    }
