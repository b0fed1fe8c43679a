"""Reddit's inbox, answers to it, moderating, and numbers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from regie.networks.capabilities import Answering, MessageKind
from regie.networks.data import Incoming, Poll, Ref
from regie.networks.errors import Refused, Unclear
from regie.networks.reddit.connector import Reddit as Connector
from regie_sandbox.reddit.app import Reddit

from .posting import NOW, publish, ref_to, saying


def ref_of(message: Incoming) -> Ref:
    return Ref(remote_id=message.remote_id, root_id=message.conversation_id, extra=message.extra)


async def test_comments_mentions_and_messages_come_in_order_and_once(account: Connector, reddit: Reddit) -> None:
    post = await publish(account, saying())
    reddit.world.clock.set(NOW + timedelta(minutes=1))
    under = reddit.say(by="ana", text="Until when? <b>", to=post.remote_id)
    reddit.world.clock.set(NOW + timedelta(minutes=2))
    named = reddit.say(by="ben", text="have a look", to="regie", kind="mention")
    reddit.world.clock.set(NOW + timedelta(minutes=3))
    direct = reddit.say(by="cleo", text="A word in private", to="regie", kind="direct")
    page = await account.messages(cursor="")
    assert [(one.remote_id, one.kind, one.text) for one in page.messages] == [
        (under, MessageKind.COMMENT, "Until when? <b>"),
        (named, MessageKind.MENTION, "u/regie have a look"),
        (direct, MessageKind.DIRECT, "A word in private"),
    ]
    first, second, third = page.messages
    assert (first.post_id, first.conversation_id, first.reply_to_id) == (post.remote_id,) * 3
    assert (first.by.name, first.by.handle, first.by.url) == ("ana", "u/ana", "https://www.reddit.com/user/ana")
    assert second.post_id == ""  # under a post of somebody else's
    assert second.conversation_id.startswith("t3_")
    assert (third.conversation_id, third.url) == (direct, "")
    assert (await account.messages(cursor=page.cursor)).messages == ()
    assert all(notice.new for notice in reddit.person("regie").inbox)  # nothing is marked as read there


async def test_what_comes_late_within_a_second_is_still_new(account: Connector, reddit: Reddit) -> None:
    post = await publish(account, saying())
    reddit.say(by="ana", text="One", to=post.remote_id)
    page = await account.messages(cursor="")
    reddit.say(by="ben", text="Two", to=post.remote_id)
    again = await account.messages(cursor=page.cursor)
    assert [one.text for one in again.messages] == ["Two"]
    assert (await account.messages(cursor=again.cursor)).messages == ()


async def test_an_inbox_of_more_than_a_page_is_read_whole(account: Connector, reddit: Reddit) -> None:
    post = await publish(account, saying())
    reddit.say(by="ana", text="First", to=post.remote_id)
    cursor = (await account.messages(cursor="")).cursor
    for number in range(150):
        reddit.world.clock.set(NOW + timedelta(minutes=10, seconds=number))
        reddit.say(by="ben", text=str(number), to=post.remote_id)
    page = await account.messages(cursor=cursor)
    assert [one.text for one in page.messages] == [str(number) for number in range(150)]


async def test_an_answer_to_our_comment_belongs_under_our_post(account: Connector, reddit: Reddit) -> None:
    post = await publish(account, saying())
    comment = await publish(account, saying("First", reply_to=ref_to(post)))
    answer = reddit.say(by="ana", text="And then?", to=comment.remote_id)
    (message,) = (await account.messages(cursor="")).messages
    assert (message.remote_id, message.post_id, message.reply_to_id) == (answer, post.remote_id, comment.remote_id)


async def test_answers_reach_comments_and_private_messages(account: Connector, reddit: Reddit) -> None:
    post = await publish(account, saying())
    reddit.say(by="ana", text="Until when?", to=post.remote_id)
    reddit.say(by="cleo", text="Psst", to="regie", kind="direct")
    under, direct = (await account.messages(cursor="")).messages
    said = await publish(account, saying("Until six", reply_to=ref_of(under)))
    assert reddit.state.comments[said.remote_id].parent == under.remote_id
    written = await publish(account, saying("Yes?", reply_to=ref_of(direct)))
    message = reddit.state.messages[written.remote_id]
    assert (message.to, message.text, message.first) == ("cleo", "Yes?", direct.remote_id)
    listing = await account.own_posts(since=NOW - timedelta(hours=1))  # where a lost answer is looked for
    assert {one.remote_id: one.text for one in listing.seen} == {
        post.remote_id: "Open until six",
        said.remote_id: "Until six",
        written.remote_id: "Yes?",
    }
    with pytest.raises(Refused, match="cannot be taken back"):
        await account.delete(ref_to(written))


async def test_a_vote_is_given_and_taken_back(account: Connector, reddit: Reddit) -> None:
    post = await publish(account, saying())
    comment = reddit.say(by="ana", text="Lovely", to=post.remote_id)
    for _ in range(2):
        liked = await account.like(Ref(remote_id=comment))
    assert reddit.state.comments[comment].votes == {"ana": 1, "regie": 1}
    assert [(one.likes, one.liked_by_us) for one in (await account.messages(cursor="")).messages] == [(1, True)]
    await account.unlike(Ref(remote_id=comment), liked)
    assert reddit.state.comments[comment].votes == {"ana": 1}


async def test_comments_are_hidden_where_the_account_moderates(account: Connector, reddit: Reddit) -> None:
    limits = (await account.whoami()).limits
    assert limits["moderates"] == ["regie_hq", "u_regie"]
    assert Answering.HIDE in Connector.can_on(limits).answers
    assert Answering.HIDE not in Connector.can_on({**limits, "moderates": []}).answers
    town = reddit.found_community("town", by=reddit.person("mayor"))
    theirs = reddit.publish(reddit.person("ana"), town, kind="self", title="Hello", text="Hello")
    comment = reddit.say(by="ben", text="Spam", to=theirs.id)
    with pytest.raises(Refused):
        await account.hide(Ref(remote_id=comment))


async def test_numbers_are_those_reddit_shows(account: Connector, reddit: Reddit) -> None:
    post = await publish(account, saying("Tell us", poll=Poll(options=("Tea", "Coffee"), lasts=timedelta(days=1))))
    for name in ("ana", "ben", "cleo"):
        reddit.like(by=name, post_id=post.remote_id)
    reddit.post(post.remote_id).votes["dora"] = -1
    reddit.say(by="ana", text="Tea!", to=post.remote_id)
    poll = reddit.post(post.remote_id).poll
    assert poll is not None
    poll.votes = [2, 1]
    reddit.follow(by="ana", account="regie")
    assert await account.post_samples([ref_to(post), Ref(remote_id="t3_1sbxzzz")]) == {
        post.remote_id: {"likes": 2, "score": 3, "upvote_ratio": 80, "replies": 1, "views": None, "votes": 3}
    }
    assert await account.account_samples() == {"followers": 1, "karma": 1}
    await account.delete(ref_to(post))
    assert await account.post_samples([ref_to(post)]) == {}


async def test_a_score_that_reddit_hides_is_not_known(account: Connector, reddit: Reddit) -> None:
    post = await publish(account, saying())

    def hides(answer: dict[str, object]) -> dict[str, object]:
        for child in answer["data"]["children"]:  # type: ignore[index]
            child["data"]["hide_score"] = True
        return answer

    reddit.faults.alter = hides
    samples = (await account.post_samples([ref_to(post)]))[post.remote_id]
    assert (samples["likes"], samples["score"], samples["upvote_ratio"], samples["replies"]) == (None, None, None, 0)


async def test_what_is_written_to_a_community_is_read_and_answered(account: Connector, reddit: Reddit) -> None:
    community, net = reddit.community("regie_hq"), reddit
    mail = net.write_to_community(net.person("ana"), community, "Opening hours", "Until when?")
    town = net.found_community("town", by=net.person("mayor"))
    net.write_to_community(net.person("ana"), town, "Not for us", "Hello")
    page = await account.messages(cursor="")
    (message,) = page.messages
    assert (message.kind, message.text, message.by.handle) == (MessageKind.DIRECT, "Until when?", "u/ana")
    assert message.conversation_id == f"modmail_{mail.id}"
    assert message.extra["subject"] == "Opening hours"

    reddit.world.clock.set(NOW + timedelta(minutes=1))
    answered = await publish(account, saying("Until six", reply_to=ref_of(message)))
    assert [(one.author, one.text, one.internal) for one in mail.said] == [
        ("ana", "Until when?", False),
        ("regie", "Until six", False),
    ]
    listing = await account.own_posts(since=NOW)  # where a lost answer is looked for
    assert [(one.remote_id, one.text, one.reply_to_id) for one in listing.seen] == [
        (answered.remote_id, "Until six", message.remote_id)
    ]
    assert (await account.messages(cursor=page.cursor)).messages == ()
    for deed in (account.delete, account.like, account.hide):
        with pytest.raises(Refused):
            await deed(ref_of(message))


async def test_without_modmail_the_inbox_is_read_all_the_same(account: Connector, reddit: Reddit) -> None:
    post = await publish(account, saying())
    reddit.say(by="ana", text="Until when?", to=post.remote_id)
    reddit.faults.will_answer(403, path="/api/mod/conversations")
    assert [one.text for one in (await account.messages(cursor="")).messages] == ["Until when?"]


async def test_a_lost_answer_to_modmail_is_unclear(account: Connector, reddit: Reddit) -> None:
    reddit.write_to_community(reddit.person("ana"), reddit.community("regie_hq"), "Opening hours", "Until when?")
    (message,) = (await account.messages(cursor="")).messages
    reddit.faults.will_lose_answer(path="/api/mod/conversations", method="POST")
    with pytest.raises(Unclear):
        await publish(account, saying("Until six", reply_to=ref_of(message)))
    reddit.faults.will_do_but_answer(200, path="/api/mod/conversations", method="POST", body={})
    with pytest.raises(Unclear):
        await publish(account, saying("Until seven", reply_to=ref_of(message)))
