"""What each connector declares to take beside words and pictures, published to its sandbox and read in its ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from test_every_connector import Line, line, ref_to, slug  # noqa: F401 - fixtures

from regie.networks.capabilities import Capabilities, Format, MessageKind
from regie.networks.data import Document, Outgoing, Pending, Poll, Published, Ref, Sound
from regie.networks.errors import Refused, TryLater, Unclear
from regie.networks.protocols import FindsComment

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"
MP3 = b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"\xff\xfb\x90\x00" * 4000


async def published(line: Line, what: Outgoing) -> Published:  # noqa: F811
    """As the engine does it: what is under way is asked for again with what was achieved so far."""
    progress: Any = await line.prepared(what)
    for _ in range(12):
        outcome = await line.connector.commit(what, progress)
        if isinstance(outcome, Published):
            return outcome
        assert isinstance(outcome, Pending)
        progress = outcome.progress
        line.net.world.clock.advance(timedelta(minutes=1))
    raise AssertionError("It never goes out.")


def accepted(line: Line) -> list[tuple[str, int]]:  # noqa: F811
    return [(entry.text, entry.media) for entry in line.net.world.ledger.of(line.slug)]


@dataclass(frozen=True)
class Files:
    document: Document
    sound: Sound


@pytest.fixture
def files(tmp_path: Path) -> Files:
    menu, episode = tmp_path / "menu.pdf", tmp_path / "episode.mp3"
    menu.write_bytes(PDF)
    episode.write_bytes(MP3)
    return Files(
        document=Document(
            path=menu, content_type="application/pdf", size=len(PDF), name="menu.pdf", title="The menu", pages=1
        ),
        sound=Sound(
            path=episode, content_type="audio/mpeg", size=len(MP3), seconds=30, name="episode.mp3", title="Episode 1"
        ),
    )


@pytest.mark.shows("image")
async def test_a_picture(line: Line) -> None:  # noqa: F811
    if line.can.images is None:
        return
    what = line.outgoing("The shop", pictures=line.pictures(1))
    assert (await published(line, what)).remote_id
    assert accepted(line) == [("The shop", 1)]


@pytest.mark.shows("video")
async def test_a_video(line: Line) -> None:  # noqa: F811
    if line.can.video is None:
        return
    what = line.outgoing("A walk", videos=line.videos(1))
    assert (await published(line, what)).remote_id
    assert accepted(line) == [("A walk", 1)]


@pytest.mark.shows("short")
async def test_a_short_video(line: Line) -> None:  # noqa: F811
    if line.can.short is None:
        return
    what = line.outgoing("A walk", videos=line.videos(1), format=Format.SHORT)
    assert (await published(line, what)).remote_id
    assert accepted(line) == [("A walk", 1)]


@pytest.mark.shows("story")
async def test_a_story(line: Line) -> None:  # noqa: F811
    if not line.can.story:
        return
    shown = {"pictures": line.pictures(1)} if line.can.story_images is not None else {"videos": line.videos(1)}
    assert (await published(line, line.outgoing("", format=Format.STORY, **shown))).remote_id
    assert [media for _, media in accepted(line)] == [1]


@pytest.mark.shows("document")
async def test_a_document(line: Line, files: Files) -> None:  # noqa: F811
    if line.can.documents is None:
        return
    assert (await published(line, line.outgoing("New menu", documents=(files.document,)))).remote_id
    assert accepted(line) == [("New menu", 1)]


@pytest.mark.shows("audio")
async def test_a_sound(line: Line, files: Files) -> None:  # noqa: F811
    if line.can.sounds is None:
        return
    assert (await published(line, line.outgoing("Listen", sounds=(files.sound,)))).remote_id
    assert accepted(line) == [("Listen", 1)]


NOBODY_HOME = "http://127.0.0.1:9"
NOT_DECLARED: dict[str, Callable[[Capabilities], bool]] = {
    "picture": lambda can: can.images is None,
    "video": lambda can: can.video is None,
    "document": lambda can: can.documents is None,
    "sound": lambda can: can.sounds is None,
    "poll": lambda can: can.poll is None,
    "short": lambda can: can.short is None,
    "story": lambda can: not can.story,
    "warning": lambda can: can.content_warning is None,
    "sensitive": lambda can: not can.sensitive,
    "visibility": lambda can: "private" not in can.visibility,
}


@pytest.mark.parametrize("what", NOT_DECLARED)
async def test_what_is_not_declared_is_refused_before_anything_is_asked(
    line: Line,  # noqa: F811
    files: Files,
    what: str,
) -> None:
    """Nobody is at the address, so that whoever asked first would say TryLater."""
    if not NOT_DECLARED[what](line.can):
        return
    away = type(line.connector)(line.http, replace(line.login, server=NOBODY_HOME))
    for more in ({}, {"reply_to": Ref(remote_id="1_2", root_id="1_2"), "comment": True}):
        outgoing = line.outgoing("Good morning", **{**asking_for(what, line, files), **more})
        with pytest.raises(Refused) as refused:
            await away.commit(outgoing, (await away.prepare(outgoing, {})).progress)
        assert refused.value.said


def asking_for(what: str, line: Line, files: Files) -> dict[str, Any]:  # noqa: F811
    """The fields of an ``Outgoing`` that wants it."""
    asked: dict[str, Any] = {
        "picture": {"pictures": line.pictures(1)},
        "video": {"videos": line.videos(1)},
        "document": {"documents": (files.document,)},
        "sound": {"sounds": (files.sound,)},
        "poll": {"poll": Poll(options=("Oui", "Non"), lasts=timedelta(days=1), question="Which?")},
        "short": {"format": Format.SHORT, "videos": line.videos(1)},
        "story": {"format": Format.STORY, "pictures": line.pictures(1)},
        "warning": {"content_warning": "Spoiler"},
        "sensitive": {"sensitive": True},
        "visibility": {"visibility": "private"},
    }
    return dict(asked[what])


@pytest.mark.shows("first_comment")
async def test_the_first_comment_stands_under_the_post(line: Line) -> None:  # noqa: F811
    if not line.can.first_comment:
        return
    post = await published(line, line.outgoing("Open today"))
    comment = await published(line, line.outgoing("Until six", reply_to=ref_to(post), comment=True))
    assert comment.remote_id != post.remote_id
    assert [text for text, _ in accepted(line) if text] == ["Open today", "Until six"]


async def test_a_first_comment_is_changed_in_its_place(line: Line) -> None:  # noqa: F811
    """Where it is declared. Said twice, as after a lost answer, it is said once."""
    if not type(line.connector).can.edit_comment:
        return
    line.net.lets_edit()
    line.connector = type(line.connector)(line.http, replace(line.login, limits=(await line.connector.whoami()).limits))
    post = await published(line, line.outgoing("Open today"))
    comment = await published(line, line.outgoing("Until six", reply_to=ref_to(post), comment=True))
    what = line.outgoing("Until seven", reply_to=ref_to(post), comment=True)
    for _ in range(2):
        edited = await line.connector.edit(ref_to(comment), what, {})
        assert edited.remote_id == comment.remote_id or edited.extra["replaces"] == comment.remote_id
        assert edited.extra.get("kind") == comment.extra.get("kind")
    said = [entry.text for entry in line.net.world.ledger.of(line.slug, kind="edit") if entry.text]
    assert set(said) == {"Until seven"}
    assert line.net.texts().count("Open today") == 1


async def test_a_first_comment_whose_answer_was_lost_is_looked_for(line: Line) -> None:  # noqa: F811
    """A network where nobody can look implements none of this: a person is asked there."""
    if not isinstance(line.connector, FindsComment) or not line.can.first_comment:
        return
    post = await published(line, line.outgoing("Open today"))
    what = line.outgoing("Until six", reply_to=ref_to(post), comment=True)
    at_once = line.slug == "bluesky"  # its account's own server knows the key
    if not at_once:
        with pytest.raises(TryLater):  # it may be under way, or not listed yet
            await line.connector.comment_found(what)
    line.net.world.clock.advance(timedelta(minutes=10))
    assert await line.connector.comment_found(what) is None
    if not at_once:
        with pytest.raises(TryLater):  # tried again since
            await line.connector.comment_found(replace(what, tried_until=line.net.world.clock.now()))
    comment = await published(line, what)
    line.net.say(by="ana", text="Until six", to=post.remote_id)
    found = await line.connector.comment_found(what)
    assert isinstance(found, Published)
    assert (found.remote_id, found.extra) == (comment.remote_id, comment.extra)


async def test_a_lost_comment_is_found_behind_many_others(line: Line) -> None:  # noqa: F811
    """On networks that list comments a page at a time: ours may stand on the second."""
    if line.slug not in ("facebook", "instagram", "vk", "youtube"):
        return
    assert isinstance(line.connector, FindsComment)
    post = await published(line, line.outgoing("Open today"))
    what = line.outgoing("Until six", reply_to=ref_to(post), comment=True)
    comment = await published(line, what)
    line.net.world.clock.advance(timedelta(seconds=5))
    for nth in range(120):
        line.net.say(by="ana", text=f"Lovely, {nth}", to=post.remote_id)
    line.net.world.clock.advance(timedelta(minutes=10))
    found = await line.connector.comment_found(what)
    assert isinstance(found, Published)
    assert found.remote_id == comment.remote_id
    assert await line.connector.comment_found(replace(what, text="Something else")) is None


async def test_two_comments_alike_are_for_a_person_to_settle(line: Line) -> None:  # noqa: F811
    if not isinstance(line.connector, FindsComment) or not line.can.first_comment:
        return
    if line.slug in ("bluesky", "x"):  # the one knows ours by its key, the other takes no text twice
        return
    post = await published(line, line.outgoing("Open today"))
    what = line.outgoing("Until six", reply_to=ref_to(post), comment=True)
    for key in ("one", "two"):
        await published(line, replace(what, key=key))
    with pytest.raises(Unclear):
        await line.connector.comment_found(what)


@pytest.mark.shows("messages")
async def test_a_private_message_is_read_once(line: Line) -> None:  # noqa: F811
    if MessageKind.DIRECT not in line.can.reads:
        return
    cursor = (await line.connector.messages(cursor="")).cursor
    line.net.say(by="ana", text="Are you open?", to=line.login.remote_id, kind="direct")
    page = await line.connector.messages(cursor=cursor)
    (message,) = page.messages
    assert message.kind is MessageKind.DIRECT
    assert message.text.endswith("Are you open?")  # Mastodon's names us first
    assert (await line.connector.messages(cursor=page.cursor)).messages == ()
