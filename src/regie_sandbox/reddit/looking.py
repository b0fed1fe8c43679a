"""What is asked: who we are, what a community wants, listings, the inbox. Source: the connector's notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regie_sandbox.reddit.call import Call
from regie_sandbox.reddit.rules import Problem
from regie_sandbox.reddit.state import Community, Notice, Post

KINDS = {
    "inbox": ("post_reply", "comment_reply", "username_mention", "unknown"),
    "unread": ("post_reply", "comment_reply", "username_mention", "unknown"),
    "messages": ("unknown",),
    "comments": ("comment_reply",),
    "selfreply": ("post_reply",),
    "mentions": ("username_mention",),
}


async def me(call: Call) -> Any:
    return call.shows.myself(call.me)


async def karma(call: Call) -> Any:
    rows: dict[str, int] = {}
    for post in call.net.state.posts.values():
        if post.author == call.me.name:
            rows[post.community] = rows.get(post.community, 0) + sum(post.votes.values())
    data = [{"sr": name, "comment_karma": 0, "link_karma": votes} for name, votes in rows.items()]
    return {"kind": "KarmaList", "data": data}


def _community(call: Call) -> Community:
    """Of the path; a private one is closed to all but its members."""
    community = call.net.community(call.request.match_info["community"])
    if community.kind == "private" and call.me.name not in community.members | community.moderators:
        raise Problem(403, reason="private")
    return community


async def about(call: Call) -> Any:
    return call.shows.community(_community(call))


async def requirements(call: Call) -> Any:
    return call.shows.requirements(_community(call))


async def flairs(call: Call) -> Any:
    community = _community(call)
    if not community.flairs:
        raise Problem(403)
    return call.shows.flairs(community)


async def flair_choices(call: Call) -> Any:
    """For people, so without those of the moderators."""
    choices = [
        {
            "flair_css_class": "",
            "flair_template_id": one.id,
            "flair_text_editable": False,
            "flair_position": "right",
            "flair_text": one.text,
        }
        for one in _community(call).flairs
        if not one.mod_only
    ]
    none = {"flair_css_class": "", "flair_template_id": None, "flair_text": None, "flair_position": "right"}
    return {"current": none, "choices": choices}


async def mine(call: Call) -> Any:
    name, what = call.me.name, call.request.match_info["what"]
    there = call.net.state.communities.values()
    found = [one for one in there if name in (one.moderators if what == "moderator" else one.members)]
    return _page(call, [call.shows.community(one) for one in found])


async def info(call: Call) -> Any:
    """Things by their full names, in that order; what is not there is left out."""
    state, found = call.net.state, []
    for name in call.query.get("id", "").split(",")[:100]:
        if name in state.posts and _sees(call, state.posts[name]):
            found.append(call.shows.post(state.posts[name]))
        elif name in state.comments:
            found.append(call.shows.comment(state.comments[name]))
    return call.shows.listing(found)


def _sees(call: Call, post: Post) -> bool:
    """Files are worked on first. What was removed, its author and the moderators still see."""
    return call.net.now() >= post.shown_at


async def comments(call: Call) -> Any:
    post = call.net.post(f"t3_{call.request.match_info['post']}")
    shown = [call.shows.comment(call.net.state.comments[one]) for one in post.comments]
    return [call.shows.listing([call.shows.post(post)]), call.shows.listing(shown)]


async def of_person(call: Call) -> Any:
    """Newest first; without what was deleted."""
    net, what = call.net, call.request.match_info["what"]
    person = net.state.people.get(call.request.match_info["name"].lower())
    if person is None:
        raise Problem(404)
    found: list[tuple[Any, dict[str, Any]]] = []
    if what != "comments":
        own = (one for one in net.state.posts.values() if one.author == person.name and one.removed != "deleted")
        found += [(post.created_at, call.shows.post(post)) for post in own if net.listed(post)]
    if what != "submitted":
        said = (one for one in net.state.comments.values() if one.author == person.name and not one.deleted)
        found += [(one.created_at, call.shows.comment(one)) for one in said if net.listed(one)]
    found.sort(key=lambda row: (row[0], int(row[1]["data"]["id"], 36)), reverse=True)
    return _page(call, [shown for _, shown in found])


async def inbox(call: Call) -> Any:
    where = call.request.match_info["where"]
    if where == "sent":
        sent = [one for one in call.net.state.messages.values() if one.author == call.me.name]
        return _page(call, [call.shows.message(one) for one in reversed(sent)])
    if where not in KINDS:
        raise Problem(404)
    rows = [one for one in call.me.inbox if one.type in KINDS[where] and _is_there(call, one)]
    rows = [one for one in rows if where != "unread" or one.new]
    page = _page(call, [call.shows.notice(one) for one in reversed(rows)])
    if call.query.get("mark", "true").lower() == "true":
        for one in rows:
            one.new = False
    return page


def _is_there(call: Call, notice: Notice) -> bool:
    comment = call.net.state.comments.get(notice.name)
    return comment is None or not comment.deleted


def _page(call: Call, things: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """From ``after`` on, as many as asked for; the page's own ``after`` when there is more."""
    names = [one["data"]["name"] for one in things]
    after = call.query.get("after", "")
    begin = names.index(after) + 1 if after in names else 0
    some = things[begin : begin + call.limit]
    more = begin + len(some) < len(things)
    return call.shows.listing(some, some[-1]["data"]["name"] if more and some else None)
