"""Nodes as Instagram shows them: each field, and the edges that list other nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from regie_sandbox.instagram.state import Comment, Container, Media, Message, State, Thread, User

if TYPE_CHECKING:
    from regie_sandbox.instagram.app import Instagram

DAY = timedelta(days=1)
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
    waits = any(each.upload and (not each.size or each.received < each.size) for each in family)
    return "IN_PROGRESS" if waits or now < max(each.ready_at for each in family) else "FINISHED"


def fields(net: Instagram) -> Mapping[str, Mapping[str, Callable[[Any], Any]]]:
    state, now = net.state, net.now

    def status(one: Container) -> str:
        return status_of(one, state, now())

    def sentence(one: Container) -> str:
        found = status(one)
        words = {
            "FINISHED": "Finished: Media has been uploaded and it is ready to be published.",
            "IN_PROGRESS": "In Progress: Media is still being processed.",
            "PUBLISHED": "Published: Media has been successfully published.",
            "EXPIRED": "Expired: The container was not published within 24 hours.",
        }
        return words.get(found, f"Error: {one.error}")

    def uploading(one: Container) -> Any:
        if not one.upload:
            return None
        phase = "complete" if one.size and one.received >= one.size else "in_progress"
        return {"uploading_phase": {"status": phase, "bytes_transferred": one.received}}

    def story(one: Message) -> Any:
        about = {"reply_to": one.answers, "mention": one.names_in}
        told = {name: {"id": id_, "link": f"{net.base}/_story/{id_}"} for name, id_ in about.items() if id_}
        return told or None

    def user(one: User) -> dict[str, Any]:
        return {"id": one.scoped, "username": one.username}

    return {
        "IGUser": {
            "id": lambda one: one.id,
            "user_id": lambda one: one.id,
            "username": lambda one: one.username,
            "name": lambda one: one.name,
            "account_type": lambda one: "BUSINESS",
            "biography": lambda one: None,
            "website": lambda one: None,
            "profile_picture_url": lambda one: None,
            "followers_count": lambda one: len(one.followers),
            "follows_count": lambda one: 0,
            "media_count": lambda one: len(one.media),
            "shopping_product_tag_eligibility": lambda one: one.shop is not None,
        },
        "IGContainer": {
            "id": lambda one: one.id,
            "status_code": status,
            "status": sentence,
            "video_status": uploading,
            "uri": lambda one: f"{net.base}/ig-api-upload/v25.0/{one.id}" if one.upload else None,
        },
        "IGMedia": {
            "id": lambda one: one.id,
            "caption": lambda one: one.caption or None,
            "alt_text": lambda one: one.alt or None,
            "comments_count": lambda one: len(_under(net, one)),
            "like_count": lambda one: len(one.likes),
            "is_comment_enabled": lambda one: one.comment_enabled,
            "media_product_type": lambda one: one.product,
            "media_type": lambda one: one.type,
            "media_url": lambda one: f"{net.base}/_media/{one.file}" if one.file else None,
            "permalink": lambda one: f"{net.base}/{'reel' if one.product == 'REELS' else 'p'}/{one.shortcode}/",
            "shortcode": lambda one: one.shortcode,
            "timestamp": lambda one: moment(one.made_at),
            "username": lambda one: state.users[one.user].username,
            "owner": lambda one: ("IGUser", state.users[one.user]),
        },
        "IGComment": {
            "id": lambda one: one.id,
            "text": lambda one: one.text,
            "timestamp": lambda one: moment(one.made_at),
            "username": lambda one: state.users[one.by].username,
            "from": lambda one: user(state.users[one.by]),
            "hidden": lambda one: one.hidden,
            "like_count": lambda one: len(one.likes),
            "parent_id": lambda one: one.parent or None,
            "media": lambda one: ("IGMedia", state.media[one.media]),
        },
        "User": {"id": lambda one: one.id, "name": lambda one: one.name},
        "Page": {
            "id": lambda one: one,
            "name": lambda one: state.users[state.pages[one]].name,
            "access_token": lambda one: _page_token(net, one),
            "instagram_business_account": lambda one: ("IGUser", state.users[state.pages[one]]),
        },
        "UnifiedThread": {
            "id": lambda one: one.id,
            "updated_time": lambda one: moment(state.messages[one.messages[-1]].made_at),
        },
        "UnifiedMessage": {
            "id": lambda one: one.id,
            "created_time": lambda one: moment(one.made_at),
            "message": lambda one: one.text,
            "story": story,
            "from": lambda one: _in_thread(state.users[one.by]),
            "to": lambda one: {"data": [_in_thread(state.users[one.to])]},
        },
    }


def _in_thread(user: User) -> dict[str, Any]:
    return {"username": user.username, "id": user.id if user.professional else user.scoped}


def _page_token(net: Instagram, page: str) -> str:
    """A Page's token that does not run out, as a long-lived user token gives; the same each time."""
    known = next((value for value, one in net.state.tokens.items() if (one.way, one.holder) == ("page", page)), None)
    if known is not None:
        return known
    from regie_sandbox.instagram.app import BY_FACEBOOK

    return net.make_token(page, net.make_app(), "page", BY_FACEBOOK, lasts=None)


def _under(net: Instagram, media: Media) -> list[Comment]:
    """All comments, answers among them."""
    top = [net.state.comments[one] for one in media.comments]
    return [found for one in top for found in (one, *(net.state.comments[each] for each in one.replies))]


def lists(net: Instagram) -> Lists:
    state = net.state

    def media_of(user: User, *, stories: bool) -> list[Media]:
        rows = [state.media[one] for one in reversed(user.media)]
        fresh = [one for one in rows if (one.product == "STORY") is stories and net.listed(one.made_at)]
        return [one for one in fresh if not stories or one.made_at + DAY > net.now()]

    def tagged(user: User) -> list[Media]:
        found = [one for one in state.media.values() if user.id in one.tagged]
        return sorted(found, key=lambda one: one.made_at, reverse=True)

    def threads(account: str) -> list[Thread]:
        found = [one for one in state.threads.values() if one.account == account]
        return sorted(found, key=lambda one: state.messages[one.messages[-1]].made_at, reverse=True)

    def messages(thread: Thread) -> list[Message]:
        return [state.messages[one] for one in reversed(thread.messages)]

    return {
        "IGUser": {
            "media": lambda one: ("IGMedia", media_of(one, stories=False)),
            "stories": lambda one: ("IGMedia", media_of(one, stories=True)),
            "tags": lambda one: ("IGMedia", tagged(one)),
            "conversations": lambda one: ("UnifiedThread", threads(one.id)),
        },
        "IGMedia": {
            "children": lambda one: ("IGMedia", [state.media[each] for each in one.children]),
            "comments": lambda one: ("IGComment", [state.comments[each] for each in reversed(one.comments)]),
        },
        "IGComment": {"replies": lambda one: ("IGComment", [state.comments[each] for each in one.replies])},
        "User": {"accounts": lambda one: ("Page", one.pages)},
        "Page": {"conversations": lambda one: ("UnifiedThread", threads(state.pages[one]))},
        "UnifiedThread": {"messages": lambda one: ("UnifiedMessage", messages(one))},
    }
