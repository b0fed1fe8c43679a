"""What is taken as a video, what is refused with a sentence, and what networks are given of it."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from regie.media import making, services, videos
from regie.media.errors import BeingMade, CannotFit, NotAVideo, TooBig
from regie.media.models import File, Rendition
from regie.networks.capabilities import VideoLimit
from regie.people.models import Member

Film = Callable[..., BytesIO]
Keep = Callable[..., File]


def limits(**changes: Any) -> VideoLimit:
    return VideoLimit(**{"largest_bytes": 50_000_000, "longest": timedelta(seconds=60), **changes})


@pytest.fixture
def keep(alice: Member) -> Keep:
    def keep(source: BytesIO, name: str = "wave.mp4") -> File:
        return services.upload(workspace=alice.workspace, name=name, source=source, by=alice)

    return keep


@pytest.fixture
def fit(transactional_db: None) -> Callable[..., Rendition]:
    """The rendition, made as a worker would make it."""

    def fit(file: File, limit: VideoLimit, *, cut: bool = False) -> Rendition:
        rendition = making.ask_for(file, limit, cut=cut)
        asyncio.run(making.make(rendition.pk))
        return making.ask_for(file, limit, cut=cut)

    return fit


def seen(rendition: Rendition) -> videos.Looked:
    with services.local(rendition.file) as path:
        return videos.look(path, rendition.content_type)


def corner_of(looked: videos.Looked) -> str:
    """Where the red corner is: "top left", "top right", ..."""
    image = Image.open(BytesIO(looked.thumbnail)).convert("RGB")
    width, height = image.size
    for down, word in ((height // 10, "top"), (height - height // 10, "bottom")):
        for across, side in ((width // 10, "left"), (width - width // 10, "right")):
            red, green, _blue = image.getpixel((across, down))  # type: ignore[misc]
            if red > 150 and green < 90:
                return f"{word} {side}"
    return "nowhere"


# Taking


@pytest.mark.parametrize(
    ("how", "content_type", "codec", "heard"),
    [
        ({}, "video/mp4", "h264", "aac"),
        ({"kind": "mov", "sound": ""}, "video/quicktime", "h264", ""),
        ({"kind": "webm", "codec": "libvpx-vp9", "sound": "libopus"}, "video/webm", "vp9", "opus"),
    ],
)
def test_a_video_is_what_its_bytes_say(
    keep: Keep, video: Film, how: dict[str, str], content_type: str, codec: str, heard: str
) -> None:
    file = keep(video(**how), "holiday.jpg")
    assert (file.kind, file.content_type, file.video_codec, file.audio_codec) == ("video", content_type, codec, heard)
    assert (file.width, file.height) == (96, 64)
    assert file.seconds == pytest.approx(2, abs=0.1)
    assert file.frame_rate == pytest.approx(12, abs=0.1)
    with file.thumbnail.open("rb") as thumbnail:
        assert Image.open(thumbnail).format == "WEBP"


def test_a_video_of_a_phone_held_upright_is_seen_upright(keep: Keep, video: Film) -> None:
    file = keep(video(turned=90))
    assert (file.width, file.height, file.turned) == (64, 96, True)


def test_a_picture_called_mp4_is_a_picture(keep: Keep, picture: Callable[..., BytesIO]) -> None:
    assert keep(picture(), "clip.mp4").kind == "picture"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:40],
        lambda whole: whole[:48] + os.urandom(len(whole) - 48),
        lambda _whole: b"\0\0\0\x18ftypmp42" + bytes(4000),
        lambda _whole: b"\x1a\x45\xdf\xa3webm" + bytes(4000),
    ],
)
def test_a_video_cut_short_or_made_up_is_refused_and_nothing_is_kept(
    keep: Keep, video: Film, spoil: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(NotAVideo, match="damaged or was cut short"):
        keep(BytesIO(spoil(video(noise=True).getvalue())))
    assert not File.objects.exists()


def test_a_video_whose_end_is_missing_is_refused_though_its_head_promises_more(keep: Keep, video: Film) -> None:
    whole = video(seconds=20, kind="webm", codec="libvpx", sound="", noise=True).getvalue()
    with pytest.raises(NotAVideo, match="cut short"):
        keep(BytesIO(whole[: len(whole) // 3]))


def test_sound_alone_in_the_container_of_videos_is_a_sound(keep: Keep) -> None:
    import av

    made = BytesIO()
    with av.open(made, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=48_000, layout="stereo")
        for at in range(0, 48_000, 960):
            silence = av.AudioFrame(format="fltp", layout="stereo", samples=960)
            for plane in silence.planes:
                plane.update(bytes(plane.buffer_size))
            silence.sample_rate, silence.pts = 48_000, at
            container.mux(stream.encode(silence))
        container.mux(stream.encode(None))
    file = keep(made, "memo.mp4")
    assert (file.kind, file.content_type, file.audio_codec) == ("sound", "audio/mp4", "aac")


def test_sound_alone_in_another_container_is_refused(keep: Keep) -> None:
    import av

    made = BytesIO()
    with av.open(made, "w", format="webm") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="stereo")
        silence = av.AudioFrame(format="flt", layout="stereo", samples=960)
        silence.planes[0].update(bytes(silence.planes[0].buffer_size))
        silence.sample_rate, silence.pts = 48_000, 0
        container.mux(stream.encode(silence))
        container.mux(stream.encode(None))
    with pytest.raises(NotAVideo, match="no moving picture"):
        keep(made, "memo.webm")


@pytest.mark.parametrize("head", [b"RIFF\0\0\0\0AVI LIST", b"\x1a\x45\xdf\xa3\x01\0matroska", b"FLV\x01\x05"])
def test_a_kind_of_video_that_we_do_not_read_is_named(keep: Keep, head: bytes) -> None:
    with pytest.raises(NotAVideo, match="MP4, MOV or WebM"):
        keep(BytesIO(head + bytes(500)), "old.avi")


def test_a_playlist_that_names_other_files_is_never_opened(keep: Keep, tmp_path: Path) -> None:
    from regie.media.errors import NotAPicture

    secret = tmp_path / "secret.txt"
    secret.write_text("the key")
    with pytest.raises(NotAPicture):
        keep(BytesIO(f"#EXTM3U\n#EXTINF:1,\nfile://{secret}\n".encode()), "clip.mp4")


@pytest.mark.parametrize(("width", "height", "said"), [(8448, 32, "8,192 pixels"), (8, 8, "fewer than 16 pixels")])
def test_absurd_dimensions_are_refused(keep: Keep, video: Film, width: int, height: int, said: str) -> None:
    with pytest.raises(NotAVideo, match=said):
        keep(video(width=width, height=height, seconds=0.5, sound=""))


def test_a_file_larger_than_we_take_is_refused_unread(keep: Keep, video: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(videos, "MOST_BYTES", 1000)
    with pytest.raises(TooBig, match="4 GB"):
        keep(video())


# The process


def test_the_media_process_has_none_of_our_secrets(keep: Keep, video: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, str]] = []
    start = subprocess.Popen

    def note(*arguments: Any, **how: Any) -> Any:
        given.append(dict(how["env"]))
        return start(*arguments, **how)

    monkeypatch.setattr(subprocess, "Popen", note)
    keep(video())
    assert given
    assert all(set(environment) == {"PATH", "LANG"} for environment in given)


def test_a_process_that_is_killed_is_a_sentence(tmp_path: Path, video: Film) -> None:
    path = tmp_path / "long.mp4"
    path.write_bytes(video(seconds=30, noise=True).getvalue())
    plan = videos.plan(facts(path), limits(longest_side=64))
    film = videos.make(path, "video/mp4", plan.as_json(), tmp_path / "made.mp4", largest_bytes=50_000_000)
    told = film._listen

    def listen(process: Any) -> Any:
        process.kill()
        return told(process)

    film._listen = listen  # type: ignore[method-assign]
    with pytest.raises(NotAVideo):
        film.run()


def test_a_process_that_takes_too_long_is_ended(tmp_path: Path, video: Film) -> None:
    path = tmp_path / "long.mp4"
    path.write_bytes(video().getvalue())
    film = videos.Film(path, "video/mp4", {"do": "look", "thumbnail": "/dev/null", "largest_file": 1}, seconds=0.05)
    with pytest.raises(NotAVideo, match="too long"):
        film.run()


def facts(path: Path) -> videos.Facts:
    looked = videos.look(path, "video/mp4")
    named = {name: getattr(looked, name) for name in services.LOOKED_AT if name != "frame_rate"}
    return videos.Facts(size=path.stat().st_size, **named)


# Making


def test_a_video_that_fits_goes_out_byte_for_byte_at_once(keep: Keep, video: Film) -> None:
    file = keep(video())
    rendition = making.video_for(file, limits())
    assert (rendition.file.name, rendition.size, rendition.state) == (file.file.name, file.size, "ready")


def test_where_it_was_taken_does_not_leave_us(keep: Keep, video: Film, fit: Callable[..., Rendition]) -> None:
    file = keep(video(location="+48.8566+002.3522/", title="Camera of Alice"))
    assert file.telling
    with pytest.raises(BeingMade):
        making.video_for(file, limits())
    rendition = fit(file, limits())
    with rendition.file.open("rb") as sent:
        whole = sent.read()
    assert b"Camera of Alice" not in whole
    assert b"48.8566" not in whole
    assert (rendition.state, rendition.plan["do"]) == ("ready", "copy")
    assert rendition.seconds == pytest.approx(2, abs=0.1)


def test_a_kind_that_the_network_does_not_take_becomes_one_it_takes(
    keep: Keep, video: Film, fit: Callable[..., Rendition]
) -> None:
    rendition = fit(keep(video(kind="webm", codec="libvpx-vp9", sound="libopus")), limits())
    looked = seen(rendition)
    assert rendition.content_type == "video/mp4"
    assert (looked.video_codec, looked.audio_codec) == ("h264", "aac")
    assert looked.seconds == pytest.approx(2, abs=0.15)


@pytest.mark.parametrize(("turned", "corner"), [(90, "bottom left"), (180, "bottom right"), (270, "top right")])
def test_a_video_held_sideways_stands_as_its_first_look_showed(
    keep: Keep, video: Film, fit: Callable[..., Rendition], turned: int, corner: str
) -> None:
    file = keep(video(turned=turned))
    rendition = fit(file, limits())
    looked = seen(rendition)
    with services.local(file.file) as path:
        first = videos.look(path, file.content_type)
    assert corner_of(first) == corner_of(looked) == corner
    assert (looked.width, looked.height, looked.turned) == (file.width, file.height, False)


def test_what_is_too_wide_is_cut_around_the_point_that_matters(
    keep: Keep, video: Film, fit: Callable[..., Rendition], alice: Member
) -> None:
    file = keep(video(width=160, height=80))
    middle = fit(file, limits(widest_ratio=1.0))
    assert (middle.width, middle.height) == (80, 80)
    assert corner_of(seen(middle)) == "nowhere"
    services.describe(file=file, alt="", name="", focus=(-1, 0), by=alice)
    left = fit(file, limits(widest_ratio=1.0))
    assert left != middle
    assert corner_of(seen(left)) == "top left"


def test_it_is_made_small_enough_in_pixels_and_bytes(keep: Keep, video: Film, fit: Callable[..., Rendition]) -> None:
    file = keep(video(width=640, height=480, seconds=4, noise=True))
    rendition = fit(file, limits(largest_bytes=400_000, longest_side=320))
    assert max(rendition.width, rendition.height) <= 320
    assert rendition.size <= 400_000 < file.size


def test_nothing_is_cut_off_without_leave(keep: Keep, video: Film, fit: Callable[..., Rendition]) -> None:
    file = keep(video(seconds=6))
    with pytest.raises(CannotFit, match=r"6 seconds.*4 seconds"):
        making.video_for(file, limits(longest=timedelta(seconds=4)))
    rendition = fit(file, limits(longest=timedelta(seconds=4)), cut=True)
    assert seen(rendition).seconds == pytest.approx(4, abs=0.2)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"shortest": timedelta(seconds=3)}, "under 3 seconds"),
        ({"largest_bytes": 50_000}, "too long for the size"),
        ({"types": ("video/x-flv",)}, "no type of video"),
        ({"codecs": ("hevc",)}, "no type of video"),
    ],
)
def test_what_is_out_of_reach_says_which_rule_it_breaks(
    keep: Keep, video: Film, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(CannotFit, match=said):
        making.video_for(keep(video(width=320, height=240, noise=True)), limits(**changes))
    assert not Rendition.objects.exists()


def test_networks_that_want_the_same_share_one_rendition(keep: Keep, video: Film) -> None:
    file = keep(video(kind="mov"))
    first = making.ask_for(file, limits(longest=timedelta(seconds=50)))
    assert making.ask_for(file, limits(longest=timedelta(seconds=90), largest_bytes=99_000_000)) == first


def test_what_a_dead_worker_left_is_taken_up_and_nothing_is_made_twice(
    keep: Keep, video: Film, clock: Any, transactional_db: None
) -> None:
    rendition = making.ask_for(keep(video(kind="mov")), limits())
    assert making._claimed(rendition.pk) is not None
    assert making._claimed(rendition.pk) is None
    assert list(making.overdue()) == []
    clock.advance(minutes=3)
    assert list(making.overdue()) == [rendition.pk]
    asyncio.run(making.make(rendition.pk))
    rendition.refresh_from_db()
    assert (rendition.state, rendition.percent) == ("ready", 100)


def test_a_video_that_vanished_from_the_disk_fails_in_words_and_can_be_tried_again(
    keep: Keep, video: Film, fit: Callable[..., Rendition]
) -> None:
    source = video(kind="mov")
    file = keep(source)
    path = Path(file.file.path)
    path.rename(path.with_suffix(".gone"))
    rendition = fit(file, limits())
    assert (rendition.state, rendition.problem) == ("failed", making.GONE)
    with pytest.raises(CannotFit, match="no longer on our disk"):
        making.video_for(file, limits())
    path.with_suffix(".gone").rename(path)
    making.try_again(rendition)
    again = fit(file, limits())
    assert (again.state, again.problem) == ("ready", "")


def test_a_full_disk_is_said_in_the_row(
    keep: Keep, video: Film, fit: Callable[..., Rendition], full_disk: Callable[..., None]
) -> None:
    file = keep(video(kind="mov"))
    full_disk(file)
    rendition = fit(file, limits())
    assert (rendition.state, rendition.problem) == ("failed", making.NO_ROOM)
    with suppress(FileNotFoundError):
        assert not rendition.file


def test_the_picture_that_stands_for_it_can_be_chosen(keep: Keep, video: Film, alice: Member) -> None:
    file = keep(video(seconds=4))
    before = file.thumbnail.name
    services.describe(file=file, alt="A wave", name="", focus=(0, 0), cover_at=3.5, by=alice)
    file.refresh_from_db()
    assert file.cover_at == 3.5
    assert file.thumbnail.name != before
    services.describe(file=file, alt="A wave", name="", focus=(0, 0), cover_at=900, by=alice)
    assert file.cover_at == pytest.approx(4, abs=0.1)
