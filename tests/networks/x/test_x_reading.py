"""What people say to us on X, our answers, and the numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from contracts import Recorder

from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Login, Picture, Poll, Ref
from regie.networks.errors import Refused, TryLater
from regie.networks.x.connector import X as Connector
from regie_sandbox.x.app import X

from .posting import outgoing, publish, ref_to


def answer_to(message: Incoming) -> Ref:
    return Ref(remote_id=message.remote_id, root_id=message.conversation_id, extra=message.extra)


async def test_mentions_answers_and_direct_messages_come_in_order(connector: Connector, x: X) -> None:
    post = await publish(connector, outgoing("Open today"))
    x.say(by="Ana Roux", text="Until when?", to=post.remote_id)
    x.say(by="Ben", text="do look at this", to="regie", kind="mention")
    x.say(by="Chloé", text="Salut & <merci>", to="regie", kind="direct")
    first = await connector.messages(cursor="")
    assert [(one.kind, one.text) for one in first.messages] == [
        (MessageKind.REPLY, "@regie Until when?"),
        (MessageKind.MENTION, "@regie do look at this"),
        (MessageKind.DIRECT, "Salut & <merci>"),
    ]
    reply, mention, direct = first.messages
    assert (reply.by.name, reply.by.handle, reply.by.url) == ("Ana Roux", "@Ana_Roux", f"{x.base}/Ana_Roux")
    assert (reply.post_id, reply.conversation_id, reply.reply_to_id) == (post.remote_id,) * 3
    assert (mention.post_id, mention.conversation_id) == ("", mention.remote_id)
    assert direct.conversation_id == f"direct:{x.conversation(x.user('Chloé').id, x.user('regie').id)}"
    assert (await connector.messages(cursor=first.cursor)).messages == ()


async def test_only_what_is_new_comes_again(connector: Connector, x: X) -> None:
    cursor = (await connector.messages(cursor="")).cursor
    heard = []
    for nth in range(3):
        x.say(by="ana", text=f"number {nth}", to="regie", kind="mention")
        x.say(by="ana", text=f"private {nth}", to="regie", kind="direct")
        page = await connector.messages(cursor=cursor)
        cursor = page.cursor
        heard.append([one.text for one in page.messages])
    assert heard == [[f"@regie number {nth}", f"private {nth}"] for nth in range(3)]


async def test_nothing_is_lost_when_much_was_said_at_once(connector: Connector, x: X) -> None:
    x.say(by="ana", text="before", to="regie", kind="mention")
    x.say(by="ana", text="before", to="regie", kind="direct")
    cursor = (await connector.messages(cursor="")).cursor
    for nth in range(230):
        x.say(by="ana", text=f"number {nth}", to="regie", kind="mention")
    for nth in range(25):
        x.say(by="ana", text=f"private {nth}", to="regie", kind="direct")
    page = await connector.messages(cursor=cursor)
    kinds = [one.kind for one in page.messages]
    assert (kinds.count(MessageKind.MENTION), kinds.count(MessageKind.DIRECT)) == (230, 25)
    assert not page.more


async def test_no_more_is_asked_for_than_is_new_as_each_message_costs_money(
    connector: Connector, x: X, recorder: Recorder
) -> None:
    for nth in range(30):
        x.say(by="ana", text=f"private {nth}", to="regie", kind="direct")
        x.say(by="ana", text=f"number {nth}", to="regie", kind="mention")
    cursor = (await connector.messages(cursor="")).cursor
    recorder.seen.clear()
    await connector.messages(cursor=cursor)
    assert sum(len(seen.answer.get("data", ())) for seen in recorder.seen) == 1


async def test_our_own_words_are_no_messages(connector: Connector, x: X) -> None:
    post = await publish(connector, outgoing("Open today"))
    await publish(connector, outgoing("Until six", reply_to=ref_to(post)))
    x.say(by="ana", text="hello", to="regie", kind="direct")
    (message,) = (await connector.messages(cursor="")).messages
    await publish(connector, outgoing("hello yourself", reply_to=answer_to(message)))
    assert [one.text for one in (await connector.messages(cursor="")).messages] == ["hello"]


async def test_direct_messages_that_may_not_be_read_do_not_stop_the_mentions(connector: Connector, x: X) -> None:
    x.say(by="ana", text="hello", to="regie", kind="mention")
    for status in (403, 429, 503):
        x.faults.will_answer(status, path="/dm_events")
        assert len((await connector.messages(cursor="")).messages) == 1
    x.say(by="ana", text="private", to="regie", kind="direct")
    page = await connector.messages(cursor="")
    x.faults.will_answer(429, path="/dm_events")
    again = await connector.messages(cursor=page.cursor)
    assert again.cursor == page.cursor
    assert (await connector.messages(cursor=again.cursor)).messages == ()


async def test_without_the_permission_direct_messages_are_not_asked_for(
    x: X, http: aiohttp.ClientSession, login: Login
) -> None:
    x.say(by="ana", text="private", to="regie", kind="direct")
    poor = Connector(http, replace(login, limits={**login.limits, "scopes": ["tweet.read", "users.read"]}))
    assert (await poor.messages(cursor="")).messages == ()


async def test_what_x_cannot_do_now_is_tried_later(connector: Connector, x: X) -> None:
    x.faults.will_answer(429, path="/mentions")
    with pytest.raises(TryLater) as slowed:
        await connector.messages(cursor="")
    assert slowed.value.not_before is not None


async def test_an_answer_carries_our_words_and_is_found_by_them(connector: Connector, x: X) -> None:
    post = await publish(connector, outgoing("Open today"))
    x.say(by="ana", text="Until when?", to=post.remote_id)
    (message,) = (await connector.messages(cursor="")).messages
    answer = await publish(connector, outgoing("Until six", reply_to=answer_to(message)))
    assert x.post(answer.remote_id).reply_to == message.remote_id
    x.post(answer.remote_id).text = "@ana Until six"  # as X puts the name before it
    listing = await connector.own_posts(since=datetime.now(UTC) - timedelta(hours=1))
    texts = [(one.text, one.reply_to_id) for one in listing.seen if one.remote_id == answer.remote_id]
    assert texts == [("@ana Until six", message.remote_id), ("Until six", message.remote_id)]


async def test_a_first_comment_whose_answer_was_lost_is_found_or_known_to_be_absent(connector: Connector, x: X) -> None:
    post = await publish(connector, outgoing("Open today"))
    what = outgoing("Details: https://a.example/x", reply_to=ref_to(post))
    with pytest.raises(TryLater) as early:
        await connector.comment_found(what)
    assert early.value.not_before == what.planned_at + timedelta(minutes=2)
    old = replace(what, planned_at=datetime.now(UTC) - timedelta(minutes=3))
    assert await connector.comment_found(old) is None
    there = await publish(connector, what)
    found = await connector.comment_found(what)
    assert found is not None
    assert (found.remote_id, found.url) == (there.remote_id, there.url)


async def test_who_did_not_name_us_is_not_answered_by_a_pay_per_use_app(
    connector: Connector, enterprise: Connector, x: X
) -> None:
    theirs = x.say(by="ana", text="Nice weather")
    x.ready_app().plan = "pay-per-use"
    with pytest.raises(Refused, match="only those who named this account"):
        await publish(connector, outgoing("Indeed", reply_to=Ref(remote_id=theirs)))
    x.ready_app().plan = "enterprise"
    await publish(enterprise, outgoing("Indeed", reply_to=Ref(remote_id=theirs)))
    assert x.texts() == ["Indeed"]


async def test_a_direct_message_is_answered_in_its_conversation(connector: Connector, x: X) -> None:
    x.say(by="ana", text="Are you open?", to="regie", kind="direct")
    (message,) = (await connector.messages(cursor="")).messages
    sent = await publish(connector, outgoing("We are", reply_to=answer_to(message)))
    assert [(one.id, one.text) for one in x.state.directs[1:]] == [(sent.remote_id, "We are")]
    assert sent.url == ""
    await connector.delete(Ref(remote_id=sent.remote_id, extra=sent.extra))
    assert len(x.state.directs) == 1


async def test_pictures_are_not_dropped_from_a_direct_message(
    connector: Connector, x: X, pictures: Callable[[int], tuple[Picture, ...]]
) -> None:
    x.say(by="ana", text="Are you open?", to="regie", kind="direct")
    (message,) = (await connector.messages(cursor="")).messages
    with pytest.raises(Refused, match="text only"):
        await publish(connector, outgoing("Look", pictures=pictures(1), reply_to=answer_to(message)))


async def test_a_reply_to_us_is_hidden_and_one_to_others_is_not(connector: Connector, x: X) -> None:
    post = await publish(connector, outgoing("Open today"))
    spam = x.say(by="ana", text="Buy", to=post.remote_id)
    await connector.hide(Ref(remote_id=spam))
    assert x.post(spam).hidden
    await connector.unhide(Ref(remote_id=spam))
    assert not x.post(spam).hidden
    with pytest.raises(Refused):
        await connector.hide(Ref(remote_id=x.say(by="ana", text="elsewhere")))


async def test_likes_need_an_enterprise_plan(connector: Connector, enterprise: Connector, x: X) -> None:
    theirs = x.say(by="ana", text="Nice weather")
    liked = await enterprise.like(Ref(remote_id=theirs))
    assert x.post(theirs).liked_by == {x.user("regie").id}
    await enterprise.unlike(Ref(remote_id=theirs), liked)
    assert x.post(theirs).liked_by == set()
    x.ready_app().plan = "pay-per-use"
    with pytest.raises(Refused, match="your app's plan"):
        await connector.like(Ref(remote_id=theirs))


async def test_numbers_are_x_s_own_and_nothing_is_invented(connector: Connector, x: X) -> None:
    x.world.clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    poll = Poll(options=("Oui", "Non"), lasts=timedelta(days=1))
    post = await publish(connector, outgoing("Alors ?", poll=poll))
    gone = await publish(connector, outgoing("Gone"))
    await connector.delete(ref_to(gone))
    there = x.post(post.remote_id)
    assert there.poll is not None
    there.poll.votes = [3, 4]
    x.like(by="ana", post_id=post.remote_id)
    x.share(by="ben", post_id=post.remote_id)
    x.say(by="ana", text="Oui", to=post.remote_id)
    told = await connector.post_samples([ref_to(post), ref_to(gone)])
    assert list(told) == [post.remote_id]
    assert told[post.remote_id] == {
        "likes": 1,
        "shares": 1,
        "replies": 1,
        "quotes": 0,
        "saves": 0,
        "views": 2,
        "interactions": 3,
        "link_clicks": 0,
        "profile_clicks": 0,
        "votes": 7,
    }
    x.world.clock.advance(timedelta(days=31))
    later = (await connector.post_samples([ref_to(post)]))[post.remote_id]
    assert (later["interactions"], later["link_clicks"], later["likes"]) == (None, None, 1)


async def test_many_posts_are_measured_a_hundred_at_a_time(connector: Connector, x: X) -> None:
    ids = [x.publish(x.user("regie"), f"number {nth}").id for nth in range(120)]
    told = await connector.post_samples([Ref(remote_id=one) for one in ids])
    assert set(told) == set(ids)
    assert {one["votes"] for one in told.values()} == {None}


async def test_an_account_has_its_numbers(connector: Connector, x: X) -> None:
    x.follow(by="ana", account="regie")
    await publish(connector, outgoing())
    assert await connector.account_samples() == {"followers": 1, "following": 0, "posts": 1}
