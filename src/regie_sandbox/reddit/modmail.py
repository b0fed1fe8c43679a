"""What people write to communities, for their moderators. Source: recordings of modmail; of the list: PRAW."""

from __future__ import annotations

from typing import Any

from regie_sandbox.reddit.call import Call, truth
from regie_sandbox.reddit.rules import Missing, Problem
from regie_sandbox.reddit.state import Modmail, Said

LONGEST = 10_000


def _mine(call: Call) -> list[Modmail]:
    """Of the communities that the person moderates; what changed last comes first."""
    found = [one for one in call.net.state.modmail.values() if call.net.moderates(call.me.name, one.community)]
    return sorted(found, key=lambda one: (one.said[-1].at, int(one.id, 36)), reverse=True)


def _one(call: Call) -> Modmail:
    found = call.net.state.modmail.get(call.request.match_info["id"])
    if found is None:
        raise Missing
    if not call.net.moderates(call.me.name, found.community):
        raise Problem(403)
    return found


def _author(call: Call, one: Modmail, name: str) -> dict[str, Any]:
    is_mod = call.net.moderates(name, one.community)
    return {
        "name": name,
        "id": int(call.net.person(name).id[3:], 36),
        "isMod": is_mod,
        "isOp": name == one.person,
        "isParticipant": name == one.person,
        "isAdmin": False,
        "isHidden": False,
        "isDeleted": False,
    }


def _shown(call: Call, one: Modmail) -> dict[str, Any]:
    theirs = [each.at for each in one.said if each.author == one.person]
    ours = [each.at for each in one.said if each.author != one.person]
    return {
        "id": one.id,
        "subject": one.subject,
        "isAuto": False,
        "isInternal": False,
        "isRepliable": True,
        "isHighlighted": False,
        "owner": {"displayName": one.community, "type": "subreddit", "id": call.net.community(one.community).id},
        "participant": _author(call, one, one.person),
        "authors": [_author(call, one, name) for name in dict.fromkeys(each.author for each in one.said)],
        "objIds": [{"id": each.id, "key": "messages"} for each in one.said],
        "numMessages": len(one.said),
        "state": 1 if ours else 0,
        "lastUserUpdate": theirs[-1].isoformat() if theirs else None,
        "lastModUpdate": ours[-1].isoformat() if ours else None,
        "lastUpdated": one.said[-1].at.isoformat(),
        "lastUnread": None,
    }


def _messages(call: Call, one: Modmail) -> dict[str, Any]:
    return {
        each.id: {
            "id": each.id,
            "body": f'<!-- SC_OFF --><div class="md"><p>{each.text}</p>\n</div><!-- SC_ON -->',
            "bodyMarkdown": each.text,
            "author": _author(call, one, each.author),
            "isInternal": each.internal,
            "date": each.at.isoformat(),
        }
        for each in one.said
    }


async def conversations(call: Call) -> Any:
    rows, after = _mine(call), call.query.get("after", "")
    ids = [one.id for one in rows]
    begin = ids.index(after) + 1 if after in ids else 0
    some = rows[begin : begin + call.limit]
    last = {one.id: _messages(call, one)[one.said[-1].id] for one in some}
    only_last = {one.id: [{"id": one.said[-1].id, "key": "messages"}] for one in some}
    shown = {one.id: {**_shown(call, one), "objIds": only_last[one.id], "legacyFirstMessageId": None} for one in some}
    return {
        "conversations": shown,
        "conversationIds": [one.id for one in some],
        "messages": {said["id"]: said for said in last.values()},
        "viewerId": call.me.id,
    }


async def conversation(call: Call) -> Any:
    one = _one(call)
    return {"conversation": _shown(call, one), "messages": _messages(call, one), "modActions": {}}


async def answer(call: Call) -> Any:
    one, fields = _one(call), await call.fields()
    text = str(fields.get("body") or "")
    if not text.strip() or len(text) > LONGEST:
        raise Problem(400)
    made = Said(call.net.new_id(), call.me.name, text, call.net.now(), truth(fields.get("isInternal")))
    one.said.append(made)
    call.net.note(call.me, made.id, text, "reply")
    return {"conversation": {**_shown(call, one), "modActions": {}}, "messages": _messages(call, one)}
