"""What is said of documents, sounds, covers and subtitles on the networks that take them, and on those that do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from regie.accounts.models import Account
from regie.accounts.opening import capabilities_of
from regie.media import documents
from regie.media.models import File
from regie.networks.capabilities import (
    Capabilities,
    DocumentLimit,
    ImageLimit,
    Option,
    OptionKind,
    SoundLimit,
    VideoLimit,
)
from regie.networks.registry import connector
from regie.people.models import Workspace
from regie.studio import checks
from regie.studio.checks import Level
from regie.studio.content import Content, MediaUse, Part
from regie.studio.options import offered

Keep = Callable[..., File]
Look = Callable[..., list[str]]
FILM = VideoLimit(largest_bytes=50_000_000, longest=timedelta(minutes=10))


@pytest.fixture
def keep(workspace: Workspace) -> Keep:
    """A row of the library: ``keep("sound", seconds=60)``."""
    there: dict[str, dict[str, Any]] = {
        "picture": {"content_type": "image/jpeg", "name": "coat.jpg", "width": 800, "height": 600},
        "video": {
            "content_type": "video/mp4",
            "name": "wave.mp4",
            "width": 640,
            "height": 360,
            "seconds": 20.0,
            "video_codec": "h264",
            "audio_codec": "aac",
        },
        "document": {"content_type": "application/pdf", "name": "report.pdf", "pages": 12},
        "sound": {"content_type": "audio/mpeg", "name": "song.mp3", "seconds": 60.0, "audio_codec": "mp3"},
        "captions": {"content_type": "application/x-subrip", "name": "wave.srt"},
    }

    def keep(kind: str, **more: Any) -> File:
        facts = {"size": 90_000, "sha256": f"{kind}{File.objects.count()}", **there[kind], **more}
        return File.objects.create(workspace=workspace, kind=kind, **facts)

    return keep


@pytest.fixture
def look(make_account: Callable[..., Account], monkeypatch: pytest.MonkeyPatch) -> Look:
    """What is said of uses of files on a network with these limits, the stops or the advice."""
    account = make_account("mastodon")

    def look(*uses: MediaUse, level: Level = Level.STOP, **limits: Any) -> list[str]:
        plain: dict[str, Any] = {"documents": None, "sounds": None, "images": None, "video": None}
        can: Capabilities = replace(capabilities_of(account), **{**plain, **limits})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(checks, "capabilities_of", lambda _account: can)
            content = Content(parts=[Part(text="Look", media=list(uses))])
            files = File.objects.in_bulk(content.file_ids)
            return [one.said for one in checks.look_at(content, account, files) if one.level is level]

    return look


def test_a_document_goes_where_documents_go(look: Look, keep: Keep) -> None:
    use = MediaUse(file=keep("document").pk)
    assert look(use, documents=DocumentLimit(largest_bytes=100_000)) == []
    assert look(use) == ["Mastodon takes no documents here."]


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (
            {"largest_bytes": 100_000, "types": (documents.PPTX,)},
            "Mastodon does not take “report.pdf” as it is: save it as PPTX.",
        ),
        ({"largest_bytes": 51_200}, "“report.pdf” is larger than Mastodon takes: 50.0\u00a0KB at most."),
        ({"largest_bytes": 100_000, "most_pages": 10}, "“report.pdf” has 12 pages; Mastodon takes 10 at most."),
    ],
)
def test_a_document_out_of_the_networks_limits_is_stopped(
    look: Look, keep: Keep, limit: dict[str, Any], said: str
) -> None:
    assert look(MediaUse(file=keep("document").pk), documents=DocumentLimit(**limit)) == [said]


def test_two_documents_are_counted(look: Look, keep: Keep) -> None:
    uses = [MediaUse(file=keep("document").pk), MediaUse(file=keep("document").pk)]
    (said,) = look(*uses, documents=DocumentLimit(largest_bytes=100_000))
    assert said == "Mastodon takes 1 document in a post; there are 2."


def test_a_sound_out_of_reach_is_stopped_and_one_of_another_type_is_made_to_fit(look: Look, keep: Keep) -> None:
    limit = SoundLimit(largest_bytes=100_000, longest=timedelta(seconds=30))
    assert look(MediaUse(file=keep("sound").pk), sounds=limit) == [
        "“song.mp3” lasts 1 minute; Mastodon takes 30 seconds at most."
    ]
    wave = keep("sound", name="song.wav", content_type="audio/wav")
    limit = SoundLimit(largest_bytes=10**7, types=("audio/mp4", "audio/ogg"))
    assert look(MediaUse(file=wave.pk), sounds=limit) == []
    assert look(MediaUse(file=wave.pk), sounds=limit, level=Level.ADVICE) == [
        "“song.wav” is made into M4A for Mastodon, which does not take it as it is."
    ]
    assert look(MediaUse(file=wave.pk), sounds=replace(limit, largest_bytes=180_000)) == [
        "“song.wav” is too long for the size that Mastodon takes: 29 seconds at most would still sound well."
    ]
    assert look(MediaUse(file=wave.pk), sounds=replace(limit, types=("audio/x-strange",))) == [
        "Mastodon takes no type of sound that we can make of “song.wav”."
    ]


def test_a_document_or_a_sound_stands_alone(look: Look, keep: Keep) -> None:
    uses = [MediaUse(file=keep("document").pk), MediaUse(file=keep("sound").pk)]
    (said,) = look(*uses, documents=DocumentLimit(largest_bytes=10**6), sounds=SoundLimit(largest_bytes=10**6))
    assert "cannot stand beside other files" in said


def test_where_there_are_videos_but_no_sounds_a_video_of_both_is_offered_not_made_in_silence(
    look: Look, keep: Keep
) -> None:
    sound, cover = keep("sound").pk, keep("picture").pk
    assert look(MediaUse(file=sound)) == ["Mastodon takes no sounds here."]
    (said,) = look(MediaUse(file=sound), video=FILM)
    assert "choose a cover for “song.mp3”, and let a video be made of both" in said
    (said,) = look(MediaUse(file=sound, as_video=True), video=FILM)
    assert said == "Choose a picture as cover for “song.mp3”: Mastodon gets a video of both."
    ready = MediaUse(file=sound, cover=cover, as_video=True)
    assert look(ready, video=FILM) == []
    (advice,) = look(ready, video=FILM, level=Level.ADVICE)
    assert advice == "“song.mp3” goes out on Mastodon as a video of its cover and its sound."
    (said,) = look(ready, video=replace(FILM, longest=timedelta(seconds=30)))
    assert "Mastodon takes 30 seconds at most" in said


def test_a_network_that_takes_sounds_gets_the_sound_though_a_video_may_be_made(look: Look, keep: Keep) -> None:
    use = MediaUse(file=keep("sound").pk, cover=keep("picture").pk, as_video=True)
    limits = {"video": FILM, "sounds": SoundLimit(largest_bytes=10**6)}
    assert look(use, **limits) == look(use, level=Level.ADVICE, **limits) == []


def test_a_cover_is_a_picture_and_is_said_to_be_lost_where_it_is(look: Look, keep: Keep) -> None:
    video, cover = keep("video", alt="Waves").pk, keep("picture", alt="A coat")
    small = ImageLimit(most=1, largest_bytes=10**6, types=("image/jpeg",), longest_side=320)
    with_cover = replace(FILM, cover=small)
    use = MediaUse(file=video, cover=cover.pk)
    assert look(use, video=FILM) == []
    assert look(use, video=FILM, level=Level.ADVICE) == [
        "Mastodon shows a moment of the video, not the cover you chose."
    ]
    assert look(use, video=with_cover, level=Level.ADVICE) == ["“coat.jpg” will be made to fit what Mastodon takes."]
    wrong = MediaUse(file=video, cover=keep("document").pk)
    assert look(wrong, video=with_cover) == ["“report.pdf” cannot be a cover: choose a picture."]
    gone = MediaUse(file=video, cover=999_999)
    assert look(gone, video=with_cover) == ["A file is no longer there: take it out or choose another."]


@pytest.mark.parametrize(("kinds", "stopped"), [(("video",), False), (("video", "picture"), True)])
def test_a_network_says_where_a_cover_of_ones_own_would_not_show(
    make_account: Callable[..., Account], keep: Keep, kinds: tuple[str, ...], stopped: bool
) -> None:
    cover, *files = keep("picture"), *(keep(kind) for kind in kinds)
    account, there = make_account("instagram"), {file.pk: file for file in (cover, *files)}
    content = Content(parts=[Part(media=[MediaUse(file=file.pk, cover=cover.pk) for file in files])])
    said = [one.said for one in checks.look_at(content, account, there) if one.level is Level.STOP]
    assert any("with a single video only" in one for one in said) is stopped


def test_subtitles_need_a_video_and_a_language(look: Look, keep: Keep) -> None:
    video, words = keep("video").pk, keep("captions").pk
    takes = replace(FILM, captions=("application/x-subrip",))
    assert look(MediaUse(file=video, captions=words, language="fr"), video=takes) == []
    assert look(MediaUse(file=video, captions=words), video=takes) == [
        "Say in which language the subtitles “wave.srt” are."
    ]
    assert look(MediaUse(file=video, captions=words), video=FILM, level=Level.ADVICE) == [
        "Mastodon takes no subtitles: the video goes out without “wave.srt”."
    ]
    (said,) = look(MediaUse(file=words), video=takes)
    assert said == "Subtitles go with a video: take “wave.srt” out and choose it under the video."


def test_what_is_not_used_of_a_file_is_not_written() -> None:
    content = Content(parts=[Part(media=[MediaUse(file=7)])])
    assert content.as_json()["parts"][0]["media"] == [{"file": 7, "alt": None, "cut": False}]
    assert Content.model_validate(content.as_json()) == content


def test_what_belongs_to_videos_belongs_to_a_sound_that_becomes_one(keep: Keep) -> None:
    only = Option(name="made_for_kids", kind=OptionKind.SWITCH, label="Made for kids", only_with="video")
    can = replace(connector("mastodon").can, sounds=None, options=(only,))
    sound, cover = keep("sound"), keep("picture")
    files = {file.pk: file for file in (sound, cover)}
    shown = Content(parts=[Part(media=[MediaUse(file=sound.pk, cover=cover.pk, as_video=True)])])
    heard = Content(parts=[Part(media=[MediaUse(file=sound.pk)])])
    assert offered(shown, can, files) == [only]
    assert offered(heard, can, files) == []
    taken = replace(can, sounds=SoundLimit(largest_bytes=10**6))
    assert offered(shown, taken, files) == []
