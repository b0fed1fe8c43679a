"""Posts: making, listing, counting, hiding, deleting. Source: openapi 2.167, x-api/posts of docs.x.com."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

from regie.networks.x.weights import weighted
from regie_sandbox.x import rules
from regie_sandbox.x.call import Call, authed
from regie_sandbox.x.rules import forbidden, invalid, not_found, not_in_plan
from regie_sandbox.x.shown import Shows, asked, not_there
from regie_sandbox.x.state import Poll, Post

if TYPE_CHECKING:
    from regie_sandbox.x.app import X

FIELDS = (
    "card_uri", "community_id", "direct_message_deep_link", "edit_options", "for_super_followers_only", "geo",
    "made_with_ai", "media", "nullcast", "paid_partnership", "poll", "quote_tweet_id", "reply", "reply_settings",
    "share_with_followers", "text",
)  # fmt: skip
CASHTAG = re.compile(r"(?<!\w)\$[A-Za-z]{1,6}\b")
PLACE = re.compile(r"[0-9a-f]{16}")
DUPLICATE = "You are not allowed to create a Tweet with duplicate content."
NOT_SUMMONED = (
    "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the author "
    "of the post you are replying to."
)
BAD_MEDIA = "Your media IDs are invalid."


def routes(net: X) -> list[web.RouteDef]:
    read, write = ("tweet.read", "users.read"), ("tweet.read", "tweet.write", "users.read")
    one = "/2/tweets/{id}"
    return [
        web.post("/2/tweets", authed(net, create, *write, limit=100)),
        web.get("/2/tweets", authed(net, several, *read, limit=5000)),
        web.get("/2/tweets/search/recent", authed(net, search, *read, limit=300)),
        web.get(one, authed(net, show, *read)),
        web.delete(one, authed(net, delete, *write, limit=50)),
        web.put("/2/tweets/{id}/hidden", authed(net, hide, "tweet.read", "tweet.moderate.write", limit=50)),
        web.get("/2/tweets/{id}/liking_users", authed(net, liking, "like.read", *read, limit=75)),
        web.get("/2/tweets/{id}/quote_tweets", authed(net, quoting, *read, limit=75)),
        web.get("/2/users/{id}/tweets", authed(net, timeline, *read)),
        web.get("/2/users/{id}/mentions", authed(net, mentions, *read, limit=300)),
        web.post("/2/users/{id}/likes", authed(net, like, "like.write", *read, limit=50)),
        web.delete("/2/users/{id}/likes/{tweet_id}", authed(net, unlike, "like.write", *read, limit=50)),
    ]


# Making


async def create(call: Call) -> Any:
    net, fields = call.net, await call.json(FIELDS)
    text = str(fields.get("text") or "")
    edited = _edited(call, fields)
    media, poll = _media(call, fields), _poll(call, fields)
    quotes, answered = str(fields.get("quote_tweet_id") or ""), _answered(call, fields)
    if sum(map(bool, (media, poll, quotes, fields.get("card_uri")))) > 1:
        raise invalid("media, poll, quote_tweet_id and card_uri are mutually exclusive.")
    if not text.strip() and not media:
        raise invalid("You must provide one of media or text.")
    if weighted(text) > (rules.SHORT if call.me.subscription == "None" else rules.LONG):
        raise forbidden("Your Tweet text is too long. For more information on how Twitter determines text length see …")
    settings = str(fields.get("reply_settings") or "everyone")
    if settings not in (*rules.REPLY_SETTINGS, "everyone") or (settings == "everyone" and "reply_settings" in fields):
        raise invalid(f"$.reply_settings: does not have a value in the enumeration {list(rules.REPLY_SETTINGS)}")
    people, cover = _beside_media(call, fields, media)
    if edited is not None:
        answered = call.net.state.posts.get(edited.reply_to)
    _must_be_allowed(call, text, answered, quotes)
    _must_be_new(call, text, bool(media))
    post = net.publish(
        call.me,
        text,
        media=media,
        poll=poll,
        reply_to=answered,
        quotes=quotes,
        reply_settings=settings,
        community=str(fields.get("community_id") or ""),
        shared=bool(fields.get("share_with_followers")),
        made_with_ai=bool(fields.get("made_with_ai")),
        paid_partnership=bool(fields.get("paid_partnership")),
        people=people,
        cover=cover,
        place=_place(fields),
        media_words=[str((fields.get("media") or {}).get(name) or "") for name in ("title", "description")],
        kind="edit" if edited is not None else "",
    )
    if edited is not None:
        net.supersede(edited, post)
    shown = Shows(net, call.me.id, asked({})).post(post)
    return 201, {"data": {"id": post.id, "text": shown["text"], "edit_history_post_ids": post.history or [post.id]}}


def _edited(call: Call, fields: dict[str, Any]) -> Post | None:
    """The post that this one is to replace."""
    if "edit_options" not in fields:
        return None
    before = call.net.post(str(fields["edit_options"].get("previous_post_id") or ""))
    controls = Shows(call.net, call.me.id, asked({})).edit_controls(before)
    newest = before.history[-1] if before.history else before.id
    until = datetime.fromisoformat(controls["editable_until"])
    over = call.net.now() >= until or not controls["edits_remaining"]
    if (
        before.author != call.me.id
        or call.me.subscription == "None"
        or newest != before.id
        or over
        or not controls["is_edit_eligible"]
    ):
        raise forbidden("You are not permitted to edit this Post.")
    return before


def _must_be_allowed(call: Call, text: str, answered: Post | None, quotes: str) -> None:
    """What X keeps from apps that pay per use: answers to whom nobody called us, quotes, a second cashtag."""
    if call.app.plan == "enterprise":
        return
    if quotes:
        raise not_in_plan("Quoting Posts via the API is not available to your access level.")
    if len(CASHTAG.findall(text)) > 1:
        raise forbidden("Posts created via the API are limited to 1 cashtag.")
    if answered is None or answered.author == call.me.id or call.me.id in answered.mentions:
        return
    quoted = call.net.state.posts.get(answered.quotes)
    if quoted is None or quoted.author != call.me.id:
        raise forbidden(NOT_SUMMONED)


def _must_be_new(call: Call, text: str, media: bool) -> None:
    if media:
        return
    since = call.net.now() - rules.SAME_TEXT
    for which in reversed(call.me.posts[-200:]):
        one = call.net.state.posts[which]
        if one.created_at >= since and not one.media and " ".join(one.text.split()) == " ".join(text.split()):
            raise forbidden(DUPLICATE)


def _media(call: Call, fields: dict[str, Any]) -> list[str]:
    ids = [str(one) for one in (fields.get("media") or {}).get("media_ids", ())]
    if len(ids) > rules.MOST_MEDIA:
        raise invalid("$.media.media_ids: there must be a maximum of 4 items in the array")
    found = [call.net.state.media.get(one) for one in ids]
    now = call.net.now()
    for one in found:
        if one is None or one.owner != call.me.id or one.until < now or one.category == "subtitles":
            raise invalid(BAD_MEDIA)
        if one.ready_at is None or one.ready_at > now or one.failed:
            raise invalid(BAD_MEDIA)
    if len(ids) > 1 and any(one is not None and one.kind != "photo" for one in found):
        raise invalid("You may attach up to 4 photos, 1 animated GIF or 1 video in a Post.")
    return ids


def _beside_media(call: Call, fields: dict[str, Any], media: list[str]) -> tuple[list[str], str]:
    """Who is in the pictures, and the picture that stands for a video."""
    wish, state = fields.get("media") or {}, call.net.state
    people, cover = [str(one) for one in wish.get("tagged_user_ids", ())], str(wish.get("preview_media_id") or "")
    kinds = {state.media[one].kind for one in media}
    if len(people) > 10 or any(one not in state.users for one in people) or (people and kinds != {"photo"}):
        raise invalid("$.media.tagged_user_ids: names somebody who cannot be tagged")
    shown = state.media.get(cover)
    if cover and (shown is None or shown.owner != call.me.id or shown.kind != "photo" or "video" not in kinds):
        raise invalid(BAD_MEDIA)
    return people, cover


def _place(fields: dict[str, Any]) -> str:
    place = str((fields.get("geo") or {}).get("place_id") or "")
    if place and not PLACE.fullmatch(place):
        raise invalid(f"$.geo.place_id: [{place}] is not a place id")
    return place


def _poll(call: Call, fields: dict[str, Any]) -> Poll | None:
    wish = fields.get("poll")
    if not wish:
        return None
    options, minutes = [str(one) for one in wish.get("options", ())], int(wish.get("duration_minutes") or 0)
    if not 2 <= len(options) <= 4:
        raise invalid("$.poll.options: there must be a minimum of 2 and a maximum of 4 items in the array")
    if any(not 1 <= len(one) <= 25 for one in options):
        raise invalid("$.poll.options: may only be 25 characters long")
    if not 5 <= minutes <= 10_080:
        raise invalid("$.poll.duration_minutes: must have a minimum value of 5 and a maximum value of 10080")
    ends_at = call.net.now() + timedelta(minutes=minutes)
    return Poll(call.net.new_id(), options, [0] * len(options), minutes, ends_at)


def _answered(call: Call, fields: dict[str, Any]) -> Post | None:
    wanted = str((fields.get("reply") or {}).get("in_reply_to_tweet_id") or "")
    if not wanted:
        return None
    found = call.net.state.posts.get(wanted)
    if found is None:
        raise forbidden("You attempted to reply to a Tweet that is deleted or not visible to you.")
    return found


# Reading


def _shows(call: Call) -> Shows:
    return Shows(call.net, call.me.id, asked(call.query))


async def show(call: Call) -> Any:
    shows = _shows(call)
    post = call.net.state.posts.get(call.id)
    if post is None:
        gone = {**not_there("tweet", call.id), "parameter": "id"}
        return shows.named({"errors": [{**gone, "detail": f"Could not find tweet with id: [{call.id}]."}]})
    page = shows.page([post])
    return shows.named({**page, "data": page["data"][0]})


async def several(call: Call) -> Any:
    ids = [one for one in call.query.get("ids", "").split(",") if one]
    if not 1 <= len(ids) <= 100:
        raise invalid("The `ids` query parameter must have between 1 and 100 items")
    posts = call.net.state.posts
    missing = [not_there("tweet", one) for one in ids if one not in posts]
    shows = _shows(call)
    return shows.named(shows.page((posts[one] for one in ids if one in posts), errors=missing))


async def timeline(call: Call) -> Any:
    user = call.net.user_by_id(call.id)
    excluded = call.query.get("exclude", "").split(",")
    posts = [call.net.state.posts[one] for one in user.posts]
    rows = [one for one in posts if call.net.listed(one.created_at) and not ("replies" in excluded and one.reply_to)]
    return _paged(call, rows)


async def mentions(call: Call) -> Any:
    call.must_be_me()
    return _paged(call, [call.net.state.posts[one] for one in call.me.named_in[-800:]])


async def search(call: Call) -> Any:
    """``conversation_id:123`` and plain words."""
    words = call.query.get("query", "").split()
    if not words:
        raise invalid("The `query` query parameter can not be empty")

    def fits(post: Post) -> bool:
        return all(
            post.conversation == word.partition(":")[2] if word.startswith("conversation_id:") else word in post.text
            for word in words
        )

    return _paged(call, [one for one in call.net.state.posts.values() if fits(one) and call.net.listed(one.created_at)])


def _paged(call: Call, rows: list[Post]) -> Any:
    """Newest first, from ``rows`` oldest first; X's token is where the next page begins."""
    query, shows = call.query, _shows(call)
    limit = int(query.get("max_results") or 10)
    if not 5 <= limit <= 100:
        raise invalid(f"The `max_results` query parameter value [{limit}] is not between 5 and 100")
    since, until = int(query.get("since_id") or 0), int(query.get("until_id") or 0)
    begin, end = _moment(query.get("start_time")), _moment(query.get("end_time"))
    rows = [
        one
        for one in reversed(rows)
        if int(one.id) > since
        and (not until or int(one.id) < until)
        and (begin is None or one.created_at >= begin)
        and (end is None or one.created_at < end)
    ]
    token = query.get("pagination_token") or query.get("next_token") or ""
    first = int(token.removeprefix("page0000000000")) if token else 0
    some, rest = rows[first : first + limit], rows[first + limit :]
    body = shows.page(some)
    body["meta"] = {
        "result_count": len(some),
        **({"newest_id": some[0].id, "oldest_id": some[-1].id} if some else {}),
        **({"next_token": f"page0000000000{first + limit}"} if rest else {}),
    }
    return shows.named(body)


