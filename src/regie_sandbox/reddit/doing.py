"""What is done to posts, comments and messages that are there. Source: recordings TestComment and TestSubmission."""

from __future__ import annotations

from typing import Any

from regie_sandbox.reddit.call import Call
from regie_sandbox.reddit.rules import LONGEST_COMMENT, LONGEST_TEXT, No, Problem
from regie_sandbox.reddit.state import Comment, Post


async def comment(call: Call) -> Any:
    fields = await call.fields()
    parent, text = str(fields.get("thing_id", "")), str(fields.get("text") or "")
    if not text.strip():
        raise No("NO_TEXT", "we need something here", "text")
    if len(text) > LONGEST_COMMENT:
        raise No("TOO_LONG", f"this is too long (max: {LONGEST_COMMENT})", "text")
    state, net = call.net.state, call.net
    if parent.startswith("t4_"):
        call.must("privatemessages")
    else:
        call.must("submit")
    if (message := state.messages.get(parent)) is not None:
        if call.me.name not in (message.author, message.to):
            raise Problem(403)
        to = message.author if message.author != call.me.name else message.to
        made = net.write(call.me, net.person(to), message.subject, text, answers=message)
        return _things(call.shows.message(made))
    above = state.comments.get(parent)
    post = state.posts.get(above.post if above is not None else parent)
    if post is None:
        raise No("NO_THING_ID", "id not specified", "parent")
    if (above is not None and above.deleted) or post.removed == "deleted":
        raise No("DELETED_COMMENT" if above is not None else "DELETED_LINK", "that has been deleted", "parent")
    if call.me.name in net.community(post.community).banned:
        raise Problem(403)
    return _things(call.shows.comment(net.comment(call.me, parent, text)))


def _things(shown: dict[str, Any]) -> dict[str, Any]:
    return {"json": {"errors": [], "data": {"things": [shown]}}}


def _own(call: Call, name: str) -> Post | Comment | None:
    found = call.net.state.posts.get(name) or call.net.state.comments.get(name)
    if found is not None and found.author != call.me.name:
        raise Problem(403)
    return found


async def edit(call: Call) -> Any:
    fields = await call.fields()
    found, text = _own(call, str(fields.get("thing_id", ""))), str(fields.get("text") or "")
    if found is None:
        raise No("NO_THING_ID", "id not specified", "id")
    if isinstance(found, Post) and found.kind != "self" and not found.text:
        raise No("placeholder", "This post can't be edited", "text")
    if len(text) > (LONGEST_TEXT if isinstance(found, Post) else LONGEST_COMMENT):
        raise No("TOO_LONG", "this is too long", "text")
    found.text, found.edited_at = call.net.faults.rewritten(text), call.net.now()
    call.net.note(call.me, found.id, text, "edit")
    return _things(call.shows.post(found) if isinstance(found, Post) else call.shows.comment(found))


async def delete(call: Call) -> Any:
    fields = await call.fields()
    found = _own(call, str(fields.get("id", "")))
    if isinstance(found, Post) and found.removed != "deleted":
        found.removed = "deleted"
        call.net.note(call.me, found.id, "", "delete")
    if isinstance(found, Comment) and not found.deleted:
        found.deleted = True
        call.net.note(call.me, found.id, "", "delete")
    return {}


async def vote(call: Call) -> Any:
    fields = await call.fields()
    direction = str(fields.get("dir", ""))
    if direction not in ("1", "0", "-1"):
        raise Problem(400)
    votes = call.net.votes_on(str(fields.get("id", "")))
    if direction == "0":
        votes.pop(call.me.name, None)
    else:
        votes[call.me.name] = int(direction)
    call.net.world.changes += 1
    return {}


async def remove(call: Call) -> Any:
    return await _moderate(call, hidden=True)


async def approve(call: Call) -> Any:
    return await _moderate(call, hidden=False)


async def _moderate(call: Call, *, hidden: bool) -> Any:
    name = str((await call.fields()).get("id", ""))
    comment_ = call.net.state.comments.get(name)
    post = call.net.post(comment_.post if comment_ is not None else name)
    if not call.net.moderates(call.me.name, post.community):
        raise Problem(403)
    if comment_ is not None:
        comment_.hidden = hidden
    else:
        post.removed = "moderator" if hidden else ""
    call.net.world.changes += 1
    return {}


async def compose(call: Call) -> Any:
    fields = await call.fields()
    to = call.net.state.people.get(str(fields.get("to", "")).lower())
    if to is None:
        raise No("USER_DOESNT_EXIST", "that user doesn't exist", "to")
    if not fields.get("subject") or not fields.get("text"):
        raise No("NO_TEXT", "we need something here", "text")
    call.net.write(call.me, to, str(fields["subject"]), str(fields["text"]))
    return {"json": {"errors": []}}


async def read_message(call: Call) -> Any:
    names = set(str((await call.fields()).get("id", "")).split(","))
    for notice in call.me.inbox:
        notice.new = notice.new and notice.name not in names
    return {}
