"""Changing a post that is out. Source: x-api/fundamentals/edit-posts of docs.x.com, openapi 2.167.

Each change is a post of its own with an id of its own; together they are one chain, whose newest people see. X says of
each post until when and how often it can still be changed, so we ask and hold to that.
"""

from __future__ import annotations

from typing import Any

from regie.networks.data import Outgoing, Progress, Published, Ref
from regie.networks.errors import Refused
from regie.networks.line import Answer
from regie.networks.x import limits
from regie.networks.x.entities import NewPost, OnePost, Post
from regie.networks.x.publishing import address_of, fields_of, is_direct, not_shown, refuse_what_is_absent
from regie.networks.x.reading import words_of
from regie.networks.x.wire import NETWORK, Wire, parsed, written

KEPT = ("text", "media", "made_with_ai", "paid_partnership")  # the rest stays as it was
OF_POST = "created_at,entities,note_post,edit_controls"


async def edit(wire: Wire, ref: Ref, outgoing: Outgoing, progress: Progress) -> Published:
    """The post as changed, under its new id; ``extra["replaces"]`` is the id it had.

    When an earlier try was done and its answer lost, the newest of the chain says this already: nothing is sent again.
    """
    if not limits.can_on(wire.login.limits).edit:
        raise Refused("{network} lets only accounts with Premium edit their posts.", network=NETWORK)
    if is_direct(ref) or outgoing.poll is not None:
        raise Refused("{network} lets neither polls nor direct messages be edited.", network=NETWORK)
    refuse_what_is_absent(wire, outgoing)
    newest, answer = await _shown(wire, ref.remote_id)
    if newest.history and newest.history[-1] != newest.id:
        newest, answer = await _shown(wire, newest.history[-1])
    extra = {"replaces": ref.remote_id}
    if newest.id != ref.remote_id and words_of(newest) == outgoing.text:
        url = address_of(wire, newest.id)
        return Published(remote_id=newest.id, url=url, at=newest.created_at, extra=extra, answer=answer)
    _must_let(newest, answer)
    fields: dict[str, Any] = {name: one for name, one in fields_of(outgoing, progress).items() if name in KEPT}
    fields["edit_options"] = {"previous_post_id": newest.id}
    answer = await wire.publish("/2/tweets", fields, addressed=True)
    made = written(answer, NewPost).data
    return Published(remote_id=made.id, url=address_of(wire, made.id), at=answer.date, extra=extra, answer=answer)


async def _shown(wire: Wire, post_id: str) -> tuple[Post, Answer]:
    answer = await wire.get(f"/2/tweets/{post_id}", {"post.fields": OF_POST}, addressed=True)
    found = parsed(answer, OnePost)
    return found.data or not_shown(found.errors, answer), answer


def _must_let(post: Post, answer: Answer) -> None:
    """What X does not say, it is left to refuse."""
    told = post.edit_controls
    over = told.editable_until is not None and told.editable_until <= answer.now
    if over or told.edits_remaining == 0:
        raise Refused("{network} no longer lets this post be edited.", network=NETWORK, answer=answer)
    if told.is_edit_eligible is False:
        raise Refused("{network} does not let a post like this be edited.", network=NETWORK, answer=answer)
