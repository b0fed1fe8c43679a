"""Comments and messages, each once; answers; numbers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Outgoing, Published, Ref
from regie.networks.errors import Refused, TryLater, Unclear
from regie.networks.vk.connector import Vk as Connector
from regie_sandbox.vk.app import Vk


async def posted(connector: Connector, text: str = "Open today", key: str = "k1", **more: Any) -> Published:
    what = Outgoing(key=key, text=text, planned_at=datetime.now(UTC), **more)
    out = await connector.commit(what, {})
    assert isinstance(out, Published)
    return out


def ref_to(message: Incoming) -> Ref:
    return Ref(remote_id=message.remote_id, root_id=message.conversation_id, extra=message.extra)


async def test_a_comment_and_an_answer_below_it_come_once(connector: Connector, vk: Vk) -> None:
    post = await posted(connector)
    comment = vk.say(by="Ana Belle", text="Until when?", to=post.remote_id)
    vk.say(by="Ben Colin", text="Until six, I think", to=comment)
    first = await connector.messages(cursor="")
    ana, ben = first.messages
    assert (ana.by.name, ana.by.handle, ana.text, ana.kind) == (
        "Ana Belle", "@ana_belle", "Until when?", MessageKind.COMMENT,
    )  # fmt: skip
    assert (ben.reply_to_id, ben.conversation_id) == (comment, post.remote_id)
    assert (await connector.messages(cursor=first.cursor)).messages == ()
    vk.say(by="Ana Belle", text="Thanks", to=post.remote_id)
    later = await connector.messages(cursor=first.cursor)
    assert [one.text for one in later.messages] == ["Thanks"]
    assert (await connector.messages(cursor=first.cursor)).messages == later.messages


async def test_posts_whose_comments_are_as_they_were_are_not_asked_again(connector: Connector, vk: Vk) -> None:
    post = await posted(connector)
    vk.say(by="Ana", text="Until when?", to=post.remote_id)
    cursor = (await connector.messages(cursor="")).cursor
    vk.faults.will_answer(503, path="getComments")  # would be met if it were asked
    assert (await connector.messages(cursor=cursor)).messages == ()
    assert not vk.faults.quiet


async def test_our_own_comments_and_deleted_ones_are_not_news(connector: Connector, vk: Vk) -> None:
    post = await posted(connector)
    to = Ref(remote_id=post.remote_id, extra=post.extra)
    await posted(connector, "First", "k2", reply_to=to)
    gone = vk.say(by="Ana", text="Spam", to=post.remote_id)
    vk.state.comments[f"{gone.split('_')[0]}_{gone.split('_')[2]}"].deleted = True
    assert (await connector.messages(cursor="")).messages == ()


async def test_a_comment_whose_answer_was_lost_is_found_and_one_that_never_came_is_not(
    connector: Connector, vk: Vk
) -> None:
    post = await posted(connector)
    to, now = Ref(remote_id=post.remote_id, extra=post.extra), datetime.now(UTC)
    what = Outgoing(key="k2", text="The link is  here", planned_at=now, reply_to=to)
    with pytest.raises(TryLater):  # too early to say
        await connector.comment_found(what)
    vk.faults.will_lose_answer(path="createComment")
    with pytest.raises(Unclear):
        await connector.commit(what, {})
    vk.say(by="Ana", text="The link is here", to=post.remote_id)  # the same words, and not ours
    found = await connector.comment_found(what)
    assert found is not None
    (ours,) = [one for one in vk.state.comments.values() if one.author < 0]
    assert found.remote_id == f"{post.remote_id}_{ours.id}"
    late = replace(what, text="Another", planned_at=now - timedelta(hours=1))
    assert await connector.comment_found(late) is None


@pytest.mark.parametrize("admin", [True, False])
async def test_a_direct_message_is_read_and_answered(signed_in: Callable[..., Connector], vk: Vk, admin: bool) -> None:
    connector = signed_in(admin=admin)
    vk.say(by="Ana Belle", text="Do you deliver?", kind="direct", to="regie")
    vk.say(by="Ana Belle", text="To Lyon", kind="direct", to="regie")
    page = await connector.messages(cursor="")
    assert [(one.kind, one.text) for one in page.messages] == [
        (MessageKind.DIRECT, "Do you deliver?"), (MessageKind.DIRECT, "To Lyon"),
    ]  # fmt: skip
    answer = await posted(connector, "We do", "k2", reply_to=ref_to(page.messages[0]))
    again = await posted(connector, "We do", "k2", reply_to=ref_to(page.messages[0]))
    assert answer.remote_id == again.remote_id
    assert [one.text for one in vk.state.messages if one.out] == ["We do"]
    assert (await connector.messages(cursor=page.cursor)).messages == ()


@pytest.mark.parametrize("admin", [True, False])
async def test_on_an_open_line_news_come_at_once_and_once(
    signed_in: Callable[..., Connector], vk: Vk, admin: bool
) -> None:
    connector = signed_in(admin=admin)
    post = await posted(connector)
    vk.say(by="Ben", text="Before you listened", kind="direct", to="regie")
    first = await connector.next_messages(cursor="", seconds=0)
    assert [one.text for one in first.messages] == ["Before you listened"]
    waiting = asyncio.create_task(connector.next_messages(cursor=first.cursor, seconds=20))
    await asyncio.sleep(0.1)
    vk.say(by="Ana Belle", text="Until when?", to=post.remote_id)
    heard = await asyncio.wait_for(waiting, 5)
    (one,) = heard.messages
    assert (one.text, one.by.name, one.by.handle, one.post_id) == (
        "Until when?", "Ana Belle", "@ana_belle", post.remote_id,
    )  # fmt: skip
    assert (await connector.next_messages(cursor=first.cursor, seconds=0)).messages == heard.messages
    assert (await connector.next_messages(cursor=heard.cursor, seconds=0)).messages == ()
    assert (await connector.messages(cursor=heard.cursor)).messages == ()
    vk.say(by="Ana Belle", text="Hello?", kind="direct", to="regie")
    later = await connector.next_messages(cursor=heard.cursor, seconds=5)
    assert [one.text for one in later.messages] == ["Hello?"]


async def test_what_was_forgotten_on_the_line_is_looked_for(connector: Connector, vk: Vk) -> None:
    post = await posted(connector)
    first = await connector.next_messages(cursor="", seconds=0)
    vk.say(by="Ana", text="Until when?", to=post.remote_id)
    (group,) = vk.state.groups.values()
    group.forgotten = len(group.news)
    page = await connector.next_messages(cursor=first.cursor, seconds=0)
    assert [one.text for one in page.messages] == ["Until when?"]
    assert (await connector.next_messages(cursor=page.cursor, seconds=0)).messages == ()


async def test_a_comment_taken_back_is_told_and_our_own_are_not_news(connector: Connector, vk: Vk) -> None:
    post = await posted(connector)
    first = await connector.next_messages(cursor="", seconds=0)
    ours = await posted(connector, "First", "k2", reply_to=Ref(remote_id=post.remote_id, extra=post.extra))
    await connector.delete(Ref(remote_id=ours.remote_id, extra=ours.extra))
    page = await connector.next_messages(cursor=first.cursor, seconds=0)
    assert (page.messages, page.gone) == ((), (ours.remote_id,))


async def test_where_the_line_is_turned_off_reading_goes_on_without(
    signed_in: Callable[..., Connector], vk: Vk
) -> None:
    vk.state.keys[vk.ready_account()["credentials"]["community_key"]].rights.remove("manage")
    with pytest.raises(Refused, match="not enabled"):
        await signed_in().next_messages(cursor="", seconds=0)


async def test_nobody_is_written_to_who_did_not_write_first(connector: Connector, vk: Vk) -> None:
    stranger = vk.person("Stranger").id
    with pytest.raises(Refused, match="permission"):
        await posted(connector, "Hello", reply_to=Ref(remote_id="direct:1", extra={"kind": "direct", "peer": stranger}))


async def test_a_comment_is_liked_and_a_message_is_not(connector: Connector, vk: Vk) -> None:
    post = await posted(connector)
    vk.say(by="Ana", text="Lovely", to=post.remote_id)
    vk.say(by="Ana", text="Hello", kind="direct", to="regie")
    comment, message = sorted((await connector.messages(cursor="")).messages, key=lambda one: one.kind)
    liked = await connector.like(ref_to(comment))
    (kept,) = vk.state.comments.values()
    assert len(kept.likes) == 1
    await connector.unlike(ref_to(comment), liked)
    assert not kept.likes
    with pytest.raises(Refused):
        await connector.like(ref_to(message))


async def test_numbers_are_those_the_vendor_tells(connector: Connector, vk: Vk) -> None:
    post = await posted(connector)
    vk.like(by="ana", post_id=post.remote_id)
    vk.share(by="ben", post_id=post.remote_id)
    vk.say(by="ben", text="Lovely", to=post.remote_id)
    refs = [Ref(remote_id=post.remote_id), Ref(remote_id=f"{post.remote_id.split('_')[0]}_1")]
    found = await connector.post_samples(refs)
    assert found == {post.remote_id: {"likes": 1, "shares": 1, "replies": 1, "views": 7, "reach": 6, "link_clicks": 1}}
    vk.tells_reach = False
    assert (await connector.post_samples(refs))[post.remote_id]["reach"] is None


async def test_the_communitys_last_whole_day(connector: Connector, vk: Vk) -> None:
    post = await posted(connector)
    vk.like(by="ana", post_id=post.remote_id)
    vk.state.posts[post.remote_id].made_at -= timedelta(days=1)
    vk.follow(by="ana", account="regie")
    assert await connector.account_samples() == {"followers": 1, "posts": 1, "views_day": 7, "reach_day": 3}
    vk.state.keys[vk.ready_account()["credentials"]["admin_key"]].rights.remove("stats")
    assert (await connector.account_samples())["views_day"] is None
