"""What a sound is: music, an episode. It is read in the media process, as videos are. No tables, no storage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext_noop

from regie.media.errors import NotASound
from regie.media.videos import FORMAT, Film

MOST_BYTES = 1024**3
SUFFIX = {"audio/mpeg": "mp3", "audio/mp4": "m4a", "audio/ogg": "ogg", "audio/wav": "wav"}
BRANDS = (b"M4A ", b"M4B ")
LAYER_III = 0b01  # of the two bits that say which MPEG layer a frame is
LISTEN_SECONDS = 90.0

WHY = {
    "damaged": gettext_noop("This sound is damaged or was cut short. Export it again, then upload it."),
    "silent": gettext_noop("There is no sound in this file."),
    "moving": gettext_noop("There is a moving picture in this file of sound. Export it as MP4, then upload it."),
    "too_long": gettext_noop("This sound is longer than 12 hours. Cut it, then upload it again."),
    "time": gettext_noop("Reading this sound took too long. Export it as MP3, then upload it."),
    "largest": gettext_noop("This sound is larger than 1 GB. Make it smaller, then upload it again."),
}


@dataclass(frozen=True, slots=True)
class Heard:
    """What a sound turned out to be. ``title``: what the file calls itself, "" when it does not say."""

    content_type: str
    seconds: float
    audio_codec: str
    title: str


def kind_of(head: bytes) -> str | None:
    """The content type of a sound from the first 4,096 bytes of its file; None for anything else."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "audio/wav"
    if head[4:8] == b"ftyp" and head[8:12] in BRANDS:
        return "audio/mp4"
    if head[:4] == b"OggS":
        return "audio/ogg"
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
