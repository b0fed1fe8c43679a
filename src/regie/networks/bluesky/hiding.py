"""Hiding answers under our own posts. Source: lexicon app.bsky.feed.threadgate.

The list of hidden answers is a record beside the thread's first post, under the same key. It is written only over what
was read (``swapRecord``), so that nobody's change is lost and the same again changes nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from regie.networks.bluesky.beside import REPLY_GATE as GATE
from regie.networks.bluesky.models import Kept, PostRecord
from regie.networks.bluesky.wire import NETWORK, POST, Xrpc, error_name, parts_of, record_at
from regie.networks.data import Ref
from regie.networks.errors import Gone, Refused, TryLater

MOST_HIDDEN = 300
TRIES = 3


async def hide(xrpc: Xrpc, ref: Ref, *, hidden: bool) -> None:
    """Raises Refused where the thread is not ours."""
    root = await _root(xrpc, ref)
    did, collection, rkey = parts_of(root)
    if did != xrpc.did or collection != POST or root == ref.remote_id:
        raise Refused("{network} hides only answers under posts of one's own.", network=NETWORK)
    for _ in range(TRIES):
        gate = await _gate(xrpc, rkey)
        value = dict(gate.value) if gate is not None else _new_gate(root)
        listed = [str(one) for one in value.get("hiddenReplies") or ()]
        if (ref.remote_id in listed) is hidden:
            return
        if hidden and len(listed) >= MOST_HIDDEN:
            raise Refused("{network} hides at most 300 answers under a post.", network=NETWORK)
        value["hiddenReplies"] = [*listed, ref.remote_id] if hidden else [one for one in listed if one != ref.remote_id]
        if await _written(xrpc, rkey, value, over=gate.cid if gate is not None else None):
            return
    raise TryLater("{network} is changing this at the same moment.", network=NETWORK)


async def _root(xrpc: Xrpc, ref: Ref) -> str:
    """The first post of the thread that an answer is in."""
    if isinstance(known := ref.extra.get("root"), dict) and known.get("uri"):
        return str(known["uri"])
    if ref.root_id.startswith("at://"):
        return ref.root_id
    reply = PostRecord.model_validate((await record_at(xrpc, ref.remote_id)).value).reply
    return reply.root.uri if reply is not None else ref.remote_id


async def _gate(xrpc: Xrpc, rkey: str) -> Kept | None:
    try:
        return await record_at(xrpc, f"at://{xrpc.did}/{GATE}/{rkey}")
    except Gone:
        return None


def _new_gate(root: str) -> dict[str, Any]:
    """Without ``allow``: everybody may still answer."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"$type": GATE, "post": root, "createdAt": now}


async def _written(xrpc: Xrpc, rkey: str, value: dict[str, Any], *, over: str | None) -> bool:
    """False when somebody wrote meanwhile."""
    body = {"repo": xrpc.did, "collection": GATE, "rkey": rkey, "swapRecord": over, "record": value}
    try:
        await xrpc.procedure("com.atproto.repo.putRecord", repeatable=True, json=body)
    except Refused as refused:
        if error_name(refused) == "InvalidSwap":
            return False
        raise
    return True
