"""Connecting a channel or group, and the sentence for each way in which it can be wrong."""

from __future__ import annotations

import aiohttp
import pytest

from regie.networks.capabilities import MessageKind
from regie.networks.data import Login
from regie.networks.errors import NetworkError, Refused, SignInAgain
from regie.networks.telegram.connector import Telegram as Connector
from regie.networks.telegram.sign_in import chat_from
from regie_sandbox.telegram.app import Telegram


@pytest.mark.parametrize(
    ("typed", "chat"),
    [
        ("@regie", "@regie"),
        (" regie ", "@regie"),
        ("https://t.me/regie", "@regie"),
        ("t.me/regie/12?single", "@regie"),
        ("https://t.me/s/regie", "@regie"),
        ("http://telegram.me/regie/", "@regie"),
        ("https://t.me/c/1234567890/12", -1001234567890),
        ("-1001234567890", -1001234567890),
        ("-42", -42),
    ],
)
def test_a_chat_may_be_typed_in_the_ways_people_have_it(typed: str, chat: str | int) -> None:
    assert chat_from(typed) == chat


@pytest.mark.parametrize("typed", ["", "12345", "my channel", "@ab", "https://t.me/", "https://example.org/regie"])
def test_anything_else_is_answered_with_what_to_type(typed: str) -> None:
    with pytest.raises(Refused, match=r"@name, its t\.me link, or its id"):
        chat_from(typed)


@pytest.mark.parametrize("typed", ["https://t.me/+AbCdEf", "t.me/joinchat/AbCdEf"])
def test_an_invitation_link_is_answered_with_what_to_copy_instead(typed: str) -> None:
    with pytest.raises(Refused, match="invitation link"):
        chat_from(typed)


async def _try(http: aiohttp.ClientSession, telegram: Telegram, chat: str, token: str | None = None) -> str:
    """The sentence that a sign-in ends with; "" when it works."""
    ready = telegram.ready_account()
    fields = {"token": ready["credentials"]["token"] if token is None else token, "chat": chat}
    try:
        await Connector.sign_in(http, server=telegram.base, fields=fields)
    except NetworkError as exc:
        return exc.said
    return ""


@pytest.mark.shows("sign_in")
async def test_a_channel_is_connected_with_what_the_product_needs_to_know(login: Login, telegram: Telegram) -> None:
    ready = telegram.ready_account()
    assert (login.remote_id, login.credentials["chat_id"]) == (ready["remote_id"], ready["remote_id"])
    assert login.limits["kind"] == "channel"
    assert login.limits["discussion_id"] == ready["discussion_id"]
    assert login.limits["missing"] == []
    assert Connector.can_on(login.limits).reads == Connector.can.reads


async def test_a_group_has_no_comments_and_no_counted_reactions(group: Connector) -> None:
    can = Connector.can_on(group.login.limits)
    assert can.reads == {MessageKind.REPLY, MessageKind.MENTION}
    assert can.post_metrics == ()
    assert "administrator" in group.login.limits["missing"][0]


async def test_a_channel_without_discussion_group_connects_and_says_what_is_missing(
    http: aiohttp.ClientSession, telegram: Telegram
) -> None:
    token = telegram.ready_account()["credentials"]["token"]
    telegram.add_channel(token, "silent", discussion=False)
    signed = await Connector.sign_in(http, server=telegram.base, fields={"token": token, "chat": "@silent"})
    limits = signed.profiles[0].limits
    assert "discussion group" in limits["missing"][0]
    assert Connector.can_on(limits).reads == {MessageKind.DIRECT}


async def test_a_bot_that_does_not_hear_the_discussion_says_so(http: aiohttp.ClientSession, telegram: Telegram) -> None:
    ready = telegram.ready_account()
    bot = telegram.state.bots[ready["credentials"]["token"]]
    telegram.state.chats[int(ready["discussion_id"])].members.pop(bot.id)
    signed = await Connector.sign_in(http, server=telegram.base, fields={"token": bot.token, "chat": ready["handle"]})
    assert "Comments will not arrive" in signed.profiles[0].limits["missing"][0]


@pytest.mark.parametrize("token", ["hello", "123:short", "123456789:AAE with a space in the middle of it"])
async def test_a_token_that_is_none_never_leaves_us(
    http: aiohttp.ClientSession, telegram: Telegram, token: str
) -> None:
    assert "not a bot token" in await _try(http, telegram, "@regie", token)


async def test_no_token_at_all_is_asked_for(http: aiohttp.ClientSession, telegram: Telegram) -> None:
    assert "@BotFather" in await _try(http, telegram, "@regie", "")


async def test_a_token_that_telegram_does_not_know_is_said_to_be_dead(
    http: aiohttp.ClientSession, telegram: Telegram
) -> None:
    assert "does not know this bot token" in await _try(http, telegram, "@regie", f"5000:{'A' * 35}")


async def test_a_channel_that_does_not_exist_is_named(http: aiohttp.ClientSession, telegram: Telegram) -> None:
    said = await _try(http, telegram, "@no_such_channel")
    assert "@no_such_channel" in said
    assert "spelling" in said


async def test_a_bot_outside_the_channel_is_told_how_to_get_in(http: aiohttp.ClientSession, telegram: Telegram) -> None:
    stranger = telegram.chats.add_bot("stranger_bot")
    telegram.ready_account()
    assert "@stranger_bot is not in “regie”" in await _try(http, telegram, "@regie", stranger.token)


async def test_a_bot_that_is_no_administrator_is_told_which_right_it_needs(
    http: aiohttp.ClientSession, telegram: Telegram
) -> None:
    ready = telegram.ready_account()
    bot = telegram.state.bots[ready["credentials"]["token"]]
    row = telegram.state.chats[int(ready["remote_id"])]
    row.members[bot.id] = "member"
    assert "not an administrator of “regie”" in await _try(http, telegram, "@regie")
    row.members[bot.id] = "administrator"
    row.lacking[bot.id] = ["can_post_messages"]
    assert "Give it the right to post messages" in await _try(http, telegram, "@regie")


async def test_a_private_chat_is_no_account(http: aiohttp.ClientSession, telegram: Telegram) -> None:
    telegram.ready_account()
    telegram.say_to_bot(by="Bob", text="psst")
    assert await _try(http, telegram, str(telegram.chats.person("Bob").id)) != ""


async def test_the_health_check_notices_that_the_bot_was_removed(channel: Connector, telegram: Telegram) -> None:
    assert (await channel.whoami()).remote_id == channel.chat_id
    bot = telegram.state.bots[channel.login.credentials["token"]]
    telegram.state.chats[int(channel.chat_id)].members[bot.id] = "kicked"
    with pytest.raises(SignInAgain, match="administrator"):
        await channel.whoami()


async def test_the_health_check_notices_a_right_that_was_taken_away(channel: Connector, telegram: Telegram) -> None:
    bot = telegram.state.bots[channel.login.credentials["token"]]
    telegram.state.chats[int(channel.chat_id)].lacking[bot.id] = ["can_post_messages"]
    with pytest.raises(SignInAgain, match="@regie_bot is an administrator of “regie” but may not post"):
        await channel.whoami()
