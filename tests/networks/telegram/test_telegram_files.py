"""Videos, documents, sounds, quizzes, and the manner in which a message goes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from telegram import Bot, InputMediaDocument, InputMediaPhoto, InputMediaVideo

from regie.networks.data import Document, Draft, Login, Outgoing, Picture, Poll, Published, Ref, Sound, Video
from regie.networks.errors import Refused, TryLater, Unclear
from regie.networks.telegram.connector import PINNED
from regie.networks.telegram.connector import Telegram as Connector
from regie_sandbox.telegram.app import Telegram

Make = Callable[..., Outgoing]
Draw = Callable[..., Picture]
Film = Callable[..., Video]
Paper = Callable[..., Document]
Hear = Callable[..., Sound]


def ref(published: Published) -> Ref:
    return Ref(remote_id=published.remote_id, extra=published.extra)


def shown(telegram: Telegram, published: Published) -> list[dict[str, Any]]:
    """The messages of a post, as everybody sees them."""
    chat, message = (int(part) for part in published.remote_id.split(":"))
    numbers = published.extra.get("message_ids") or [message]
    return [telegram.state.chats[chat].messages[number] for number in numbers]


# Files


async def test_a_video_goes_out_with_its_size_its_cover_and_its_words(
    channel: Connector, telegram: Telegram, post: Make, video: Film, picture: Draw
) -> None:
    film = video(cover=picture(320, 180))
    published = await channel.commit(post("Waves", videos=(film,), sensitive=True), {})
    (message,) = shown(telegram, published)
    kept = message["video"]
    assert (kept["width"], kept["height"], kept["duration"]) == (640, 360, 12)
    assert (kept["cover"][0]["width"], kept["cover"][0]["height"]) == (320, 180)
    assert (message["caption"], message["has_media_spoiler"]) == ("Waves", True)
    assert telegram.world.files.get(f"telegram-{kept['file_id']}") == film.path.read_bytes()


async def test_pictures_and_videos_stand_in_one_album_in_their_order(
    channel: Connector, telegram: Telegram, post: Make, video: Film, picture: Draw
) -> None:
    files = {"pictures": (replace(picture(), place=1),), "videos": (video("a"), replace(video("b"), place=2))}
    published = await channel.commit(post("Three", **files), {})
    messages = shown(telegram, published)
    assert [next(kind for kind in ("photo", "video") if kind in one) for one in messages] == ["video", "photo", "video"]
    assert [one.get("caption") for one in messages] == ["Three", None, None]
    assert [entry.media for entry in telegram.world.ledger.of("telegram")] == [3]


async def test_a_document_keeps_its_name_as_people_read_it(
    channel: Connector, telegram: Telegram, post: Make, document: Paper
) -> None:
    published = await channel.commit(post("Our year", documents=(document(title="Été 2026", pages=3),)), {})
    (message,) = shown(telegram, published)
    assert (message["document"]["file_name"], message["document"]["mime_type"]) == ("Été 2026.pdf", "application/pdf")
    assert message["caption"] == "Our year"


async def test_a_name_cannot_break_out_of_its_place(
    channel: Connector, telegram: Telegram, post: Make, document: Paper
) -> None:
    name = 'a"; name="chat_id\r\n\r\n7.pdf'
    published = await channel.commit(post("", documents=(document(name),)), {})
    (message,) = shown(telegram, published)
    assert message["document"]["file_name"] == "a; name=chat_id7.pdf"


async def test_a_sound_has_its_title_and_how_long_it_lasts(
    channel: Connector, telegram: Telegram, post: Make, sound: Hear
) -> None:
    published = await channel.commit(post("Listen", sounds=(sound(title="The first"),)), {})
    (message,) = shown(telegram, published)
    kept = message["audio"]
    assert (kept["title"], kept["duration"], kept["file_name"]) == ("The first", 62, "Episode 1.mp3")


async def test_sounds_are_an_album_of_their_own_whose_words_stand_below(
    channel: Connector, telegram: Telegram, post: Make, sound: Hear
) -> None:
    published = await channel.commit(post("Two", sounds=(sound("a.mp3"), sound("b.mp3"))), {})
    assert [one.get("caption") for one in shown(telegram, published)] == [None, "Two"]
    changed = await channel.edit(ref(published), post("Both", sounds=(sound("a.mp3"), sound("b.mp3"))), {})
    assert [one.get("caption") for one in shown(telegram, changed)] == [None, "Both"]


@pytest.mark.parametrize("other", ["pictures", "poll", "sounds"])
async def test_a_document_stands_apart(
    channel: Connector, telegram: Telegram, post: Make, document: Paper, picture: Draw, sound: Hear, other: str
) -> None:
    beside: dict[str, Any] = {
        "pictures": (picture(),),
        "sounds": (sound(),),
        "poll": Poll(options=("a", "b"), question="?"),
    }
    with pytest.raises(Refused):
        await channel.prepare(post("x", documents=(document(),), **{other: beside[other]}), {})
    assert telegram.texts() == []


async def test_a_document_cannot_be_covered(channel: Connector, post: Make, document: Paper) -> None:
    with pytest.raises(Refused, match="only pictures and videos can be covered"):
        await channel.prepare(post("x", documents=(document(),), sensitive=True), {})


async def test_a_file_larger_than_telegram_takes_is_refused_and_nothing_is_seen(
    channel: Connector, telegram: Telegram, post: Make, video: Film
) -> None:
    film = video()
    with film.path.open("wb") as written:
        written.truncate((50 << 20) + 1)
    with pytest.raises(Refused, match="larger than Telegram takes"):
        await channel.commit(post("x", videos=(film,)), {})
    assert telegram.texts() == []


async def test_an_upload_whose_answer_is_lost_is_unclear(
    channel: Connector, telegram: Telegram, post: Make, video: Film
) -> None:
    telegram.faults.will_lose_answer(method="POST")
    with pytest.raises(Unclear):
        await channel.commit(post("x", videos=(video(),)), {})
    assert telegram.texts() == ["x"]


def test_an_album_of_eleven_is_known_before_it_is_sent() -> None:
    assert Connector.objections({}, Draft(text="", pictures=5, videos=5)) == ()
    (why,) = Connector.objections({}, Draft(text="", pictures=6, videos=5))
    assert "at most 10" in why.said


# Editing


async def test_another_file_takes_the_place_of_the_first(
    channel: Connector, telegram: Telegram, post: Make, video: Film
) -> None:
    published = await channel.commit(post("Waves", videos=(video("one"),)), {})
    before = shown(telegram, published)[0]["video"]["file_id"]
    same = await channel.edit(ref(published), post("Wind", videos=(video("one"),)), {})
    assert shown(telegram, same)[0]["video"]["file_id"] == before, "the words alone are sent"
    changed = await channel.edit(ref(same), post("Wind", videos=(video("two"),)), {})
    (message,) = shown(telegram, changed)
    assert message["video"]["file_id"] != before
    assert message["caption"] == "Wind"
    assert changed.remote_id == published.remote_id
    again = await channel.edit(ref(changed), post("Wind", videos=(video("two"),)), {})
    assert shown(telegram, again)[0] == message


async def test_one_picture_of_an_album_is_replaced(
    channel: Connector, telegram: Telegram, post: Make, picture: Draw
) -> None:
    published = await channel.commit(post("Two", pictures=(picture(name="a"), picture(name="b"))), {})
    before = [one["photo"][0]["file_id"] for one in shown(telegram, published)]
    changed = await channel.edit(
        ref(published), post("Two", pictures=(picture(name="a"), picture(60, 30, name="c"))), {}
    )
    after = [one["photo"][0]["file_id"] for one in shown(telegram, changed)]
    assert (after[0], shown(telegram, changed)[1]["photo"][0]["width"]) == (before[0], 60)


async def test_an_album_of_pictures_takes_no_document(
    channel: Connector, telegram: Telegram, post: Make, picture: Draw, document: Paper
) -> None:
    published = await channel.commit(post("Two", pictures=(picture(name="a"), picture(name="b"))), {})
    papers = (document(), document("b.pdf"))
    with pytest.raises(Refused):
        await channel.edit(ref(published), post("Two", documents=papers), {})
    assert all("photo" in one for one in shown(telegram, published))


async def test_a_lost_answer_to_a_replacement_is_tried_again(
    channel: Connector, telegram: Telegram, post: Make, video: Film
) -> None:
    published = await channel.commit(post("Waves", videos=(video("one"),)), {})
    telegram.faults.will_lose_answer(method="POST")
    what = post("Waves", videos=(video("two"),))
    with pytest.raises(TryLater):
        await channel.edit(ref(published), what, {})
    changed = await channel.edit(ref(published), what, {})
    assert len(shown(telegram, changed)) == 1


# Polls


async def test_a_quiz_has_a_right_answer_and_says_why(channel: Connector, telegram: Telegram, post: Make) -> None:
    poll = Poll(options=("Rouge", "Bleu"), question="Which?", correct=1, explanation="As the sea")
    published = await channel.commit(post("", poll=poll), {})
    kept = shown(telegram, published)[0]["poll"]
    assert (kept["type"], kept["correct_option_ids"], kept["explanation"]) == ("quiz", [1], "As the sea")


# The manner


async def test_silent_protected_and_without_a_card(channel: Connector, telegram: Telegram, post: Make) -> None:
    options = {"silent": True, "protected": True, "no_link_preview": True}
    published = await channel.commit(post("See https://example.org", options=options), {})
    (message,) = shown(telegram, published)
    assert message["has_protected_content"] is True
    assert message["link_preview_options"] == {"is_disabled": True}
    await channel.edit(ref(published), post("Look at https://example.org", options=options), {})
    assert shown(telegram, published)[0]["link_preview_options"] == {"is_disabled": True}


async def test_a_post_is_pinned_where_that_was_asked_for(channel: Connector, telegram: Telegram, post: Make) -> None:
    published = await channel.commit(post("First", options={"pinned": True}), {})
    await channel.commit(post("Second"), {})
    chat, message = (int(part) for part in published.remote_id.split(":"))
    assert telegram.state.chats[chat].pinned == message


async def test_a_pin_that_fails_takes_nothing_back(
    channel: Connector, telegram: Telegram, post: Make, caplog: pytest.LogCaptureFixture
) -> None:
    row = telegram.state.chats[int(channel.chat_id)]
    row.lacking[int(channel.bot.id)] = ["can_edit_messages"]
    published = await channel.commit(post("First", options={"pinned": True}), {})
    assert telegram.posts() == [published.remote_id]
    assert "could not be pinned" in caplog.text


async def test_pinning_is_offered_to_who_may(channel: Connector, telegram: Telegram) -> None:
    assert PINNED in Connector.can_on((await channel.whoami()).limits).options
    telegram.state.chats[int(channel.chat_id)].lacking[int(channel.bot.id)] = ["can_edit_messages"]
    assert PINNED not in Connector.can_on((await channel.whoami()).limits).options


# The first comment


async def test_the_first_comment_stands_under_the_post_in_the_discussion_group(
    channel: Connector, telegram: Telegram, post: Make
) -> None:
    published = await channel.commit(post("Bonjour"), {})
    comment = post("Plus ici", reply_to=ref(published), comment=True)
    ready = await channel.prepare(comment, {})
    out = await channel.commit(comment, ready.progress)
    (message,) = shown(telegram, out)
    copy = message["reply_to_message"]
    assert str(message["chat"]["id"]) == channel.login.limits["discussion_id"]
    assert copy["is_automatic_forward"]
    assert copy["forward_origin"]["message_id"] == int(published.remote_id.split(":")[1])


async def test_the_first_comment_of_an_album_stands_under_it(
    channel: Connector, telegram: Telegram, post: Make, picture: Draw
) -> None:
    published = await channel.commit(post("Two", pictures=(picture(name="a"), picture(name="b"))), {})
    comment = post("Plus ici", reply_to=ref(published), comment=True)
    out = await channel.commit(comment, (await channel.prepare(comment, {})).progress)
    assert shown(telegram, out)[0]["reply_to_message"]["caption"] == "Two"


async def test_the_next_part_of_a_thread_stays_in_the_channel(
    channel: Connector, telegram: Telegram, post: Make
) -> None:
    published = await channel.commit(post("one"), {})
    second = await channel.commit(post("two", reply_to=ref(published)), {})
    assert second.remote_id.split(":")[0] == channel.chat_id


async def test_a_comment_waits_until_the_post_shows_in_the_group(
    channel: Connector, telegram: Telegram, post: Make
) -> None:
    published = await channel.commit(post("Bonjour"), {})
    comment = post("Plus ici", reply_to=ref(published), comment=True)
    group = telegram.state.chats[int(channel.login.limits["discussion_id"])]
    group.pinned, pinned = None, group.pinned
    with pytest.raises(TryLater) as waiting:
        await channel.prepare(comment, {})
    assert waiting.value.not_before is not None
    later = await channel.commit(post("Bonsoir"), {})  # another post is pinned now: a comment must not stand under it
    with pytest.raises(TryLater):
        await channel.prepare(comment, {})
    group.pinned = pinned
    assert (await channel.prepare(comment, {})).progress["thread"].endswith(f":{pinned}")
    assert later.remote_id != published.remote_id


async def test_without_a_discussion_group_there_is_no_place_for_a_comment(
    telegram: Telegram, http: aiohttp.ClientSession, login: Login, post: Make
) -> None:
    row = telegram.add_channel(login.credentials["token"], "alone", discussion=False)
    limits = {"kind": "channel", "hears": False}
    alone = Connector(
        http, Login(server=login.server, credentials={**login.credentials, "chat_id": str(row.id)}, limits=limits)
    )
    assert not Connector.can_on(limits).first_comment
    published = await alone.commit(post("Hm"), {})
    with pytest.raises(Refused, match="no discussion group"):
        await alone.prepare(post("x", reply_to=ref(published), comment=True), {})


# The clients' own library


@pytest.fixture
async def bot(telegram: Telegram, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    token = telegram.ready_account()["credentials"]["token"]
    async with Bot(token, base_url=f"{telegram.base}/bot", base_file_url=f"{telegram.base}/file/bot") as bot:
        yield bot


async def test_the_clients_library_sends_every_kind_and_replaces_one(
    bot: Bot, telegram: Telegram, video: Film, document: Paper, sound: Hear, picture: Draw
) -> None:
    film = await bot.send_video("@regie", video().path.read_bytes(), duration=12, width=64, height=36, caption="Waves")
    assert film.video is not None
    assert (film.video.width, film.caption) == (64, "Waves")
    paper = await bot.send_document("@regie", document().path.read_bytes(), filename="Year.pdf", protect_content=True)
    assert paper.document is not None
    assert (paper.document.file_name, paper.has_protected_content) == ("Year.pdf", True)
    song = await bot.send_audio("@regie", sound().path.read_bytes(), title="The first", duration=3)
    assert song.audio is not None
    assert song.audio.title == "The first"
    papers = [InputMediaDocument(document(name).path.read_bytes()) for name in ("a.pdf", "b.pdf")]
    assert len(await bot.send_media_group("@regie", papers)) == 2
    changed = await bot.edit_message_media(
        InputMediaPhoto(picture().path.read_bytes(), caption="Still"), "@regie", film.message_id
    )
    assert not isinstance(changed, bool)
    assert (len(changed.photo), changed.caption) == (1, "Still")
    mixed: list[InputMediaPhoto | InputMediaVideo] = [
        InputMediaPhoto(picture().path.read_bytes()),
        InputMediaVideo(video().path.read_bytes()),
    ]
    assert [bool(one.photo) for one in await bot.send_media_group("@regie", mixed)] == [True, False]


async def test_the_clients_library_makes_a_quiz(bot: Bot) -> None:
    sent = await bot.send_poll(
        "@regie", "Which?", ["Rouge", "Bleu"], type="quiz", correct_option_ids=[1], explanation="As the sea"
    )
    assert sent.poll is not None
    assert (sent.poll.type, sent.poll.explanation) == ("quiz", "As the sea")


async def test_the_clients_library_reads_the_comment_and_the_video_of_our_connector(
    bot: Bot, channel: Connector, post: Make, video: Film
) -> None:
    published = await channel.commit(post("Waves", videos=(video(),)), {})
    copies = [update.message for update in await bot.get_updates() if update.message]
    copy = next(one for one in copies if one.is_automatic_forward)
    assert copy.video is not None
    assert (copy.video.width, copy.caption) == (640, "Waves")
    pinned = (await bot.get_chat(copy.chat.id)).pinned_message
    assert pinned is not None
    assert pinned.message_id == copy.message_id
    assert published.remote_id
