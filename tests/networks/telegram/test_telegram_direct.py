"""Private messages to a channel: read by its bot, answered to the one who wrote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from telegram import Bot

from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Login, Messages, Outgoing, Ref
from regie.networks.errors import Refused, TryLater
from regie.networks.telegram.connector import Telegram as Connector
from regie.networks.telegram.reading import understood
from regie_sandbox.telegram.app import Telegram

Make = Callable[..., Outgoing]


def _ref(message: Incoming) -> Ref:
    return Ref(remote_id=message.remote_id, root_id=message.conversation_id, extra=message.extra)


async def _written(channel: Connector, telegram: Telegram, text: str = "Do you deliver?", by: str = "Bob") -> Incoming:
    telegram.say(by=by, text=text, to=channel.chat_id, kind="direct")
    return (await channel.messages(cursor="")).messages[-1]


def _take_the_right(telegram: Telegram, channel: Connector) -> None:
    bot = telegram.state.bots[channel.login.credentials["token"]]
    telegram.state.chats[int(channel.chat_id)].lacking[bot.id] = ["can_manage_direct_messages"]


async def test_it_arrives_for_the_channel_to_which_it_was_written(channel: Connector, telegram: Telegram) -> None:
    message = await _written(channel, telegram)
    assert (message.kind, message.text, message.by.name) == (MessageKind.DIRECT, "Do you deliver?", "Bob")
    assert (message.post_id, message.url) == ("", "")
    assert message.extra["channel_id"] == channel.chat_id
    assert Connector.is_for(channel.login, message)


async def test_of_two_channels_with_one_bot_only_the_one_written_to_gets_it(
    channel: Connector, telegram: Telegram, login: Login, http: aiohttp.ClientSession
) -> None:
    row = telegram.add_channel(login.credentials["token"], "second")
    other = Login(server=login.server, remote_id=str(row.id), credentials=login.credentials)
    telegram.say(by="Bob", text="to the first", to=channel.chat_id, kind="direct")
    telegram.say(by="Bob", text="to the second", to=str(row.id), kind="direct")
    batch = (await channel.messages(cursor="")).messages
    owners = [[name for name, one in (("first", login), ("second", other)) if Connector.is_for(one, m)] for m in batch]
    assert owners == [["first"], ["second"]]


async def test_each_person_has_a_conversation_of_their_own(channel: Connector, telegram: Telegram) -> None:
    for by, text in (("Bob", "one"), ("Ana", "two"), ("Bob", "three")):
        telegram.say(by=by, text=text, to=channel.chat_id, kind="direct")
    first, second, third = (await channel.messages(cursor="")).messages
    assert first.conversation_id == third.conversation_id != second.conversation_id


async def test_our_answer_goes_to_the_one_who_wrote_and_their_next_word_comes_back(
    channel: Connector, telegram: Telegram, post: Make
) -> None:
    telegram.say(by="Ana", text="Hello", to=channel.chat_id, kind="direct")
    message = await _written(channel, telegram)
    what = post("Yes, on Mondays", reply_to=_ref(message))
    ours = await channel.commit(what, (await channel.prepare(what, {})).progress)
    chat, number = (int(part) for part in ours.remote_id.split(":"))
    said = telegram.state.chats[chat].messages[number]
    assert said["direct_messages_topic"]["user"]["first_name"] == "Bob"
    assert said["reply_to_message"]["text"] == "Do you deliver?"
    assert ours.url == ""  # it is for one person
    [entry] = telegram.world.ledger.of("telegram")
    assert (entry.account, entry.text, entry.kind) == (channel.chat_id, "Yes, on Mondays", "reply")

    telegram.say(by="Bob", text="Great", to=ours.remote_id)
    thanks = (await channel.messages(cursor="")).messages[-1]
    assert (thanks.kind, thanks.text, thanks.reply_to_id) == (MessageKind.DIRECT, "Great", ours.remote_id)
    assert thanks.conversation_id == message.conversation_id


async def test_our_answer_can_be_taken_back(channel: Connector, telegram: Telegram, post: Make) -> None:
    ours = await channel.commit(post("Yes", reply_to=_ref(await _written(channel, telegram))), {})
    await channel.delete(Ref(remote_id=ours.remote_id, extra=ours.extra))
    assert telegram.texts() == []


def test_what_an_administrator_answers_from_a_phone_is_kept_as_ours() -> None:
    chat = {"id": -100300, "type": "supergroup", "title": "Us", "is_direct_messages": True}
    said: dict[str, Any] = {
        "message_id": 4,
        "date": 1,
        "chat": chat,
        "from": {"id": 136817688, "is_bot": True, "first_name": "Channel"},
        "sender_chat": {"id": -100100, "type": "channel", "title": "Us"},
        "direct_messages_topic": {"topic_id": 7, "user": {"id": 7, "is_bot": False, "first_name": "Bob"}},
        "text": "Come by",
    }
    (message,) = understood([{"update_id": 1, "message": said}], bot_id="5", bot_username="b").messages
    assert (message.kind, message.by.remote_id) == (MessageKind.DIRECT, "-100100")


# Rights


async def test_a_missing_right_is_said_at_the_sign_in_and_nothing_is_promised(
    channel: Connector, telegram: Telegram
) -> None:
    _take_the_right(telegram, channel)
    limits = (await channel.whoami()).limits
    assert "Private messages to the channel will not arrive" in limits["missing"][0]
    assert MessageKind.DIRECT not in Connector.can_on(limits).reads
    assert MessageKind.COMMENT in Connector.can_on(limits).reads


async def test_an_answer_without_the_right_is_refused_in_words_before_it_is_tried(
    channel: Connector, telegram: Telegram, http: aiohttp.ClientSession, post: Make
) -> None:
    message = await _written(channel, telegram)
    without = Login(
        server=channel.login.server,
        remote_id=channel.login.remote_id,
        credentials=channel.login.credentials,
        limits={**channel.login.limits, "direct": False},
    )
    with pytest.raises(Refused, match="manage direct messages"):
        await Connector(http, without).prepare(post("Yes", reply_to=_ref(message)), {})


async def test_a_right_that_was_just_taken_away_costs_the_answer_and_not_the_account(
    channel: Connector, telegram: Telegram, post: Make
) -> None:
    message = await _written(channel, telegram)
    _take_the_right(telegram, channel)
    with pytest.raises(Refused, match="manage direct messages"):
        await channel.commit(post("Yes", reply_to=_ref(message)), {})
    assert (await channel.commit(post("A post"), {})).remote_id


async def test_a_chat_that_nobody_tells_us_of_stops_no_other_message(channel: Connector, telegram: Telegram) -> None:
    telegram.say(by="Bob", text="in private", to=channel.chat_id, kind="direct")
    bot = telegram.state.bots[channel.login.credentials["token"]]
    del telegram.state.chats[int(channel.chat_id)].members[bot.id]
    (message,) = (await channel.messages(cursor="")).messages
    assert not Connector.is_for(channel.login, message)


async def test_when_telegram_cannot_say_whose_it_is_the_batch_is_read_again(
    channel: Connector, telegram: Telegram
) -> None:
    news = understood(
        [{"update_id": 1, "message": _direct(telegram, channel)}], bot_id=channel.bot.id, bot_username="regie_bot"
    )
    telegram.faults.will_answer(503, path="getChat")
    with pytest.raises(TryLater):
        await channel.completed(news)
    assert (await channel.completed(news)).messages[0].extra["channel_id"] == channel.chat_id


def _direct(telegram: Telegram, channel: Connector) -> dict[str, Any]:
    chat, number = telegram.say(by="Bob", text="Hi", to=channel.chat_id, kind="direct").split(":")
    message: dict[str, Any] = telegram.state.chats[int(chat)].messages[int(number)]
    return message


async def test_a_channel_is_asked_for_once(channel: Connector, telegram: Telegram, exchanges: Any) -> None:
    for text in ("one", "two"):
        await _written(channel, telegram, text)
    assert [method for method, *_ in exchanges.seen].count("getChat") == 2  # once at the sign-in


async def test_what_is_no_private_message_needs_no_further_call(channel: Connector) -> None:
    nothing = Messages(messages=(), cursor="7")
    assert await channel.completed(nothing) == nothing


async def test_the_chat_for_private_messages_is_no_account(
    channel: Connector, telegram: Telegram, http: aiohttp.ClientSession
) -> None:
    message = await _written(channel, telegram)
    fields = {"token": channel.login.credentials["token"], "chat": message.extra["chat_id"]}
    with pytest.raises(Refused, match="connect the channel itself"):
        await Connector.sign_in(http, server=telegram.base, fields=fields)


# The clients' own library


async def test_the_library_reads_and_answers_private_messages(channel: Connector, telegram: Telegram) -> None:
    telegram.say(by="Bob", text="Are you open?", to=channel.chat_id, kind="direct")
    async with Bot(channel.login.credentials["token"], base_url=f"{telegram.base}/bot") as bot:
        (update,) = await bot.get_updates()
        message = update.message
        assert message is not None
        assert message.chat.is_direct_messages
        parent = (await bot.get_chat(message.chat.id)).parent_chat
        assert parent is not None
        assert str(parent.id) == channel.chat_id
        topic = message.direct_messages_topic
        assert topic is not None
        sent = await bot.send_message(message.chat.id, "Until six", direct_messages_topic_id=topic.topic_id)
        assert sent.direct_messages_topic == topic
