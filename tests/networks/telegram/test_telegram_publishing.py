"""What a post becomes on Telegram, and what became of it when things go wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from regie.networks.data import Login, Outgoing, Picture, Poll, Published, Ready, Ref
from regie.networks.errors import Gone, NetworkError, Refused, SignInAgain, TryLater, Unclear
from regie.networks.telegram.api import migrated_to
from regie.networks.telegram.connector import Telegram as Connector
from regie_sandbox.telegram.app import Telegram

Make = Callable[..., Outgoing]
Draw = Callable[..., Picture]


def _ref(published: Published) -> Ref:
    return Ref(remote_id=published.remote_id, extra=published.extra)


async def test_a_text_goes_out_once_with_its_address(channel: Connector, telegram: Telegram, post: Make) -> None:
    assert await channel.prepare(post("Bonjour"), {}) == Ready(progress={})
    published = await channel.commit(post("Bonjour"), {})
    message = published.remote_id.rpartition(":")[2]
    assert published.url == f"https://t.me/regie/{message}"
    assert published.at is not None
    assert datetime.now(UTC) - published.at < timedelta(minutes=1)
    assert telegram.texts() == ["Bonjour"]
    assert telegram.posts() == [published.remote_id]
    assert [entry.remote_id for entry in telegram.world.ledger.of("telegram")] == [published.remote_id]


async def test_a_private_channel_has_an_address_for_its_members(
    telegram: Telegram, http: aiohttp.ClientSession, login: Login, post: Make
) -> None:
    row = telegram.add_channel(login.credentials["token"], "quiet", public=False)
    quiet = Connector(http, Login(server=login.server, credentials={**login.credentials, "chat_id": str(row.id)}))
    published = await quiet.commit(post("Psst"), {})
    assert published.url == f"https://t.me/c/{str(row.id)[4:]}/1"


@pytest.mark.parametrize(
    ("url", "remote_id"),
    [
        ("https://t.me/c/1234567890/12", "-1001234567890:12"),
        ("t.me/c/1234567890/12?single", "-1001234567890:12"),
        ("https://t.me/regie/12", None),
        ("https://example.org/c/1/2", None),
    ],
)
def test_the_address_of_a_private_post_tells_which_one_it_is(url: str, remote_id: str | None) -> None:
    assert Connector.id_of(url) == remote_id


async def test_characters_that_mean_markup_elsewhere_arrive_as_they_are(
    channel: Connector, telegram: Telegram, post: Make
) -> None:
    text = "1 < 2 & *not bold* _nor this_ [x](y) \\ `z` مرحبا 👩‍👩‍👧‍👦"
    await channel.commit(post(text), {})
    assert telegram.texts() == [text]


async def test_one_picture_carries_the_text_as_its_caption(
    channel: Connector, telegram: Telegram, post: Make, picture: Draw
) -> None:
    published = await channel.commit(post("Look", pictures=(picture(alt="lost here"),), sensitive=True), {})
    chat, message = (int(part) for part in published.remote_id.split(":"))
    kept = telegram.state.chats[chat].messages[message]
    assert kept["caption"] == "Look"
    assert kept["has_media_spoiler"] is True
    assert (kept["photo"][0]["width"], kept["photo"][0]["height"]) == (40, 30)


async def test_a_picture_needs_no_text(channel: Connector, telegram: Telegram, post: Make, picture: Draw) -> None:
    await channel.commit(post("", pictures=(picture(),)), {})
    assert telegram.texts() == [""]


async def test_ten_pictures_are_one_album_and_go_away_together(
    channel: Connector, telegram: Telegram, post: Make, picture: Draw
) -> None:
    pictures = tuple(picture(name=f"p{n}") for n in range(10))
    published = await channel.commit(post("Ten", pictures=pictures), {})
    assert len(published.extra["message_ids"]) == 10
    assert telegram.texts() == ["Ten"]
    assert [entry.media for entry in telegram.world.ledger.of("telegram")] == [10]

    await channel.delete(_ref(published))
    row = telegram.state.chats[int(published.remote_id.split(":")[0])]
    assert row.messages == {}


async def test_an_eleventh_picture_is_refused_before_any_is_seen(
    channel: Connector, telegram: Telegram, post: Make, picture: Draw
) -> None:
    with pytest.raises(Refused, match="too many messages"):
        await channel.commit(post("", pictures=tuple(picture(name=f"p{n}") for n in range(11))), {})
    assert telegram.texts() == []


@pytest.mark.parametrize(("width", "height"), [(9_990, 11), (210, 10)])
async def test_a_picture_of_a_shape_that_telegram_does_not_take_is_refused(
    channel: Connector, post: Make, picture: Draw, width: int, height: int
) -> None:
    with pytest.raises(Refused, match="shape"):
        await channel.commit(post("", pictures=(picture(width, height),)), {})


async def test_a_file_that_is_no_picture_is_refused(channel: Connector, post: Make, picture: Draw) -> None:
    false = picture()
    false.path.write_bytes(b"MZ this is a program")
    with pytest.raises(Refused, match="IMAGE_PROCESS_FAILED"):
        await channel.commit(post("", pictures=(false,)), {})


async def test_a_poll_takes_the_text_as_its_question(channel: Connector, telegram: Telegram, post: Make) -> None:
    poll = Poll(options=("Rouge", "Bleu"), lasts=timedelta(days=1), multiple=True, hide_totals=True)
    published = await channel.commit(post("Quelle couleur ?", poll=poll), {})
    chat, message = (int(part) for part in published.remote_id.split(":"))
    kept = telegram.state.chats[chat].messages[message]["poll"]
    assert kept["question"] == "Quelle couleur ?"
    assert [option["text"] for option in kept["options"]] == ["Rouge", "Bleu"]
    assert kept["open_period"] == 86_400
    assert kept["allows_multiple_answers"] is True
    assert published.extra["poll_id"] == kept["id"]


async def test_a_poll_with_a_question_of_its_own_shows_the_text_beside_it(
    channel: Connector, telegram: Telegram, post: Make
) -> None:
    published = await channel.commit(post("A word first", poll=Poll(options=("a", "b"), question="Which?")), {})
    chat, message = (int(part) for part in published.remote_id.split(":"))
    kept = telegram.state.chats[chat].messages[message]["poll"]
    assert (kept["question"], kept["description"]) == ("Which?", "A word first")


@pytest.mark.parametrize(
    "poll",
    [
        Poll(options=tuple("abcdefghijklm")),
        Poll(options=("a", "b" * 101)),
        Poll(options=("a", "b"), lasts=timedelta(seconds=4)),
        Poll(options=("a", "b"), lasts=timedelta(seconds=2_628_001)),
        Poll(options=("a", "b"), question="q" * 301),
    ],
)
async def test_a_poll_beyond_a_limit_is_refused(channel: Connector, post: Make, poll: Poll, telegram: Telegram) -> None:
    with pytest.raises(Refused):
        await channel.commit(post("Which?", poll=poll), {})
    assert telegram.texts() == []


@pytest.mark.parametrize("poll", [Poll(options=tuple("abcdefghijkl")), Poll(options=("a", "b" * 100))])
async def test_a_poll_at_its_limit_goes_out(channel: Connector, post: Make, poll: Poll, telegram: Telegram) -> None:
    await channel.commit(post("q" * 300, poll=poll), {})
    assert telegram.texts() == ["q" * 300]


async def test_a_thread_is_a_chain_of_answers(channel: Connector, telegram: Telegram, post: Make) -> None:
    first = await channel.commit(post("1/2"), {})
    second = await channel.commit(post("2/2", reply_to=_ref(first)), {})
    chat, message = (int(part) for part in second.remote_id.split(":"))
    answered = telegram.state.chats[chat].messages[message]["reply_to_message"]
    assert answered["message_id"] == int(first.remote_id.split(":")[1])
    assert [entry.kind for entry in telegram.world.ledger.of("telegram")] == ["post", "reply"]


async def test_an_answer_to_a_post_that_was_deleted_is_not_published_loose(
    channel: Connector, telegram: Telegram, post: Make
) -> None:
    first = await channel.commit(post("1/2"), {})
    await channel.delete(_ref(first))
    with pytest.raises(Gone):
        await channel.commit(post("2/2", reply_to=_ref(first)), {})
    assert telegram.texts() == []


@pytest.mark.parametrize(
    "asked",
    [
        {"content_warning": "spiders"},
        {"visibility": "private"},
        {"poll": Poll(options=("a", "b")), "with_picture": True},
    ],
)
async def test_what_telegram_does_not_have_is_refused_and_never_left_out_in_silence(
    channel: Connector, telegram: Telegram, post: Make, picture: Draw, asked: dict[str, Any]
) -> None:
    if asked.pop("with_picture", False):
        asked["pictures"] = (picture(),)
    for step in (channel.prepare, channel.commit):
        with pytest.raises(Refused):
            await step(post("Hello", **asked), {})
    assert telegram.texts() == []


@pytest.mark.parametrize("character", ["a", "é", "😀", "ш"])
async def test_4096_code_points_go_out_and_one_more_is_refused(
    channel: Connector, telegram: Telegram, post: Make, character: str
) -> None:
    await channel.commit(post(character * 4096), {})
    with pytest.raises(Refused, match="longer than Telegram takes"):
        await channel.commit(post(character * 4097), {})
    assert telegram.texts() == [character * 4096]


async def test_beside_a_picture_only_1024_fit(
    channel: Connector, telegram: Telegram, post: Make, picture: Draw
) -> None:
    await channel.commit(post("x" * 1024, pictures=(picture(),)), {})
    for pictures in ((picture(),), (picture(), picture(name="b"))):
        with pytest.raises(Refused, match="beside a picture"):
            await channel.commit(post("x" * 1025, pictures=pictures), {})
    assert telegram.texts() == ["x" * 1024]


# Changing and taking away.


async def test_an_edit_changes_the_text_and_a_second_time_changes_nothing(
    channel: Connector, telegram: Telegram, post: Make
) -> None:
    published = await channel.commit(post("Helo"), {})
    for _ in range(2):
        edited = await channel.edit(_ref(published), post("Hello"), {})
        assert edited.remote_id == published.remote_id
    assert telegram.texts() == ["Hello"]
    assert [entry.kind for entry in telegram.world.ledger.of("telegram")] == ["post", "edit"]


async def test_an_edit_whose_answer_was_lost_may_be_asked_again(
    channel: Connector, telegram: Telegram, post: Make
) -> None:
    published = await channel.commit(post("Helo"), {})
    telegram.faults.will_lose_answer(path="editMessageText")
    with pytest.raises(TryLater):
        await channel.edit(_ref(published), post("Hello"), {})
    await channel.edit(_ref(published), post("Hello"), {})
    assert telegram.texts() == ["Hello"]


async def test_a_caption_can_be_changed_but_not_the_number_of_pictures(
    channel: Connector, telegram: Telegram, post: Make, picture: Draw
) -> None:
    published = await channel.commit(post("Helo", pictures=(picture(),)), {})
    await channel.edit(_ref(published), post("Hello", pictures=(picture(),)), {})
    assert telegram.texts() == ["Hello"]
    with pytest.raises(Refused, match="as many files as it has"):
        await channel.edit(_ref(published), post("Hello"), {})


async def test_a_poll_cannot_be_changed(channel: Connector, post: Make) -> None:
    published = await channel.commit(post("Which?", poll=Poll(options=("a", "b"))), {})
    with pytest.raises(Refused, match="poll"):
        await channel.edit(_ref(published), post("What?"), {})


async def test_editing_what_is_gone_says_so_and_deleting_it_is_done(channel: Connector, post: Make) -> None:
    published = await channel.commit(post("Hello"), {})
    await channel.delete(_ref(published))
    await channel.delete(_ref(published))
    with pytest.raises(Gone):
        await channel.edit(_ref(published), post("Hello again"), {})


async def test_after_48_hours_a_post_stays(channel: Connector, telegram: Telegram, post: Make) -> None:
    published = await channel.commit(post("Hello"), {})
    telegram.world.clock.advance(timedelta(hours=48))
    with pytest.raises(Refused, match="48 hours"):
        await channel.delete(_ref(published))
    assert telegram.texts() == ["Hello"]


# When things go wrong.


@pytest.mark.parametrize("picture_too", [False, True])
async def test_a_lost_answer_is_unclear_because_the_post_is_out(
    channel: Connector, telegram: Telegram, post: Make, picture: Draw, picture_too: bool
) -> None:
    telegram.faults.will_lose_answer(path="send")
    with pytest.raises(Unclear):
        await channel.commit(post("Once", pictures=(picture(),) if picture_too else ()), {})
    assert telegram.texts() == ["Once"]


async def test_a_dropped_request_is_unclear_too(channel: Connector, telegram: Telegram, post: Make) -> None:
    telegram.faults.will_drop(path="send")
    with pytest.raises(Unclear):
        await channel.commit(post("Perhaps"), {})
    assert telegram.texts() == []


@pytest.mark.parametrize("status", [500, 502, 504, 408])
async def test_trouble_after_the_post_may_have_been_taken_is_unclear(
    channel: Connector, telegram: Telegram, post: Make, status: int
) -> None:
    telegram.faults.will_do_but_answer(status, body="<html>Bad Gateway</html>", path="send")
    with pytest.raises(Unclear):
        await channel.commit(post("Perhaps"), {})


async def test_a_yes_that_we_cannot_read_is_unclear(channel: Connector, telegram: Telegram, post: Make) -> None:
    for body in ("<html>", {"ok": True, "result": {"hello": 1}}):
        telegram.faults.will_do_but_answer(200, body=body, path="send")
        with pytest.raises(Unclear):
            await channel.commit(post("Perhaps"), {})


async def test_a_server_that_is_away_took_nothing(http: aiohttp.ClientSession, login: Login, post: Make) -> None:
    away = Connector(http, Login(server="http://127.0.0.1:1", credentials=login.credentials))
    with pytest.raises(TryLater, match="could not be reached"):
        await away.commit(post("Hello"), {})


async def test_we_wait_as_long_as_telegram_says(channel: Connector, telegram: Telegram, post: Make) -> None:
    telegram.world.clock.set(datetime(2030, 3, 1, 9, 0, tzinfo=UTC))
    telegram.faults.will_answer(429, path="send")
    with pytest.raises(TryLater) as caught:
        await channel.commit(post("Hello"), {})
    assert caught.value.not_before == datetime(2030, 3, 1, 9, 0, 6, tzinfo=UTC)


async def test_a_flood_is_slowed_down_and_nothing_of_it_is_lost_or_doubled(
    group: Connector, telegram: Telegram, post: Make
) -> None:
    telegram.chats.floods = True
    telegram.world.clock.set(datetime(2030, 3, 1, 9, 0, tzinfo=UTC))
    waits = 0
    for number in range(25):
        while True:
            try:
                await group.commit(post(str(number)), {})
                break
            except TryLater as exc:
                telegram.world.clock.set(exc.not_before or telegram.world.clock.now())
                waits += 1
    assert waits > 1
    assert telegram.texts(group.chat_id) == [str(number) for number in range(25)]


@pytest.mark.parametrize(
    ("status", "description", "error", "words"),
    [
        (401, "Unauthorized", SignInAgain, "@BotFather"),
        (404, "Not Found", SignInAgain, "@BotFather"),
        (403, "Forbidden: bot was kicked from the channel chat", SignInAgain, "removed from this channel"),
        (403, "Forbidden: bot is not a member of the channel chat", SignInAgain, "not in this channel"),
        (400, "Bad Request: chat not found", SignInAgain, "Add the bot"),
        (400, "Bad Request: need administrator rights in the channel chat", SignInAgain, "administrator"),
        (400, "Bad Request: not enough rights to send photos to the chat", SignInAgain, "right to post"),
        (400, "Bad Request: CHAT_WRITE_FORBIDDEN", SignInAgain, "may not post"),
        (400, "Bad Request: something {new}", Refused, "Telegram said: something {new}"),
    ],
)
async def test_each_refusal_is_a_sentence_that_says_what_to_do(
    channel: Connector,
    telegram: Telegram,
    post: Make,
    status: int,
    description: str,
    error: type[NetworkError],
    words: str,
) -> None:
    telegram.faults.will_answer(status, body={"ok": False, "error_code": status, "description": description})
    with pytest.raises(error) as caught:
        await channel.commit(post("Hello"), {})
    assert words in caught.value.said


async def test_a_group_that_became_a_supergroup_names_its_new_id(
    telegram: Telegram, http: aiohttp.ClientSession, login: Login, post: Make
) -> None:
    small = telegram.add_group(login.credentials["token"], "Team", kind="group")
    team = Connector(http, Login(server=login.server, credentials={**login.credentials, "chat_id": str(small.id)}))
    assert (await team.commit(post("Hello"), {})).url == ""
    grown = telegram.chats.migrate(small)
    with pytest.raises(SignInAgain, match="supergroup") as caught:
        await team.commit(post("Hello again"), {})
    assert migrated_to(caught.value) == str(grown.id)


@pytest.mark.parametrize(
    ("status", "headers"), [(302, {"Location": "https://elsewhere.example"}), (200, {}), (404, {})]
)
async def test_an_address_that_is_no_bot_api_server_is_said_to_be_none(
    channel: Connector, telegram: Telegram, status: int, headers: dict[str, str]
) -> None:
    telegram.faults.will_answer(status, headers=headers, body="<html>Welcome</html>")
    with pytest.raises(Refused, match="Bot API"):
        await channel.whoami()


async def test_the_token_is_never_in_what_is_kept_or_said(
    channel: Connector, telegram: Telegram, http: aiohttp.ClientSession, login: Login, post: Make
) -> None:
    secret = login.credentials["token"].partition(":")[2]
    published = await channel.commit(post("Hello"), {})
    assert published.answer is not None
    shown = [repr(published), repr(published.answer.kept()), repr(login), repr(channel.bot)]
    away = Connector(http, Login(server="http://127.0.0.1:1", credentials=login.credentials))
    for connector, prepare in (
        (away, None),
        (channel, telegram.faults.will_drop),
        (channel, telegram.faults.will_lose_answer),
    ):
        if prepare is not None:
            prepare()
        with pytest.raises(NetworkError) as caught:
            await connector.commit(post("Hello"), {})
        error: BaseException | None = caught.value
        while error is not None:
            shown.append(f"{error!r} {error} {getattr(error, 'facts', '')}")
            error = error.__cause__
    assert not [text for text in shown if secret in text]
