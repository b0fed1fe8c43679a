"""Hiding answers under our own posts: the thread's gate, written only over what was read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from regie.networks.bluesky.connector import Bluesky as Connector
from regie.networks.data import Outgoing, Published, Ref
from regie.networks.errors import Refused, TryLater
from regie_sandbox.bluesky.app import Bluesky

Makes = Callable[..., Outgoing]


@pytest.fixture
async def post(connector: Connector, outgoing: Makes) -> Published:
    return await connector.commit(outgoing("Quelle couleur ?"), {})


def gate_of(bluesky: Bluesky, post: Published) -> Any:
    record = bluesky.state.records.get(post.remote_id.replace("app.bsky.feed.post", "app.bsky.feed.threadgate"))
    return record.value if record is not None else None


async def refs(connector: Connector) -> list[Ref]:
    found = (await connector.messages(cursor="")).messages
    return [Ref(remote_id=one.remote_id, root_id=one.conversation_id, extra=one.extra) for one in found]


async def test_hidden_answers_are_listed_beside_the_first_post_and_come_back(
    connector: Connector, bluesky: Bluesky, post: Published
) -> None:
    spam = bluesky.say(by="Bob", text="Achetez !", to=post.remote_id)
    deep = bluesky.say(by="Bob", text="Achetez encore !", to=spam)
    kind = bluesky.say(by="Léa", text="Bleu", to=post.remote_id)
    for ref in (await refs(connector))[:2]:
        await connector.hide(ref)
        await connector.hide(ref)
    gate = gate_of(bluesky, post)
    assert (gate["post"], gate["hiddenReplies"], "allow" in gate) == (post.remote_id, [spam, deep], False)
    assert [bluesky.state.records[one].hidden for one in (spam, deep, kind)] == [True, True, False]

    await connector.unhide(Ref(remote_id=spam))  # who knows nothing of the thread asks for it
    await connector.unhide(Ref(remote_id=spam, root_id=post.remote_id))
    assert gate_of(bluesky, post)["hiddenReplies"] == [deep]
    assert not bluesky.state.records[spam].hidden


async def test_who_may_answer_stays_as_somebody_set_it(connector: Connector, bluesky: Bluesky, post: Published) -> None:
    rules = [{"$type": "app.bsky.feed.threadgate#followingRule"}]
    did, _, rkey = post.remote_id.removeprefix("at://").split("/")
    value = {"$type": "app.bsky.feed.threadgate", "post": post.remote_id, "createdAt": "2026-11-01T09:00:00.000Z"}
    bluesky.store.put(did, "app.bsky.feed.threadgate", rkey, {**value, "allow": rules})
    spam = bluesky.say(by="Bob", text="Achetez !", to=post.remote_id)
    await connector.hide(Ref(remote_id=spam, root_id=post.remote_id))
    assert gate_of(bluesky, post) == {**value, "allow": rules, "hiddenReplies": [spam]}


@pytest.mark.parametrize("taken", [True, False])
async def test_a_lost_answer_may_be_asked_for_again(
    connector: Connector, bluesky: Bluesky, post: Published, taken: bool
) -> None:
    spam = Ref(remote_id=bluesky.say(by="Bob", text="Achetez !", to=post.remote_id), root_id=post.remote_id)
    bluesky.faults.will_lose_answer(path="putRecord") if taken else bluesky.faults.will_drop(path="putRecord")
    with pytest.raises(TryLater):
        await connector.hide(spam)
    await connector.hide(spam)
    assert gate_of(bluesky, post)["hiddenReplies"] == [spam.remote_id]


async def test_somebody_elses_change_meanwhile_is_kept(connector: Connector, bluesky: Bluesky, post: Published) -> None:
    first = bluesky.say(by="Bob", text="Achetez !", to=post.remote_id)
    second = bluesky.say(by="Bob", text="Achetez encore !", to=post.remote_id)
    await connector.hide(Ref(remote_id=first, root_id=post.remote_id))
    bluesky.faults.will_answer(400, path="putRecord", body={"error": "InvalidSwap", "message": "Record was at bafy"})
    await connector.hide(Ref(remote_id=second, root_id=post.remote_id))
    assert gate_of(bluesky, post)["hiddenReplies"] == [first, second]
    busy = {"error": "InvalidSwap", "message": "Record was at bafy"}
    bluesky.faults.will_answer(400, path="putRecord", body=busy, times=3)
    with pytest.raises(TryLater):
        await connector.unhide(Ref(remote_id=first, root_id=post.remote_id))


async def test_only_answers_under_our_own_posts_can_be_hidden(
    connector: Connector, bluesky: Bluesky, post: Published
) -> None:
    theirs = bluesky.say(by="Léa", text="Chez moi")
    answer = bluesky.say(by="Bob", text="Joli", to=theirs)
    for one in (Ref(remote_id=answer), Ref(remote_id=theirs), Ref(remote_id=post.remote_id)):
        with pytest.raises(Refused, match="own"):
            await connector.hide(one)


async def test_the_three_hundred_and_first_is_refused(connector: Connector, bluesky: Bluesky, post: Published) -> None:
    did, _, rkey = post.remote_id.removeprefix("at://").split("/")
    many = [f"at://{did}/app.bsky.feed.post/3k{number:011d}" for number in range(300)]
    value = {"$type": "app.bsky.feed.threadgate", "post": post.remote_id, "createdAt": "2026-11-01T09:00:00.000Z"}
    bluesky.store.put(did, "app.bsky.feed.threadgate", rkey, {**value, "hiddenReplies": many})
    spam = bluesky.say(by="Bob", text="Achetez !", to=post.remote_id)
    with pytest.raises(Refused, match="300"):
        await connector.hide(Ref(remote_id=spam, root_id=post.remote_id))
