"""Documents, sounds, covers, subtitles and sounds that become videos: what the engine hands over, and what goes out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings

from regie.accounts.models import Account
from regie.media import making
from regie.media import services as media
from regie.media.models import File, Rendition
from regie.networks.capabilities import Capabilities, DocumentLimit, Format, ImageLimit, SoundLimit, VideoLimit
from regie.networks.data import Outgoing, Picture, Poll, Video
from regie.networks.errors import Refused, TryLater
from regie.networks.registry import connector
from regie.people.models import Member
from regie.publishing.contents import ask_for_videos, has_video, steps_of
from regie.publishing.engine.outgoing import Files, _media, fingerprint
from regie.publishing.models import Delivery
from regie.studio.content import Content, MediaUse, Part
from regie.studio.models import Post, Variant

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

Keep = Callable[..., File]
Make = Callable[..., BytesIO]
SRT = b"1\n00:00:00,100 --> 00:00:01,000\nBonjour\n"
FILM = VideoLimit(largest_bytes=50_000_000, longest=timedelta(minutes=10))
COVER = ImageLimit(most=1, largest_bytes=200_000, types=("image/jpeg",), longest_side=320)
NOW = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def keep(alice: Member) -> Keep:
    def keep(source: BytesIO, name: str, **facts: Any) -> File:
        file = media.upload(workspace=alice.workspace, name=name, source=source, by=alice)
        for field, value in facts.items():
            setattr(file, field, value)
        file.save()
        return file

    return keep


def handed(use: MediaUse, **limits: Any) -> Files:
    can: Capabilities = replace(connector("mastodon").can, **{"documents": None, "sounds": None, **limits})
    content = Content(parts=[Part(text="Look", media=[use])])
    (step,) = steps_of(content, can, network="mastodon", account=1)
    return _media(step["media"], can, Format.POST, NOW)


def made(content: Content, can: Capabilities) -> None:
    """What waits to be made, as a worker would make it."""
    ask_for_videos(content, can)
    for rendition in Rendition.objects.filter(state="waiting"):
        asyncio.run(making.make(rendition.pk))


def test_a_document_is_handed_over_as_it_is_under_its_title(keep: Keep, paper: Make) -> None:
    file = keep(paper(pages=4), "v3 FINAL.pdf", title='Our "year": 2026/27')
    (document,) = handed(MediaUse(file=file.pk), documents=DocumentLimit(largest_bytes=10**6)).documents
    assert (document.name, document.title, document.pages) == ("Our year 2026 27.pdf", 'Our "year": 2026/27', 4)
    assert document.path.read_bytes() == paper(pages=4).getvalue()
    assert document.public_url == ""


def test_a_network_that_fetches_gets_an_address(keep: Keep, paper: Make) -> None:
    file = keep(paper(), "a.pdf")
    limits = {"documents": DocumentLimit(largest_bytes=10**6), "fetches_media": True}
    (document,) = handed(MediaUse(file=file.pk), **limits).documents
    assert document.public_url.startswith(f"{settings.PUBLIC_URL}/media/for-networks/")
    assert document.public_url.endswith("/media.pdf")


def test_a_sound_is_handed_over_with_how_long_it_lasts(keep: Keep, sound: Make) -> None:
    file = keep(sound(seconds=3, title="The first"), "take 7.mp3")
    (heard,) = handed(MediaUse(file=file.pk), sounds=SoundLimit(largest_bytes=10**7)).sounds
    assert (heard.name, heard.title, heard.content_type) == ("The first.mp3", "The first", "audio/mpeg")
    assert heard.seconds == pytest.approx(3, abs=0.1)


def test_a_sound_of_another_type_is_made_to_fit_and_handed_over(
    keep: Keep, sound: Make, transactional_db: None
) -> None:
    file = keep(sound("wav", seconds=3, title="The first"), "take 7.wav")
    use, takes = MediaUse(file=file.pk), SoundLimit(largest_bytes=10**7)
    with pytest.raises(TryLater, match="being made to fit"):
        handed(use, sounds=takes)
    made(Content(parts=[Part(media=[use])]), replace(connector("mastodon").can, sounds=takes))
    (heard,) = handed(use, sounds=takes).sounds
    assert (heard.name, heard.title, heard.content_type) == ("The first.mp3", "The first", "audio/mpeg")
    assert heard.path.read_bytes()[:3] == b"ID3"
    assert heard.size == heard.path.stat().st_size


@pytest.mark.parametrize("kind", ["document", "sound"])
def test_what_a_network_does_not_take_is_refused_before_it_is_asked(
    keep: Keep, paper: Make, sound: Make, kind: str
) -> None:
    file = keep(paper(), "a.pdf") if kind == "document" else keep(sound(), "a.mp3")
    with pytest.raises(Refused, match="does not take that kind of file"):
        handed(MediaUse(file=file.pk))


def test_a_file_that_left_the_disk_is_refused_in_words(keep: Keep, paper: Make) -> None:
    file = keep(paper(), "a.pdf")
    file.file.storage.delete(str(file.file.name))
    with pytest.raises(Refused, match="no longer on our disk"):
        handed(MediaUse(file=file.pk), documents=DocumentLimit(largest_bytes=10**6))


def test_a_video_takes_its_cover_and_its_subtitles_along(
    keep: Keep, video: Make, picture: Make, transactional_db: None
) -> None:
    film = keep(video(), "wave.mp4")
    cover = keep(picture(width=1280, height=720, kind="PNG"), "cover.png")
    words = keep(BytesIO(SRT), "wave.srt")
    use = MediaUse(file=film.pk, cover=cover.pk, captions=words.pk, language="fr")
    takes = replace(FILM, cover=COVER, captions=("text/vtt",))
    made(Content(parts=[Part(media=[use])]), replace(connector("mastodon").can, video=takes))
    (sent,) = handed(use, video=takes).videos
    assert sent.cover is not None
    assert (sent.cover.content_type, sent.cover.width, sent.cover.height) == ("image/jpeg", 320, 180)
    assert sent.captions is not None
    assert (sent.captions.content_type, sent.captions.language) == ("text/vtt", "fr")
    assert sent.captions.path.read_text().startswith("WEBVTT")
    (plain,) = handed(use, video=FILM).videos
    assert (plain.cover, plain.captions) == (None, None)


def test_a_sound_becomes_a_video_only_where_that_was_asked_and_no_sounds_are_taken(
    keep: Keep, sound: Make, picture: Make, transactional_db: None
) -> None:
    song, cover = keep(sound(seconds=2), "song.mp3"), keep(picture(), "cover.jpg")
    use = MediaUse(file=song.pk, cover=cover.pk, as_video=True)
    content = Content(parts=[Part(media=[use])])
    can = replace(connector("mastodon").can, sounds=None, video=FILM)
    assert has_video(content)
    with pytest.raises(TryLater, match=r"“song\.mp3” is being made"):
        handed(use, video=FILM)
    made(content, can)
    (shown,) = handed(use, video=FILM).videos
    assert (shown.content_type, shown.width, shown.height) == ("video/mp4", 320, 240)
    assert shown.seconds == pytest.approx(2, abs=0.15)
    with_sounds = handed(use, video=FILM, sounds=SoundLimit(largest_bytes=10**7))
    assert (len(with_sounds.sounds), with_sounds.videos) == (1, ())
    with pytest.raises(Refused, match="does not take that kind of file"):
        handed(MediaUse(file=song.pk, cover=cover.pk), video=FILM)


def test_what_was_sent_before_there_were_more_kinds_keeps_its_fingerprint() -> None:
    plain = Outgoing(key="k", text="Look", planned_at=NOW)
    path = Path("a.mp4")
    film = Video(path=path, content_type="video/mp4", width=1, height=1, size=1, seconds=1.0)
    # As they were before there were documents, sounds, options, covers and quizzes.
    assert fingerprint(plain) == "66e6479a5cf3877b33307888161bf1cf6daa2f24ab98bc22d57bb693a226196f"
    older = replace(plain, videos=(film,), poll=Poll(options=("a", "b")))
    assert fingerprint(older) == "75d52380f9b0a4b7425b16ed06505cef60a7910da54595edef4930349febe406"
    cover = Picture(path=path, content_type="image/jpeg", width=1, height=1, size=1, public_url="https://one")
    with_video, with_cover = replace(plain, videos=(film,)), replace(plain, videos=(replace(film, cover=cover),))
    later = replace(plain, videos=(replace(film, cover=replace(cover, public_url="https://two")),))
    assert fingerprint(with_cover) == fingerprint(later) != fingerprint(with_video)
    poll = Poll(options=("a", "b"))
    quiz = replace(poll, correct=0)
    assert fingerprint(replace(plain, poll=poll)) != fingerprint(replace(plain, poll=quiz))


@pytest.mark.parametrize("kind", ["document", "sound", "video"])
def test_it_goes_out_on_telegram_at_the_hour(
    clock: Clock,
    telegram: Sandbox,
    telegram_account: Account,
    bob: Member,
    keep: Keep,
    paper: Make,
    sound: Make,
    video: Make,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
    kind: str,
) -> None:
    source = {"document": paper, "sound": sound, "video": video}[kind]()
    file = keep(source, "a", title="Our year" if kind != "video" else "")
    content = Content(parts=[Part(text="Look", media=[MediaUse(file=file.pk)])])
    post = Post.objects.create(workspace=bob.workspace, content=content.as_json(), author=bob.user)
    Variant.objects.create(post=post, account=telegram_account)
    delivery = promise(post, "09:30")
    for rendition in Rendition.objects.filter(state="waiting"):
        asyncio.run(making.make(rendition.pk))
    clock.set("09:30")
    publish_due()
    delivery.refresh_from_db()
    assert (delivery.state, telegram.texts()) == ("published", ["Look"])
    chat, message = (int(part) for part in delivery.remote_id.split(":"))
    shown = telegram.itself.state.chats[chat].messages[message]
    name = {"document": "document", "sound": "audio", "video": "video"}[kind]
    assert name in shown
    if kind != "video":
        assert shown[name]["file_name"].startswith("Our year.")


def test_a_first_comment_on_telegram_stands_in_the_discussion_group(
    clock: Clock,
    telegram: Sandbox,
    telegram_account: Account,
    bob: Member,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    content = Content(parts=[Part(text="Bonjour")], first_comment="Plus ici")
    post = Post.objects.create(workspace=bob.workspace, content=content.as_json(), author=bob.user)
    Variant.objects.create(post=post, account=telegram_account)
    delivery = promise(post)
    publish_due()
    delivery.refresh_from_db()
    assert delivery.state == "published"
    comment = delivery.steps.order_by("position").last()
    assert comment is not None
    assert comment.remote_id.split(":")[0] == telegram_account.limits["discussion_id"]
