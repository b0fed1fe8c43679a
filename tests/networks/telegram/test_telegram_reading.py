"""What people say on Telegram, as it reaches us: once each, beside the post it answers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from regie.networks.capabilities import MessageKind
from regie.networks.data import Login, Messages, Outgoing, Published, Ref
from regie.networks.errors import Gone, Refused, TryLater
from regie.networks.telegram.connector import Telegram as Connector
from regie.networks.telegram.reading import understood
from regie_sandbox.telegram.app import Telegram

Make = Callable[..., Outgoing]


def _ref(published: Published) -> Ref:
    return Ref(remote_id=published.remote_id, extra=published.extra)


async def _listening(connector: Connector) -> str:
    """The first call tells Telegram which kinds of news we want; earlier reactions are not news."""
    return (await connector.messages(cursor="")).cursor


async def test_a_comment_stands_under_its_post(channel: Connector, telegram: Telegram, post: Make) -> None:
    published = await channel.commit(post("Bonjour"), {})
    said = telegram.say(by="Bob", text="Très beau 👏", to=published.remote_id)
    (comment,) = (await channel.messages(cursor="")).messages
    assert (comment.remote_id, comment.kind, comment.text) == (said, MessageKind.COMMENT, "Très beau 👏")
    assert comment.post_id == comment.reply_to_id == published.remote_id
    assert (comment.by.name, comment.by.handle) == ("Bob", "@bob__")
    assert comment.url == f"{published.url}?comment={said.split(':')[1]}"
    assert Connector.is_for(channel.login, comment)


async def test_further_down_the_thread_a_comment_shares_the_conversation(
    channel: Connector, telegram: Telegram, post: Make
) -> None:
    published = await channel.commit(post("Bonjour"), {})
    first = telegram.say(by="Bob", text="Which size?", to=published.remote_id)
    telegram.say(by="Charlie", text="M, I think", to=first)
    above, below = (await channel.messages(cursor="")).messages
    assert below.kind == MessageKind.COMMENT
    assert below.conversation_id == above.conversation_id
    assert below.reply_to_id == first
    assert Connector.is_for(channel.login, below)


async def test_our_answer_goes_to_the_discussion_and_their_answer_to_it_comes_back(
    channel: Connector, telegram: Telegram, post: Make
) -> None:
    published = await channel.commit(post("Bonjour"), {})
    telegram.say(by="Bob", text="Which size?", to=published.remote_id)
    (comment,) = (batch := await channel.messages(cursor="")).messages
    ours = await channel.commit(post("All sizes", reply_to=Ref(remote_id=comment.remote_id, extra=comment.extra)), {})
    assert ours.remote_id.split(":")[0] == channel.login.limits["discussion_id"]
    assert telegram.texts() == ["Bonjour", "All sizes"]

    telegram.say(by="Bob", text="Thanks", to=ours.remote_id)
    (thanks,) = (await channel.messages(cursor=batch.cursor)).messages
    assert (thanks.kind, thanks.reply_to_id) == (MessageKind.REPLY, ours.remote_id)
    assert thanks.conversation_id == comment.conversation_id


async def test_in_a_group_answers_and_mentions_arrive_and_chatter_does_not(
    group: Connector, telegram: Telegram, post: Make
) -> None:
    published = await group.commit(post("Run on Sunday?"), {})
    chatter = telegram.say(by="Bob", text="Nice weather", to=group.chat_id)
    telegram.say(by="Charlie", text="Yes, isn't it", to=chatter)
    reply = telegram.say(by="Bob", text="I'm in", to=published.remote_id)
    mention = telegram.say(by="Charlie", text="👩‍👩‍👧‍👦🇫🇷 hello @REGIE_bot!", to=group.chat_id, kind="mention")
    found = [each for each in (await group.messages(cursor="")).messages if Connector.is_for(group.login, each)]
    assert [(each.remote_id, each.kind) for each in found] == [
        (reply, MessageKind.REPLY),
        (mention, MessageKind.MENTION),
    ]
    assert found[0].post_id == published.remote_id


async def test_reading_twice_gives_the_same_until_the_caller_has_stored_it(
    channel: Connector, telegram: Telegram, post: Make
) -> None:
    published = await channel.commit(post("Bonjour"), {})
    telegram.say(by="Bob", text="one", to=published.remote_id)
    first = await channel.messages(cursor="")
    again = await channel.messages(cursor="")  # the caller died before it stored the cursor
    assert first == again
    telegram.say(by="Bob", text="two", to=published.remote_id)
    second = await channel.messages(cursor=first.cursor)
    assert [each.text for each in second.messages] == ["two"]
    assert (await channel.messages(cursor=second.cursor)) == Messages(messages=(), cursor=second.cursor)


async def test_a_full_batch_says_that_there_is_more(channel: Connector, telegram: Telegram, post: Make) -> None:
    published = await channel.commit(post("Bonjour"), {})
    for number in range(130):
        telegram.say(by="Bob", text=str(number), to=published.remote_id)
    texts: list[str] = []
    cursor, more = "", True
    while more:
        batch = await channel.messages(cursor=cursor)
        texts += [each.text for each in batch.messages]
        cursor, more = batch.cursor, batch.more
    assert texts == [str(number) for number in range(130)]


async def test_a_long_poll_ends_as_soon_as_somebody_speaks(channel: Connector, telegram: Telegram, post: Make) -> None:
    published = await channel.commit(post("Bonjour"), {})
    cursor = await _listening(channel)
    waiting = asyncio.create_task(channel.next_messages(cursor=cursor, seconds=30))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    telegram.say(by="Bob", text="Here", to=published.remote_id)
    batch = await asyncio.wait_for(waiting, 5)
    assert [each.text for each in batch.messages] == ["Here"]


async def test_a_long_poll_without_news_ends_with_the_same_cursor(
    channel: Connector, telegram: Telegram, post: Make
) -> None:
    await channel.commit(post("Bonjour"), {})
    cursor = await _listening(channel)
    assert await channel.next_messages(cursor=cursor, seconds=1) == Messages(messages=(), cursor=cursor)


async def test_two_readers_of_one_bot_are_told_so(channel: Connector, telegram: Telegram) -> None:
    cursor = await _listening(channel)
    first = asyncio.create_task(channel.next_messages(cursor=cursor, seconds=30))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(channel.next_messages(cursor=cursor, seconds=30))
    with pytest.raises(TryLater, match="Another program"):
        await asyncio.wait_for(first, 5)
    second.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await second


async def test_one_bot_with_two_channels_has_one_queue_and_each_message_one_owner(
    channel: Connector, telegram: Telegram, http: aiohttp.ClientSession, login: Login, post: Make
) -> None:
    row = telegram.add_channel(login.credentials["token"], "second")
    credentials = {**login.credentials, "chat_id": str(row.id)}
    limits = {"bot_username": "regie_bot", "discussion_id": str(row.linked)}
    other = Connector(http, Login(server=login.server, remote_id=str(row.id), credentials=credentials, limits=limits))
    assert Connector.inbox_key(other.login) == Connector.inbox_key(channel.login)
    assert login.credentials["token"] not in Connector.inbox_key(login)
    here, there = await channel.commit(post("Here"), {}), await other.commit(post("There"), {})
    deep = telegram.say(by="Bob", text="for the first", to=here.remote_id)
    telegram.say(by="Bob", text="for the second", to=there.remote_id)
    telegram.say(by="Bob", text="deeper in the first", to=deep)
    batch = (await channel.messages(cursor="")).messages
    owners = [
        [name for name, each in (("first", channel), ("second", other)) if Connector.is_for(each.login, message)]
        for message in batch
    ]
    assert owners == [["first"], ["second"], ["first"]]


async def test_what_the_channel_itself_says_in_its_discussion_is_not_news() -> None:
    chat = {"id": -100200, "type": "supergroup", "title": "Talk"}
    channel = {"id": -100100, "type": "channel", "title": "Us", "username": "uschannel"}
    forward = {
        "message_id": 1,
        "date": 1,
        "chat": chat,
        "is_automatic_forward": True,
        "forward_origin": {"type": "channel", "chat": channel, "message_id": 9, "date": 1},
    }
    spoken = {
        "message_id": 2,
        "date": 1,
        "chat": chat,
        "sender_chat": channel,
        "reply_to_message": forward,
        "text": "x",
    }
    (incoming,) = understood([{"update_id": 1, "message": spoken}], bot_id="5", bot_username="b").messages
    assert incoming.post_id == "-100100:9"
    login = Login(server="", remote_id="-100100", limits={"discussion_id": "-100200"})
    assert not Connector.is_for(login, incoming)


async def test_an_edited_message_comes_again_under_its_id() -> None:
    chat = {"id": -5, "type": "group", "title": "Team"}
    ours = {"message_id": 1, "date": 1, "chat": chat, "from": {"id": 77, "is_bot": True}, "text": "Sunday?"}
    theirs: dict[str, Any] = {
        "message_id": 2,
        "date": 1_900_000_000,
        "chat": chat,
        "from": {"id": 3, "first_name": "Bob"},
        "reply_to_message": ours,
        "text": "No. Yes!",
    }
    raw = [
        {"update_id": 1, "message": theirs},
        {"update_id": 2, "edited_message": theirs | {"edit_date": 1_900_000_060, "text": "Yes!"}},
    ]
    before, after = understood(raw, bot_id="77", bot_username="b").messages
    assert before.remote_id == after.remote_id == "-5:2"
    assert (after.text, after.extra["edited"]) == ("Yes!", True)
    assert before.said_at == datetime.fromtimestamp(1_900_000_000, UTC)
    assert before.url == ""


async def test_an_update_of_a_shape_we_do_not_know_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    counts = {"chat": {"id": -1, "type": "channel"}, "message_id": 2, "date": 1, "reactions": [{"total_count": 3}]}
    raw = [
        {"update_id": 1, "message": {"message_id": "?"}},
        {"update_id": 2, "something_new": {}},
        {"update_id": 3, "message_reaction_count": counts},
    ]
    assert understood(raw, bot_id="5", bot_username="b").samples == {"-1:2": {"likes": 3}}
    assert "update 1" in caplog.text


# Liking and measuring.


async def test_reactions_reach_us_as_samples_of_the_post(channel: Connector, telegram: Telegram, post: Make) -> None:
    published = await channel.commit(post("Bonjour"), {})
    cursor = await _listening(channel)
    for name in ("Bob", "Charlie"):
        telegram.like(by=name, post_id=published.remote_id)
    batch = await channel.messages(cursor=cursor)
    assert batch.samples == {published.remote_id: {"likes": 2}}
    assert batch.messages == ()


async def test_asked_for_a_posts_numbers_telegram_does_not_say(channel: Connector, post: Make) -> None:
    published = await channel.commit(post("Bonjour"), {})
    assert await channel.post_samples([_ref(published)]) == {published.remote_id: {"likes": None}}


async def test_followers_are_the_members_of_the_channel(channel: Connector, telegram: Telegram) -> None:
    before = (await channel.account_samples())["followers"]
    for name in ("Bob", "Charlie"):
        telegram.follow(by=name, account=channel.chat_id)
    assert telegram.unfollow(by="Bob", account=channel.chat_id)
    assert before is not None
    assert (await channel.account_samples())["followers"] == before + 1


async def test_we_like_a_comment_and_take_it_back(channel: Connector, telegram: Telegram, post: Make) -> None:
    published = await channel.commit(post("Bonjour"), {})
    comment = Ref(remote_id=telegram.say(by="Bob", text="Bravo", to=published.remote_id))
    chat, message = (int(part) for part in comment.remote_id.split(":"))
    liked = await channel.like(comment)
    assert [each["total_count"] for each in telegram.state.chats[chat].counts(message)] == [1]
    await channel.unlike(comment, liked)
    assert telegram.state.chats[chat].counts(message) == []


async def test_a_reaction_that_the_channel_does_not_allow_is_refused_in_words(
    channel: Connector, telegram: Telegram, post: Make
) -> None:
    published = await channel.commit(post("Bonjour"), {})
    telegram.state.chats[int(channel.chat_id)].allowed_reactions = ["🔥"]
    with pytest.raises(Refused, match="does not allow that reaction"):
        await channel.like(_ref(published))


@pytest.mark.parametrize("remote_id", ["", "abc", "12", "-100:x"])
async def test_an_id_that_is_not_telegrams_is_gone(channel: Connector, remote_id: str) -> None:
    with pytest.raises(Gone):
        await channel.like(Ref(remote_id=remote_id))
