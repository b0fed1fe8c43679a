"""What a video is, whether a network takes it, and how it is made to fit. The work itself is done in ``film.py``.

Here are the rules, as plain arithmetic, and the process: no tables, no storage. What a file is, is read from its bytes.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext_noop

from regie.media.errors import NotAVideo, Unreadable
from regie.media.shapes import ALL, Piece, piece_within
from regie.networks.capabilities import VideoLimit

MOST_BYTES = 4 * 1024**3
SUFFIX = {"video/mp4": "mp4", "video/quicktime": "mov", "video/webm": "webm"}
FORMAT = {  # FFmpeg's names of what reads them
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "video/webm": "matroska",
    "audio/mpeg": "mp3",
    "audio/mp4": "mov",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/flac": "flac",
}
BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
PICTURE_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis")
LOOK_SECONDS = 90.0
MEMORY_OF_A_THUMBNAIL = 16 * 1024**2
MOST_BITS = 8_000_000  # a second, of what we make: plenty for 1080 lines
FEWEST_BITS = 250_000
SOUND_BITS = 128_000
BITS_A_PIXEL = 0.045  # below this a moving picture falls into blocks; then it is made smaller instead
NARROWEST = 320  # short side below which nobody wants to see it
LONGEST_MADE = 1920  # longest side of what we make
LONGEST_SHOWN = 1280  # longest side of a picture that stands still
STILL_BITS = 500_000  # a second, of a picture that stands still
SPARE = 0.93  # of the largest size: containers and uneven scenes take the rest

WHY = {
    "damaged": gettext_noop("This video is damaged or was cut short. Export it again, then upload it."),
    "no_picture": gettext_noop("There is sound in this file, but no moving picture."),
    "too_large": gettext_noop("This video is wider or higher than 8,192 pixels. Make it smaller, then upload it."),
    "too_small": gettext_noop("This video has fewer than 16 pixels across or down: nobody could see it."),
    "too_long": gettext_noop("This video is longer than 12 hours. Cut it, then upload it again."),
    "time": gettext_noop("Reading this video took too long. Export it as MP4 (H.264), then upload it."),
    "largest": gettext_noop("This file is larger than 4 GB. Make it smaller, then upload it again."),
    "format": gettext_noop("This is a video of a kind we do not read. Use MP4, MOV or WebM."),
    "making": gettext_noop("This video could not be made to fit. Export it as MP4 (H.264), then upload it again."),
}


Size = tuple[int, int, tuple[float, float]]
"""Of a picture: width, height, and the point that matters."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a video turned out to be, as it is seen: upright, with square pixels."""

    content_type: str
    width: int
    height: int
    seconds: float
    frame_rate: float | None
    video_codec: str
    audio_codec: str
    turned: bool
    telling: bool
    thumbnail: bytes  # WebP


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the rules need to know of a video that is stored. ``focus`` in -1..1, y up."""

    content_type: str
    size: int
    width: int
    height: int
    seconds: float
    video_codec: str
    audio_codec: str
    turned: bool = False
    telling: bool = False
    focus: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a video is made to fit. ``do``: "keep" it byte for byte, "copy" it into a clean container, "encode" it;
    "show": a sound with a picture that stands still.

    crop: the piece of the upright picture that stays; bits: of the picture, a second
    """

    do: str
    content_type: str
    width: int
    height: int
    seconds: float
    crop: Piece = ALL
    bits: int = 0
    sound: bool = True

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class OutOfReach(Exception):
    """No rendition would satisfy the rule named: ``rule`` is the field of VideoLimit, ``bound`` what it allows.

    For ``largest_bytes`` the bound is in seconds: how long it may last to be worth looking at in so many bytes.
    """

    def __init__(self, rule: str, bound: float) -> None:
        super().__init__(rule)
        self.rule, self.bound = rule, bound


def kind_of(head: bytes) -> str | None:
    """The content type of a video from the first 4,096 bytes of its file; "" for a video that we do not read.

    None: it is no video (a picture, or anything else).
    """
    if head[4:8] in BOXES:
        if head[4:8] == b"ftyp" and head[8:12] in PICTURE_BRANDS:
            return None
        return "video/quicktime" if head[4:8] != b"ftyp" or head[8:12] == b"qt  " else "video/mp4"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "video/webm" if b"webm" in head[:128] else ""
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return ""
    if head[:4] == b"\x00\x00\x01\xba" or head[:3] == b"FLV" or head[:4] == b"\x30\x26\xb2\x75":
        return ""
    return "" if head[:1] == b"\x47" and head[188:189] == b"\x47" else None


