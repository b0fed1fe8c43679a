"""What we publish on Mastodon, and what we say when that goes wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from regie.networks.data import Login, Outgoing, Pending, Picture, Poll, Published, Ready, Ref, Sound, Video
from regie.networks.errors import Gone, Refused, SignInAgain, TryLater, Unclear
from regie.networks.mastodon.connector import Mastodon as Connector
from regie_sandbox.mastodon.app import Mastodon

SOON = timedelta(minutes=10)


def outgoing(text: str = "Good morning", **more: Any) -> Outgoing:
    return Outgoing(**{"key": "key-1", "text": text, "planned_at": datetime.now(UTC), **more})


async def publish(connector: Connector, what: Any) -> Published:
    ready = await connector.prepare(what, {})
    assert isinstance(ready, Ready)
    published = await connector.commit(what, ready.progress)
    assert isinstance(published, Published)
    return published


async def test_a_text_goes_out_with_its_receipt(connector: Connector, mastodon: Mastodon) -> None:
    published = await publish(connector, outgoing("Bonjour à tous", language="fr", visibility="unlisted"))
    assert mastodon.texts() == ["Bonjour à tous"]
    status = mastodon.status(published.remote_id)
    assert (status.language, status.visibility) == ("fr", "unlisted")
    assert published.url == f"{mastodon.base}/@regie/{status.id}"
    assert published.at is not None
    assert abs(published.at - status.created_at) < timedelta(milliseconds=2)
    assert (await connector.fetch(published.remote_id)).remote_id == published.remote_id


async def test_a_picture_goes_out_with_its_description_and_focus(
    connector: Connector, mastodon: Mastodon, picture: Picture
) -> None:
    published = await publish(connector, outgoing("Look", pictures=(picture, picture)))
    media = [mastodon.state.media[one] for one in mastodon.status(published.remote_id).media_ids]
    assert [(one.description, one.focus, one.width) for one in media] == [("A teal window", (0.5, -0.25), 80)] * 2
    assert mastodon.world.ledger.entries[-1].media == 2


async def test_a_picture_alone_is_enough(connector: Connector, mastodon: Mastodon, picture: Picture) -> None:
    await publish(connector, outgoing("", pictures=(picture,)))
    assert mastodon.texts() == [""]


async def test_a_picture_that_the_server_works_on_is_waited_for(
    connector: Connector, mastodon: Mastodon, picture: Picture
) -> None:
    mastodon.world.clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    mastodon.media_seconds = 30
    what = outgoing(pictures=(picture,))
    waiting = await connector.prepare(what, {})
    assert isinstance(waiting, Pending)
    assert isinstance(await connector.prepare(what, waiting.progress), Pending)
    mastodon.world.clock.advance(timedelta(seconds=31))
    ready = await connector.prepare(what, waiting.progress)
    assert isinstance(ready, Ready)
    await connector.commit(what, ready.progress)
    assert len(mastodon.state.media) == 1


async def test_an_upload_that_the_server_forgot_is_done_again(
    connector: Connector, mastodon: Mastodon, picture: Picture
) -> None:
    ready = await connector.prepare(
        outgoing(pictures=(picture,)), {"media": [{"id": "113000000000000000", "ready": False}]}
    )
    assert isinstance(ready, Ready)
    assert ready.progress["media"][0]["id"] in mastodon.state.media


async def test_a_server_without_media_version_2_gets_version_1(
    connector: Connector, mastodon: Mastodon, picture: Picture
) -> None:
    mastodon.faults.will_answer(404, path="/api/v2/media")
    await publish(connector, outgoing(pictures=(picture,)))
    assert mastodon.world.ledger.entries[-1].media == 1


async def test_a_poll_a_warning_and_sensitive_pictures(
    connector: Connector, mastodon: Mastodon, picture: Picture
) -> None:
    poll = Poll(options=("Oui", "Non"), lasts=timedelta(days=1), multiple=True, hide_totals=True)
    asked = await publish(connector, outgoing("Une question", poll=poll, content_warning="Politique"))
    status = mastodon.status(asked.remote_id)
    assert status.poll is not None
    assert (status.poll.options, status.poll.multiple, status.poll.hide_totals) == (["Oui", "Non"], True, True)
    assert (status.spoiler_text, status.sensitive) == ("Politique", True)
    covered = await publish(connector, outgoing("x", key="2", pictures=(picture,), sensitive=True))
    assert mastodon.status(covered.remote_id).sensitive


async def test_a_thread_is_a_chain(connector: Connector, mastodon: Mastodon) -> None:
    first = await publish(connector, outgoing("1/2"))
    second = await publish(connector, outgoing("2/2", key="2", reply_to=Ref(remote_id=first.remote_id)))
    assert mastodon.status(second.remote_id).in_reply_to_id == first.remote_id


async def test_an_answer_names_whom_it_answers(connector: Connector, mastodon: Mastodon) -> None:
    post = await publish(connector, outgoing("Open today"))
    mastodon.say(by="ana", text="Until when?", to=post.remote_id)
    (message,) = (await connector.messages(cursor="")).messages
    answer = outgoing("Until six", key="2", reply_to=Ref(remote_id=message.remote_id, extra=message.extra))
    published = await publish(connector, answer)
    assert mastodon.texts()[-1] == "@ana Until six"
    assert [note.type for note in mastodon.state.notifications[mastodon.person("ana").id]] == ["mention"]
    seen = (await connector.own_posts(since=datetime.now(UTC) - SOON)).seen
    found = [one.text for one in seen if one.remote_id == published.remote_id]
    assert found == ["@ana Until six", "Until six"]  # reconciliation finds it by the text that was written


async def test_the_same_key_within_the_hour_is_the_same_post(connector: Connector, mastodon: Mastodon) -> None:
    first = await publish(connector, outgoing())
    again = await publish(connector, outgoing())
    assert first.remote_id == again.remote_id
    assert len(mastodon.world.ledger.of("mastodon", kind="post")) == 1


async def test_after_the_hour_the_same_key_is_another_post(connector: Connector, mastodon: Mastodon) -> None:
    mastodon.world.clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    first = await publish(connector, outgoing())
    mastodon.world.clock.advance(timedelta(minutes=61))
    assert (await publish(connector, outgoing())).remote_id != first.remote_id


async def test_an_edit_changes_the_post_in_place(connector: Connector, mastodon: Mastodon, picture: Picture) -> None:
    what = outgoing("Ouvert jusqu'à 18 h", pictures=(picture,), content_warning="Horaires")
    ready = await connector.prepare(what, {})
    assert isinstance(ready, Ready)
    published = await connector.commit(what, ready.progress)
    assert isinstance(published, Published)
    edited = await connector.edit(
        Ref(remote_id=published.remote_id),
        replace(what, text="Ouvert jusqu'à 19 h", content_warning=""),
        ready.progress,
    )
    status = mastodon.status(published.remote_id)
    assert (edited.remote_id, status.text, status.spoiler_text) == (status.id, "Ouvert jusqu'à 19 h", "")
    assert len(status.media_ids) == 1


async def test_a_deleted_post_is_gone_and_deleting_it_again_is_done(connector: Connector, mastodon: Mastodon) -> None:
    published = await publish(connector, outgoing())
    await connector.delete(Ref(remote_id=published.remote_id))
    await connector.delete(Ref(remote_id=published.remote_id))
    assert mastodon.texts() == []
    with pytest.raises(Gone):
        await connector.fetch(published.remote_id)


async def test_a_server_that_cannot_delete_is_not_believed(connector: Connector, mastodon: Mastodon) -> None:
    published = await publish(connector, outgoing())
    mastodon.faults.will_answer(404, method="DELETE")
    with pytest.raises(Refused, match="no way to delete"):
        await connector.delete(Ref(remote_id=published.remote_id))


# Limits


async def test_501_characters_are_refused_in_the_servers_words(connector: Connector) -> None:
    with pytest.raises(Refused, match="Text character limit of 500 exceeded"):
        await publish(connector, outgoing("x" * 501))


async def test_a_family_is_one_character_and_a_link_is_23(connector: Connector, mastodon: Mastodon) -> None:
    text = "👩‍👩‍👧‍👦" * 400 + "مرحبا" + " https://example.org/" + "a" * 300
    await publish(connector, outgoing(text))
    assert mastodon.texts() == [text]
    (seen,) = (await connector.own_posts(since=datetime.now(UTC) - SOON)).seen
    assert seen.text == text


@pytest.mark.parametrize(
    ("poll", "said"),
    [
        (Poll(options=("a",), lasts=timedelta(days=1)), "more than one"),
        (Poll(options=tuple("abcde"), lasts=timedelta(days=1)), "more than 4"),
        (Poll(options=("a", "b" * 51), lasts=timedelta(days=1)), "longer than 50"),
        (Poll(options=("a", "a"), lasts=timedelta(days=1)), "duplicate"),
        (Poll(options=("a", "b"), lasts=timedelta(minutes=1)), "too soon"),
        (Poll(options=("a", "b"), lasts=timedelta(days=60)), "too far"),
        (Poll(options=("a", "b")), "how long"),
    ],
)
async def test_a_poll_outside_the_limits_is_refused(connector: Connector, poll: Poll, said: str) -> None:
    with pytest.raises(Refused, match=said):
        await publish(connector, outgoing(poll=poll))


async def test_five_pictures_are_refused(connector: Connector, picture: Picture) -> None:
    with pytest.raises(Refused, match="more than 4 files"):
        await publish(connector, outgoing(pictures=(picture,) * 5))


async def test_40_megapixels_and_false_extensions_are_refused(
    connector: Connector, picture: Picture, tmp_path: Path
) -> None:
    huge, text = tmp_path / "huge.png", tmp_path / "notes.png"
    Image.new("1", (8000, 5000)).save(huge)
    text.write_text("not a picture")
    for path, said in ((huge, "8000x5000"), (text, "content type is invalid")):
        with pytest.raises(Refused, match=said):
            await connector.prepare(outgoing(pictures=(replace(picture, path=path),)), {})


async def test_an_empty_post_is_refused(connector: Connector) -> None:
    with pytest.raises(Refused, match="can't be blank"):
        await publish(connector, outgoing("  "))


async def test_answering_what_is_gone_says_gone(connector: Connector) -> None:
    with pytest.raises(Gone):
        await publish(connector, outgoing(reply_to=Ref(remote_id="113000000000000000")))


async def test_the_server_slows_us_down_at_300_requests(connector: Connector, mastodon: Mastodon, login: Login) -> None:
    mastodon.meter.spent[login.remote_id, "requests"] = (datetime.now(UTC).timestamp() + 100, 300)
    with pytest.raises(TryLater) as slowed:
        await publish(connector, outgoing())
    assert slowed.value.not_before is not None
    assert 90 < (slowed.value.not_before - datetime.now(UTC)).total_seconds() < 101
    assert mastodon.texts() == []


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-RateLimit-Reset": "2030-03-01T09:15:00.000Z"}, 900),
        ({"X-RateLimit-Reset": str(int(datetime(2030, 3, 1, 9, 15, tzinfo=UTC).timestamp()))}, 900),
        ({"X-RateLimit-Reset": "", "Retry-After": "60"}, 60),
        ({"X-RateLimit-Reset": "", "Retry-After": "Fri, 01 Mar 2030 09:02:00 GMT"}, 120),
    ],
)
async def test_429_says_when_to_come_back_in_whatever_form(
    connector: Connector, mastodon: Mastodon, headers: dict[str, str], seconds: int
) -> None:
    mastodon.world.clock.set(datetime(2030, 3, 1, 9, 0, tzinfo=UTC))
    mastodon.faults.will_answer(429, headers=headers)
    with pytest.raises(TryLater) as slowed:
        await publish(connector, outgoing())
    assert slowed.value.not_before == datetime(2030, 3, 1, 9, 0, tzinfo=UTC) + timedelta(seconds=seconds)


# Lost answers


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
async def test_trouble_after_the_post_may_be_out_is_unclear(
    connector: Connector, mastodon: Mastodon, status: int
) -> None:
    mastodon.faults.will_do_but_answer(status, path="/statuses")
    with pytest.raises(Unclear):
        await publish(connector, outgoing())
    assert mastodon.texts() == ["Good morning"]


async def test_a_lost_answer_is_unclear_and_with_a_living_key_asked_again(
    connector: Connector, mastodon: Mastodon
) -> None:
    mastodon.faults.will_lose_answer(path="/statuses", times=2)
    with pytest.raises(Unclear):
        await publish(connector, outgoing())
    safe = outgoing(repeat_until=datetime.now(UTC) + SOON)
    with pytest.raises(TryLater):
        await publish(connector, safe)
    await publish(connector, safe)
    assert mastodon.texts() == ["Good morning"]


async def test_a_key_that_has_run_out_is_unclear_again(connector: Connector, mastodon: Mastodon) -> None:
    mastodon.faults.will_lose_answer(path="/statuses")
    with pytest.raises(Unclear):
        await publish(connector, outgoing(repeat_until=datetime.now(UTC) - timedelta(seconds=1)))


async def test_a_yes_that_cannot_be_read_is_unclear(connector: Connector, mastodon: Mastodon) -> None:
    mastodon.faults.will_do_but_answer(200, body="<html>ok</html>")
    mastodon.faults.will_do_but_answer(200, body={"content": "no id"})
    for key in ("1", "2"):
        with pytest.raises(Unclear):
            await publish(connector, outgoing(key=key))


async def test_a_lost_upload_is_only_tried_later(connector: Connector, mastodon: Mastodon, picture: Picture) -> None:
    mastodon.faults.will_lose_answer(path="/media")
    with pytest.raises(TryLater):
        await connector.prepare(outgoing(pictures=(picture,)), {})


async def test_nobody_listening_is_tried_later(http: aiohttp.ClientSession, login: Login) -> None:
    with pytest.raises(TryLater):
        await publish(Connector(http, replace(login, server="http://127.0.0.1:9")), outgoing())


async def test_a_dead_token_asks_a_person(connector: Connector, mastodon: Mastodon) -> None:
    mastodon.state.tokens.clear()
    with pytest.raises(SignInAgain):
        await publish(connector, outgoing())


async def test_403_means_the_token_only_when_it_says_so(connector: Connector, mastodon: Mastodon) -> None:
    mastodon.faults.will_answer(403, body={"error": "This action is outside the authorized scopes"})
    mastodon.faults.will_answer(403, body={"error": "This action is not allowed"})
    with pytest.raises(SignInAgain):
        await publish(connector, outgoing())
    with pytest.raises(Refused, match="not allowed"):
        await publish(connector, outgoing())


# Sounds and covers


async def test_a_sound_goes_out_with_its_title_as_description(
    mastodon: Mastodon, connector: Connector, tmp_path: Path
) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(b"ID3" + bytes(500))
    facts: dict[str, Any] = {"path": path, "content_type": "audio/mpeg", "size": 503, "seconds": 3.0, "name": "a.mp3"}
    published = await publish(connector, outgoing("Listen", sounds=(Sound(title="Episode 1", **facts),)))
    (media,) = (mastodon.state.media[one] for one in mastodon.status(published.remote_id).media_ids)
    assert (media.content_type, media.description) == ("audio/mpeg", "Episode 1")


async def test_a_video_takes_its_cover_along(mastodon: Mastodon, connector: Connector, tmp_path: Path) -> None:
    film, shown = tmp_path / "a.mp4", tmp_path / "c.png"
    Image.new("RGB", (64, 36), "teal").save(shown)
    film.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(500))
    cover = Picture(path=shown, content_type="image/png", width=64, height=36, size=shown.stat().st_size)
    video = Video(path=film, content_type="video/mp4", width=96, height=64, size=512, seconds=2.0, cover=cover)
    await publish(connector, outgoing("Waves", videos=(video,)))
    (media,) = mastodon.state.media.values()
    assert mastodon.world.files.get(media.thumbnail) == shown.read_bytes()


@pytest.mark.parametrize(
    ("listed", "taken"),
    [
        (["image/png", "audio/x-m4a", "audio/wave"], ("audio/mp4", "audio/wav")),
        ([], ("audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav")),
        (["image/png"], None),
    ],
)
def test_the_server_says_which_sounds_it_takes(listed: list[str], taken: tuple[str, ...] | None) -> None:
    sounds = Connector.can_on({"software": "mastodon", "mime_types": listed}).sounds
    assert (sounds.types if sounds else None) == taken
