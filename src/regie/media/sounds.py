"""What a sound is: music, an episode. It is read in the media process, as videos are. No tables, no storage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_noop

from regie.media.errors import NotASound
from regie.media.videos import FORMAT, Film, OutOfReach
from regie.networks.capabilities import SoundLimit

MOST_BYTES = 1024**3
SUFFIX = {"audio/mpeg": "mp3", "audio/mp4": "m4a", "audio/ogg": "ogg", "audio/wav": "wav", "audio/flac": "flac"}
MADE = {  # what we can make, the first that a network takes: FFmpeg's container and encoder
    "audio/mpeg": ("mp3", "libmp3lame"),
    "audio/mp4": ("ipod", "aac"),
    "audio/ogg": ("ogg", "libopus"),
}
BIT_RATES = (48_000, 64_000, 80_000, 96_000, 112_000, 128_000, 160_000, 192_000)  # a second, in MP3 too
SPARE = 0.97  # of the bytes: containers take some
BRANDS = (b"M4A ", b"M4B ")
LAYER_III = 0b01  # of the two bits that say which MPEG layer a frame is
LISTEN_SECONDS = 90.0

WHY = {
    "damaged": gettext_noop("This sound is damaged or was cut short. Export it again, then upload it."),
    "silent": gettext_noop("There is no sound in this file."),
    "moving": gettext_noop("There is a moving picture in this file of sound. Export it as MP4, then upload it."),
    "too_long": gettext_noop("This sound is longer than 12 hours. Cut it, then upload it again."),
    "time": gettext_noop("Reading this sound took too long. Export it as MP3, then upload it."),
    "making": gettext_noop("This sound could not be made to fit. Export it as MP3, then upload it."),
    "largest": gettext_noop("This sound is larger than 1 GB. Make it smaller, then upload it again."),
}


@dataclass(frozen=True, slots=True)
class Heard:
    """What a sound turned out to be. ``title``: what the file calls itself, "" when it does not say."""

    content_type: str
    seconds: float
    audio_codec: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a sound is made to fit. ``do``: "keep" it byte for byte, or "sound": encode it, at ``bits`` a second."""

    do: str
    content_type: str
    seconds: float
    bits: int = 0
    container: str = ""
    codec: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def recipe(self) -> str:
        return f"v1:sound:{self.codec}:{self.bits}"


def plan(content_type: str, size: int, seconds: float, limits: SoundLimit) -> Plan:
    """How a sound comes within ``limits``, changing as little as they allow. It is never cut: its author does that.

    Raises OutOfReach with the rule that it breaks.
    """
    if limits.longest is not None and seconds > limits.longest.total_seconds() + 0.05:
        raise OutOfReach("longest", limits.longest.total_seconds())
    if content_type in limits.types and size <= limits.largest_bytes:
        return Plan(do="keep", content_type=content_type, seconds=seconds)
    made = next((kind for kind in MADE if kind in limits.types), None)
    if made is None:
        raise OutOfReach("types", 0)
    room = limits.largest_bytes * 8 * SPARE
    bits = max((rate for rate in BIT_RATES if rate * seconds <= room), default=None)
    if bits is None:
        raise OutOfReach("largest_bytes", room / BIT_RATES[0])
    container, codec = MADE[made]
    return Plan(do="sound", content_type=made, seconds=seconds, bits=bits, container=container, codec=codec)


def make(path: Path, content_type: str, plan: Mapping[str, Any], to: Path, *, largest_bytes: int) -> Film:
    """The process that writes the planned sound to ``to``; ``run`` it."""
    order = {"do": "make", "plan": dict(plan), "to": str(to), "largest_file": max(largest_bytes, 1024**2) * 2}
    seconds = 120 + plan["seconds"]
    return Film(path, FORMAT[content_type], order, seconds=seconds, why=WHY, refused=NotASound)


def kind_of(head: bytes) -> str | None:
    """The content type of a sound from the first 4,096 bytes of its file; None for anything else."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "audio/wav"
    if head[4:8] == b"ftyp" and head[8:12] in BRANDS:
        return "audio/mp4"
    if head[:4] == b"OggS":
        return "audio/ogg"
    if head[:4] == b"fLaC":
        return "audio/flac"
    if head[:3] == b"ID3" or (head[:1] == b"\xff" and _is_layer_iii(head[1:2])):
        return "audio/mpeg"
    return None


def _is_layer_iii(second: bytes) -> bool:
    """Whether the second byte goes on with the eleven bits that begin a frame of MP3."""
    return bool(second) and second[0] & 0xE0 == 0xE0 and (second[0] >> 1) & 0b11 == LAYER_III


def listen(path: Path, content_type: str) -> Heard:
    """Reads a sound in a process of its own. Raises NotASound with a sentence."""
    order = {"do": "listen", "largest_file": 1024**2}
    film = Film(path, FORMAT[content_type], order, seconds=LISTEN_SECONDS, why=WHY, refused=NotASound)
    return Heard(content_type=content_type, **film.run())
