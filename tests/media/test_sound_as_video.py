"""A sound with a cover becomes a video: made by a worker, said while it is made, and it is what was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image

from regie.media import making, services, videos
from regie.media.errors import BeingMade, CannotFit
from regie.media.models import File, Rendition
from regie.networks.capabilities import VideoLimit
from regie.people.models import Member

Make = Callable[..., BytesIO]
FILM = VideoLimit(largest_bytes=20_000_000, longest=timedelta(minutes=10))


@pytest.fixture
def episode(alice: Member, sound: Make, transactional_db: None) -> File:
    return services.upload(workspace=alice.workspace, name="episode.mp3", source=sound(seconds=3), by=alice)


@pytest.fixture
def cover(alice: Member, picture: Make, transactional_db: None) -> File:
    made = picture(width=400, height=300, kind="PNG")
    return services.upload(workspace=alice.workspace, name="cover.png", source=made, by=alice)


def seen(rendition: Rendition) -> videos.Looked:
    with services.local(rendition.file) as path:
        return videos.look(path, rendition.content_type)


def test_it_is_asked_for_once_made_by_a_worker_and_then_there(episode: File, cover: File) -> None:
    with pytest.raises(BeingMade, match=r"“episode\.mp3” is being made to fit"):
        making.show_for(episode, cover, FILM)
    (rendition,) = Rendition.objects.filter(state="waiting")
    asyncio.run(making.make(rendition.pk))
    made = making.show_for(episode, cover, FILM)
    assert made.pk == rendition.pk
    looked = seen(made)
    assert (looked.width, looked.height, looked.video_codec, looked.audio_codec) == (400, 300, "h264", "aac")
    assert looked.frame_rate == 25
    assert looked.seconds == pytest.approx(3, abs=0.15)
    red, green, blue = Image.open(BytesIO(looked.thumbnail)).convert("RGB").getpixel((200, 150))  # type: ignore[misc]
    assert (red < 40, green > 90, blue > 90) == (True, True, True), "teal, as the cover"


def test_another_cover_makes_another_video(episode: File, cover: File, alice: Member, picture: Make) -> None:
    other = services.upload(workspace=alice.workspace, name="b.png", source=picture(width=402, height=300), by=alice)
    first, second = (making.ask_for_show(episode, one, FILM) for one in (cover, other))
    assert first.pk != second.pk
    assert making.ask_for_show(episode, cover, FILM).pk == first.pk


def test_the_cover_is_cut_to_the_shape_that_the_network_takes(episode: File, cover: File) -> None:
    upright = replace(FILM, narrowest_ratio=9 / 16, widest_ratio=9 / 16)
    rendition = making.ask_for_show(episode, cover, upright)
    asyncio.run(making.make(rendition.pk))
    looked = seen(Rendition.objects.get(pk=rendition.pk))
    assert looked.width / looked.height == pytest.approx(9 / 16, abs=0.02)


def test_a_sound_longer_than_the_network_takes_is_cut_only_with_leave(episode: File, cover: File) -> None:
    short = replace(FILM, longest=timedelta(seconds=2))
    with pytest.raises(CannotFit, match="takes 2 seconds at most"):
        making.ask_for_show(episode, cover, short)
    rendition = making.ask_for_show(episode, cover, short, cut=True)
    asyncio.run(making.make(rendition.pk))
    assert seen(Rendition.objects.get(pk=rendition.pk)).seconds == pytest.approx(2, abs=0.1)


def test_a_cover_that_vanished_is_said(episode: File, cover: File) -> None:
    rendition = making.ask_for_show(episode, cover, FILM)
    cover.file.storage.delete(str(cover.file.name))
    asyncio.run(making.make(rendition.pk))
    rendition.refresh_from_db()
    assert rendition.state == "failed"
    assert rendition.problem == making.NO_COVER