def plan(facts: Facts, limits: VideoLimit, *, cut: bool = False) -> Plan:
    """How the video comes within ``limits``, changing as little as they allow. ``cut``: a person lets us shorten it.

    Raises OutOfReach with the rule that it breaks.
    """
    _check_length(facts, limits, cut=cut)
    seconds = min(facts.seconds, limits.longest.total_seconds())
    crop = piece_within(facts.width, facts.height, facts.focus, limits.narrowest_ratio, limits.widest_ratio)
    inside = (facts.width * crop.width, facts.height * crop.height)
    fits = (
        crop.is_all
        and seconds >= facts.seconds
        and max(inside) <= (limits.longest_side or math.inf)
        and facts.video_codec in limits.codecs
        and facts.audio_codec in ("", *limits.audio_codecs)
        and facts.size <= limits.largest_bytes
        and not facts.turned
    )
    if fits and facts.content_type in limits.types and not facts.telling:
        return Plan(do="keep", content_type=facts.content_type, width=facts.width, height=facts.height, seconds=seconds)
    if "video/mp4" not in limits.types:
        raise OutOfReach("types", 0)
    sound = bool(facts.audio_codec)
    if fits and facts.video_codec == "h264" and facts.audio_codec in ("", "aac"):
        return Plan(
            do="copy",
            content_type="video/mp4",
            width=facts.width,
            height=facts.height,
            seconds=seconds,
            sound=sound,
        )
    if "h264" not in limits.codecs or (sound and "aac" not in limits.audio_codecs):
        raise OutOfReach("codecs", 0)
    bits = _bits(limits, seconds, sound=sound)
    width, height = _size(inside, limits, bits)
    return Plan(
        do="encode",
        content_type="video/mp4",
        width=width,
        height=height,
        seconds=seconds,
        crop=crop,
        bits=_enough(bits, width, height),
        sound=sound,
    )


def show(seconds: float, cover: Size, limits: VideoLimit, *, cut: bool = False) -> Plan:
    """A sound of so many seconds as a video within ``limits``, with a picture of that size to look at.

    Raises OutOfReach with the rule that it breaks.
    """
    width, height, focus = cover
    facts = Facts(content_type="", size=0, width=width, height=height, seconds=seconds, video_codec="", audio_codec="")
    _check_length(facts, limits, cut=cut)
    if "video/mp4" not in limits.types:
        raise OutOfReach("types", 0)
    if "h264" not in limits.codecs or "aac" not in limits.audio_codecs:
        raise OutOfReach("codecs", 0)
    lasts = min(seconds, limits.longest.total_seconds())
    crop = piece_within(width, height, focus, limits.narrowest_ratio, limits.widest_ratio)
    bits = min(_bits(limits, lasts, sound=True), STILL_BITS)
    inside = (width * crop.width, height * crop.height)
    scale = min(1.0, min(LONGEST_SHOWN, limits.longest_side or LONGEST_SHOWN) / max(inside))
    return Plan(
        do="show",
        content_type="video/mp4",
        width=_even(inside[0] * scale),
        height=_even(inside[1] * scale),
        seconds=lasts,
        crop=crop,
        bits=bits,
    )


def _check_length(facts: Facts, limits: VideoLimit, *, cut: bool) -> None:
    if limits.shortest is not None and facts.seconds < limits.shortest.total_seconds() - 0.05:
        raise OutOfReach("shortest", limits.shortest.total_seconds())
    if facts.seconds > limits.longest.total_seconds() + 0.05 and not cut:
        raise OutOfReach("longest", limits.longest.total_seconds())


def _bits(limits: VideoLimit, seconds: float, *, sound: bool) -> int:
    """Bits a second that the picture may take so that the whole stays within the bytes."""
    room = limits.largest_bytes * 8 * SPARE / max(seconds, 0.1) - (SOUND_BITS if sound else 0)
    if room < FEWEST_BITS:
        most = limits.largest_bytes * 8 * SPARE / (FEWEST_BITS + (SOUND_BITS if sound else 0))
        raise OutOfReach("largest_bytes", most)
    return int(min(room, MOST_BITS))


def _enough(bits: int, width: int, height: int) -> int:
    """No more bits than the size can use."""
    return int(min(bits, max(FEWEST_BITS, width * height * 30 * BITS_A_PIXEL * 3)))


def _size(inside: tuple[float, float], limits: VideoLimit, bits: int) -> tuple[int, int]:
    """The size of what we make, in even numbers: within the longest side, and not more than its bits can fill."""
    longest = min(LONGEST_MADE, limits.longest_side or LONGEST_MADE)
    scale = min(1.0, longest / max(inside))
    pixels = bits / (30 * BITS_A_PIXEL)
    if inside[0] * inside[1] * scale * scale > pixels:
        wanted = math.sqrt(pixels / (inside[0] * inside[1]))
        scale = min(scale, max(wanted, NARROWEST / min(inside)))
    return _even(inside[0] * scale), _even(inside[1] * scale)