def _moment(value: str | None) -> datetime | None:
    if not value:
        return None
    try:
        return datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        raise invalid(f"The value [{value}] is not a valid RFC 3339 time") from None


async def liking(call: Call) -> Any:
    shows, post = _shows(call), call.net.post(call.id)
    rows = [shows.user(call.net.state.users[one]) for one in sorted(post.liked_by)]
    return shows.named({**({"data": rows} if rows else {}), "meta": {"result_count": len(rows)}})


async def quoting(call: Call) -> Any:
    return _paged(call, [one for one in call.net.state.posts.values() if one.quotes == call.id])


# Afterwards


async def delete(call: Call) -> Any:
    post = call.net.state.posts.get(call.id)
    if post is None:
        raise not_found("tweet", call.id)
    if post.author != call.me.id:
        raise forbidden("You are not authorized to delete this Tweet.")
    call.net.remove(post)
    return {"data": {"deleted": True}}


async def hide(call: Call) -> Any:
    fields, post = await call.json(("hidden",)), call.net.post(call.id)
    if not isinstance(fields.get("hidden"), bool):
        raise invalid("$.hidden: is missing but it is required")
    root = call.net.state.posts.get(post.conversation)
    if root is None or root.author != call.me.id or post.id == root.id:
        raise forbidden("You are not permitted to hide this reply.")
    post.hidden = fields["hidden"]
    return {"data": {"hidden": post.hidden}}


async def like(call: Call) -> Any:
    call.must_be_me()
    post = call.net.post(str((await call.json(("tweet_id",))).get("tweet_id", "")))
    _only_enterprise(call)
    call.net.liked(call.me, post)
    return {"data": {"liked": True}}


async def unlike(call: Call) -> Any:
    call.must_be_me()
    _only_enterprise(call)
    post = call.net.post(call.request.match_info["tweet_id"])
    post.liked_by.discard(call.me.id)
    return {"data": {"liked": False}}


def _only_enterprise(call: Call) -> None:
    if call.app.plan != "enterprise":
        raise not_in_plan("Liking Posts via the API is not available to your access level.")
