"""A sound within a network's reach but not its limits is made again in the background; one that is not says why."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest

from regie.media import making, services, sounds
from regie.media.errors import BeingMade, CannotFit, NotASound
from regie.media.models import File, Rendition
from regie.media.videos import OutOfReach
from regie.networks.capabilities import SoundLimit
from regie.people.models import Member

Make = Callable[..., BytesIO]
MP3 = SoundLimit(largest_bytes=10**7)
KINDS = {"audio/mpeg": "mp3", "audio/mp4": "m4a", "audio/ogg": "ogg"}


@pytest.mark.parametrize("there", ["wav", "ogg", "m4a", "flac", "mp3"])
@pytest.mark.parametrize("wanted", KINDS)
def test_a_sound_of_any_kind_is_made_into_what_is_taken(sound: Make, tmp_path: Path, there: str, wanted: str) -> None:
    source, made = tmp_path / "source", tmp_path / "made"
    source.write_bytes(sound(there, seconds=3, title="Where we live").getvalue())
    kind = sounds.kind_of(source.read_bytes()[:4096])
    assert kind is not None
    limits = SoundLimit(largest_bytes=10**7, types=(wanted,))
    plan = sounds.plan(kind, source.stat().st_size, 3, limits)
    if plan.do == "keep":
        assert kind == wanted
        return
    sounds.make(source, kind, plan.as_json(), made, largest_bytes=limits.largest_bytes).run()
    content = made.read_bytes()
    assert sounds.kind_of(content[:4096]) == wanted
    heard = sounds.listen(made, wanted)
    assert heard.seconds == pytest.approx(3, abs=0.2)
    assert b"Where we live" not in content


def test_a_large_one_is_made_smaller(sound: Make, tmp_path: Path) -> None:
    source, made = tmp_path / "source", tmp_path / "made"
    source.write_bytes(sound("wav", seconds=10).getvalue())
    limits = replace(MP3, largest_bytes=100_000)
    plan = sounds.plan("audio/wav", source.stat().st_size, 10, limits)
    assert plan.bits == 64_000
    sounds.make(source, "audio/wav", plan.as_json(), made, largest_bytes=limits.largest_bytes).run()
    assert made.stat().st_size <= 100_000


@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        (replace(MP3, longest=timedelta(seconds=59)), "longest"),
        (replace(MP3, largest_bytes=300_000), "largest_bytes"),
        (SoundLimit(largest_bytes=10**7, types=("audio/x-strange",)), "types"),
    ],
)
def test_what_is_out_of_reach_names_the_rule(limits: SoundLimit, rule: str) -> None:
    with pytest.raises(OutOfReach) as out:
        sounds.plan("audio/wav", 10**6, 60, limits)
    assert out.value.rule == rule


def test_what_the_network_takes_stays_as_it_is() -> None:
    assert sounds.plan("audio/mpeg", 10**6, 60, MP3).do == "keep"


def test_what_is_no_sound_is_refused_in_the_process(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"RIFF\x00\x00\x00\x00WAVE" + b"not a sound " * 100)
    plan = sounds.plan("audio/wav", 2000, 1, MP3)
    with pytest.raises(NotASound):
        sounds.make(source, "audio/wav", plan.as_json(), tmp_path / "made", largest_bytes=10**6).run()


# With its row


@pytest.fixture
def wave(alice: Member, sound: Make) -> File:
    return services.upload(workspace=alice.workspace, name="take 7.wav", source=sound("wav", seconds=3), by=alice)


@pytest.mark.django_db(transaction=True)
def test_it_is_asked_for_once_made_in_the_background_and_found_again(wave: File) -> None:
    with pytest.raises(BeingMade) as being_made:
        making.sound_for(wave, MP3)
    assert "take 7" in being_made.value.said
    waiting = making.ask_for_sound(wave, MP3)
    assert waiting is not None
    asyncio.run(making.make(waiting.pk))
    made = making.sound_for(wave, MP3)
    assert isinstance(made, Rendition)
    assert (made.pk, made.state, made.percent, made.content_type) == (waiting.pk, "ready", 100, "audio/mpeg")
    assert str(made.file.name).endswith(".mp3")
    assert made.size == made.file.size
    assert made.seconds == pytest.approx(3, abs=0.2)
    assert making.sound_for(wave, replace(MP3, largest_bytes=2 * 10**7)).pk == made.pk
    assert Rendition.objects.count() == 1


@pytest.mark.django_db
def test_a_long_one_is_refused_with_what_would_do(wave: File) -> None:
    with pytest.raises(CannotFit, match="lasts 3 seconds; The network takes 2 seconds at most"):
        making.sound_for(wave, replace(MP3, longest=timedelta(seconds=2)))


@pytest.mark.django_db
def test_what_fits_is_given_as_it_is(alice: Member, sound: Make) -> None:
    file = services.upload(workspace=alice.workspace, name="a.mp3", source=sound(), by=alice)
    assert making.sound_for(file, MP3) == file
    assert not Rendition.objects.exists()
