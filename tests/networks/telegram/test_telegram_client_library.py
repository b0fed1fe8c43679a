"""python-telegram-bot, the clients' own library, drives the sandbox and reads back what our connector did."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from telegram import Bot, InputMediaPhoto, LinkPreviewOptions, ReplyParameters
from telegram.constants import ChatMemberStatus
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, RetryAfter

from regie.networks.data import Outgoing, Picture
from regie.networks.telegram.connector import Telegram as Connector
from regie_sandbox.telegram.app import Telegram

Make = Callable[..., Outgoing]
Draw = Callable[..., Picture]


@pytest.fixture
async def bot(telegram: Telegram, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bot]:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")  # durations as the library's next version gives them, without its warning
    token = telegram.ready_account()["credentials"]["token"]
    async with Bot(token, base_url=f"{telegram.base}/bot", base_file_url=f"{telegram.base}/file/bot") as bot:
        yield bot


async def test_it_publishes_edits_pins_and_deletes(bot: Bot, telegram: Telegram) -> None:
    sent = await bot.send_message(
        "@regie", "Helo https://example.org #new", link_preview_options=LinkPreviewOptions(is_disabled=True)
    )
    assert [(entity.type, sent.parse_entity(entity)) for entity in sent.entities] == [
        ("url", "https://example.org"),
        ("hashtag", "#new"),
    ]
    edited = await bot.edit_message_text("Hello", chat_id="@regie", message_id=sent.message_id)
    assert not isinstance(edited, bool)
    assert edited.text == "Hello"
    assert await bot.pin_chat_message("@regie", sent.message_id)
    pinned = (await bot.get_chat("@regie")).pinned_message
    assert pinned is not None
    assert pinned.message_id == sent.message_id
    assert await bot.delete_message("@regie", sent.message_id)
    assert telegram.texts() == []


async def test_it_sends_pictures_and_fetches_them_back(bot: Bot, picture: Draw) -> None:
    content = picture().path.read_bytes()
    sent = await bot.send_photo("@regie", content, caption="Look", has_spoiler=True)
    file = await bot.get_file(sent.photo[-1].file_id)
    assert bytes(await file.download_as_bytearray()) == content
    album = await bot.send_media_group("@regie", [InputMediaPhoto(content), InputMediaPhoto(content)], caption="Two")
    assert len({message.media_group_id for message in album}) == 1
    assert [message.caption for message in album] == ["Two", None]


async def test_it_makes_a_poll_and_hears_the_votes(bot: Bot, telegram: Telegram) -> None:
    sent = await bot.send_poll("@regie", "Which?", ["Rouge", "Bleu"])
    telegram.vote(by="Bob", post_id=f"{sent.chat.id}:{sent.message_id}", option=1)
    updates = await bot.get_updates()
    poll = next(update.poll for update in updates if update.poll)
    assert [option.voter_count for option in poll.options] == [0, 1]
    assert (await bot.stop_poll("@regie", sent.message_id)).is_closed


async def test_it_reads_comments_and_answers_and_reacts(bot: Bot, telegram: Telegram) -> None:
    post = await bot.send_message("@regie", "Bonjour")
    telegram.say(by="Bob", text="Bravo", to=f"{post.chat.id}:{post.message_id}")
    forward, comment = [update.message for update in await bot.get_updates() if update.message]
    assert forward.is_automatic_forward
    assert comment.reply_to_message is not None
    assert comment.reply_to_message.message_id == forward.message_id
    answer = await bot.send_message(
        comment.chat.id, "Merci", reply_parameters=ReplyParameters(message_id=comment.message_id)
    )
    assert answer.message_thread_id == forward.message_id
    assert await bot.set_message_reaction(comment.chat.id, comment.message_id, "👍")


async def test_it_knows_who_is_who(bot: Bot, telegram: Telegram) -> None:
    me = await bot.get_me()
    member = await bot.get_chat_member("@regie", me.id)
    assert member.status == ChatMemberStatus.ADMINISTRATOR
    assert [each.user.id for each in await bot.get_chat_administrators("@regie")] == [me.id]
    assert await bot.get_chat_member_count("@regie") == 1
    chat = await bot.get_chat("@regie")
    assert str(chat.linked_chat_id) == telegram.ready_account()["discussion_id"]


async def test_it_meets_the_vendors_errors(bot: Bot, telegram: Telegram) -> None:
    with pytest.raises(BadRequest, match="Message is too long"):
        await bot.send_message("@regie", "x" * 4097)
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message("@nowhere", "x")
    stranger = telegram.chats.add_bot("stranger_bot")
    async with Bot(stranger.token, base_url=f"{telegram.base}/bot") as other:
        with pytest.raises(Forbidden, match="not a member of the channel"):
            await other.send_message("@regie", "x")
    unknown = Bot("5:" + "A" * 35, base_url=f"{telegram.base}/bot")
    with pytest.raises(InvalidToken):
        await unknown.get_me()
    await unknown.request.shutdown()
    telegram.chats.floods = True
    for number in range(3):  # a short burst is let through
        await bot.send_message("@regie", str(number))
    with pytest.raises(RetryAfter):
        await bot.send_message("@regie", "3")


async def test_it_is_told_that_another_reader_took_over(bot: Bot, telegram: Telegram) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=20))
    await asyncio.sleep(0.1)
    async with Bot(bot.token, base_url=f"{telegram.base}/bot") as second:
        assert await second.get_updates() == ()
    with pytest.raises(Conflict, match="terminated by other getUpdates request"):
        await asyncio.wait_for(first, 5)


async def test_it_sets_a_webhook_and_asks_about_it(bot: Bot) -> None:
    assert await bot.set_webhook("https://example.org/hook", secret_token="abc", allowed_updates=["message"])
    info = await bot.get_webhook_info()
    assert (info.url, info.allowed_updates) == ("https://example.org/hook", ("message",))
    assert await bot.delete_webhook(drop_pending_updates=True)
    assert (await bot.get_webhook_info()).url == ""


async def test_it_reads_back_what_our_connector_published(
    bot: Bot, channel: Connector, post: Make, picture: Draw
) -> None:
    published = await channel.commit(post("Bonjour 👩‍👩‍👧‍👦 @regie_bot", pictures=(picture(),)), {})
    chat, message = published.remote_id.split(":")
    forwards = [update.message for update in await bot.get_updates() if update.message]
    copy = next(each for each in forwards if each.is_automatic_forward)
    assert copy.caption == "Bonjour 👩‍👩‍👧‍👦 @regie_bot"
    assert [copy.parse_caption_entity(entity) for entity in copy.caption_entities] == ["@regie_bot"]
    origin = copy.api_kwargs.get("forward_origin") or copy.forward_origin
    assert (origin.chat.id, origin.message_id) == (int(chat), int(message))  # type: ignore[union-attr]
    assert len(copy.photo) == 1