def _even(side: float) -> int:
    return max(2, int(side / 2 + 0.25) * 2)


def recipe(plan: Plan) -> str:
    """Equal recipes make equal renditions: networks with different limits share what would come out the same."""
    if plan.do not in ("encode", "show"):
        return f"v1:{plan.do}"
    piece = plan.crop
    crop = "" if piece.is_all else f"{piece.left:.3f},{piece.top:.3f},{piece.width:.3f},{piece.height:.3f}"
    begin = "v1:show:" if plan.do == "show" else "v1:"
    sound = "sound" if plan.sound else "mute"
    return f"{begin}{plan.width}x{plan.height}:{crop}:{plan.seconds:.2f}:{plan.bits}:{sound}"


# The process


def look(path: Path, content_type: str, *, cover_at: float | None = None) -> Looked:
    """Reads a video in a process of its own. Raises NotAVideo with a sentence."""
    with tempfile.TemporaryDirectory(prefix="regie-video-") as folder:
        thumbnail = Path(folder) / "thumbnail.webp"
        order = {"do": "look", "thumbnail": str(thumbnail), "cover_at": cover_at, "largest_file": MEMORY_OF_A_THUMBNAIL}
        told = Film(path, FORMAT[content_type], order, seconds=LOOK_SECONDS).run()
        return Looked(content_type=content_type, thumbnail=thumbnail.read_bytes(), **told)


def make(
    path: Path, content_type: str, plan: Mapping[str, Any], to: Path, *, largest_bytes: int, cover: Path | None = None
) -> Film:
    """The process that writes the planned video to ``to``; ``run`` it. It may take some 30 times what it lasts.

    cover: the picture that a sound shows, a JPEG that we made
    """
    order = {"do": "make", "plan": dict(plan), "to": str(to), "seconds": plan["seconds"], "cover": str(cover or "")}
    order["largest_file"] = max(largest_bytes, 1024**2) * 2
    return Film(path, FORMAT[content_type], order, seconds=600 + 30 * plan["seconds"])


class Film:
    """One order to a media process. ``percent`` can be read while it runs; ``stop`` ends it.

    form:    how the file is to be read: FFmpeg's name of it, or "pdf", "zip"
    why:     what each word of the process's "no" means, in a sentence; ``refused`` says it
    """

    def __init__(
        self,
        path: Path,
        form: str,
        order: Mapping[str, Any],
        *,
        seconds: float,
        why: Mapping[str, str] = WHY,
        refused: type[Unreadable] = NotAVideo,
    ) -> None:
        self.seconds, self.percent, self.why, self.refused = seconds, 0, why, refused
        about = {"path": str(path), "format": form, "cpu_seconds": 10 + 2 * seconds}
        self.order = {**order, **about, "parent": os.getpid()}
        self.timed_out = False
        self._process: subprocess.Popen[str] | None = None

    def run(self) -> dict[str, Any]:
        """What it answered. Raises ``refused`` when it said no, crashed or ran out of time."""
        with tempfile.TemporaryFile("w+") as order, tempfile.TemporaryFile() as noise:
            json.dump(self.order, order)
            order.seek(0)
            self._process = _started(order, noise)
            clock = threading.Timer(self.seconds, self._out_of_time)
            clock.daemon = True
            clock.start()
            try:
                answer = self._listen(self._process)
            finally:
                clock.cancel()
                self._process.kill()
                self._process.wait()
        if answer is None or "done" not in answer:
            word = "time" if self.timed_out else str((answer or {}).get("no", "damaged"))
            raise self.refused(self.why.get(word, self.why["damaged"]))
        return dict(answer["done"])

    def _listen(self, process: subprocess.Popen[str]) -> dict[str, Any] | None:
        """Its last line; None when it ended without one."""
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                said: dict[str, Any] = json.loads(line)
                if "percent" not in said:
                    return said
                self.percent = int(said["percent"])
        return None

    def _out_of_time(self) -> None:
        self.timed_out = True
        self.stop()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()


def _started(order: IO[str], noise: IO[bytes]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-I", "-m", "regie.media.film"],
        env={"PATH": os.defpath, "LANG": "C.UTF-8"},  # nothing of ours: no key, no address of the database
        stdin=order,
        stdout=subprocess.PIPE,
        stderr=noise,
        text=True,
        start_new_session=True,
    )
